package console_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"souk"
)

func TestShopSettings(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	form := b.get("/console/settings/shop").want(http.StatusOK, "/console/settings/shop").form("main form")
	form.Set("name", "")
	form.Set("shipping_fee", "4.90.1")
	form.Set("tagline", "From a small kiln")
	form["payments"] = []string{souk.PayTransfer, souk.PayLink}
	p := b.post("/console/settings/shop", form).want(http.StatusUnprocessableEntity, "/console/settings/shop")
	p.problem("shipping_fee")
	form = p.form("main form")
	form.Set("shipping_fee", "4.90")
	p = b.post("/console/settings/shop", form).want(http.StatusUnprocessableEntity, "/console/settings/shop")
	p.problem("name")
	p.problem("payment_note")
	form = p.form("main form")
	if form.Get("tagline") != "From a small kiln" || strings.Join(form["payments"], " ") != "transfer link" {
		t.Errorf("came back: %v", form)
	}
	form.Set("name", "Anna's lane")
	form.Set("payment_note", "https://pay.example/anna")
	form.Del("open")
	form.Del("pickup")
	b.post("/console/settings/shop", form).want(http.StatusOK, "/console/settings/shop")
	shop, err := n.db.Shop(t.Context())
	if err != nil || shop.Name != "Anna's lane" || shop.ShippingFee != 490 || shop.Open || shop.Pickup || !shop.Shipping {
		t.Errorf("shop %+v, %v", shop, err)
	}
	n.signedIn(t, "ben").post("/console/settings/shop", form).want(http.StatusForbidden, "/console/settings/shop")
}

func TestAccessSettings(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	p := b.get("/console/settings").want(http.StatusOK, "/console/settings")
	if p.Find(`.menu a[href="/console/settings/access"]`).Length() != 1 {
		t.Error("the page is not linked")
	}
	for _, on := range []bool{true, false} {
		form := b.get("/console/settings/access").want(http.StatusOK, "/console/settings/access").form("main form")
		if ticked := form.Get("secure") != ""; ticked == on {
			t.Errorf("ticked: %v", ticked)
		}
		form.Del("secure")
		if on {
			form.Set("secure", "1")
		}
		b.post("/console/settings/access", form).want(http.StatusOK, "/console/settings/access")
		if got, err := n.db.SecureMode(t.Context()); err != nil || got != on {
			t.Errorf("secure mode: %v, %v, want %v", got, err, on)
		}
	}
	other := n.signedIn(t, "ben")
	other.get("/console/settings/access").want(http.StatusForbidden, "/console/settings/access")
	other.post("/console/settings/access", url.Values{"secure": {"1"}}).want(http.StatusForbidden, "/console/settings/access")
	if got, err := n.db.SecureMode(t.Context()); err != nil || got {
		t.Errorf("a seller turned it on: %v", err)
	}
}

func TestProfileSettings(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "cora")
	form := b.get("/console/settings/profile").form("main form")
	form.Set("display_name", "Cora")
	form.Set("bio", "I *read*")
	form.Set("row-name-1", "Site")
	form.Set("row-value-1", "https://cora.example")
	form.Set("locked", "1")
	form.Set("lang", "zh")
	p := b.post("/console/settings/profile", form).want(http.StatusOK, "/console/settings/profile")
	cora := n.account(t, "cora")
	if cora.DisplayName != "Cora" || !cora.Locked || cora.Lang != "zh" || len(cora.Fields) != 1 || !strings.Contains(cora.Bio, "<em>read</em>") {
		t.Errorf("cora %+v", cora)
	}
	if p.Find("html").AttrOr("lang", "") != "zh-Hans" {
		t.Error("the console still speaks the old language")
	}
	form = p.form("main form")
	if form.Get("row-value-1") != "https://cora.example" || form.Get("bio") != "I *read*" {
		t.Errorf("form %v", form)
	}
}

func TestAvatar(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "cora")
	form := b.get("/console/settings/profile").form("main form")
	p := b.uploadAs("avatar", "/console/settings/profile", form, file{"me.txt", []byte("not a picture")})
	p.want(http.StatusUnprocessableEntity, "/console/settings/profile").problem("avatar")
	form.Set("display_name", strings.Repeat("x", 101))
	p = b.uploadAs("avatar", "/console/settings/profile", form, file{"me.jpg", drawing(t, 3)})
	p.want(http.StatusUnprocessableEntity, "/console/settings/profile").problem("display_name")
	form = p.form("main form")
	form.Set("display_name", "Cora")
	b.post("/console/settings/profile", form).want(http.StatusOK, "/console/settings/profile")
	if n.account(t, "cora").Avatar == nil {
		t.Error("the picture did not survive what was wrong with the name")
	}
	form.Set("no_avatar", "1")
	b.post("/console/settings/profile", form)
	if n.account(t, "cora").Avatar != nil {
		t.Error("the picture stays")
	}
}

func TestPasswordAndSessions(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	here, there := n.signedIn(t, "anna"), n.signedIn(t, "anna")
	here.post("/console/settings/password", url.Values{"old": {"wrong"}, "password": {"battery staple"}}).
		want(http.StatusUnprocessableEntity, "/console/settings/password").problem("old")
	here.post("/console/settings/password", url.Values{"old": {"correct horse"}, "password": {"battery staple"}}).want(http.StatusOK, "/console/settings")
	there.get("/console").want(http.StatusOK, "/console/sign-in")
	there.post("/console/sign-in", url.Values{"name": {"anna"}, "password": {"battery staple"}}).want(http.StatusOK, "/console")
	here.post("/console/settings/sessions", nil).want(http.StatusOK, "/console/settings")
	there.get("/console").want(http.StatusOK, "/console/sign-in")
}

func TestTokens(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	path := "/console/settings/tokens"
	p := b.post(path, url.Values{"name": {"Importer"}}).want(http.StatusUnprocessableEntity, path)
	p.problem("scopes")
	p = b.post(path, url.Values{"name": {"Importer"}, "scopes": {"read", "write:listings", "admin:write"}, "days": {"30"}}).want(http.StatusOK, path)
	secret := text(p.Find(".saved code"))
	account, token, err := n.db.TokenAccount(t.Context(), secret)
	if err != nil || account.Name != "anna" || token.Name != "Importer" || token.Expires == nil {
		t.Fatalf("token %+v, %v", token, err)
	}
	p = b.get(path)
	if strings.Contains(p.body, secret) {
		t.Error("the secret is shown again")
	}
	href := p.Find("tbody form").AttrOr("action", "")
	n.signedIn(t, "ben").post(href, nil).want(http.StatusNotFound, href)
	b.post(href, nil).want(http.StatusOK, path)
	if _, _, err := n.db.TokenAccount(t.Context(), secret); err == nil {
		t.Error("the token still works")
	}
	n.signedIn(t, "cora").post(path, url.Values{"scopes": {"admin:read"}}).want(http.StatusUnprocessableEntity, path).problem("scopes")
}

// Every page in both languages: what the walk above does not reach in Chinese.
func TestEveryPageInBothLanguages(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna := n.account(t, "anna")
	o := n.ordered(t, "anna")
	l := n.onlyListing(t, "anna")
	post, err := n.db.CreatePost(t.Context(), anna.ID, souk.NewPost{Source: "Words"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.db.EditPost(t.Context(), anna.ID, post.ID, souk.NewPost{Source: "Words", Summary: "Words"}); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"Create", "Update"} {
		if err := n.db.QueueActivity(t.Context(), souk.Activity{ID: n.db.NewID(), URI: post.URI + "#" + kind, AccountID: anna.ID, Type: kind, PostID: &post.ID, Body: []byte("{}"),
			Created: n.clock.Now()}, []souk.Recipient{{Inbox: "https://far.example/inbox", Host: "far.example"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.db.DropDeliveries(t.Context(), anna.ID, souk.QueueFilter{PostID: post.ID}); err != nil { // says why in words of its own
		t.Fatal(err)
	}
	bad, report := n.reported(t)
	for domain, severity := range map[string]string{"a.example": souk.Suspend, "b.example": souk.Silence, "c.example": ""} {
		if err := n.db.BlockHosts(t.Context(), anna.ID, []souk.HostBlock{{Domain: domain, Severity: severity, RejectMedia: true}}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := n.db.SubscribeBlockList(t.Context(), anna.ID, "https://lists.example/a")
	if err != nil {
		t.Fatal(err)
	}
	b := n.signedIn(t, "anna")
	order, product, said := "/console/orders/"+id(o.ID), "/console/products/"+id(l.ID), "/console/posts/"+id(post.ID)
	for _, lang := range []string{"en", "zh-Hans"} {
		for _, path := range []string{"/console", "/console/more", "/console/posts", "/console/posts/new", said, said + "/edit", said + "/delete", said + "/deliveries",
			"/console/products", "/console/products/new", product, product + "/preview", product + "/withdraw", "/console/orders", order, order + "/cancel",
			"/console/people", "/console/people?list=following", "/console/people?list=blocked", "/console/people?list=accounts", "/console/nodes", "/console/queue", said + "/deliveries?host=a.example",
			said + "/history", "/console/posts/" + id(bad.ID), "/console/posts/" + id(bad.ID) + "/report", "/console/people/" + id(bad.AccountID) + "/report", "/console/purchases",
			"/console/moderation/reports", "/console/moderation/reports/" + id(report.ID), "/console/moderation/hosts", "/console/moderation/hosts?domain=a.example", "/console/moderation/hosts/import",
			"/console/moderation/lists", "/console/moderation/lists/" + id(list), "/console/moderation/accounts/" + id(bad.AccountID), "/console/settings/access", "/console/settings/account", "/console/settings/account/followers",
			"/console/settings", "/console/settings/shop", "/console/settings/profile", "/console/settings/password", "/console/settings/tokens"} {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			p := b.get(path + sep + "lang=" + lang)
			if p.status != http.StatusOK || p.Find("html").AttrOr("lang", "") != lang {
				t.Errorf("%s in %s: %d", path, lang, p.status)
			}
			if lang == "zh-Hans" {
				p.inChinese()
			}
		}
	}
}

var latinWord = regexp.MustCompile(`[A-Za-z]{3,}`)

// inChinese fails for an English word of the page itself (7.1); names, code and what people wrote may be in any language.
func (p *page) inChinese() {
	p.t.Helper()
	p.Find("code, bdi, address, option, [lang=en], [lang=en] *, .prose, .quote, td [dir=auto], .mark, textarea").Remove()
	for _, names := range []string{"Anna's bowls", "Anna", "Blue bowl", "Words", "Mira <b>Novak</b>", "mira@far.example", "A present", "EUR", "UTC", "Souk test",
		"Markdown", "Mastodon", "JPEG", "PNG", "GIF", "WebP", "SOUK_DOMAIN", "ben", "cora", "mira", "far.example", "lists.example/a", "a.example", "b.example", "c.example", "CSV", "GoToSocial", "JSON", "shop.example", "@name@example.org", "souk account delete", "pots.example", "https"} {
		body, err := p.Find("body").Html()
		if err != nil {
			p.t.Fatal(err)
		}
		p.Find("body").SetHtml(strings.ReplaceAll(body, html.EscapeString(names), ""))
	}
	if word := latinWord.FindString(p.Find("body").Text()); word != "" {
		p.t.Errorf("%s says %q in Chinese: %s", p.path, word, text(p.Find("main")))
	}
	for _, attribute := range []string{"aria-label", "placeholder", "title", "data-label"} {
		p.Find("[" + attribute + "]").Each(func(_ int, s *goquery.Selection) {
			if word := latinWord.FindString(s.AttrOr(attribute, "")); word != "" {
				p.t.Errorf("%s: %s says %q in Chinese", p.path, attribute, s.AttrOr(attribute, ""))
			}
		})
	}
}

// C-65: the first load, at most 60 KB of style packed.
func TestStyleIsSmall(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.browser(t)
	href := b.get("/console/sign-in").Find("link[rel=stylesheet]").AttrOr("href", "")
	style := b.get(href)
	if style.status != http.StatusOK || !strings.Contains(style.header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(style.header.Get("Content-Type"), "text/css") {
		t.Fatalf("style: %d %v", style.status, style.header)
	}
	if size := packed(t, style.body); size > 60<<10 {
		t.Errorf("%d bytes packed", size)
	}
	b.get("/console/assets/old/console.css").want(http.StatusNotFound, "/console/assets/old/console.css")
}
