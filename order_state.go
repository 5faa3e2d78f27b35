package souk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// OrderSteps are the states that SetOrderState would take the order to now, the usual one first. The last of paid and of
// shipped is a step back, for what was clicked by mistake: stock and hold become what they were, and nobody is mailed.
// From paid it is open only while the hold would still last. An order by Offer can only be cancelled until its buyer has
// said who they are, where it goes and how they pay: what is said later would find it closed.
func (db *DB) OrderSteps(o *Order) []string {
	switch o.State {
	case OrderPlaced:
		if o.Incomplete() {
			return []string{OrderCancelled}
		}
		return []string{OrderPaid, OrderCancelled}
	case OrderPaid:
		steps := []string{OrderShipped, OrderCancelled}
		if o.Pickup {
			steps[0] = OrderDone
		}
		if o.Created.Add(db.cfg.HoldFor).After(db.Now()) {
			steps = append(steps, OrderPlaced)
		}
		return steps
	case OrderShipped:
		return []string{OrderDone, OrderPaid}
	}
	return nil
}

// SetOrderState moves an order on, for its seller or the owner: placed, paid, shipped (or for pickup done at once), done;
// cancelled from placed and paid; one step back from paid and from shipped (OrderSteps). Cancelling gives the stock back.
// The note is for the buyer and stands in the events; a tracking number that is not empty is kept with the order. The
// state that the order is in already only takes a new tracking number. A step that is not allowed is ErrConflict; an
// order of another seller is ErrNotFound.
func (db *DB) SetOrderState(ctx context.Context, by, id int64, to, note, tracking string) (_ *Order, err error) {
	defer wrap(&err, "set order %d %s", id, to)
	note, tracking = tidyText(note), tidyText(tracking)
	e := &Invalid{}
	if !slices.Contains(OrderStates(), to) {
		e.Add("state", "state", "%.30q is not a state of orders", to)
	}
	checkText("note", note, 1000, true, e)
	checkText("tracking", tracking, 100, false, e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	var o *Order
	err = db.Tx(ctx, func(tx *DB) error {
		if o, err = tx.lockOrder(ctx, `o.id = $2 and `+orderOf, by, id); err != nil {
			return err
		}
		if tracking != "" {
			o.Tracking = tracking
		}
		if o.State == to {
			_, err := tx.q.Exec(ctx, `update orders set tracking = $2 where id = $1`, o.ID, o.Tracking)
			return err
		}
		return tx.moveOrder(ctx, o, to, by, note)
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// SetSellerNote keeps what the seller wants to remember about an order; the buyer never sees it.
func (db *DB) SetSellerNote(ctx context.Context, by, id int64, note string) (err error) {
	defer wrap(&err, "set seller note of order %d", id)
	e := &Invalid{}
	note = tidyText(note)
	checkText("seller_note", note, 2000, true, e)
	if err := e.Err(); err != nil {
		return err
	}
	tag, err := db.q.Exec(ctx, `update orders o set seller_note = $3, updated = $4 where o.id = $2 and `+orderOf, by, id, note, db.Now())
	if err == nil && tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return err
}

// CancelByBuyer cancels the order with the token while it is placed; later it is ErrConflict. Twice is no error.
func (db *DB) CancelByBuyer(ctx context.Context, token string) (_ *Order, err error) {
	defer wrap(&err, "cancel order by its buyer")
	var o *Order
	err = db.Tx(ctx, func(tx *DB) error {
		if o, err = tx.lockOrder(ctx, `o.token = $1`, token); err != nil || o.State == OrderCancelled {
			return err
		}
		if o.State != OrderPlaced {
			return fmt.Errorf("the order is %s: %w", o.State, ErrConflict)
		}
		return tx.moveOrder(ctx, o, OrderCancelled, 0, OrderByBuyer)
	})
	if err != nil {
		return nil, err
	}
	o.SellerNote = ""
	return o, nil
}

// ExpireHolds cancels unpaid orders whose hold ended and gives their stock back; it returns how many. One call takes at
// most 500, each in its own transaction, so that stock is never locked for long; orders that another process is at are
// left to it. What fails is reported and does not stop the rest.
func (db *DB) ExpireHolds(ctx context.Context) (n int, err error) {
	defer wrap(&err, "expire holds")
	var failed []error
	var last int64
	for range 500 {
		found := false
		err := db.Tx(ctx, func(tx *DB) error {
			o, err := tx.lockOrder(ctx, `o.id = (select id from orders where held_until <= $1 and state = 'placed' and id > $2
				order by id limit 1 for no key update skip locked)`, db.Now(), last)
			if err != nil {
				return err
			}
			found, last = true, o.ID
			return tx.moveOrder(ctx, o, OrderCancelled, 0, OrderExpired)
		})
		switch {
		case !found:
			if !errors.Is(err, pgx.ErrNoRows) {
				failed = append(failed, err)
			}
			return n, errors.Join(failed...)
		case err != nil:
			failed = append(failed, fmt.Errorf("order %d: %w", last, err))
		default:
			n++
		}
	}
	return n, errors.Join(failed...)
}

// lockOrder loads an order and keeps others from changing it until the end of the transaction.
func (db *DB) lockOrder(ctx context.Context, where string, args ...any) (*Order, error) {
	var id int64
	if err := db.q.QueryRow(ctx, `select o.id from orders o where `+where+` for no key update of o`, args...).Scan(&id); err != nil {
		return nil, err
	}
	return db.order(ctx, `o.id = $1`, id)
}

// moveOrder takes a locked order to another state, with its stock, hold, event and mail.
func (db *DB) moveOrder(ctx context.Context, o *Order, to string, by int64, note string) error {
	if !slices.Contains(db.OrderSteps(o), to) {
		return fmt.Errorf("an order that is %s cannot become %s: %w", o.State, to, ErrConflict)
	}
	from := o.State
	if err := db.moveStock(ctx, o.Lines, from, to); err != nil {
		return err
	}
	o.State, o.Updated, o.HeldUntil = to, db.Now(), nil
	if to == OrderPlaced {
		until := o.Created.Add(db.cfg.HoldFor)
		o.HeldUntil = &until
	}
	_, err := db.q.Exec(ctx, `update orders set state = $2, tracking = $3, held_until = $4, updated = $5 where id = $1`,
		o.ID, o.State, o.Tracking, o.HeldUntil, o.Updated)
	if err != nil {
		return err
	}
	if err := db.orderEvent(ctx, o, by, note); err != nil {
		return err
	}
	if err := db.agreementChanged(ctx, o); err != nil {
		return err
	}
	if to == OrderDone && o.BuyerID != 0 {
		if err := db.emit(ctx, Event{Kind: EventAgreementDone, AccountID: o.SellerID, TargetID: o.BuyerID, ObjectID: o.ID}, true); err != nil {
			return err
		}
	}
	back := slices.Index(OrderStates(), to) < slices.Index(OrderStates(), from)
	if back || to == OrderDone {
		return nil // nothing that the buyer does not know
	}
	return db.mailBuyer(ctx, o, to)
}

// moveStock keeps the stock true to a step of an order: held while it is placed, sold from paid on, for sale again once it
// is cancelled.
func (db *DB) moveStock(ctx context.Context, lines []OrderLine, from, to string) error {
	held, sale := 0, 0 // what becomes of each unit
	if from == OrderPlaced {
		held = -1
	}
	if to == OrderPlaced {
		held = 1
	}
	if to == OrderCancelled {
		sale = 1
	}
	if held == 0 && sale == 0 {
		return nil
	}
	living, err := db.lockStock(ctx, lines)
	if err != nil {
		return err
	}
	for _, l := range byVariant(lines) {
		_, err := db.q.Exec(ctx, `update variants set quantity = quantity + $2, held = held + $3 where id = $1`,
			l.VariantID, sale*l.Quantity, held*l.Quantity)
		if err != nil {
			return err
		}
	}
	if sale == 0 {
		return nil
	}
	// A withdrawn listing stays withdrawn: nobody is told of its stock.
	return db.stockOfLinesChanged(ctx, slices.DeleteFunc(slices.Clone(lines), func(l OrderLine) bool {
		return !slices.Contains(living, l.ListingID)
	}))
}

// lockStock locks the listings, posts and variants of the lines as lockOffered does; it returns the listings that were not
// withdrawn since.
func (db *DB) lockStock(ctx context.Context, lines []OrderLine) (living []int64, err error) {
	listings := make([]int64, len(lines))
	for i, l := range lines {
		listings[i] = l.ListingID
	}
	rows, err := db.q.Query(ctx, `select l.id, l.state <> 'withdrawn'
		from posts p join listings l on l.id = p.id join variants v on v.listing_id = l.id
		where l.id = any($1) order by l.id, v.id for no key update of p, l, v`, listings)
	if err != nil {
		return nil, err
	}
	var id int64
	var lives bool
	_, err = pgx.ForEachRow(rows, []any{&id, &lives}, func() error {
		if lives {
			living = append(living, id)
		}
		return nil
	})
	return living, err
}
