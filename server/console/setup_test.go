package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func setupAnswers(token string) url.Values {
	return url.Values{"token": {token}, "shop.name": {"青山陶作"}, "name": {"qingshan"}, "password": {"correct horse"}, "shop.country": {"CN"}, "shop.lang": {"zh"}}
}

// C-01: from the link to the console, signed in; the link works once.
func TestSetup(t *testing.T) {
	t.Parallel()
	n := newNode(t, origin, 1)
	token, err := n.db.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := n.browser(t)
	b.header.Set("Accept-Language", "zh-CN,zh;q=0.9")
	p := b.get("/setup?token="+token).want(http.StatusOK, "/setup")
	if lang := p.Find("html").AttrOr("lang", ""); lang != "zh-Hans" {
		t.Errorf("lang %q", lang)
	}
	if got := p.Find(`[id="shop.country"] option[selected]`).AttrOr("value", ""); got != "CN" {
		t.Errorf("country %q is chosen", got)
	}
	if got := text(p.Find(".handle-field .affix").Last()); got != "@shop.example" {
		t.Errorf("behind the handle stands %q", got)
	}
	form := p.form("form")
	for name, values := range setupAnswers(token) {
		form[name] = values
	}
	p = b.post("/setup", form).want(http.StatusOK, "/console")
	if text(p.Find(".done")) == "" || text(p.Find("h1")) != "今日" {
		t.Errorf("after setup: %q, %q", text(p.Find(".done")), text(p.Find("h1")))
	}
	if p.Find(`.steps a[href="/console/products/new"]`).Length() != 1 {
		t.Error("no link to the first product")
	}
	shop, err := n.db.Shop(t.Context())
	if err != nil || shop.Name != "青山陶作" || shop.Currency != "CNY" || shop.Lang != "zh" {
		t.Errorf("shop %+v, %v", shop, err)
	}

	other := n.browser(t)
	p = other.get("/setup?token="+token).want(http.StatusGone, "/setup")
	if p.Find(`a[href="/console/sign-in"]`).Length() == 0 {
		t.Error("a used link does not lead to the sign-in")
	}
	other.post("/setup", setupAnswers(token)).want(http.StatusGone, "/setup")
	if p := other.get("/console"); p.path != "/console/sign-in" {
		t.Errorf("a stranger is at %s", p.path)
	}
}

func TestSetupLinkExpires(t *testing.T) {
	t.Parallel()
	n := newNode(t, origin, 1)
	token, err := n.db.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(31 * time.Minute)
	b := n.browser(t)
	for _, p := range []*page{b.get("/setup?token=" + token), b.get("/setup"), b.post("/setup", setupAnswers(token))} {
		p.want(http.StatusGone, "/setup")
		if !strings.Contains(text(p.Find("main")), "souk serve") {
			t.Error("the page does not say how to get a new link")
		}
	}
	if _, err := n.db.Owner(t.Context()); err == nil {
		t.Error("an expired link made an owner")
	}
}

func TestSetupKeepsAnswers(t *testing.T) {
	t.Parallel()
	n := newNode(t, origin, 1)
	token, err := n.db.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := n.browser(t)
	form := setupAnswers(token)
	form.Set("name", "Qing Shan")
	form.Set("password", "short")
	form.Set("shop.country", "")
	form.Set("email", "q@example.org")
	p := b.post("/setup", form).want(http.StatusUnprocessableEntity, "/setup")
	for _, field := range []string{"name", "password", "shop.country"} {
		p.problem(field)
	}
	back := p.form("form")
	for _, field := range []string{"name", "shop.name", "email", "token"} {
		if back.Get(field) != form.Get(field) {
			t.Errorf("%s came back as %q", field, back.Get(field))
		}
	}
	if back.Get("password") != "" {
		t.Error("the password came back")
	}
	if p.Find("details[open] #email").Length() == 0 {
		t.Error("an answer lies in a closed part")
	}
	b.post("/setup", setupAnswers(token)).want(http.StatusOK, "/console")
}

// C-03: an address that will not stay must be confirmed.
func TestSetupOnFleetingDomain(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://localhost:8080", "http://127.0.0.1:8080", "https://ab12.ngrok-free.app", "http://souk"} {
		n := newNode(t, base, 1)
		token, err := n.db.NewSetupToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b := n.browser(t)
		b.base = strings.Replace(base, "https:", "http:", 1)
		p := b.post("/setup", setupAnswers(token)).want(http.StatusUnprocessableEntity, "/setup")
		p.problem("stays")
		form := setupAnswers(token)
		form.Set("stays", "1")
		b.post("/setup", form).want(http.StatusOK, "/console")
	}
}
