package federation

import (
	"context"
	"errors"
	"slices"

	"souk"

	"github.com/riverqueue/river"
)

// featuredMost is how many items a shop that pins nothing shows as if it did.
const featuredMost = 5

// Featured is what other servers show on top of a profile: what its account pins, the newest pin first. A shop that pins
// nothing shows its newest announced listings that can be ordered, then its newest posts: this collection is all that a
// new follower's server fetches of what was there before. Ids only: Mastodon skips what is embedded and not exactly a Note.
func (f *Federation) Featured(ctx context.Context, by *SignedRequest, name string) (_ *Document, err error) {
	defer wrap(&err, "featured of %q", name)
	asker, a, err := f.listsOf(ctx, by, name)
	if err != nil {
		return nil, err
	}
	pinned, err := f.db.Pinned(ctx, 0, a.ID)
	if err != nil {
		return nil, err
	}
	items := uris(pinned)
	if len(items) == 0 && a.Sells() {
		posts, err := f.db.AccountPosts(ctx, 0, a.ID, souk.AccountFilter{NoReplies: true, NoBoosts: true}, souk.Page{Limit: 80})
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(posts, func(a, b souk.Post) int { return rank(a) - rank(b) })
		for _, p := range posts {
			if rank(p) < 2 && len(items) < featuredMost {
				items = append(items, p.URI)
			}
		}
	}
	total := len(items)
	doc, err := answer(&collection{Context: plainContext(), ID: a.FeaturedURI, Type: "OrderedCollection", TotalItems: &total, OrderedItems: items})
	return asker.answer(doc, err, true)
}

// rank orders what a shop shows that pins nothing: listings on sale, then public posts; 2 is nothing to show.
func rank(p souk.Post) int {
	switch {
	case p.Visibility != souk.Public:
		return 2
	case p.Listing == nil:
		return 1
	case p.Listing.OnSale():
		return 0
	}
	return 2
}

// pin tells followers that something was pinned, or is no more.
func (t teller) pin(ctx context.Context) (note string, err error) {
	p, err := t.db.PostForDelivery(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	if p.Deleted != nil {
		return "deleted before it was told", nil
	}
	to, err := t.db.FollowerInboxes(ctx, p.AccountID)
	if err != nil {
		return "", err
	}
	kind := "Add"
	if t.Kind == souk.EventUnpinned {
		kind = "Remove"
	}
	id := t.db.NewID()
	// With the id of the post: whoever fetches it because of this hears of its end.
	_, err = t.queue(ctx, id, t.pinOf(kind, t.activityURI(id), p), p.AccountID, p.URI, &p.ID, true, to)
	return "", err
}

// pinOf is the Add of a post to what its author features, or its Remove (ActivityPub 6.6, 6.7).
func (e encoder) pinOf(kind, id string, p *souk.Post) activity {
	return activity{Context: plainContext(), ID: id, Type: kind, Actor: p.Account.URI, To: []string{publicAudience}, CC: []string{p.Account.FollowersURI},
		Object: p.URI, Target: p.Account.FeaturedURI}
}

// featuredBy reports whether an Add or Remove is about what its own actor features; every other collection is ignored.
func (in *incoming) featuredBy() error {
	target, _, err := in.body.one("target")
	switch {
	case err != nil:
		return err
	case target == "":
		return malformed("no target")
	case target != in.by.FeaturedURI:
		return ignored("%.200q is not what the sender features", target)
	case !validIRI(in.id):
		return malformed("object with the id %.200q", in.id)
	case !SameOrigin(in.id, in.Actor):
		return foreign("%.200q is not of the origin of %.200q", in.id, in.Actor)
	}
	return nil
}

// applyAdd notes that an actor pins a post of its own. One that is not kept here is read at its origin, where somebody
// here follows the actor.
func (f *Federation) applyAdd(ctx context.Context, in *incoming) (plan, error) {
	if err := in.featuredBy(); err != nil {
		return nil, err
	}
	post, err := f.knownPost(ctx, in.id)
	if err == nil {
		return func(ctx context.Context, tx *souk.DB) error { return tx.ReceivePin(ctx, in.by, post) }, nil
	}
	if !errors.Is(err, souk.ErrNotFound) {
		return nil, err
	}
	followed, err := f.db.FollowsAnyone(ctx, in.by.ID)
	if err != nil {
		return nil, err
	}
	if !followed {
		return nil, ignored("nobody here follows the sender")
	}
	chain, err := f.fetchThread(ctx, in.id)
	if err != nil {
		return nil, err
	}
	if last := chain[len(chain)-1].post; last.Author.ID != in.by.ID {
		return nil, foreign("%.200q is by %.200q", last.URI, last.Author.URI)
	}
	return func(ctx context.Context, tx *souk.DB) error {
		post, err := store(ctx, tx, chain)
		if err != nil {
			return err
		}
		return tx.ReceivePin(ctx, in.by, post)
	}, nil
}

// applyRemove notes that an actor pins a post no more.
func (f *Federation) applyRemove(_ context.Context, in *incoming) (plan, error) {
	if err := in.featuredBy(); err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveUnpin(ctx, in.by, in.id) }, nil
}

// featuredWorker reads what a remote account pins.
type featuredWorker struct {
	river.WorkerDefaults[souk.FeaturedArgs]
	f *Federation
}

func (w *featuredWorker) Work(ctx context.Context, job *river.Job[souk.FeaturedArgs]) error {
	err := w.f.ReadFeatured(ctx, job.Args.AccountID)
	if judged(err) != nil {
		return river.JobCancel(err)
	}
	return err
}

// ReadFeatured makes what is known of a remote account's pins what its featured collection holds. Posts of it that are not
// kept here are read at their origin; those that cannot be read are left out. Errors as of ResolveActor.
func (f *Federation) ReadFeatured(ctx context.Context, accountID int64) (err error) {
	defer wrap(&err, "read what %d features", accountID)
	a, err := f.db.Account(ctx, accountID)
	if err != nil {
		return err
	}
	if a.Local() || a.FeaturedURI == "" || a.Suspended != nil {
		return souk.ErrNotFound
	}
	items, err := f.featuredItems(ctx, a)
	if err != nil {
		return err
	}
	var pinned []int64
	for _, id := range items {
		post, err := f.featuredPost(ctx, a, id)
		if err != nil && judged(err) == nil && !errors.Is(err, ErrResting) {
			return err // the host answers later
		}
		if err == nil {
			pinned = append(pinned, post)
		}
	}
	return f.db.ReplacePins(ctx, a, pinned)
}

// featuredItems are the ids in what an account features, in order: strings or objects, on the collection itself or on its first
// page. What is embedded is read at its own address: a collection is no post's author.
func (f *Federation) featuredItems(ctx context.Context, a *souk.Account) ([]string, error) {
	o, err := f.document(ctx, a.FeaturedURI)
	if err != nil {
		return nil, err
	}
	if !o.is("OrderedCollection", "Collection") {
		return nil, malformed("%.50q is no collection", o.kind())
	}
	list := append(o.ids("orderedItems"), o.ids("items")...)
	if first, page, err := o.one("first"); len(list) == 0 && err == nil && first+page.kind() != "" {
		if page == nil || len(page.values("orderedItems"))+len(page.values("items")) == 0 {
			if !SameOrigin(first, a.URI) {
				return nil, foreign("page %.200q of %.200q", first, a.FeaturedURI)
			}
			if page, err = f.document(ctx, first); err != nil {
				return nil, err
			}
		}
		list = append(page.ids("orderedItems"), page.ids("items")...)
	}
	list = slices.DeleteFunc(list, func(id string) bool { return !validIRI(id) || !SameOrigin(id, a.URI) })
	return list[:min(len(list), souk.MaxRemotePins)], nil
}

// featuredPost is the id of a post of the account, read at its origin where it is not kept here.
func (f *Federation) featuredPost(ctx context.Context, a *souk.Account, uri string) (int64, error) {
	id, err := f.knownPost(ctx, uri)
	if err == nil || !errors.Is(err, souk.ErrNotFound) {
		return id, err
	}
	r, err := f.fetchPost(ctx, uri, ownPurse)
	if err != nil {
		return 0, err
	}
	if r.post.Author.ID != a.ID {
		return 0, foreign("%.200q is by %.200q", uri, r.post.Author.URI)
	}
	err = f.db.Tx(ctx, func(tx *souk.DB) error {
		id, err = storeOne(ctx, tx, *r)
		return err
	})
	return id, err
}
