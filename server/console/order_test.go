package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"souk"
)

// ordered is an order of two of a product of somebody.
func (n *node) ordered(t *testing.T, seller string) *souk.Order {
	t.Helper()
	l, err := n.db.CreateListing(t.Context(), n.account(t, seller).ID, souk.NewListing{Title: "Blue bowl", Price: souk.Money{Amount: 2450, Currency: "EUR"}, Quantity: 5})
	if err != nil {
		t.Fatal(err)
	}
	o, err := n.db.PlaceOrder(t.Context(), souk.NewOrder{Lines: []souk.NewOrderLine{{ListingID: l.ID, Quantity: 2}}, Name: "Mira <b>Novak</b>", Email: "mira@far.example",
		Country: "DE", Address: "Lindenweg 3\n10969 Berlin", Payment: souk.PayTransfer, Note: "A present"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (n *node) orderState(t *testing.T, o *souk.Order) *souk.Order {
	t.Helper()
	now, err := n.db.Order(t.Context(), n.account(t, "anna").ID, o.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func TestOrderGoesItsWay(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	o := n.ordered(t, "anna")
	b := n.signedIn(t, "anna")
	path := "/console/orders/" + id(o.ID)
	if got := b.get("/console").Find(`.todo a[href="` + path + `"]`).Length(); got != 1 {
		t.Errorf("the first page names the order %d times", got)
	}
	list := b.get("/console/orders?state=placed")
	if list.Find("tbody tr").Length() != 1 || text(list.Find(`.views a[aria-current] .count`)) != "1" {
		t.Errorf("list: %s", text(list.Find("main")))
	}
	p := b.get(path).want(http.StatusOK, path)
	if got := text(p.Find("address")); !strings.Contains(got, "Lindenweg 3 10969 Berlin Germany") || !strings.Contains(got, "Mira <b>Novak</b>") {
		t.Errorf("address %q", got)
	}
	if got := text(p.Find(".sums .total td")); got != "€49.00" {
		t.Errorf("total %q", got)
	}
	if p.Find(".next-step .btn.primary").Length() != 1 {
		t.Error("not one main action")
	}

	b.post(path, url.Values{"do": {"paid"}}).want(http.StatusOK, path)
	p = b.post(path, url.Values{"do": {"placed"}}).want(http.StatusOK, path) // clicked by mistake
	if got := n.orderState(t, o); got.State != souk.OrderPlaced {
		t.Errorf("undone: %s", got.State)
	}
	if p.Find("button[value=paid]").Length() != 1 {
		t.Error("it cannot be paid again")
	}
	b.post(path, url.Values{"do": {"paid"}}).want(http.StatusOK, path)
	p = b.post(path, url.Values{"do": {"shipped"}, "tracking": {"DE 123"}, "note": {"On its way"}}).want(http.StatusOK, path)
	now := n.orderState(t, o)
	if now.State != souk.OrderShipped || now.Tracking != "DE 123" || now.Events[len(now.Events)-1].Note != "On its way" {
		t.Errorf("shipped: %+v", now)
	}
	if !strings.Contains(text(p.Find(".history")), "On its way") {
		t.Errorf("history %s", text(p.Find(".history")))
	}
	b.post(path, url.Values{"do": {"cancelled"}}).want(http.StatusConflict, path)
	b.post(path, url.Values{"do": {"nonsense"}}).want(http.StatusUnprocessableEntity, path)
	b.post(path, url.Values{"do": {"done"}}).want(http.StatusOK, path)

	b.post(path+"/note", url.Values{"seller_note": {"Nice person"}}).want(http.StatusOK, path)
	if got := n.orderState(t, o).SellerNote; got != "Nice person" {
		t.Errorf("note %q", got)
	}
	long := url.Values{"seller_note": {strings.Repeat("x", 2001)}}
	p = b.post(path+"/note", long).want(http.StatusUnprocessableEntity, path+"/note")
	p.problem("seller_note")
	if got := strings.TrimSpace(p.Find("#seller_note").Text()); len(got) != 2001 {
		t.Errorf("%d characters came back", len(got))
	}
}

func TestCancelOrderAsks(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	o := n.ordered(t, "anna")
	b := n.signedIn(t, "anna")
	path := "/console/orders/" + id(o.ID)
	href := b.get(path).Find(".next-step a.quiet").AttrOr("href", "")
	form := b.get(href).want(http.StatusOK, path+"/cancel").form("main form")
	if got := n.orderState(t, o); got.State != souk.OrderPlaced {
		t.Fatalf("asking cancelled it: %s", got.State)
	}
	form.Set("do", "cancelled")
	form.Set("note", "Broken in the kiln")
	b.post(path, form).want(http.StatusOK, path)
	if got := n.orderState(t, o); got.State != souk.OrderCancelled {
		t.Errorf("state %s", got.State)
	}
}

func TestOrdersOfOthers(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	o := n.ordered(t, "anna")
	path := "/console/orders/" + id(o.ID)
	ben := n.signedIn(t, "ben")
	ben.get(path).want(http.StatusNotFound, path)
	ben.post(path, url.Values{"do": {"paid"}}).want(http.StatusNotFound, path)
	if ben.get("/console/orders").Find("tbody tr").Length() != 0 {
		t.Error("ben sees anna's orders")
	}
	cora := n.signedIn(t, "cora")
	cora.get(path).want(http.StatusForbidden, path)
	cora.get("/console/orders").want(http.StatusForbidden, "/console/orders")
}
