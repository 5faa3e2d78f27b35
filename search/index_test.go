package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"souk"
)

// testNow is the clock of every engine under test.
var testNow = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// testIndex is what every engine must do. fresh gives an empty index of its own to each test.
func testIndex(t *testing.T, fresh func(t *testing.T) Index) {
	groups := []map[string]func(*testing.T, Index){writingTests(), textTests(), denseTests(), filterTests(), orderTests(), robustTests()}
	for _, group := range groups {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, fresh(t))
			})
		}
	}
}

// doc is a listing; change adjusts it. Its URI ends in name, by which tests tell hits apart.
func doc(name, title string, change ...func(*Document)) Document {
	d := Document{URI: "https://a.example/" + name, Version: 1, Kind: KindListing, Node: "a.example", Seller: "https://a.example/users/ann",
		Title: title, Lang: "en", Available: true, Created: testNow.Add(-24 * time.Hour), Updated: testNow.Add(-24 * time.Hour)}
	for _, f := range change {
		f(&d)
	}
	return d
}

func body(text string) func(*Document)     { return func(d *Document) { d.Body = text } }
func lang(code string) func(*Document)     { return func(d *Document) { d.Lang = code } }
func version(n int64) func(*Document)      { return func(d *Document) { d.Version = n } }
func tags(names ...string) func(*Document) { return func(d *Document) { d.Tags = names } }
func group(key string) func(*Document)     { return func(d *Document) { d.GroupKey = key } }
func at(lat, lon float64) func(*Document)  { return func(d *Document) { d.Geo = &Point{lat, lon} } }
func aged(days int) func(*Document) {
	return func(d *Document) { d.Created = testNow.AddDate(0, 0, -days) }
}
func from(node, who string) func(*Document) {
	return func(d *Document) { d.Node, d.Seller = node, "https://"+node+"/users/"+who }
}
func within(paths ...string) func(*Document) { return func(d *Document) { d.Categories = paths } }

func priced(amount int64, currency string) func(*Document) {
	return func(d *Document) {
		d.Price = &souk.Money{Amount: amount, Currency: currency}
		if currency == "EUR" {
			d.PriceRef = &amount
		}
	}
}

func put(t *testing.T, x Index, docs ...Document) {
	t.Helper()
	r, err := x.Upsert(t.Context(), docs)
	done(t, x, r, err)
}

func done(t *testing.T, x Index, r Receipt, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Wait(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, x Index, q Query) *Result {
	t.Helper()
	r, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return r
}

// names are the ends of the hits' URIs, in order.
func names(r *Result) string {
	var list []string
	for _, h := range r.Hits {
		list = append(list, h.URI[strings.LastIndexByte(h.URI, '/')+1:])
	}
	return strings.Join(list, " ")
}

func sorted(list string) string {
	parts := strings.Fields(list)
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// expect compares the set of hits and their number.
func expect(t *testing.T, x Index, q Query, want string) {
	t.Helper()
	r := find(t, x, q)
	if got := sorted(names(r)); got != sorted(want) {
		t.Errorf("%q %+v finds %q, want %q", q.Text, q.Filter, got, sorted(want))
	}
	if n := len(strings.Fields(want)); r.Total.Value != n || !r.Total.Exact {
		t.Errorf("%q %+v: total %+v, want exactly %d", q.Text, q.Filter, r.Total, n)
	}
}

// expectOrder compares the hits in order.
func expectOrder(t *testing.T, x Index, q Query, want string) {
	t.Helper()
	if got := names(find(t, x, q)); got != want {
		t.Errorf("%q %+v finds %q, want %q", q.Text, q.Sort, got, want)
	}
}

func writingTests() map[string]func(*testing.T, Index) {
	return map[string]func(*testing.T, Index){
		"empty": func(t *testing.T, x Index) {
			expect(t, x, Query{}, "")
			expect(t, x, Query{Text: "bag 手机"}, "")
			status, err := x.Status(t.Context())
			if err != nil || !status.Healthy || status.Documents != 0 {
				t.Errorf("status %+v, %v", status, err)
			}
		},
		"upsert, replace, delete": testReplace,
		"older versions lose":     testVersions,
		"delete where": func(t *testing.T, x Index) {
			put(t, x, doc("one", "bag", from("bad.example", "x")), doc("two", "bag"), doc("three", "belt", from("bad.example", "y")))
			r, err := x.DeleteWhere(t.Context(), Eq{FieldNode, "bad.example"})
			done(t, x, r, err)
			expect(t, x, Query{}, "two")
			if _, err := x.DeleteWhere(t.Context(), nil); err == nil {
				t.Error("a filter of nil deletes everything")
			}
		},
		"expired documents are never shown": func(t *testing.T, x Index) {
			put(t, x, doc("old", "bag", func(d *Document) { d.Expires = testNow.Add(-time.Second) }),
				doc("good", "bag", func(d *Document) { d.Expires = testNow.Add(time.Hour) }), doc("ever", "bag"))
			expect(t, x, Query{Text: "bag"}, "good ever")
			expect(t, x, Query{}, "good ever")
		},
		"rebuild":                          testRebuild,
		"rebuild with changes":             testRebuildWithChanges,
		"rebuild that fails keeps the old": testRebuildFails,
		"restart":                          testCounts,
	}
}

func testReplace(t *testing.T, x Index) {
	put(t, x, doc("one", "red bag"), doc("two", "blue bag"))
	expect(t, x, Query{Text: "bag"}, "one two")
	put(t, x, doc("one", "green belt", version(2)))
	expect(t, x, Query{Text: "bag"}, "two")
	expect(t, x, Query{Text: "belt"}, "one")
	put(t, x, doc("one", "green belt", version(2))) // again
	expect(t, x, Query{}, "one two")
	r, err := x.Delete(t.Context(), []ID{IDOf("https://a.example/one"), IDOf("https://a.example/never")}, 3)
	done(t, x, r, err)
	expect(t, x, Query{}, "two")
	put(t, x, doc("one", "third bag", version(4)))
	expect(t, x, Query{Text: "bag"}, "one two")
}

func testVersions(t *testing.T, x Index) {
	put(t, x, doc("one", "new bag", version(5)))
	put(t, x, doc("one", "old hat", version(4)))
	expect(t, x, Query{Text: "bag"}, "one")
	id := IDOf("https://a.example/one")
	r, err := x.Delete(t.Context(), []ID{id}, 4)
	done(t, x, r, err)
	expect(t, x, Query{}, "one")
	r, err = x.Delete(t.Context(), []ID{id}, 6)
	done(t, x, r, err)
	put(t, x, doc("one", "new bag", version(5)))
	expect(t, x, Query{}, "")
	put(t, x, doc("two", "a", version(2)), doc("two", "b", version(1)))
	expect(t, x, Query{Text: "b"}, "")
}

func source(docs ...Document) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func testRebuild(t *testing.T, x Index) {
	put(t, x, doc("stale", "old bag"), doc("kept", "bag"))
	for range 2 { // names of tables and indexes must be free again
		if err := x.Rebuild(t.Context(), source(doc("kept", "bag"), doc("new", "new bag", version(2)))); err != nil {
			t.Fatal(err)
		}
		expect(t, x, Query{Text: "bag"}, "kept new")
	}
	status, err := x.Status(t.Context())
	if err != nil || status.Documents != 2 || status.Rebuilding {
		t.Errorf("status %+v, %v", status, err)
	}
	put(t, x, doc("after", "bag"))
	expect(t, x, Query{Text: "bag"}, "kept new after")
}

// testRebuildWithChanges writes between the documents of the source, and searches meanwhile.
func testRebuildWithChanges(t *testing.T, x Index) {
	put(t, x, doc("one", "bag"), doc("two", "bag"), doc("three", "bag"))
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	readers.Go(func() {
		for ctx.Err() == nil {
			if r, err := x.Search(t.Context(), Query{Text: "bag"}); err != nil || len(r.Hits) < 2 {
				t.Errorf("while rebuilding: %+v, %v", r, err)
				return
			}
		}
	})
	src := func(yield func(Document, error) bool) {
		if !yield(doc("one", "bag"), nil) || !yield(doc("two", "bag"), nil) {
			return
		}
		put(t, x, doc("one", "changed bag", version(2)), doc("four", "bag"))
		r, err := x.Delete(t.Context(), []ID{IDOf("https://a.example/two")}, 2)
		done(t, x, r, err)
		yield(doc("three", "bag"), nil)
	}
	err := x.Rebuild(t.Context(), src)
	stop()
	readers.Wait()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, x, Query{Text: "bag"}, "one three four")
	expect(t, x, Query{Text: "changed"}, "one")
}

func testRebuildFails(t *testing.T, x Index) {
	put(t, x, doc("one", "bag"))
	broken := errors.New("broken source")
	err := x.Rebuild(t.Context(), func(yield func(Document, error) bool) {
		_ = yield(doc("two", "bag"), nil) && yield(Document{}, broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("Rebuild: %v", err)
	}
	expect(t, x, Query{Text: "bag"}, "one")
	ctx, cancel := context.WithCancel(t.Context())
	err = x.Rebuild(ctx, func(yield func(Document, error) bool) {
		cancel()
		for i := range 2000 {
			if !yield(doc(fmt.Sprint("n", i), "bag"), nil) {
				return
			}
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled rebuild: %v", err)
	}
	status, err := x.Status(t.Context())
	if err != nil || status.Rebuilding || status.Documents != 1 {
		t.Errorf("status %+v, %v", status, err)
	}
	put(t, x, doc("three", "bag"))
	expect(t, x, Query{Text: "bag"}, "one three")
}

func testCounts(t *testing.T, x Index) {
	put(t, x, doc("one", "bag"), doc("two", "bag 手机"))
	put(t, x, doc("two", "belt", version(2)))
	status, err := x.Status(t.Context())
	if err != nil || status.Documents != 2 || status.Engine == "" {
		t.Errorf("status %+v, %v", status, err)
	}
	if r := find(t, x, Query{Text: "bag"}); r.Engine != status.Engine {
		t.Errorf("result of %q, status of %q", r.Engine, status.Engine)
	}
}
