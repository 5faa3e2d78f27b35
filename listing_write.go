package souk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// NewListing is a product that a seller puts up.
type NewListing struct {
	Title       string
	Description string // Markdown
	Price       Money
	Quantity    int
	Condition   string // new, used or refurbished; empty means new
	Category    string // a path such as Home/Kitchen/Mugs
	Tags        []string
	MediaIDs    []int64
	State       string // published or draft; empty means published
	Announce    bool   // tell followers
	Lang        string
}

const (
	maxTitle       = 200
	maxDescription = 10_000
	maxTags        = 20
	maxQuantity    = 1_000_000
	// fewLeft is up to how many units the public is told "few left": exact numbers would tell sales.
	fewLeft = 3
	// newsEvery is how often at most a followers' copy is corrected.
	newsEvery = time.Hour
)

// CreateListing puts up a listing of a seller, as a draft or published.
func (db *DB) CreateListing(ctx context.Context, sellerID int64, n NewListing) (_ *Listing, err error) {
	defer wrap(&err, "create listing of %d", sellerID)
	if n.State == "" {
		n.State = ListingPublished
	}
	if n.Condition == "" {
		n.Condition = "new"
	}
	n.trim()
	if err := n.check(); err != nil {
		return nil, err
	}
	var made *Listing
	err = db.Tx(ctx, func(tx *DB) error {
		seller, err := tx.Account(ctx, sellerID)
		if err != nil {
			return err
		}
		if !seller.Sells() || seller.Suspended != nil {
			return ErrForbidden
		}
		if err := seller.stays(); err != nil {
			return err
		}
		now := tx.Now()
		id := tx.NewID()
		p := &Post{ID: id, Kind: KindListing, AccountID: seller.ID, URI: fmt.Sprintf("%s/listings/%d", tx.BaseURL(), id), Local: true,
			Lang: n.Lang, Visibility: Direct, ThreadID: id, Published: now}
		p.URL = p.URI
		if err := tx.insertPost(ctx, p); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `insert into listings (id, seller_id, title, description, html, category, condition, state, currency, tags, announce, created, updated)
			values ($1, $2, $3, $4, $5, $6, $7, 'draft', $8, $9, $10, $11, $11)`, id, seller.ID, n.Title, n.Description,
			RenderMarkdown(n.Description, Links{BaseURL: tx.BaseURL()}).HTML, n.Category, n.Condition, n.Price.Currency, n.Tags, n.Announce, now); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `insert into variants (id, listing_id, price, quantity) values ($1, $2, $3, $4)`, tx.NewID(), id, n.Price.Amount, n.Quantity); err != nil {
			return err
		}
		if err := tx.attach(ctx, seller.ID, id, n.MediaIDs); err != nil {
			return err
		}
		if err := tx.setSlug(ctx, id, n.Title); err != nil {
			return err
		}
		if n.State == ListingPublished {
			if err := tx.publish(ctx, id); err != nil {
				return err
			}
		} else if err := tx.refreshListing(ctx, id); err != nil {
			return err
		}
		made, err = tx.Listing(ctx, sellerID, id)
		return err
	})
	return made, err
}

func (n *NewListing) trim() {
	n.Title, n.Description = tidyText(n.Title), tidyText(n.Description)
	n.Category = strings.Trim(tidyText(n.Category), "/")
	tags := []string{}
	for _, t := range n.Tags {
		if t = strings.TrimLeft(strings.TrimSpace(t), "#＃"); t != "" && !slices.ContainsFunc(tags, func(u string) bool { return FoldTag(u) == FoldTag(t) }) {
			tags = append(tags, t)
		}
	}
	n.Tags = tags
}

func (n *NewListing) check() error {
	e := &Invalid{}
	if n.Title == "" {
		e.Add("title", "required", "give it a name")
	}
	checkText("title", n.Title, maxTitle, false, e)
	checkText("description", n.Description, maxDescription, true, e)
	checkText("category", n.Category, 200, false, e)
	checkText("lang", n.Lang, maxLang, false, e)
	n.Price.check("price", e)
	if n.Quantity < 0 || n.Quantity > maxQuantity {
		e.Add("quantity", "quantity", "use a number from 0 to %d", maxQuantity)
	}
	if !slices.Contains([]string{"new", "used", "refurbished"}, n.Condition) {
		e.Add("condition", "condition", "use new, used or refurbished")
	}
	if len(n.Tags) > maxTags {
		e.Add("tags", "too_many", "at most %d tags", maxTags)
	}
	for i, t := range n.Tags {
		if !validTag(t) {
			e.Add(fmt.Sprintf("tags[%d]", i), "tag", "%q: use letters, digits and _, not only digits", t)
		}
	}
	if len(n.MediaIDs) > MaxPhotos {
		e.Add("media_ids", "too_many", "at most %d pictures", MaxPhotos)
	}
	if n.State != ListingDraft && n.State != ListingPublished {
		e.Add("state", "state", "use draft or published")
	}
	return e.Err()
}

// slugTries is how many addresses are tried for a product whose name others have too.
const slugTries = 30

// setSlug gives the listing the page address that its title asks for; the ones it had before lead to it for ever.
func (db *DB) setSlug(ctx context.Context, id int64, title string) error {
	base := Slug(title)
	if base == "" {
		base = "product"
	}
	var current string
	err := db.q.QueryRow(ctx, `select slug from listing_slugs where listing_id = $1 and current`, id).Scan(&current)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if current == base || strings.HasPrefix(current, base+"-") && digitsOnly(current[len(base)+1:]) {
		return nil
	}
	if _, err := db.q.Exec(ctx, `update listing_slugs set current = false where listing_id = $1`, id); err != nil {
		return err
	}
	for n := int64(1); n <= slugTries; n++ {
		slug := base
		switch {
		case n == slugTries: // a name that very many products have: a number that nothing else has
			slug = fmt.Sprintf("%s-%d", base, id)
		case n > 1:
			slug = fmt.Sprintf("%s-%d", base, n)
		}
		tag, err := db.q.Exec(ctx, `insert into listing_slugs (slug, listing_id, created) values ($1, $2, $3)
			on conflict (slug) do update set current = true where listing_slugs.listing_id = excluded.listing_id`, slug, id, db.Now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			return nil
		}
	}
	return fmt.Errorf("no free address for %q: %w", title, ErrConflict)
}

// ListingChange is what a seller changes; nil leaves a part alone.
type ListingChange struct {
	Title       *string
	Description *string
	Price       *Money
	Quantity    *int
	Condition   *string
	Category    *string
	Tags        []string
	MediaIDs    []int64
	State       *string // published or draft (back to draft only before the first publication), sold_out sets the stock to 0
	Announce    *bool   // true tells followers if they were not told yet
	Lang        *string
	// Version refuses the change with ErrConflict when the listing has another one by now; 0 does not ask.
	Version int64
}

// ChangeListing changes a seller's listing. Followers' copies of an announced one are corrected at most once an hour;
// the nodes that follow the catalogue hear of every change.
func (db *DB) ChangeListing(ctx context.Context, by, id int64, c ListingChange) (_ *Listing, err error) {
	defer wrap(&err, "change listing %d", id)
	var changed *Listing
	err = db.Tx(ctx, func(tx *DB) error {
		l, err := tx.lockListing(ctx, by, id)
		if err != nil {
			return err
		}
		if c.Version != 0 && c.Version != l.Version {
			return fmt.Errorf("changed by somebody else meanwhile: %w", ErrConflict)
		}
		n, err := l.changed(c)
		if err != nil {
			return err
		}
		if err := tx.saveListing(ctx, l, n); err != nil {
			return err
		}
		if c.MediaIDs != nil {
			if err := tx.attach(ctx, l.SellerID, id, c.MediaIDs); err != nil {
				return err
			}
		}
		if err := tx.setSlug(ctx, id, n.Title); err != nil {
			return err
		}
		if l.State == ListingDraft && n.State == ListingPublished {
			err = tx.publish(ctx, id)
		} else {
			err = tx.listingChanged(ctx, id, n.Announce && !l.Post.InTimeline && l.State != ListingDraft)
		}
		if err != nil {
			return err
		}
		changed, err = tx.Listing(ctx, by, id)
		return err
	})
	return changed, err
}

// changed is the listing as it will be, checked as a whole.
func (l *Listing) changed(c ListingChange) (NewListing, error) {
	n := NewListing{Title: l.Title, Description: l.Description, Condition: l.Condition,
		Category: l.Category, Tags: l.Tags, State: ListingPublished, Announce: l.Announce, Lang: l.Post.Lang, MediaIDs: c.MediaIDs}
	if l.State == ListingDraft {
		n.State = ListingDraft
	}
	// What saveListing writes is the first variant's; the others are not told by a price or a stock of the whole.
	first := l.Variants[0]
	n.Price = Money{Amount: first.Price, Currency: l.Currency}
	setIf(&n.Quantity, first.Quantity)
	setIf(&n.Title, c.Title)
	setIf(&n.Description, c.Description)
	setIf(&n.Price, c.Price)
	setIf(&n.Quantity, c.Quantity)
	setIf(&n.Condition, c.Condition)
	setIf(&n.Category, c.Category)
	setIf(&n.Lang, c.Lang)
	setIf(&n.Announce, c.Announce)
	if c.Tags != nil {
		n.Tags = c.Tags
	}
	if c.State != nil {
		switch {
		case *c.State == ListingSoldOut:
			n.Quantity = 0
		case *c.State == ListingDraft && l.State != ListingDraft:
			return n, invalid("state", "state_published", "it was published before: withdraw it, or set it to sold out")
		default:
			n.State = *c.State
		}
	}
	if l.Post.InTimeline && !n.Announce {
		n.Announce = true // what followers were told cannot be taken back but by withdrawing
	}
	n.trim()
	return n, n.check()
}

func (db *DB) saveListing(ctx context.Context, l *Listing, n NewListing) error {
	if _, err := db.q.Exec(ctx, `update listings set title = $2, description = $3, html = $4, category = $5, condition = $6, currency = $7, tags = $8, announce = $9 where id = $1`,
		l.ID, n.Title, n.Description, RenderMarkdown(n.Description, Links{BaseURL: db.BaseURL()}).HTML, n.Category, n.Condition, n.Price.Currency, n.Tags, n.Announce); err != nil {
		return err
	}
	if _, err := db.q.Exec(ctx, `update posts set lang = $2 where id = $1`, l.ID, n.Lang); err != nil {
		return err
	}
	// Price and stock of the first variant: the form and the API of a simple listing know only one.
	_, err := db.q.Exec(ctx, `update variants set price = $2, quantity = $3 where listing_id = $1 and position = 0`, l.ID, n.Price.Amount, n.Quantity)
	return err
}

// lockListing locks a living local listing that the account may change: its seller, or the owner of the node.
// The variants are locked with it, so that no order slips between reading the stock and writing it.
func (db *DB) lockListing(ctx context.Context, by, id int64) (*Listing, error) {
	if _, err := db.q.Exec(ctx, `select from posts p join listings l on l.id = p.id where p.id = $1 for update`, id); err != nil {
		return nil, err
	}
	if _, err := db.q.Exec(ctx, `select from variants where listing_id = $1 order by id for update`, id); err != nil {
		return nil, err
	}
	list, err := db.listingPosts(ctx, `p.id = $1 and p.local`, id)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, ErrNotFound
	case list[0].Post.Deleted != nil:
		return nil, ErrGone
	}
	if list[0].SellerID != by {
		if err := db.requireOwner(ctx, by); err != nil {
			return nil, err
		}
	}
	return &list[0], nil
}

// publish makes a draft public. What is not complete is refused.
func (db *DB) publish(ctx context.Context, id int64) error {
	now := db.Now()
	if _, err := db.q.Exec(ctx, `update listings set state = 'published', first_published = coalesce(first_published, $2) where id = $1`, id, now); err != nil {
		return err
	}
	if _, err := db.q.Exec(ctx, `update posts p set visibility = 'public', published = $2, in_timeline = l.announce from listings l where l.id = p.id and p.id = $1`, id, now); err != nil {
		return err
	}
	if err := db.refreshListing(ctx, id); err != nil {
		return err
	}
	l, err := db.livingListing(ctx, id)
	if err != nil {
		return err
	}
	if err := db.touchShop(ctx); err != nil {
		return err
	}
	if l.Announce {
		if err := db.announced(ctx, l); err != nil {
			return err
		}
	}
	return db.emit(ctx, Event{Kind: EventListingCreated, AccountID: l.SellerID, ObjectID: id}, true)
}

// listingChanged makes known that a listing is different now; announce tells followers of one they were not told about.
func (db *DB) listingChanged(ctx context.Context, id int64, announce bool) error {
	if announce {
		if _, err := db.q.Exec(ctx, `update posts set in_timeline = true where id = $1`, id); err != nil {
			return err
		}
	}
	if err := db.refreshListing(ctx, id); err != nil {
		return err
	}
	l, err := db.livingListing(ctx, id)
	if err != nil || l.State == ListingDraft {
		return err
	}
	if _, err := db.q.Exec(ctx, `update posts set edited = $2 where id = $1`, id, db.editTime(l.Post)); err != nil {
		return err
	}
	if err := db.touchShop(ctx); err != nil {
		return err
	}
	switch {
	case announce:
		if err := db.announced(ctx, l); err != nil {
			return err
		}
		if err := db.emit(ctx, Event{Kind: EventListingAnnounced, AccountID: l.SellerID, ObjectID: id}, true); err != nil {
			return err
		}
	case l.Post.InTimeline && l.AnnouncedAs != l.newsDigest():
		if err := db.queueNews(ctx, l); err != nil {
			return err
		}
	}
	return db.emit(ctx, Event{Kind: EventListingChanged, AccountID: l.SellerID, ObjectID: id}, true)
}

// queueNews puts one correction of the followers' copies in the queue, not before an hour after the last.
func (db *DB) queueNews(ctx context.Context, l *Listing) error {
	var waiting bool
	if err := db.q.QueryRow(ctx, `select exists (select from events where kind = $1 and object_id = $2 and done is null)`, EventListingNews, l.ID).Scan(&waiting); err != nil || waiting {
		return err
	}
	after := time.Time{}
	if l.AnnouncedAt != nil {
		after = l.AnnouncedAt.Add(newsEvery)
	}
	return db.emitAfter(ctx, Event{Kind: EventListingNews, AccountID: l.SellerID, ObjectID: l.ID}, after)
}

// Announced notes that followers are being told the listing as it is now; federation calls it when it takes up
// EventListingNews. It is false where they know all of it already.
func (db *DB) Announced(ctx context.Context, id int64) (news bool, err error) {
	defer wrap(&err, "announced %d", id)
	l, err := db.livingListing(ctx, id)
	if err != nil {
		return false, err
	}
	if l.AnnouncedAs == l.newsDigest() {
		return false, nil
	}
	return true, db.announced(ctx, l)
}

func (db *DB) announced(ctx context.Context, l *Listing) error {
	_, err := db.q.Exec(ctx, `update listings set announced_as = $2, announced_at = $3 where id = $1`, l.ID, l.newsDigest(), db.Now())
	return err
}

// newsDigest stands for what followers should hear again about: what it is, its price, whether it is sold out.
func (l *Listing) newsDigest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %s %t", l.Title, l.HTML, l.Price().Decimal()+l.Currency, l.Availability == NoStock)
	for _, m := range l.Post.Media {
		fmt.Fprintf(h, " %d %q", m.ID, m.Alt)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (db *DB) livingListing(ctx context.Context, id int64) (*Listing, error) {
	list, err := db.listingPosts(ctx, `p.id = $1 and p.deleted is null`, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return &list[0], nil
}

// WithdrawListing takes a listing off sale for good: its id answers 410, other nodes are told, orders keep it.
func (db *DB) WithdrawListing(ctx context.Context, by, id int64) (err error) {
	defer wrap(&err, "withdraw listing %d", id)
	return db.Tx(ctx, func(tx *DB) error {
		l, err := tx.lockListing(ctx, by, id)
		if err != nil {
			return err
		}
		if err := tx.bury(ctx, id); err != nil {
			return err
		}
		if l.State == ListingDraft {
			return nil // nobody ever heard of it
		}
		return tx.emit(ctx, Event{Kind: EventListingDeleted, AccountID: l.SellerID, ObjectID: id}, true)
	})
}
