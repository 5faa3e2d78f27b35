package themes

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/PuerkitoBio/goquery"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func load(t *testing.T) *Theme {
	t.Helper()
	theme, err := Load(Config{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return theme
}

func render(t *testing.T, theme *Theme, lang string, page Page) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := theme.Render(&b, lang, page); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, body []byte) int {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// every calls check with each fixture in each language.
func every(t *testing.T, check func(t *testing.T, lang, name string, body []byte, doc *goquery.Document)) {
	t.Helper()
	theme := load(t)
	for _, lang := range theme.Words().Languages() {
		for _, f := range Fixtures(lang, noon) {
			t.Run(lang+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				body := render(t, theme, lang, f.Page)
				doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				check(t, lang, f.Name, body, doc)
			})
		}
	}
}

func TestEveryTemplateHasAFixture(t *testing.T) {
	t.Parallel()
	theme := load(t)
	seen := map[string]bool{}
	for _, f := range Fixtures("en", noon) {
		seen[f.Page.Template()] = true
	}
	for name := range theme.base["en"] {
		if !seen[name] {
			t.Errorf("template %s has no fixture", name)
		}
	}
	if len(seen) != len(theme.base["en"]) {
		t.Errorf("%d templates, fixtures for %d", len(theme.base["en"]), len(seen))
	}
}

// T-09: nothing that a content security policy without unsafe-* would block, and nothing from elsewhere.
func TestPagesAreSafeForAStrictPolicy(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, _, _ string, body []byte, doc *goquery.Document) {
		doc.Find("*").Each(func(_ int, s *goquery.Selection) {
			for _, a := range s.Nodes[0].Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("<%s> has an inline %s", s.Nodes[0].Data, a.Key)
				}
				if (a.Key == "href" || a.Key == "src" || a.Key == "action") && strings.HasPrefix(strings.TrimSpace(a.Val), "javascript:") {
					t.Errorf("%s=%q", a.Key, a.Val)
				}
			}
		})
		if n := doc.Find("style").Length(); n > 0 {
			t.Errorf("%d inline style sheets", n)
		}
		doc.Find("script").Each(func(_ int, s *goquery.Selection) {
			if kind, _ := s.Attr("type"); kind != "application/ld+json" {
				t.Errorf("inline script of type %q: %s", kind, s.Text())
			}
		})
		doc.Find("img, link[rel=stylesheet], link[rel=icon], iframe, video, audio, source").Each(func(_ int, s *goquery.Selection) {
			src := s.AttrOr("src", s.AttrOr("href", ""))
			if !strings.HasPrefix(src, "/") {
				t.Errorf("%s loads %q", s.Nodes[0].Data, src)
			}
		})
		if bytes.Contains(body, []byte("ZgotmplZ")) && !bytes.Contains(body, []byte(`href="#ZgotmplZ"`)) {
			t.Error("a value was refused by the escaper in an unexpected place")
		}
	})
}

// S-02: what can be checked without eyes.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, lang, _ string, _ []byte, doc *goquery.Document) {
		if got := doc.Find("html").AttrOr("lang", ""); got != lang {
			t.Errorf("html lang is %q", got)
		}
		for _, landmark := range []string{"body > header", "body > main#main", "body > footer", "a.skip[href='#main']"} {
			if n := doc.Find(landmark).Length(); n != 1 {
				t.Errorf("%d %s", n, landmark)
			}
		}
		if n := doc.Find("h1").Length(); n != 1 {
			t.Errorf("%d h1", n)
		}
		last := 0
		doc.Find("h1,h2,h3,h4,h5,h6").Each(func(_ int, s *goquery.Selection) {
			level := int(s.Nodes[0].Data[1] - '0')
			if level > last+1 {
				t.Errorf("%s after h%d: %q", s.Nodes[0].Data, last, s.Text())
			}
			if strings.TrimSpace(s.Text()) == "" {
				t.Errorf("empty %s", s.Nodes[0].Data)
			}
			last = level
		})
		doc.Find("img").Each(func(_ int, s *goquery.Selection) {
			if _, ok := s.Attr("alt"); !ok {
				t.Errorf("no alt on %s", s.AttrOr("src", ""))
			}
			if s.AttrOr("width", "") == "" || s.AttrOr("height", "") == "" {
				t.Errorf("no size on %s", s.AttrOr("src", ""))
			}
		})
		doc.Find("input,select,textarea").Each(func(_ int, s *goquery.Selection) {
			if s.AttrOr("type", "") == "hidden" {
				return
			}
			id := s.AttrOr("id", "")
			labelled := s.Closest("label").Length() > 0 || s.AttrOr("aria-label", "") != "" ||
				(id != "" && doc.Find("label[for='"+id+"']").Length() == 1)
			if !labelled {
				t.Errorf("no label for %s name=%q", s.Nodes[0].Data, s.AttrOr("name", ""))
			}
			for _, ref := range strings.Fields(s.AttrOr("aria-describedby", "")) {
				if doc.Find("[id='"+ref+"']").Length() != 1 {
					t.Errorf("aria-describedby names %q, which is not there", ref)
				}
			}
		})
		doc.Find("[aria-labelledby]").Each(func(_ int, s *goquery.Selection) {
			if ref := s.AttrOr("aria-labelledby", ""); doc.Find("[id='"+ref+"']").Length() != 1 {
				t.Errorf("aria-labelledby names %q, which is not there", ref)
			}
		})
		doc.Find("a,button").Each(func(_ int, s *goquery.Selection) {
			if strings.TrimSpace(s.Text()) == "" && s.AttrOr("aria-label", "") == "" && s.Find("img[alt]:not([alt=''])").Length() == 0 {
				t.Errorf("<%s href=%q> has no name", s.Nodes[0].Data, s.AttrOr("href", ""))
			}
		})
		seen := map[string]bool{}
		doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
			id := s.AttrOr("id", "")
			if seen[id] && !strings.HasPrefix(id, "reply-") {
				t.Errorf("id %q twice", id)
			}
			seen[id] = true
		})
	})
}

func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	every(t, func(t *testing.T, _, _ string, body []byte, doc *goquery.Document) {
		if bytes.Contains(body, []byte("<script>alert")) || bytes.Contains(body, []byte("</script><script")) {
			t.Error("hostile text became markup")
		}
		if doc.Find("img[src=x]").Length() > 0 || doc.Find("address b").Length() > 0 {
			t.Error("hostile text became an element")
		}
	})
}

// S-01: byte budgets of the ordinary pages.
func TestBudgets(t *testing.T) {
	t.Parallel()
	theme := load(t)
	css, _ := theme.Asset("theme.css")
	if n := zipped(t, css.Body); n > 20_000 {
		t.Errorf("theme.css: %d bytes zipped, budget 20000", n)
	}
	every(t, func(t *testing.T, _, name string, body []byte, _ *goquery.Document) {
		budget := map[string]int{"product-many": 20 << 10}[name]
		if budget == 0 {
			budget = 14 << 10
		}
		if n := zipped(t, body); n > budget {
			t.Errorf("%d bytes zipped, budget %d", n, budget)
		}
	})
}

func TestStyleSheetIsLogical(t *testing.T) {
	t.Parallel()
	css, ok := load(t).Asset("theme.css")
	if !ok {
		t.Fatal("no theme.css")
	}
	for _, physical := range []string{"margin-left", "margin-right", "padding-left", "padding-right", "text-align:left", "text-align:right",
		"float:", "border-left", "border-right", ";left:", ";right:", "{left:", "{right:", "text-transform", "letter-spacing", "url(", "@import"} {
		if bytes.Contains(css.Body, []byte(physical)) {
			t.Errorf("theme.css uses %s", physical)
		}
	}
	if !bytes.HasPrefix(css.Body, []byte(":root{")) {
		t.Error("theme.css does not begin with the tokens")
	}
}

func TestAssetAddressHoldsItsHash(t *testing.T) {
	t.Parallel()
	theme := load(t)
	a, ok := theme.Asset("theme.css")
	if !ok || a.ContentType != "text/css; charset=utf-8" || len(a.Hash) < 8 {
		t.Fatalf("theme.css: %v %q %q", ok, a.ContentType, a.Hash)
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(render(t, theme, "en", HomePage{})))
	if err != nil {
		t.Fatal(err)
	}
	if got := doc.Find("link[rel=stylesheet]").AttrOr("href", ""); got != "/assets/"+a.Hash+"/theme.css" {
		t.Errorf("style sheet at %q", got)
	}
	if _, ok := theme.Asset("../page.go"); ok {
		t.Error("an asset outside of the theme")
	}
}

// T-06: whatever a theme's template does, visitors get the default's page.
func TestBrokenTemplatesFallBack(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"parse":          `{{define "main"}}{{if}}{{end}}`,
		"missing helper": `{{define "main"}}{{nosuch 1}}{{end}}`,
		"missing field":  `{{define "main"}}{{.NoSuch}}{{end}}`,
		"nil":            `{{define "main"}}{{.Lead.Title}}{{end}}`,
		"recursion":      `{{define "main"}}{{template "main" .}}{{end}}`,
		"too large":      `{{define "main"}}{{range .Products}}{{range $.Products}}{{range $.Products}}{{range $.Products}}{{range $.Products}}` + strings.Repeat("x", 500) + `{{end}}{{end}}{{end}}{{end}}{{end}}{{end}}`,
		"no message":     `{{define "main"}}{{t "no.such"}}{{end}}`,
	}
	for name, body := range wrong {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			theme, err := Load(Config{Files: fstest.MapFS{"home.html": {Data: []byte(body)}}, Log: slog.New(slog.NewTextHandler(&logged, nil))})
			if err != nil {
				t.Fatal(err)
			}
			page := HomePage{Products: make([]ProductCard, 9)}
			page.Site.Name = "Still open"
			out := render(t, theme, "en", page)
			if !bytes.Contains(out, []byte("Still open</h1>")) || bytes.Contains(out, []byte("xxxx")) {
				t.Errorf("not the default page: %.300s", out)
			}
			if !strings.Contains(logged.String(), "home") {
				t.Errorf("log does not name the template: %q", logged.String())
			}
		})
	}
}

func TestSlowTemplateFallsBack(t *testing.T) {
	t.Parallel()
	var calls time.Duration
	theme, err := Load(Config{
		Files: fstest.MapFS{"posts.html": {Data: []byte(`{{define "main"}}<h1>Slow</h1>{{range .Posts}}<p></p>{{end}}{{end}}`)}},
		Now:   func() time.Time { calls++; return noon.Add(calls * 20 * time.Millisecond) },
		Log:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if out := render(t, theme, "en", PostsPage{Posts: make([]PostCard, 20)}); bytes.Contains(out, []byte("Slow")) {
		t.Error("a template that takes seconds was served")
	}
}

func TestThemeReplacesWhatItBrings(t *testing.T) {
	t.Parallel()
	theme, err := Load(Config{Files: fstest.MapFS{
		"posts.html":          {Data: []byte(`{{define "main"}}<h1>Mine</h1>{{end}}`)},
		"order.html":          {Data: []byte(`{{define "main"}}<h1>Mine</h1>{{end}}`)},
		"partials/pager.html": {Data: []byte(`<p class="mine"></p>`)},
		"assets/theme.css":    {Data: []byte(`.mine{color:red}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if out := render(t, theme, "en", PostsPage{}); !bytes.Contains(out, []byte("<h1>Mine</h1>")) {
		t.Error("the page of the theme is not used")
	}
	if out := render(t, theme, "en", TagPage{}); !bytes.Contains(out, []byte(`<p class="mine">`)) {
		t.Error("the partial of the theme is not used")
	}
	if out := render(t, theme, "en", OrderPage{}); bytes.Contains(out, []byte("Mine")) {
		t.Error("a theme replaced a sealed page (T-07)")
	}
	if css, _ := theme.Asset("theme.css"); !bytes.Contains(css.Body, []byte(".mine")) || !bytes.Contains(css.Body, []byte("--awning")) {
		t.Error("theme.css is not tokens and the theme's own")
	}
}

type noTemplate struct{}

func (noTemplate) Template() string { return "no-such" }

func TestRenderErrors(t *testing.T) {
	t.Parallel()
	theme := load(t)
	if err := theme.Render(io.Discard, "en", noTemplate{}); err == nil {
		t.Error("an unknown template rendered")
	}
	if err := theme.Render(failing{}, "en", HomePage{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error of the writer is %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestBareError(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"en": "our side", "zh": "我们这边", "zh-Hans": "我们这边", "de": "our side"} {
		out := string(BareError(500, `<b>42`, lang))
		if !strings.Contains(out, want) || !strings.Contains(out, "&lt;b&gt;42") || strings.Contains(out, "<b>") {
			t.Errorf("%s: %s", lang, out)
		}
	}
}
