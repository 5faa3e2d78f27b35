package federation

import (
	"context"
	"errors"

	"souk"
)

// applyGrouped takes up what a group passes on to its followers (FEP-1b12): the activity of somebody else inside an
// Announce. Its bytes are the group's word alone, so what they say of an object is read at the object's origin. A post is
// shared by the group, an answer joins its conversation without being shared, an edit and a deletion happen where the
// origin says so, and a like counts where it is of the group's own server, which signed for it.
func (f *Federation) applyGrouped(ctx context.Context, in *incoming, inner object) (plan, error) {
	id, embedded, err := inner.one("object")
	if err != nil {
		return nil, err
	}
	actor, _, err := inner.one("actor")
	if err != nil {
		return nil, err
	}
	if !validIRI(id) || !validIRI(actor) {
		return nil, malformed("announced activity of %.200q about %.200q", actor, id)
	}
	switch {
	case inner.is("Create"):
		if embedded != nil && embedded.id("inReplyTo") != "" {
			return f.planAnnouncedAnswer(ctx, in, id)
		}
		return f.applyBoost(ctx, in, id, true)
	case inner.is("Update", "Delete"):
		return f.recheckPost(ctx, id)
	case inner.is("Like") && SameOrigin(actor, in.Actor) && SameOrigin(inner.self(), in.Actor):
		post, err := f.knownPost(ctx, id)
		if err != nil {
			return nil, err
		}
		by, err := f.ResolveActor(ctx, actor)
		if err != nil {
			return nil, err
		}
		if by.URI != actor || by.Suspended != nil {
			return nil, souk.ErrForbidden
		}
		return func(ctx context.Context, tx *souk.DB) error {
			return f.noticed(tx, in.by).ReceiveLike(ctx, inner.self(), by, post)
		}, nil
	}
	return nil, ignored("announce of %.50q", inner.kind())
}

// planAnnouncedAnswer keeps an answer that a group passed on, where it belongs to a conversation that is kept here.
func (f *Federation) planAnnouncedAnswer(ctx context.Context, in *incoming, id string) (plan, error) {
	if _, err := f.knownPost(ctx, id); err == nil || !errors.Is(err, souk.ErrNotFound) {
		return func(context.Context, *souk.DB) error { return nil }, err
	}
	chain, err := f.fetchThread(ctx, id)
	if err != nil {
		return nil, err
	}
	standing, err := f.db.Standing(ctx, *chain[len(chain)-1].post)
	if err != nil {
		return nil, err
	}
	if !standing.Wanted {
		return nil, ignored("concerns nobody here")
	}
	return func(ctx context.Context, tx *souk.DB) error {
		_, err := store(ctx, f.heard(tx, in.by, chain...), chain)
		return err
	}, nil
}

// recheckPost makes a post that is kept here what its origin says that it is now: edited, or gone.
func (f *Federation) recheckPost(ctx context.Context, id string) (plan, error) {
	known, err := f.knownPost(ctx, id)
	if err != nil {
		return nil, err
	}
	if f.own(id) {
		return nil, ignored("a post of this node")
	}
	r, err := f.fetchPost(ctx, id, ownPurse)
	switch {
	case errors.Is(err, souk.ErrGone), errors.Is(err, ErrGone):
		kept, err := f.db.PostForDelivery(ctx, known)
		if err != nil {
			return nil, err
		}
		if kept.Visibility != souk.Public && kept.Visibility != souk.Unlisted {
			return nil, ignored("a post that strangers are not shown") // and this node asked as one
		}
		return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveDelete(ctx, kept.Account, id) }, nil
	case err != nil:
		return nil, err
	case r.post.URI != id:
		return nil, foreign("%.200q calls itself %.200q", id, r.post.URI)
	}
	return f.planEdit(ctx, r, known)
}
