package api_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"souk"
	"souk/federation"
	"souk/migrations/pgtest"
	"souk/search"
	"souk/server"
	"souk/server/blob"
	"souk/themes"
)

// shop is a node behind its real server on loopback, owned by "anna".
type shop struct {
	*souk.DB
	t       *testing.T
	url     string
	owner   *souk.Account
	token   string // of the owner, with read and write
	indexer *search.Indexer
	clock   func() time.Time
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

// annasShop takes orders in euros, with 4.90 for shipping. rate multiplies the limits on requests; 0 turns them off.
func annasShop(t *testing.T, rate float64) *shop {
	t.Helper()
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	s := &shop{t: t, clock: func() time.Time { return now }}
	web := httptest.NewUnstartedServer(nil)
	s.url = "http://" + web.Listener.Addr().String()
	pool := pgtest.New(t)
	s.DB = must(souk.New(pool, souk.Config{BaseURL: s.url, Now: s.clock, Blobs: must(blob.New("file:" + t.TempDir()))(t)}))(t)
	t.Cleanup(s.Close)
	s.settle()
	log := slog.New(slog.DiscardHandler)
	client := federation.NewClient(federation.FetchConfig{Timeout: time.Minute})
	t.Cleanup(client.CloseIdle)
	theme := must(themes.Load(themes.Config{Now: s.clock, Log: log}))(t)
	index := search.NewPostgres(search.PostgresConfig{Pool: pool, Now: s.clock})
	s.indexer = search.NewIndexer(search.IndexerConfig{DB: s.DB, Index: index})
	node := must(server.New(server.Config{DB: s.DB, Federation: federation.New(s.DB, federation.Config{Client: client, Version: "test", Log: log}),
		Finder: search.NewFinder(s.DB, index), Pictures: souk.NewPictures(souk.PictureConfig{}), Theme: theme, Client: client, Version: "test", RateLimit: rate, Log: log}))(t)
	web.Config.Handler = node.Handler()
	web.Start()
	t.Cleanup(web.Close)
	return s
}

// settle makes the owner, the shop and a token.
func (s *shop) settle() {
	s.t.Helper()
	ctx := s.t.Context()
	for _, err := range []error{s.EnsureShop(ctx), s.EnsureNodeActors(ctx)} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
	setup := must(s.NewSetupToken(ctx))(s.t)
	s.owner = must(s.SetUp(ctx, setup, souk.Setup{Name: "The Lane", Country: "DE", Account: souk.NewAccount{Name: "anna", DisplayName: "Anna", Password: "market lane 1"}}))(s.t)
	settings := must(s.Shop(ctx))(s.t)
	settings.ShippingFee, settings.PaymentNote, settings.Pickup = 490, "IBAN DE00 1234", true
	if err := s.SaveShop(ctx, s.owner.ID, *settings); err != nil {
		s.t.Fatal(err)
	}
	s.token = s.tokenOf(s.owner, "read", "write")
}

func (s *shop) tokenOf(a *souk.Account, scopes ...string) string {
	s.t.Helper()
	return must(s.CreateToken(s.t.Context(), a.ID, "test", scopes, time.Time{}))(s.t)
}

// index brings the search index up to date.
func (s *shop) index() {
	s.t.Helper()
	must(s.indexer.Drain(s.t.Context()))(s.t)
}

// reply is what the API answered.
type reply struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	raw    []byte
	body   any
}

type object = map[string]any

// send calls the API. The body is JSON text, or empty; headers are name and value pairs.
func (s *shop) send(method, path, token, body string, headers ...string) *reply {
	s.t.Helper()
	return s.sendAs(method, path, token, "application/json", strings.NewReader(body), headers...)
}

func (s *shop) sendAs(method, path, token, contentType string, body io.Reader, headers ...string) *reply {
	s.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = s.url + "/api/souk/v1" + path
	}
	r := must(http.NewRequestWithContext(s.t.Context(), method, path, body))(s.t)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := must(http.DefaultClient.Do(r))(s.t)
	defer answer.Body.Close()
	out := &reply{t: s.t, what: method + " " + path, status: answer.StatusCode, header: answer.Header, raw: must(io.ReadAll(answer.Body))(s.t)}
	if len(out.raw) > 0 {
		if err := json.Unmarshal(out.raw, &out.body); err != nil {
			s.t.Fatalf("%s: %v: %.300s", out.what, err, out.raw)
		}
	}
	return out
}

// is ends the test where the status is another one.
func (r *reply) is(status int) *reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d %s, want %d", r.what, r.status, r.raw, status)
	}
	return r
}

// at is the value at a path such as "price.amount" or "media.0.url"; nil where there is none.
func (r *reply) at(path string) any {
	v := r.body
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case object:
			v = x[part]
		case []any:
			i := 0
			for _, d := range part {
				i = i*10 + int(d-'0')
			}
			if i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (r *reply) text(path string) string {
	r.t.Helper()
	s, ok := r.at(path).(string)
	if !ok {
		r.t.Fatalf("%s: %s is %v", r.what, path, r.at(path))
	}
	return s
}

// has checks values at paths, in pairs.
func (r *reply) has(pairs ...any) *reply {
	r.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		want := pairs[i+1]
		if n, ok := want.(int); ok {
			want = float64(n)
		}
		if got := r.at(pairs[i].(string)); got != want {
			r.t.Errorf("%s: %s is %#v, want %#v", r.what, pairs[i], got, want)
		}
	}
	return r
}

// refuses checks a problem document: its status, and that it names the fields.
func (r *reply) refuses(status int, fields ...string) *reply {
	r.t.Helper()
	r.is(status).has("status", status)
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		r.t.Errorf("%s: a problem as %q", r.what, got)
	}
	if r.text("type") == "" || r.text("title") == "" {
		r.t.Errorf("%s: %s", r.what, r.raw)
	}
	named := map[string]bool{}
	list, _ := r.at("errors").([]any)
	for _, e := range list {
		named[e.(object)["field"].(string)] = true
	}
	for _, f := range fields {
		if !named[f] {
			r.t.Errorf("%s: %q is not named in %s", r.what, f, r.raw)
		}
	}
	return r
}

// cup puts up a product of anna; more are further fields as JSON, such as `, "quantity": 2`.
func (s *shop) cup(more string) *reply {
	s.t.Helper()
	return s.send("POST", "/listings", s.token, `{"title": "Celadon cup", "description": "Thrown by **hand**.", "price": {"amount": 2400, "currency": "EUR"}`+more+`}`).is(201)
}

// picture is a PNG of the given width.
func picture(t testing.TB, width int) []byte {
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

// form is an upload; fields are name and value pairs, and file goes first where it is not nil.
func form(t testing.TB, file []byte, fields ...string) (contentType string, body io.Reader) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if file != nil {
		part := must(w.CreateFormFile("file", "cup.png"))(t)
		must(part.Write(file))(t)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), &b
}

// upload is a picture of anna.
func (s *shop) upload(description string) *reply {
	s.t.Helper()
	kind, body := form(s.t, picture(s.t, 900), "description", description)
	return s.sendAs("POST", "/media", s.token, kind, body).is(201)
}
