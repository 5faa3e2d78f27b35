package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// States of an order. order_state.go says which may follow which.
const (
	OrderPlaced    = "placed" // not paid; its stock is held until HeldUntil
	OrderPaid      = "paid"
	OrderShipped   = "shipped"
	OrderDone      = "done"
	OrderCancelled = "cancelled"
)

// OrderStates are all states in the order in which an order passes them.
func OrderStates() []string {
	return []string{OrderPlaced, OrderPaid, OrderShipped, OrderDone, OrderCancelled}
}

// Order is what somebody ordered of one seller. Amounts are minor units of Currency, and stay as they were when it was
// placed; Total is Goods + Shipping.
type Order struct {
	ID         int64
	Number     int64  // for people; no gaps
	Token      string // of the buyer's page: whoever has it may see and cancel the order
	SellerID   int64
	BuyerID    int64 // the account of another node that ordered by an Offer; 0: a guest
	State      string
	Name       string
	Email      string // one of Email and Phone may be empty; both while Incomplete
	Phone      string
	Pickup     bool   // then Country and Address are empty
	Country    string // ISO 3166-1 alpha-2
	Address    string // lines of text
	Payment    string // one of Payments; empty while Incomplete
	Note       string // of the buyer
	Lang       string // of the buyer: en or zh
	Currency   string
	Goods      int64
	Shipping   int64
	Total      int64
	Tracking   string
	SellerNote string // for the seller alone; empty in what OrderByToken and PlaceOrder return
	HeldUntil  *time.Time
	Created    time.Time
	Updated    time.Time

	Lines  []OrderLine  `db:"-"`
	Events []OrderEvent `db:"-"` // the oldest first; Orders leaves them out
}

// Incomplete reports whether a buyer of another node has not said yet who they are, where to send it and how they pay
// (CompleteOrder).
func (o *Order) Incomplete() bool { return o.Payment == "" }

// OrderLine is one thing ordered, as it was called and cost then.
type OrderLine struct {
	OrderID   int64
	Position  int
	ListingID int64
	VariantID int64
	Title     string
	Variant   string // title of the variant; empty where there is but one
	Quantity  int
	Price     int64 // of one
}

// Notes of events that nobody of this node caused.
const (
	OrderByBuyer = "buyer"   // the buyer cancelled
	OrderExpired = "expired" // the hold ended unpaid
)

// OrderEvent is a state that an order came into. ByID 0 is the buyer or the clock, and then Note is empty, OrderByBuyer or
// OrderExpired; else Note is what the seller wrote to the buyer.
type OrderEvent struct {
	OrderID int64
	At      time.Time
	State   string
	ByID    int64
	Note    string
}

// OrderFilter narrows a list of orders.
type OrderFilter struct {
	State string // empty: all
}

const orderColumns = `o.id, o.number, o.token, o.seller_id, coalesce(o.buyer_id, 0) as buyer_id, o.state, o.name, o.email, o.phone, o.pickup, o.country, o.address, o.payment,
	o.note, o.lang, o.currency, o.goods, o.shipping, o.total, o.tracking, o.seller_note, o.held_until, o.created, o.updated`

// orderOf is the condition for orders o that the account $1 may see and change: the owner all, a seller their own.
const orderOf = `exists (select 1 from accounts a where a.id = $1 and a.deleted is null and a.suspended is null
	and (a.role = 'owner' or a.role = 'seller' and a.id = o.seller_id))`

// Order is one order with its lines and events, for its seller or the owner; for anyone else it is ErrNotFound.
func (db *DB) Order(ctx context.Context, by, id int64) (_ *Order, err error) {
	defer wrap(&err, "order %d", id)
	return db.order(ctx, `o.id = $2 and `+orderOf, by, id)
}

// OrderByToken is the buyer's view of the order with the token.
func (db *DB) OrderByToken(ctx context.Context, token string) (_ *Order, err error) {
	defer wrap(&err, "order by token")
	o, err := db.order(ctx, `o.token = $1`, token)
	if err != nil {
		return nil, err
	}
	o.SellerNote = ""
	return o, nil
}

// OrderToMail is the order for the worker that writes the mail about it; it asks nobody who they are.
func (db *DB) OrderToMail(ctx context.Context, id int64) (_ *Order, err error) {
	defer wrap(&err, "order to mail %d", id)
	return db.order(ctx, `o.id = $1`, id)
}

// order loads the one order that the condition names, with lines and events.
func (db *DB) order(ctx context.Context, where string, args ...any) (*Order, error) {
	rows, err := db.q.Query(ctx, `select `+orderColumns+` from orders o where `+where, args...)
	if err != nil {
		return nil, err
	}
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Order])
	if err != nil {
		return nil, err
	}
	orders := []*Order{o}
	if err := db.orderLines(ctx, orders); err != nil {
		return nil, err
	}
	rows, err = db.q.Query(ctx, `select order_id, at, state, coalesce(by_id, 0) as by_id, note from order_events
		where order_id = $1 order by at`, o.ID)
	if err != nil {
		return nil, err
	}
	o.Events, err = pgx.CollectRows(rows, pgx.RowToStructByName[OrderEvent])
	return o, err
}

// orderLines fills in the lines of the orders.
func (db *DB) orderLines(ctx context.Context, orders []*Order) error {
	byID := map[int64]*Order{}
	ids := make([]int64, len(orders))
	for i, o := range orders {
		ids[i], byID[o.ID] = o.ID, o
	}
	rows, err := db.q.Query(ctx, `select order_id, position, listing_id, variant_id, title, variant, quantity, price from order_lines
		where order_id = any($1) order by order_id, position`, ids)
	if err != nil {
		return err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowToStructByName[OrderLine])
	for _, l := range lines {
		byID[l.OrderID].Lines = append(byID[l.OrderID].Lines, l)
	}
	return err
}

// Orders are those that the account may see, with their lines, newest first: all for the owner, a seller's own, none for
// anyone else.
func (db *DB) Orders(ctx context.Context, by int64, filter OrderFilter, page Page) (_ []Order, err error) {
	defer wrap(&err, "orders for %d", by)
	rows, err := db.q.Query(ctx, `select `+orderColumns+` from orders o
		where `+orderOf+` and ($2 = '' or o.state = $2) and o.id < $3 and o.id > $4
		order by o.id `+page.order()+` limit $5`, by, filter.State, page.before(), page.After, page.limit())
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Order])
	if err != nil {
		return nil, err
	}
	list = newestFirst(page, list)
	pointers := make([]*Order, len(list))
	for i := range list {
		pointers[i] = &list[i]
	}
	return list, db.orderLines(ctx, pointers)
}

// OrderCounts is how many orders the account may see in each state; every state has an entry.
func (db *DB) OrderCounts(ctx context.Context, by int64) (_ map[string]int, err error) {
	defer wrap(&err, "order counts for %d", by)
	counts := map[string]int{}
	for _, s := range OrderStates() {
		counts[s] = 0
	}
	rows, err := db.q.Query(ctx, `select o.state, count(*) from orders o where `+orderOf+` group by o.state`, by)
	if err != nil {
		return nil, err
	}
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		counts[state] = n
		return nil
	})
	return counts, err
}
