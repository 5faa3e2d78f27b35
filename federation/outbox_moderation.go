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
