package web

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestCacheKeepsWithinItsBytes(t *testing.T) {
	t.Parallel()
	c := newPageCache(100 << 10)
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	var made atomic.Int32
	ask := func(key string, version int64, at time.Time) {
		t.Helper()
		if _, err := c.get(t.Context(), key, version, at, func(context.Context) (*answer, error) {
			made.Add(1)
			return &answer{status: 200, body: make([]byte, 10<<10), keep: true}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		ask(fmt.Sprint(i), 1, now)
		ask("0", 1, now) // used all the time: it stays
	}
	if c.bytes > c.limit || len(c.entries) != c.recent.Len() {
		t.Errorf("%d bytes in %d entries, limit %d", c.bytes, len(c.entries), c.limit)
	}
	if n := made.Load(); n != 100 {
		t.Errorf("made %d pages, want 100", n)
	}
	ask("0", 2, now)               // another version
	ask("0", 2, now.Add(freshFor)) // too old
	if n := made.Load(); n != 102 {
		t.Errorf("made %d pages, want 102", n)
	}
}

func TestRenderOutlivesTheReaderWhoAskedFirst(t *testing.T) {
	t.Parallel()
	c := newPageCache(1 << 20)
	first, leave := context.WithCancel(t.Context())
	started, finish := make(chan struct{}), make(chan struct{})
	var once sync.Once
	build := func(ctx context.Context) (*answer, error) {
		once.Do(func() { close(started) })
		<-finish
		return &answer{status: 200, body: []byte("page"), keep: true}, ctx.Err()
	}
	left := make(chan error, 1)
	go func() {
		_, err := c.get(first, "p", 1, time.Time{}, build)
		left <- err
	}()
	<-started
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left: %v", err)
	}
	close(finish)
	a, err := c.get(t.Context(), "p", 1, time.Time{}, build)
	if err != nil || string(a.body) != "page" {
		t.Errorf("the one who stayed: %v %v", a, err)
	}
}

func TestPanicOfOnePageEndsOnlyThatPage(t *testing.T) {
	t.Parallel()
	c := newPageCache(1 << 20)
	if _, err := c.get(t.Context(), "p", 1, time.Time{}, func(context.Context) (*answer, error) { panic("broken") }); err == nil {
		t.Error("a panic is no error")
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for header, expected := range map[string]bool{"": false, "gzip": true, "br, GZIP;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false, "deflate": false, "x-gzip": false} {
		if got := acceptsGzip(header); got != expected {
			t.Errorf("%q: %v", header, got)
		}
	}
}
