package api_test

import (
	"net/url"
	"strings"
	"testing"

	"souk"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	node := strings.TrimPrefix(s.url, "http://")
	s.cup(`, "category": "Home/Cups", "lang": "en", "media_ids": [` + s.upload("pale").text("id") + `]`)
	s.send("POST", "/listings", s.token, `{"title": "青瓷茶杯", "description": "手工制作 <b>", "price": {"amount": 9900, "currency": "EUR"}, "quantity": 0, "lang": "zh"}`).is(201)
	s.send("POST", "/listings", s.token, `{"title": "Cup & saucer", "description": "A cup", "price": {"amount": 1000, "currency": "JPY"}}`).is(201)
	s.send("POST", "/posts", s.token, `{"text": "Glazing a celadon cup today"}`).is(201)
	s.index()

	r := s.send("GET", "/search?q=celadon&type=listing", "", "").is(200).
		has("hits.0.type", "listing", "hits.0.title", "Celadon cup", "hits.0.uri", s.url+"/listings/"+s.first("celadon"), "hits.0.url", s.url+"/products/celadon-cup", "hits.0.node", node,
			"hits.0.price.amount", 2400, "hits.0.price.currency", "EUR", "hits.0.currency", "EUR", "hits.0.in_stock", true, "hits.0.local", true,
			"hits.0.seller.name", "Anna", "hits.0.picture.description", "pale", "total", 1, "total_exact", true, "next", nil, "facets.category.0.value", "Home")
	if got := r.text("hits.0.highlight"); got != "<mark>Celadon</mark> cup" {
		t.Errorf("highlight %q", got)
	}
	s.send("GET", "/search?q="+url.QueryEscape("茶杯"), "", "").is(200).has("hits.0.title", "青瓷茶杯", "hits.0.in_stock", false, "hits.0.highlight", "青瓷<mark>茶杯</mark>")
	s.send("GET", "/search?q="+url.QueryEscape("手工"), "", "").is(200).has("hits.0.highlight", "<mark>手工</mark>制作")
	s.send("GET", "/search?q=saucer", "", "").is(200).has("hits.0.highlight", "Cup &amp; <mark>saucer</mark>")
	s.send("GET", "/search?q=celadon&type=post", "", "").is(200).has("hits.0.type", "post", "hits.0.price", nil, "hits.0.currency", "", "total", 1)
	s.send("GET", "/search?type=account&q=anna", "", "").is(200).has("hits.0.type", "account", "hits.0.title", "Anna")
	s.send("GET", "/search?type=listing&currency=EUR&sort=price", "", "").is(200).has("hits.0.price.amount", 2400, "hits.1.price.amount", 9900, "total", 2, "facets.price.max", 9900)
	s.send("GET", "/search?type=listing&currency=EUR&min_price=2401", "", "").is(200).has("hits.0.price.amount", 9900, "total", 1)
	s.send("GET", "/search?type=listing&in_stock=true", "", "").is(200).has("total", 2)
	s.send("GET", "/search?category=Home&node="+node, "", "").is(200).has("total", 1)
	s.send("GET", "/search?node=elsewhere.example", "", "").is(200).has("total", 0, "hits.0", nil)

	first := s.send("GET", "/search?type=listing&sort=newest&limit=2", "", "").is(200)
	link := first.header.Get("Link")
	second := s.send("GET", "/search?type=listing&sort=newest&limit=2&cursor="+url.QueryEscape(first.text("next")), "", "").is(200).has("next", nil, "hits.1", nil)
	if first.at("hits.0.uri") == second.at("hits.0.uri") || second.at("hits.0") == nil {
		t.Errorf("pages %s, %s", first.raw, second.raw)
	}
	if linked := s.send("GET", strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`), "", "").is(200); linked.at("hits.0.uri") != second.at("hits.0.uri") {
		t.Errorf("Link %q", link)
	}
}

// first is the id of the newest listing that has the word in its title.
func (s *shop) first(word string) string {
	s.t.Helper()
	for _, l := range s.send("GET", "/listings", "", "").is(200).body.([]any) {
		if strings.Contains(strings.ToLower(l.(object)["title"].(string)), word) {
			return l.(object)["id"].(string)
		}
	}
	s.t.Fatalf("no listing called %q", word)
	return ""
}

func TestSearchRefused(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	s.send("GET", "/search?type=shop&sort=sales&min_price=cheap&max_price=-1&in_stock=maybe&limit=0", "", "").refuses(422, "type", "sort", "min_price", "max_price", "in_stock", "limit")
	s.send("GET", "/search?currency=EURO", "", "").refuses(422, "currency")
	s.send("GET", "/search?cursor=nonsense", "", "").refuses(422, "cursor")
	s.send("GET", "/search?min_price=5&max_price=4", "", "").refuses(422, "min_price")
	s.send("GET", "/search?q=%ff", "", "").refuses(422, "q")
	s.send("GET", "/search?q="+strings.Repeat("x", 501), "", "").refuses(422, "q")
	s.send("GET", "/search?q=&type=&min_price=&in_stock=&unknown=1", "", "").is(200)
}

// Whom the reader blocked is not found, if the token may read that.
func TestSearchBlocks(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	s.cup("")
	mia := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "mia"}))(t)
	if err := s.Block(t.Context(), mia.ID, s.owner.ID); err != nil {
		t.Fatal(err)
	}
	s.index()
	s.send("GET", "/search?q=celadon", "", "").is(200).has("total", 1)
	s.send("GET", "/search?q=celadon", s.tokenOf(mia, "read"), "").is(200).has("total", 0)
}
