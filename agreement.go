package souk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// States of an agreement. Of one that an account of this node asked for they are what its seller said last; one of a
// buyer of another node is accepted or rejected, and its order has the rest.
const (
	AgreementSent      = "sent" // not answered
	AgreementAccepted  = "accepted"
	AgreementRejected  = "rejected"
	AgreementPaid      = OrderPaid
	AgreementShipped   = OrderShipped
	AgreementDone      = OrderDone
	AgreementCancelled = OrderCancelled
)

// Why an offer was rejected: codes of Agreement.Reason. Others are the codes of what PlaceOrder says is wrong with an
// order: quantity, not_for_sale, shop_closed, total_large.
const (
	OfferSoldOut    = "sold_out"
	OfferFewLeft    = "few_left"    // fewer than were asked for
	OfferPrice      = "price"       // it costs something else now
	OfferUnit       = "unit"        // asked for in another unit than pieces
	OfferSeveral    = "several"     // several products at once
	OfferVariants   = "variants"    // which of its variants was not said
	OfferNoDelivery = "no_delivery" // it cannot be sent or fetched
	OfferTooMany    = "too_many"    // the buyer, or their node, has too many unpaid orders
	OfferHeld       = "held"        // too much of it would be kept for buyers who have not said how to pay
	OfferRefused    = "refused"     // the seller blocks the buyer
)

// maxOffered is how many of one listing an offer may ask for, as the order form has it.
const maxOffered = 99

// Agreement is an order between accounts of two nodes (FEP-0837). OrderID is 0 for what was ordered at another node.
type Agreement struct {
	ID         int64
	OfferURI   string
	URI        string // empty until it was accepted
	SellerID   int64
	BuyerID    int64
	ListingID  int64 // 0: the offer named no listing of this node
	OrderID    int64
	Intent     string // id of what is given for sale
	Reciprocal string // id of what is asked for it; empty where the proposal gave it none
	Title      string
	Quantity   int
	Amount     int64 // for the goods
	Currency   string
	State      string
	Reason     string // for one ordered here a code (OfferSoldOut ...), else the seller's words, plain text
	URL        string // where the buyer goes on and pays; http or https; may be empty
	Created    time.Time
	Updated    time.Time
}

const agreementColumns = `g.id, g.offer_uri, g.uri, g.seller_id, g.buyer_id, coalesce(g.listing_id, 0) as listing_id, coalesce(g.order_id, 0) as order_id,
	g.intent, g.reciprocal, g.title, g.quantity, g.amount, g.currency, g.state, g.reason, g.url, g.created, g.updated`

// Open reports whether the buyer may still take the offer back.
func (a *Agreement) Open() bool { return a.State == AgreementSent || a.State == AgreementAccepted }

// Costs reports whether a decimal is exactly what the goods cost.
func (a *Agreement) Costs(decimal string) bool {
	return sameAmount(decimal, Money{a.Amount, a.Currency})
}

func (db *DB) agreementsWhere(ctx context.Context, where string, args ...any) ([]Agreement, error) {
	rows, err := db.q.Query(ctx, `select `+agreementColumns+` from agreements g where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Agreement])
}

func (db *DB) oneAgreement(ctx context.Context, where string, args ...any) (*Agreement, error) {
	list, err := db.agreementsWhere(ctx, where, args...)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return &list[0], nil
}

// Agreement is the agreement with the id, for federation, which asks nobody who they are.
func (db *DB) Agreement(ctx context.Context, id int64) (_ *Agreement, err error) {
	defer wrap(&err, "agreement %d", id)
	return db.oneAgreement(ctx, `g.id = $1`, id)
}

// AgreementFor is what a seller of this node agreed to with a buyer of another one, for the buyer and for the own actor of
// the buyer's server, which was sent it. ErrNotFound for everybody else, as if there were nothing.
func (db *DB) AgreementFor(ctx context.Context, r Reader, id int64) (_ *Agreement, err error) {
	defer wrap(&err, "agreement %d for %s", id, r.URI)
	return db.oneAgreement(ctx, `g.id = $1 and g.order_id is not null
		and exists (select from accounts b where b.id = g.buyer_id and b.deleted is null and (b.id = $2 or $3 and b.host = $4))`, id, r.AccountID, r.Node, r.Host)
}

// AgreementSold is the same for those of this node who may see its order (Order).
func (db *DB) AgreementSold(ctx context.Context, by, id int64) (_ *Agreement, err error) {
	defer wrap(&err, "agreement %d for %d", id, by)
	return db.oneAgreement(ctx, `g.id = $2 and exists (select from orders o where o.id = g.order_id and `+orderOf+`)`, by, id)
}

// AgreementOfOrder is the agreement behind an order of a buyer of another node, for federation, as Agreement is.
func (db *DB) AgreementOfOrder(ctx context.Context, orderID int64) (_ *Agreement, err error) {
	defer wrap(&err, "agreement of order %d", orderID)
	return db.oneAgreement(ctx, `g.order_id = $1`, orderID)
}

// AgreementOfOffer is what came of an Offer that an account of this node sent.
func (db *DB) AgreementOfOffer(ctx context.Context, offerURI string) (_ *Agreement, err error) {
	defer wrap(&err, "agreement of %s", offerURI)
	return db.oneAgreement(ctx, `g.offer_uri = $1 and g.order_id is null
		and exists (select from accounts b where b.id = g.buyer_id and b.host = '')`, offerURI)
}

// purchaseOf is the condition for agreements g in which the account $1, of this node, is the buyer.
const purchaseOf = `g.buyer_id = $1 and exists (select from accounts b where b.id = $1 and b.host = '' and b.deleted is null and b.suspended is null)`

// Purchase is the agreement with the id as its buyer, an account of this node, sees it; anyone else's is ErrNotFound.
func (db *DB) Purchase(ctx context.Context, by, id int64) (_ *Agreement, err error) {
	defer wrap(&err, "purchase %d", id)
	return db.oneAgreement(ctx, `g.id = $2 and `+purchaseOf, by, id)
}

// Purchases are what an account of this node ordered at others, the newest first.
func (db *DB) Purchases(ctx context.Context, by int64, page Page) (_ []Agreement, err error) {
	defer wrap(&err, "purchases of %d", by)
	list, err := db.agreementsWhere(ctx, purchaseOf+` and g.id < $2 and g.id > $3 order by g.id `+page.order()+` limit $4`,
		by, page.before(), page.After, page.limit())
	return newestFirst(page, list), err
}

// SendOffer orders a listing of another node for an account of this one, at the price that is known here: the seller
// answers. *Invalid names quantity or listing; ErrForbidden where one blocks the other or the node may not be spoken to;
// ErrConflict where the account waits for an answer about this listing already.
func (db *DB) SendOffer(ctx context.Context, by, listingID int64, quantity int) (_ *Agreement, err error) {
	defer wrap(&err, "offer for listing %d by %d", listingID, by)
	var a *Agreement
	err = db.Tx(ctx, func(tx *DB) error {
		buyer, err := tx.Account(ctx, by)
		if err != nil {
			return err
		}
		l, err := tx.Listing(ctx, by, listingID)
		if err != nil {
			return err
		}
		if !buyer.Local() || !buyer.Person() || buyer.Suspended != nil || l.Local() {
			return ErrForbidden
		}
		seller := l.Post.Account
		if refused, err := tx.Refused(ctx, seller.Host, seller.URI); err != nil || refused {
			return errors.Join(err, ErrForbidden)
		}
		if err := tx.lockPair(ctx, buyer.ID, seller.ID); err != nil {
			return err
		}
		for _, pair := range [][2]int64{{buyer.ID, seller.ID}, {seller.ID, buyer.ID}} {
			if err := tx.notBlocked(ctx, pair[0], pair[1]); err != nil {
				return err
			}
		}
		if err := checkOffered(l, quantity); err != nil {
			return err
		}
		id, now := tx.NewID(), tx.Now()
		price := l.Price()
		a = &Agreement{ID: id, OfferURI: fmt.Sprintf("%s#offers/%d", buyer.URI, id), SellerID: seller.ID, BuyerID: buyer.ID, ListingID: l.ID,
			Intent: l.Intent, Reciprocal: l.Reciprocal, Title: l.Title, Quantity: quantity, Amount: price.Amount * int64(quantity), Currency: price.Currency,
			State: AgreementSent, Created: now, Updated: now}
		if _, err := tx.insertAgreement(ctx, a); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventOffered, AccountID: buyer.ID, TargetID: seller.ID, ObjectID: id, URI: a.OfferURI}, true)
	})
	if violates(err, "agreements_waiting") {
		return nil, fmt.Errorf("the seller has not answered the last offer: %w", ErrConflict)
	}
	return a, err
}

// checkOffered adds what keeps a listing of another node from being ordered from here.
func checkOffered(l *Listing, quantity int) error {
	e := &Invalid{}
	switch {
	case l.Intent == "":
		e.Add("listing", "no_offers", "this shop takes orders on its own pages only")
	case !l.OnSale():
		e.Add("listing", "not_for_sale", "this is not for sale")
	}
	most := maxOffered
	if !l.UnitBased {
		most = 1
	}
	if quantity < 1 || quantity > most {
		e.Add("quantity", "pieces", "order 1 to %d", most)
	} else if l.Price().Amount > MaxAmount/int64(quantity) {
		e.Add("quantity", "total_large", "the total is too large")
	}
	return e.Err()
}

// insertAgreement stores a; fresh is false where its Offer is known already.
func (db *DB) insertAgreement(ctx context.Context, a *Agreement) (fresh bool, err error) {
	tag, err := db.q.Exec(ctx, `insert into agreements (id, offer_uri, seller_id, buyer_id, listing_id, intent, reciprocal, title, quantity, amount, currency,
			state, reason, created, updated)
		values ($1, $2, $3, $4, nullif($5::bigint, 0), $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) on conflict (offer_uri) do nothing`,
		a.ID, a.OfferURI, a.SellerID, a.BuyerID, a.ListingID, a.Intent, a.Reciprocal, a.Title, a.Quantity, a.Amount, a.Currency, a.State, a.Reason, a.Created)
	return tag.RowsAffected() == 1, err
}

// TakeOfferBack ends what an account ordered at another node, while it is not paid; later it is ErrConflict. The seller
// is told, and has the last word. Twice is no error.
func (db *DB) TakeOfferBack(ctx context.Context, by, id int64) (err error) {
	defer wrap(&err, "take offer %d back", id)
	return db.Tx(ctx, func(tx *DB) error {
		a, err := tx.oneAgreement(ctx, `g.id = $1 and g.buyer_id = $2 for no key update`, id, by)
		switch {
		case err != nil:
			return err
		case a.State == AgreementCancelled:
			return nil
		case !a.Open():
			return fmt.Errorf("the agreement is %s: %w", a.State, ErrConflict)
		}
		if _, err := tx.q.Exec(ctx, `update agreements set state = 'cancelled', updated = $2 where id = $1`, a.ID, tx.Now()); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventOfferTakenBack, AccountID: a.BuyerID, TargetID: a.SellerID, ObjectID: a.ID, URI: a.OfferURI}, true)
	})
}

// OfferAnswer is what a seller of another node says to an Offer.
type OfferAnswer struct {
	OfferURI string
	Accepted bool
	URI      string // of the agreement; may be empty
	URL      string // where to go on; empty: nowhere
	Reason   string // of a rejection, plain text
}

// ReceiveOfferAnswer notes the answer of a seller to an Offer of an account of this node. An offer to somebody else, or to
// nobody, is ErrNotFound. Only the first answer counts; a rejection of what was accepted cancels it and leaves its addresses.
// What the buyer took back meanwhile stays so until the seller says otherwise (ReceiveAgreement).
func (db *DB) ReceiveOfferAnswer(ctx context.Context, seller *Account, r OfferAnswer) (err error) {
	defer wrap(&err, "answer to %s", r.OfferURI)
	return db.within(ctx, func(tx *DB) error {
		a, err := tx.oneAgreement(ctx, `g.offer_uri = $1 and g.seller_id = $2 and g.order_id is null for no key update`, r.OfferURI, seller.ID)
		if err != nil {
			return err
		}
		crossed := a.State == AgreementCancelled && a.URI == "" && a.URL == "" && a.Reason == "" // taken back, and not answered
		switch {
		case r.Accepted && (a.State == AgreementSent || crossed):
			a.URI, a.URL = truncate(r.URI, maxURI), truncate(r.URL, maxURI)
			if !crossed {
				a.State = AgreementAccepted
			}
		case !r.Accepted && a.Open():
			a.Reason = truncate(r.Reason, 500)
			if a.State == AgreementSent {
				a.State = AgreementRejected
			} else {
				a.State = AgreementCancelled
			}
		default:
			return nil
		}
		if _, err = tx.q.Exec(ctx, `update agreements set state = $2, uri = $3, url = $4, reason = $5, updated = $6 where id = $1`,
			a.ID, a.State, a.URI, a.URL, a.Reason, tx.Now()); err != nil || crossed {
			return err
		}
		return tx.tellBuyer(ctx, a)
	})
}

// tellBuyer tells the account of this node that ordered elsewhere that its order stands otherwise. One notification stands for an
// order, so that a seller who changes their mind again and again floods nobody.
func (db *DB) tellBuyer(ctx context.Context, a *Agreement) error {
	_, err := db.q.Exec(ctx, `insert into notifications (id, account_id, kind, from_id, agreement_id, created)
		select $1, b.id, $2, $4, $5, $6 from accounts b where b.id = $3 and b.host = '' and b.deleted is null and b.suspended is null
		on conflict (agreement_id) do update set id = excluded.id, created = excluded.created, read = null`,
		db.NewID(), NotifyPurchase, a.BuyerID, a.SellerID, a.ID, db.Now())
	return err
}

// PurchaseNews are the orders at other nodes of whose last change the account has not read (MarkRead), the newest first.
func (db *DB) PurchaseNews(ctx context.Context, by int64, limit int) (_ []Agreement, err error) {
	defer wrap(&err, "news of the purchases of %d", by)
	rows, err := db.q.Query(ctx, `select `+agreementColumns+` from notifications n join agreements g on g.id = n.agreement_id
		where n.account_id = $1 and n.read is null order by n.id desc limit $2`, by, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Agreement])
}

// maxURI bounds addresses that other nodes give.
const maxURI = 2048

// ReceiveAgreement notes how what was ordered at another node stands, as its seller says: accepted (not paid), paid, shipped, done
// or cancelled. An empty url leaves the old one. ErrNotFound where nobody here has such an agreement with this seller.
func (db *DB) ReceiveAgreement(ctx context.Context, seller *Account, uri, state, url string) (err error) {
	defer wrap(&err, "agreement %s", uri)
	return db.within(ctx, func(tx *DB) error {
		list, err := tx.agreementsWhere(ctx, `g.uri = $1 and g.uri <> '' and g.seller_id = $2 and g.order_id is null and g.state <> 'rejected'
			order by g.id for no key update`, uri, seller.ID)
		if err == nil && len(list) == 0 {
			err = ErrNotFound
		}
		for _, a := range list {
			if err == nil {
				_, err = tx.q.Exec(ctx, `update agreements set state = $2, url = case when $3 = '' then url else $3 end, updated = $4 where id = $1`,
					a.ID, state, truncate(url, maxURI), tx.Now())
			}
			if err == nil && a.State != state {
				err = tx.tellBuyer(ctx, &a)
			}
		}
		return err
	})
}

// Agreed reports whether somebody here ordered something from a seller of another node under the address of an agreement.
func (db *DB) Agreed(ctx context.Context, seller *Account, uri string) (is bool, err error) {
	defer wrap(&err, "agreement %s", uri)
	err = db.q.QueryRow(ctx, `select exists (select from agreements where uri = $1 and uri <> '' and seller_id = $2 and order_id is null)`, uri, seller.ID).Scan(&is)
	return is, err
}

// PruneAgreements forgets offers of other nodes' accounts that were rejected longer ago than keep.
func (db *DB) PruneAgreements(ctx context.Context, keep time.Duration) (n int64, err error) {
	defer wrap(&err, "prune agreements")
	tag, err := db.q.Exec(ctx, `delete from agreements g using accounts b where g.state = 'rejected' and g.created < $1 and b.id = g.buyer_id and b.host <> ''`,
		db.Now().Add(-keep))
	return tag.RowsAffected(), err
}
