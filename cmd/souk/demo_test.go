package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"souk"
)

// The story of the demonstration, a browser's order and a crash, one after another on the same three nodes.
func TestThreeNodes(t *testing.T) {
	t.Parallel()
	d, said := startDemo(t, true)
	t.Run("story", func(t *testing.T) {
		if err := d.tellStory(t.Context()); err != nil {
			t.Fatal(err, "\n", said)
		}
		if strings.Contains(said.String(), "\nfailed ") || !strings.Contains(said.String(), "told to its end") {
			t.Errorf("the story says\n%s", said)
		}
	})
	t.Run("browser", func(t *testing.T) { orderOnAPhone(t, d) })
	t.Run("crash", func(t *testing.T) { crash(t, d) })
}

// startDemo starts the three nodes, with little content (check) or all of it, and ends them with the test. Tests ask more often than people may.
func startDemo(t *testing.T, check bool) (*demo, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	d := &demo{check: check, t: newTerminal(&said, nil)}
	if _, err := d.prepare(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.end(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	for _, n := range d.nodes() {
		path := filepath.Join(n.dir, configName)
		settings, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(settings, "rate_limit = 0\n"...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shops := d.shops()
	d.studio = newStudio(t.Context(), shops)
	if err := d.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.fill(t.Context(), shops); err != nil {
		t.Fatal(err)
	}
	return d, &said
}

// acknowledged is what node A, or the database of C, said yes to.
type acknowledged struct {
	lock                    sync.Mutex
	orders, products, words []string // ids of A's orders and products, addresses of C's replies
}

func (a *acknowledged) add(list *[]string, s string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	*list = append(*list, s)
}

func (a *acknowledged) least() int {
	a.lock.Lock()
	defer a.lock.Unlock()
	return min(len(a.orders), len(a.products), len(a.words))
}

// crash kills node A and its postmaster while guests order, the seller publishes and Mira writes, and starts it again:
// whatever was acknowledged is there, and what others sent is applied.
func crash(t *testing.T, d *demo) {
	ctx := t.Context()
	s := &story{demo: d, visitor: newVisitor()}
	if err := s.begin(ctx); err != nil {
		t.Fatal(err)
	}
	product := s.sellMany(t)
	seen, err := d.reader.arrived(ctx, product.URI)
	if err != nil {
		t.Fatal(err)
	}
	var yes acknowledged
	load, stopLoad := context.WithCancel(ctx)
	var writers sync.WaitGroup
	writers.Go(func() { s.keepOrdering(load, product.ID, &yes) })
	writers.Go(func() { s.keepPublishing(load, &yes) })
	writers.Go(func() { s.keepWriting(load, t, seen.ID, &yes) })
	if err := until(ctx, "work that is acknowledged", func(context.Context) (string, bool) {
		n := yes.least()
		return fmt.Sprint(n), n >= 10
	}); err != nil {
		t.Error(err)
	}
	a := d.pottery
	if err := syscall.Kill(a.store.cluster.PID(), syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	if err := a.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-a.gone
	stopLoad()
	writers.Wait()
	if err := errors.Join(a.close(ctx), a.start()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.ready(ctx), a.open(ctx)); err != nil {
		t.Fatal(err)
	}
	s.lookAgain(t, &yes)
	t.Logf("after the crash: %d orders, %d products and %d replies, none lost", len(yes.orders), len(yes.products), len(yes.words))
}

// sellMany publishes something of which there is enough.
func (s *story) sellMany(t *testing.T) apiListing {
	var l apiListing
	if err := s.visitor.call(t.Context(), http.MethodPost, s.api(s.pottery, "/listings"), s.token, map[string]any{"title": "Clay, by the pound", "description": "Wedged twice.",
		"price": souk.Money{Amount: 9_00, Currency: "CNY"}, "quantity": 9999, "announce": true}, &l, http.StatusCreated); err != nil {
		t.Fatal(err)
	}
	return l
}

// keepOrdering orders until ctx ends. What fails was not acknowledged.
func (s *story) keepOrdering(ctx context.Context, product string, yes *acknowledged) {
	for i := 0; ctx.Err() == nil; i++ {
		var order struct{ ID string }
		if s.visitor.callWith(ctx, http.MethodPost, s.api(s.pottery, "/orders"), "", fmt.Sprint("crash-", i), map[string]any{
			"lines":   []map[string]any{{"listing_id": product, "quantity": 1}},
			"contact": map[string]string{"name": "Wanda Guest", "email": "wanda@visitor.example"},
			"payment": souk.PayTransfer, "shipping": map[string]any{"pickup": true}}, &order, http.StatusCreated) == nil {
			yes.add(&yes.orders, order.ID)
		}
	}
}

// keepPublishing publishes until ctx ends.
func (s *story) keepPublishing(ctx context.Context, yes *acknowledged) {
	for i := 0; ctx.Err() == nil; i++ {
		var l apiListing
		if s.visitor.call(ctx, http.MethodPost, s.api(s.pottery, "/listings"), s.token, map[string]any{"title": fmt.Sprint("Shard ", i), "description": "Of a cup.",
			"price": souk.Money{Amount: 1_00, Currency: "CNY"}}, &l, http.StatusCreated) == nil {
			yes.add(&yes.products, l.ID)
		}
	}
}

// keepWriting lets Mira reply until ctx ends. Node C lives on: its database keeps every word, and C delivers it again
// and again until A has taken it.
func (s *story) keepWriting(ctx context.Context, t *testing.T, to int64, yes *acknowledged) {
	for i := 0; ctx.Err() == nil; i++ {
		p, err := s.reader.db.CreatePost(ctx, s.mira.ID, souk.NewPost{Source: fmt.Sprint("Word ", i), InReplyTo: to})
		if err == nil {
			yes.add(&yes.words, p.URI)
		} else if ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}

// lookAgain looks for everything that was acknowledged: at A, and what A publishes at B.
func (s *story) lookAgain(t *testing.T, yes *acknowledged) {
	ctx := t.Context()
	id := func(text string) int64 {
		n, err := souk.ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, o := range yes.orders {
		if order, err := s.pottery.db.Order(ctx, s.seller.ID, id(o)); err != nil || order.State != souk.OrderPlaced {
			t.Errorf("order %s is %+v (%v)", o, order, err)
		}
	}
	for _, p := range yes.products {
		l, err := s.pottery.db.Listing(ctx, 0, id(p))
		if err != nil {
			t.Errorf("product %s: %v", p, err)
			continue
		}
		if _, err := s.prints.arrived(ctx, l.Post.URI); err != nil {
			t.Error(err)
		}
	}
	for _, uri := range yes.words {
		if _, err := s.pottery.arrived(ctx, uri); err != nil {
			t.Fatal(err)
		}
	}
}
