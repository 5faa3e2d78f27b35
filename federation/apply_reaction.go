package federation

import (
	"context"
	"errors"

	"souk"
)

// applyLike notes a like, or a reaction with an emoji, of a post that is kept here (ActivityPub 7.10).
func (f *Federation) applyLike(ctx context.Context, in *incoming) (plan, error) {
	post, err := f.knownPost(ctx, in.id)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error {
		return f.noticed(tx, in.by).ReceiveLike(ctx, in.ActivityID, in.by, post)
	}, nil
}

// knownPost is the id of a living post that is kept here.
func (f *Federation) knownPost(ctx context.Context, uri string) (int64, error) {
	id, deleted, err := f.db.KnownPost(ctx, uri)
	if err == nil && deleted {
		return 0, souk.ErrGone
	}
	return id, err
}

// applyAnnounce shares a post (ActivityPub 7.11), or is a catalogue's or a group's way of passing an activity on
// (FEP-1b12).
func (f *Federation) applyAnnounce(ctx context.Context, in *incoming) (plan, error) {
	inner := in.object
	followed, err := f.db.FollowsAnyone(ctx, in.by.ID)
	if err != nil {
		return nil, err
	}
	if inner != nil && inner.is("Create", "Update", "Delete", "Like", "Dislike", "Undo", "Add", "Remove", "Block") {
		if !followed {
			return nil, ignored("nobody here follows the sender")
		}
		catalogue := false
		if in.by.Kind == "Service" {
			if catalogue, err = f.isCatalogue(ctx, in.by); err != nil {
				return nil, err
			}
		}
		if catalogue {
			return f.applyAnnounced(ctx, in.by, inner)
		}
		if in.by.Kind == "Group" {
			return f.applyGrouped(ctx, in, inner)
		}
		if !inner.is("Create") {
			return nil, ignored("announce of %.50q", inner.kind())
		}
		shared, _, err := inner.one("object")
		if err != nil {
			return nil, err
		}
		return f.applyBoost(ctx, in, shared, followed)
	}
	return f.applyBoost(ctx, in, in.id, followed)
}

// applyBoost notes that the actor shares a post. One that is not known here is read at its origin, never from the
// Announce, and only where somebody here follows the actor.
func (f *Federation) applyBoost(ctx context.Context, in *incoming, uri string, followed bool) (plan, error) {
	published := in.body.time("published", f.db.Now())
	post, err := f.knownPost(ctx, uri)
	if err == nil {
		return func(ctx context.Context, tx *souk.DB) error {
			return f.noticed(tx, in.by).ReceiveBoost(ctx, in.ActivityID, in.by, post, published)
		}, nil
	}
	if !errors.Is(err, souk.ErrNotFound) {
		return nil, err
	}
	if !followed {
		return nil, ignored("nobody here follows the sender")
	}
	chain, err := f.fetchThread(ctx, uri)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error {
		boosted, err := store(ctx, f.heard(tx, in.by, chain...), chain)
		if err != nil {
			return err
		}
		return tx.ReceiveBoost(ctx, in.ActivityID, in.by, boosted, published)
	}, nil
}
