package souk

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
)

const (
	// agreementHold is how long stock is held at most for a buyer of another node who has not said how to pay and where to
	// send it: an Offer costs its sender nothing.
	agreementHold = 48 * time.Hour
	// maxUnpaidOfBuyer and maxUnpaidOfHost are how many unpaid orders by Offer a buyer, and all buyers of a registrable
	// domain together, may have here: accounts cost nothing at a host of one's own, and hosts nothing under a domain.
	maxUnpaidOfBuyer = 3
	maxUnpaidOfHost  = 20
)

// Offer is an Offer of an Agreement by an account of another node, as federation understood it (FEP-0837).
type Offer struct {
	URI        string
	Buyer      *Account // who signed it
	Seller     *Account // of this node: who answers
	ListingID  int64    // 0: it names no listing of this node
	Intent     string
	Reciprocal string
	Quantity   int    // 0: no whole number of pieces
	Pays       string // for all pieces, a decimal; empty: not said, and then it is today's price
	Wrong      string // a code where federation saw that it cannot be accepted
}

// ReceiveOffer makes an order of an Offer, or rejects it; either is answered. The same Offer again changes nothing. Stock, prices and
// limits are those of PlaceOrder, and an offer that was taken back before it came is ErrGone: of offers for the last piece that come at once exactly one is accepted.
func (db *DB) ReceiveOffer(ctx context.Context, o Offer) (err error) {
	defer wrap(&err, "receive offer %s", o.URI)
	return db.within(ctx, func(tx *DB) error {
		// Offers of one domain one after another: their unpaid orders are counted, and a count locks nothing.
		if _, err := tx.q.Exec(ctx, `select `+lockURI("$1"), "offers of "+Registrable(o.Buyer.Host)); err != nil {
			return err
		}
		if err := tx.notUndone(ctx, o.URI, o.Buyer.ID); err != nil {
			return err
		}
		a := &Agreement{ID: tx.NewID(), OfferURI: o.URI, SellerID: o.Seller.ID, BuyerID: o.Buyer.ID, ListingID: o.ListingID, Intent: o.Intent,
			Reciprocal: o.Reciprocal, Quantity: o.Quantity, State: AgreementRejected, Created: tx.Now()}
		if fresh, err := tx.insertAgreement(ctx, a); err != nil || !fresh {
			return err
		}
		var order *Order
		err := tx.Tx(ctx, func(tx *DB) error {
			order, err = tx.placeOffered(ctx, o)
			return err
		})
		if a.Reason, err = rejection(err); err != nil {
			return err
		}
		if a.Reason != "" {
			_, err = tx.q.Exec(ctx, `update agreements set reason = $2 where id = $1`, a.ID, a.Reason)
		} else {
			line := order.Lines[0]
			_, err = tx.q.Exec(ctx, `update agreements set state = 'accepted', uri = $2, order_id = $3, title = $4, amount = $5, currency = $6 where id = $1`,
				a.ID, tx.agreementURI(a.ID), order.ID, line.Title, order.Goods, order.Currency)
		}
		if err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventOfferAnswered, AccountID: o.Seller.ID, TargetID: o.Buyer.ID, ObjectID: a.ID, URI: o.URI}, true)
	})
}

// agreementURI is the address of an agreement with a seller of this node. Unlike the order's own page it opens nothing by
// being known.
func (db *DB) agreementURI(id int64) string { return db.BaseURL() + "/agreements/" + formatID(id) }

// rejection is the code for what the placing of an order says; any other error is passed on.
func rejection(err error) (code string, _ error) {
	var invalid *Invalid
	var sold *SoldOut
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &sold) && sold.Left > 0:
		return OfferFewLeft, nil
	case errors.As(err, &sold):
		return OfferSoldOut, nil
	case errors.As(err, &invalid):
		return invalid.Problems[0].Code, nil
	case errors.Is(err, ErrForbidden):
		return OfferRefused, nil
	}
	return "", err
}

// placeOffered places the order that an Offer asks for.
func (db *DB) placeOffered(ctx context.Context, o Offer) (*Order, error) {
	shop, err := db.Shop(ctx)
	if err != nil {
		return nil, err
	}
	if err := db.lockPair(ctx, o.Buyer.ID, o.Seller.ID); err != nil {
		return nil, err
	}
	if err := db.notBlocked(ctx, o.Seller.ID, o.Buyer.ID); err != nil {
		return nil, err
	}
	switch {
	case o.Wrong != "":
		return nil, invalid("", o.Wrong, "the offer cannot be accepted")
	case o.ListingID == 0:
		return nil, invalid("lines[0].listing_id", "not_for_sale", "this is not for sale")
	case o.Quantity < 1 || o.Quantity > maxOffered:
		return nil, invalid("lines[0].quantity", "quantity", "order 1 to %d", maxOffered)
	}
	ofBuyer, ofHost, err := db.unpaidOffers(ctx, o.Buyer)
	if err != nil {
		return nil, err
	}
	if ofBuyer >= maxUnpaidOfBuyer || ofHost >= maxUnpaidOfHost {
		return nil, invalid("", OfferTooMany, "pay or cancel other orders first")
	}
	key, err := newSecret(16)
	if err != nil {
		return nil, err
	}
	n := NewOrder{Lines: []NewOrderLine{{ListingID: o.ListingID, Quantity: o.Quantity}}, Name: nameOnOrder(o.Buyer), IdempotencyKey: key, offer: &o}
	n.tidy(shop)
	hash, err := n.hash()
	if err != nil {
		return nil, err
	}
	order, err := db.placeOrder(ctx, n, hash, shop)
	if err != nil {
		return nil, err
	}
	return order, db.checkHeld(ctx, order)
}

// What of the pieces of a variant orders by Offer may hold that their buyers have not completed, rounded up: all together half,
// those of one buyer a third. The rest is left to those who order on its page.
const (
	heldOfAll   = 2
	heldOfBuyer = 3
)

// checkHeld refuses an order by Offer, whose variant is locked, where too much of it would be held.
func (db *DB) checkHeld(ctx context.Context, o *Order) error {
	line := o.Lines[0]
	var pieces *int // for sale and so held; null: as many as anybody wants
	var all, ofBuyer int
	err := db.q.QueryRow(ctx, `select v.quantity + h.pieces, h.pieces, h.of_buyer from variants v,
			(select coalesce(sum(l.quantity), 0) as pieces, coalesce(sum(l.quantity) filter (where o.buyer_id = $2), 0) as of_buyer
				from orders o join order_lines l on l.order_id = o.id where o.state = 'placed' and o.payment = '' and l.variant_id = $1) h
		where v.id = $1`, line.VariantID, o.BuyerID).Scan(&pieces, &all, &ofBuyer)
	if err != nil || pieces == nil {
		return err
	}
	if all > (*pieces+heldOfAll-1)/heldOfAll || ofBuyer > (*pieces+heldOfBuyer-1)/heldOfBuyer {
		return invalid("lines[0].quantity", OfferHeld, "too many are kept for orders that nobody completed")
	}
	return nil
}

// unpaidOffers counts the unpaid orders by Offer of a buyer, and of all buyers of the same registrable domain.
func (db *DB) unpaidOffers(ctx context.Context, buyer *Account) (ofBuyer, ofDomain int, err error) {
	rows, err := db.q.Query(ctx, `select b.id, b.host, count(*) from orders o join accounts b on b.id = o.buyer_id where o.state = 'placed' group by 1, 2`)
	if err != nil {
		return 0, 0, err
	}
	domain := Registrable(buyer.Host)
	var id int64
	var host string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&id, &host, &n}, func() error {
		if id == buyer.ID {
			ofBuyer += n
		}
		if Registrable(host) == domain {
			ofDomain += n
		}
		return nil
	})
	return ofBuyer, ofDomain, err
}

// nameOnOrder is how a buyer of another node stands on an order until they say their name.
func nameOnOrder(a *Account) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, a.Title())
	if name = truncate(strings.TrimSpace(name), 100); name == "" {
		return a.Name
	}
	return name
}

// checkOffer adds what an Offer says otherwise than the shop.
func (n *NewOrder) checkOffer(o *Order, shop *Shop, e *Invalid) {
	if len(o.Lines) > 0 && o.SellerID != n.offer.Seller.ID {
		e.Add("lines[0].listing_id", "not_for_sale", "this seller does not sell it")
	}
	if costs := (Money{o.Goods, o.Currency}); n.offer.Pays != "" && !sameAmount(n.offer.Pays, costs) {
		e.Add("lines[0].price", OfferPrice, "it costs %s %s", costs.Decimal(), costs.Currency)
	}
	// A fee is not converted: then it can only be fetched.
	if !shop.Pickup && (!shop.Shipping || shop.ShippingFee > 0 && o.Currency != shop.Currency) {
		e.Add("shipping.pickup", OfferNoDelivery, "it cannot be sent or fetched")
	}
}

var plainDecimal = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,15})?$`)

// sameAmount reports whether a decimal is exactly the amount. Only plain decimals are: an exponent could ask for a
// number of a gigabyte.
func sameAmount(decimal string, m Money) bool {
	if !plainDecimal.MatchString(decimal) {
		return false
	}
	said, ok := new(big.Rat).SetString(decimal)
	is, ok2 := new(big.Rat).SetString(m.Decimal())
	return ok && ok2 && said.Cmp(is) == 0
}

// CompleteOrder takes what a buyer of another node says on the order's page: who they are, where to send it and how they
// pay. The fee for shipping is added now. Lines and the key of n are ignored. *Invalid is that of PlaceOrder; an order
// that is complete, or not open any more, is ErrConflict.
func (db *DB) CompleteOrder(ctx context.Context, token string, n NewOrder) (_ *Order, err error) {
	defer wrap(&err, "complete order")
	shop, err := db.Shop(ctx)
	if err != nil {
		return nil, err
	}
	n.tidy(shop)
	e := &Invalid{}
	n.checkContact(shop, e)
	var o *Order
	err = db.Tx(ctx, func(tx *DB) error {
		if o, err = tx.lockOrder(ctx, `o.token = $1`, token); err != nil {
			return err
		}
		if !o.Incomplete() || o.State != OrderPlaced {
			return fmt.Errorf("the order is %s and complete: %w", o.State, ErrConflict)
		}
		until := o.Created.Add(tx.cfg.HoldFor)
		o.Name, o.Email, o.Phone, o.Pickup, o.Country, o.Address, o.Payment, o.Note, o.Lang = n.Name, n.Email, n.Phone, n.Pickup, n.Country, n.Address, n.Payment, n.Note, n.Lang
		o.HeldUntil, o.Updated = &until, tx.Now()
		o.addFee(shop, e)
		if err := e.Err(); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `update orders set name = $2, email = $3, phone = $4, pickup = $5, country = $6, address = $7, payment = $8, note = $9, lang = $10,
				shipping = $11, total = $12, held_until = $13, updated = $14 where id = $1`,
			o.ID, o.Name, o.Email, o.Phone, o.Pickup, o.Country, o.Address, o.Payment, o.Note, o.Lang, o.Shipping, o.Total, o.HeldUntil, o.Updated); err != nil {
			return err
		}
		return tx.mailPlaced(ctx, o)
	})
	if err != nil {
		return nil, err
	}
	o.SellerNote = ""
	return o, nil
}

// ReceiveOfferTakenBack cancels the order of a buyer of another node who takes the Offer back, while it is not paid; later
// the buyer is told how it stands. An offer that is not there is remembered, so that it is nothing when it comes late.
func (db *DB) ReceiveOfferTakenBack(ctx context.Context, buyer *Account, offerURI string) (err error) {
	defer wrap(&err, "take %s back", offerURI)
	return db.within(ctx, func(tx *DB) error {
		if err := tx.lockActivity(ctx, offerURI); err != nil {
			return err
		}
		if found, err := tx.offerTakenBack(ctx, buyer, offerURI); err != nil || found {
			return err
		}
		return tx.rememberUndo(ctx, offerURI, buyer.ID)
	})
}

func (db *DB) offerTakenBack(ctx context.Context, buyer *Account, offerURI string) (found bool, err error) {
	a, err := db.oneAgreement(ctx, `g.offer_uri = $1 and g.buyer_id = $2`, offerURI, buyer.ID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil || a.OrderID == 0 {
		return true, err
	}
	o, err := db.lockOrder(ctx, `o.id = $1`, a.OrderID)
	if err != nil || o.State == OrderCancelled {
		return true, err
	}
	if o.State == OrderPlaced {
		return true, db.moveOrder(ctx, o, OrderCancelled, 0, OrderByBuyer)
	}
	return true, db.agreementChanged(ctx, o)
}

// agreementChanged tells the node of an order's buyer how it stands; guests have none.
func (db *DB) agreementChanged(ctx context.Context, o *Order) error {
	if o.BuyerID == 0 {
		return nil
	}
	return db.emit(ctx, Event{Kind: EventAgreementChanged, AccountID: o.SellerID, TargetID: o.BuyerID, ObjectID: o.ID}, true)
}
