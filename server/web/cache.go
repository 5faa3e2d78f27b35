package web

import (
	"container/list"
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	maxCacheBytes = 32 << 20
	// freshFor is how long a page is kept although nothing changed: "5 minutes ago" must not stand there for an hour.
	freshFor = 60 * time.Second
	// renderFor bounds the making of one page, which no client's leaving ends.
	renderFor = 10 * time.Second
	// entryOverhead is what an entry takes beside its bodies, roughly.
	entryOverhead = 512
)

// pageCache keeps answers, the least recently used given up first. An answer holds for the version of the shop for
// which it was made, and for freshFor.
type pageCache struct {
	flight  singleflight.Group
	limit   int
	mu      sync.Mutex
	entries map[string]*list.Element
	recent  *list.List // of *pageEntry, the latest used in front
	bytes   int
}

type pageEntry struct {
	key     string
	version int64
	made    time.Time
	answer  *answer
	size    int
}

func newPageCache(limit int) *pageCache {
	return &pageCache{limit: limit, entries: map[string]*list.Element{}, recent: list.New()}
}

// get is the answer for the key at this version: a kept one, the one that is being made right now, or a new one.
func (c *pageCache) get(ctx context.Context, key string, version int64, now time.Time, build func(context.Context) (*answer, error)) (*answer, error) {
	if a := c.kept(key, version, now); a != nil {
		return a, nil
	}
	return shared(ctx, &c.flight, strconv.FormatInt(version, 10)+" "+key, renderFor, func(ctx context.Context) (*answer, error) {
		// Another flight may have landed between the look above and this one.
		if a := c.kept(key, version, now); a != nil {
			return a, nil
		}
		a, err := build(ctx)
		if err != nil {
			return nil, err
		}
		a.finish()
		if a.keep {
			c.put(&pageEntry{key: key, version: version, made: now, answer: a, size: len(key) + len(a.body) + len(a.zipped) + entryOverhead})
		}
		return a, nil
	})
}

func (c *pageCache) kept(key string, version int64, now time.Time) *answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.entries[key]
	if element == nil {
		return nil
	}
	entry := element.Value.(*pageEntry)
	if age := now.Sub(entry.made); entry.version != version || age < 0 || age >= freshFor {
		return nil
	}
	c.recent.MoveToFront(element)
	return entry.answer
}

func (c *pageCache) put(entry *pageEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entries[entry.key]; old != nil {
		c.drop(old)
	}
	if entry.size > c.limit/4 {
		return
	}
	c.entries[entry.key] = c.recent.PushFront(entry)
	c.bytes += entry.size
	for c.bytes > c.limit {
		c.drop(c.recent.Back())
	}
}

func (c *pageCache) drop(element *list.Element) {
	entry := c.recent.Remove(element).(*pageEntry)
	delete(c.entries, entry.key)
	c.bytes -= entry.size
}

// panicked is the error that a panic becomes, with where it came from for the log.
func panicked(p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }
