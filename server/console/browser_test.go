package console_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"souk"
	"souk/federation"
	"souk/migrations/pgtest"
	"souk/search"
	"souk/server"
	"souk/server/blob"
	"souk/themes"
)

const origin = "http://shop.example"

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// node is a running server with a database of its own. Nobody owns it yet.
type node struct {
	db     *souk.DB
	clock  *clock
	server *httptest.Server
}

func newNode(t *testing.T, base string, rateLimit float64) *node {
	t.Helper()
	disk, err := blob.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	pool := pgtest.New(t)
	db, err := souk.New(pool, souk.Config{BaseURL: base, Now: c.Now, Blobs: disk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := errors.Join(db.EnsureShop(t.Context()), db.EnsureNodeActors(t.Context())); err != nil {
		t.Fatal(err)
	}
	theme, err := themes.Load(themes.Config{Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelError}))
	client := federation.NewClient(federation.FetchConfig{Timeout: time.Minute})
	t.Cleanup(client.CloseIdle)
	s, err := server.New(server.Config{DB: db, Federation: federation.New(db, federation.Config{Client: client, Version: "test", Log: log}), Client: client,
		Finder:   search.NewFinder(db, search.NewPostgres(search.PostgresConfig{Pool: pool, Now: c.Now})),
		Pictures: souk.NewPictures(souk.PictureConfig{}), Theme: theme, Version: "test", RateLimit: rateLimit, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{db: db, clock: c, server: httptest.NewServer(s.Handler())}
	t.Cleanup(n.server.Close)
	return n
}

// testLog writes the node's log to the test's.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// annasShop is a node that is set up: anna owns it, ben sells there, cora is a member.
func annasShop(t *testing.T) *node {
	t.Helper()
	n := newNode(t, origin, 0)
	token, err := n.db.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.db.SetUp(t.Context(), token, souk.Setup{Account: souk.NewAccount{Name: "anna", DisplayName: "Anna", Email: "anna@shop.example",
		Password: "correct horse", Lang: "en"}, Name: "Anna's bowls", Country: "DE", Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]string{"ben": souk.RoleSeller, "cora": souk.RoleMember} {
		if _, err := n.db.CreateAccount(t.Context(), souk.NewAccount{Name: name, Role: role, Password: "correct horse", Lang: "en"}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n *node) account(t *testing.T, name string) *souk.Account {
	t.Helper()
	a, err := n.db.LocalAccount(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// browser keeps cookies and follows redirects, as people's browsers do.
type browser struct {
	t      *testing.T
	client *http.Client
	base   string
	header http.Header
}

func (n *node) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	address := n.server.Listener.Addr().String()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address) // every name is this server
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, client: &http.Client{Jar: jar, Transport: transport}, base: n.db.BaseURL(), header: http.Header{}}
}

// signedIn is a browser in which somebody of annasShop is signed in.
func (n *node) signedIn(t *testing.T, name string) *browser {
	t.Helper()
	b := n.browser(t)
	p := b.post("/console/sign-in", url.Values{"name": {name}, "password": {"correct horse"}})
	if p.path != "/console" {
		t.Fatalf("sign-in as %s led to %s (%d)", name, p.path, p.status)
	}
	return b
}

// page is what a browser shows.
type page struct {
	*goquery.Document
	t      *testing.T
	status int
	path   string // after redirects
	query  url.Values
	header http.Header
	body   string
}

func (b *browser) get(path string) *page {
	b.t.Helper()
	return b.do(http.MethodGet, path, "", nil)
}

func (b *browser) post(path string, form url.Values) *page {
	b.t.Helper()
	return b.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// file is one upload of a form.
type file struct {
	name string
	body []byte
}

// upload posts a form with files in the field "photos".
func (b *browser) upload(path string, form url.Values, files ...file) *page {
	b.t.Helper()
	return b.uploadAs("photos", path, form, files...)
}

// uploadAs posts a form with files in the field.
func (b *browser) uploadAs(field, path string, form url.Values, files ...file) *page {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range form {
		for _, v := range values {
			if err := w.WriteField(name, v); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for _, f := range files {
		part, err := w.CreateFormFile(field, f.name)
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := part.Write(f.body); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.do(http.MethodPost, path, w.FormDataContentType(), &body)
}

func (b *browser) do(method, path, contentType string, body io.Reader) *page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	r.Header.Set("Accept", "text/html")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
		if r.Header.Get("Sec-Fetch-Site") == "" {
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	p := &page{Document: doc, t: b.t, status: res.StatusCode, path: res.Request.URL.Path, query: res.Request.URL.Query(), header: res.Header, body: string(text)}
	p.sound()
	return p
}

// sound checks what is true of every page of the console.
func (p *page) sound() {
	p.t.Helper()
	if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") || p.Find("main").Length() == 0 {
		return // the storefront's, or a style sheet
	}
	for _, bad := range []string{"script", "style", "[style]", "[onclick]", "[onload]", "link[href^=http]", "img:not([alt])", "button:empty:not(.default)"} {
		if p.Find(bad).Length() > 0 {
			p.t.Errorf("%s has %q", p.path, bad)
		}
	}
	p.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, s *goquery.Selection) {
		id, _ := s.Attr("id")
		if s.ParentsFiltered("label").Length() == 0 && (id == "" || p.Find(fmt.Sprintf("label[for=%q]", id)).Length() == 0) {
			name, _ := s.Attr("name")
			p.t.Errorf("%s: %s has no label", p.path, name)
		}
	})
	for _, described := range []string{"aria-describedby", "aria-labelledby"} {
		p.Find("[" + described + "]").Each(func(_ int, s *goquery.Selection) {
			for _, id := range strings.Fields(s.AttrOr(described, "")) {
				if p.Find(fmt.Sprintf("[id=%q]", id)).Length() != 1 {
					p.t.Errorf("%s: %s names %q, which is not there once", p.path, described, id)
				}
			}
		})
	}
	ids := map[string]bool{}
	p.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if ids[id] {
			p.t.Errorf("%s: id %q is there twice", p.path, id)
		}
		ids[id] = true
	})
	if n := p.Find("h1").Length(); n != 1 {
		p.t.Errorf("%s has %d h1", p.path, n)
	}
	if p.header.Get("Cache-Control") != "no-store" {
		p.t.Errorf("%s may be cached: %q", p.path, p.header.Get("Cache-Control"))
	}
	if p.Find("meta[name=robots][content=noindex]").Length() != 1 {
		p.t.Errorf("%s may be indexed", p.path)
	}
}

// form is what the page's form would send as it stands, without its files and buttons.
func (p *page) form(selector string) url.Values {
	p.t.Helper()
	form := p.Find(selector)
	if form.Length() != 1 {
		p.t.Fatalf("%s has %d forms %q", p.path, form.Length(), selector)
	}
	values := url.Values{}
	form.Find("input, select, textarea").Each(func(_ int, s *goquery.Selection) {
		name := s.AttrOr("name", "")
		_, checked := s.Attr("checked")
		switch kind := s.AttrOr("type", ""); {
		case name == "" || kind == "file":
		case kind == "checkbox" || kind == "radio":
			if checked {
				values.Add(name, s.AttrOr("value", "on"))
			}
		case goquery.NodeName(s) == "select":
			option := s.Find("option[selected]")
			if option.Length() == 0 {
				option = s.Find("option").First()
			}
			values.Add(name, option.AttrOr("value", ""))
		case goquery.NodeName(s) == "textarea":
			values.Add(name, strings.TrimPrefix(s.Text(), "\n"))
		default:
			values.Add(name, s.AttrOr("value", ""))
		}
	})
	return values
}

func (p *page) want(status int, path string) *page {
	p.t.Helper()
	if p.status != status || p.path != path {
		p.t.Fatalf("got %d %s, want %d %s\n%s", p.status, p.path, status, path, strings.TrimSpace(p.Find("main").Text()))
	}
	return p
}

// problem checks that the page says something wrong with the field: beside it, and above with a link to it.
func (p *page) problem(field string) {
	p.t.Helper()
	if strings.TrimSpace(p.Find(fmt.Sprintf("[id=%q]", field+"-error")).Text()) == "" {
		p.t.Errorf("%s says nothing beside %s", p.path, field)
	}
	if p.Find(fmt.Sprintf(".problems a[href=%q]", "#"+field)).Length() == 0 {
		p.t.Errorf("%s says nothing above about %s", p.path, field)
	}
}

func text(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

// drawing is a small JPEG.
func drawing(t *testing.T, tint uint8) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 48, 60))
	for y := range 60 {
		for x := range 48 {
			img.Set(x, y, color.RGBA{tint, uint8(x * 4), uint8(y * 3), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packed is how many bytes of a text go over the line.
func packed(t *testing.T, s string) int {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}
