package federation

import (
	"context"
	"encoding/json"
	"net/url"

	"souk"
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

// catalogued puts an activity of a seller about a listing into the catalogue, in the transaction of the caller: the
// catalogue actor announces the exact activity (FEP-1b12) to the nodes that follow it.
func catalogued(ctx context.Context, tx *souk.DB, listingID int64, listingURI string, body []byte) error {
	e := encoder{tx}
	by, err := tx.Catalogue(ctx)
	if err != nil {
		return err
	}
	to, err := tx.FollowerInboxes(ctx, by.ID)
	if err != nil {
		return err
	}
	id := tx.NewID()
	announce := activity{Context: plainContext(), ID: e.activityURI(id), Type: "Announce", Actor: by.URI, Published: timestamp(tx.Now()),
		To: []string{publicAudience}, CC: []string{by.FollowersURI}, Object: json.RawMessage(body)}
	text, err := marshal(announce)
	if err != nil {
		return err
	}
	if err := tx.QueueActivity(ctx, souk.Activity{ID: id, URI: announce.ID, AccountID: by.ID, Type: "Announce", ObjectURI: listingURI,
		Public: true, Body: text}, to); err != nil {
		return err
	}
	return tx.AppendCatalogue(ctx, id, listingID)
}
