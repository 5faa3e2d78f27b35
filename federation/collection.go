package federation

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"souk"
)

const (
	outboxPage   = 20
	accountsPage = 80
	repliesPage  = 40
)

// Every collection takes the query of the request: without page it answers the collection itself, with page (any
// value) the page behind the cursor max_id or after. A cursor that is no id is souk.ErrNotFound.

// cursor reads a cursor of a page; paged is false where the collection itself is asked for.
func cursor(q url.Values, name string) (id int64, paged bool, err error) {
	text := q.Get(name)
	if text == "" {
		return 0, q.Has("page"), nil
	}
	if name == "after" && text == "0" {
		return 0, true, nil
	}
	id, err = souk.ParseID(text)
	return id, true, err
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

// ordered is an OrderedCollection whose items are on pages.
func ordered(id string, total int) *collection {
	c := &collection{Context: plainContext(), ID: id, Type: "OrderedCollection", TotalItems: &total}
	if total > 0 {
		c.First = id + "?page=true"
	}
	return c
}

func pageID(id, name string, cursor int64) string {
	if cursor == 0 {
		return id + "?page=true"
	}
	return id + "?page=true&" + name + "=" + formatID(cursor)
}

// Outbox is what a person or shop posted and boosted for everybody, newest first (ActivityPub 5.1).
func (f *Federation) Outbox(ctx context.Context, by *SignedRequest, name string, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "outbox of %q", name)
	asker, a, err := f.listsOf(ctx, by, name)
	if err != nil {
		return nil, err
	}
	doc, err := f.outbox(ctx, asker, a, q)
	return asker.answer(doc, err, true)
}

func (f *Federation) outbox(ctx context.Context, by *asker, a *souk.Account, q url.Values) (*Document, error) {
	before, paged, err := cursor(q, "max_id")
	if err != nil {
		return nil, err
	}
	if !paged {
		n, err := f.db.ActivityCount(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		return answer(ordered(a.Outbox, n))
	}
	list, err := f.db.Activities(ctx, a.ID, souk.Page{Before: before, Limit: outboxPage})
	if err != nil {
		return nil, err
	}
	page := &collection{Context: plainContext(), ID: pageID(a.Outbox, "max_id", before), Type: "OrderedCollectionPage", PartOf: a.Outbox}
	items := []any{}
	by.unsure = false // what is in here is public: nobody's key needs to be fetched for it
	for i := range list {
		body, err := f.current(ctx, by, &list[i])
		if errors.Is(err, souk.ErrGone) || errors.Is(err, souk.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		items = append(items, body)
	}
	if len(list) == outboxPage {
		page.Next = pageID(a.Outbox, "max_id", list[len(list)-1].ID)
	}
	page.OrderedItems = items
	return answer(page)
}

// NodeOutbox is the outbox of the instance actor, which publishes nothing.
func (f *Federation) NodeOutbox(context.Context) (*Document, error) {
	return answer(ordered(f.db.BaseURL()+"/actor/outbox", 0))
}

// Followers are the accounts that follow a person or shop (ActivityPub 5.3).
func (f *Federation) Followers(ctx context.Context, by *SignedRequest, name string, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "followers of %q", name)
	asker, a, err := f.listsOf(ctx, by, name)
	if err != nil {
		return nil, err
	}
	doc, err := f.followers(ctx, a, q)
	return asker.answer(doc, err, true)
}

// Following are the accounts that a person or shop follows (ActivityPub 5.4).
func (f *Federation) Following(ctx context.Context, by *SignedRequest, name string, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "following of %q", name)
	asker, a, err := f.listsOf(ctx, by, name)
	if err != nil {
		return nil, err
	}
	doc, err := f.following(ctx, a, q)
	return asker.answer(doc, err, true)
}

func (f *Federation) followers(ctx context.Context, a *souk.Account, q url.Values) (*Document, error) {
	n, _, err := f.db.FollowCounts(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	return f.accounts(a.FollowersURI, n, q, func(page souk.Page) ([]souk.FollowEntry, error) {
		return f.db.Followers(ctx, a.ID, souk.FollowAccepted, page)
	})
}

func (f *Federation) following(ctx context.Context, a *souk.Account, q url.Values) (*Document, error) {
	_, n, err := f.db.FollowCounts(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	return f.accounts(a.FollowingURI, n, q, func(page souk.Page) ([]souk.FollowEntry, error) {
		return f.db.Following(ctx, a.ID, souk.FollowAccepted, page)
	})
}

// accounts is a collection of actor ids, which list pages.
func (f *Federation) accounts(id string, total int, q url.Values, list func(souk.Page) ([]souk.FollowEntry, error)) (*Document, error) {
	before, paged, err := cursor(q, "max_id")
	if err != nil {
		return nil, err
	}
	if !paged {
		return answer(ordered(id, total))
	}
	entries, err := list(souk.Page{Before: before, Limit: accountsPage})
	if err != nil {
		return nil, err
	}
	page := &collection{Context: plainContext(), ID: pageID(id, "max_id", before), Type: "OrderedCollectionPage", PartOf: id}
	items := []string{}
	for _, e := range entries {
		items = append(items, e.Account.URI)
	}
	if len(entries) == accountsPage {
		page.Next = pageID(id, "max_id", entries[len(entries)-1].ID)
	}
	page.OrderedItems = items
	return answer(page)
}

// listsOf is the person or shop whose lists are asked for, by somebody who may read them: those whom it blocks find nothing.
func (f *Federation) listsOf(ctx context.Context, by *SignedRequest, name string) (*asker, *souk.Account, error) {
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, nil, err
	}
	a, err := f.person(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	return asker, a, f.db.Open(ctx, a.ID, asker.reader)
}

// reading is a living post or listing of this node, for somebody who may read it.
type reading struct {
	*souk.Post
	by     *asker
	viewer int64 // with whose eyes what belongs to the post is read
}

func (f *Federation) readable(ctx context.Context, by *SignedRequest, id int64) (*reading, error) {
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	p, viewer, err := asker.post(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case p.Kind == souk.KindBoost:
		return nil, souk.ErrNotFound
	case p.Deleted != nil:
		return nil, souk.ErrGone
	}
	return &reading{Post: p, by: asker, viewer: viewer}, nil
}

// answer is a document about the post. What is not public, or seen by somebody who sees more than strangers do, is not kept.
func (r *reading) answer(v any) (*Document, error) {
	doc, err := answer(v)
	return r.by.answer(doc, err, forAll(r.Post) && r.viewer == 0)
}

// Replies are the answers to a post or listing that the asker may read, oldest first. The collection holds its first page, which is all
// that Mastodon looks at when it first sees the post.
func (f *Federation) Replies(ctx context.Context, by *SignedRequest, postID int64, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "replies to %d", postID)
	p, err := f.readable(ctx, by, postID)
	if err != nil {
		return nil, err
	}
	after, paged, err := cursor(q, "after")
	if err != nil {
		return nil, err
	}
	replies, err := f.db.RepliesTo(ctx, p.viewer, p.ID, after, repliesPage)
	if err != nil {
		return nil, err
	}
	id := p.URI + "/replies"
	page := &collection{ID: pageID(id, "after", after), Type: "CollectionPage", PartOf: id, Items: uris(replies)}
	if len(replies) == repliesPage {
		page.Next = pageID(id, "after", replies[len(replies)-1].ID)
	}
	if paged {
		page.Context = plainContext()
		return p.answer(page)
	}
	return p.answer(&collection{Context: plainContext(), ID: id, Type: "Collection", TotalItems: &p.Replies, First: page})
}

func uris(posts []souk.Post) []string {
	list := []string{}
	for i := range posts {
		if posts[i].Deleted == nil {
			list = append(list, posts[i].URI)
		}
	}
	return list
}

// Context is the whole conversation that began with a post or listing of this node, as the asker may read it, oldest first
// (FEP-7888).
func (f *Federation) Context(ctx context.Context, by *SignedRequest, postID int64) (_ *Document, err error) {
	defer wrap(&err, "conversation of %d", postID)
	p, err := f.readable(ctx, by, postID)
	if err != nil {
		return nil, err
	}
	if p.ThreadID != p.ID {
		return nil, souk.ErrNotFound
	}
	posts, err := f.db.Thread(ctx, p.viewer, p.ThreadID)
	if err != nil {
		return nil, err
	}
	items := uris(posts)
	total := len(items)
	return p.answer(&collection{Context: plainContext(), ID: p.URI + "/context", Type: "OrderedCollection",
		AttributedTo: p.Account.URI, TotalItems: &total, OrderedItems: items})
}

// Likes says how many like a post or listing, not who.
func (f *Federation) Likes(ctx context.Context, by *SignedRequest, postID int64) (_ *Document, err error) {
	defer wrap(&err, "likes of %d", postID)
	p, err := f.readable(ctx, by, postID)
	if err != nil {
		return nil, err
	}
	return p.answer(&collection{Context: plainContext(), ID: p.URI + "/likes", Type: "Collection", TotalItems: &p.Likes})
}

// Shares says how many boosted a post or listing, not who.
func (f *Federation) Shares(ctx context.Context, by *SignedRequest, postID int64) (_ *Document, err error) {
	defer wrap(&err, "shares of %d", postID)
	p, err := f.readable(ctx, by, postID)
	if err != nil {
		return nil, err
	}
	return p.answer(&collection{Context: plainContext(), ID: p.URI + "/shares", Type: "Collection", TotalItems: &p.Boosts})
}
