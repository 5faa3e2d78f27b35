package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"souk"
)

func TestProduct(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.cup(nil)
	other := s.goods(func(n *souk.NewListing) { n.Title = "Ash bowl" })
	s.says(s.owner, souk.NewPost{Source: "See [the cup](" + s.url + "/products/" + l.Slug + ")"})
	mira := s.stranger("mira", "social.example")
	asked := s.answers(mira, l.Post.URI, "1", "<p>Dishwasher?</p>")
	s.says(s.owner, souk.NewPost{Source: "Yes", InReplyTo: asked.ID})
	d := s.page("/products/celadon-cup", 200)
	want(t, d, "h1", "Celadon cup")
	want(t, d, ".tag-price", "€24.00")
	want(t, d, "title", "Celadon cup · The Lane")
	want(t, d, ".story .prose strong", "pine")
	want(t, d, ".shots img@alt", "A pale cup")
	want(t, d, "form#order@action", "/products/celadon-cup/order")
	want(t, d, "form#order select[name=country] option[selected]@value", "DE")
	wantCount(t, d, "form#order [name=payment]", 3)
	wantCount(t, d, ".replies .reply", 2)
	want(t, d, ".replies .reply.answer .prose", "Yes")
	wantCount(t, d, "section[aria-labelledby=seen] li.postcard", 1)
	want(t, d, "section[aria-labelledby=related] a@href", "/products/"+other.Slug)
	want(t, d, `link[type="application/activity+json"]@href`, l.Post.URI)
	want(t, d, `meta[name="fediverse:creator"]@content`, s.Handle(s.owner))
	want(t, d, `meta[property="og:type"]@content`, "product")
	if image := d.Find(`meta[property="og:image"]`).AttrOr("content", ""); !strings.HasPrefix(image, s.url+"/media/") || s.get(image).StatusCode != 200 {
		t.Errorf("og:image %q", image)
	}
	zh := s.page("/zh/products/celadon-cup", 200)
	want(t, zh, "html@lang", "zh-Hans")
	want(t, zh, "h1@lang", "en")
	want(t, zh, "form#order@action", "/zh/products/celadon-cup/order")
	activity := s.get("/products/celadon-cup", "Accept", "application/activity+json")
	var note struct{ ID string }
	if err := json.Unmarshal(activity.body, &note); err != nil || note.ID != l.Post.URI {
		t.Errorf("the product's address pasted into a client: %s %v", activity.body, err)
	}
}

// linkedData is what the page tells search engines of its product.
type linkedData struct {
	Graph []struct {
		Type   string `json:"@type"`
		Name   string
		Offers []struct {
			Price, PriceCurrency, Availability, ItemCondition, URL string
			Seller                                                 struct{ Name string }
		}
		ItemListElement []struct{ Item string }
	} `json:"@graph"`
}

func TestLinkedDataEqualsThePage(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.cup(func(n *souk.NewListing) {
		n.Title, n.Description, n.Condition, n.Quantity = "Cup "+hostile, hostile+"</script>", "used", 2
	})
	listings := must(s.Listings(t.Context(), souk.ListingFilter{}, souk.Page{}))(t)
	path := "/products/" + url.PathEscape(listings[0].Slug)
	d := s.page(path, 200)
	wantCount(t, d, "script", 1)
	wantCount(t, d, "[onerror]", 0)
	if policy := s.get(path).Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	var data linkedData
	if err := json.Unmarshal([]byte(d.Find(`script[type="application/ld+json"]`).Text()), &data); err != nil {
		t.Fatal(err)
	}
	product := data.Graph[0]
	if product.Type != "Product" || product.Name != d.Find("h1").Text() || len(product.Offers) != 1 {
		t.Fatalf("product %+v", product)
	}
	offer := product.Offers[0]
	if "€"+offer.Price != d.Find(".tag-price").Text() || offer.PriceCurrency != "EUR" || offer.ItemCondition != "https://schema.org/UsedCondition" ||
		offer.Availability != "https://schema.org/LimitedAvailability" || offer.Seller.Name != "The Lane" ||
		offer.URL != d.Find("link[rel=canonical]").AttrOr("href", "") {
		t.Errorf("offer %+v", offer)
	}
}

func TestProductMoves(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.cup(nil)
	title := "青瓷茶杯"
	must(s.ChangeListing(t.Context(), s.owner.ID, l.ID, souk.ListingChange{Title: &title}))(t)
	s.pass(time.Second)
	r := s.get("/products/celadon-cup")
	to := "/products/" + url.PathEscape(title)
	if r.StatusCode != http.StatusMovedPermanently || r.Header.Get("Location") != to {
		t.Fatalf("old slug: %d %q", r.StatusCode, r.Header.Get("Location"))
	}
	want(t, s.page(to, 200), "h1", title)
	want(t, s.page(strings.ToLower(to), 200), "h1", title) // escaped in another way
	if r := s.get("/zh/products/celadon-cup"); r.Header.Get("Location") != "/zh"+to {
		t.Errorf("old slug in Chinese: %q", r.Header.Get("Location"))
	}
	if err := s.WithdrawListing(t.Context(), s.owner.ID, l.ID); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	want(t, s.page(to, http.StatusGone), "main h1", "This is no longer here")
	s.page("/products/never-was", http.StatusNotFound)
	draft := s.goods(func(n *souk.NewListing) { n.State, n.Title = souk.ListingDraft, "Secret" })
	s.page("/products/secret", http.StatusNotFound)
	s.page("/posts/"+id(draft.ID), http.StatusNotFound)
}

func TestProductsFilterAndPages(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	for range 26 {
		s.goods(nil)
	}
	s.goods(func(n *souk.NewListing) {
		n.Title, n.Category, n.Tags, n.Quantity = "Bowl", "Home/Bowls", []string{"Ash"}, 0
	})
	d := s.page("/products", 200)
	wantCount(t, d, ".grid > li", 24)
	want(t, d, "header.title p", "27 products")
	next := d.Find(".pager a[rel=next]").AttrOr("href", "")
	second := s.page(next, 200)
	wantCount(t, second, ".grid > li", 3)
	wantCount(t, s.page(second.Find(".pager a[rel=prev]").AttrOr("href", ""), 200), ".grid > li", 24)
	bowls := s.page("/products?category=Home%2FBowls", 200)
	wantCount(t, bowls, ".grid > li", 1)
	wantCount(t, bowls, "meta[name=robots]", 0)
	want(t, bowls, ".facets a[aria-current]@href", "/products")
	none := s.page("/products?category=Home%2FBowls&in_stock=true", 200)
	wantCount(t, none, ".grid > li", 0)
	want(t, none, "meta[name=robots]@content", "noindex")
	wantCount(t, s.page("/products?tag=ash", 200), ".grid > li", 1)
	wantCount(t, s.page("/products?before=x&after=%00&category=", 200), ".grid > li", 24)
}
