package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"souk"
)

// order is the body of an order of n of the listing.
func order(listing string, n int) string {
	return fmt.Sprintf(`{"lines": [{"listing_id": %q, "quantity": %d}], "contact": {"name": "Li Na", "email": "li.na@example.org"},
		"shipping": {"country": "DE", "address": "Gasse 1\n10115 Berlin"}, "payment": "transfer", "note": "Please wrap it", "lang": "zh-CN"}`, listing, n)
}

func TestOrder(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	cup := s.cup(`, "quantity": 3`)
	id := cup.text("id")
	placed := s.send("POST", "/orders", "", order(id, 2), "Idempotency-Key", "one").is(201).
		has("state", "placed", "total.amount", 5290, "total.currency", "EUR", "goods.amount", 4800, "shipping_fee.amount", 490, "lines.0.title", "Celadon cup", "lines.0.quantity", 2,
			"contact.email", "li.na@example.org", "payment_instructions", "IBAN DE00 1234", "seller_note", nil, "lang", "zh", "events.0.by", "buyer", "number", 1001)
	page := must(http.Get(placed.text("url")))(t)
	html := must(io.ReadAll(page.Body))(t)
	page.Body.Close()
	if page.StatusCode != 200 || !strings.Contains(string(html), `lang="zh`) {
		t.Errorf("the buyer's page: %d", page.StatusCode)
	}
	again := s.send("POST", "/orders", "", order(id, 2), "Idempotency-Key", "one").is(201)
	if string(again.raw) != string(placed.raw) {
		t.Errorf("sent again: %s, first %s", again.raw, placed.raw)
	}
	s.send("POST", "/orders", "", order(id, 1), "Idempotency-Key", "one").refuses(409)
	s.send("POST", "/orders", "", order(id, 2), "Idempotency-Key", "two").refuses(409).has("type", "/problems/sold-out")
	s.send("POST", "/orders", "", order(id, 1)).refuses(400).has("type", "/problems/idempotency-key")
	s.send("GET", "/listings/"+id, s.token, "").is(200).has("quantity", 1)

	number := "/orders/" + placed.text("id")
	s.send("GET", "/orders", "", "").refuses(401)
	s.send("GET", number, "", "").refuses(401)
	s.send("GET", "/orders", s.tokenOf(s.owner, "read:listings"), "").refuses(403)
	s.send("GET", "/orders?state=placed", s.token, "").is(200).has("0.id", placed.text("id"), "0.seller_note", "", "1", nil)
	s.send("GET", "/orders?state=lost", s.token, "").refuses(422, "state")
	s.send("GET", "/orders?state=paid", s.token, "").is(200).has("0", nil)

	s.send("PATCH", number, s.token, `{"tracking": "DHL 1"}`).refuses(422, "state")
	s.send("PATCH", number, s.token, `{"state": "shipped"}`).refuses(409)
	s.send("PATCH", number, s.token, `{"state": "paid", "note": "Thank you", "seller_note": "regular"}`).is(200).
		has("state", "paid", "seller_note", "regular", "events.1.note", "Thank you", "events.1.by", "seller", "payment_instructions", nil)
	s.send("PATCH", number, s.token, `{"state": "shipped", "tracking": "DHL 1"}`).is(200).has("tracking", "DHL 1")
	s.send("PATCH", number, s.tokenOf(s.owner, "read"), `{"state": "done"}`).refuses(403)
	ben := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "ben", Role: souk.RoleSeller}))(t)
	bens := s.tokenOf(ben, "read", "write")
	s.send("GET", number, bens, "").refuses(404)
	s.send("PATCH", number, bens, `{"state": "done"}`).refuses(404)
	s.send("GET", "/orders", bens, "").is(200).has("0", nil)
}

func TestOrderRefused(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	id := s.cup("").text("id")
	draft := s.cup(`, "state": "draft"`).text("id")
	send := func(body string) *reply {
		t.Helper()
		return s.send("POST", "/orders", "", body, "Idempotency-Key", "key")
	}
	send(`{}`).refuses(422, "lines", "contact", "shipping", "payment")
	send(`{"lines": [{"listing": "1", "quantity": 0}], "contact": {"name": "x", "mail": "x"}, "shipping": {"pickup": "yes"}, "payment": "transfer"}`).
		refuses(422, "lines[0].listing_id", "lines[0].listing", "contact.mail", "shipping.pickup")
	send(`{"lines": [{"listing_id": "`+id+`", "quantity": 0}, {"listing_id": "`+draft+`"}, {"listing_id": 5}], "contact": {"name": "", "email": "x"}, "shipping": {"country": "ZZ"}, "payment": "gold"}`).
		refuses(422, "lines[0].quantity", "lines[1].listing_id", "lines[2].listing_id", "contact.name", "contact.email", "shipping.country", "shipping.address", "payment")
	send(strings.Replace(order(id, 1), `"email": "li.na@example.org"`, `"email": "a@b.c\r\nBcc: d@e.f"`, 1)).refuses(422, "contact.email")
	s.send("POST", "/orders", "", order(id, 1), "Idempotency-Key", strings.Repeat("k", 256)).refuses(422, "Idempotency-Key")
	send(`{"lines": [{"listing_id": "`+id+`"}], "contact": {"name": "Li", "phone": "+49 30 1234567"}, "shipping": {"pickup": true}, "payment": "cash"}`).
		is(201).has("total.amount", 2400, "shipping.pickup", true, "lines.0.quantity", 1)
}

// Ten times the same order at once is one order; ten orders for the last three are three.
func TestOrderRace(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 1) // with the limits on
	id := s.cup(`, "quantity": 4`).text("id")
	race := func(key func(int) string) map[int]int {
		var wg sync.WaitGroup
		statuses := make([]int, 10)
		ids := make([]any, 10)
		for i := range statuses {
			wg.Go(func() {
				r := s.send("POST", "/orders", "", order(id, 1), "Idempotency-Key", key(i))
				statuses[i], ids[i] = r.status, r.at("id")
			})
		}
		wg.Wait()
		count := map[int]int{}
		distinct := map[any]bool{}
		for i, status := range statuses {
			count[status]++
			if status == 201 {
				distinct[ids[i]] = true
			}
		}
		count[0] = len(distinct)
		return count
	}
	if got := race(func(int) string { return "same" }); got[201] != 10 || got[0] != 1 {
		t.Errorf("the same order: %v", got)
	}
	if got := race(func(i int) string { return fmt.Sprint("own ", i) }); got[201] != 3 || got[0] != 3 || got[409] != 7 {
		t.Errorf("orders for the last three: %v", got)
	}
}
