package souk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

const (
	maxOrderLines    = 50
	maxOrderQuantity = 10_000
)

// NewOrder is what a guest asks for.
type NewOrder struct {
	Lines   []NewOrderLine // of one seller and one currency
	Name    string
	Email   string // or Phone, or both
	Phone   string
	Pickup  bool   // else Address is needed
	Country string // ISO 3166-1 alpha-2; empty: the shop's
	Address string
	Payment string // one of the shop's
	Note    string
	Lang    string // for mail; where the node does not speak it: the shop's
	// IdempotencyKey makes sending the same order again harmless; at most 255 bytes. Empty: every call is a new order.
	IdempotencyKey string

	offer *Offer // whose order it is; then all but the lines and the name comes later (CompleteOrder)
}

// NewOrderLine names a published listing of this node and how many of it. VariantID 0 is its first variant. Lines of the
// same variant become one.
type NewOrderLine struct {
	ListingID int64
	VariantID int64
	Quantity  int
}

// PlaceOrder takes the stock and makes the order, its notification and its mail in one transaction. Prices, fee and total
// are those of this moment. The same key with the same content returns the order that it made before, however often and
// at once it is sent; with other content it is ErrConflict. *Invalid names all wrong fields as the API does
// (lines[0].quantity, contact.email, shipping.address, payment); *SoldOut is the first line that the stock cannot fill.
func (db *DB) PlaceOrder(ctx context.Context, n NewOrder) (_ *Order, err error) {
	defer wrap(&err, "place order")
	shop, err := db.Shop(ctx)
	if err != nil {
		return nil, err
	}
	n.tidy(shop)
	hash, err := n.hash()
	if err != nil {
		return nil, err
	}
	if n.IdempotencyKey == "" {
		if n.IdempotencyKey, err = newSecret(16); err != nil {
			return nil, err
		}
	} else if o, err := db.placedBefore(ctx, n.IdempotencyKey, hash); !errors.Is(err, pgx.ErrNoRows) {
		return o, err
	}
	var o *Order
	err = db.Tx(ctx, func(tx *DB) error {
		o, err = tx.placeOrder(ctx, n, hash, shop)
		return err
	})
	if err != nil {
		// A twin with the same key may have won meanwhile: by the unique index, or by taking the last unit.
		if o, again := db.placedBefore(ctx, n.IdempotencyKey, hash); again == nil || errors.Is(again, ErrConflict) {
			return o, again
		}
		return nil, err
	}
	return o, nil
}

// placedBefore is the order that was made with the key; pgx.ErrNoRows where there is none.
func (db *DB) placedBefore(ctx context.Context, key string, hash []byte) (*Order, error) {
	var id int64
	var before []byte
	err := db.q.QueryRow(ctx, `select id, request_hash from orders where idempotency_key = $1`, key).Scan(&id, &before)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(before, hash) {
		return nil, fmt.Errorf("another order was sent with this idempotency key: %w", ErrConflict)
	}
	o, err := db.order(ctx, `o.id = $1`, id)
	if err != nil {
		return nil, err
	}
	o.SellerNote = ""
	return o, nil
}

// tidy brings what a form or a client sends into the one form that is compared and stored.
func (n *NewOrder) tidy(shop *Shop) {
	for _, text := range []*string{&n.Name, &n.Email, &n.Phone, &n.Address, &n.Note, &n.Payment} {
		*text = tidyText(*text)
	}
	n.Country = strings.ToUpper(strings.TrimSpace(n.Country))
	switch {
	case n.Pickup, n.offer != nil:
		n.Country, n.Address = "", ""
	case n.Country == "":
		n.Country = shop.Country
	}
	if n.Lang, _, _ = strings.Cut(n.Lang, "-"); !slices.Contains(Langs(), n.Lang) {
		n.Lang = shop.Lang
	}
}

// hash tells whether two requests ask for the same.
func (n NewOrder) hash() ([]byte, error) {
	n.IdempotencyKey = ""
	text, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}

// check adds what is wrong with everything but the lines' listings.
func (n *NewOrder) check(shop *Shop, e *Invalid) {
	if !shop.Open {
		e.Add("", "shop_closed", "the shop takes no orders at the moment")
	}
	if len(n.IdempotencyKey) > 255 {
		e.Add("Idempotency-Key", "too_long", "use at most 255 bytes")
	}
	if n.offer == nil {
		n.checkContact(shop, e)
	}
}

// checkContact adds what is wrong with who orders, where it goes and how it is paid.
func (n *NewOrder) checkContact(shop *Shop, e *Invalid) {
	if n.Name == "" {
		e.Add("contact.name", "required", "write your name")
	}
	checkText("contact.name", n.Name, 100, false, e)
	switch {
	case n.Email == "" && n.Phone == "":
		e.Add("contact.email", "contact", "write an e-mail address or a phone number")
	case n.Email != "" && !validEmail(n.Email):
		e.Add("contact.email", "email", "write an address such as name@example.org")
	}
	if n.Phone != "" && !validPhone(n.Phone) {
		e.Add("contact.phone", "phone", "write a phone number such as +49 30 1234567")
	}
	n.checkDelivery(shop, e)
	if n.Payment == "" {
		e.Add("payment", "required", "choose how you pay")
	} else if !slices.Contains(shop.Payments, n.Payment) {
		e.Add("payment", "payment", "choose one of %s", strings.Join(shop.Payments, ", "))
	}
	checkText("note", n.Note, 1000, true, e)
}

func (n *NewOrder) checkDelivery(shop *Shop, e *Invalid) {
	if n.Pickup {
		if !shop.Pickup {
			e.Add("shipping.pickup", "no_pickup", "this shop ships its goods")
		}
		return
	}
	if !shop.Shipping {
		e.Add("shipping.pickup", "pickup_only", "this shop hands its goods out at its place")
		return
	}
	switch {
	case n.Country == "":
		e.Add("shipping.country", "required", "choose a country")
	case !validCountry(n.Country):
		e.Add("shipping.country", "country", "%.10q is not a country code such as DE or CN", n.Country)
	}
	if n.Address == "" {
		e.Add("shipping.address", "required", "write where to send it")
	}
	checkText("shipping.address", n.Address, 500, true, e)
}

// validPhone reports whether s has 5 to 20 digits and else only what people put between them.
func validPhone(s string) bool {
	digits := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, strings.ContainsRune(" -./()", r):
		default:
			return false
		}
	}
	return digits >= 5 && digits <= 20 && len(s) <= 40
}

// offered is a variant of a listing that lines of an order ask for, locked.
type offered struct {
	ListingID int64
	SellerID  int64
	Title     string
	State     string
	Currency  string
	VariantID int64
	Position  int
	Variant   string
	Price     int64
	Quantity  *int
}

// lockOffered locks the listings with their posts, then their variants, in the order of their ids, as everything that
// changes them does (lockListing, lockStock): so no two of them can ever wait for each other.
func (db *DB) lockOffered(ctx context.Context, listings []int64) ([]offered, error) {
	rows, err := db.q.Query(ctx, `select l.id as listing_id, l.seller_id, l.title, l.state, l.currency,
			v.id as variant_id, v.position, v.title as variant, v.price, v.quantity
		from posts p join listings l on l.id = p.id join variants v on v.listing_id = l.id join accounts a on a.id = l.seller_id
		where l.id = any($1) and p.local and p.deleted is null and a.deleted is null and a.suspended is null
		order by l.id, v.id for no key update of p, l, v`, listings)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[offered])
}

func (db *DB) placeOrder(ctx context.Context, n NewOrder, hash []byte, shop *Shop) (*Order, error) {
	e := &Invalid{}
	n.check(shop, e)
	cart, err := db.orderedLines(ctx, n, e)
	if err != nil {
		return nil, err
	}
	token, err := newSecret(20)
	if err != nil {
		return nil, err
	}
	now := db.Now()
	until := now.Add(db.cfg.HoldFor)
	if n.offer != nil {
		until = now.Add(min(agreementHold, db.cfg.HoldFor))
	}
	o := &Order{ID: db.NewID(), Token: token, SellerID: cart.seller, State: OrderPlaced, Name: n.Name, Email: n.Email, Phone: n.Phone,
		Pickup: n.Pickup, Country: n.Country, Address: n.Address, Payment: n.Payment, Note: n.Note, Lang: n.Lang,
		Currency: cart.currency, HeldUntil: &until, Created: now, Updated: now, Lines: cart.lines}
	o.sum(shop, e)
	if n.offer != nil {
		o.BuyerID = n.offer.Buyer.ID
		n.checkOffer(o, shop, e)
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	if cart.soldOut != nil {
		return nil, cart.soldOut
	}
	if err := db.takeStock(ctx, o.Lines); err != nil {
		return nil, err
	}
	if err := db.insertOrder(ctx, o, n.IdempotencyKey, hash); err != nil {
		return nil, err
	}
	return o, db.numberOrder(ctx, o)
}

// cart is what the lines of a new order came to.
type cart struct {
	lines    []OrderLine
	seller   int64
	currency string
	soldOut  *SoldOut // the first listing that its seller calls sold out, whatever its stock
}

// orderedLines turns what was asked for into lines at today's prices and adds what cannot be ordered together or at all.
func (db *DB) orderedLines(ctx context.Context, n NewOrder, e *Invalid) (c cart, err error) {
	if len(n.Lines) == 0 {
		e.Add("lines", "required", "choose something")
	}
	if len(n.Lines) > maxOrderLines {
		e.Add("lines", "too_many", "order at most %d different things at once", maxOrderLines)
		return c, nil
	}
	var ids []int64
	for _, l := range n.Lines {
		ids = append(ids, l.ListingID)
	}
	all, err := db.lockOffered(ctx, ids)
	if err != nil {
		return c, err
	}
	if n.offer != nil && len(all) > 1 {
		e.Add("lines[0].variant_id", OfferVariants, "choose a variant of it")
	}
	for i, asked := range n.Lines {
		field := fmt.Sprintf("lines[%d]", i)
		if asked.Quantity < 1 || asked.Quantity > maxOrderQuantity {
			e.Add(field+".quantity", "quantity", "order 1 to %d", maxOrderQuantity)
		}
		if v, ok := find(all, asked, field, e); ok {
			c.add(v, asked.Quantity, field, e)
		}
	}
	return c, nil
}

func (c *cart) add(v offered, quantity int, field string, e *Invalid) {
	if c.seller == 0 {
		c.seller, c.currency = v.SellerID, v.Currency
	}
	if v.SellerID != c.seller {
		e.Add(field+".listing_id", "other_seller", "%q is of another seller: order it on its own", v.Title)
	} else if v.Currency != c.currency {
		e.Add(field+".listing_id", "other_currency", "%q is sold in another currency: order it on its own", v.Title)
	}
	if v.State == ListingSoldOut && c.soldOut == nil {
		c.soldOut = &SoldOut{ListingID: v.ListingID, Title: v.Title}
	}
	if i := slices.IndexFunc(c.lines, func(l OrderLine) bool { return l.VariantID == v.VariantID }); i >= 0 {
		c.lines[i].Quantity += quantity
		return
	}
	c.lines = append(c.lines, OrderLine{Position: len(c.lines), ListingID: v.ListingID, VariantID: v.VariantID,
		Title: v.Title, Variant: v.Variant, Quantity: quantity, Price: v.Price})
}

// find is the variant that a line asks for, or a problem with the line.
func find(all []offered, asked NewOrderLine, field string, e *Invalid) (offered, bool) {
	var of []offered
	for _, v := range all {
		if v.ListingID == asked.ListingID && (v.State == ListingPublished || v.State == ListingSoldOut) {
			of = append(of, v)
		}
	}
	if len(of) == 0 {
		e.Add(field+".listing_id", "not_for_sale", "this is not for sale")
		return offered{}, false
	}
	if asked.VariantID == 0 {
		return slices.MinFunc(of, func(a, b offered) int { return cmp.Compare(a.Position, b.Position) }), true
	}
	i := slices.IndexFunc(of, func(v offered) bool { return v.VariantID == asked.VariantID })
	if i < 0 {
		e.Add(field+".variant_id", "not_for_sale", "%q has no such variant", of[0].Title)
		return offered{}, false
	}
	return of[i], true
}

// sum fills in the amounts. No line can overflow: MaxAmount * maxOrderQuantity * maxOrderLines is below 2^63, and what is out of these bounds was refused or bounded before.
func (o *Order) sum(shop *Shop, e *Invalid) {
	for _, l := range o.Lines {
		o.Goods += l.Price * int64(max(l.Quantity, 0))
	}
	o.Total = o.Goods
	if !o.Incomplete() {
		o.addFee(shop, e)
	}
	if o.Total > MaxAmount {
		e.Add("lines", "total_large", "the total is too large")
	}
}

// addFee adds what sending it costs.
func (o *Order) addFee(shop *Shop, e *Invalid) {
	if !o.Pickup && shop.ShippingFee > 0 && len(o.Lines) > 0 {
		if o.Currency != shop.Currency {
			// The fee is not converted: a price is never guessed.
			e.Add("shipping.pickup", "fee_currency", "shipping is charged in %s: ask the seller, or pick it up", shop.Currency)
		}
		o.Shipping = shop.ShippingFee
	}
	o.Total = o.Goods + o.Shipping
}

// takeStock moves what the lines ask for from what is for sale to what is held; *SoldOut where it is not there. The rows
// are locked already; the condition in the update is what nothing can get past.
func (db *DB) takeStock(ctx context.Context, lines []OrderLine) error {
	for _, l := range byVariant(lines) {
		tag, err := db.q.Exec(ctx, `update variants set quantity = quantity - $2, held = held + $2
			where id = $1 and (quantity is null or quantity >= $2)`, l.VariantID, l.Quantity)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			sold := &SoldOut{ListingID: l.ListingID, Title: l.Title}
			if err := db.q.QueryRow(ctx, `select coalesce(quantity, 0) from variants where id = $1`, l.VariantID).Scan(&sold.Left); err != nil {
				return err
			}
			return sold
		}
	}
	return db.stockOfLinesChanged(ctx, lines)
}

// byVariant are the lines in the order in which rows are locked.
func byVariant(lines []OrderLine) []OrderLine {
	return slices.SortedFunc(slices.Values(lines), func(a, b OrderLine) int {
		return cmp.Or(cmp.Compare(a.ListingID, b.ListingID), cmp.Compare(a.VariantID, b.VariantID))
	})
}

// stockOfLinesChanged tells each listing of the lines once that its stock is another.
func (db *DB) stockOfLinesChanged(ctx context.Context, lines []OrderLine) error {
	var last int64
	for _, l := range byVariant(lines) {
		if l.ListingID == last {
			continue
		}
		last = l.ListingID
		if err := db.stockChanged(ctx, l.ListingID); err != nil {
			return err
		}
	}
	return nil
}

// insertOrder writes the order and all that follows from it. Its number is its id, negative, until numberOrder.
func (db *DB) insertOrder(ctx context.Context, o *Order, key string, hash []byte) error {
	_, err := db.q.Exec(ctx, `insert into orders (id, number, token, seller_id, buyer_id, state, name, email, phone, pickup, country, address, payment,
			note, lang, currency, goods, shipping, total, idempotency_key, request_hash, held_until, created, updated)
		values ($1, -$1::bigint, $2, $3, nullif($22::bigint, 0), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $21)`,
		o.ID, o.Token, o.SellerID, o.State, o.Name, o.Email, o.Phone, o.Pickup, o.Country, o.Address, o.Payment,
		o.Note, o.Lang, o.Currency, o.Goods, o.Shipping, o.Total, key, hash, o.HeldUntil, o.Created, o.BuyerID)
	if err != nil {
		return err
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		l.OrderID = o.ID
		_, err := db.q.Exec(ctx, `insert into order_lines (order_id, position, listing_id, variant_id, title, variant, quantity, price)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`, o.ID, l.Position, l.ListingID, l.VariantID, l.Title, l.Variant, l.Quantity, l.Price)
		if err != nil {
			return err
		}
	}
	if err := db.orderEvent(ctx, o, 0, ""); err != nil {
		return err
	}
	if err := db.notify(ctx, o.SellerID, NotifyOrder, 0, 0, o.ID); err != nil {
		return err
	}
	if o.Incomplete() {
		return nil // nothing to do yet for the seller, and nobody to write to
	}
	return db.mailPlaced(ctx, o)
}

// mailPlaced queues the mails about an order that has all that the seller needs.
func (db *DB) mailPlaced(ctx context.Context, o *Order) error {
	if err := db.mailBuyer(ctx, o, "placed"); err != nil {
		return err
	}
	return db.job(ctx, MailArgs{OrderID: o.ID, Mail: "seller_placed"}, nil)
}

// numberOrder gives the order the next number. It is the last statement: all orders wait here for each other, so that no
// number is left out, and what is locked last is locked shortest.
func (db *DB) numberOrder(ctx context.Context, o *Order) error {
	return db.q.QueryRow(ctx, `with next as (update shop set order_seq = order_seq + 1 returning order_seq)
		update orders set number = next.order_seq from next where id = $1 returning number`, o.ID).Scan(&o.Number)
}

// mailBuyer queues a mail to a buyer who gave an address.
func (db *DB) mailBuyer(ctx context.Context, o *Order, mail string) error {
	if o.Email == "" {
		return nil
	}
	return db.job(ctx, MailArgs{OrderID: o.ID, Mail: mail}, nil)
}

// orderEvent notes the state that the order is in now, after all its events so far even where the clock stood still.
func (db *DB) orderEvent(ctx context.Context, o *Order, by int64, note string) error {
	rows, err := db.q.Query(ctx, `insert into order_events (order_id, at, state, by_id, note)
		select $1, greatest($2, (select max(at) + interval '1 microsecond' from order_events where order_id = $1)), $3, nullif($4::bigint, 0), $5
		returning order_id, at, state, coalesce(by_id, 0) as by_id, note`, o.ID, o.Updated, o.State, by, note)
	if err != nil {
		return err
	}
	event, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[OrderEvent])
	o.Events = append(o.Events, event)
	return err
}
