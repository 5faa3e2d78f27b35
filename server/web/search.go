package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/search"
	"souk/themes"
)

const hitsPerPage = 20

// Search answers what is found here and on the nodes that are known.
func (w *Web) Search(c echo.Context) error {
	return w.public(c, w.search, "q", "type", "min_price", "max_price", "node", "in_stock", "sort", "page")
}

func (w *Web) search(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(true); a != nil || err != nil {
		return a, err
	}
	page, request, number := v.searchPage()
	var found *search.Answer
	if page.Query != "" && page.MinPrice.Error == "" && page.MaxPrice.Error == "" {
		var err error
		found, err = w.Finder.Find(ctx, request)
		var wrong *search.QueryError
		switch {
		case errors.Is(err, search.ErrUnavailable), errors.Is(err, search.ErrTimeout), errors.As(err, &wrong):
			page.Problem = v.theme(themes.ProblemSearch)
			w.Log.Warn("search failed", "error", err)
		case err != nil:
			return nil, err
		default:
			v.fillSearch(&page, found, number)
		}
	}
	if len(page.Hits) == 0 {
		listings, err := w.DB.Listings(ctx, souk.ListingFilter{InStock: true}, souk.Page{Limit: related})
		if err != nil {
			return nil, err
		}
		page.Popular = v.productCards(listings)
	}
	title := v.theme("search.title")
	if page.Query != "" {
		title = v.theme("search.for", "Query", page.Query)
	}
	page.Frame = v.frame(themes.Head{Title: title, NoIndex: true})
	a, err := v.render(page)
	if err != nil {
		return nil, err
	}
	a.keep = false // the index changes without the shop, and anybody can ask for any word
	if page.Problem != "" {
		a.cache = "no-store"
	}
	return a, nil
}

// searchPage is the form as it was sent, and what it asks for.
func (v *view) searchPage() (page themes.SearchPage, r search.Request, number int) {
	q := v.query
	page = themes.SearchPage{Query: q.Get("q"), Node: q.Get("node"), Sort: q.Get("sort"), InStock: q.Get("in_stock") == "true", Currency: v.shop.Currency,
		MinPrice: themes.Field{Value: q.Get("min_price")}, MaxPrice: themes.Field{Value: q.Get("max_price")}}
	switch kind := search.Kind(q.Get("type")); kind {
	case search.KindListing, search.KindPost, search.KindAccount:
		page.Type = string(kind)
	}
	switch search.SortBy(page.Sort) {
	case search.SortNewest, search.SortPrice:
	default:
		page.Sort = string(search.SortRelevance)
	}
	number = 1
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 && n <= search.MaxWindow/hitsPerPage {
		number = n
	}
	r = search.Request{Text: page.Query, Type: search.Kind(page.Type), Node: page.Node, InStock: page.InStock, Sort: search.SortBy(page.Sort),
		Offset: (number - 1) * hitsPerPage, Limit: hitsPerPage, Locales: []string{v.tag}, Facets: true,
		MinPrice: v.amount(&page.MinPrice), MaxPrice: v.amount(&page.MaxPrice)}
	page.Filtered = page.Node != "" || page.InStock || page.MinPrice.Value != "" || page.MaxPrice.Value != "" || page.Type != ""
	page.ClearURL = v.with("/search", "q", page.Query)
	return page, r, number
}

// amount reads a price of the form in the shop's currency; nil where it is empty, or wrong, which the field then says.
func (v *view) amount(f *themes.Field) *int64 {
	if f.Value == "" {
		return nil
	}
	m, err := souk.ParseMoney(f.Value, v.shop.Currency)
	if err != nil {
		f.Error = v.theme(themes.ProblemNumber)
		return nil
	}
	return &m.Amount
}

func (v *view) fillSearch(page *themes.SearchPage, found *search.Answer, number int) {
	for i := range found.Hits {
		page.Hits = append(page.Hits, v.hit(&found.Hits[i]))
	}
	page.Total = found.Total.Value
	counts := map[string]int{}
	for _, c := range found.Facets[search.FieldKind].Values {
		counts[c.Value] = c.Count
	}
	for _, kind := range []string{"", string(search.KindListing), string(search.KindPost), string(search.KindAccount)} {
		filter := themes.Filter{Key: kind, URL: v.first("type", kind), Count: -1, Active: page.Type == kind}
		if kind == "" {
			filter.Key = "all"
		} else if n, ok := counts[kind]; ok {
			filter.Count = n
		}
		page.Types = append(page.Types, filter)
	}
	for _, c := range found.Facets[search.FieldNode].Values {
		page.Nodes = append(page.Nodes, themes.Choice{Value: c.Value, Label: fmt.Sprintf("%s (%d)", c.Value, c.Count)})
	}
	if len(found.Hits) == 0 && found.Corrected != "" && found.Corrected != page.Query {
		page.Near = []themes.Link{{Label: found.Corrected, URL: v.with("/search", "q", found.Corrected)}}
	}
	if number > 1 {
		page.Pager.Prev = v.but("page", "")
		if number > 2 {
			page.Pager.Prev = v.but("page", strconv.Itoa(number-1))
		}
	}
	if more := number * hitsPerPage; len(found.Hits) > 0 && more < min(found.Total.Value, search.MaxWindow) {
		page.Pager.Next = v.but("page", strconv.Itoa(number+1))
	}
}

// first is the first page of the search with one parameter changed.
func (v *view) first(name, value string) string {
	q := url.Values{}
	for k := range v.query {
		if k != "page" && k != name {
			q.Set(k, v.query.Get(k))
		}
	}
	if value != "" {
		q.Set(name, value)
	}
	return v.own(v.prefix, q)
}

// hit is one result: ours leads to our page in the reader's language, another node's to its origin.
func (v *view) hit(f *search.Found) themes.Hit {
	h := themes.Hit{Type: string(f.Type), URL: f.URL, Title: spans(f.Title, f.TitleSpans), Text: spans(f.Text, f.TextSpans), Lang: v.foreign(f.Lang),
		Picture: picture(f.Picture), From: f.From, Stock: f.Availability, Author: v.person(f.Seller), Published: f.Published}
	switch {
	case f.Local && f.Type == search.KindAccount:
		h.URL = v.person(f.Seller).URL
	case f.Local && f.Post != nil:
		h.URL = v.postURL(f.Post)
	}
	if !f.Local {
		h.Node = f.Node
		if u, err := url.Parse(f.URL); err == nil && u.Host != "" {
			h.NodeURL = u.Scheme + "://" + u.Host + "/"
		}
		if f.Checked != nil {
			h.Checked = *f.Checked
		}
	}
	if f.Price != nil {
		h.Price = v.money(f.Price.Amount, f.Price.Currency)
	}
	for _, p := range f.Why {
		if id := "why." + p.Name; v.words.Has(id) {
			h.Why = append(h.Why, v.say(id, "Factor", strconv.FormatFloat(p.Value, 'f', 2, 64)))
		}
	}
	return h
}

// spans cuts a text at its matches.
func spans(text string, marks []search.Span) []themes.Span {
	var all []themes.Span
	at := 0
	for _, m := range marks {
		if m.Start < at || m.End > len(text) {
			continue
		}
		if m.Start > at {
			all = append(all, themes.Span{Text: text[at:m.Start]})
		}
		all = append(all, themes.Span{Text: text[m.Start:m.End], Mark: true})
		at = m.End
	}
	if at < len(text) {
		all = append(all, themes.Span{Text: text[at:]})
	}
	return all
}
