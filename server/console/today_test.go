package console_test

import (
	"strconv"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"souk"
)

// C-06: what the database says ticks a step, not a click.
func TestNextStepsTickThemselves(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	anna := n.account(t, "anna")
	open := func() (links []string) {
		t.Helper()
		b.get("/console").Find(".steps li:not(.ticked) a").Each(func(_ int, a *goquery.Selection) {
			links = append(links, a.AttrOr("href", ""))
		})
		return links
	}
	if got := open(); len(got) != 5 {
		t.Fatalf("a fresh shop has %v before it", got)
	}
	b.get("/console/products/new") // looking at it is not doing it
	if got := open(); len(got) != 5 {
		t.Errorf("a click ticked a step: %v", got)
	}
	n.ordered(t, "anna")
	if got := open(); len(got) != 4 || got[0] != "/console/posts/new" {
		t.Errorf("after the first product: %v", got)
	}
	if _, err := n.db.CreatePost(t.Context(), anna.ID, souk.NewPost{Source: "Hello"}); err != nil {
		t.Fatal(err)
	}
	shop, err := n.db.Shop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shop.PaymentNote = "To the account"
	if err := n.db.SaveShop(t.Context(), anna.ID, *shop); err != nil {
		t.Fatal(err)
	}
	mira := n.remote(t, "mira")
	if err := n.db.ReceiveFollow(t.Context(), mira.URI+"#follow", mira, anna, false); err != nil {
		t.Fatal(err)
	}
	if got := open(); len(got) != 1 || got[0] != "/console/settings/profile" {
		t.Errorf("after all but the face: %v", got)
	}
}

// The ladder draws what is counted, to a logarithmic scale, and says of the rest that nobody counts it.
func TestLadderIsDrawn(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	mira := n.remote(t, "mira")
	if err := n.db.ReceiveFollow(t.Context(), mira.URI+"#follow", mira, n.account(t, "anna"), false); err != nil {
		t.Fatal(err)
	}
	p := n.signedIn(t, "anna").get("/console")
	if got := text(p.Find(".step-visitors .sr")); got != "not counted yet" {
		t.Errorf("visitors: %q", got)
	}
	if got := text(p.Find(".step-followers b")); got != "1" {
		t.Errorf("followers: %q", got)
	}
	height := func(step string) int {
		h, err := strconv.Atoi(p.Find("."+step+" svg").AttrOr("height", ""))
		if err != nil {
			t.Errorf("height of %s: %v", step, err)
		}
		return h
	}
	// One follower of a scale that reaches to ten: log 2 / log 11 of 157, above a line of 3.
	if one, none := height("step-followers"), height("step-buyers"); one != 48 || none != 3 {
		t.Errorf("heights %d and %d", one, none)
	}
	if got := n.signedIn(t, "cora").get("/console").Find(".ladder li").Length(); got != 3 {
		t.Errorf("a member sees %d steps", got)
	}
}
