package federation

import (
	"context"

	"souk"
)

// block tells another node's account that it is blocked, or is so no more (ActivityPub 6.9): its node hides the two from
// each other, as this one does.
func (t teller) block(ctx context.Context) (note string, err error) {
	by, blocked, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	a := t.blockOf(t.URI, by, blocked)
	id := t.db.NewID()
	if t.Kind == souk.EventUnblocked {
		a = t.undo(t.activityURI(id), a)
	}
	return t.toOne(ctx, id, a, by, blocked)
}

func (e encoder) blockOf(id string, by, blocked *souk.Account) activity {
	return activity{Context: plainContext(), ID: id, Type: "Block", Actor: by.URI, To: []string{blocked.URI}, Object: blocked.URI}
}

// report tells the node of a reported account, in the name of this node: who reported is not said, nor can it be seen from
// what is sent, and of words only those go that were written for it (MastoDocs, Flag; the form that Mastodon, GoToSocial and Misskey read).
func (t teller) report(ctx context.Context) (note string, err error) {
	r, err := t.db.ReportForDelivery(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	node, err := t.db.InstanceActor(ctx)
	if err != nil {
		return "", err
	}
	id := t.db.NewID()
	return t.toOne(ctx, id, t.flagOf(t.activityURI(id), node, r), node, r.Target)
}

func (e encoder) flagOf(id string, node *souk.Account, r *souk.Report) activity {
	about := []string{r.Target.URI}
	for _, p := range r.Posts {
		if p.Deleted == nil {
			about = append(about, p.URI)
		}
	}
	return activity{Context: plainContext(), ID: id, Type: "Flag", Actor: node.URI, To: []string{r.Target.URI}, Content: r.ForwardAs, Object: about}
}
