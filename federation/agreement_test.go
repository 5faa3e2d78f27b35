package federation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"souk"
)

// bazaar is a node with a mug for sale, and ben, who buys from another server.
type bazaar struct {
	*testNode
	peer *otherNode
	ben  string
	mug  *souk.Listing
	n    int
}

func newBazaar(t *testing.T) *bazaar {
	t.Helper()
	b := &bazaar{testNode: inbound(t), peer: newOtherNode(t, 1)}
	b.ben = b.peer.person(t, "ben")
	b.mug = b.list(t, false)
	must(t, b.settle(t.Context()))
	return b
}

// agreementOf asks for so many of a listing, as FEP-0837 has it.
func agreementOf(listing, quantity, pays string) m {
	return m{"type": "Agreement",
		"stipulates":           m{"type": "Commitment", "satisfies": listing + "#primary", "resourceQuantity": m{"hasUnit": "one", "hasNumericalValue": quantity}},
		"stipulatesReciprocal": m{"type": "Commitment", "satisfies": listing + "#reciprocal", "resourceQuantity": m{"hasUnit": "one", "hasNumericalValue": pays}}}
}

// offers makes an Offer of ben's.
func (b *bazaar) offers(object any) m {
	b.n++
	return with(b.peer.activity("Offer", b.ben, fmt.Sprintf("/offers/%d", b.n), object), "to", b.anna.URI)
}

// answer is the last activity that waits for the buyer's server.
func (b *bazaar) answer(t *testing.T) m {
	t.Helper()
	must(t, b.Federate(t.Context()))
	list := b.deliveries(t, b.peer.host(), "")
	if len(list) == 0 {
		t.Fatal("no answer")
	}
	a := ok(b.db.Activity(t.Context(), list[0].ActivityID))(t)
	if a.Public || list[0].Inbox != b.ben+"/inbox" {
		t.Errorf("%s is public %v, to %s", a.Type, a.Public, list[0].Inbox)
	}
	var doc m
	must(t, json.Unmarshal(a.Body, &doc))
	return doc
}

func (b *bazaar) stock(t *testing.T) (sale, held int) {
	t.Helper()
	must(t, b.pool.QueryRow(t.Context(), `select quantity, held from variants where listing_id = $1`, b.mug.ID).Scan(&sale, &held))
	return sale, held
}

// Every form in which servers may send an Offer is the same order.
func TestOfferIsAccepted(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *bazaar, listing string, a m){
		"as in the FEP":           func(*bazaar, string, m) {},
		"the misspelled property": func(_ *bazaar, _ string, a m) { a["stiplulates"] = a["stipulates"]; delete(a, "stipulates") },
		"prefixes": func(_ *bazaar, _ string, a m) {
			a["type"], a["vf:stipulates"] = "vf:Agreement", a["stipulates"]
			delete(a, "stipulates")
		},
		"arrays": func(_ *bazaar, _ string, a m) {
			a["type"], a["stipulates"] = []any{"Agreement"}, []any{a["stipulates"]}
		},
		"clauses": func(_ *bazaar, _ string, a m) {
			a["clauses"] = []any{a["stipulates"], a["stipulatesReciprocal"]}
			delete(a, "stipulates")
			delete(a, "stipulatesReciprocal")
		},
		"the listing's own id": func(_ *bazaar, l string, a m) { a["stipulates"].(m)["satisfies"] = l },
		"the intent as an object": func(_ *bazaar, l string, a m) {
			a["stipulates"].(m)["satisfies"] = m{"type": "Intent", "id": l + "#primary"}
		},
		"a number": func(_ *bazaar, _ string, a m) {
			a["stipulates"].(m)["resourceQuantity"] = m{"hasUnit": "one", "hasNumericalValue": 2}
		},
		"units of Mitra": func(_ *bazaar, _ string, a m) {
			a["stipulates"].(m)["vf:resourceQuantity"] = m{"vf:hasUnit": "om2:one", "vf:hasNumericalValue": "2.0"}
			delete(a["stipulates"].(m), "resourceQuantity")
		},
		"without what it costs": func(_ *bazaar, _ string, a m) { delete(a, "stipulatesReciprocal") },
		"a price with more decimals": func(_ *bazaar, _ string, a m) {
			a["stipulatesReciprocal"].(m)["resourceQuantity"].(m)["hasNumericalValue"] = "48.0000"
		},
		"an agreement at ben's": func(b *bazaar, _ string, a m) {
			a["id"] = b.peer.URL + "/agreements/1"
			doc := m{"@context": activityStreamsProfile}
			for key, value := range a {
				doc[key] = value
				delete(a, key)
			}
			b.peer.serve("/agreements/1", doc)
			a["id"] = doc["id"]
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBazaar(t)
			agreement := agreementOf(b.mug.Post.URI, "2", "48")
			change(b, b.mug.Post.URI, agreement)
			var object any = agreement
			if id, only := agreement["id"].(string); only && len(agreement) == 1 {
				object = id
			}
			offer := b.offers(object)
			b.done(t, b.peer, offer)
			if sale, held := b.stock(t); sale != 3 || held != 2 {
				t.Fatalf("%d for sale, %d held", sale, held)
			}
			accept := b.answer(t)
			if accept["type"] != "Accept" || accept["object"] != offer["id"] || accept["actor"] != b.anna.URI {
				t.Fatalf("answered by %v", accept)
			}
			result := object2(accept["result"])
			primary, reciprocal := object2(result["stipulates"]), object2(result["stipulatesReciprocal"])
			id := result["id"].(string)
			if !strings.HasPrefix(id, b.db.BaseURL()+"/agreements/") || result["attributedTo"] != b.anna.URI || primary["id"] != id+"#primary" || reciprocal["id"] != id+"#reciprocal" ||
				primary["satisfies"] != b.mug.Post.URI+"#primary" || object2(primary["resourceQuantity"])["hasNumericalValue"] != "2" ||
				object2(reciprocal["resourceQuantity"])["hasNumericalValue"] != "48.00" || object2(result["preview"])["name"] != "Open" {
				t.Errorf("the agreement is %v", result)
			}
			token := strings.TrimPrefix(object2(result["url"])["href"].(string), b.db.BaseURL()+"/orders/")
			if o := ok(b.db.OrderByToken(t.Context(), token))(t); !o.Incomplete() || o.Total != 4800 {
				t.Errorf("the order behind the link is %+v", o)
			}
		})
	}
}

func object2(v any) m {
	o, _ := v.(m)
	return o
}

// The proposal is the same offer under another id, and what is agreed names the id that the buyer named.
func TestOfferForTheProposal(t *testing.T) {
	t.Parallel()
	b := newBazaar(t)
	proposal := ok(b.Proposal(t.Context(), nil, b.mug.ID))(t)
	publishes := object2(read(t, proposal)["publishes"])
	offer := agreementOf(b.mug.Post.URI+"/proposal", "1", "24.00")
	if offer["stipulates"].(m)["satisfies"] != publishes["id"] {
		t.Fatalf("the intent of the proposal is %v", publishes["id"])
	}
	b.done(t, b.peer, b.offers(offer))
	if result := object2(b.answer(t)["result"]); object2(result["stipulates"])["satisfies"] != publishes["id"] {
		t.Errorf("agreed: %v", result)
	}
}

// What cannot be sold is rejected in words, and nothing is held.
func TestOfferIsRejected(t *testing.T) {
	t.Parallel()
	b := newBazaar(t)
	ctx := t.Context()
	mug := b.mug.Post.URI
	cy := ok(b.db.CreateAccount(ctx, souk.NewAccount{Name: "cy", Role: souk.RoleSeller}))(t)
	cup := ok(b.db.CreateListing(ctx, cy.ID, souk.NewListing{Title: "Cup", Price: souk.Money{Amount: 100, Currency: "EUR"}, Quantity: 1}))(t)
	quantity := func(v any) m {
		a := agreementOf(mug, "1", "24")
		a["stipulates"].(m)["resourceQuantity"] = m{"hasUnit": "one", "hasNumericalValue": v}
		return a
	}
	unit := agreementOf(mug, "1", "24")
	unit["stipulates"].(m)["resourceQuantity"].(m)["hasUnit"] = "kilogram"
	several := agreementOf(mug, "1", "24")
	several["stipulates"] = []any{several["stipulates"], several["stipulates"]}
	other := agreementOf(mug, "1", "1")
	other["stipulatesReciprocal"].(m)["satisfies"] = cup.Post.URI + "#reciprocal"
	reciprocal := agreementOf(mug, "1", "24")
	reciprocal["stipulates"].(m)["satisfies"] = mug + "#reciprocal"
	for name, c := range map[string]struct {
		agreement any
		words     string
	}{
		"sold out":                   {agreementOf(mug, "6", "144"), "Fewer are left"},
		"another price":              {agreementOf(mug, "2", "47.99"), "another price"},
		"the price of another":       {other, "another price"},
		"a negative quantity":        {quantity("-1"), "whole number"},
		"no quantity":                {quantity(""), "whole number"},
		"half of one":                {quantity("0.5"), "whole number"},
		"a number in words":          {quantity("two"), "whole number"},
		"too many":                   {quantity("99999999999999999999"), "whole number"},
		"an exponent":                {quantity(json.Number("1e3")), "whole number"},
		"too many of one":            {quantity(100), "whole number"},
		"another unit":               {unit, "by the piece"},
		"two things":                 {several, "one product at a time"},
		"another seller's listing":   {agreementOf(cup.Post.URI, "1", "1"), "not for sale here"},
		"no listing":                 {agreementOf(b.db.BaseURL()+"/listings/77", "1", "24"), "not for sale here"},
		"the wrong side":             {reciprocal, "not for sale here"},
		"a listing somewhere else":   {agreementOf(b.peer.URL+"/listings/1", "1", "24"), "not for sale here"},
		"a listing of javascript":    {agreementOf("javascript:alert(1)", "1", "24"), "not for sale here"},
		"an actor in place of wares": {agreementOf(b.anna.URI, "1", "24"), "not for sale here"},
	} {
		offer := b.offers(c.agreement)
		b.done(t, b.peer, offer)
		answer := b.answer(t)
		if content, _ := answer["content"].(string); answer["type"] != "Reject" || answer["object"] != offer["id"] || !strings.Contains(content, c.words) || answer["actor"] != b.anna.URI {
			t.Errorf("%s: %v, want a Reject with %q", name, answer, c.words)
		}
	}
	foe := b.peer.person(t, "foe")
	must(t, b.db.Block(ctx, b.anna.ID, ok(b.ResolveActor(ctx, foe))(t).ID))
	b.done(t, b.peer, b.peer.activity("Offer", foe, "/offers/foe", agreementOf(mug, "1", "24")))
	if c := b.count(t, `select count(*) from agreements where reason = 'refused'`); c != 1 {
		t.Error("a blocked buyer was not refused")
	}
	if sale, held := b.stock(t); sale != 5 || held != 0 || b.count(t, `select count(*) from orders`) != 0 {
		t.Errorf("%d for sale, %d held", sale, held)
	}
}

// An Offer is one order however often it comes, and twenty for the last piece are one Accept.
func TestOffersForTheLastPiece(t *testing.T) {
	t.Parallel()
	b := newBazaar(t)
	ctx := t.Context()
	ok(b.db.ChangeListing(ctx, b.anna.ID, b.mug.ID, souk.ListingChange{Quantity: pointer(1)}))(t)
	for i := range 20 {
		buyer := b.peer.person(t, fmt.Sprintf("buyer%d", i))
		offer := b.peer.activity("Offer", buyer, fmt.Sprintf("/offers/b%d", i), agreementOf(b.mug.Post.URI, "1", "24.00"))
		for range 2 {
			if status := b.send(t, b.peer, offer); status != 202 {
				t.Fatalf("status %d", status)
			}
		}
	}
	must(t, b.ApplyInbox(ctx)) // eight at once
	kinds := b.said(t, b.peer.host())
	slices.Sort(kinds)
	if len(kinds) != 20 || kinds[0] != "Accept" || kinds[1] != "Reject" {
		t.Errorf("answers: %v", kinds)
	}
	if sale, held := b.stock(t); sale != 0 || held != 1 {
		t.Errorf("%d for sale, %d held", sale, held)
	}
}

// Applied twice, as after a crash at the wrong moment, an Offer is still one order and one answer.
func TestOfferAppliedTwice(t *testing.T) {
	t.Parallel()
	b := newBazaar(t)
	offer := b.offers(agreementOf(b.mug.Post.URI, "1", "24.00"))
	b.done(t, b.peer, offer)
	body := ok(json.Marshal(offer))(t)
	ok(b.pool.Exec(t.Context(), `insert into inbox_queue (id, next_at, body) select id, $2, $3 from inbox where activity_id = $1`, offer["id"], b.clock.Now(), body))(t)
	must(t, b.ApplyInbox(t.Context()))
	equal(t, "answers", b.said(t, b.peer.host()), "Accept")
	if sale, held := b.stock(t); sale != 4 || held != 1 {
		t.Errorf("%d for sale, %d held", sale, held)
	}
}

// The buyer is told of each state, in the words of Mitra and of schema.org, and nothing private is in what is said.
func TestOrderNewsReachesTheBuyer(t *testing.T) {
	t.Parallel()
	b := newBazaar(t)
	ctx := t.Context()
	b.done(t, b.peer, b.offers(agreementOf(b.mug.Post.URI, "1", "24.00")))
	agreement := object2(b.answer(t)["result"])
	token := agreement["url"].(m)["href"].(string)[len(b.db.BaseURL()+"/orders/"):]
	o := ok(b.db.CompleteOrder(ctx, token, souk.NewOrder{Name: "Ben Secret", Email: "ben@secret.example", Phone: "+49 30 1234567", Country: "DE", Address: "Secret Lane 1",
		Payment: souk.PayArrange, Note: "a secret note"}))(t)
	for _, c := range []struct{ state, name, status string }{{souk.OrderPaid, "Paid", "sdo:OrderProcessing"}, {souk.OrderPlaced, "Open", "sdo:OrderPaymentDue"},
		{souk.OrderPaid, "Paid", "sdo:OrderProcessing"}, {souk.OrderShipped, "Shipped", "sdo:OrderInTransit"}} {
		b.clock.advance(time.Minute)
		ok(b.db.SetOrderState(ctx, b.anna.ID, o.ID, c.state, "a secret word", "SECRET-1"))(t)
		update := b.answer(t)
		object := object2(update["object"])
		if update["type"] != "Update" || object["id"] != agreement["id"] || object2(object["preview"])["name"] != c.name || object["sdo:orderStatus"] != c.status {
			t.Errorf("%s: %v", c.state, update)
		}
	}
	ok(b.db.SetOrderState(ctx, b.anna.ID, o.ID, souk.OrderDone, "", ""))(t)
	receipt := b.answer(t)
	object := object2(receipt["object"])
	if receipt["type"] != "Create" || object["type"] != "Document" || object["context"] != agreement["id"] || !slices.Equal(strs(t, receipt["to"]), []string{b.ben}) {
		t.Errorf("the receipt is %v", receipt)
	}
	equal(t, "all that was said", b.said(t, b.peer.host()), "Accept", "Update", "Update", "Update", "Update", "Update", "Create")
	for _, d := range b.deliveries(t, b.peer.host(), "") {
		a := ok(b.db.Activity(ctx, d.ActivityID))(t)
		if body := strings.ToLower(string(a.Body)); strings.Contains(body, "secret") || strings.Contains(body, "1234567") {
			t.Errorf("%s tells what is private: %s", a.Type, a.Body)
		}
		if _, err := b.Activity(ctx, nil, a.ID); err == nil {
			t.Errorf("anybody may read the %s", a.Type)
		}
	}
}

func TestBuyerTakesTheOfferBack(t *testing.T) {
	t.Parallel()
	b := newBazaar(t)
	for _, whole := range []bool{true, false} {
		offer := b.offers(agreementOf(b.mug.Post.URI, "2", "48"))
		b.done(t, b.peer, offer)
		var object any = offer["id"]
		if whole {
			object = offer
		}
		b.n++
		b.done(t, b.peer, b.peer.activity("Undo", b.ben, fmt.Sprintf("/undo/%d", b.n), object))
		if sale, held := b.stock(t); sale != 5 || held != 0 {
			t.Errorf("%d for sale, %d held", sale, held)
		}
		if update := b.answer(t); object2(object2(update["object"])["preview"])["name"] != "Cancelled" {
			t.Errorf("told %v", update)
		}
	}
	late := b.offers(agreementOf(b.mug.Post.URI, "1", "24"))
	b.done(t, b.peer, b.peer.activity("Undo", b.ben, "/undo/early", late))
	if state, note := b.deliver(t, b.peer, late); state != "ignored" {
		t.Errorf("an offer that was taken back before it came: %s %s", state, note)
	}
	if b.count(t, `select count(*) from orders where state <> 'cancelled'`) != 0 {
		t.Error("an order is open")
	}
}

// Whoever signs is the buyer; nobody else speaks for either side.
func TestForgedAgreements(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	ctx := t.Context()
	mug := w.list(t, false)
	cup := ok(w.db.PostByURI(ctx, 0, w.benListing))(t)
	ok(w.pool.Exec(ctx, `update listings set intent = $2, reciprocal = $3, unit_based = true where id = $1`, cup.ID, w.benListing+"#primary", w.benListing+"#reciprocal"))(t)
	sent := ok(w.db.SendOffer(ctx, w.anna.ID, cup.ID, 1))(t)
	agreed := func(node *otherNode, by string, quantity string) m {
		return with(with(agreementOf(w.benListing, quantity, "24"), "id", node.URL+"/agreements/1"), "attributedTo", by)
	}
	ofBen := w.honest.activity("Offer", w.ben, "/offers/ben", agreementOf(mug.Post.URI, "1", "24.00"))
	w.done(t, w.honest, ofBen)
	states := func() string {
		var s string
		must(t, w.pool.QueryRow(ctx, `select string_agg(r::text, E'\n' order by r::text) from (select offer_uri, uri, state, url, reason, buyer_id, order_id from agreements) r`).Scan(&s))
		return s + fmt.Sprint(w.count(t, `select count(*) from orders`), w.count(t, `select count(*) from orders where state = 'placed'`))
	}
	before := states()
	result := func(o m) func(*world, m) { return func(_ *world, a m) { a["result"] = o } }
	round := 0
	hold := func(forgeries []forgery) {
		t.Helper()
		round++
		for i, f := range forgeries { // ids of their own in each round: the same one again is a replay
			forgeries[i].activity = func(w *world, a m) {
				a["id"] = fmt.Sprintf("%s/%d", a["id"], round)
				if f.activity != nil {
					f.activity(w, a)
				}
			}
		}
		w.try(t, forgeries)
		if after := states(); after != before {
			t.Fatalf("agreements changed:\n%s", difference(before, after))
		}
	}
	inBensName := with(agreementOf(mug.Post.URI, "1", "24.00"), "attributedTo", w.ben)
	hold([]forgery{
		{attack: named("an offer in ben's name"), from: eve, kind: "Offer", object: func(*world) any { return inBensName }},
		{attack: named("an offer at ben's server"), from: eve, kind: "Offer", object: func(w *world) any { return w.honest.URL + "/agreements/9" }},
		{attack: named("an offer of something else"), from: eve, kind: "Offer", object: func(*world) any { return m{"type": "Relationship"} }},
		{attack: named("an offer of nothing"), from: eve, kind: "Offer", object: func(*world) any { return m{"type": "Agreement"} }},
		{attack: named("an offer to nobody here"), from: eve, kind: "Offer", object: func(w *world) any { return agreementOf(w.benListing, "1", "24") }},
		{attack: named("eve accepts what anna asked ben"), from: eve, kind: "Accept", object: func(*world) any { return sent.OfferURI }, activity: result(agreed(w.evil, w.eve, "1"))},
		{attack: named("ben's neighbour accepts it"), from: carol, kind: "Accept", object: func(*world) any { return sent.OfferURI }, activity: result(agreed(w.honest, w.carol, "1"))},
		{attack: named("eve rejects it"), from: eve, kind: "Reject", object: func(*world) any { return sent.OfferURI }},
		{attack: named("ben's neighbour rejects it whole"), from: carol, kind: "Reject", object: func(*world) any { return m{"type": "Offer", "id": sent.OfferURI, "actor": w.anna.URI} }},
		{attack: named("an answer to no offer"), from: eve, kind: "Accept", object: func(*world) any { return w.anna.URI + "#offers/1" }},
		{attack: named("an agreement on two where one was asked for"), from: ben, kind: "Accept", object: func(*world) any { return sent.OfferURI }, activity: result(agreed(w.honest, w.ben, "2"))},
		{attack: named("an agreement on something else"), from: ben, kind: "Accept", object: func(*world) any { return sent.OfferURI },
			activity: result(with(agreed(w.honest, w.ben, "1"), "stipulates", agreementOf(w.honest.URL+"/listings/2", "1", "1")["stipulates"]))},
		{attack: named("an agreement at another price"), from: ben, kind: "Accept", object: func(*world) any { return sent.OfferURI },
			activity: result(with(agreed(w.honest, w.ben, "1"), "stipulatesReciprocal", agreementOf(w.benListing, "1", "24.01")["stipulatesReciprocal"]))},
		{attack: named("an agreement at a price that is no number"), from: ben, kind: "Accept", object: func(*world) any { return sent.OfferURI },
			activity: result(with(agreed(w.honest, w.ben, "1"), "stipulatesReciprocal", agreementOf(w.benListing, "1", "2.4e1")["stipulatesReciprocal"]))},
		{attack: named("an agreement on another pay"), from: ben, kind: "Accept", object: func(*world) any { return sent.OfferURI },
			activity: result(with(agreed(w.honest, w.ben, "1"), "stipulatesReciprocal", agreementOf(w.honest.URL+"/listings/2", "1", "24")["stipulatesReciprocal"]))},
		{attack: named("an agreement at eve's"), from: ben, kind: "Accept", object: func(*world) any { return sent.OfferURI }, activity: result(agreed(w.evil, w.ben, "1"))},
		{attack: named("an agreement by eve"), from: ben, kind: "Accept", object: func(*world) any { return sent.OfferURI }, activity: result(agreed(w.honest, w.eve, "1"))},
		{attack: named("two agreements"), from: ben, kind: "Accept", object: func(*world) any { return sent.OfferURI },
			activity: func(w *world, a m) { a["result"] = []any{agreed(w.honest, w.ben, "1"), agreed(w.evil, w.eve, "9")} }},
	})
	for i, u := range []m{w.evil.activity("Undo", w.eve, "/undo/1", ofBen["id"]), w.evil.activity("Undo", w.eve, "/undo/2", ofBen)} {
		if state, _ := w.deliver(t, w.evil, u); state != "failed" {
			t.Errorf("ben's offer taken back by eve: %d %s", i, state)
		}
	}
	// An Undo of what the sender never did is only remembered.
	w.done(t, w.honest, w.honest.activity("Undo", w.carol, "/undo/3", ofBen["id"]))
	w.done(t, w.honest, w.honest.activity("Undo", w.carol, "/undo/4", with(ofBen, "actor", w.carol)))
	if after := states(); after != before {
		t.Fatalf("ben's offer was taken back by others:\n%s", difference(before, after))
	}
	w.done(t, w.honest, with(w.honest.activity("Accept", w.ben, "/yes", sent.OfferURI), "result", agreed(w.honest, w.ben, "1")))
	if a := ok(w.db.Purchase(ctx, w.anna.ID, sent.ID))(t); a.State != souk.AgreementAccepted {
		t.Fatalf("ben's own answer: %+v", a)
	}
	before = states()
	paid := func(node *otherNode, by string) m {
		return with(agreed(node, by, "1"), "preview", m{"type": "Note", "name": "Paid"})
	}
	receipt := func(node *otherNode, by string) m {
		return m{"type": "Document", "id": node.URL + "/receipts/1", "attributedTo": by, "name": "Receipt", "context": w.honest.URL + "/agreements/1"}
	}
	hold([]forgery{
		{attack: named("eve says it is paid"), from: eve, kind: "Update", object: func(w *world) any { return paid(w.honest, w.ben) }},
		{attack: named("eve says so of her own"), from: eve, kind: "Update", object: func(w *world) any { return paid(w.evil, w.eve) }},
		{attack: named("ben's neighbour says it is paid"), from: carol, kind: "Update", object: func(w *world) any { return paid(w.honest, w.carol) }},
		{attack: named("ben says something that is no state"), from: ben, kind: "Update", object: func(w *world) any { return with(paid(w.honest, w.ben), "preview", m{"type": "Note", "name": "<b>"}) }},
		{attack: named("a receipt of ben's neighbour"), from: carol, kind: "Create", object: func(w *world) any { return receipt(w.honest, w.carol) }},
		{attack: named("anna's own order to ben, told by ben"), from: ben, kind: "Update", object: func(w *world) any {
			return with(paid(w.honest, w.ben), "id", w.db.BaseURL()+"/agreements/1")
		}},
	})
	// What eve confirms, of ben's or where nobody here agreed to anything, is a document of hers like any other.
	w.deliver(t, w.evil, w.evil.activity("Create", w.eve, "/receipts/own", with(receipt(w.evil, w.eve), "context", w.evil.URL+"/agreements/1")))
	w.deliver(t, w.evil, w.evil.activity("Create", w.eve, "/receipts/create", receipt(w.evil, w.eve)))
	if after := states(); after != before {
		t.Fatalf("agreements changed:\n%s", difference(before, after))
	}
	w.done(t, w.honest, w.honest.activity("Update", w.ben, "/paid", paid(w.honest, w.ben)))
	w.done(t, w.honest, w.honest.activity("Create", w.ben, "/receipt", receipt(w.honest, w.ben)))
	if a := ok(w.db.Purchase(ctx, w.anna.ID, sent.ID))(t); a.State != souk.AgreementDone {
		t.Errorf("after ben's receipt: %+v", a)
	}
}

func ben(w *world) (*otherNode, string) { return w.honest, w.ben }

// Links that a seller sends are opened by people: only addresses of the web are kept.
func TestOfferAnswerLinks(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	ctx := t.Context()
	cup := ok(w.db.PostByURI(ctx, 0, w.benListing))(t)
	ok(w.pool.Exec(ctx, `update listings set intent = $2, unit_based = true where id = $1`, cup.ID, w.benListing+"#primary"))(t)
	for i, c := range []struct {
		url  any
		want string
	}{
		{w.honest.URL + "/pay", w.honest.URL + "/pay"}, {m{"type": "Link", "href": "https://pay.example/1", "rel": "payment"}, "https://pay.example/1"},
		{[]any{m{"type": "Link", "href": "payto://iban/DE1"}, m{"type": "Link", "href": "https://pay.example/2", "mediaType": "text/html"}}, "https://pay.example/2"},
		{"javascript:alert(1)", ""}, {m{"type": "Link", "href": "caip:10:monero:1:8x"}, ""}, {m{"href": m{"href": "https://x.example"}}, ""}, {"data:text/html,x", ""}, {17, ""}, {nil, ""},
	} {
		a := ok(w.db.SendOffer(ctx, w.anna.ID, cup.ID, 1))(t)
		w.done(t, w.honest, with(w.honest.activity("Accept", w.ben, fmt.Sprintf("/yes/%d", i), a.OfferURI), "result",
			m{"type": "Agreement", "id": fmt.Sprintf("%s/agreements/%d", w.honest.URL, i), "url": c.url}))
		if got := ok(w.db.Purchase(ctx, w.anna.ID, a.ID))(t); got.State != souk.AgreementAccepted || got.URL != c.want {
			t.Errorf("%v: %s with the link %q, want %q", c.url, got.State, got.URL, c.want)
		}
	}
	a := ok(w.db.SendOffer(ctx, w.anna.ID, cup.ID, 1))(t)
	w.done(t, w.honest, with(w.honest.activity("Reject", w.ben, "/no", m{"type": "Offer", "id": a.OfferURI}), "content", "<p>Sorry,<br>&lt;gone&gt;<script>x</script></p>"))
	if got := ok(w.db.Purchase(ctx, w.anna.ID, a.ID))(t); got.State != souk.AgreementRejected || got.Reason != "Sorry,\n<gone>" {
		t.Errorf("rejected: %s %q", got.State, got.Reason)
	}
	ok(w.pool.Exec(ctx, `update accounts set lang = 'zh' where id = $1`, w.anna.ID))(t)
	a = ok(w.db.SendOffer(ctx, w.anna.ID, cup.ID, 1))(t)
	w.done(t, w.honest, with(with(w.honest.activity("Reject", w.ben, "/no/zh", a.OfferURI), "content", "It is gone."), "contentMap", m{"en": "It is gone.", "zh": "<p>已售罄。</p>"}))
	if got := ok(w.db.Purchase(ctx, w.anna.ID, a.ID))(t); got.Reason != "已售罄。" {
		t.Errorf("a reader of Chinese is told %q", got.Reason)
	}
}

// Events and films have a context too, a conversation of their server: they are receipts only where it is an agreement of
// somebody here.
func TestCreateInAContextIsNoReceipt(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	for _, kind := range []string{"Event", "Video", "Document"} {
		path := "/objects/" + kind
		n.done(t, peer, peer.activity("Create", ben, "/creates/"+kind, with(with(with(peer.note(ben, path, "<p>Fair</p>"), "type", kind), "name", "Fair"),
			"context", peer.URL+"/contexts/1")))
		if p := n.post(t, peer.URL+path); !strings.Contains(p.HTML, "Fair") {
			t.Errorf("%s: %q", kind, p.HTML)
		}
	}
}

// A member of one node orders at another, by nothing but what the two send each other.
func TestOrderBetweenNodes(t *testing.T) {
	t.Parallel()
	a, b := newLiveNode(t), newLiveNode(t)
	ctx := t.Context()
	mug := ok(a.db.CreateListing(ctx, a.anna.ID, souk.NewListing{Title: "Blue mug", Price: souk.Money{Amount: 2400, Currency: "EUR"}, Quantity: 2}))(t)
	ok(b.FollowNode(ctx, b.anna.ID, strings.TrimPrefix(a.URL, "http://")))(t)
	work(t, b, a, b)
	ok(a.db.ChangeListing(ctx, a.anna.ID, mug.ID, price(2500)))(t)
	work(t, a, b)
	there := ok(b.known(t, mug.Post.URI))(t)
	stock := func() (sale, held int) {
		t.Helper()
		must(t, a.pool.QueryRow(ctx, `select quantity, held from variants where listing_id = $1`, mug.ID).Scan(&sale, &held))
		return sale, held
	}
	order := func(quantity int) *souk.Agreement {
		t.Helper()
		g := ok(b.db.SendOffer(ctx, b.anna.ID, there.ID, quantity))(t)
		work(t, b, a, b)
		return ok(b.db.Purchase(ctx, b.anna.ID, g.ID))(t)
	}
	told := func(want ...string) {
		t.Helper()
		var got []string
		for _, g := range ok(b.db.PurchaseNews(ctx, b.anna.ID, 9))(t) {
			got = append(got, g.State)
		}
		must(t, b.db.MarkRead(ctx, b.anna.ID, b.db.NewID()))
		if !slices.Equal(got, want) {
			t.Errorf("the buyer is told of %q, want %q", got, want)
		}
	}
	bought := order(1)
	told(souk.AgreementAccepted)
	if bought.State != souk.AgreementAccepted || !strings.HasPrefix(bought.URL, a.URL+"/orders/") || bought.Amount != 2500 {
		t.Fatalf("the buyer sees %+v", bought)
	}
	if sale, held := stock(); sale != 1 || held != 1 {
		t.Errorf("%d for sale, %d held", sale, held)
	}
	o := ok(a.db.OrderByToken(ctx, strings.TrimPrefix(bought.URL, a.URL+"/orders/")))(t)
	buyer := ok(a.db.Account(ctx, o.BuyerID))(t)
	if buyer.URI != b.anna.URI {
		t.Errorf("the seller sees %s", buyer.URI)
	}
	if refused := order(2); refused.State != souk.AgreementRejected || refused.Reason != "Fewer are left than you asked for." {
		t.Errorf("more than there are: %+v", refused)
	}
	told(souk.AgreementRejected)
	if held := order(1); held.State != souk.AgreementRejected || !strings.HasPrefix(held.Reason, "Too many are kept for orders that are not filled in yet.") {
		t.Errorf("all there is, before anything is filled in: %+v", held)
	}
	told(souk.AgreementRejected)
	ok(a.db.CompleteOrder(ctx, o.Token, souk.NewOrder{Name: "Ben", Email: "ben@mail.example", Country: "DE", Address: "Lane 1", Payment: souk.PayArrange}))(t)
	for _, state := range []string{souk.OrderPaid, souk.OrderShipped, souk.OrderDone} {
		ok(a.db.SetOrderState(ctx, a.anna.ID, o.ID, state, "", ""))(t)
		work(t, a, b)
		if got := ok(b.db.Purchase(ctx, b.anna.ID, bought.ID))(t); got.State != state || got.URL != bought.URL {
			t.Errorf("%s here, %s there", state, got.State)
		}
		told(state)
	}
	second := order(1)
	if sale, held := stock(); second.State != souk.AgreementAccepted || sale != 0 || held != 1 {
		t.Fatalf("the second: %+v, %d for sale, %d held", second, sale, held)
	}
	must(t, b.db.TakeOfferBack(ctx, b.anna.ID, second.ID))
	work(t, b, a, b)
	if sale, held := stock(); sale != 1 || held != 0 {
		t.Errorf("taken back: %d for sale, %d held", sale, held)
	}
	told(souk.AgreementCancelled)
	// A price that changed where the buyer's node has not heard of it: nothing is sold at either.
	ok(a.pool.Exec(ctx, `update variants set price = 2600 where listing_id = $1`, mug.ID))(t)
	if dearer := order(1); dearer.State != souk.AgreementRejected || !strings.Contains(dearer.Reason, "another price") {
		t.Errorf("at the old price: %+v", dearer)
	}
}
