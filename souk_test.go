package souk

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertest"

	"souk/migrations/pgtest"
)

// folder keeps blobs in a folder: the real store is in server/blob, above this package.
type folder string

func (f folder) Put(_ context.Context, key string, body []byte, _ string) error {
	path := filepath.Join(string(f), filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, body, 0o644)
}

func (f folder) Open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	return os.Open(filepath.Join(string(f), filepath.FromSlash(key)))
}

func (f folder) Delete(_ context.Context, key string) error {
	return os.Remove(filepath.Join(string(f), filepath.FromSlash(key)))
}

// clock is a time that tests move.
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

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// node is a database of its own with a shop owned by "anna".
type node struct {
	*DB
	clock *clock
	owner *Account
}

func annasShop(t *testing.T) *node {
	t.Helper()
	c := newClock()
	db, err := New(pgtest.New(t), Config{BaseURL: "https://shop.example", Now: c.Now, Blobs: folder(t.TempDir()), Jitter: func() float64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	ctx := t.Context()
	if err := db.EnsureShop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := db.EnsureNodeActors(ctx); err != nil {
		t.Fatal(err)
	}
	owner, err := db.CreateAccount(ctx, NewAccount{Name: "anna", Role: RoleOwner, DisplayName: "Anna", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	return &node{DB: db, clock: c, owner: owner}
}

// remote is an account of another node.
func (n *node) remote(t *testing.T, name, host string) *Account {
	t.Helper()
	uri := "https://" + host + "/users/" + name
	a, err := n.UpsertRemoteAccount(t.Context(), RemoteAccount{Account: Account{Host: host, Name: name, Kind: "Person", URI: uri, URL: uri,
		Inbox: uri + "/inbox", SharedInbox: "https://" + host + "/inbox", KeyID: uri + "#main-key", PublicKey: "PEM"}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// waiting are the kinds of the events that federation has not taken up, in order.
func (n *node) waiting(t *testing.T) []string {
	t.Helper()
	var kinds []string
	err := n.Tx(t.Context(), func(tx *DB) error {
		events, err := tx.Events(t.Context(), 100)
		for _, e := range events {
			kinds = append(kinds, e.Kind)
			if err := tx.FederatedEvent(t.Context(), e.ID, ""); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}

func wantKinds(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("events %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("events %v, want %v", got, want)
		}
	}
}

func TestCreateAccount(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	// The instance actor, the catalogue and anna each wait for a key.
	rivertest.RequireManyInserted(ctx, t, riverpgxv5.New(n.Pool()), []rivertest.ExpectedJob{{Args: KeyArgs{}}, {Args: KeyArgs{}}, {Args: KeyArgs{}}})
	if _, err := n.CreateAccount(ctx, NewAccount{Name: "Anna"}); !isInvalid(err, "name") {
		t.Errorf("upper case: %v", err)
	}
	if _, err := n.CreateAccount(ctx, NewAccount{Name: "anna"}); !isInvalid(err, "name") {
		t.Errorf("taken: %v", err)
	}
	if _, err := n.CreateAccount(ctx, NewAccount{Name: "ben", Role: RoleOwner}); !errors.Is(err, ErrConflict) {
		t.Errorf("second owner: %v", err)
	}
	if _, err := n.CreateAccount(ctx, NewAccount{Name: "ben", Email: "not an address", Password: "short"}); !isInvalid(err, "email") || !isInvalid(err, "password") {
		t.Errorf("several problems at once: %v", err)
	}
	a, err := n.LocalAccount(ctx, "ANNA")
	if err != nil || a.ID != n.owner.ID || !a.Indexable || n.Handle(a) != "@anna@shop.example" {
		t.Errorf("anna: %+v %v", a, err)
	}
}

func isInvalid(err error, field string) bool {
	var invalid *Invalid
	if !errors.As(err, &invalid) {
		return false
	}
	for _, p := range invalid.Problems {
		if p.Field == field {
			return true
		}
	}
	return false
}

func TestTxNests(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	failed := errors.New("no")
	err := n.Tx(ctx, func(tx *DB) error {
		if _, err := tx.CreatePost(ctx, n.owner.ID, NewPost{Source: "kept"}); err != nil {
			return err
		}
		if err := tx.Tx(ctx, func(inner *DB) error {
			if _, err := inner.CreatePost(ctx, n.owner.ID, NewPost{Source: "dropped"}); err != nil {
				return err
			}
			return failed
		}); !errors.Is(err, failed) {
			t.Errorf("inner: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	posts, err := n.ShopPosts(ctx, Page{})
	if err != nil || len(posts) != 1 || posts[0].Source != "kept" {
		t.Errorf("posts %v, %v", posts, err)
	}
	wantKinds(t, n.waiting(t), EventPostCreated)
}
