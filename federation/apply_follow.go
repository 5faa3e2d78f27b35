package federation

import (
	"context"

	"souk"
)

// local is the living account of this node with the id.
func (f *Federation) local(ctx context.Context, uri string) (*souk.Account, error) {
	a, err := f.db.AccountByURI(ctx, uri)
	switch {
	case err != nil:
		return nil, err
	case !a.Local():
		return nil, ignored("%.200q is not of this node", uri)
	case a.Deleted != nil || a.Suspended != nil:
		return nil, souk.ErrGone
	}
	return a, nil
}

// applyFollow answers a follower (ActivityPub 7.5).
func (f *Federation) applyFollow(ctx context.Context, in *incoming) (plan, error) {
	followee, err := f.local(ctx, in.id)
	if err != nil {
		return nil, err
	}
	node := false
	if followee.Role == souk.RoleCatalogue {
		if node, err = f.isNode(ctx, in.by); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, tx *souk.DB) error {
		told := f.noticed
		if followee.Locked { // a question
			told = func(tx *souk.DB, by *souk.Account) *souk.DB { return f.heard(tx, by) }
		}
		return told(tx, in.by).ReceiveFollow(ctx, in.ActivityID, in.by, followee, node)
	}, nil
}

// isNode reports whether an actor stands for a whole node: the actor that signs for it, or its catalogue.
func (f *Federation) isNode(ctx context.Context, a *souk.Account) (bool, error) {
	if a.ForHost() {
		return true, nil
	}
	if a.Kind == "Service" || a.Kind == "Application" {
		return f.isCatalogue(ctx, a)
	}
	return false, nil
}

// isCatalogue reports whether an actor is the one that its host names as its catalogue.
func (f *Federation) isCatalogue(ctx context.Context, a *souk.Account) (bool, error) {
	host, err := f.describedHost(ctx, a.Host)
	if err != nil && final(err) { // no NodeInfo: not a node with a catalogue
		return false, nil
	}
	return err == nil && host.CatalogueURI == a.URI, err
}

func (f *Federation) applyAccept(ctx context.Context, in *incoming) (plan, error) {
	return f.applyAnswer(ctx, in, true)
}

func (f *Federation) applyReject(ctx context.Context, in *incoming) (plan, error) {
	return f.applyAnswer(ctx, in, false)
}

// applyAnswer reads an answer to a Follow or an Offer of somebody here. The answer to a Follow ends the waiting of a follow that an account of this node sent, or ends the follow (ActivityPub 7.6, 7.7).
// Only the one who is followed can answer: the pair is looked up with the sender as its second half.
func (f *Federation) applyAnswer(ctx context.Context, in *incoming, accepted bool) (plan, error) {
	if f.isOffer(in.id) {
		return f.applyOfferAnswer(ctx, in, accepted)
	}
	id, follower := in.id, ""
	if follow := in.object; follow != nil {
		if !follow.is("Follow") {
			return nil, ignored("answer to %.50q", follow.kind())
		}
		if followee := follow.id("object"); followee != "" && followee != in.Actor {
			return nil, foreign("answer to a follow of %.200q", followee)
		}
		id, follower = follow.self(), follow.id("actor")
	}
	if id == "" && follower == "" {
		return nil, malformed("answer to nothing")
	}
	return func(ctx context.Context, tx *souk.DB) error {
		_, err := tx.FollowAnswered(ctx, in.by, id, follower, accepted)
		return err
	}, nil
}

// undoPatience is how often an Undo is put off that names another id than what stands here has: two minutes and a half.
const undoPatience = 3

// applyUndo takes back what the same actor did: a Follow, Like, Announce, Block or Offer (ActivityPub 7.8). The object may be
// whole or only an id; either way only what is stored as done by this actor ends.
func (f *Federation) applyUndo(ctx context.Context, in *incoming) (plan, error) {
	undone := in.object
	if undone == nil {
		return f.undoByID(in, in.id)
	}
	if id := undone.self(); id != "" && !SameOrigin(id, in.Actor) {
		return nil, foreign("undo of %.200q", id)
	}
	if by := undone.id("actor"); by != "" && by != in.Actor {
		return nil, foreign("undo of what %.200q did", by)
	}
	id, target := undone.self(), undone.id("object")
	patient := in.Attempts <= undoPatience
	switch undone.kind() {
	case "Follow":
		followee, err := f.local(ctx, target)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, tx *souk.DB) error {
			return tx.ReceiveUnfollow(ctx, id, in.by, followee.ID, patient)
		}, nil
	case "Like", "EmojiReact":
		return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveUnlike(ctx, id, in.by, target, patient) }, nil
	case "Announce":
		return func(ctx context.Context, tx *souk.DB) error {
			return tx.ReceiveUnboost(ctx, id, in.by, target, patient)
		}, nil
	case "Block":
		blocked, err := f.local(ctx, target)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, tx *souk.DB) error {
			return tx.ReceiveUnblock(ctx, id, in.by, blocked.ID, patient)
		}, nil
	case "Offer":
		return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveOfferTakenBack(ctx, in.by, id) }, nil
	}
	return nil, ignored("undo of %.50q", undone.kind())
}

// undoByID takes back the activity with the id, whatever it was.
func (f *Federation) undoByID(in *incoming, id string) (plan, error) {
	if !validIRI(id) || !SameOrigin(id, in.Actor) {
		return nil, foreign("undo of %.200q", id)
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveUndo(ctx, id, in.by) }, nil
}
