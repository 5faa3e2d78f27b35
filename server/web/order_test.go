package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"souk"
)

// filled is the order form of a product with everything that it needs.
func filled(change func(url.Values)) url.Values {
	f := url.Values{"quantity": {"2"}, "name": {"Mira"}, "email": {"mira@post.example"}, "delivery": {"ship"}, "country": {"DE"},
		"address": {"Lane 1\n10115 Berlin"}, "payment": {"transfer"}}
	if change != nil {
		change(f)
	}
	return f
}

func TestOrder(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.goods(nil)
	r := s.post("/products/celadon-cup/order", filled(nil))
	if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), "/orders/") {
		t.Fatalf("order: %d %q\n%s", r.StatusCode, r.Header.Get("Location"), r.body)
	}
	link := r.Header.Get("Location")
	r = s.get(link)
	d := s.document(r, link, 200)
	if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" || r.Header.Get("X-Robots-Tag") != "noindex" {
		t.Errorf("headers of an order: %v", r.Header)
	}
	want(t, d, "meta[name=robots]@content", "noindex")
	want(t, d, "main h1", "Your order is placed")
	want(t, d, "tr.sum td", "€52.90")
	want(t, d, ".keep input@value", s.url+link)
	want(t, d, ".pay .prose", "IBAN DE00 1234")
	wantCount(t, d, ".steps li.reached", 1)
	want(t, s.page("/zh"+link, 200), "html@lang", "zh-Hans")
	want(t, s.page("/products/celadon-cup", 200), ".facts .few_left", "Few left")

	cancel := d.Find("form.cancel").AttrOr("action", "")
	if r := s.post(cancel, nil); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != link {
		t.Fatalf("cancel: %d %q", r.StatusCode, r.Header.Get("Location"))
	}
	d = s.page(link, 200)
	want(t, d, ".steps li.cancelled b", "Cancelled")
	want(t, d, "p.now span", "You cancelled it.")
	wantCount(t, d, "form.cancel", 0)
	// The same order again is another one now.
	again := s.post("/products/celadon-cup/order", filled(nil))
	if again.StatusCode != http.StatusSeeOther || again.Header.Get("Location") == link {
		t.Errorf("order after cancelling: %d %q", again.StatusCode, again.Header.Get("Location"))
	}
	s.page("/orders/0000", http.StatusNotFound)
	if r := s.post("/orders/0000/cancel", nil); r.StatusCode != http.StatusNotFound {
		t.Errorf("cancel of no order: %d", r.StatusCode)
	}
}

func TestOrderFormComesBackFilled(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.goods(nil)
	for _, c := range []struct {
		name   string
		change func(url.Values)
		status int
		where  string // selector of the message
		text   string
	}{
		{"no name", func(f url.Values) { f.Set("name", " ") }, 422, "#o-name-error", "Fill this in."},
		{"nothing to reach", func(f url.Values) { f.Del("email") }, 422, "#o-email-error", "Give an e-mail address or a phone number, so that the seller can reach you."},
		{"bad email", func(f url.Values) { f.Set("email", "mira@") }, 422, "#o-email-error", "This is no e-mail address. Example: mira@post.example"},
		{"bad phone", func(f url.Values) { f.Set("phone", "call me") }, 422, "#o-phone-error", "This is no phone number. Use digits and + only."},
		{"no country", func(f url.Values) { f.Set("country", "XX") }, 422, "#o-country-error", "Choose a country the seller sends to."},
		{"no address", func(f url.Values) { f.Set("address", "") }, 422, "#o-address-error", "Fill this in."},
		{"long note", func(f url.Values) { f.Set("note", strings.Repeat("长", 1001)) }, 422, "#o-note-error", "Too long: at most 1000 characters."},
		{"no payment", func(f url.Values) { f.Del("payment") }, 422, "#o-payment-error", "Choose how to pay."},
		{"no number", func(f url.Values) { f.Set("quantity", "two") }, 422, "#o-quantity-error", "Choose a whole number from 1 to 99."},
		{"too many", func(f url.Values) { f.Set("quantity", "9") }, 409, "form#order .problem", "Only 5 left. Nothing was ordered yet."},
	} {
		t.Run(c.name, func(t *testing.T) {
			form := filled(c.change)
			form.Set("note", form.Get("note")+hostile)
			d := s.document(s.post("/products/celadon-cup/order", form), c.name, c.status)
			want(t, d, c.where, c.text)
			want(t, d, "form#order.open textarea[name=note]", strings.Join(strings.Fields(form.Get("note")), " "))
			wantCount(t, d, "form#order .problem[role=alert]", 1)
			wantCount(t, d, "script:not([type='application/ld+json'])", 0)
			if got := d.Find("#o-name").AttrOr("value", ""); got != form.Get("name") {
				t.Errorf("name came back as %q", got)
			}
		})
	}
	zh := s.document(s.post("/zh/products/celadon-cup/order", filled(func(f url.Values) { f.Del("name") })), "zh", 422)
	want(t, zh, "#o-name-error", "请填写此项。")
	if counts := must(s.OrderCounts(t.Context(), s.owner.ID))(t); counts[souk.OrderPlaced] != 0 {
		t.Errorf("orders were made: %v", counts)
	}
}

func TestOneOrderHoweverOftenSent(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.goods(nil)
	links := make([]string, 10)
	if err := atOnce(len(links), func(i int) error {
		r := s.post("/products/celadon-cup/order", filled(nil))
		links[i] = r.Header.Get("Location")
		if r.StatusCode != http.StatusSeeOther {
			return fmt.Errorf("status %d", r.StatusCode)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if link != links[0] {
			t.Fatalf("several orders: %v", links)
		}
	}
	// Another person's order is another one, however alike; so is the same thing wanted again the next day.
	other := s.post("/products/celadon-cup/order", filled(func(f url.Values) { f.Set("name", "Otto"); f.Set("quantity", "1") }))
	s.pass(24 * time.Hour)
	next := s.post("/products/celadon-cup/order", filled(nil))
	if a, b := other.Header.Get("Location"), next.Header.Get("Location"); a == "" || b == "" || a == links[0] || b == links[0] {
		t.Errorf("orders %q and %q beside %q", a, b, links[0])
	}
	sold := s.document(s.post("/products/celadon-cup/order", filled(func(f url.Values) { f.Set("name", "Late") })), "sold out", http.StatusConflict)
	want(t, sold, "h1", "Celadon cup")
	wantCount(t, sold, "form#order", 0)
	want(t, sold, ".problem[role=alert]", "Somebody was faster: this is sold out now. Nothing was ordered.")
	want(t, sold, ".facts .sold_out", "Sold out")
}

// Whoever knows what somebody typed must not get the link to that order by typing it too.
func TestSameFormOfSomebodyElseIsAnotherOrder(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.cup(nil)
	order := func(browser string) string {
		form := strings.NewReader(filled(func(f url.Values) { f.Set("quantity", "1") }).Encode())
		r := s.request(http.MethodPost, "/products/celadon-cup/order", form, "Content-Type", "application/x-www-form-urlencoded", "User-Agent", browser)
		if r.StatusCode != http.StatusSeeOther {
			t.Fatalf("order: %d\n%s", r.StatusCode, r.body)
		}
		return r.Header.Get("Location")
	}
	first := order("Mira's")
	if again := order("Mira's"); again != first {
		t.Errorf("sent again by the same browser: %q and %q", first, again)
	}
	if other := order("Eve's"); other == first {
		t.Errorf("another browser got %q", other)
	}
}

func TestOrdersOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.goods(nil)
	r := s.request(http.MethodPost, "/products/celadon-cup/order", strings.NewReader(filled(nil).Encode()),
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %d", r.StatusCode)
	}
	s.shop(func(shop *souk.Shop) { shop.Open = false })
	if r := s.post("/products/celadon-cup/order", filled(nil)); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("order of a closed shop: %d", r.StatusCode)
	}
}

func TestVariants(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.goods(nil)
	ctx := t.Context()
	second := s.NewID()
	for sql, args := range map[string][]any{
		`update variants set title = 'Small' where listing_id = $1`:                                                    {l.ID},
		`insert into variants (id, listing_id, position, title, price, quantity) values ($2, $1, 1, 'Large', 3600, 4)`: {l.ID, second},
	} {
		if _, err := s.Pool().Exec(ctx, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	s.shop(func(*souk.Shop) {})
	d := s.page("/products/celadon-cup", 200)
	want(t, d, ".tag-price", "from €24.00")
	wantCount(t, d, "fieldset.choices input[name=variant]", 2)
	named := s.page("/products/celadon-cup?variant="+id(second), 200)
	want(t, named, "input[name=variant][checked]@value", id(second))
	want(t, named, ".tag-price", "€36.00")
	r := s.post("/products/celadon-cup/order", filled(func(f url.Values) { f.Set("variant", id(second)); f.Set("quantity", "1") }))
	want(t, s.page(r.Header.Get("Location"), 200), "tr.sum td", "€40.90")
	wrong := s.document(s.post("/products/celadon-cup/order", filled(func(f url.Values) { f.Set("variant", "1") })), "variant", 422)
	wantCount(t, wrong, ".choices .error", 1)
}

// Who orders from another server says the rest on the order's page, and the fee is added then.
func TestCompleteOrder(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.goods(nil)
	ctx := t.Context()
	uri := "https://b.example/users/bo"
	bo := must(s.UpsertRemoteAccount(ctx, souk.RemoteAccount{Account: souk.Account{Host: "b.example", Name: "bo", Kind: "Person", URI: uri, URL: uri, DisplayName: "Bo <b>B</b>",
		Inbox: uri + "/inbox", KeyID: uri + "#main-key", PublicKey: "PEM"}}))(t)
	seller := must(s.Account(ctx, l.SellerID))(t)
	offer := souk.Offer{URI: uri + "#offers/1", Buyer: bo, Seller: seller, ListingID: l.ID, Quantity: 1, Intent: l.Post.URI + "#primary"}
	if err := s.ReceiveOffer(ctx, offer); err != nil {
		t.Fatal(err)
	}
	o := must(s.Orders(ctx, seller.ID, souk.OrderFilter{}, souk.Page{}))(t)[0]
	link := "/orders/" + o.Token
	d := s.page(link, 200)
	want(t, d, "main h1", "Almost done")
	want(t, d, "form.order h2", "Where to, and how you pay")
	want(t, d, "form.order@action", link+"/complete")
	want(t, d, "p.now", "The seller accepted your order. Say below where it goes and how you pay.")
	want(t, d, "p.kept", "It is kept for you until May 6, 2026, 09:00 UTC.")
	want(t, d, "tr.sum td", "€24.00")
	wantCount(t, d, ".pay", 0)
	d = s.page("/zh"+link, 200)
	want(t, d, "main h1", "还差一步")
	want(t, d, "p.kept", "商品为你保留至 2026年5月6日 09:00 UTC。")

	r := s.post(link+"/complete", url.Values{"name": {"Bo"}, "delivery": {"ship"}, "country": {"AT"}, "address": {"Gasse 1"}, "payment": {"transfer"}})
	d = s.document(r, link, http.StatusUnprocessableEntity)
	want(t, d, "#o-email-error", "Give an e-mail address or a phone number, so that the seller can reach you.")
	want(t, d, "form.order .problem", "Something is missing below.")
	want(t, d, "#o-name@value", "Bo")
	want(t, d, "form.order button", "Complete the order, €28.90")

	for range 2 { // a second tap shows the order
		if r = s.post("/zh"+link+"/complete", filled(nil)); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/zh"+link {
			t.Fatalf("complete: %d %q\n%s", r.StatusCode, r.Header.Get("Location"), r.body)
		}
	}
	d = s.page(link, 200)
	want(t, d, "tr.sum td", "€28.90")
	want(t, d, ".pay .prose", "IBAN DE00 1234")
	wantCount(t, d, "form.order", 0)
	if r = s.post("/orders/0000/complete", filled(nil)); r.StatusCode != http.StatusNotFound {
		t.Errorf("no order: %d", r.StatusCode)
	}
	if done := must(s.OrderByToken(ctx, o.Token))(t); done.Lang != "zh" || done.Email != "mira@post.example" || done.Incomplete() {
		t.Errorf("stored %+v", done)
	}
}
