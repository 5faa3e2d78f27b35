package federation

import (
	"context"
	"encoding/json"
	"net/url"
)

const (
	// cataloguePage is how many changes a page of the catalogue covers at most.
	cataloguePage = 50
	// cataloguePageBytes is where a page ends before that: peers read a megabyte at most.
	cataloguePageBytes = 512 << 10
)

// CatalogueOutbox is the last change of each of this node's listings, in the order of the changes, the oldest first, so that a node which follows the
// catalogue can read what was before, and go on where it stopped. A page covers the numbers after its cursor; while it
// covers any it has a next page. So the address of the last page, which is empty, is where to look again later.
// What was said of a listing before its last change is left out; of one that was withdrawn the Delete stays.
func (f *Federation) CatalogueOutbox(ctx context.Context, by *SignedRequest, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "catalogue outbox")
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	doc, err := f.catalogueOutbox(ctx, q)
	return asker.answer(doc, err, true)
}

func (f *Federation) catalogueOutbox(ctx context.Context, q url.Values) (*Document, error) {
	id := f.db.BaseURL() + "/catalogue/outbox"
	after, paged, err := cursor(q, "after")
	if err != nil {
		return nil, err
	}
	if !paged {
		_, n, err := f.db.CatalogueHead(ctx)
		if err != nil {
			return nil, err
		}
		return answer(ordered(id, n))
	}
	entries, err := f.db.CatalogueEntries(ctx, after, cataloguePage)
	if err != nil {
		return nil, err
	}
	page := &collection{Context: plainContext(), ID: pageID(id, "after", after), Type: "OrderedCollectionPage", PartOf: id}
	items, bytes := []json.RawMessage{}, 0
	for _, e := range entries {
		if e.Activity.Public {
			if bytes += len(e.Activity.Body); bytes > cataloguePageBytes && len(items) > 0 {
				break
			}
			items = append(items, e.Activity.Body)
		}
		page.Next = pageID(id, "after", e.Seq)
	}
	page.OrderedItems = items
	return answer(page)
}

// CatalogueFollowers are the nodes that follow the catalogue.
func (f *Federation) CatalogueFollowers(ctx context.Context, by *SignedRequest, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "followers of the catalogue")
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	a, err := f.db.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := f.followers(ctx, a, q)
	return asker.answer(doc, err, true)
}

// CatalogueFollowing are the catalogues of other nodes that this one follows.
func (f *Federation) CatalogueFollowing(ctx context.Context, by *SignedRequest, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "catalogues followed")
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	a, err := f.db.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := f.following(ctx, a, q)
	return asker.answer(doc, err, true)
}
