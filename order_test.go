package souk

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPlaceOrder(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 5, 1200, 2100)
	cup, cups := m.goods(m.seller, "Cup", 3, 800)

	n := guest(tea, 1)
	n.Lines = []NewOrderLine{{ListingID: tea, VariantID: teas[1], Quantity: 1}, {ListingID: cup, Quantity: 2},
		{ListingID: tea, VariantID: teas[1], Quantity: 1}}
	o := must(m.PlaceOrder(ctx, n))(t)

	if o.Goods != 2*2100+2*800 || o.Shipping != 490 || o.Total != o.Goods+490 || o.Currency != "EUR" {
		t.Errorf("amounts: %d + %d = %d %s", o.Goods, o.Shipping, o.Total, o.Currency)
	}
	if len(o.Lines) != 2 || o.Lines[0].Quantity != 2 || o.Lines[0].Variant != "Tea 1" || o.Lines[1].VariantID != cups[0] {
		t.Errorf("lines: %+v", o.Lines)
	}
	if o.State != OrderPlaced || o.Number != 1001 || o.SellerID != m.seller.ID || o.Country != "DE" || o.Lang != "zh" ||
		o.Address != "Gasse 1\n10115 Berlin" || !o.HeldUntil.Equal(m.Now().Add(48*time.Hour)) || len(o.Token) < 22 {
		t.Errorf("order: %+v", o)
	}
	m.stock(teas[0], 5, 0)
	m.stock(teas[1], 3, 2)
	m.stock(cups[0], 1, 2)
	if got := m.mails(o.ID); !slices.Equal(got, []string{"placed", "seller_placed"}) {
		t.Errorf("mails: %q", got)
	}
	told := must(m.Notifications(ctx, m.seller.ID, Page{}))(t)
	if len(told) != 1 || told[0].Kind != NotifyOrder || told[0].OrderID != o.ID {
		t.Errorf("the seller was told %+v", told)
	}

	same := must(m.OrderByToken(ctx, o.Token))(t)
	if same.ID != o.ID || len(same.Lines) != 2 || len(same.Events) != 1 || same.Events[0].State != OrderPlaced {
		t.Errorf("by token: %+v", same)
	}
	_, err := m.OrderByToken(ctx, o.Token[:len(o.Token)-1]+"!")
	wantErr(t, "another token", err, ErrNotFound)
}

func TestPlaceOrderPickupByPhone(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	tea, _ := m.goods(m.owner, "Tea", 5, 1200)
	n := guest(tea, 1)
	n.Email, n.Phone, n.Pickup, n.Payment, n.Lang = "", "+86 138 0013 8000", true, PayCash, "fr"
	o := must(m.PlaceOrder(t.Context(), n))(t)
	if o.Shipping != 0 || o.Total != 1200 || o.Address != "" || o.Country != "" || o.Lang != "en" {
		t.Errorf("order: %+v", o)
	}
	if got := m.mails(o.ID); !slices.Equal(got, []string{"seller_placed"}) {
		t.Errorf("mails: %q", got)
	}
}

func TestPlaceOrderNamesAllWrongFields(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, _ := m.goods(m.seller, "Tea", 5, 1200)
	cup, _ := m.goods(m.owner, "Cup", 5, 800)
	yen, _ := m.goods(m.seller, "Fan", 5, 800)
	m.exec(`update listings set currency = 'JPY' where id = $1`, yen)
	draft, _ := m.goods(m.seller, "Draft", 5, 800)
	m.exec(`update listings set state = 'draft' where id = $1`, draft)

	_, err := m.PlaceOrder(ctx, NewOrder{})
	wantFields(t, err, "lines required", "contact.name required", "contact.email contact", "shipping.address required", "payment required")

	_, err = m.PlaceOrder(ctx, NewOrder{Lines: []NewOrderLine{{ListingID: tea, Quantity: 0}, {ListingID: cup, Quantity: 1},
		{ListingID: yen, Quantity: 1}, {ListingID: draft, Quantity: 1}, {ListingID: 77, Quantity: maxOrderQuantity + 1},
		{ListingID: tea, VariantID: 5, Quantity: 1}},
		Name: "a\nBcc: x@y.example", Email: "lin", Phone: "call me", Country: "XX", Address: strings.Repeat("x", 501),
		Payment: PayLink, Note: strings.Repeat("x", 1001), IdempotencyKey: strings.Repeat("k", 256)})
	wantFields(t, err, "lines[0].quantity quantity", "lines[1].listing_id other_seller", "lines[2].listing_id other_currency",
		"lines[3].listing_id not_for_sale", "lines[4].listing_id not_for_sale", "lines[4].quantity quantity",
		"lines[5].variant_id not_for_sale", "contact.name characters", "contact.email email", "contact.phone phone",
		"shipping.country country", "shipping.address too_long", "payment payment", "note too_long", "Idempotency-Key too_long")

	shop := must(m.Shop(ctx))(t)
	shop.Open, shop.Pickup = false, false
	if err := m.SaveShop(ctx, m.owner.ID, *shop); err != nil {
		t.Fatal(err)
	}
	n := guest(tea, 1)
	n.Pickup = true
	_, err = m.PlaceOrder(ctx, n)
	wantFields(t, err, " shop_closed", "shipping.pickup no_pickup")
	if got := m.count(`select count(*) from orders`); got != 0 {
		t.Errorf("%d orders were made", got)
	}
}

// A fee in another currency than the goods is never converted and never left out.
func TestPlaceOrderFeeCurrency(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	fan, _ := m.goods(m.seller, "Fan", 5, 800)
	m.exec(`update listings set currency = 'JPY' where id = $1`, fan)
	_, err := m.PlaceOrder(t.Context(), guest(fan, 1))
	wantFields(t, err, "shipping.pickup fee_currency")
	n := guest(fan, 1)
	n.Pickup = true
	if o := must(m.PlaceOrder(t.Context(), n))(t); o.Total != 800 || o.Currency != "JPY" {
		t.Errorf("pickup costs %d %s", o.Total, o.Currency)
	}
}

func TestPlaceOrderSoldOut(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 2, 1200)
	cup, cups := m.goods(m.seller, "Cup", 9, 800)
	n := guest(cup, 1)
	n.Lines = append(n.Lines, NewOrderLine{ListingID: tea, Quantity: 3})
	_, err := m.PlaceOrder(ctx, n)
	var sold *SoldOut
	if !errors.As(err, &sold) || !errors.Is(err, ErrConflict) || sold.ListingID != tea || sold.Left != 2 {
		t.Fatalf("error %v, want sold out with 2 left", err)
	}
	m.stock(cups[0], 9, 0) // nothing of the other line was kept
	m.stock(teas[0], 2, 0)

	must(m.PlaceOrder(ctx, guest(tea, 2)))(t)
	if got := m.count(`select count(*) from listings where id = $1 and availability = 'sold_out'`, tea); got != 1 {
		t.Error("the listing does not say that it is sold out")
	}
	_, err = m.PlaceOrder(ctx, guest(tea, 1))
	if !errors.As(err, &sold) || sold.Left != 0 {
		t.Errorf("error %v, want sold out", err)
	}
}

// The last unit sells once, whoever asks, and the numbers of orders have no gaps.
func TestLastUnitSellsOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 1, 1200)
	var won, lost atomic.Int32
	together(200, func(int) {
		_, err := m.PlaceOrder(ctx, guest(tea, 1))
		var sold *SoldOut
		switch {
		case err == nil:
			won.Add(1)
		case errors.As(err, &sold):
			lost.Add(1)
		default:
			t.Error(err)
		}
	})
	if won.Load() != 1 || lost.Load() != 199 {
		t.Errorf("%d orders won and %d found it sold out, want 1 and 199", won.Load(), lost.Load())
	}
	m.stock(teas[0], 0, 1)
	cup, _ := m.goods(m.seller, "Cup", 1, 1200)
	if o := must(m.PlaceOrder(ctx, guest(cup, 1)))(t); o.Number != 1002 {
		t.Errorf("the second order has number %d, want 1002", o.Number)
	}
}

// Orders, cancellations and expiry over the same listings in opposite order end without a deadlock, and every unit is
// accounted for.
func TestOrdersInOppositeOrder(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 100, 1200)
	cup, cups := m.goods(m.seller, "Cup", 100, 800)
	together(40, func(i int) {
		n := guest(tea, 1)
		n.Lines = append(n.Lines, NewOrderLine{ListingID: cup, Quantity: 1})
		if i%2 == 0 {
			slices.Reverse(n.Lines)
		}
		o, err := m.PlaceOrder(ctx, n)
		if err == nil && i%4 == 0 {
			_, err = m.CancelByBuyer(ctx, o.Token)
		}
		if err != nil {
			t.Error(err)
		}
	})
	m.stock(teas[0], 70, 30)
	m.stock(cups[0], 70, 30)
	if first, last, n := m.count(`select min(number) from orders`), m.count(`select max(number) from orders`), m.count(`select count(*) from orders`); first != 1001 || last != 1040 || n != 40 {
		t.Errorf("%d orders numbered %d to %d", n, first, last)
	}
}

// Orders, cancellations and edits of the same listing wait for each other in turn, and none of them fails.
func TestOrdersDuringEdits(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	listing := must(m.CreateListing(ctx, m.seller.ID, NewListing{Title: "Tea", Price: Money{Amount: 1200, Currency: "EUR"}, Quantity: 4, Announce: true}))(t)
	together(40, func(i int) {
		if i%4 == 0 {
			title := "Tea " + strings.Repeat("I", i)
			if _, err := m.ChangeListing(ctx, m.seller.ID, listing.ID, ListingChange{Title: &title}); err != nil {
				t.Error(err)
			}
			return
		}
		o, err := m.PlaceOrder(ctx, guest(listing.ID, 1))
		if err == nil {
			_, err = m.CancelByBuyer(ctx, o.Token)
		}
		var sold *SoldOut
		if err != nil && !errors.As(err, &sold) {
			t.Error(err)
		}
	})
	m.stock(listing.Variants[0].ID, 4, 0)
}

// S-34: ten parallel submits of one form make one order, of the last unit too.
func TestPlaceOrderIdempotent(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 1, 1200)
	n := guest(tea, 1)
	n.IdempotencyKey = "form-1"
	ids := make([]int64, 10)
	together(10, func(i int) {
		o, err := m.PlaceOrder(ctx, n)
		if err != nil {
			t.Error(err)
			return
		}
		ids[i] = o.ID
	})
	if got := slices.Compact(ids); len(got) != 1 {
		t.Errorf("orders %v, want one", got)
	}
	m.stock(teas[0], 0, 1)

	other := n
	other.Note = "and a bow"
	_, err := m.PlaceOrder(ctx, other)
	wantErr(t, "the key with another content", err, ErrConflict)
	n.Email = " lin@buyer.example " // the same, written otherwise
	if again := must(m.PlaceOrder(ctx, n))(t); again.ID != ids[0] || len(again.Lines) != 1 || again.Number != 1001 {
		t.Errorf("sent again: %+v", again)
	}
}

func TestOrdersForSellers(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	member := must(m.CreateAccount(ctx, NewAccount{Name: "cy", Password: "market lane 3"}))(t)
	tea, _ := m.goods(m.seller, "Tea", 9, 1200)
	cup, _ := m.goods(m.owner, "Cup", 9, 800)
	var ids []int64
	for range 3 {
		m.pass(time.Second)
		ids = append(ids, must(m.PlaceOrder(ctx, guest(tea, 1)))(t).ID)
	}
	m.pass(time.Second)
	owners := must(m.PlaceOrder(ctx, guest(cup, 1)))(t).ID
	must(m.SetOrderState(ctx, m.seller.ID, ids[0], OrderPaid, "", ""))(t)

	list := func(by int64, f OrderFilter, p Page) (got []int64) {
		for _, o := range must(m.Orders(ctx, by, f, p))(t) {
			if len(o.Lines) != 1 {
				t.Errorf("order %d has %d lines", o.ID, len(o.Lines))
			}
			got = append(got, o.ID)
		}
		return got
	}
	for what, c := range map[string]struct{ got, want []int64 }{
		"seller":     {list(m.seller.ID, OrderFilter{}, Page{}), []int64{ids[2], ids[1], ids[0]}},
		"owner":      {list(m.owner.ID, OrderFilter{}, Page{}), []int64{owners, ids[2], ids[1], ids[0]}},
		"member":     {list(member.ID, OrderFilter{}, Page{}), nil},
		"paid":       {list(m.seller.ID, OrderFilter{State: OrderPaid}, Page{}), []int64{ids[0]}},
		"first page": {list(m.seller.ID, OrderFilter{}, Page{Limit: 2}), []int64{ids[2], ids[1]}},
		"next page":  {list(m.seller.ID, OrderFilter{}, Page{Limit: 2, Before: ids[1]}), []int64{ids[0]}},
		"upwards":    {list(m.seller.ID, OrderFilter{}, Page{Limit: 1, After: ids[0]}), []int64{ids[1]}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}
	counts := must(m.OrderCounts(ctx, m.seller.ID))(t)
	if counts[OrderPlaced] != 2 || counts[OrderPaid] != 1 || len(counts) != 5 {
		t.Errorf("counts: %v", counts)
	}
	_, err := m.Order(ctx, m.seller.ID, owners)
	wantErr(t, "order of another seller", err, ErrNotFound)
	_, err = m.Order(ctx, member.ID, ids[0])
	wantErr(t, "order for a member", err, ErrNotFound)
	must(m.Order(ctx, m.owner.ID, ids[0]))(t)
}
