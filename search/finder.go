package search

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"souk"
)

// Finder answers what people search for: it asks the index, loads what was found from the rows, and checks there again
// that it may be shown.
type Finder struct {
	db    *souk.DB
	index Index
}

// NewFinder returns a Finder over an index of the database's rows.
func NewFinder(db *souk.DB, index Index) *Finder { return &Finder{db: db, index: index} }

// Request is a search as pages and the commerce API take it. The zero value is everything, newest first.
type Request struct {
	Text      string
	Type      Kind // empty: all
	MinPrice  *int64
	MaxPrice  *int64 // minor units of Currency
	Currency  string // empty: the shop's, for the prices; with it, only listings in that currency
	Category  string // and everything below it
	Condition string
	Tag       string
	Node      string // host; empty: all
	InStock   bool
	Sort      SortBy // relevance, newest or price; empty: as Query
	Cursor    Cursor
	Offset    int      // instead of a cursor; Offset+Limit reaches MaxWindow
	Limit     int      // 0 is 20, at most 100
	Viewer    int64    // account whose blocks count; 0: a stranger
	Locales   []string // of the reader, best first
	Typing    bool     // the last word may be unfinished
	Sensitive bool     // show it too
	Facets    bool     // count types, categories, nodes, conditions, and the range of prices
}

// Answer is one page of what was found.
type Answer struct {
	Hits      []Found
	Total     Total
	Facets    map[Field]Facet
	Corrected string
	Next      Cursor
	Partial   bool
	Took      time.Duration
	Engine    string
}

// Found is one hit with what is shown of it. Spans are bytes of Title and Text: escape the text and mark them.
type Found struct {
	Type         Kind
	URI          string // federated object id
	URL          string // the page at its origin; ours for what lives here
	Node         string // host; this node's domain for what lives here
	Local        bool
	Title        string // of a listing or account; a post's content warning
	TitleSpans   []Span
	Text         string // excerpt around the first match, plain text
	TextSpans    []Span
	Lang         string
	Price        *souk.Money
	From         bool // there are variants at other prices
	InStock      bool
	Availability string // souk.InStock, FewLeft, NoStock; empty for what is not sold
	Picture      *souk.Media
	Published    time.Time
	Checked      *time.Time // remote listings: when the origin last confirmed it
	Score        float64
	Why          []Part

	Seller  *souk.Account
	Post    *souk.Post    // of a listing or post
	Listing *souk.Listing // of a listing
}

const (
	maxPage = 100
	// maxTopUps is how often a page is filled up again where hits may not be shown any more.
	maxTopUps = 3
)

// Find searches. Errors: *QueryError for what cannot be asked, ErrUnavailable, ErrTimeout.
func (f *Finder) Find(ctx context.Context, r Request) (_ *Answer, err error) {
	defer wrap(&err, "find %q", abridged(r.Text))
	q, err := f.query(ctx, r)
	if err != nil {
		return nil, err
	}
	wanted := q.Page.Limit
	var answer *Answer
	for range 1 + maxTopUps {
		result, err := f.index.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		if answer == nil {
			answer = &Answer{Total: result.Total, Facets: result.Facets, Corrected: result.Corrected, Partial: result.Partial, Engine: result.Engine}
		}
		text := r.Text
		if answer.Corrected != "" {
			text = answer.Corrected
		}
		hits, err := f.load(ctx, result.Hits, text, q.Exclude.Sellers)
		if err != nil {
			return nil, err
		}
		answer.Hits, answer.Next, answer.Took = append(answer.Hits, hits...), result.Next, answer.Took+result.Took
		if answer.Total.Exact {
			answer.Total.Value = max(answer.Total.Value-(len(result.Hits)-len(hits)), len(answer.Hits))
		}
		if result.Next == "" || len(answer.Hits) >= wanted {
			break
		}
		q.Page = Page{After: result.Next, Limit: wanted - len(answer.Hits)}
		q.Facets = nil
	}
	return answer, nil
}

// abridged keeps what somebody typed from filling a log.
func abridged(text string) string {
	if utf8.RuneCountInString(text) > 40 {
		return string([]rune(text)[:40]) + "…"
	}
	return text
}

func (f *Finder) query(ctx context.Context, r Request) (Query, error) {
	q := Query{Text: r.Text, Locales: r.Locales, Typing: r.Typing,
		Page: Page{Offset: r.Offset, Limit: pageSize(min(r.Limit, maxPage), defaultPage), After: r.Cursor}}
	filter, err := f.filter(ctx, r)
	if err != nil {
		return q, err
	}
	if len(filter) > 0 {
		q.Filter = filter
	}
	if r.Sort != "" {
		q.Sort = []SortKey{{By: r.Sort}}
	}
	switch r.Sort {
	case "", SortRelevance, SortNewest, SortPrice:
	default:
		return q, &QueryError{"sort", "is relevance, newest or price"}
	}
	if r.Viewer != 0 {
		if q.Exclude.Sellers, err = f.db.BlockedActors(ctx, r.Viewer); err != nil {
			return q, err
		}
	}
	if r.Facets {
		for _, field := range []Field{FieldKind, FieldCategory, FieldNode, FieldCondition, FieldAvailable, FieldCurrency} {
			q.Facets = append(q.Facets, FacetRequest{Field: field, Disjunctive: true})
		}
		price := FieldPriceRef
		if r.Currency != "" {
			price = FieldPrice
		}
		q.Facets = append(q.Facets, FacetRequest{Field: price, Disjunctive: true})
	}
	return q, nil
}

func (f *Finder) filter(ctx context.Context, r Request) (And, error) {
	var all And
	switch r.Type {
	case "":
	case KindListing, KindPost, KindAccount:
		all = append(all, Eq{FieldKind, string(r.Type)})
	default:
		return nil, &QueryError{"type", "is listing, post or account"}
	}
	for _, eq := range []Eq{{FieldCategory, r.Category}, {FieldCondition, r.Condition}, {FieldTag, r.Tag}, {FieldNode, strings.ToLower(r.Node)}} {
		if eq.Value != "" {
			all = append(all, eq)
		}
	}
	if r.InStock {
		all = append(all, Eq{FieldAvailable, "true"})
	}
	if !r.Sensitive {
		all = append(all, Eq{FieldSensitive, "false"})
	}
	if r.Currency == "" {
		if r.MinPrice != nil || r.MaxPrice != nil {
			all = append(all, Range{FieldPriceRef, r.MinPrice, r.MaxPrice})
		}
		return all, nil
	}
	code := strings.ToUpper(r.Currency)
	if _, err := souk.CurrencyExponent(code); err != nil {
		return nil, &QueryError{"currency", "is not an ISO 4217 code"}
	}
	all = append(all, Eq{FieldCurrency, code})
	if r.MinPrice != nil || r.MaxPrice != nil {
		all = append(all, Range{FieldPrice, r.MinPrice, r.MaxPrice})
	}
	return all, nil
}

// load makes hits of what may be shown, in the order of the index.
func (f *Finder) load(ctx context.Context, hits []Hit, text string, blocked []string) ([]Found, error) {
	var posts, accounts []string
	for _, h := range hits {
		if h.Kind == KindAccount {
			accounts = append(accounts, h.URI)
		} else {
			posts = append(posts, h.URI)
		}
	}
	found := map[string]Found{}
	if len(posts) > 0 {
		list, err := f.db.FindablePosts(ctx, posts)
		if err != nil {
			return nil, err
		}
		for i := range list {
			found[list[i].URI] = f.foundPost(&list[i], text)
		}
	}
	if len(accounts) > 0 {
		list, err := f.db.FindableAccounts(ctx, accounts)
		if err != nil {
			return nil, err
		}
		for i := range list {
			found[list[i].URI] = f.foundAccount(&list[i], text)
		}
	}
	var shown []Found
	for _, h := range hits {
		x, ok := found[h.URI]
		if !ok || slices.Contains(blocked, x.Seller.URI) {
			continue
		}
		x.Score, x.Why = h.Score, h.Parts
		shown = append(shown, x)
	}
	return shown, nil
}

func (f *Finder) foundPost(p *souk.Post, text string) Found {
	d := PostDocument(p, 0, Origin{Domain: f.db.Domain()})
	x := f.found(d, text)
	x.URL, x.Seller, x.Post, x.Listing, x.Published = firstOf(p.URL, p.URI), p.Account, p, p.Listing, p.Published
	if len(p.Media) > 0 {
		x.Picture = &p.Media[0]
	}
	l := p.Listing
	if l == nil {
		return x
	}
	x.Price, x.InStock, x.Availability, x.Checked = d.Price, d.Available, l.Availability, l.Checked
	for _, v := range l.Variants {
		x.From = x.From || v.Price != d.Price.Amount
	}
	if p.Local && l.Slug != "" {
		x.URL = f.db.BaseURL() + "/products/" + l.Slug
	}
	return x
}

func (f *Finder) foundAccount(a *souk.Account, text string) Found {
	x := f.found(AccountDocument(a, 0, Origin{Domain: f.db.Domain()}), text)
	x.URL, x.Seller, x.Picture, x.Published = firstOf(a.URL, a.URI), a, a.Avatar, a.Created
	return x
}

// found fills what all kinds have.
func (f *Finder) found(d Document, text string) Found {
	x := Found{Type: d.Kind, URI: d.URI, Node: d.Node, Local: d.Local, Lang: d.Lang, Title: d.Title, TitleSpans: Highlight(d.Title, text)}
	x.Text, x.TextSpans = Excerpt(d.Body, text, excerptRunes)
	return x
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// excerptRunes is the length of an excerpt.
const excerptRunes = 200

// Excerpt cuts a piece of at most n characters and two ellipses out of a plain text, around the first match of the
// query where there is one, and returns it on one line with the matches in it.
func Excerpt(text, query string, n int) (string, []Span) {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	if utf8.RuneCountInString(text) <= n {
		return text, Highlight(text, query)
	}
	start := 0
	if spans := Highlight(text, query); len(spans) > 0 {
		start = back(text, spans[0].Start, n/4)
	}
	end := start
	for range n {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	if end == len(text) { // use the whole length
		start = back(text, end, n)
	}
	piece := text[start:end]
	if end < len(text) {
		if i := strings.LastIndexByte(piece, ' '); i > len(piece)*3/4 {
			piece = piece[:i]
		}
		piece += "…"
	}
	if start > 0 {
		if i := strings.IndexByte(piece, ' '); i >= 0 && i < len(piece)/8 {
			piece = piece[i+1:]
		}
		piece = "…" + piece
	}
	return piece, Highlight(piece, query)
}

// back is the place n characters before one.
func back(text string, at, n int) int {
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	return at
}

// Suggest completes what somebody is typing.
func (f *Finder) Suggest(ctx context.Context, text string, limit int) ([]Suggestion, error) {
	list, err := f.index.Suggest(ctx, SuggestQuery{Text: text, Limit: limit})
	if err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	return list, nil
}
