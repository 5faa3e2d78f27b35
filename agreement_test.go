package souk

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// buyer is an account of another node.
func (m *market) buyer(name, host string) *Account {
	m.t.Helper()
	uri := "https://" + host + "/users/" + name
	return must(m.UpsertRemoteAccount(m.t.Context(), RemoteAccount{Account: Account{Host: host, Name: name, Kind: "Person", URI: uri, URL: uri, DisplayName: "Bo\nB.",
		Inbox: uri + "/inbox", KeyID: uri + "#main-key", PublicKey: "PEM"}}))(m.t)
}

// offered receives an offer and returns what came of it.
func (m *market) offered(o Offer) *Agreement {
	m.t.Helper()
	if err := m.ReceiveOffer(m.t.Context(), o); err != nil {
		m.t.Fatal(err)
	}
	return must(m.oneAgreement(m.t.Context(), `g.offer_uri = $1`, o.URI))(m.t)
}

func (m *market) offer(n int, buyer *Account, listing int64, quantity int) Offer {
	return Offer{URI: fmt.Sprintf("%s#offers/%d", buyer.URI, n), Buyer: buyer, Seller: m.seller, ListingID: listing, Quantity: quantity, Intent: "https://shop.example/listings/1#primary"}
}

func TestReceiveOffer(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 5, 1200)
	bo := m.buyer("bo", "b.example")
	first := m.offer(1, bo, tea, 2)
	first.Pays = "24.0"
	a := m.offered(first)
	if a.State != AgreementAccepted || a.Amount != 2400 || a.Currency != "EUR" || a.URI == "" {
		t.Fatalf("agreement %+v", a)
	}
	if again := m.offered(first); again.ID != a.ID {
		t.Error("the same offer made another agreement")
	}
	m.stock(teas[0], 3, 2)
	o := must(m.Order(ctx, m.seller.ID, a.OrderID))(t)
	if !o.Incomplete() || o.BuyerID != bo.ID || o.Name != "Bo B." || o.Total != 2400 || o.State != OrderPlaced || !o.HeldUntil.Equal(m.Now().Add(agreementHold)) {
		t.Errorf("order %+v", o)
	}
	if got := m.mails(o.ID); len(got) != 0 {
		t.Errorf("mails before the order is complete: %q", got)
	}
	wantKinds(t, m.events(), EventOfferAnswered)

	_, err := m.CompleteOrder(ctx, o.Token, NewOrder{Name: "Bo"})
	wantFields(t, err, "contact.email contact", "shipping.address required", "payment required")
	done := must(m.CompleteOrder(ctx, o.Token, guest(0, 0)))(t)
	if done.Total != 2400+490 || done.Incomplete() || done.Name != "Lin Mei" || !done.HeldUntil.Equal(o.Created.Add(48*time.Hour)) {
		t.Errorf("completed: %+v", done)
	}
	same := must(m.Order(ctx, m.seller.ID, a.OrderID))(t)
	if same.Total != done.Total || same.Address != "Gasse 1\n10115 Berlin" || same.Payment != PayTransfer || same.Lang != "zh" {
		t.Errorf("stored: %+v", same)
	}
	if got := m.mails(o.ID); !slices.Equal(got, []string{"placed", "seller_placed"}) {
		t.Errorf("mails: %q", got)
	}
	_, err = m.CompleteOrder(ctx, o.Token, guest(0, 0))
	wantErr(t, "completed twice", err, ErrConflict)
	_, err = m.CompleteOrder(ctx, "none", guest(0, 0))
	wantErr(t, "no order", err, ErrNotFound)

	for _, state := range []string{OrderPaid, OrderShipped, OrderDone} {
		must(m.SetOrderState(ctx, m.seller.ID, o.ID, state, "", ""))(t)
	}
	wantKinds(t, m.events(), EventAgreementChanged, EventAgreementChanged, EventAgreementChanged, EventAgreementDone)
	m.stock(teas[0], 3, 0)
	if err := m.ReceiveOfferTakenBack(ctx, bo, first.URI); err != nil {
		t.Error(err)
	}
	wantKinds(t, m.events(), EventAgreementChanged) // too late: the buyer is told how it stands
}

// events are the kinds of the events about agreements that nobody has taken up, in order.
func (m *market) events() []string {
	m.t.Helper()
	var kinds []string
	err := m.Tx(m.t.Context(), func(tx *DB) error {
		events, err := tx.Events(m.t.Context(), 100)
		for _, e := range events {
			if e.Kind == EventOffered || e.Kind == EventOfferTakenBack || e.Kind == EventOfferAnswered || e.Kind == EventAgreementChanged || e.Kind == EventAgreementDone {
				kinds = append(kinds, e.Kind)
			}
			if err := tx.FederatedEvent(m.t.Context(), e.ID, ""); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return kinds
}

func TestReceiveOfferRejected(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 5, 1200)
	two, _ := m.goods(m.seller, "Two", 5, 1200, 1300)
	none, _ := m.goods(m.seller, "None", 0, 1200)
	ours, _ := m.goods(m.owner, "Ours", 5, 1200)
	draft, _ := m.goods(m.seller, "Draft", 5, 1200)
	m.exec(`update listings set state = 'draft' where id = $1`, draft)
	dear, _ := m.goods(m.seller, "Dear", 99, MaxAmount)
	foe := m.buyer("foe", "f.example")
	if err := m.Block(ctx, m.seller.ID, foe.ID); err != nil {
		t.Fatal(err)
	}
	bo := m.buyer("bo", "b.example")
	pays := func(o Offer, s string) Offer { o.Pays = s; return o }
	unit := m.offer(30, bo, tea, 1)
	unit.Wrong = OfferUnit
	for i, c := range []struct {
		reason string
		offer  Offer
	}{
		{"quantity", m.offer(0, bo, tea, 0)}, {"quantity", m.offer(0, bo, tea, -3)}, {"quantity", m.offer(0, bo, tea, maxOffered+1)},
		{OfferFewLeft, m.offer(0, bo, tea, 6)}, {OfferSoldOut, m.offer(0, bo, none, 1)},
		{"not_for_sale", m.offer(0, bo, draft, 1)}, {"not_for_sale", m.offer(0, bo, 0, 1)}, {"not_for_sale", m.offer(0, bo, ours, 1)},
		{OfferVariants, m.offer(0, bo, two, 1)}, {"total_large", m.offer(0, bo, dear, 2)}, {OfferRefused, m.offer(0, foe, tea, 1)}, {OfferUnit, unit},
		{OfferPrice, pays(m.offer(0, bo, tea, 2), "12")}, {OfferPrice, pays(m.offer(0, bo, tea, 1), "12.001")}, {OfferPrice, pays(m.offer(0, bo, tea, 1), "0")},
		{OfferPrice, pays(m.offer(0, bo, tea, 1), "-12")}, {OfferPrice, pays(m.offer(0, bo, tea, 1), "1e999999999")}, {OfferPrice, pays(m.offer(0, bo, tea, 1), "24/2")},
	} {
		c.offer.URI = fmt.Sprintf("%s#offers/x%d", c.offer.Buyer.URI, i)
		if a := m.offered(c.offer); a.State != AgreementRejected || a.Reason != c.reason || a.OrderID != 0 {
			t.Errorf("%d: %s %q, want rejected for %q", i, a.State, a.Reason, c.reason)
		}
	}
	shop := must(m.Shop(ctx))(t)
	shop.Open = false
	if err := m.SaveShop(ctx, m.owner.ID, *shop); err != nil {
		t.Fatal(err)
	}
	if a := m.offered(m.offer(40, bo, tea, 1)); a.Reason != "shop_closed" {
		t.Errorf("a closed shop: %s %q", a.State, a.Reason)
	}
	m.stock(teas[0], 5, 0)
	if n := m.count(`select count(*) from orders`); n != 0 {
		t.Errorf("%d orders", n)
	}
	m.pass(time.Hour)
	if n := must(m.PruneAgreements(ctx, time.Minute))(t); n == 0 || m.count(`select count(*) from agreements`) != 0 {
		t.Errorf("%d rejected offers forgotten", n)
	}
}

// Of offers for the last piece that come at once, from one node or many, exactly one is accepted.
func TestLastPieceOfferedOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	tea, teas := m.goods(m.seller, "Tea", 1, 1200)
	var offers []Offer
	for i := range 20 {
		offers = append(offers, m.offer(1, m.buyer(fmt.Sprintf("b%d", i), fmt.Sprintf("n%d.example", i%4)), tea, 1))
	}
	together(40, func(i int) { // each comes twice
		if err := m.ReceiveOffer(t.Context(), offers[i%20]); err != nil {
			t.Error(err)
		}
	})
	accepted := m.count(`select count(*) from agreements where state = 'accepted'`)
	rejected := m.count(`select count(*) from agreements where state = 'rejected' and reason = 'sold_out'`)
	if accepted != 1 || rejected != 19 || m.count(`select count(*) from orders`) != 1 {
		t.Errorf("%d accepted and %d sold out, want 1 and 19", accepted, rejected)
	}
	if n := len(m.events()); n != 20 {
		t.Errorf("%d answers", n)
	}
	m.stock(teas[0], 0, 1)
}

// An Offer costs nothing, and stock is worth something: a buyer and a node hold only so much of it unpaid.
func TestUnpaidOffersAreBounded(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 1000, 1200)
	bo := m.buyer("bo", "b.example")
	together(10, func(i int) {
		if err := m.ReceiveOffer(ctx, m.offer(i, bo, tea, 1)); err != nil {
			t.Error(err)
		}
	})
	m.stock(teas[0], 1000-maxUnpaidOfBuyer, maxUnpaidOfBuyer)
	var crowd []*Account
	for i := range 30 {
		crowd = append(crowd, m.buyer(fmt.Sprintf("c%d", i), "b.example"))
	}
	together(30, func(i int) {
		if err := m.ReceiveOffer(ctx, m.offer(1, crowd[i], tea, 1)); err != nil {
			t.Error(err)
		}
	})
	m.stock(teas[0], 1000-maxUnpaidOfHost, maxUnpaidOfHost)
	for _, host := range []string{"c.b.example", "b.example:8443"} { // hosts under a domain cost nothing
		if a := m.offered(m.offer(1, m.buyer("sub", host), tea, 1)); a.State == AgreementAccepted || a.Reason != OfferTooMany {
			t.Errorf("a buyer of %s: %s %s", host, a.State, a.Reason)
		}
	}
	if a := m.offered(m.offer(1, m.buyer("ann", "other.example"), tea, 1)); a.State != AgreementAccepted {
		t.Errorf("a buyer of another node: %s %s", a.State, a.Reason)
	}
	paid := must(m.oneAgreement(ctx, `g.buyer_id = $1 and g.state = 'accepted' order by g.id limit 1`, bo.ID))(t)
	_, err := m.SetOrderState(ctx, m.seller.ID, paid.OrderID, OrderPaid, "", "")
	wantErr(t, "paid before the buyer said how", err, ErrConflict)
	if steps := m.OrderSteps(must(m.Order(ctx, m.seller.ID, paid.OrderID))(t)); !slices.Equal(steps, []string{OrderCancelled}) {
		t.Errorf("steps of an order that is not complete: %q", steps)
	}
	must(m.CompleteOrder(ctx, must(m.Order(ctx, m.seller.ID, paid.OrderID))(t).Token, guest(0, 0)))(t)
	must(m.SetOrderState(ctx, m.seller.ID, paid.OrderID, OrderPaid, "", ""))(t)
	if a := m.offered(m.offer(99, bo, tea, 1)); a.State != AgreementAccepted {
		t.Errorf("after one is paid: %s %s", a.State, a.Reason)
	}
	if n := m.count(`select count(*) from agreements where reason = 'too_many'`); n != 10-maxUnpaidOfBuyer+30-(maxUnpaidOfHost-maxUnpaidOfBuyer)+2 {
		t.Errorf("%d were too many", n)
	}
	m.events()
	m.pass(agreementHold + time.Minute)
	if n := must(m.ExpireHolds(ctx))(t); n != maxUnpaidOfHost+1 {
		t.Errorf("%d holds ended", n)
	}
	m.stock(teas[0], 999, 0)
	if n := len(m.events()); n != maxUnpaidOfHost+1 {
		t.Errorf("%d buyers were told", n)
	}
}

// Of one variant, orders that nobody completed hold a third for a buyer and half for all, rounded up; what is completed is not counted, nor
// what was taken back, and the rest can be ordered on its page.
func TestHeldOffersAreBounded(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 9, 1200)
	bo, ann, cy := m.buyer("bo", "b.example"), m.buyer("ann", "a.example"), m.buyer("cy", "c.example")
	offered := func(n int, buyer *Account, quantity int, reason string) *Agreement {
		t.Helper()
		a := m.offered(m.offer(n, buyer, tea, quantity))
		if a.Reason != reason || (a.State == AgreementAccepted) != (reason == "") {
			t.Errorf("%d of %s: %s %q, want %q", quantity, buyer.Name, a.State, a.Reason, reason)
		}
		return a
	}
	offered(1, bo, 4, OfferHeld)
	m.stock(teas[0], 9, 0)
	first := offered(2, bo, 2, "")
	offered(3, bo, 2, OfferHeld)
	offered(4, bo, 1, "")
	offered(5, ann, 3, OfferHeld) // six of nine
	offered(6, ann, 2, "")
	offered(7, cy, 1, OfferHeld)
	m.stock(teas[0], 4, 5)
	must(m.CompleteOrder(ctx, must(m.Order(ctx, m.seller.ID, first.OrderID))(t).Token, guest(0, 0)))(t)
	offered(8, cy, 1, "") // four of seven
	offered(9, cy, 1, OfferHeld)
	if err := m.ReceiveOfferTakenBack(ctx, cy, m.offer(8, cy, tea, 1).URI); err != nil {
		t.Fatal(err)
	}
	together(8, func(i int) {
		if err := m.ReceiveOffer(ctx, m.offer(1, m.buyer(fmt.Sprint("d", i), fmt.Sprintf("d%d.example", i)), tea, 1)); err != nil {
			t.Error(err)
		}
	})
	m.stock(teas[0], 3, 6)
	must(m.PlaceOrder(ctx, guest(tea, 3)))(t)
	many, _ := m.goods(m.seller, "Many", 1, 1200)
	m.exec(`update variants set quantity = null where listing_id = $1`, many)
	if a := m.offered(m.offer(20, bo, many, 99)); a.State != AgreementAccepted {
		t.Errorf("of what never ends: %s %s", a.State, a.Reason)
	}
}

func TestOfferTakenBack(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	tea, teas := m.goods(m.seller, "Tea", 5, 1200)
	bo, eve := m.buyer("bo", "b.example"), m.buyer("eve", "e.example")
	o := m.offer(1, bo, tea, 2)
	a := m.offered(o)
	early := m.offer(2, bo, tea, 1)
	for _, c := range []struct {
		by  *Account
		uri string
	}{{eve, o.URI}, {bo, early.URI}} {
		if err := m.ReceiveOfferTakenBack(ctx, c.by, c.uri); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, "an offer that was taken back before it came", m.ReceiveOffer(ctx, early), ErrGone)
	m.stock(teas[0], 3, 2)
	for _, undo := range []func() error{func() error { return m.ReceiveUndo(ctx, o.URI, bo) }, func() error { return m.ReceiveOfferTakenBack(ctx, bo, o.URI) }} {
		if err := undo(); err != nil {
			t.Fatal(err)
		}
		m.stock(teas[0], 5, 0)
	}
	if got := must(m.Order(ctx, m.seller.ID, a.OrderID))(t); got.State != OrderCancelled || got.Events[1].Note != OrderByBuyer {
		t.Errorf("order %+v", got)
	}
	_, err := m.CompleteOrder(ctx, must(m.Order(ctx, m.seller.ID, a.OrderID))(t).Token, guest(0, 0))
	wantErr(t, "completing what was cancelled", err, ErrConflict)
}

// theirs is a listing of a shop on another node.
func (m *market) theirs(change func(*RemoteListing)) *Listing {
	m.t.Helper()
	seller := m.buyer("shop", "s.example")
	r := RemoteListing{RemotePost: RemotePost{Author: seller, URI: "https://s.example/listings/" + fmt.Sprint(m.NewID()), HTML: "<p>Mug</p>", Visibility: Public, Published: m.Now()},
		Title: "Mug", Price: Money{1500, "EUR"}, Intent: "https://s.example/listings/1#primary", UnitBased: true}
	if change != nil {
		change(&r)
	}
	return must(m.ReceiveListing(m.t.Context(), r))(m.t)
}

func TestSendOffer(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	mug := m.theirs(nil)
	shop := must(m.Account(ctx, mug.SellerID))(t)
	eve := m.buyer("eve", "s.example")
	a := must(m.SendOffer(ctx, m.seller.ID, mug.ID, 2))(t)
	if a.State != AgreementSent || a.Amount != 3000 || a.OfferURI != fmt.Sprintf("%s#offers/%d", m.seller.URI, a.ID) {
		t.Errorf("sent %+v", a)
	}
	_, err := m.SendOffer(ctx, m.seller.ID, mug.ID, 1)
	wantErr(t, "a second tap", err, ErrConflict)
	wantKinds(t, m.events(), EventOffered)
	_, err = m.Purchase(ctx, m.owner.ID, a.ID)
	wantErr(t, "somebody else's purchase", err, ErrNotFound)

	yes := OfferAnswer{OfferURI: a.OfferURI, Accepted: true, URI: "https://s.example/agreements/1", URL: "https://s.example/orders/x"}
	wantErr(t, "an answer of another", m.ReceiveOfferAnswer(ctx, eve, yes), ErrNotFound)
	state := func(want, url string) {
		t.Helper()
		if got := must(m.Purchase(ctx, m.seller.ID, a.ID))(t); got.State != want || got.URL != url {
			t.Errorf("%s %q, want %s %q", got.State, got.URL, want, url)
		}
	}
	state(AgreementSent, "")
	for _, r := range []OfferAnswer{yes, {OfferURI: a.OfferURI, Accepted: true, URI: "https://s.example/agreements/2", URL: "https://evil.example/"}} {
		if err := m.ReceiveOfferAnswer(ctx, shop, r); err != nil {
			t.Fatal(err)
		}
		state(AgreementAccepted, yes.URL)
	}
	wantErr(t, "news of another", m.ReceiveAgreement(ctx, eve, yes.URI, AgreementPaid, ""), ErrNotFound)
	wantErr(t, "news of no agreement", m.ReceiveAgreement(ctx, shop, "", AgreementPaid, ""), ErrNotFound)
	if err := m.ReceiveAgreement(ctx, shop, yes.URI, AgreementPaid, ""); err != nil {
		t.Fatal(err)
	}
	state(AgreementPaid, yes.URL)
	wantErr(t, "taking back what is paid", m.TakeOfferBack(ctx, m.seller.ID, a.ID), ErrConflict)

	b := must(m.SendOffer(ctx, m.seller.ID, mug.ID, 1))(t)
	wantErr(t, "taking somebody else's back", m.TakeOfferBack(ctx, m.owner.ID, b.ID), ErrNotFound)
	if err := m.TakeOfferBack(ctx, m.seller.ID, b.ID); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, m.events(), EventOffered, EventOfferTakenBack)
	if list := must(m.Purchases(ctx, m.seller.ID, Page{}))(t); len(list) != 2 || list[0].ID != b.ID || list[0].State != AgreementCancelled {
		t.Errorf("purchases %+v", list)
	}
	if err := m.ReceiveOfferAnswer(ctx, shop, OfferAnswer{OfferURI: b.OfferURI, Accepted: true, URI: "https://s.example/agreements/3"}); err != nil {
		t.Fatal(err)
	}
	if got := must(m.Purchase(ctx, m.seller.ID, b.ID))(t); got.State != AgreementCancelled || got.URI == "" {
		t.Errorf("the answer crossed the wish to end it: %+v", got)
	}
}

// Only the first answer to an Offer counts: a Reject of what was accepted ends it and leaves its address, so that what the
// seller says later is about it still; an Accept of what was rejected is too late.
func TestSecondOfferAnswer(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	shop := must(m.Account(ctx, m.theirs(nil).SellerID))(t)
	answered := func(a *Agreement, r OfferAnswer) Agreement {
		t.Helper()
		r.OfferURI = a.OfferURI
		if err := m.ReceiveOfferAnswer(ctx, shop, r); err != nil {
			t.Fatal(err)
		}
		got := must(m.Purchase(ctx, m.seller.ID, a.ID))(t)
		return Agreement{State: got.State, URI: got.URI, URL: got.URL, Reason: got.Reason}
	}
	yes := OfferAnswer{Accepted: true, URI: "https://s.example/agreements/1", URL: "https://s.example/orders/x"}
	other := OfferAnswer{Accepted: true, URI: "https://s.example/agreements/2", URL: "https://evil.example/"}
	bare, no, twice := OfferAnswer{Accepted: true}, OfferAnswer{Reason: "broken"}, OfferAnswer{Reason: "again"}
	for _, c := range []struct {
		name    string
		answers []OfferAnswer
		want    Agreement
	}{
		{"rejected after it was accepted", []OfferAnswer{yes, no}, Agreement{State: AgreementCancelled, URI: yes.URI, URL: yes.URL, Reason: "broken"}},
		{"and accepted again, and rejected", []OfferAnswer{yes, no, other, twice}, Agreement{State: AgreementCancelled, URI: yes.URI, URL: yes.URL, Reason: "broken"}},
		{"accepted after it was rejected", []OfferAnswer{no, yes}, Agreement{State: AgreementRejected, Reason: "broken"}},
		{"rejected twice", []OfferAnswer{no, twice}, Agreement{State: AgreementRejected, Reason: "broken"}},
		{"accepted twice", []OfferAnswer{yes, other}, Agreement{State: AgreementAccepted, URI: yes.URI, URL: yes.URL}},
		{"accepted without an address, then with one", []OfferAnswer{bare, other}, Agreement{State: AgreementAccepted}},
	} {
		mug := m.theirs(nil)
		a := must(m.SendOffer(ctx, m.seller.ID, mug.ID, 1))(t)
		var got Agreement
		for _, r := range c.answers {
			got = answered(a, r)
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestSendOfferRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	plain := m.theirs(func(r *RemoteListing) { r.Intent = "" })
	single := m.theirs(func(r *RemoteListing) { r.UnitBased = false })
	gone := m.theirs(func(r *RemoteListing) { r.Availability = NoStock })
	own, _ := m.goods(m.owner, "Own", 5, 100)
	for _, c := range []struct {
		listing  int64
		quantity int
		field    string
	}{{plain.ID, 1, "listing no_offers"}, {single.ID, 2, "quantity pieces"}, {gone.ID, 1, "listing not_for_sale"}, {single.ID, 0, "quantity pieces"}, {single.ID, -1, "quantity pieces"}} {
		_, err := m.SendOffer(ctx, m.seller.ID, c.listing, c.quantity)
		wantFields(t, err, c.field)
	}
	_, err := m.SendOffer(ctx, m.seller.ID, own, 1)
	wantErr(t, "a listing of this node", err, ErrForbidden)
	_, err = m.SendOffer(ctx, m.buyer("bo", "b.example").ID, single.ID, 1)
	wantErr(t, "an account of another node", err, ErrForbidden)
	if err := m.Block(ctx, m.seller.ID, single.SellerID); err != nil {
		t.Fatal(err)
	}
	_, err = m.SendOffer(ctx, m.seller.ID, single.ID, 1)
	wantErr(t, "a blocked seller", err, ErrForbidden)
	if err := m.BlockHost(ctx, m.owner.ID, "s.example", Suspend, ""); err != nil {
		t.Fatal(err)
	}
	if _, err = m.SendOffer(ctx, m.owner.ID, single.ID, 1); err == nil {
		t.Error("an order went to a blocked host")
	}
}

// The buyer is told what the seller answers and of each change after it: one notification stands for an order, the newest, and
// what says nothing new is no news.
func TestBuyerIsTold(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	mug := m.theirs(nil)
	shop := must(m.Account(ctx, mug.SellerID))(t)
	told := func(want ...string) {
		t.Helper()
		var got []string
		for _, a := range must(m.PurchaseNews(ctx, m.seller.ID, 10))(t) {
			got = append(got, a.State)
		}
		if !slices.Equal(got, want) {
			t.Errorf("told of %q, want %q", got, want)
		}
		if n := must(m.UnreadCount(ctx, m.seller.ID))(t); n != len(want) {
			t.Errorf("%d notifications, want %d", n, len(want))
		}
	}
	seen := func() {
		t.Helper()
		if err := m.MarkRead(ctx, m.seller.ID, m.NewID(), NotifyPurchase); err != nil {
			t.Fatal(err)
		}
		told()
	}
	answer := func(a *Agreement, r OfferAnswer) {
		t.Helper()
		r.OfferURI = a.OfferURI
		if err := m.ReceiveOfferAnswer(ctx, shop, r); err != nil {
			t.Fatal(err)
		}
	}
	says := func(state string) {
		t.Helper()
		if err := m.ReceiveAgreement(ctx, shop, "https://s.example/agreements/1", state, ""); err != nil {
			t.Fatal(err)
		}
	}
	a := must(m.SendOffer(ctx, m.seller.ID, mug.ID, 1))(t)
	told()
	answer(a, OfferAnswer{Accepted: true, URI: "https://s.example/agreements/1", URL: "https://s.example/orders/x"})
	told(AgreementAccepted)
	b := must(m.SendOffer(ctx, m.seller.ID, mug.ID, 2))(t)
	answer(b, OfferAnswer{Reason: "Sorry"})
	told(AgreementRejected, AgreementAccepted)
	list := must(m.Notifications(ctx, m.seller.ID, Page{}, NotifyPurchase))(t)
	if len(list) != 2 || list[0].AgreementID != b.ID || list[0].FromID != shop.ID {
		t.Errorf("notifications %+v", list)
	}
	says(AgreementPaid)
	told(AgreementPaid, AgreementRejected)
	seen()
	says(AgreementPaid) // again
	answer(a, OfferAnswer{Accepted: true, URI: "https://s.example/agreements/2"})
	told()
	for _, state := range []string{AgreementShipped, AgreementDone} {
		says(state)
		told(state)
	}
	seen()
	if got := must(m.PurchaseNews(ctx, m.owner.ID, 10))(t); len(got) != 0 {
		t.Errorf("others are told: %+v", got)
	}
	// What the buyer did is no news, nor that the seller says the same.
	c := must(m.SendOffer(ctx, m.seller.ID, mug.ID, 1))(t)
	if err := m.TakeOfferBack(ctx, m.seller.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	answer(c, OfferAnswer{Accepted: true, URI: "https://s.example/agreements/3"})
	if err := m.ReceiveAgreement(ctx, shop, "https://s.example/agreements/3", AgreementCancelled, ""); err != nil {
		t.Fatal(err)
	}
	told()
	if err := m.ReceiveAgreement(ctx, shop, "https://s.example/agreements/3", AgreementPaid, ""); err != nil {
		t.Fatal(err)
	}
	told(AgreementPaid)
	// Other notifications stay unread.
	if err := m.ReceiveFollow(ctx, "https://s.example/follows/1", shop, m.seller, false); err != nil {
		t.Fatal(err)
	}
	if err := m.MarkRead(ctx, m.seller.ID, m.NewID(), NotifyPurchase); err != nil {
		t.Fatal(err)
	}
	if n := must(m.UnreadCount(ctx, m.seller.ID))(t); n != 1 {
		t.Errorf("%d unread", n)
	}
}
