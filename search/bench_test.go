package search

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"souk"
)

// BenchmarkSearch fills the built-in engine with made-up goods and measures each class of query: p50 and p99 in
// milliseconds. SOUK_BENCH_DOCS names the sizes, "10000,100000" for instance; 10,000 without it.
func BenchmarkSearch(b *testing.B) {
	sizes := os.Getenv("SOUK_BENCH_DOCS")
	if sizes == "" {
		sizes = "10000"
	}
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint("docs=", n), func(b *testing.B) { benchSearch(b, n) })
	}
}

func benchSearch(b *testing.B, n int) {
	x := newTestPostgres(b)
	started := time.Now()
	if err := x.Rebuild(b.Context(), newGoods(1).documents(n)); err != nil {
		b.Fatal(err)
	}
	load := time.Since(started)
	b.Logf("%d documents loaded in %s, %.0f a second", n, load.Round(time.Millisecond), float64(n)/load.Seconds())
	for _, c := range newGoods(1).classes() {
		b.Run(c.name, func(b *testing.B) {
			for _, q := range c.queries[:10] { // the first readings fill caches
				if _, err := x.Search(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
			var took []time.Duration
			hits := 0
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				r, err := x.Search(b.Context(), c.queries[i%len(c.queries)])
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
				hits += r.Total.Value
			}
			report(b, took)
			b.ReportMetric(float64(hits)/float64(len(took)), "hits/query")
		})
	}
	b.Run("update", func(b *testing.B) {
		var took []time.Duration
		g := newGoods(1)
		docs := slices.Collect(first(g.documents(1000)))
		for i := 0; b.Loop(); i++ {
			d := docs[i%len(docs)]
			d.Version += int64(i + 1)
			amount := int64(i)
			d.Price, d.PriceRef = &souk.Money{Amount: amount, Currency: "EUR"}, &amount
			start := time.Now()
			if _, err := x.Upsert(b.Context(), []Document{d}); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(start))
		}
		report(b, took)
	})
}

func first(docs iter.Seq2[Document, error]) iter.Seq[Document] {
	return func(yield func(Document) bool) {
		for d := range docs {
			if !yield(d) {
				return
			}
		}
	}
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(p float64) float64 {
		return float64(took[min(int(p*float64(len(took))), len(took)-1)].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.50), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// goods makes documents and queries, the same ones from the same seed.
type goods struct {
	r     *rand.Rand
	words map[string][]string // by language, most frequent first
	zipf  *rand.Zipf
}

const vocabulary = 20_000

func newGoods(seed uint64) *goods {
	r := rand.New(rand.NewPCG(seed, 42))
	g := &goods{r: r, words: map[string][]string{}, zipf: rand.NewZipf(r, 1.07, 3, vocabulary-1)}
	g.words["en"] = g.invent(3, 9, []rune("aeiou"), []rune("bcdfghklmnprstvw"))
	g.words["de"] = g.invent(4, 12, []rune("aeiouäöü"), []rune("bdfghklmnrstwzß"))
	g.words["ar"] = g.invent(3, 7, []rune("اوي"), []rune("بتجحدرسشعفقكلمنه"))
	g.words["zh"] = g.invent(2, 3, span(0x4e00, 3000), span(0x4e00, 3000))
	g.words["ja"] = append(g.invent(2, 3, span(0x4e00, 1500), span(0x4e00, 1500))[:vocabulary/2], g.invent(2, 5, span('ァ', 80), span('ァ', 80))[:vocabulary/2]...)
	g.r.Shuffle(vocabulary, func(i, j int) { g.words["ja"][i], g.words["ja"][j] = g.words["ja"][j], g.words["ja"][i] })
	return g
}

func span(from rune, n int) []rune {
	list := make([]rune, n)
	for i := range list {
		list[i] = from + rune(i)
	}
	return list
}

// invent makes words of alternating letters, least to most long.
func (g *goods) invent(least, most int, odd, even []rune) []string {
	seen := map[string]bool{}
	list := make([]string, 0, vocabulary)
	for len(list) < vocabulary {
		var word []rune
		for i := range least + g.r.IntN(most-least+1) {
			letters := even
			if i%2 == 1 {
				letters = odd
			}
			word = append(word, letters[g.r.IntN(len(letters))])
		}
		if s := string(word); !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list
}

func (g *goods) word(lang string) string { return g.words[lang][g.zipf.Uint64()] }

func (g *goods) text(lang string, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 && lang != "zh" && lang != "ja" {
			b.WriteByte(' ')
		} else if i > 0 && g.r.IntN(8) == 0 {
			b.WriteString("，")
		}
		b.WriteString(g.word(lang))
	}
	return b.String()
}

func (g *goods) lang() string {
	switch n := g.r.IntN(100); {
	case n < 40:
		return "en"
	case n < 65:
		return "zh"
	case n < 77:
		return "ja"
	case n < 90:
		return "de"
	}
	return "ar"
}

func category(i int) string { return fmt.Sprintf("top%d/sub%d", i%6, i) }

// city is one of twenty places on the map.
func city(i int) Point { return Point{float64(i%5)*12 + 5, float64(i/5)*25 - 30} }

func (g *goods) documents(n int) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for i := range n {
			if !yield(g.document(i), nil) {
				return
			}
		}
	}
}

func (g *goods) document(i int) Document {
	lang := g.lang()
	node := g.r.IntN(200)
	amount := int64(100 + g.r.IntN(20_000))
	at := city(g.r.IntN(20))
	at.Lat += g.r.Float64()
	at.Lon += g.r.Float64()
	return Document{URI: fmt.Sprintf("https://n%d.example/listings/%d", node, i), Version: 1, Kind: KindListing, Node: fmt.Sprintf("n%d.example", node),
		Seller: fmt.Sprintf("https://n%d.example/users/s%d", node, i%7), Title: g.text(lang, 3+g.r.IntN(6)), Body: g.text(lang, 20+g.r.IntN(61)),
		Tags: []string{g.word(lang), g.word(lang)}, Categories: []string{fmt.Sprintf("top%d", i%6), category(i % 60)}, Lang: lang,
		Price: &souk.Money{Amount: amount, Currency: "EUR"}, PriceRef: &amount, Available: g.r.IntN(10) > 0, Condition: []string{"new", "used"}[g.r.IntN(2)],
		Geo: &at, Created: testNow.Add(-time.Duration(g.r.IntN(365*24*60)) * time.Minute), Updated: testNow}
}

type class struct {
	name    string
	queries []Query
}

// classes are those of the measurements that the engine was chosen by.
func (g *goods) classes() []class {
	rare := func(lang string) string { return g.words[lang][200+g.r.IntN(5000)] }
	pick := func(s string, n int) string { r := []rune(s); return string(r[:min(n, len(r))]) }
	low, high := int64(1000), int64(8000)
	list := []struct {
		name string
		make func() Query
	}{
		{"one-word", func() Query { return Query{Text: rare("en")} }},
		{"common-word", func() Query { return Query{Text: g.words["en"][g.r.IntN(5)]} }},
		{"two-words", func() Query { return Query{Text: g.words["en"][g.r.IntN(300)] + " " + g.words["en"][g.r.IntN(300)]} }},
		{"prefix", func() Query { return Query{Text: pick(rare("en"), 3), Typing: true} }},
		{"word-and-prefix", func() Query {
			return Query{Text: g.words["en"][g.r.IntN(50)] + " " + pick(rare("en"), 3), Typing: true}
		}},
		{"typo", func() Query { return Query{Text: g.misspelt(rare)} }},
		{"zh-2", func() Query { return Query{Text: pick(rare("zh"), 2)} }},
		{"zh-4", func() Query {
			return Query{Text: pick(g.words["zh"][g.r.IntN(50)], 2) + pick(g.words["zh"][g.r.IntN(50)], 2)}
		}},
		{"zh-1", func() Query { return Query{Text: pick(g.words["zh"][g.r.IntN(100)], 1)} }},
		{"ja-4", func() Query { return Query{Text: g.words["ja"][g.r.IntN(50)] + g.words["ja"][g.r.IntN(50)]} }},
		{"filters-by-price", func() Query {
			return Query{Text: g.words["en"][g.r.IntN(200)], Filter: And{Eq{FieldCategory, category(g.r.IntN(60))}, Range{FieldPriceRef, &low, &high}}, Sort: []SortKey{{By: SortPrice}}}
		}},
		{"facets-common", func() Query { return Query{Text: g.words["en"][g.r.IntN(5)], Facets: threeFacets()} }},
		{"facets-zh", func() Query { return Query{Text: pick(rare("zh"), 2), Facets: threeFacets()} }},
		{"near", func() Query {
			at := city(g.r.IntN(20))
			return Query{Text: g.words["en"][g.r.IntN(200)], Filter: Within{at, 50}, Sort: []SortKey{{By: SortDistance, From: at}}}
		}},
		{"browse", func() Query {
			return Query{Filter: Eq{FieldCategory, category(g.r.IntN(60))}, Sort: []SortKey{{By: SortNewest}}}
		}},
	}
	var classes []class
	for _, c := range list {
		queries := make([]Query, 100)
		for i := range queries {
			queries[i] = c.make()
		}
		classes = append(classes, class{c.name, queries})
	}
	return classes
}

func threeFacets() []FacetRequest {
	return []FacetRequest{{Field: FieldCategory}, {Field: FieldNode}, {Field: FieldAvailable}}
}

// misspelt is a rare word of six letters or more with one of them wrong.
func (g *goods) misspelt(rare func(string) string) string {
	for {
		word := []byte(rare("en"))
		if len(word) < 6 {
			continue
		}
		word[1+g.r.IntN(len(word)-1)] = 'q'
		return string(word)
	}
}

// BenchmarkRecall takes two words of a random document each time and counts how often that document is among the first
// twenty hits: what ranking by frequency and place is worth.
func BenchmarkRecall(b *testing.B) {
	const n = 20_000
	x := newTestPostgres(b)
	docs := slices.Collect(first(newGoods(1).documents(n)))
	if err := x.Rebuild(b.Context(), source(docs...)); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	found, asked := 0, 0
	for b.Loop() {
		d := docs[r.IntN(n)]
		if d.Lang != "en" && d.Lang != "de" {
			continue
		}
		words := strings.Fields(d.Title + " " + d.Body)
		asked++
		result, err := x.Search(b.Context(), Query{Text: words[r.IntN(len(words))] + " " + words[r.IntN(len(words))]})
		if err != nil {
			b.Fatal(err)
		}
		if slices.ContainsFunc(result.Hits, func(h Hit) bool { return h.URI == d.URI }) {
			found++
		}
	}
	b.ReportMetric(float64(found)/float64(asked), "recall@20")
	b.ReportMetric(0, "ns/op")
}
