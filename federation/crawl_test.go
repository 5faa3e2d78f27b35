package federation

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"souk"
)

// liveNode is a node that answers on this machine as the server makes it answer.
type liveNode struct {
	*testNode
	*httptest.Server
	catalogue *souk.Account
	broken    atomic.Int32 // the status that the pages of its catalogue answer; 0: as they should
}

func newLiveNode(t *testing.T) *liveNode {
	t.Helper()
	var handler atomic.Pointer[http.ServeMux]
	l := &liveNode{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().ServeHTTP(w, r) }))}
	t.Cleanup(l.Close)
	l.testNode = newNode(t, l.URL, func(c *Config) { c.RateLimit = -1 })
	l.catalogue = ok(l.db.Catalogue(t.Context()))(t)
	handler.Store(l.routes())
	return l
}

func (l *liveNode) routes() *http.ServeMux {
	mux := http.NewServeMux()
	get := func(pattern string, f func(r *http.Request) (*Document, error)) {
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
			doc, err := f(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
				return
			}
			w.Header().Set("Content-Type", doc.ContentType)
			w.WriteHeader(doc.Status)
			_, _ = w.Write(doc.Body)
		})
	}
	get("/.well-known/nodeinfo", func(*http.Request) (*Document, error) { return l.NodeInfoLinks() })
	get("/nodeinfo/{version}", func(r *http.Request) (*Document, error) { return l.NodeInfo(r.Context(), r.PathValue("version")) })
	get("/actor", func(r *http.Request) (*Document, error) { return l.NodeActor(r.Context()) })
	get("/catalogue", func(r *http.Request) (*Document, error) { return l.CatalogueActor(r.Context()) })
	get("/catalogue/outbox", func(r *http.Request) (*Document, error) {
		if status := l.broken.Load(); status != 0 {
			return &Document{Status: int(status)}, nil
		}
		return l.CatalogueOutbox(r.Context(), nil, r.URL.Query())
	})
	get("/users/{name}", func(r *http.Request) (*Document, error) { return l.Actor(r.Context(), nil, r.PathValue("name")) })
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		origin, err := url.Parse(l.URL)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		req, err := NewSignedRequest(r, origin, body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		status, err := l.Receive(r.Context(), req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(status)
	}
	mux.HandleFunc("POST /inbox", receive)
	mux.HandleFunc("POST /catalogue/inbox", receive)
	mux.HandleFunc("POST /users/{name}/inbox", receive)
	return mux
}

// work does everything that the nodes have to do now.
func work(t *testing.T, nodes ...*liveNode) {
	t.Helper()
	for range 3 { // a request, its answer, what follows from that
		for _, n := range nodes {
			n.deliverAll(t)
			must(t, n.ApplyInbox(t.Context()))
		}
	}
	for _, n := range nodes {
		if list := n.deliveries(t, "", "queued"); len(list) != 0 {
			t.Fatalf("not delivered: %+v", list)
		}
	}
}

// known is a listing of another node as this one has it.
func (n *testNode) known(t *testing.T, uri string) (*souk.Post, error) {
	t.Helper()
	return n.db.PostByURI(t.Context(), 0, uri)
}

// A node that follows another one's catalogue reads what was there before, hears of every change, and forgets what ends.
func TestFollowNode(t *testing.T) {
	t.Parallel()
	a, b := newLiveNode(t), newLiveNode(t)
	ctx := t.Context()
	before, ended := a.list(t, false), a.list(t, true)
	ok(a.db.ChangeListing(ctx, a.anna.ID, before.ID, price(2500)))(t)
	must(t, a.db.WithdrawListing(ctx, a.anna.ID, ended.ID))
	must(t, a.Federate(ctx))

	theirs := ok(b.FollowNode(ctx, b.anna.ID, strings.TrimPrefix(a.URL, "http://")))(t)
	if again, err := b.Backfill(ctx, theirs.ID); err != nil || again != 0 {
		t.Errorf("read before it was accepted: %v, %v", again, err)
	}
	work(t, b, a, b)
	if again := ok(b.Backfill(ctx, theirs.ID))(t); again != readEvery {
		t.Errorf("to be read again in %v", again)
	}
	p := ok(b.known(t, before.Post.URI))(t)
	if p.Listing == nil || p.Listing.Price() != (souk.Money{Amount: 2500, Currency: "EUR"}) || p.InTimeline {
		t.Errorf("read: %+v", p.Listing)
	}
	if _, err := b.known(t, ended.Post.URI); err == nil {
		t.Error("a listing that was withdrawn was read")
	}

	ok(a.db.ChangeListing(ctx, a.anna.ID, before.ID, price(2600)))(t)
	fresh := a.list(t, false)
	work(t, a, b)
	if got := ok(b.known(t, before.Post.URI))(t).Listing.Price().Amount; got != 2600 {
		t.Errorf("after the change it costs %d", got)
	}
	ok(b.known(t, fresh.Post.URI))(t)
	must(t, a.db.WithdrawListing(ctx, a.anna.ID, before.ID))
	work(t, a, b)
	if _, err := b.known(t, before.Post.URI); !errors.Is(err, souk.ErrGone) {
		t.Errorf("after its end: %v", err)
	}
}

// What a delivery did not bring is found where reading stopped; after a week everything is read, and so renewed, again.
func TestBackfillGoesOn(t *testing.T) {
	t.Parallel()
	a, b := newLiveNode(t), newLiveNode(t)
	ctx := t.Context()
	old := a.list(t, false)
	ok(a.db.ChangeListing(ctx, a.anna.ID, old.ID, price(3000)))(t)
	theirs := ok(b.FollowNode(ctx, b.anna.ID, a.URL))(t)
	work(t, b, a)
	ok(b.Backfill(ctx, theirs.ID))(t)
	if again := ok(b.Backfill(ctx, theirs.ID))(t); again != 0 {
		t.Errorf("a second job right after goes on in %v", again)
	}
	fresh := a.list(t, false)
	must(t, a.Federate(ctx)) // and it is lost on the way
	b.clock.advance(readEvery)
	var next string
	must(t, b.pool.QueryRow(ctx, `select next from catalogue_reads`).Scan(&next))
	if want := a.URL + "/catalogue/outbox?page=true&after=2"; next != want {
		t.Errorf("to go on at %s, want %s", next, want)
	}
	ok(b.Backfill(ctx, theirs.ID))(t)
	ok(b.known(t, fresh.Post.URI))(t)

	expires := *ok(b.known(t, old.Post.URI))(t).Listing.Expires
	b.clock.advance(readAgain)
	ok(b.Backfill(ctx, theirs.ID))(t)
	l := ok(b.known(t, old.Post.URI))(t).Listing
	if !l.Expires.After(expires.Add(readAgain - time.Hour)) {
		t.Errorf("it expires at %v still, before at %v", l.Expires, expires)
	}
	if l.Price().Amount != 3000 {
		t.Errorf("read again it costs %d: an earlier state came back", l.Price().Amount)
	}
	must(t, b.db.Unfollow(ctx, b.catalogue.ID, theirs.ID))
	b.clock.advance(readEvery)
	if again := ok(b.Backfill(ctx, theirs.ID))(t); again != 0 {
		t.Errorf("no longer followed, to be read in %v", again)
	}
}

// A catalogue that does not answer is tried later from the same place; one whose pages are gone from the beginning.
func TestBackfillFromABrokenNode(t *testing.T) {
	t.Parallel()
	a, b := newLiveNode(t), newLiveNode(t)
	ctx := t.Context()
	a.list(t, false)
	theirs := ok(b.FollowNode(ctx, b.anna.ID, a.URL))(t)
	work(t, b, a)
	ok(b.Backfill(ctx, theirs.ID))(t)
	for code, want := range map[int]struct {
		again time.Duration
		next  string
	}{503: {readLater, a.URL + "/catalogue/outbox?page=true&after=1"}, 404: {readEvery, ""}} {
		a.broken.Store(int32(code))
		if _, err := b.pool.Exec(ctx, `update catalogue_reads set next = $1, finished = null`, a.URL+"/catalogue/outbox?page=true&after=1"); err != nil {
			t.Fatal(err)
		}
		if again := ok(b.Backfill(ctx, theirs.ID))(t); again != want.again {
			t.Errorf("%d: to be tried in %v", code, again)
		}
		var next, said string
		must(t, b.pool.QueryRow(ctx, `select next, error from catalogue_reads`).Scan(&next, &said))
		if next != want.next || !strings.Contains(said, fmt.Sprint(code)) {
			t.Errorf("%d: to go on at %q, because %q", code, next, said)
		}
	}
}

func TestFollowNodeRefuses(t *testing.T) {
	t.Parallel()
	b := newLiveNode(t)
	ctx := t.Context()
	member := ok(b.db.CreateAccount(ctx, souk.NewAccount{Name: "bea"}))(t)
	if _, err := b.FollowNode(ctx, member.ID, "a.example"); !errors.Is(err, souk.ErrForbidden) {
		t.Errorf("a member may: %v", err)
	}
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/.well-known/nodeinfo" {
			fmt.Fprintf(w, `{"links":[{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.0","href":"http://%s/nodeinfo/2.0"}]}`, r.Host)
			return
		}
		fmt.Fprint(w, `{"version":"2.0","software":{"name":"mastodon","version":"4.5.0"},"metadata":[]}`)
	}))
	t.Cleanup(plain.Close)
	for node, code := range map[string]string{"": "node", "not a host": "node", "https://": "node", b.URL: "node_self", plain.URL: "node_catalogue"} {
		var invalid *souk.Invalid
		if _, err := b.FollowNode(ctx, b.anna.ID, node); !errors.As(err, &invalid) || invalid.Problems[0].Code != code {
			t.Errorf("%q: %v, want %s", node, err, code)
		}
	}
}
