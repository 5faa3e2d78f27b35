package web_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"souk"
	"souk/federation"
	"souk/migrations/pgtest"
	"souk/search"
	"souk/server"
	"souk/server/blob"
	"souk/themes"
)

// street is a node behind its real server on loopback, with a shop of "anna" and a clock that stands still until it is
// moved.
type street struct {
	*souk.DB
	t      *testing.T
	url    string
	owner  *souk.Account
	client *http.Client

	fed     *federation.Federation
	indexer *search.Indexer
	lookups atomic.Int32 // of a product by its slug: one for each time that its page is made

	mu  sync.Mutex
	now time.Time
}

// TraceQueryStart implements pgx.QueryTracer: it counts lookups.
func (s *street) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, "from listing_slugs where slug") {
		s.lookups.Add(1)
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *street) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (s *street) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// pass moves the clock on: by a second it is long enough for the storefront to look at the database again.
func (s *street) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// must ends the test with the error of a call: must(f())(t).
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newStreet is a node that nobody owns yet.
func newStreet(t *testing.T, change ...func(*federation.Config)) *street {
	t.Helper()
	s := &street{t: t, now: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}
	web := httptest.NewUnstartedServer(nil)
	s.url = "http://" + web.Listener.Addr().String()
	blobs := must(blob.New("file:" + t.TempDir()))(t)
	counted := pgtest.New(t).Config()
	counted.ConnConfig.Tracer = s
	pool := must(pgxpool.NewWithConfig(t.Context(), counted))(t)
	t.Cleanup(pool.Close)
	s.DB = must(souk.New(pool, souk.Config{BaseURL: s.url, Now: s.clock, Blobs: blobs}))(t)
	t.Cleanup(s.Close)
	ctx := t.Context()
	if err := s.EnsureShop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.EnsureNodeActors(ctx); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelError}))
	client := federation.NewClient(federation.FetchConfig{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: time.Minute})
	t.Cleanup(client.CloseIdle)
	theme := must(themes.Load(themes.Config{Now: s.clock, Log: log}))(t)
	index := search.NewPostgres(search.PostgresConfig{Pool: pool, Now: s.clock})
	s.indexer = search.NewIndexer(search.IndexerConfig{DB: s.DB, Index: index})
	cfg := federation.Config{Client: client, Version: "test", Log: log}
	for _, c := range change {
		c(&cfg)
	}
	s.fed = federation.New(s.DB, cfg)
	node := must(server.New(server.Config{DB: s.DB, Federation: s.fed,
		Finder: search.NewFinder(s.DB, index), Pictures: souk.NewPictures(souk.PictureConfig{}), Theme: theme, Client: client, Version: "test", Log: log,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}))(t)
	web.Config.Handler = node.Handler()
	web.Start()
	t.Cleanup(web.Close)
	s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// annasShop is a shop in Germany, in English and euros, with 4.90 shipping.
func annasShop(t *testing.T, change ...func(*federation.Config)) *street {
	t.Helper()
	s := newStreet(t, change...)
	ctx := t.Context()
	token := must(s.NewSetupToken(ctx))(t)
	s.owner = must(s.SetUp(ctx, token, souk.Setup{Name: "The Lane", Country: "DE",
		Account: souk.NewAccount{Name: "anna", DisplayName: "Anna", Password: "market lane 1"}}))(t)
	s.shop(func(shop *souk.Shop) {
		shop.ShippingFee, shop.Tagline, shop.PaymentNote = 490, "Pots from a small kiln", "IBAN DE00 <b>1234</b>"
		shop.Pickup, shop.DeliveryNote = true, "Leaves in 2 days"
	})
	return s
}

// shop changes the settings.
func (s *street) shop(change func(*souk.Shop)) {
	s.t.Helper()
	shop := must(s.Shop(s.t.Context()))(s.t)
	change(shop)
	if err := s.SaveShop(s.t.Context(), s.owner.ID, *shop); err != nil {
		s.t.Fatal(err)
	}
	s.pass(time.Second)
}

// cup is a published product of anna with a picture.
func (s *street) cup(change func(*souk.NewListing)) *souk.Listing {
	s.t.Helper()
	ctx := s.t.Context()
	pictures := souk.NewPictures(souk.PictureConfig{})
	m := must(s.AddPicture(ctx, s.owner.ID, must(pictures.Process(ctx, bytes.NewReader(drawing(s.t, 400))))(s.t), "A pale cup"))(s.t)
	return s.goods(func(n *souk.NewListing) {
		n.MediaIDs = []int64{m.ID}
		if change != nil {
			change(n)
		}
	})
}

// goods is a published product of anna without a picture.
func (s *street) goods(change func(*souk.NewListing)) *souk.Listing {
	s.t.Helper()
	n := souk.NewListing{Title: "Celadon cup", Description: "Thrown by hand.\n\nFired with **pine**.", Price: souk.Money{Amount: 2400, Currency: "EUR"},
		Quantity: 5, Category: "Home/Cups", Tags: []string{"Celadon"}, Lang: "en"}
	if change != nil {
		change(&n)
	}
	l := must(s.CreateListing(s.t.Context(), s.owner.ID, n))(s.t)
	s.pass(time.Second)
	return l
}

// says is a post of an account.
func (s *street) says(a *souk.Account, n souk.NewPost) *souk.Post {
	s.t.Helper()
	p := must(s.CreatePost(s.t.Context(), a.ID, n))(s.t)
	s.pass(time.Second)
	return p
}

// stranger is an account of another node.
func (s *street) stranger(name, host string) *souk.Account {
	s.t.Helper()
	uri := "https://" + host + "/users/" + name
	return must(s.UpsertRemoteAccount(s.t.Context(), souk.RemoteAccount{Account: souk.Account{Host: host, Name: name, Kind: "Person", URI: uri,
		URL: "https://" + host + "/@" + name, Inbox: uri + "/inbox", KeyID: uri + "#main-key", PublicKey: "PEM"}}))(s.t)
}

// answers is a public reply of a stranger to a post of ours.
func (s *street) answers(from *souk.Account, to, name, html string) *souk.Post {
	s.t.Helper()
	uri := "https://" + from.Host + "/posts/" + name
	p := must(s.ReceivePost(s.t.Context(), souk.RemotePost{URI: uri, URL: uri, Author: from, HTML: html, Visibility: souk.Public, InReplyToURI: to,
		Published: s.clock()}))(s.t)
	s.pass(time.Second)
	return p
}

// drawing is a PNG of the given width.
func drawing(t testing.TB, width int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, width/2))
	for x := range width {
		for y := range width / 2 {
			m.Set(x, y, color.RGBA{uint8(x), uint8(y), 120, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// response is what came back, with its body read.
type response struct {
	*http.Response
	body []byte
}

func (s *street) do(r *http.Request) response {
	s.t.Helper()
	got := must(s.client.Do(r))(s.t)
	defer got.Body.Close()
	return response{got, must(io.ReadAll(got.Body))(s.t)}
}

// get asks for a path; headers are names and values in turn.
func (s *street) get(path string, headers ...string) response {
	s.t.Helper()
	return s.request(http.MethodGet, path, nil, headers...)
}

func (s *street) request(method, path string, body io.Reader, headers ...string) response {
	s.t.Helper()
	address := path
	if strings.HasPrefix(path, "/") {
		address = s.url + path
	}
	r := must(http.NewRequestWithContext(s.t.Context(), method, address, body))(s.t)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(r)
}

// post sends a form.
func (s *street) post(path string, form url.Values) response {
	s.t.Helper()
	return s.request(http.MethodPost, path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// page is the document at a path, which must answer with status.
func (s *street) page(path string, status int) *goquery.Document {
	s.t.Helper()
	return s.document(s.get(path), path, status)
}

func (s *street) document(r response, what string, status int) *goquery.Document {
	s.t.Helper()
	if r.StatusCode != status {
		s.t.Fatalf("%s: status %d, want %d\n%.500s", what, r.StatusCode, status, r.body)
	}
	return must(goquery.NewDocumentFromReader(bytes.NewReader(r.body)))(s.t)
}

// want compares the text, or with name "@attr" an attribute, of the only element that the selector finds.
func want(t *testing.T, d *goquery.Document, selector, expected string) {
	t.Helper()
	selector, attribute, _ := strings.Cut(selector, "@")
	found := d.Find(strings.TrimSpace(selector))
	if found.Length() != 1 {
		t.Errorf("%s: %d elements, want one", selector, found.Length())
		return
	}
	got := strings.Join(strings.Fields(found.Text()), " ")
	if attribute != "" {
		got = found.AttrOr(attribute, "(none)")
	}
	if got != expected {
		t.Errorf("%s@%s: %q, want %q", selector, attribute, got, expected)
	}
}

// wantCount compares how many elements the selector finds.
func wantCount(t *testing.T, d *goquery.Document, selector string, n int) {
	t.Helper()
	if got := d.Find(selector).Length(); got != n {
		t.Errorf("%s: %d elements, want %d", selector, got, n)
	}
}

// testLog shows what the node logs where a test fails.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

// atOnce runs f n times at the same moment.
func atOnce(n int, f func(i int) error) error {
	start, errs := make(chan struct{}), make(chan error, n)
	for i := range n {
		go func() {
			<-start
			errs <- f(i)
		}()
	}
	close(start)
	for range n {
		if err := <-errs; err != nil {
			return fmt.Errorf("one of %d at once: %w", n, err)
		}
	}
	return nil
}
