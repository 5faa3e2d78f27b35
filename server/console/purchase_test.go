package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"souk"
)

// A member orders at another node, sees the answer and the link, and may take the order back while it is not paid.
func TestPurchase(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	mira := n.remote(t, "mira")
	mug, err := n.db.ReceiveListing(ctx, souk.RemoteListing{RemotePost: souk.RemotePost{Author: mira, URI: "https://far.example/listings/1", HTML: "<p>Mug</p>",
		Visibility: souk.Public, Published: n.db.Now()}, Title: "Red mug", Price: souk.Money{Amount: 1500, Currency: "EUR"}, Intent: "https://far.example/listings/1#primary", UnitBased: true})
	if err != nil {
		t.Fatal(err)
	}
	b := n.signedIn(t, "anna")
	empty := b.get("/console/purchases")
	if empty.Find(".empty").Length() != 1 {
		t.Error("no empty state")
	}
	if got := text(empty.Find(`.rail a[href="/console/purchases"][aria-current=page]`)); got != "Purchases" {
		t.Errorf("in the rail it is %q", got)
	}
	path := "/console/posts/" + id(mug.ID)
	for _, wrong := range []string{"", "mug", "https://far.example/users/mira"} {
		b.post("/console/purchases", url.Values{"address": {wrong}}).problem("address")
	}
	found := b.post("/console/purchases", url.Values{"address": {"https://far.example/listings/1"}}).want(http.StatusOK, path)
	if found.Find(`article.here a[href="#order"]`).Length() != 1 || found.Find(`#order form[action="`+path+`/order"]`).Length() != 1 {
		t.Error("the product cannot be ordered")
	}
	for _, wrong := range []string{"many", "0", "100"} {
		page := b.post(path+"/order", url.Values{"quantity": {wrong}})
		page.problem("quantity")
		if got := text(page.Find("#quantity-error")); got != "Write a whole number from 1 to 99." {
			t.Errorf("%s pieces: %q", wrong, got)
		}
	}
	list := b.post(path+"/order", url.Values{"quantity": {"2"}}).want(http.StatusOK, "/console/purchases")
	if got := text(list.Find("tbody tr")); !strings.Contains(got, "2 × Red mug") || !strings.Contains(got, "€30.00") || !strings.Contains(got, "No answer yet") {
		t.Errorf("sent: %s", got)
	}
	b.post(path+"/order", url.Values{"quantity": {"1"}}).problem("quantity")
	all, err := n.db.Purchases(ctx, n.account(t, "anna").ID, souk.Page{})
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	link := "https://far.example/orders/x"
	if err := n.db.ReceiveOfferAnswer(ctx, mira, souk.OfferAnswer{OfferURI: all[0].OfferURI, Accepted: true, URI: "https://far.example/agreements/1", URL: link}); err != nil {
		t.Fatal(err)
	}
	news := func(want ...string) {
		t.Helper()
		var got []string
		b.get("/console").Find(`.todo li:has(a[href="/console/purchases"])`).Each(func(_ int, li *goquery.Selection) {
			got = append(got, text(li.Find("b"))+" / "+text(li.Find(".about")))
		})
		if !slices.Equal(got, want) {
			t.Errorf("Today says %q, want %q", got, want)
		}
	}
	news("Your order is accepted: say where it goes and how you pay / 2 × Red mug")
	if got := n.signedIn(t, "cora").get("/console").Find(`.todo a[href="/console/purchases"]`).Length(); got != 0 {
		t.Error("others are told too")
	}
	if got := b.get("/console/purchases").Find(`a.primary[href="` + link + `"]`); text(got) != "Go on at far.example" {
		t.Errorf("link: %q", text(got))
	}
	news() // it was looked at
	cancel := "/console/purchases/" + id(all[0].ID) + "/cancel"
	b.get(cancel).want(http.StatusOK, cancel)
	list = b.post(cancel, nil).want(http.StatusOK, "/console/purchases")
	if got := text(list.Find("tbody .state")); got != "Cancelled" {
		t.Errorf("cancelled: %s", got)
	}
	news()
	b.post(path+"/order", url.Values{"quantity": {"1"}}).want(http.StatusOK, "/console/purchases")
	second, err := n.db.Purchases(ctx, n.account(t, "anna").ID, souk.Page{})
	if err != nil || len(second) != 2 {
		t.Fatalf("%+v, %v", second, err)
	}
	if err := n.db.ReceiveOfferAnswer(ctx, mira, souk.OfferAnswer{OfferURI: second[0].OfferURI, Reason: "It is <b>sold out</b>."}); err != nil {
		t.Fatal(err)
	}
	news("Your order was not accepted / 1 × Red mug: “It is <b>sold out</b>.”")
	if a, err := n.db.Purchase(ctx, n.account(t, "anna").ID, all[0].ID); err != nil || a.State != souk.AgreementCancelled {
		t.Errorf("%+v, %v", a, err)
	}
}
