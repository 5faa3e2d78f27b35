package federation

import (
	"context"
	"errors"

	"souk"
)

// maxAncestors is how many posts above one are read, so that a reply has something to stand under.
const maxAncestors = 6

// remote is a post of another node, read and not stored yet. Listing is set for what is for sale.
type remote struct {
	post    *souk.RemotePost
	listing *souk.RemoteListing
}

// ResolvePost is the post with the ActivityPub id (or the address of its page): as stored, else as its origin tells, with what it
// answers. Only public and unlisted posts come this way. Errors as of ResolveActor; a deleted post is souk.ErrGone.
func (f *Federation) ResolvePost(ctx context.Context, iri string) (_ *souk.Post, err error) {
	defer wrap(&err, "resolve post %.200q", iri)
	if !validIRI(iri) {
		return nil, ErrBadURL
	}
	known, err := f.db.PostByURI(ctx, 0, iri)
	if err == nil || !errors.Is(err, souk.ErrNotFound) || f.own(iri) {
		return known, err
	}
	chain, err := f.fetchThread(ctx, iri)
	if err != nil {
		return nil, err
	}
	var post *souk.Post
	err = f.db.Tx(ctx, func(tx *souk.DB) error {
		id, err := store(ctx, tx, chain)
		if err != nil {
			return err
		}
		post, err = tx.PostForDelivery(ctx, id)
		return err
	})
	return post, err
}

// fetchThread reads a post at its origin, and above it what it answers and is not known here, the oldest first. What
// cannot be read above ends the chain: the post itself is what was asked for.
func (f *Federation) fetchThread(ctx context.Context, iri string) ([]remote, error) {
	r, err := f.fetchPost(ctx, iri, ownPurse)
	if err != nil {
		return nil, err
	}
	return append(f.ancestors(ctx, r.post), *r), nil
}

// ancestors is what stands above a post and is not known here. Its author said what that is, so that it is asked for out of a purse of its own.
func (f *Federation) ancestors(ctx context.Context, p *souk.RemotePost) (chain []remote) {
	for uri := p.InReplyToURI; uri != "" && len(chain) < maxAncestors && !f.own(uri); {
		if _, _, err := f.db.KnownPost(ctx, uri); !errors.Is(err, souk.ErrNotFound) {
			break // known, or the database fails, which the next step will tell
		}
		parent, err := f.fetchPost(ctx, uri, contextPurse)
		if err != nil || parent.post.URI != uri {
			f.cfg.Log.Debug("parent not read", "post", uri, "error", err)
			break
		}
		chain = append([]remote{*parent}, chain...)
		uri = parent.post.InReplyToURI
	}
	return chain
}

// fetchPost reads one post at its origin. Its author must be of the same origin: else any server could put words into
// anybody's mouth (FEP-fe34).
func (f *Federation) fetchPost(ctx context.Context, iri string, from purse) (*remote, error) {
	o, err := f.documentFrom(ctx, withoutFragment(iri), from)
	if err != nil {
		return nil, err
	}
	if o.is("Tombstone") {
		return nil, souk.ErrGone
	}
	if o.is("Create", "Update") && !o.isPost() { // the address of the activity instead of the post's
		if o, err = f.documentFrom(ctx, o.id("object"), from); err != nil {
			return nil, err
		}
	}
	author, err := f.authorOf(ctx, o, from)
	if err != nil {
		return nil, err
	}
	r, err := f.decodeRemote(o, author)
	if err != nil {
		return nil, err
	}
	if r.post.Visibility != souk.Public && r.post.Visibility != souk.Unlisted {
		return nil, souk.ErrForbidden
	}
	return r, nil
}

// authorOf is the account that an object of its origin names as its author.
func (f *Federation) authorOf(ctx context.Context, o object, from purse) (*souk.Account, error) {
	for _, id := range o.authors() {
		if !SameOrigin(id, o.self()) {
			continue
		}
		author, err := f.resolveActor(ctx, id, from)
		if err != nil {
			return nil, err
		}
		if author.URI != id || author.Suspended != nil {
			return nil, souk.ErrForbidden
		}
		return author, nil
	}
	return nil, foreign("%.200q is by nobody of its origin", o.self())
}

// decodeRemote reads a post or a listing by an author that was compared with attributedTo. The one rule that holds for
// all ways in is checked here once more: nobody writes at an address of another origin.
func (f *Federation) decodeRemote(o object, author *souk.Account) (*remote, error) {
	if !SameOrigin(o.self(), author.URI) {
		return nil, foreign("%.200q is not of the origin of %.200q", o.self(), author.URI)
	}
	if o.isVote() {
		return nil, ignored("a vote")
	}
	d := f.decoder()
	listing, ok, err := d.listing(o, author)
	if err != nil {
		return nil, err
	}
	if ok {
		return &remote{post: &listing.RemotePost, listing: listing}, nil
	}
	post, err := d.post(o, author)
	if err != nil {
		return nil, err
	}
	return &remote{post: post}, nil
}

// store keeps a chain of posts, the oldest first, and returns the id of the last one. Those that are there stay as they
// are; one that was deleted before is souk.ErrGone, if it is the last. A failure ends the transaction.
func store(ctx context.Context, tx *souk.DB, chain []remote) (id int64, err error) {
	last := len(chain) - 1
	for _, r := range chain[:last] {
		err := tx.Tx(ctx, func(tx *souk.DB) error {
			_, err := storeOne(ctx, tx, r)
			return err
		})
		// What stands above may be gone, or be of somebody who is blocked: the one that matters is the last.
		if err != nil && judged(err) == nil {
			return 0, err
		}
	}
	return storeOne(ctx, tx, chain[last])
}

func storeOne(ctx context.Context, tx *souk.DB, r remote) (id int64, err error) {
	if r.listing != nil {
		listing, err := tx.ReceiveListing(ctx, *r.listing)
		if err != nil {
			return 0, err
		}
		return listing.ID, nil
	}
	id, deleted, err := tx.KeepPost(ctx, *r.post)
	if err == nil && deleted {
		return 0, souk.ErrGone
	}
	return id, err
}
