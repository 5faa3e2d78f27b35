package federation

import (
	"context"
	"errors"
	"fmt"

	"souk"
)

// applyCreate keeps a new post or listing, if it concerns anybody here (ActivityPub 7.2).
func (f *Federation) applyCreate(ctx context.Context, in *incoming) (plan, error) {
	if do, is, err := f.applyReceipt(ctx, in); err != nil || is {
		return do, err
	}
	o, err := f.ownObject(ctx, in)
	if err != nil {
		return nil, err
	}
	return f.planPost(ctx, o, in.by)
}

// applyUpdate changes an actor, a post or a listing as its owner says (ActivityPub 7.3).
func (f *Federation) applyUpdate(ctx context.Context, in *incoming) (plan, error) {
	if in.id == in.Actor {
		return f.planActor(ctx, in)
	}
	if in.object.isTerm("Agreement") {
		return f.applyAgreement(in)
	}
	o, err := f.ownObject(ctx, in)
	if err != nil {
		return nil, err
	}
	if o.is("Question") && o.text("updated") == "" {
		return f.planCounts(ctx, o, in.by)
	}
	return f.planPost(ctx, o, in.by)
}

// ownObject is the object of a Create or Update, which must be the actor's own: of the same origin, and by the actor.
// Where only its id is given it is read at that origin (FEP-fe34).
func (f *Federation) ownObject(ctx context.Context, in *incoming) (object, error) {
	if in.id == "" {
		return nil, malformed("an object without an id cannot be kept")
	}
	if !validIRI(in.id) {
		return nil, malformed("object with the id %.200q", in.id)
	}
	if !SameOrigin(in.id, in.Actor) {
		return nil, foreign("%.200q is not of the origin of %.200q", in.id, in.Actor)
	}
	o := in.object
	if o == nil {
		var err error
		if o, err = f.document(ctx, in.id); err != nil {
			return nil, err
		}
	}
	if o.self() != in.id {
		return nil, foreign("%.200q calls itself %.200q", in.id, o.self())
	}
	if !o.owner(in.Actor) {
		return nil, foreign("%.200q is not by %.200q", in.id, in.Actor)
	}
	if len(o.ids("to")) == 0 && len(o.ids("cc")) == 0 { // some servers say it once, around the object
		o["to"], o["cc"] = in.body["to"], in.body["cc"]
	}
	return o, nil
}

// planCounts takes over how many voted for what, which servers tell by an Update of the poll without a time. It changes
// nothing else: a text that changes is an edit, and leaves what was there before.
func (f *Federation) planCounts(ctx context.Context, o object, by *souk.Account) (plan, error) {
	id, err := f.knownPost(ctx, o.self())
	if err != nil {
		return nil, err
	}
	known, err := f.db.PostForDelivery(ctx, id)
	if err != nil {
		return nil, err
	}
	r, err := f.decodeRemote(o, by)
	if err != nil {
		return nil, err
	}
	if known.AccountID != by.ID {
		return nil, foreign("%.200q is by somebody else", o.self())
	}
	counted := souk.Sanitise(r.post.HTML)
	if optionCount.ReplaceAllString(counted, "</li>") != optionCount.ReplaceAllString(known.Written(), "</li>") {
		return nil, ignored("a poll that changed without saying when")
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveCounts(ctx, id, counted) }, nil
}

// planPost keeps or changes a post or listing whose owner was checked. Listings are kept where somebody here follows
// the seller, posts where they concern somebody.
func (f *Federation) planPost(ctx context.Context, o object, by *souk.Account) (plan, error) {
	r, err := f.decodeRemote(o, by)
	if err != nil {
		return nil, err
	}
	standing, err := f.db.Standing(ctx, *r.post)
	switch {
	case err != nil:
		return nil, err
	case standing.Deleted:
		return nil, souk.ErrGone
	case standing.ID != 0:
		return f.planEdit(ctx, r, standing.ID)
	case !standing.Wanted:
		return nil, ignored("concerns nobody here")
	}
	chain := append(f.ancestors(ctx, r.post), *r)
	return func(ctx context.Context, tx *souk.DB) error {
		_, err := store(ctx, f.heard(tx, by, chain...), chain)
		return err
	}, nil
}

// planEdit changes a post that is kept. What it is stays: a post that now has a price is no listing yet, and a
// listing that lost its price keeps the last one.
func (f *Federation) planEdit(ctx context.Context, r *remote, id int64) (plan, error) {
	known, err := f.db.PostForDelivery(ctx, id)
	if err != nil {
		return nil, err
	}
	if known.AccountID != r.post.Author.ID {
		return nil, foreign("%.200q is by somebody else", r.post.URI)
	}
	if r.listing != nil && known.Kind == souk.KindListing {
		return func(ctx context.Context, tx *souk.DB) error {
			_, err := tx.ReceiveListing(ctx, *r.listing)
			return err
		}, nil
	}
	if r.post.Edited == nil {
		// The same post again, as shared inboxes and other ways deliver it twice; an edit carries its time.
		return func(context.Context, *souk.DB) error { return nil }, nil
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceivePostEdit(ctx, *r.post) }, nil
}

// planActor stores an actor that changed. The embedded document is the actor's own word; where it is not whole, as it is
// with some servers, or not later by its own word than what is stored (Updates overtake each other, many come within a
// second, and most servers do not say when), the origin is asked anew.
func (f *Federation) planActor(ctx context.Context, in *incoming) (plan, error) {
	o := in.object
	if o == nil || o.self() != in.Actor || len(o.keys()) == 0 || o.text("inbox") == "" {
		return f.askActor(ctx, in)
	}
	r, err := decodeActor(o, in.by.KeyID, f.db.Now())
	if err != nil {
		return nil, err
	}
	if r.Said == nil || in.by.Said == nil || !r.Said.After(*in.by.Said) {
		return f.askActor(ctx, in)
	}
	return func(ctx context.Context, tx *souk.DB) error {
		a, err := tx.UpsertRemoteAccount(ctx, *r)
		if err == nil && (a.Said == nil || !a.Said.Equal(*r.Said)) {
			return fmt.Errorf("another document of %.200q came between", in.Actor) // the next attempt asks the origin
		}
		return err
	}, nil
}

// askActor reads the actor of an Update at its origin. It does not share an answer that was asked for before: that may be older
// than the Update.
func (f *Federation) askActor(ctx context.Context, in *incoming) (plan, error) {
	if _, err := f.readActor(ctx, in.Actor, in.by.KeyID, ownPurse); err != nil {
		return nil, err
	}
	return func(context.Context, *souk.DB) error { return nil }, nil
}

// applyDelete makes a tombstone of a post, or forgets an actor (ActivityPub 7.4). The object may be an id, a Tombstone
// or what it was.
func (f *Federation) applyDelete(ctx context.Context, in *incoming) (plan, error) {
	if in.id == in.Actor {
		return func(ctx context.Context, tx *souk.DB) error { return tx.DeleteRemoteAccount(ctx, in.Actor) }, nil
	}
	return f.planDelete(ctx, in.id, in.by)
}

// planDelete deletes what is the actor's. An id of another origin is refused even where nothing is known of it: its
// tombstone would keep the real post out.
func (f *Federation) planDelete(ctx context.Context, id string, by *souk.Account) (plan, error) {
	if !validIRI(id) {
		return nil, malformed("object with the id %.200q", id)
	}
	if !SameOrigin(id, by.URI) {
		return nil, foreign("%.200q is not of the origin of %.200q", id, by.URI)
	}
	switch _, err := f.db.AccountByURI(ctx, id); {
	case err == nil:
		return nil, foreign("%.200q is another actor", id)
	case !errors.Is(err, souk.ErrNotFound):
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveDelete(ctx, by, id) }, nil
}
