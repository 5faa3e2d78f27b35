package search

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func orderTests() map[string]func(*testing.T, Index) {
	return map[string]func(*testing.T, Index){
		"orders": func(t *testing.T, x Index) {
			put(t, x, doc("a", "item", priced(300, "EUR"), aged(3)), doc("b", "item", priced(100, "EUR"), aged(1)), doc("c", "item", aged(2)),
				doc("d", "item", priced(50, "CNY"), aged(4)))
			for _, text := range []string{"", "item"} {
				expectOrder(t, x, Query{Text: text, Sort: []SortKey{{By: SortNewest}}}, "b c a d")
				expectOrder(t, x, Query{Text: text, Sort: []SortKey{{By: SortNewest, Reverse: true}}}, "d a c b")
				expectOrder(t, x, Query{Text: text, Sort: []SortKey{{By: SortPrice}}}, "b a d c")
				expectOrder(t, x, Query{Text: text, Sort: []SortKey{{By: SortPrice, Reverse: true}}}, "a b d c")
			}
			expectOrder(t, x, Query{}, "b c a d")
			var bad *QueryError
			if _, err := x.Search(t.Context(), Query{Sort: []SortKey{{By: "sales"}}}); !errors.As(err, &bad) {
				t.Errorf("an order that is not: %v", err)
			}
		},
		"pages are stable":      testPages,
		"limits":                testLimits,
		"cursors of other work": testForeignCursors,
		"distinct":              testDistinct,
		"cursor survives changes": func(t *testing.T, x Index) {
			var docs []Document
			for i := range 30 {
				docs = append(docs, doc(fmt.Sprintf("d%02d", i), "item", aged(i)))
			}
			put(t, x, docs...)
			q := Query{Sort: []SortKey{{By: SortNewest}}, Page: Page{Limit: 10}}
			first := find(t, x, q)
			put(t, x, doc("new", "item", aged(0)), doc("other", "item", aged(0)))
			q.Page.After = first.Next
			if got := names(find(t, x, q)); !strings.HasPrefix(got, "d10 d11") {
				t.Errorf("second page %s", got)
			}
		},
	}
}

func testPages(t *testing.T, x Index) {
	var docs []Document
	for i := range 57 { // many ties in every order, some without a value
		d := doc(fmt.Sprintf("d%02d", i), "item", body(strings.Repeat("item ", i%3)), aged(i%4))
		if i%5 > 0 {
			priced(int64(i%3)*100, "EUR")(&d)
			at(float64(i%4), 5)(&d)
		}
		docs = append(docs, d)
	}
	put(t, x, docs...)
	for _, sort := range [][]SortKey{nil, {{By: SortRelevance}}, {{By: SortNewest}}, {{By: SortNewest, Reverse: true}}, {{By: SortPrice}},
		{{By: SortPrice, Reverse: true}}, {{By: SortDistance, From: Point{1, 5}}}, {{By: SortPrice}, {By: SortNewest}}} {
		for _, text := range []string{"", "item"} {
			q := Query{Text: text, Sort: sort, Page: Page{Limit: 7}}
			var byCursor, byOffset []string
			for {
				r := find(t, x, q)
				byCursor = append(byCursor, strings.Fields(names(r))...)
				if r.Total.Value != 57 {
					t.Errorf("%q %v: total %+v", text, sort, r.Total)
				}
				if r.Next == "" || len(byCursor) > 100 {
					break
				}
				q.Page.After = r.Next
			}
			q.Page.After = ""
			for q.Page.Offset = 0; q.Page.Offset < 57; q.Page.Offset += 7 {
				byOffset = append(byOffset, strings.Fields(names(find(t, x, q)))...)
			}
			seen := map[string]bool{}
			for _, name := range byCursor {
				seen[name] = true
			}
			if len(byCursor) != 57 || len(seen) != 57 {
				t.Errorf("%q %v: %d hits, %d of them different", text, sort, len(byCursor), len(seen))
			}
			if strings.Join(byCursor, " ") != strings.Join(byOffset, " ") {
				t.Errorf("%q %v: cursor and offset disagree:\n%v\n%v", text, sort, byCursor, byOffset)
			}
		}
	}
}

func testLimits(t *testing.T, x Index) {
	var docs []Document
	for i := range 1030 {
		docs = append(docs, doc(fmt.Sprintf("d%04d", i), "item"))
	}
	put(t, x, docs...)
	for _, text := range []string{"", "item"} {
		for _, c := range []struct{ offset, limit, want int }{{0, 0, 20}, {0, 2000, 1000}, {990, 20, 10}, {1000, 20, 0}, {1 << 40, 5, 0}, {-5, 3, 3}} {
			r := find(t, x, Query{Text: text, Page: Page{Offset: c.offset, Limit: c.limit}})
			if len(r.Hits) != c.want {
				t.Errorf("%q: offset %d, limit %d give %d hits, want %d", text, c.offset, c.limit, len(r.Hits), c.want)
			}
			if r.Total.Value != 1030 {
				t.Errorf("total %+v", r.Total)
			}
		}
	}
}

func testForeignCursors(t *testing.T, x Index) {
	var docs []Document
	for i := range 9 {
		docs = append(docs, doc(fmt.Sprint("d", i), "item"))
	}
	put(t, x, docs...)
	next := find(t, x, Query{Text: "item", Page: Page{Limit: 2}}).Next
	for _, q := range []Query{
		{Text: "other", Page: Page{After: next}},
		{Text: "item", Filter: Eq{FieldLocal, "true"}, Page: Page{After: next}},
		{Text: "item", Sort: []SortKey{{By: SortPrice}}, Page: Page{After: next}},
		{Text: "item", Page: Page{After: "rubbish"}},
		{Text: "item", Page: Page{After: Cursor(strings.Repeat("A", 100_000))}},
		{Text: "item", Page: Page{After: "e30"}}, // {}
	} {
		var bad *QueryError
		if _, err := x.Search(t.Context(), q); !errors.As(err, &bad) {
			t.Errorf("%+v: %v, want a QueryError", q, err)
		}
	}
}

func testDistinct(t *testing.T, x Index) {
	put(t, x, doc("s", "item", group("shirt"), priced(300, "EUR"), aged(1)), doc("m", "item", group("shirt"), priced(100, "EUR"), aged(2)),
		doc("l", "item", group("shirt"), aged(3)), doc("hat", "item", priced(200, "EUR"), aged(4)), doc("cap", "item", aged(5)))
	expectOrder(t, x, Query{Distinct: true}, "s hat cap")
	expectOrder(t, x, Query{Distinct: true, Sort: []SortKey{{By: SortPrice}}}, "m hat cap")
	r := find(t, x, Query{Text: "item", Distinct: true})
	if len(r.Hits) != 3 || r.Total.Value != 3 {
		t.Errorf("%s, total %+v", names(r), r.Total)
	}
	expect(t, x, Query{Text: "item"}, "s m l hat cap")
	q := Query{Distinct: true, Page: Page{Limit: 1}}
	q.Page.After = find(t, x, q).Next
	expectOrder(t, x, q, "hat")
}

func robustTests() map[string]func(*testing.T, Index) {
	return map[string]func(*testing.T, Index){
		"any text is a query": func(t *testing.T, x Index) {
			put(t, x, doc("one", "bag"))
			for _, text := range []string{`'`, `"`, `\`, `bag'`, `'bag' & !`, `bag:*`, `!bag`, `(`, `bag | hat)`, "\x00", "b\x00ag", "\xff\xfe", "~bag", "#bag",
				"<->", "%", "_", "bag <2> x", strings.Repeat("bag ", 25_000), strings.Repeat("袋", 33_000), strings.Repeat("é", 50_000), "🛍️", "   "} {
				if _, err := x.Search(t.Context(), Query{Text: text, Typing: true}); err != nil {
					t.Errorf("%.40q: %v", text, err)
				}
			}
			expect(t, x, Query{Text: "bag' OR '1'='1"}, "one")
			expect(t, x, Query{Text: strings.Repeat("bag ", 25_000)}, "one")
		},
		"any text is a document": func(t *testing.T, x Index) {
			odd := "it's \\ \"odd\" \x00 \xff 🛍️ : & | ! ( ) <-> " + strings.Repeat("字", 50_000) + strings.Repeat("long", 10_000)
			put(t, x, doc("odd", odd, body(odd), tags(odd, "", " "), within(odd[:50]), lang("\x00\xff"), func(d *Document) {
				d.SellerName, d.Condition, d.GroupKey, d.Geo, d.Created = odd, "\x00", "'", &Point{500, 500}, time.Time{}
			}), doc("plain", "bag"))
			expect(t, x, Query{Text: "odd"}, "odd")
			expect(t, x, Query{}, "odd plain")
			if _, err := x.Upsert(t.Context(), []Document{{Title: "no address"}}); err == nil {
				t.Error("a document without a URI was taken")
			}
		},
		"many words": func(t *testing.T, x Index) {
			var long strings.Builder
			for i := range 20_000 {
				fmt.Fprintf(&long, "w%d 词%c ", i, rune(0x4e00+i))
			}
			put(t, x, doc("one", "bag", body(long.String())))
			expect(t, x, Query{Text: "bag w1"}, "one")
		},
		"cancelled": func(t *testing.T, x Index) {
			put(t, x, doc("one", "bag"))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := x.Search(ctx, Query{Text: "bag"}); !errors.Is(err, context.Canceled) {
				t.Errorf("Search: %v", err)
			}
			if _, err := x.Upsert(ctx, []Document{doc("two", "bag")}); !errors.Is(err, context.Canceled) {
				t.Errorf("Upsert: %v", err)
			}
			expect(t, x, Query{Text: "bag"}, "one")
		},
		"a batch larger than a transaction": func(t *testing.T, x Index) {
			var docs []Document
			for i := range 1203 {
				docs = append(docs, doc(fmt.Sprint("d", i), "item"))
			}
			put(t, x, docs...)
			if r := find(t, x, Query{Text: "item"}); r.Total.Value != 1203 {
				t.Errorf("total %+v", r.Total)
			}
			var ids []ID
			for _, d := range docs {
				ids = append(ids, IDOf(d.URI))
			}
			r, err := x.Delete(t.Context(), ids, 1)
			done(t, x, r, err)
			expect(t, x, Query{}, "")
		},
	}
}
