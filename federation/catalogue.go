package federation

import (
	"context"
	"encoding/json"
	"net/url"
)

// cataloguePage is how many changes a page of the catalogue covers.
const cataloguePage = 100

// CatalogueOutbox is every change of this node's listings in order, the oldest first, so that a node which follows the
// catalogue can read what was before, and go on where it stopped. A page covers the numbers after its cursor; it has a
// next page while there are more. What was said of a listing before it was withdrawn is left out; its Delete stays.
func (f *Federation) CatalogueOutbox(ctx context.Context, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "catalogue outbox")
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
	items := []json.RawMessage{}
	for _, e := range entries {
		if e.Activity.Public {
			items = append(items, e.Activity.Body)
		}
	}
	if len(entries) == cataloguePage {
		page.Next = pageID(id, "after", entries[len(entries)-1].Seq)
	}
	page.OrderedItems = items
	return answer(page)
}

// CatalogueFollowers are the nodes that follow the catalogue.
func (f *Federation) CatalogueFollowers(ctx context.Context, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "followers of the catalogue")
	a, err := f.db.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	return f.followers(ctx, a, q)
}

// CatalogueFollowing are the catalogues of other nodes that this one follows.
func (f *Federation) CatalogueFollowing(ctx context.Context, q url.Values) (_ *Document, err error) {
	defer wrap(&err, "catalogues followed")
	a, err := f.db.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	return f.following(ctx, a, q)
}
