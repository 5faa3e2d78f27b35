package federation

import (
	"context"
	"errors"

	"souk"
)

// applyAnnounced takes a seller's activity from a catalogue that this node follows (FEP-1b12). What the catalogue says of
// its own origin is believed: the node that signed is the one that holds the listing. Of other origins it is
// only a hint, and the origin is asked. Listings come into the index this way, not into timelines; anything else is ignored.
func (f *Federation) applyAnnounced(ctx context.Context, catalogue *souk.Account, inner object) (plan, error) {
	id, embedded, err := inner.one("object")
	if err != nil {
		return nil, err
	}
	seller, _, err := inner.one("actor")
	if err != nil {
		return nil, err
	}
	if !validIRI(id) || !validIRI(seller) {
		return nil, malformed("announced activity of %.200q about %.200q", seller, id)
	}
	if inner.is("Remove") {
		if seller != catalogue.URI || !SameOrigin(id, catalogue.URI) {
			return nil, foreign("%.200q removed by %.200q", id, seller)
		}
		return f.planHidden(ctx, id)
	}
	if !SameOrigin(id, catalogue.URI) || !SameOrigin(seller, catalogue.URI) || embedded == nil && !inner.is("Delete") {
		return f.recheckListing(ctx, id)
	}
	by, err := f.ResolveActor(ctx, seller)
	if err != nil {
		return nil, err
	}
	if by.URI != seller {
		return nil, foreign("%.200q calls itself %.200q", seller, by.URI)
	}
	if inner.is("Delete") {
		return f.planDelete(ctx, id, by)
	}
	if !embedded.owner(seller) {
		return nil, foreign("%.200q is not by %.200q", id, seller)
	}
	return f.planListing(embedded, by)
}

// planHidden takes a listing out of the index that its own catalogue does not show for now.
func (f *Federation) planHidden(ctx context.Context, id string) (plan, error) {
	post, err := f.knownPost(ctx, id)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveHidden(ctx, post) }, nil
}

// planListing keeps a listing that came by way of a catalogue.
func (f *Federation) planListing(o object, by *souk.Account) (plan, error) {
	if by.Suspended != nil {
		return nil, ignored("the seller is blocked here")
	}
	r, err := f.decodeRemote(o, by)
	if err != nil {
		return nil, err
	}
	if r.listing == nil {
		return nil, ignored("not a listing")
	}
	r.listing.InTimeline = false
	return func(ctx context.Context, tx *souk.DB) error {
		_, err := tx.ReceiveListing(ctx, *r.listing)
		return err
	}, nil
}

// recheckListing asks the origin of a listing how it stands now: it is renewed, or deleted where the origin has it no more.
func (f *Federation) recheckListing(ctx context.Context, id string) (plan, error) {
	o, err := f.document(ctx, id)
	if errors.Is(err, ErrGone) || err == nil && o.is("Tombstone") {
		return f.planGone(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	by, err := f.authorOf(ctx, o, ownPurse)
	if err != nil {
		return nil, err
	}
	return f.planListing(o, by)
}

// planGone deletes a listing that its own origin answers 404 or 410 for.
func (f *Federation) planGone(ctx context.Context, id string) (plan, error) {
	post, err := f.knownPost(ctx, id)
	if err != nil {
		return nil, err
	}
	known, err := f.db.PostForDelivery(ctx, post)
	if err != nil {
		return nil, err
	}
	if known.Kind != souk.KindListing {
		// A post for followers answers 404 to strangers, and this node asks as one: that does not mean that it is gone.
		return nil, ignored("not a listing")
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveDelete(ctx, known.Account, id) }, nil
}
