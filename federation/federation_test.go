package federation

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"souk"
	"souk/migrations/pgtest"

	"github.com/jackc/pgx/v5/pgxpool"
)

var update = flag.Bool("update", false, "write the golden files of federation/testdata anew")

// clock is a time that tests move by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// testNode is a node on its own database, with a shop "anna" that is open.
type testNode struct {
	*Federation
	db    *souk.DB
	pool  *pgxpool.Pool
	clock *clock
	anna  *souk.Account
}

const testBase = "https://shop.example"

// newNode makes a node at the base address. Its requests may go to this machine.
func newNode(t *testing.T, base string, change ...func(*Config)) *testNode {
	t.Helper()
	n := &testNode{pool: pgtest.New(t), clock: newClock()}
	var err error
	n.db, err = souk.New(n.pool, souk.Config{BaseURL: base, Now: n.clock.Now, Jitter: func() float64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.db.Close)
	client := NewClient(FetchConfig{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: time.Minute, Refused: n.db.Refused, MediaRefused: n.db.MediaRefused, Now: n.clock.Now})
	t.Cleanup(client.CloseIdle)
	cfg := Config{Client: client, Version: "1.2.3", Poll: 10 * time.Millisecond}
	for _, f := range change {
		f(&cfg)
	}
	n.Federation = New(n.db, cfg)
	ctx := t.Context()
	must(t, n.db.EnsureShop(ctx))
	must(t, n.db.EnsureNodeActors(ctx))
	n.anna = ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "anna", Role: souk.RoleOwner, DisplayName: "Anna's pots"}))(t)
	must(t, n.settle(ctx))
	return n
}

// settle takes up the events so far, so that a test sees only its own.
func (n *testNode) settle(ctx context.Context) error { return n.Federate(ctx) }

// ok makes the error of a call the test's.
func ok[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// remote stores an account of another node.
func (n *testNode) remote(t *testing.T, base, host, name string, change ...func(*souk.RemoteAccount)) *souk.Account {
	t.Helper()
	uri := base + "/users/" + name
	r := souk.RemoteAccount{Account: souk.Account{Host: host, Name: name, Kind: "Person", URI: uri, URL: base + "/@" + name, Inbox: uri + "/inbox",
		SharedInbox: base + "/inbox", FollowersURI: uri + "/followers", KeyID: uri + "#main-key"}}
	for _, f := range change {
		f(&r)
	}
	return ok(n.db.UpsertRemoteAccount(t.Context(), r))(t)
}

// followedBy makes a remote account an accepted follower of a local one.
func (n *testNode) followedBy(t *testing.T, followee, follower *souk.Account, isNode bool) {
	t.Helper()
	must(t, n.db.ReceiveFollow(t.Context(), follower.URI+"#follow/"+followee.Name, follower, followee, isNode))
	must(t, n.settle(t.Context()))
}

// golden compares JSON (or other text) with a file of testdata, to the byte once JSON is indented.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var b bytes.Buffer
	if json.Valid(got) {
		must(t, json.Indent(&b, got, "", "  "))
	} else {
		b.Write(got)
	}
	b.WriteByte('\n')
	path := filepath.Join("testdata", "golden", name)
	if *update {
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, b.Bytes(), 0o644))
		return
	}
	want := ok(os.ReadFile(path))(t)
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs (run with -update and look at the diff):\n%s", path, b.Bytes())
	}
}
