package search

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"souk"
	"souk/migrations/pgtest"
)

// lane is a node with a shop, its index, and what people ask it with.
type lane struct {
	*souk.DB
	t       *testing.T
	index   *Postgres
	indexer *Indexer
	finder  *Finder
	owner   *souk.Account

	mu  sync.Mutex
	now time.Time
}

// noBlobs keeps nothing: these tests have no pictures.
type noBlobs struct{}

func (noBlobs) Put(context.Context, string, []byte, string) error { return nil }
func (noBlobs) Delete(context.Context, string) error              { return nil }
func (noBlobs) Open(context.Context, string) (io.ReadSeekCloser, error) {
	return nil, souk.ErrNotFound
}

func newLane(t *testing.T) *lane {
	t.Helper()
	n := &lane{t: t, now: testNow}
	pool := pgtest.New(t)
	db, err := souk.New(pool, souk.Config{BaseURL: "https://lane.example", Now: n.clock, Blobs: noBlobs{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	n.DB = db
	n.index = NewPostgres(PostgresConfig{Pool: pool, Now: n.clock})
	n.indexer = NewIndexer(IndexerConfig{DB: db, Index: n.index})
	n.finder = NewFinder(db, n.index)
	n.check(db.EnsureShop(t.Context()))
	n.check(db.EnsureNodeActors(t.Context()))
	n.owner, err = db.CreateAccount(t.Context(), souk.NewAccount{Name: "anna", Role: souk.RoleOwner, DisplayName: "Anna 安娜", Password: "correct horse"})
	n.check(err)
	return n
}

func (n *lane) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *lane) pass(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

func (n *lane) check(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *lane) drain() {
	n.t.Helper()
	_, err := n.indexer.Drain(n.t.Context())
	n.check(err)
}

func (n *lane) listing(title string, amount int64) *souk.Listing {
	n.t.Helper()
	l, err := n.CreateListing(n.t.Context(), n.owner.ID, souk.NewListing{Title: title, Description: "Sold on the **lane**, " + title + ".", Quantity: 5,
		Price: souk.Money{Amount: amount, Currency: "EUR"}, Category: "Home/Kitchen", Tags: []string{"handmade"}, Lang: "en"})
	n.check(err)
	return l
}

// remoteListing comes from another node's seller.
func (n *lane) remoteListing(name, title string) (*souk.Account, *souk.Listing) {
	n.t.Helper()
	uri := "https://far.example/users/" + name
	a, err := n.UpsertRemoteAccount(n.t.Context(), souk.RemoteAccount{Account: souk.Account{Host: "far.example", Name: name, Kind: "Person", URI: uri, URL: uri,
		Inbox: uri + "/inbox", SharedInbox: "https://far.example/inbox", KeyID: uri + "#main-key", PublicKey: "PEM", Indexable: true, Discoverable: true}})
	n.check(err)
	l, err := n.ReceiveListing(n.t.Context(), souk.RemoteListing{RemotePost: souk.RemotePost{URI: "https://far.example/listings/" + name, Author: a,
		URL: "https://far.example/products/" + name, HTML: "<p>" + title + "</p>", Visibility: souk.Public, Lang: "en", Published: n.clock().Add(-time.Hour)},
		Title: title, Description: "<p>From afar</p>", Price: souk.Money{Amount: 900, Currency: "USD"}, Availability: souk.InStock})
	n.check(err)
	return a, l
}

func (n *lane) find(r Request) *Answer {
	n.t.Helper()
	a, err := n.finder.Find(n.t.Context(), r)
	n.check(err)
	return a
}

// finds compares the titles (or first words) of the hits, in any order.
func (n *lane) finds(r Request, want ...string) {
	n.t.Helper()
	a := n.find(r)
	var got []string
	for _, h := range a.Hits {
		if h.Title == "" {
			got = append(got, h.Text)
		} else {
			got = append(got, h.Title)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		n.t.Errorf("%+v finds %q, want %q", r, got, want)
	}
	if a.Total.Value != len(want) {
		n.t.Errorf("%+v: total %+v, want %d", r, a.Total, len(want))
	}
}

func TestIndexFollowsRows(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	ctx := t.Context()
	cup := n.listing("Walnut cup", 2400)
	_, err := n.CreatePost(ctx, n.owner.ID, souk.NewPost{Source: "Turning walnut today #wood"})
	n.check(err)
	_, err = n.CreatePost(ctx, n.owner.ID, souk.NewPost{Source: "Only for walnut followers", Visibility: "followers"})
	n.check(err)
	draft, err := n.CreateListing(ctx, n.owner.ID, souk.NewListing{Title: "Walnut draft", Description: "x", Quantity: 1, State: souk.ListingDraft,
		Price: souk.Money{Amount: 1, Currency: "EUR"}})
	n.check(err)
	n.finds(Request{Text: "walnut"}) // nothing is indexed yet
	n.drain()
	n.finds(Request{Text: "walnut"}, "Walnut cup", "Turning walnut today #wood")
	n.finds(Request{Text: "安娜", Type: KindAccount}, "Anna 安娜")
	n.finds(Request{Type: KindListing, Category: "Home"}, "Walnut cup")

	title := "Cherry cup"
	_, err = n.ChangeListing(ctx, n.owner.ID, cup.ID, souk.ListingChange{Title: &title})
	n.check(err)
	n.drain()
	n.finds(Request{Text: "cherry", Type: KindListing}, "Cherry cup")

	state := souk.ListingPublished
	_, err = n.ChangeListing(ctx, n.owner.ID, draft.ID, souk.ListingChange{State: &state})
	n.check(err)
	n.drain()
	n.finds(Request{Text: "walnut draft"}, "Walnut draft")
	n.check(n.WithdrawListing(ctx, n.owner.ID, draft.ID))
	n.finds(Request{Text: "draft"}) // not shown even before the index knows
	n.drain()
	if status, err := n.index.Status(ctx); err != nil || status.Documents != 3 {
		t.Errorf("status %+v, %v", status, err)
	}
	if waiting, _, err := n.IndexBacklog(ctx); err != nil || waiting != 0 {
		t.Errorf("%d wait, %v", waiting, err)
	}
}

func TestOthersAreHidden(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	ctx := t.Context()
	seller, _ := n.remoteListing("mo", "Copper kettle")
	n.drain()
	n.finds(Request{Text: "kettle"}, "Copper kettle")
	n.finds(Request{Text: "kettle", Node: "FAR.example"}, "Copper kettle")
	n.finds(Request{Text: "kettle", Node: "lane.example"})

	n.check(n.Block(ctx, n.owner.ID, seller.ID))
	n.finds(Request{Text: "kettle", Viewer: n.owner.ID})
	n.finds(Request{Text: "kettle"}, "Copper kettle")

	n.check(n.BlockHost(ctx, n.owner.ID, "far.example", souk.Silence, ""))
	n.finds(Request{Text: "kettle"})
	n.drain()
	if r := find(t, n.index, Query{Text: "kettle"}); r.Total.Value != 0 {
		t.Error("a silenced host's listing stays in the index")
	}
	n.check(n.BlockHost(ctx, n.owner.ID, "far.example", "", ""))
	n.drain()
	n.finds(Request{Text: "kettle"}, "Copper kettle")

	// The seller does not want to be indexed any more.
	seller.Indexable = false
	_, err := n.UpsertRemoteAccount(ctx, souk.RemoteAccount{Account: *seller, Asked: n.Now()})
	n.check(err)
	n.finds(Request{Text: "kettle", Type: KindListing})
	n.drain()
	if r := find(t, n.index, Query{Text: "kettle", Filter: Eq{FieldKind, "listing"}}); r.Total.Value != 0 {
		t.Error("a listing stays in the index whose seller took the permission back")
	}
	seller.Indexable = true
	_, err = n.UpsertRemoteAccount(ctx, souk.RemoteAccount{Account: *seller, Asked: n.Now()})
	n.check(err)
	n.drain()
	n.finds(Request{Text: "kettle", Type: KindListing}, "Copper kettle")
}

func TestExpiredListingsLeave(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	n.remoteListing("mo", "Copper kettle")
	n.drain()
	n.finds(Request{Text: "kettle"}, "Copper kettle")
	n.pass(souk.RemoteListingLife + time.Hour)
	n.finds(Request{Text: "kettle"})
}

func TestRebuildFromRows(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	ctx := t.Context()
	for i := range 5 {
		n.listing(fmt.Sprint("Bowl number ", i), 100)
	}
	n.drain()
	_, err := n.index.DeleteWhere(ctx, And{})
	n.check(err)
	put(t, n.index, doc("stray", "Bowl of nobody", aged(3), func(d *Document) { d.Updated = testNow.AddDate(0, 0, -3) }))
	n.pass(2 * time.Hour)
	n.check(n.indexer.Tidy(ctx)) // finds what is missing, and what should not be there
	n.drain()
	if r := find(t, n.index, Query{Text: "bowl"}); r.Total.Value != 5 {
		t.Errorf("after Tidy: %s", names(r))
	}
	n.check(n.indexer.Rebuild(ctx))
	if r := find(t, n.index, Query{Text: "bowl"}); r.Total.Value != 5 {
		t.Errorf("after Rebuild: %s", names(r))
	}
	l := n.listing("Bowl number 6", 100)
	n.drain()
	n.check(n.WithdrawListing(ctx, n.owner.ID, l.ID))
	n.drain()
	if r := find(t, n.index, Query{Text: "bowl"}); r.Total.Value != 5 {
		t.Errorf("changes after Rebuild: %s", names(r))
	}
}

// TestTidyRebuildsAnotherForm: an index that an older program wrote is made again.
func TestTidyRebuildsAnotherForm(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	n.listing("Oak bowl", 100)
	if _, err := n.Pool().Exec(t.Context(), `update search_state set schema = 0`); err != nil {
		t.Fatal(err)
	}
	n.check(n.indexer.Tidy(t.Context()))
	status, err := n.index.Status(t.Context())
	if err != nil || status.Outdated {
		t.Errorf("status %+v, %v", status, err)
	}
	n.finds(Request{Text: "oak"}, "Oak bowl")
}

// flaky is an engine that refuses some documents, or everything.
type flaky struct {
	Index
	down   bool
	refuse string
}

func (f *flaky) Upsert(ctx context.Context, docs []Document) (Receipt, error) {
	if f.down {
		return Receipt{}, fmt.Errorf("connection refused: %w", ErrUnavailable)
	}
	for _, d := range docs {
		if f.refuse != "" && strings.Contains(d.Title, f.refuse) {
			return Receipt{}, errors.New("this document cannot be")
		}
	}
	return f.Index.Upsert(ctx, docs)
}

func TestOutboxOutlivesTheEngine(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	engine := &flaky{Index: n.index, down: true}
	n.indexer = NewIndexer(IndexerConfig{DB: n.DB, Index: engine})
	n.listing("Good plate", 100)
	n.listing("Odd plate", 100)
	if _, err := n.indexer.Drain(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Drain: %v", err)
	}
	engine.down, engine.refuse = false, "Odd"
	n.drain() // the batch is put off for a moment
	n.finds(Request{Text: "plate"})
	n.pass(time.Minute)
	n.drain()
	n.finds(Request{Text: "plate"}, "Good plate")
	if waiting, oldest, err := n.IndexBacklog(t.Context()); err != nil || waiting != 1 || oldest.IsZero() {
		t.Errorf("%d wait since %v, %v", waiting, oldest, err)
	}
	engine.refuse = ""
	n.pass(2 * time.Hour)
	n.drain()
	n.finds(Request{Text: "plate"}, "Good plate", "Odd plate")
}

// TestWorkersDrain runs the real job queue: a change wakes the drain.
func TestWorkersDrain(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	workers := river.NewWorkers()
	n.check(n.indexer.AddWorkers(workers))
	client, err := river.NewClient(riverpgxv5.New(n.Pool()), &river.Config{Workers: workers, TestOnly: true, PeriodicJobs: n.indexer.Periodic(),
		Queues: map[string]river.QueueConfig{"index": {MaxWorkers: 1}}, FetchPollInterval: 50 * time.Millisecond, FetchCooldown: 10 * time.Millisecond})
	n.check(err)
	done, stop := client.Subscribe(river.EventKindJobCompleted, river.EventKindJobFailed)
	defer stop()
	n.listing("Woken mug", 100)
	n.check(client.Start(t.Context()))
	defer func() { n.check(client.StopAndCancel(context.WithoutCancel(t.Context()))) }()
	timeout := time.After(3 * time.Minute)
	for {
		if len(n.find(Request{Text: "mug"}).Hits) == 1 {
			break
		}
		select {
		case e := <-done:
			if e.Kind == river.EventKindJobFailed {
				t.Fatalf("%s failed: %v", e.Job.Kind, e.Job.Errors)
			}
		case <-timeout:
			t.Fatal("nothing was indexed")
		}
	}
}

// TestTidyIsQueuedOnce: every start asks for one, and finds the one that waits.
func TestTidyIsQueuedOnce(t *testing.T) {
	t.Parallel()
	n := newLane(t)
	workers := river.NewWorkers()
	n.check(n.indexer.AddWorkers(workers))
	if err := n.indexer.AddWorkers(workers); err == nil {
		t.Error("the workers were registered twice")
	}
	client, err := river.NewClient(riverpgxv5.New(n.Pool()), &river.Config{Workers: workers})
	n.check(err)
	for start := range 2 {
		args, opts := n.indexer.tidyJob()
		r, err := client.Insert(t.Context(), args, opts)
		n.check(err)
		if r.UniqueSkippedAsDuplicate != (start == 1) || !r.Job.ScheduledAt.Equal(testNow.Add(tidyAfter)) {
			t.Errorf("start %d: duplicate %v, at %v", start, r.UniqueSkippedAsDuplicate, r.Job.ScheduledAt)
		}
	}
}
