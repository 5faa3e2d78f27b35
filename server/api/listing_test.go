package api_test

import (
	"strings"
	"testing"

	"souk"
)

func TestListingLife(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	m := s.upload("A pale cup")
	made := s.cup(`, "quantity": 3, "tags": ["#Celadon", "cup"], "category": "Home/Cups", "condition": "used", "lang": "en", "media_ids": ["` + m.text("id") + `"]`)
	id := made.text("id")
	made.has("title", "Celadon cup", "price.amount", 2400, "price.currency", "EUR", "quantity", 3, "availability", "few_left", "in_stock", true,
		"condition", "used", "category", "Home/Cups", "tags.0", "Celadon", "state", "published", "announced", false, "seller.handle", "@anna@"+strings.TrimPrefix(s.url, "http://"),
		"uri", s.url+"/listings/"+id, "url", s.url+"/products/celadon-cup", "media.0.description", "A pale cup")
	if got := made.header.Get("Location"); got != s.url+"/api/souk/v1/listings/"+id {
		t.Errorf("Location %q", got)
	}
	if !strings.Contains(made.text("html"), "<strong>hand</strong>") {
		t.Errorf("html %q", made.text("html"))
	}

	public := s.send("GET", "/listings/"+id, "", "").is(200).has("title", "Celadon cup", "quantity", nil, "variants.0.quantity", nil, "availability", "few_left")
	s.send("GET", "/listings/"+id, s.token, "").is(200).has("quantity", 3)
	s.send("GET", "/listings/"+id, s.tokenOf(s.owner, "write"), "").is(200).has("quantity", nil)
	s.send("GET", "/listings/"+id, "", "", "If-None-Match", public.header.Get("ETag")).is(304)

	changed := s.send("PATCH", "/listings/"+id, s.token, `{"price": {"amount": 2200, "currency": "EUR"}, "quantity": 20, "media_ids": [], "tags": []}`, "If-Match", made.header.Get("ETag")).is(200).
		has("price.amount", 2200, "quantity", 20, "title", "Celadon cup", "media.0", nil, "tags.0", nil, "condition", "used")
	if changed.at("version").(float64) <= made.at("version").(float64) {
		t.Errorf("version %v after %v", changed.at("version"), made.at("version"))
	}
	s.send("PATCH", "/listings/"+id, s.token, `{"title": "Late"}`, "If-Match", made.header.Get("ETag")).refuses(412).has("type", "/problems/changed-meanwhile")
	s.send("PATCH", "/listings/"+id, s.token, `{"title": "Late"}`, "If-Match", "yesterday").refuses(422, "If-Match")
	s.send("PATCH", "/listings/"+id, s.token, `{"state": "sold_out"}`).is(200).has("in_stock", false, "availability", "sold_out")

	s.send("DELETE", "/listings/"+id, s.token, "").is(204)
	s.send("GET", "/listings/"+id, "", "").refuses(410)
	s.send("GET", "/listings/"+id, s.token, "").refuses(410)
	s.send("DELETE", "/listings/"+id, s.token, "").refuses(410)
	s.send("GET", "/listings/123", "", "").refuses(404)
	s.send("GET", "/listings/abc", "", "").refuses(404)
}

func TestListingDraft(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	draft := s.cup(`, "state": "draft"`).has("state", "draft", "quantity", 1)
	id := draft.text("id")
	s.send("GET", "/listings/"+id, "", "").refuses(404)
	s.send("GET", "/listings/"+id, s.token, "").is(200)
	s.send("GET", "/listings", "", "").is(200).has("0", nil)
	s.send("GET", "/listings?mine=true", "", "").refuses(401)
	s.send("GET", "/listings?mine=true", s.tokenOf(s.owner, "write"), "").refuses(403)
	s.send("GET", "/listings?mine=true&state=draft", s.token, "").is(200).has("0.id", id, "0.quantity", 1)
	s.send("PATCH", "/listings/"+id, s.token, `{"state": "published"}`).is(200).has("state", "published")
	s.send("GET", "/listings", "", "").is(200).has("0.id", id)
	s.send("PATCH", "/listings/"+id, s.token, `{"state": "draft"}`).refuses(422, "state")
}

func TestListingPaging(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	want := []string{}
	for range 5 {
		want = append([]string{s.cup(`, "category": "Home/Cups"`).text("id")}, want...)
	}
	s.cup(`, "category": "Garden"`)
	var got []string
	next := "/listings?limit=2&category=Home"
	pages := 0
	for ; next != ""; pages++ {
		page := s.send("GET", next, "", "").is(200)
		for _, l := range page.body.([]any) {
			got = append(got, l.(object)["id"].(string))
		}
		next = ""
		for _, link := range page.header.Values("Link") {
			if address, found := strings.CutSuffix(link, `>; rel="next"`); found {
				next = strings.TrimPrefix(address, "<")
			}
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") || pages != 3 {
		t.Errorf("%d pages, %v, want %v", pages, got, want)
	}
	s.send("GET", "/listings?limit=81&cursor=x", "", "").refuses(422, "limit", "cursor")
}

func TestListingRefused(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	post := func(body string) *reply { t.Helper(); return s.send("POST", "/listings", s.token, body) }
	post(`{}`).refuses(422, "title", "description", "price")
	post(`{"titel": "x", "description": "", "price": {"amount": "24", "currency": 3, "vat": 1}, "quantity": 1.5, "tags": "a", "media_ids": [true, "x", null], "announce": "yes", "lang": "no language"}`).
		refuses(422, "titel", "title", "price.amount", "price.currency", "price.vat", "quantity", "tags", "media_ids[0]", "media_ids[1]", "media_ids[2]", "announce", "lang")
	unknown := post(`{"titel": "x", "description": "d", "price": {"amount": 1, "currency": "EUR"}}`).refuses(422, "titel")
	if !strings.Contains(unknown.text("detail"), `did you mean "title"?`) {
		t.Errorf("detail %q", unknown.text("detail"))
	}
	const rest = `"description": "d", "price": {"amount": 100, "currency": "EUR"}`
	post(`{"title": "a", "description": "d", "price": {"amount": -1, "currency": "XXQ"}}`).refuses(422, "price")
	post(`{"title": "a\u0000b", `+rest+`}`).refuses(422, "title")
	post(`{"title": "", `+rest+`}`).refuses(422, "title")
	post(`{"title": "a", `+rest+`, "condition": "broken"}`).refuses(422, "condition")
	post(`{"title": "a", `+rest+`, "media_ids": ["99"]}`).refuses(422, "media_ids[0]")
	post(`{"title": "a", `+rest+`, "quantity": 99999999999999999999}`).refuses(422, "quantity")
	post(`null`).refuses(422)
	post(`[]`).refuses(422)
	for _, broken := range []string{``, `{`, `{"title": "a"} {}`, "{\"title\": \"\xff\"}", `{"title": 01}`} {
		post(broken).refuses(400).has("type", "/problems/malformed")
	}
	post(`{"title": "`+strings.Repeat("x", 300<<10)+`"}`).refuses(413).has("type", "/problems/too-large")
	s.sendAs("POST", "/listings", s.token, "text/plain", strings.NewReader(`{}`)).refuses(415)
	s.send("PATCH", "/listings/1", s.token, `{"title": 5}`).refuses(422, "title")
	s.send("PATCH", "/listings/1", s.token, `{}`).refuses(404)
}

func TestListingOfOthers(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	ben := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "ben", Role: souk.RoleSeller}))(t)
	mia := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "mia"}))(t)
	bens, mias := s.tokenOf(ben, "read", "write"), s.tokenOf(mia, "read", "write")
	id := s.cup("").text("id")
	for _, token := range []string{bens, mias} {
		s.send("PATCH", "/listings/"+id, token, `{"title": "Mine now"}`).refuses(403)
		s.send("DELETE", "/listings/"+id, token, "").refuses(403)
		s.send("GET", "/listings/"+id, token, "").is(200).has("quantity", nil)
	}
	s.send("POST", "/listings", mias, `{"title": "a", "description": "d", "price": {"amount": 100, "currency": "EUR"}}`).refuses(403)
	media := s.upload("mine").text("id")
	s.send("PATCH", "/media/"+media, bens, `{"description": "yours"}`).refuses(404)
	s.send("POST", "/listings", bens, `{"title": "a", "description": "d", "price": {"amount": 100, "currency": "EUR"}, "media_ids": [`+media+`]}`).refuses(422, "media_ids[0]")
	s.cup(`, "media_ids": [`+media+`]`).has("media.0.id", media) // ids are read as numbers too
}
