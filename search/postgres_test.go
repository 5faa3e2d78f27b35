package search

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"souk/migrations/pgtest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	testIndex(t, func(t *testing.T) Index { return newTestPostgres(t) })
}

func newTestPostgres(t testing.TB) *Postgres {
	return NewPostgres(PostgresConfig{Pool: pgtest.New(t), Now: func() time.Time { return testNow }})
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
