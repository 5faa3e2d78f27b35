package search

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// anyText makes text of all that keyboards and mischief produce.
func anyText(r *rand.Rand, n int) string {
	ranges := [][2]rune{{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {' ', '/'}, {0xc0, 0x24f}, {0x300, 0x344}, {0x370, 0x3ff}, {0x400, 0x45f}, {0x5d0, 0x5ea},
		{0x610, 0x6d5}, {0x905, 0x94d}, {0xe01, 0xe5b}, {0x1100, 0x11ff}, {0x2000, 0x206f}, {0x3000, 0x30ff}, {0x4e00, 0x9fff}, {0xac00, 0xd7a3},
		{0xf900, 0xfaff}, {0xfb50, 0xfdff}, {0xfe00, 0xfe0f}, {0xff00, 0xffef}, {0x1f300, 0x1f6ff}, {0x20000, 0x2a6df}, {0, 31}}
	var b strings.Builder
	for range n {
		from := ranges[r.IntN(len(ranges))]
		for range 1 + r.IntN(4) {
			b.WriteRune(from[0] + rune(r.IntN(int(from[1]-from[0]+1))))
		}
		if r.IntN(3) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// TestAnyTextIsValidSQL gives PostgreSQL what the tokenizer makes of any text.
func TestAnyTextIsValidSQL(t *testing.T) {
	t.Parallel()
	x := newTestPostgres(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		text := anyText(r, 1+r.IntN(30))
		d := vectorOf(doc("x", text, body(text), tags(text)))
		s, err := newSearcher(Query{Text: text, Typing: true}, testNow)
		if err != nil {
			t.Fatal(err)
		}
		query := s.text(effort{Spelling: true, Keep: len(s.clauses)})
		var lexemes int
		if err := x.pool.QueryRow(t.Context(), `SELECT length($1::tsvector) + numnode($2::tsquery)`, d.text, query).Scan(&lexemes); err != nil {
			t.Fatalf("%q: %v\n%s\n%s", text, err, d.text, query)
		}
		if want := len(d.lexemes); want > lexemes {
			t.Errorf("%q: PostgreSQL kept %d of %d lexemes", text, lexemes, want)
		}
	}
}

// TestEveryDocumentFindsItself searches for a piece of each document's title, wherever it begins and ends among the words.
func TestEveryDocumentFindsItself(t *testing.T) {
	t.Parallel()
	x := newTestPostgres(t)
	r := rand.New(rand.NewPCG(3, 4))
	var docs []Document
	for i := range 150 {
		docs = append(docs, doc(fmt.Sprint("d", i), anyText(r, 3+r.IntN(6)), lang([]string{"", "en", "de", "zh"}[i%4])))
	}
	put(t, x, docs...)
	for i, d := range docs {
		pieces := []string{d.Title, strings.ToUpper(d.Title), strings.ToLower(d.Title)}
		if words := strings.Fields(d.Title); len(words) > 1 {
			pieces = append(pieces, words[0], words[len(words)-1])
		}
		for _, piece := range pieces {
			if len(parse(piece)) == 0 {
				continue
			}
			hits := find(t, x, Query{Text: piece, Page: Page{Limit: 1000}}).Hits
			if !slices.ContainsFunc(hits, func(h Hit) bool { return h.URI == d.URI }) {
				t.Errorf("%q is not found by %q (document %d)", d.Title, piece, i)
			}
		}
	}
}

// TestSlowFacetsLeaveThePage: facets that use up the budget are left out, not an error.
func TestSlowFacetsLeaveThePage(t *testing.T) {
	t.Parallel()
	x := newTestPostgres(t)
	s, err := newSearcher(Query{Facets: []FacetRequest{{Field: FieldKind}}}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := x.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(t.Context(), `LOCK TABLE search_items IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(t.Context(), x.pool, func(tx pgx.Tx) error {
		s.tx = tx
		if err := limitTime(t.Context(), tx, 20*time.Millisecond); err != nil {
			return err
		}
		return s.facets(t.Context())
	})
	if !errors.Is(err, errPartial) {
		t.Errorf("facets: %v", err)
	}
	if err := holder.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestCommonWords: a word in more documents than are counted is found from the new end, and the total says "more than".
func TestCommonWords(t *testing.T) {
	t.Parallel()
	x := newTestPostgres(t)
	const n = commonDocs + 500
	err := x.Rebuild(t.Context(), func(yield func(Document, error) bool) {
		for i := range n {
			d := doc(fmt.Sprint("d", i), "item", func(d *Document) { d.Created, d.Local = testNow.Add(-time.Duration(i)*time.Minute), i%100 == 0 })
			if !yield(d, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	q := Query{Text: "item", Page: Page{Limit: 3}}
	first := find(t, x, q)
	if names(first) != "d0 d1 d2" || first.Total != (Total{Value: maxExact}) {
		t.Errorf("found %s, total %+v", names(first), first.Total)
	}
	q.Page.After = first.Next
	expectOrder(t, x, q, "d3 d4 d5")
	filtered := find(t, x, Query{Text: "item", Filter: Eq{FieldLocal, "true"}, Page: Page{Limit: 3}})
	if names(filtered) != "d0 d100 d200" || filtered.Total != (Total{n / 100, true}) {
		t.Errorf("found %s, total %+v", names(filtered), filtered.Total)
	}
	if all := find(t, x, Query{}); all.Total != (Total{Value: maxExact}) {
		t.Errorf("everything: %+v", all.Total)
	}
}
