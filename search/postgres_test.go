package search

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"souk/migrations/pgtest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	testIndex(t, func(t *testing.T) Index { return newTestPostgres(t) })
}

func newTestPostgres(t testing.TB) *Postgres {
	return NewPostgres(PostgresConfig{Pool: pgtest.New(t), Now: func() time.Time { return testNow }})
}

// TestWordCountsStayExact changes the index from several goroutines and compares the counts with a recount.
func TestWordCountsStayExact(t *testing.T) {
	t.Parallel()
	x := newTestPostgres(t)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 7))
			for i := range 30 {
				name := fmt.Sprint("d", r.IntN(12))
				d := doc(name, fmt.Sprintf("walnut w%d 手机%d号", r.IntN(5), r.IntN(5)), body("text "+name), version(int64(r.IntN(100))))
				var err error
				if i%5 == 4 {
					_, err = x.Delete(t.Context(), []ID{IDOf(d.URI)}, d.Version)
				} else {
					_, err = x.Upsert(t.Context(), []Document{d, doc("shared", fmt.Sprint("shared words ", i), version(int64(i)))})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	counted := func() string {
		var all string
		err := x.pool.QueryRow(t.Context(), `SELECT (SELECT string_agg(word || '=' || docs, ' ' ORDER BY word) FROM search_words WHERE docs > 0)
			|| (SELECT format(' %s %s %s %s', docs, title_len, names_len, body_len) FROM search_state)`).Scan(&all)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := counted()
	if err := x.Recount(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := counted(); before != after {
		t.Errorf("counts drifted:\n%s\n%s", before, after)
	}
	if !strings.Contains(before, "walnut=") || !strings.Contains(before, "手机=") {
		t.Errorf("counts %s", before)
	}
}

func TestOneRebuildAtATime(t *testing.T) {
	t.Parallel()
	x := newTestPostgres(t)
	err := x.Rebuild(t.Context(), func(yield func(Document, error) bool) {
		if status, err := x.Status(t.Context()); err != nil || !status.Rebuilding {
			t.Errorf("status %+v, %v", status, err)
		}
		if err := x.Rebuild(t.Context(), source()); !errors.Is(err, ErrBusy) {
			t.Errorf("a second rebuild: %v", err)
		}
		yield(doc("one", "bag"), nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, x, Query{Text: "bag"}, "one")
}

// TestInterruptedRebuild leaves the table of a rebuild behind, as a crash does: writers fill it, the next one replaces it.
func TestInterruptedRebuild(t *testing.T) {
	t.Parallel()
	x := newTestPostgres(t)
	if err := x.createNext(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, x, doc("one", "bag"))
	if err := x.Rebuild(t.Context(), source(doc("two", "bag"))); err != nil {
		t.Fatal(err)
	}
	expect(t, x, Query{Text: "bag"}, "two")
}

// TestBudget holds the table, so that no query can end in time.
func TestBudget(t *testing.T) {
	t.Parallel()
	x := newTestPostgres(t)
	err := pgx.BeginFunc(t.Context(), x.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `LOCK TABLE search_items IN ACCESS EXCLUSIVE MODE`); err != nil {
			return err
		}
		if _, err := x.Search(t.Context(), Query{Text: "bag", Budget: 20 * time.Millisecond}); !errors.Is(err, ErrTimeout) {
			t.Errorf("Search: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, x, Query{Text: "bag", Budget: time.Minute}, "")
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=5")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	x := NewPostgres(PostgresConfig{Pool: pool})
	if _, err := x.Search(t.Context(), Query{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Search: %v", err)
	}
	if _, err := x.Upsert(t.Context(), []Document{doc("one", "bag")}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Upsert: %v", err)
	}
}

// TestExpiredLeave: what expired more than a week ago is dropped, and old deletions are forgotten.
func TestExpiredLeave(t *testing.T) {
	t.Parallel()
	now := testNow
	x := NewPostgres(PostgresConfig{Pool: pgtest.New(t), Now: func() time.Time { return now }})
	put(t, x, doc("old", "bag", func(d *Document) { d.Expires = testNow.Add(time.Hour) }), doc("gone", "bag"), doc("good", "bag"))
	r, err := x.Delete(t.Context(), []ID{IDOf("https://a.example/gone")}, 5)
	done(t, x, r, err)
	now = now.Add(8 * 24 * time.Hour)
	if err := x.Recount(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, err := x.Status(t.Context())
	if err != nil || status.Documents != 1 {
		t.Errorf("status %+v, %v", status, err)
	}
	put(t, x, doc("gone", "bag")) // version 1 again, after a week
	expect(t, x, Query{}, "gone good")
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"leather", "lether", true}, {"lether", "leather", true}, {"leather", "laether", true}, {"leather", "leathex", true},
		{"leather", "feather", true}, {"leather", "leather", true}, {"leather", "leaht", false}, {"leather", "laethre", false}, {"ab", "ba", true},
		{"größe", "grösse", false}, {"город", "гароd", false}, {"город", "горад", true},
	} {
		if got := oneMistake(c.a, c.b); got != c.want {
			t.Errorf("oneMistake(%s, %s) = %v", c.a, c.b, got)
		}
	}
	for word, want := range map[string]bool{"leather": true, "bag": false, "x4512": false, "~leather": false, "#leather": false, "手机手机": false, "дерево": true, "pneumonoultramicroscopicsilico": false} {
		if correctable(word, minTypoWord) != want {
			t.Errorf("correctable(%s) = %v", word, !want)
		}
	}
	if got := strings.Join(deletes("aabö"), " "); got != "abö aaö aab" {
		t.Errorf("deletes: %s", got)
	}
}

// TestRankingReadsNoPopularity keeps what product.md, 5 says: nothing that finds or orders results may know of sales,
// reviews, followers, favourites, boosts or money paid.
func TestRankingReadsNoPopularity(t *testing.T) {
	t.Parallel()
	bought := regexp.MustCompile(`(?i)\b\w*(sales|sold|reviews?|rating|follower|favou?rite|likes?_|_likes?\b|boosts?\b|popular|sponsor|promot|\bbid\b|paid|commission|views?\b|clicks?\b)\w*`)
	files, err := filepath.Glob("postgres*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "vector.go", "filter.go", "../migrations/0002_search.sql")
	if len(files) < 8 {
		t.Fatalf("only %v", files)
	}
	for _, name := range files {
		if name == "postgres_test.go" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.ReplaceAll(string(text), `'sold_out'`, "") // a state that search may show, no count
		for _, word := range bought.FindAllString(plain, -1) {
			t.Errorf("%s mentions %q", name, word)
		}
	}
	if !bought.MatchString("ORDER BY follower_count") || !bought.MatchString("sales DESC") {
		t.Error("the pattern finds nothing")
	}
}
