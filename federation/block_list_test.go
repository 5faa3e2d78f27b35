package federation

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"souk"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// A list is read from a server over HTTP: asked for only where it changed, and kept as it was where the server fails.
func TestReadBlockList(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	var handler atomic.Pointer[http.HandlerFunc]
	var asked atomic.Pointer[http.Request]
	p := newPeer(t, "127.0.0.1", false, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r)
		(*handler.Load())(w, r)
	})
	answers := func(h http.HandlerFunc) { handler.Store(&h) }
	gives := func(etag, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", etag)
			w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 08:00:00 GMT")
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			if r.Header.Get("If-None-Match") == etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, text)
		}
	}
	id := ok(n.db.SubscribeBlockList(ctx, n.anna.ID, p.URL+"/list.csv"))(t)
	state := func(trouble, detail string, domains ...string) *souk.BlockSubscription {
		t.Helper()
		must(t, n.ReadBlockList(ctx, id))
		s := ok(n.db.BlockSubscription(ctx, n.anna.ID, id))(t)
		if code, said := s.Trouble(); code != trouble || !strings.Contains(said, detail) {
			t.Errorf("trouble %q %q, want %q %q", code, said, trouble, detail)
		}
		var got []string
		for _, b := range ok(n.db.HostBlocks(ctx, n.anna.ID, "", 0))(t) {
			got = append(got, b.Domain)
		}
		if !slices.Equal(got, domains) {
			t.Errorf("in force %v, want %v", got, domains)
		}
		return s
	}

	answers(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "down", http.StatusInternalServerError) })
	if s := state(souk.ListStatus, "500"); s.Fetched != nil {
		t.Errorf("read by an error: %+v", s)
	}
	answers(gives(`"one"`, "bad.example\nworse.example\n"))
	if s := state("", "", "bad.example", "worse.example"); s.ETag != `"one"` || s.LastModified == "" || s.Fetched == nil {
		t.Errorf("%+v", s)
	}
	if refused := ok(n.db.Refused(ctx, "www.bad.example", ""))(t); !refused {
		t.Error("a listed domain is not refused")
	}
	state("", "", "bad.example", "worse.example")
	if h := asked.Load().Header; h.Get("If-None-Match") != `"one"` || h.Get("If-Modified-Since") != "Sun, 22 Nov 2026 08:00:00 GMT" || h.Get("Signature") != "" {
		t.Errorf("asked again with %v", h)
	}
	for name, c := range map[string]struct {
		answer          http.HandlerFunc
		trouble, detail string
	}{
		"failing": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }, souk.ListStatus, "502"},
		"gone":    {http.NotFound, souk.ListGone, ""},
		"too large": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for range maxBlockList/1000 + 1 {
				fmt.Fprint(w, strings.Repeat("evil.example\n", 77))
			}
		}, souk.ListLarge, ""},
		"a page": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<p>Sign in</p>")
		}, souk.ListType, ""},
		"rubbish":   {gives(`"rubbish"`, "bad.example\n<!doctype html>\n"), souk.ListContent, "line 2"},
		"empty":     {gives(`"empty"`, "\n"), souk.ListContent, "empty"},
		"not there": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, souk.ListUnreachable, ""},
		"to a private network": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://10.0.0.1/list", http.StatusFound)
		}, souk.ListAddress, ""},
	} {
		t.Run(name, func(t *testing.T) {
			answers(c.answer)
			if s := state(c.trouble, c.detail, "bad.example", "worse.example"); s.ETag != `"one"` {
				t.Errorf("asks next time for %q", s.ETag)
			}
		})
	}
	// It recovers, and what left the list is lifted.
	answers(gives(`"two"`, "worse.example\nnew.example\n"))
	state("", "", "new.example", "worse.example")
	must(t, n.db.UnsubscribeBlockList(ctx, n.anna.ID, id))
	must(t, n.ReadBlockList(ctx, id))
}

// The job without a list reads those that are due; a server that fails keeps none of the others from being read.
func TestBlockListsAreReadDaily(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	p := newPeer(t, "127.0.0.1", false, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/csv")
		fmt.Fprint(w, "#domain,#severity\nloud.example,silence\n")
	})
	for _, path := range []string{"/broken", "/list"} {
		ok(n.db.SubscribeBlockList(ctx, n.anna.ID, p.URL+path))(t)
	}
	work := func() {
		t.Helper()
		must(t, (&blockListWorker{f: n.Federation}).Work(ctx, &river.Job[souk.BlockListArgs]{JobRow: &rivertype.JobRow{}}))
	}
	work()
	if b := ok(n.db.HostBlock(ctx, n.anna.ID, "loud.example"))(t); b.Severity != souk.Silence || b.ListID == nil {
		t.Errorf("%+v", b)
	}
	work() // only what failed
	if hits := p.hits.Load(); hits != 3 {
		t.Errorf("asked %d times", hits)
	}
}

// A public list is read over https only.
func TestBlockListNeedsHTTPS(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase, func(cfg *Config) { cfg.Client = NewClient(FetchConfig{}) })
	ctx := t.Context()
	for _, address := range []string{"http://lists.example/list", "https://127.0.0.1/list"} {
		id := ok(n.db.SubscribeBlockList(ctx, n.anna.ID, address))(t)
		must(t, n.ReadBlockList(ctx, id))
		s := ok(n.db.BlockSubscription(ctx, n.anna.ID, id))(t)
		if code, _ := s.Trouble(); code != souk.ListAddress {
			t.Errorf("%s: %q", address, s.Error)
		}
	}
}
