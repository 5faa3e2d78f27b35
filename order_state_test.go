package souk

import (
	"slices"
	"testing"
	"time"
)

func TestOrderStates(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 5, 1200)
	o := must(m.PlaceOrder(ctx, guest(tea, 2)))(t)
	by := m.seller.ID

	o = must(m.SetOrderState(ctx, by, o.ID, OrderPaid, "Thank you", ""))(t)
	if o.State != OrderPaid || o.HeldUntil != nil {
		t.Errorf("paid: %+v", o)
	}
	m.stock(teas[0], 3, 0)
	o = must(m.SetOrderState(ctx, by, o.ID, OrderShipped, "", "RR123456785DE"))(t)
	must(m.SetOrderState(ctx, by, o.ID, OrderShipped, "", ""))(t)              // twice: nothing
	must(m.SetOrderState(ctx, by, o.ID, OrderShipped, "", "RR999999999DE"))(t) // a corrected number
	o = must(m.SetOrderState(ctx, m.owner.ID, o.ID, OrderDone, "", ""))(t)     // the owner may too
	if got := m.mails(o.ID); !slices.Equal(got, []string{"placed", "seller_placed", "paid", "shipped"}) {
		t.Errorf("mails: %q", got)
	}
	m.stock(teas[0], 3, 0)

	o = must(m.OrderByToken(ctx, o.Token))(t)
	if o.State != OrderDone || o.Tracking != "RR999999999DE" {
		t.Errorf("the buyer sees %+v", o)
	}
	var states []string
	for _, e := range o.Events {
		states = append(states, e.State)
	}
	if !slices.Equal(states, []string{OrderPlaced, OrderPaid, OrderShipped, OrderDone}) || o.Events[1].Note != "Thank you" ||
		o.Events[1].ByID != by || o.Events[3].ByID != m.owner.ID {
		t.Errorf("events: %+v", o.Events)
	}
}

// Every step from every state, for both kinds of delivery.
func TestOrderSteps(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, _ := m.goods(m.seller, "Tea", 500, 1200)
	paths := map[string][]string{OrderPlaced: nil, OrderPaid: {OrderPaid}, OrderShipped: {OrderPaid, OrderShipped},
		OrderDone: {OrderPaid, OrderShipped, OrderDone}, OrderCancelled: {OrderCancelled}}
	allowed := map[string][]string{OrderPlaced: {OrderPaid, OrderCancelled}, OrderPaid: {OrderShipped, OrderCancelled, OrderPlaced},
		OrderShipped: {OrderDone, OrderPaid}}
	for from, path := range paths {
		for _, to := range OrderStates() {
			if to == from {
				continue
			}
			o := must(m.PlaceOrder(ctx, guest(tea, 1)))(t)
			for _, step := range path {
				o = must(m.SetOrderState(ctx, m.seller.ID, o.ID, step, "", ""))(t)
			}
			_, err := m.SetOrderState(ctx, m.seller.ID, o.ID, to, "", "")
			if slices.Contains(allowed[from], to) {
				if err != nil {
					t.Errorf("%s to %s: %v", from, to, err)
				}
				continue
			}
			wantErr(t, from+" to "+to, err, ErrConflict)
			if got := must(m.OrderByToken(ctx, o.Token))(t); got.State != from || len(got.Events) != len(path)+1 {
				t.Errorf("%s to %s left %s with %d events", from, to, got.State, len(got.Events))
			}
		}
	}

	n := guest(tea, 1)
	n.Pickup = true
	o := must(m.PlaceOrder(ctx, n))(t)
	o = must(m.SetOrderState(ctx, m.seller.ID, o.ID, OrderPaid, "", ""))(t)
	_, err := m.SetOrderState(ctx, m.seller.ID, o.ID, OrderShipped, "", "")
	wantErr(t, "shipping a pickup", err, ErrConflict)
	must(m.SetOrderState(ctx, m.seller.ID, o.ID, OrderDone, "", ""))(t)
}

func TestSetOrderStateRefusals(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	member := must(m.CreateAccount(ctx, NewAccount{Name: "cy", Password: "market lane 3"}))(t)
	cup, _ := m.goods(m.owner, "Cup", 5, 800)
	o := must(m.PlaceOrder(ctx, guest(cup, 1)))(t)
	for who, by := range map[string]int64{"another seller": m.seller.ID, "a member": member.ID, "nobody": 0} {
		_, err := m.SetOrderState(ctx, by, o.ID, OrderPaid, "", "")
		wantErr(t, who, err, ErrNotFound)
		wantErr(t, who+"'s note", m.SetSellerNote(ctx, by, o.ID, "x"), ErrNotFound)
	}
	_, err := m.SetOrderState(ctx, m.owner.ID, o.ID, "lost", "", "a\x00b")
	wantFields(t, err, "state state", "tracking characters")

	if err := m.SetSellerNote(ctx, m.owner.ID, o.ID, "gift wrap"); err != nil {
		t.Fatal(err)
	}
	if got := must(m.Order(ctx, m.owner.ID, o.ID))(t).SellerNote; got != "gift wrap" {
		t.Errorf("the seller's note is %q", got)
	}
	if got := must(m.OrderByToken(ctx, o.Token))(t).SellerNote; got != "" {
		t.Errorf("the buyer sees the seller's note %q", got)
	}
}

func TestCancelOrder(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 4, 1200)

	placed := must(m.PlaceOrder(ctx, guest(tea, 2)))(t)
	paid := must(m.PlaceOrder(ctx, guest(tea, 2)))(t)
	must(m.SetOrderState(ctx, m.seller.ID, paid.ID, OrderPaid, "", ""))(t)
	m.stock(teas[0], 0, 2)

	_, err := m.CancelByBuyer(ctx, paid.Token)
	wantErr(t, "a paid order by its buyer", err, ErrConflict)
	for range 2 { // the second changes nothing
		o := must(m.CancelByBuyer(ctx, placed.Token))(t)
		if o.State != OrderCancelled || o.Events[len(o.Events)-1].Note != OrderByBuyer {
			t.Errorf("cancelled: %+v", o)
		}
	}
	m.stock(teas[0], 2, 0)
	if got := m.count(`select count(*) from listings where id = $1 and availability <> 'sold_out'`, tea); got != 1 {
		t.Error("the listing still says that it is sold out")
	}
	must(m.SetOrderState(ctx, m.seller.ID, paid.ID, OrderCancelled, "sorry", ""))(t)
	m.stock(teas[0], 4, 0)
	if got := m.mails(placed.ID); !slices.Equal(got, []string{"placed", "seller_placed", "cancelled"}) {
		t.Errorf("mails: %q", got)
	}
	_, err = m.CancelByBuyer(ctx, "")
	wantErr(t, "no token", err, ErrNotFound)
}

// An order outlives the listing: it can still be cancelled, and that does not bring the listing back.
func TestCancelOrderOfWithdrawnListing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	listing := must(m.CreateListing(ctx, m.seller.ID, NewListing{Title: "Tea", Price: Money{Amount: 1200, Currency: "EUR"}, Quantity: 1}))(t)
	tea := listing.ID
	o := must(m.PlaceOrder(ctx, guest(tea, 1)))(t)
	if err := m.WithdrawListing(ctx, m.seller.ID, tea); err != nil {
		t.Fatal(err)
	}
	o = must(m.CancelByBuyer(ctx, o.Token))(t)
	if o.State != OrderCancelled || o.Lines[0].Title != "Tea" {
		t.Errorf("order: %+v", o)
	}
	m.stock(listing.Variants[0].ID, 1, 0)
	if got := m.count(`select count(*) from listings where id = $1 and state = 'withdrawn' and availability = 'sold_out'`, tea); got != 1 {
		t.Error("the listing came back")
	}
	_, err := m.PlaceOrder(ctx, guest(tea, 1))
	wantFields(t, err, "lines[0].listing_id not_for_sale")
}

// A payment marked by mistake can be taken back while the hold would last; then the order expires as before.
func TestTakePaymentBack(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 4, 1200)
	o := must(m.PlaceOrder(ctx, guest(tea, 1)))(t)
	held := *o.HeldUntil
	must(m.SetOrderState(ctx, m.seller.ID, o.ID, OrderPaid, "", ""))(t)
	m.pass(time.Hour)
	o = must(m.SetOrderState(ctx, m.seller.ID, o.ID, OrderPlaced, "", ""))(t)
	if o.HeldUntil == nil || !o.HeldUntil.Equal(held) {
		t.Errorf("held until %v, want %v", o.HeldUntil, held)
	}
	m.stock(teas[0], 3, 1)
	if got := m.mails(o.ID); !slices.Equal(got, []string{"placed", "seller_placed", "paid"}) {
		t.Errorf("mails: %q", got)
	}
	o = must(m.SetOrderState(ctx, m.seller.ID, o.ID, OrderPaid, "", ""))(t)
	m.pass(48 * time.Hour)
	_, err := m.SetOrderState(ctx, m.seller.ID, o.ID, OrderPlaced, "", "")
	wantErr(t, "back to placed after the hold", err, ErrConflict)
}

func TestExpireHolds(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 10, 1200)
	var old []*Order
	for range 3 {
		old = append(old, must(m.PlaceOrder(ctx, guest(tea, 1)))(t))
	}
	must(m.SetOrderState(ctx, m.seller.ID, old[0].ID, OrderPaid, "", ""))(t)
	m.pass(47 * time.Hour)
	fresh := must(m.PlaceOrder(ctx, guest(tea, 1)))(t)
	if n := must(m.ExpireHolds(ctx))(t); n != 0 {
		t.Errorf("%d orders expired before their time", n)
	}
	m.pass(time.Hour)
	ns := make([]int, 4)
	together(len(ns), func(i int) { // several workers share the work
		n, err := m.ExpireHolds(ctx)
		if err != nil {
			t.Error(err)
		}
		ns[i] = n
	})
	if n := ns[0] + ns[1] + ns[2] + ns[3]; n != 2 {
		t.Errorf("%d orders expired, want 2", n)
	}
	m.stock(teas[0], 8, 1)
	for o, want := range map[*Order]string{old[0]: OrderPaid, old[1]: OrderCancelled, old[2]: OrderCancelled, fresh: OrderPlaced} {
		got := must(m.OrderByToken(ctx, o.Token))(t)
		if got.State != want {
			t.Errorf("order %d is %s, want %s", o.Number, got.State, want)
		}
		if last := got.Events[len(got.Events)-1]; want == OrderCancelled && (last.Note != OrderExpired || last.ByID != 0) {
			t.Errorf("order %d: last event %+v", o.Number, last)
		}
	}
}
