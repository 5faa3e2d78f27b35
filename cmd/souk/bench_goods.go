package main

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"souk"
	"souk/search"
)

// benchGoods makes up listings and what people search among them, the same ones from the same seed: English and Chinese,
// with words as frequent as in real texts (Zipf).
type benchGoods struct {
	r       *rand.Rand
	zipf    *rand.Zipf
	words   []string // English, the most frequent first
	han     []string // Chinese words of two or three characters, the most frequent first
	started time.Time
}

const goodsWords = 20_000

func newBenchGoods(seed uint64) *benchGoods {
	r := rand.New(rand.NewPCG(seed, 7))
	g := &benchGoods{r: r, zipf: rand.NewZipf(r, 1.07, 3, goodsWords-1), started: time.Now()}
	vowels, consonants := []rune("aeiou"), []rune("bcdfghklmnprstvwz")
	g.words = g.invent(func() string {
		var b strings.Builder
		for i := range 4 + r.IntN(7) {
			letters := consonants
			if i%2 == 1 {
				letters = vowels
			}
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		return b.String()
	})
	g.han = g.invent(func() string {
		var b strings.Builder
		for range 2 + r.IntN(2) {
			b.WriteRune('一' + rune(r.IntN(3000)))
		}
		return b.String()
	})
	return g
}

// invent makes words until there are enough different ones.
func (g *benchGoods) invent(word func() string) []string {
	seen := make(map[string]bool, goodsWords)
	list := make([]string, 0, goodsWords)
	for len(list) < goodsWords {
		if w := word(); !seen[w] {
			seen[w] = true
			list = append(list, w)
		}
	}
	return list
}

func (g *benchGoods) text(words []string, between string, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = words[g.zipf.Uint64()]
	}
	return strings.Join(list, between)
}

// documents are the first n.
func (g *benchGoods) documents(n int) iter.Seq2[search.Document, error] {
	return func(yield func(search.Document, error) bool) {
		for i := range n {
			if !yield(g.document(i), nil) {
				return
			}
		}
	}
}

const (
	goodsNodes      = 200
	goodsCategories = 60
)

func goodsCategory(i int) string { return fmt.Sprintf("shelf%d/board%d", i%6, i) }

func (g *benchGoods) document(i int) search.Document {
	lang, words, between := "en", g.words, " "
	if i%5 < 2 {
		lang, words, between = "zh", g.han, ""
	}
	node, category, amount := g.r.IntN(goodsNodes), g.r.IntN(goodsCategories), int64(100+g.r.IntN(20_000))
	host := fmt.Sprintf("shop%d.example", node)
	return search.Document{URI: fmt.Sprintf("https://%s/listings/%d", host, i), Version: 1, Kind: search.KindListing, Node: host,
		Seller: fmt.Sprintf("https://%s/users/seller%d", host, i%7), SellerName: fmt.Sprintf("Seller %d", node*7+i%7), Lang: lang,
		Title: g.text(words, between, 3+g.r.IntN(6)), Body: g.text(words, between, 20+g.r.IntN(60)), Tags: []string{g.text(words, "", 1)},
		Categories: []string{fmt.Sprintf("shelf%d", category%6), goodsCategory(category)}, Price: &souk.Money{Amount: amount, Currency: "EUR"},
		PriceRef: &amount, Available: g.r.IntN(10) > 0, Condition: []string{"new", "used"}[g.r.IntN(2)],
		Created: g.started.Add(-time.Duration(g.r.IntN(365*24*60)) * time.Minute), Updated: g.started}
}

// searchClass is a kind of query that people make.
type searchClass struct {
	name string
	make func() search.Query
}

// classes are named by what is typed: words that few, or that many of the documents have.
func (g *benchGoods) classes() []searchClass {
	rare := func(words []string) string { return words[200+g.r.IntN(5000)] }
	common := func(words []string) string { return words[g.r.IntN(5)] }
	often := func(words []string, n int) string { return words[g.r.IntN(n)] }
	begin := func(word string, n int) string { return string([]rune(word)[:n]) }
	low, high := int64(1000), int64(8000)
	facets := []search.FacetRequest{{Field: search.FieldCategory}, {Field: search.FieldNode}, {Field: search.FieldAvailable}}
	return []searchClass{
		{"one word", func() search.Query { return search.Query{Text: rare(g.words)} }},
		{"a very common word", func() search.Query { return search.Query{Text: common(g.words)} }},
		{"two words", func() search.Query { return search.Query{Text: often(g.words, 300) + " " + often(g.words, 300)} }},
		{"three letters, while typing", func() search.Query { return search.Query{Text: begin(rare(g.words), 3), Typing: true} }},
		{"one letter wrong", func() search.Query { return search.Query{Text: g.misspelt()} }},
		{"two Chinese characters", func() search.Query { return search.Query{Text: begin(rare(g.han), 2)} }},
		{"four Chinese characters", func() search.Query {
			return search.Query{Text: begin(often(g.han, 50), 2) + begin(often(g.han, 50), 2)}
		}},
		{"a very common word, three facets", func() search.Query { return search.Query{Text: common(g.words), Facets: facets} }},
		{"word in a category, by price", func() search.Query {
			return search.Query{Text: often(g.words, 200), Sort: []search.SortKey{{By: search.SortPrice}}, Filter: search.And{
				search.Eq{Field: search.FieldCategory, Value: goodsCategory(g.r.IntN(goodsCategories))},
				search.Range{Field: search.FieldPriceRef, Min: &low, Max: &high}}}
		}},
		{"a category, newest first", func() search.Query {
			return search.Query{Sort: []search.SortKey{{By: search.SortNewest}},
				Filter: search.Eq{Field: search.FieldCategory, Value: goodsCategory(g.r.IntN(goodsCategories))}}
		}},
	}
}

// misspelt is a rare word of six letters or more with one of them wrong: no word has a q.
func (g *benchGoods) misspelt() string {
	for {
		word := []byte(g.words[200+g.r.IntN(5000)])
		if len(word) >= 6 {
			word[1+g.r.IntN(len(word)-1)] = 'q'
			return string(word)
		}
	}
}
