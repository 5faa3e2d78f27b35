package console_test

import (
	"net/http"
	"net/url"
	"testing"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.browser(t)
	p := b.get("/console/products?state=draft").want(http.StatusOK, "/console/sign-in")
	form := p.form("form")
	if form.Get("next") != "/console/products?state=draft" {
		t.Errorf("next is %q", form.Get("next"))
	}
	form.Set("name", "anna")
	form.Set("password", "wrong horse")
	p = b.post("/console/sign-in", form).want(http.StatusUnprocessableEntity, "/console/sign-in")
	p.problem("password")
	form = p.form("form")
	if form.Get("name") != "anna" {
		t.Errorf("the name came back as %q", form.Get("name"))
	}
	form.Set("password", "correct horse")
	p = b.post("/console/sign-in", form).want(http.StatusOK, "/console/products")
	if p.query.Get("state") != "draft" {
		t.Errorf("led to %v", p.query)
	}
	b.post("/console/sign-out", nil).want(http.StatusOK, "/console/sign-in")
	b.get("/console").want(http.StatusOK, "/console/sign-in")
	b.post("/console/sign-in", url.Values{"name": {"ANNA@shop.example"}, "password": {"correct horse"}}).want(http.StatusOK, "/console")
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.browser(t)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p := b.post("/console/sign-in", url.Values{"name": {"anna"}, "password": {"correct horse"}})
	if p.status != http.StatusSeeOther {
		t.Fatalf("status %d", p.status)
	}
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		if c.Name == "souk_session" && c.HttpOnly && c.SameSite == http.SameSiteLaxMode && c.Path == "/" && !c.Secure {
			return
		}
	}
	t.Errorf("cookies %v", p.header.Values("Set-Cookie"))
}

func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	for _, next := range []string{"//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "evil", "", "/console/sign-in"} {
		b := n.browser(t)
		b.post("/console/sign-in", url.Values{"name": {"anna"}, "password": {"correct horse"}, "next": {next}}).want(http.StatusOK, "/console")
	}
}

func TestSignInIsLimited(t *testing.T) {
	t.Parallel()
	n := newNode(t, origin, 1)
	b := n.browser(t)
	var last int
	for range 11 {
		last = b.post("/console/sign-in", url.Values{"name": {"anna"}, "password": {"x"}}).status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the eleventh attempt in a row got %d", last)
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	b.header.Set("Sec-Fetch-Site", "cross-site")
	for _, path := range []string{"/console/sign-out", "/console/sign-in", "/setup", "/console/products/new"} {
		if p := b.post(path, url.Values{"title": {"Bought by evil"}}); p.status != http.StatusForbidden {
			t.Errorf("%s answered %d", path, p.status)
		}
	}
	b.header.Del("Sec-Fetch-Site")
	b.get("/console").want(http.StatusOK, "/console")
}

// L-01, L-02: the console speaks the language that was chosen, of the account, of the browser, of the shop.
func TestLanguage(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.browser(t)
	lang := func(p *page) string { return p.Find("html").AttrOr("lang", "") }
	if got := lang(b.get("/console/sign-in")); got != "en" {
		t.Errorf("shop's: %q", got)
	}
	b.header.Set("Accept-Language", "zh")
	if got := lang(b.get("/console/sign-in")); got != "zh-Hans" {
		t.Errorf("browser's: %q", got)
	}
	anna := n.signedIn(t, "anna")
	anna.header.Set("Accept-Language", "zh")
	p := anna.get("/console")
	if got := lang(p); got != "en" {
		t.Errorf("account's: %q", got)
	}
	other := p.Find(".rail a.language[lang=zh-Hans]")
	if got := lang(anna.get("/console" + other.AttrOr("href", ""))); got != "zh-Hans" {
		t.Errorf("chosen: %q", got)
	}
	if got := lang(anna.get("/console/products")); got != "zh-Hans" {
		t.Errorf("chosen before: %q", got)
	}
}

func TestErrorPages(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna := n.signedIn(t, "anna")
	for path, status := range map[string]int{"/console/nowhere": 404, "/console/products/1": 404, "/console/products/x": 404, "/console/products/new": 200} {
		if p := anna.get(path); p.status != status || p.Find("h1").Length() != 1 {
			t.Errorf("%s: %d", path, p.status)
		}
	}
}

// A page that is not there has the navigation and the shop's name for who is signed in, and neither for anybody else.
func TestErrorPageKeepsTheNavigation(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna, ben, stranger := n.signedIn(t, "anna"), n.signedIn(t, "ben"), n.browser(t)
	for _, path := range []string{"/console/nothing", "/console/posts/1"} {
		p := anna.get(path).want(http.StatusNotFound, path)
		if p.Find("nav.rail").Length() != 1 || p.Find("nav.tabs").Length() != 1 || text(p.Find("nav.rail .mark")) != "Anna's bowls" {
			t.Errorf("%s has no navigation: %s", path, text(p.Find("body")))
		}
		if p.Find("nav [aria-current]").Length() != 0 {
			t.Errorf("%s stands in the navigation", path)
		}
	}
	if ben.get("/console/nodes").want(http.StatusForbidden, "/console/nodes").Find("nav.rail").Length() != 1 {
		t.Error("what is not allowed has no navigation")
	}
	if stranger.get("/console/nothing").want(http.StatusNotFound, "/console/nothing").Find("nav").Length() != 0 {
		t.Error("a stranger is shown the navigation")
	}
}
