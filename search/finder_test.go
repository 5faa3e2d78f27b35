package search

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"souk"
)

func TestFindShows(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	n.listing("Walnut cup", 2400)
	n.remoteListing("mo", "Copper cup")
	n.drain()
	a := n.find(Request{Text: "walnut cups", Facets: true})
	if len(a.Hits) != 1 {
		t.Fatalf("%d hits", len(a.Hits))
	}
	h := a.Hits[0]
	if h.Type != KindListing || h.URL != "https://lane.example/products/walnut-cup" || h.URI != h.Post.URI || h.Node != "lane.example" || !h.Local {
		t.Errorf("hit %+v", h)
	}
	if h.Price == nil || *h.Price != (souk.Money{Amount: 2400, Currency: "EUR"}) || !h.InStock || h.Availability == "" || h.Seller.Name != "anna" {
		t.Errorf("price %v, in stock %v %q, seller %v", h.Price, h.InStock, h.Availability, h.Seller)
	}
	if got := marked(h.Title, h.TitleSpans); got != "[Walnut] [cup]" {
		t.Errorf("title %s", got)
	}
	if got := marked(h.Text, h.TextSpans); got != "Sold on the lane, [Walnut] [cup]." {
		t.Errorf("text %s", got)
	}
	if len(h.Why) == 0 || h.Score <= 0 {
		t.Errorf("score %g of %v", h.Score, h.Why)
	}
	if got := counts(a.Facets[FieldNode]); got != "lane.example+" {
		t.Errorf("nodes %s", got)
	}
	far := n.find(Request{Text: "copper"}).Hits[0]
	if far.URL != "https://far.example/products/mo" || far.Node != "far.example" || far.Local || far.Checked == nil {
		t.Errorf("remote hit %+v", far)
	}
}

func TestFindNarrows(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	n.listing("Small cup", 500)
	n.listing("Large cup", 2500)
	n.remoteListing("mo", "Far cup")
	n.drain()
	low, high := int64(500), int64(1000)
	n.finds(Request{Text: "cup", MinPrice: &low, MaxPrice: &high}, "Small cup")
	n.finds(Request{Text: "cup", MinPrice: &low, MaxPrice: &high, Currency: "usd"}, "Far cup")
	n.finds(Request{Text: "cup", Currency: "EUR"}, "Small cup", "Large cup")
	n.finds(Request{Text: "cup", Tag: "HandMade", InStock: true, Condition: "new"}, "Small cup", "Large cup")
	n.finds(Request{Type: KindAccount}, "Anna 安娜", "mo")
	hits := n.find(Request{Text: "cup", Sort: SortPrice}).Hits
	if len(hits) != 3 || hits[0].Title != "Small cup" || hits[2].Title != "Far cup" {
		t.Errorf("by price: %v", hits)
	}
	for _, r := range []Request{{Type: "thing"}, {Sort: "sales"}, {Currency: "euro"}, {Cursor: "x"}} {
		var bad *QueryError
		if _, err := n.finder.Find(t.Context(), r); !errors.As(err, &bad) {
			t.Errorf("%+v: %v, want a QueryError", r, err)
		}
	}
}

// TestFindFillsUp deletes rows that the index still has: the page is filled from what follows.
func TestFindFillsUp(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	var made []*souk.Listing
	for i := range 12 {
		made = append(made, n.listing(fmt.Sprint("Spoon number ", i), 100))
	}
	n.drain()
	for _, l := range made[4:9] {
		n.check(n.WithdrawListing(t.Context(), n.owner.ID, l.ID))
	}
	for _, sort := range []SortBy{"", SortNewest, SortPrice} {
		seen := map[string]bool{}
		r := Request{Text: "spoon", Sort: sort, Limit: 3}
		for pages := 0; ; pages++ {
			a := n.find(r)
			for _, h := range a.Hits {
				if seen[h.Title] {
					t.Errorf("%s twice", h.Title)
				}
				seen[h.Title] = true
			}
			if a.Next == "" || pages > 9 {
				break
			}
			if len(a.Hits) != 3 {
				t.Errorf("%q: a page of %d", sort, len(a.Hits))
			}
			r.Cursor = a.Next
		}
		if len(seen) != 7 {
			t.Errorf("%q: %d of 7 found", sort, len(seen))
		}
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("words before it ", 40) + "the walnut cup " + strings.Repeat("and words after ", 40)
	piece, spans := Excerpt(long, "walnut", 100)
	if !strings.HasPrefix(piece, "…") || !strings.HasSuffix(piece, "…") || !strings.Contains(marked(piece, spans), "[walnut]") {
		t.Errorf("piece %s", marked(piece, spans))
	}
	if n := utf8.RuneCountInString(piece); n > 102 {
		t.Errorf("%d characters", n)
	}
	piece, spans = Excerpt(strings.Repeat("真皮手工包", 100)+"防摔手機殼", "手机壳", 60)
	if !strings.HasSuffix(marked(piece, spans), "[手機殼]") || utf8.RuneCountInString(piece) > 62 {
		t.Errorf("piece %s", marked(piece, spans))
	}
	if piece, spans = Excerpt("  short\n text ", "none", 60); piece != "short text" || spans != nil {
		t.Errorf("piece %q", piece)
	}
	if piece, _ = Excerpt(long, "none", 50); !strings.HasPrefix(piece, "words before") {
		t.Errorf("piece %q", piece)
	}
}
