package web_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"souk"
)

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)> </title>`

func TestHome(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	d := s.page("/", 200)
	want(t, d, "html@lang", "en")
	want(t, d, "title", "The Lane")
	want(t, d, "main .empty h1, main .empty h2", "The shelves are being filled")
	l := s.cup(nil)
	post := s.says(s.owner, souk.NewPost{Source: "Kiln is open. See [the cup](" + s.url + "/products/" + l.Slug + ") #celadon"})
	mira := s.stranger("mira", "social.example")
	s.answers(mira, post.URI, "1", "<p>How warm?</p>")
	d = s.page("/", 200)
	want(t, d, "article.lead h2 a@href", "/posts/"+post.URI[strings.LastIndex(post.URI, "/")+1:])
	want(t, d, "article.lead .wares a@href", "/products/celadon-cup")
	want(t, d, ".talks .thread .reply .who", "@mira@social.example")
	want(t, d, "link[rel=canonical]@href", s.url+"/")
	want(t, d, "link[hreflang=zh-Hans]@href", s.url+"/zh/")
	want(t, d, "link[hreflang=x-default]@href", s.url+"/")
	want(t, d, `link[type="application/activity+json"]@href`, s.owner.URI)
	zh := s.page("/zh/", 200)
	want(t, zh, "html@lang", "zh-Hans")
	want(t, zh, "link[rel=canonical]@href", s.url+"/zh/")
	want(t, zh, "article.lead .wares a@href", "/zh/products/celadon-cup")
	want(t, zh, "a.btn.follow@href", "/zh/follow")
}

func TestLanguagesHaveOneAddressEach(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.goods(nil)
	for path, to := range map[string]string{"/en/": "/", "/en": "/", "/en/products?in_stock=true&x=1": "/products?in_stock=true", "/en/products/celadon-cup": "/products/celadon-cup"} {
		if r := s.get(path); r.StatusCode != http.StatusFound || r.Header.Get("Location") != to {
			t.Errorf("%s: %d to %q, want 302 to %q", path, r.StatusCode, r.Header.Get("Location"), to)
		}
	}
	s.shop(func(shop *souk.Shop) { shop.Lang = "zh" })
	want(t, s.page("/", 200), "html@lang", "zh-Hans")
	want(t, s.page("/en/products", 200), "html@lang", "en")
	// Neither header nor cookie changes the page.
	bare := s.get("/products")
	other := s.get("/products", "Accept-Language", "en", "Cookie", "lang=en")
	if string(bare.body) != string(other.body) {
		t.Error("the page depends on the reader's headers")
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.says(s.owner, souk.NewPost{Source: "Before"})
	p := s.says(s.owner, souk.NewPost{Source: "Hello " + hostile + " #Kiln", Lang: "en"})
	mira, otto := s.stranger("mira", "social.example"), s.stranger("otto", "far.example")
	first := s.answers(mira, p.URI, "1", "<p>Is it warm?<script>alert(3)</script></p>")
	s.answers(otto, first.URI, "2", "<p>Surely</p>")
	s.says(s.owner, souk.NewPost{Source: "Yes, 1280 degrees", InReplyTo: first.ID})
	gone := s.answers(otto, p.URI, "3", "<p>rude</p>")
	s.answers(mira, gone.URI, "4", "<p>Please</p>")
	if err := s.ReceiveDelete(t.Context(), otto, gone.URI); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	d := s.page("/posts/"+tail(p.URI), 200)
	wantCount(t, d, "script:not([type='application/ld+json'])", 0)
	wantCount(t, d, "[onerror]", 0)
	want(t, d, "article.essay > .prose a[rel~=tag]", "#Kiln")
	var order []string
	d.Find(".replies .reply").Each(func(_ int, r *goquery.Selection) {
		order = append(order, strings.Join(strings.Fields(r.Find(".prose, article > p.muted").Text()), " "))
	})
	if got, expected := strings.Join(order, "|"), "Is it warm?|Yes, 1280 degrees|Surely|This reply was taken away.|Please"; got != expected {
		t.Errorf("conversation %q, want %q", got, expected)
	}
	wantCount(t, d, ".reply.answer", 1)
	want(t, d, "nav.pager a[rel=prev]@href", "/posts/"+tail(s.older(p)))
	want(t, d, `meta[name="fediverse:creator"]@content`, s.Handle(s.owner))
	zh := s.page("/zh/posts/"+tail(p.URI), 200)
	want(t, zh, "article.essay > .prose@lang", "en")
	if r := s.get("/posts/" + tail(p.URI) + "?replies=2"); r.StatusCode != 200 {
		t.Errorf("second page of replies: %d", r.StatusCode)
	}
}

// An answer in several languages is read in the page's, and offers the others, each marked as what it is.
func TestAnswerInSeveralLanguages(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	p, mira := s.says(s.owner, souk.NewPost{Source: "Hello"}), s.stranger("mira", "social.example")
	must(s.ReceivePost(t.Context(), souk.RemotePost{URI: mira.URI + "/1", URL: mira.URI + "/1", Author: mira, HTML: "<p>Wie warm?</p>", Lang: "de", Visibility: souk.Public,
		InReplyToURI: p.URI, Published: s.Now(), Texts: []souk.Text{{Lang: "zh-CN", HTML: "<p>多热？</p>"}, {Lang: "en", HTML: "<p>How warm?</p>", Summary: "heat"}}}))(t)
	s.pass(time.Second)
	d := s.page("/posts/"+tail(p.URI), 200)
	want(t, d, ".reply details:not(.also) > .prose", "How warm?")
	want(t, d, ".reply details:not(.also) > summary", "heat")
	wantCount(t, d, ".reply .prose[lang=en]", 0) // the page's own
	want(t, d, ".reply .also .prose[lang=de]", "Wie warm?")
	want(t, d, ".reply .also .prose[lang=zh-CN]", "多热？")
	want(t, d, ".reply .also summary [lang=de]", "Deutsch")
	zh := s.page("/zh/posts/"+tail(p.URI), 200)
	want(t, zh, ".reply article > div > .prose", "多热？")
	want(t, zh, ".reply .also .prose[lang=en]", "How warm?")
	want(t, zh, ".reply .also > p", "heat")
	wantCount(t, zh, ".reply .also", 2)
}

// older is the URI of the post before p.
func (s *street) older(p *souk.Post) string {
	s.t.Helper()
	list := must(s.ShopPosts(s.t.Context(), souk.Page{Before: p.ID, Limit: 1}))(s.t)
	return list[0].URI
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

func tail(uri string) string { return uri[strings.LastIndex(uri, "/")+1:] }

func TestPostsOfOthersAndHiddenOnesHaveNoPage(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	hidden := s.says(s.owner, souk.NewPost{Source: "only for followers", Visibility: souk.FollowersOnly})
	open := s.says(s.owner, souk.NewPost{Source: "for all"})
	mira := s.stranger("mira", "social.example")
	theirs := s.answers(mira, open.URI, "1", "<p>Hi</p>")
	deleted := s.says(s.owner, souk.NewPost{Source: "a mistake"})
	if err := s.DeletePost(t.Context(), s.owner.ID, deleted.ID); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	for path, status := range map[string]int{"/posts/" + tail(hidden.URI): 404, "/posts/" + id(theirs.ID): 404, "/posts/1": 404, "/posts/x": 404,
		"/posts/" + tail(deleted.URI): 410, "/@nobody": 404, "/@catalogue": 404, "/nothing/here": 404, "/zh/nothing": 404} {
		r := s.get(path)
		d := s.document(r, path, status)
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached: %q", path, r.Header.Get("Cache-Control"))
		}
		wantCount(t, d, "main form[role=search]", 1)
	}
}

// D7: what a page is as a document, who wrote it, and what link cards and search engines show of it.
func TestPagesNameTheirDocuments(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.cup(nil)
	must(s.SaveProfile(t.Context(), s.owner.ID, souk.Profile{Fields: []souk.Field{{Name: "Web", Value: "https://anna.example"}}}))(t)
	p := s.says(s.owner, souk.NewPost{Source: "Fresh from the kiln"})
	for path, page := range map[string]struct{ id, creator, data string }{
		"/":                        {s.owner.URI, s.Handle(s.owner), `"OnlineStore"`},
		"/@anna":                   {s.owner.URI, s.Handle(s.owner), ""},
		"/posts/" + tail(p.URI):    {p.URI, s.Handle(s.owner), ""},
		"/products/celadon-cup":    {l.Post.URI, s.Handle(s.owner), `"Product"`},
		"/zh/products/celadon-cup": {l.Post.URI, s.Handle(s.owner), `"Product"`},
	} {
		d := s.page(path, 200)
		want(t, d, `head link[rel=alternate][type="application/activity+json"]@href`, page.id)
		want(t, d, `head meta[name="fediverse:creator"]@content`, page.creator)
		for _, property := range []string{"og:title", "og:type", "og:url", "og:site_name"} {
			if d.Find(`head meta[property="`+property+`"]`).AttrOr("content", "") == "" {
				t.Errorf("%s has no %s", path, property)
			}
		}
		if data := d.Find(`script[type="application/ld+json"]`).Text(); !strings.Contains(data, page.data) {
			t.Errorf("%s tells search engines %q, without %s", path, data, page.data)
		}
		if r := s.get(strings.TrimPrefix(page.id, s.url), "Accept", "application/activity+json"); r.StatusCode != 200 || !strings.Contains(string(r.body), `"id":"`+page.id+`"`) {
			t.Errorf("%s leads to %d %.200s", path, r.StatusCode, r.body)
		}
	}
	want(t, s.page("/@anna", 200), `dl.specs dd a[rel~=me]@href`, "https://anna.example")
}

func TestProfile(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.goods(nil)
	bio := "Potter " + hostile
	must(s.SaveProfile(t.Context(), s.owner.ID, souk.Profile{Bio: &bio, Fields: []souk.Field{{Name: "Web", Value: "https://anna.example"}}}))(t)
	s.says(s.owner, souk.NewPost{Source: "First"})
	d := s.page("/@anna", 200)
	want(t, d, "main h1", "Anna")
	want(t, d, "dl.specs dd a@href", "https://anna.example")
	wantCount(t, d, "script:not([type='application/ld+json'])", 0)
	want(t, d, ".grid a@href", "/products/"+l.Slug)
	want(t, d, "ul.posts h3 a", "First")
	want(t, d, `link[type="application/activity+json"]@href`, s.owner.URI)
	if r := s.get("/@Anna"); r.StatusCode != 301 || r.Header.Get("Location") != "/@anna" {
		t.Errorf("capitals: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
	json := s.get("/@anna", "Accept", "application/activity+json")
	if !strings.HasPrefix(json.Header.Get("Content-Type"), "application/activity+json") || !strings.Contains(json.Header.Get("Vary"), "Accept") {
		t.Errorf("actor at the profile: %v", json.Header)
	}
}

func TestTag(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.goods(nil)
	s.says(s.owner, souk.NewPost{Source: "Glaze tests #Celadon"})
	d := s.page("/tags/celadon", 200)
	want(t, d, "main h1", "#Celadon")
	want(t, d, ".grid a@href", "/products/celadon-cup")
	wantCount(t, d, "ul.posts > li", 1)
	if r := s.get("/tags/Celadon"); r.StatusCode != 301 || r.Header.Get("Location") != "/tags/celadon" {
		t.Errorf("capitals: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
	want(t, s.page("/zh/tags/nichts", 200), "html@lang", "zh-Hans")
}

func TestPostsPages(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	for range 45 {
		s.says(s.owner, souk.NewPost{Source: "Again"})
	}
	var sizes []int
	path, previous := "/posts", ""
	for path != "" && len(sizes) < 5 {
		d := s.page(path, 200)
		sizes = append(sizes, d.Find("ul.posts > li").Length())
		previous = d.Find(".pager a[rel=prev]").AttrOr("href", "")
		path = d.Find(".pager a[rel=next]").AttrOr("href", "")
	}
	if len(sizes) != 3 || sizes[0] != 20 || sizes[1] != 20 || sizes[2] != 5 {
		t.Errorf("pages of %v posts", sizes)
	}
	back := s.page(previous, 200)
	wantCount(t, back, "ul.posts > li", 20)
	wantCount(t, back, ".pager a[rel=prev]", 1)
}

func TestGate(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	r := s.get("/")
	d := s.document(r, "/", 503)
	want(t, d, "main h1", "A shop will open here")
	if r.Header.Get("Retry-After") == "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("gate: %v", r.Header)
	}
	s = annasShop(t)
	l := s.goods(nil)
	p := s.says(s.owner, souk.NewPost{Source: "Holiday"})
	s.shop(func(shop *souk.Shop) { shop.Open = false })
	for path, status := range map[string]int{"/": 503, "/zh/": 503, "/products": 503, "/products/" + l.Slug: 503, "/tags/celadon": 503,
		"/posts/" + tail(p.URI): 200, "/@anna": 200, "/posts": 200, "/posts.atom": 200} {
		if r := s.get(path); r.StatusCode != status {
			t.Errorf("%s of a closed shop: %d, want %d", path, r.StatusCode, status)
		}
	}
	want(t, s.page("/", 503), "main .empty a.btn.primary@href", "/follow")
	mine := s.get("/products/"+l.Slug, "Cookie", s.signedIn(s.owner))
	want(t, s.document(mine, "preview", 200), "h1", "Celadon cup")
	if mine.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the preview may be cached: %v", mine.Header)
	}
	member := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "bo"}))(t)
	if r := s.get("/", "Cookie", s.signedIn(member)); r.StatusCode != 503 {
		t.Errorf("a member who sells nothing sees the closed shop: %d", r.StatusCode)
	}
	s.page("/products/"+l.Slug, 503)
	s.shop(func(shop *souk.Shop) { shop.Open = true })
	s.page("/", 200)
}
