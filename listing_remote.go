package souk

import (
	"context"
	"time"
)

// RemoteListing is a product of another node as federation understood it.
type RemoteListing struct {
	RemotePost
	Title        string
	Description  string // HTML
	Price        Money
	SKU          string
	Category     string
	Condition    string
	Availability string
	Expires      time.Time // zero: RemoteListingLife from now
	Intent       string    // as Listing has them
	Reciprocal   string
	UnitBased    bool
}

// RemoteListingLife is how long a listing of another node stands without being renewed by it.
const RemoteListingLife = 30 * 24 * time.Hour

// ReceiveListing stores a remote listing, or renews it where it is known. A state older than the stored one changes
// nothing, nor does one that was deleted before.
func (db *DB) ReceiveListing(ctx context.Context, r RemoteListing) (_ *Listing, err error) {
	defer wrap(&err, "receive listing %s", r.URI)
	if err := r.check(); err != nil {
		return nil, err
	}
	var listing *Listing
	err = db.Tx(ctx, func(tx *DB) error {
		kept, err := tx.receivePost(ctx, r.RemotePost, KindListing)
		if err != nil {
			return err
		}
		id, kind := kept.id, EventListingCreated
		if !kept.fresh {
			kind = EventListingChanged
			known, err := tx.listingPosts(ctx, `p.id = $1 for update`, id)
			if err != nil {
				return err
			}
			if len(known) == 0 || known[0].Post.Deleted != nil {
				return ErrGone // deleted before this came, or the address is a plain post
			}
			if known[0].SellerID != r.Author.ID {
				return ErrForbidden
			}
			if r.Edited == nil && known[0].Post.Edited != nil {
				listing = &known[0] // how it was at first, read again in a catalogue
				return nil
			}
			if r.Edited = editedBy(r.Edited, tx.Now()); r.Edited != nil {
				if last := known[0].Post.Edited; last != nil && r.Edited.Before(*last) {
					listing = &known[0]
					return nil
				}
				if _, _, err := tx.receiveEdit(ctx, r.RemotePost); err != nil { // the state that is stored is only renewed
					return err
				}
			}
		}
		if err := tx.storeRemoteListing(ctx, id, r); err != nil {
			return err
		}
		if err := tx.emit(ctx, Event{Kind: kind, AccountID: r.Author.ID, ObjectID: id}, false); err != nil {
			return err
		}
		listing, err = tx.livingListing(ctx, id)
		return err
	})
	return listing, err
}

func (r *RemoteListing) check() error {
	e := &Invalid{}
	if r.Title = truncate(Plain(r.Title), maxTitle); r.Title == "" {
		e.Add("title", "required", "a listing needs a name")
	}
	r.Price.check("price", e)
	if r.Condition != "used" && r.Condition != "refurbished" {
		r.Condition = "new"
	}
	if r.Availability != FewLeft && r.Availability != NoStock {
		r.Availability = InStock
	}
	r.Category = truncate(r.Category, 200)
	return e.Err()
}

func (db *DB) storeRemoteListing(ctx context.Context, id int64, r RemoteListing) error {
	now := db.Now()
	if r.Expires.IsZero() || r.Expires.After(now.Add(RemoteListingLife)) {
		r.Expires = now.Add(RemoteListingLife)
	}
	state := ListingPublished
	if r.Availability == NoStock {
		state = ListingSoldOut
	}
	tags := keptTags(r.Tags)
	html := Sanitise(truncate(r.Description, maxRemotePost))
	if _, err := db.q.Exec(ctx, `insert into listings (id, seller_id, title, description, html, category, condition, state, currency, tags, announce,
			availability, first_published, checked, expires, created, updated, intent, reciprocal, unit_based)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $14, $14, $16, $17, $18)
		on conflict (id) do update set title = excluded.title, description = excluded.description, html = excluded.html, category = excluded.category,
			condition = excluded.condition, state = excluded.state, currency = excluded.currency, tags = excluded.tags,
			availability = excluded.availability, checked = excluded.checked, expires = excluded.expires, updated = excluded.updated, intent = excluded.intent, reciprocal = excluded.reciprocal, unit_based = excluded.unit_based,
			version = listings.version + 1`,
		id, r.Author.ID, r.Title, Plain(html), html, r.Category, r.Condition, state, r.Price.Currency, tags, r.InTimeline, r.Availability,
		r.Published, now, r.Expires, truncate(r.Intent, maxURI), truncate(r.Reciprocal, maxURI), r.UnitBased); err != nil {
		return err
	}
	_, err := db.q.Exec(ctx, `insert into variants (id, listing_id, sku, price) values ($1, $2, $3, $4)
		on conflict (listing_id, position) do update set sku = excluded.sku, price = excluded.price`, db.NewID(), id, truncate(r.SKU, 100), r.Price.Amount)
	return err
}

// ReceiveHidden takes a remote listing, which its origin does not show for now, out of the index; the row waits for it to come
// back.
func (db *DB) ReceiveHidden(ctx context.Context, id int64) (err error) {
	defer wrap(&err, "receive hidden listing %d", id)
	return db.Tx(ctx, func(tx *DB) error {
		var seller int64
		err := tx.q.QueryRow(ctx, `update listings l set state = 'withdrawn', version = l.version + 1 from posts p
			where l.id = $1 and p.id = l.id and not p.local and p.deleted is null returning l.seller_id`, id).Scan(&seller)
		if err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventListingChanged, AccountID: seller, ObjectID: id}, false)
	})
}

// ExpireRemoteListings takes listings that their origin no longer renews out of the index; the rows wait for it to
// come back.
func (db *DB) ExpireRemoteListings(ctx context.Context) (n int64, err error) {
	defer wrap(&err, "expire remote listings")
	// The update asks once more: a listing may be renewed between the two.
	tag, err := db.q.Exec(ctx, `with expired as (select l.id from listings l join posts p on p.id = l.id
			where l.expires <= $1 and l.state <> 'withdrawn' and p.deleted is null limit 1000),
		marked as (update listings set state = 'withdrawn' where id in (select id from expired) and expires <= $1 returning id)
		insert into search_outbox (object_kind, object_id, version, queued) select 'post', id, $2, $1 from marked
		`+indexAgain, db.Now(), db.Now().UnixMicro())
	if err != nil {
		return 0, err
	}
	if tag.RowsAffected() > 0 {
		db.wakeAfterCommit("index")
	}
	return tag.RowsAffected(), nil
}
