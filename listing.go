package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// States of a listing.
const (
	ListingDraft     = "draft"
	ListingPublished = "published"
	ListingSoldOut   = "sold_out"
	ListingWithdrawn = "withdrawn" // its post is a tombstone; the row stays for the orders that name it
)

// What the public is told of the stock.
const (
	InStock = "in_stock"
	FewLeft = "few_left"
	NoStock = "sold_out"
)

// Listing is a product for sale. It is also a post of the same id (Post), which carries its pictures, its conversation
// and its federated text.
type Listing struct {
	ID             int64
	SellerID       int64
	Title          string
	Description    string // Markdown; plain text for remote listings
	HTML           string // of the description, sanitised
	Category       string
	Condition      string
	State          string
	Currency       string
	Tags           []string // without '#', as written
	Announce       bool     // followers were told, or will be once it is published
	Availability   string
	FirstPublished *time.Time
	AnnouncedAs    string
	AnnouncedAt    *time.Time
	Checked        *time.Time // remote: when its origin last confirmed it
	Expires        *time.Time // remote
	Version        int64
	Created        time.Time
	Updated        time.Time
	Slug           string // "" for remote ones
	Intent         string // remote: id of the primary intent where one piece can be ordered by an Offer (FEP-0837), else ""
	Reciprocal     string // remote: id of the reciprocal intent, or ""
	UnitBased      bool   // remote: several can be ordered at once

	Variants []Variant `db:"-"` // at least one, in order
	Post     *Post     `db:"-"`
}

const listingColumns = `l.id, l.seller_id, l.title, l.description, l.html, l.category, l.condition, l.state, l.currency, l.tags, l.announce,
	l.availability, l.first_published, l.announced_as, l.announced_at, l.checked, l.expires, l.version, l.created, l.updated, l.intent, l.reciprocal, l.unit_based,
	coalesce((select s.slug from listing_slugs s where s.listing_id = l.id and s.current), '') as slug`

// Price is the lowest price of the variants.
func (l *Listing) Price() Money {
	m := Money{Currency: l.Currency}
	for i, v := range l.Variants {
		if i == 0 || v.Price < m.Amount {
			m.Amount = v.Price
		}
	}
	return m
}

// Quantity is how many units can be ordered now; 0 also where nobody counts them (remote listings).
func (l *Listing) Quantity() int {
	n := 0
	for _, v := range l.Variants {
		if v.Quantity != nil {
			n += *v.Quantity
		}
	}
	return n
}

// Local reports whether it is sold on this node.
func (l *Listing) Local() bool { return l.Post.Local }

// OnSale reports whether it can be ordered.
func (l *Listing) OnSale() bool { return l.State == ListingPublished && l.Availability != NoStock }

// listingsWhere loads listings with their variants; the caller adds the posts.
func (db *DB) listingsWhere(ctx context.Context, where string, args ...any) ([]Listing, error) {
	rows, err := db.q.Query(ctx, `select `+listingColumns+` from listings l where `+where, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Listing])
	if err != nil || len(list) == 0 {
		return nil, err
	}
	ids := make([]int64, len(list))
	byID := make(map[int64]*Listing, len(list))
	for i := range list {
		ids[i] = list[i].ID
		byID[list[i].ID] = &list[i]
	}
	variants, err := db.variantsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, v := range variants {
		l := byID[v.ListingID]
		l.Variants = append(l.Variants, v)
	}
	return list, nil
}

// listingPosts loads listings through their posts, so that everything shown with them is there.
func (db *DB) listingPosts(ctx context.Context, where string, args ...any) ([]Listing, error) {
	posts, err := db.postsWhere(ctx, `p.kind = 'listing' and `+where, args...)
	if err != nil {
		return nil, err
	}
	list := make([]Listing, 0, len(posts))
	for i := range posts {
		if posts[i].Listing != nil {
			list = append(list, *posts[i].Listing)
		}
	}
	return list, nil
}

// forSale is the condition that the public may see listing post p; now is the parameter that holds the time.
func forSale(now string) string {
	return `p.deleted is null and p.visibility = 'public' and exists (select from listings l where l.id = p.id
		and l.state in ('published', 'sold_out') and (l.expires is null or l.expires > ` + now + `))`
}

// Listing is the listing with the id as the viewer (0: a stranger) may see it; a withdrawn one is ErrGone, but its
// seller still sees it.
func (db *DB) Listing(ctx context.Context, viewer, id int64) (_ *Listing, err error) {
	defer wrap(&err, "listing %d", id)
	list, err := db.listingPosts(ctx, `p.id = $2 and (p.account_id = $1 or p.deleted is not null or `+forSale("$3")+` and `+visibleTo+`)`, viewer, id, db.Now())
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, ErrNotFound
	case list[0].Post.Deleted != nil && list[0].SellerID != viewer:
		return nil, ErrGone
	}
	return &list[0], nil
}

// ListingBySlug is the local listing whose page has or once had the slug. Where it is not its Slug any more the page
// has moved there.
func (db *DB) ListingBySlug(ctx context.Context, viewer int64, slug string) (_ *Listing, err error) {
	defer wrap(&err, "listing %q", slug)
	var id int64
	if err := db.q.QueryRow(ctx, `select listing_id from listing_slugs where slug = $1`, slug).Scan(&id); err != nil {
		return nil, err
	}
	return db.Listing(ctx, viewer, id)
}

// ListingFilter narrows a list of listings. The zero value is everything of this node that is for sale.
type ListingFilter struct {
	SellerID int64
	Category string
	Tag      string
	InStock  bool
	Remote   bool // those of other nodes too
}

// Listings are what the public sees, the newest first.
func (db *DB) Listings(ctx context.Context, f ListingFilter, page Page) (_ []Listing, err error) {
	defer wrap(&err, "listings")
	list, err := db.listingPosts(ctx, filtered()+` and p.id < $8 and p.id > $9 order by p.id `+page.order()+` limit $10`,
		append(f.args(db.Now()), page.before(), page.After, page.limit())...)
	return newestFirst(page, list), err
}

// ListingCount is how many listings the filter finds.
func (db *DB) ListingCount(ctx context.Context, f ListingFilter) (n int, err error) {
	defer wrap(&err, "listing count")
	err = db.q.QueryRow(ctx, `select count(*) from posts p where p.kind = 'listing' and `+filtered(), f.args(db.Now())...).Scan(&n)
	return n, err
}

// filtered is the condition that public places show listing post p and that the filter lets it through; $7 is now.
func filtered() string {
	return forSale("$7") + ` and ` + unsilenced + ` and (p.local or $2) and ($3::bigint = 0 or p.account_id = $3)
	and ($4 = '' or exists (select from listings l where l.id = p.id and (l.category = $4 or starts_with(l.category, $4 || '/'))))
	and ($5 = '' or exists (select from post_tags t where t.post_id = p.id and t.tag = $5))
	and (not $6 or exists (select from listings l where l.id = p.id and l.availability <> 'sold_out'))
	and ` + visibleTo
}

func (f ListingFilter) args(now time.Time) []any {
	return []any{int64(0), f.Remote, f.SellerID, f.Category, FoldTag(f.Tag), f.InStock, now}
}

// ListingTags are the hashtags of what is for sale here, folded, with how many listings each has: the limit most used
// ones, by that number.
func (db *DB) ListingTags(ctx context.Context, limit int) (_ []Count, err error) {
	defer wrap(&err, "listing tags")
	rows, err := db.q.Query(ctx, `select t.tag, count(*) from post_tags t join posts p on p.id = t.post_id
		where p.local and p.kind = 'listing' and `+forSale("$2")+` group by t.tag order by count(*) desc, t.tag limit $1`, limit, db.Now())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Count])
}

// SellerListings are an account's own listings in a state ("": all), the newest first.
func (db *DB) SellerListings(ctx context.Context, sellerID int64, state string, page Page) (_ []Listing, err error) {
	defer wrap(&err, "listings of %d", sellerID)
	list, err := db.listingPosts(ctx, `p.account_id = $1 and exists (select from listings l where l.id = p.id and ($2 = '' or l.state = $2))
		and p.id < $3 and p.id > $4 order by p.id `+page.order()+` limit $5`, sellerID, state, page.before(), page.After, page.limit())
	return newestFirst(page, list), err
}

// ListingCounts is how many listings an account has in each state.
func (db *DB) ListingCounts(ctx context.Context, sellerID int64) (_ map[string]int, err error) {
	defer wrap(&err, "listing counts of %d", sellerID)
	rows, err := db.q.Query(ctx, `select state, count(*) from listings where seller_id = $1 group by state`, sellerID)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error { counts[state] = n; return nil })
	return counts, err
}

// Categories are the categories of what is for sale here, with how many listings each has, by name.
func (db *DB) Categories(ctx context.Context) (_ []Count, err error) {
	defer wrap(&err, "categories")
	rows, err := db.q.Query(ctx, `select l.category, count(*) from listings l join posts p on p.id = l.id
		where p.local and l.category <> '' and `+forSale("$1")+` group by l.category order by l.category limit 100`, db.Now())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Count])
}

// Count is a value and how often it occurs.
type Count struct {
	Value string
	N     int
}
