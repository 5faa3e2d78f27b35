package server_test

import (
	"net/http"
	"strings"
	"testing"

	"souk"
)

// What two nodes agreed to is read by both sides: by the buyer and their server, who sign, and by the seller, who is signed
// in. For everybody else there is nothing at its address.
func TestAgreementOverHTTP(t *testing.T) {
	t.Parallel()
	a, b, c := newNode(t, "anna"), newNode(t, "ben"), newNode(t, "cora")
	ctx := t.Context()
	mug := must(a.CreateListing(ctx, a.owner.ID, souk.NewListing{Title: "Blue mug", Price: souk.Money{Amount: 2400, Currency: "EUR"}, Quantity: 2}))(t)
	there := must(b.ResolvePost(ctx, mug.Post.URI))(t)
	order := func() *souk.Agreement {
		t.Helper()
		g := must(b.SendOffer(ctx, b.owner.ID, there.ID, 1))(t)
		settle(t, b, a)
		return must(b.Purchase(ctx, b.owner.ID, g.ID))(t)
	}
	bought := order()
	path := strings.TrimPrefix(bought.URI, a.url)
	dan := must(b.CreateAccount(ctx, souk.NewAccount{Name: "dan", Role: souk.RoleMember}))(t)
	session := func(n *node, role string) string {
		t.Helper()
		who := n.owner
		if role != souk.RoleOwner {
			who = must(n.CreateAccount(ctx, souk.NewAccount{Name: role, Role: role}))(t)
		}
		return must(n.NewSession(ctx, who.ID, "test"))(t)
	}
	signedIn := func(token, path, accept string) got {
		t.Helper()
		req := must(http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil))(t)
		req.Header.Set("Accept", accept)
		req.AddCookie(&http.Cookie{Name: "souk_session", Value: token})
		return a.send(req)
	}
	anna, member, seller := session(a, souk.RoleOwner), session(a, souk.RoleMember), session(a, souk.RoleSeller)

	check := func(what string, g got) {
		t.Helper()
		g.is(t, what, 200, nowhere, "Accept, Signature")
		if g.Header.Get("Content-Type") != "application/activity+json; charset=utf-8" || g.Header.Get("Access-Control-Allow-Origin") != "" || g.doc["id"] != bought.URI || g.doc["type"] != "Agreement" ||
			g.doc["@context"] == nil || g.doc["sdo:orderStatus"] != "sdo:OrderPaymentDue" {
			t.Errorf("%s reads %s", what, g.body)
		}
	}
	check("the buyer", a.get(b, b.owner, path, activity))
	check("the buyer's server", a.get(b, must(b.InstanceActor(ctx))(t), path, activity))
	check("the seller", signedIn(anna, path, activity))
	page := signedIn(anna, path, "text/html")
	if to := page.Header.Get("Location"); page.StatusCode != http.StatusFound || !strings.HasPrefix(to, "/console/orders/") || page.Header.Get("Cache-Control") != nowhere {
		t.Errorf("the seller's browser: %d to %q, %v", page.StatusCode, to, page.Header)
	} else if g := signedIn(anna, to, "text/html"); g.StatusCode != 200 || !strings.Contains(string(g.body), "Blue mug") {
		t.Errorf("the page of the order: %d", g.StatusCode)
	}
	for what, g := range map[string]got{
		"a stranger": a.get(nil, nil, path, activity), "another of the buyer's server": a.get(b, dan, path, activity),
		"another server": a.get(c, must(c.InstanceActor(ctx))(t), path, activity), "somebody there": a.get(c, c.owner, path, activity),
		"a member here": signedIn(member, path, activity), "another seller here": signedIn(seller, path, activity), "no session": signedIn("x", path, activity),
		"the buyer, of another": a.get(b, b.owner, "/agreements/1", activity), "the seller, of another": signedIn(anna, "/agreements/1", activity),
	} {
		g.is(t, what, 404, "no-store", "Accept")
	}
	for what, g := range map[string]got{"a stranger": a.get(nil, nil, path, "text/html"), "a member": signedIn(member, path, "text/html"), "another seller": signedIn(seller, path, "text/html"),
		"the buyer": a.get(b, b.owner, path, "text/html")} {
		if g.StatusCode != 404 || g.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the page for %s: %d, %v", what, g.StatusCode, g.Header)
		}
	}

	done(t, b.TakeOfferBack(ctx, b.owner.ID, bought.ID))
	settle(t, b, a)
	if g := a.get(b, b.owner, path, activity); g.doc["sdo:orderStatus"] != "sdo:OrderCancelled" {
		t.Errorf("cancelled: %s", g.body)
	}
	// What is rejected is no agreement, and has no address.
	must(a.ChangeListing(ctx, a.owner.ID, mug.ID, souk.ListingChange{Quantity: new(int)}))(t)
	refused := order()
	if refused.State != souk.AgreementRejected {
		t.Fatalf("%+v", refused)
	}
	var id string
	done(t, a.Pool().QueryRow(ctx, `select id::text from agreements where offer_uri = $1`, refused.OfferURI).Scan(&id))
	a.get(b, b.owner, "/agreements/"+id, activity).is(t, "what was rejected", 404, "no-store", "Accept")
	done(t, a.SetSecureMode(ctx, a.owner.ID, true))
	a.now, b.now = a.now.Add(6e9), b.now.Add(6e9) // the setting is remembered for a while
	check2 := a.get(b, b.owner, path, activity)
	check2.is(t, "the buyer, in secure mode", 200, nowhere, "Accept, Signature")
	signedIn(anna, path, activity).is(t, "the seller, in secure mode", 200, nowhere, "Accept, Signature")
	a.get(nil, nil, path, activity).is(t, "a stranger, in secure mode", 401, "no-store", "Accept, Signature")
}
