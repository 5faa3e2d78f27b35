package api

import (
	"html"
	"strings"
	"time"

	"souk"
	"souk/search"
)

// SearchQuery is what is searched for. Empty parameters count as not sent.
type SearchQuery struct {
	Q         string `query:"q" maxlen:"500" doc:"Words; without any it lists everything, newest first."`
	Type      string `query:"type" enum:"listing,post,account"`
	MinPrice  *int64 `query:"min_price" min:"0" max:"100000000000" doc:"Minor units of currency; where no currency is given, of the shop's, to which others are converted where a rate is known."`
	MaxPrice  *int64 `query:"max_price" min:"0" max:"100000000000"`
	Currency  string `query:"currency" doc:"ISO 4217: only listings in it."`
	Category  string `query:"category" maxlen:"200" doc:"And everything below it."`
	Condition string `query:"condition" enum:"new,used,refurbished"`
	Tag       string `query:"tag" maxlen:"100"`
	Node      string `query:"node" maxlen:"300" doc:"Host name: only what is of this node."`
	InStock   bool   `query:"in_stock" doc:"true leaves out what is sold out."`
	Sort      string `query:"sort" enum:"relevance,newest,price" doc:"relevance where there are words, else newest."`
	Lang      string `query:"lang" maxlen:"35" doc:"BCP 47: a small preference, never a filter."`
	Cursor    string `query:"cursor" maxlen:"2000" doc:"next of an earlier answer to the same query."`
	Limit     int    `query:"limit" min:"1" max:"100" doc:"20 where nothing is said."`
}

// Found is a page of what was found.
type Found struct {
	Hits       []Hit   `json:"hits"`
	Facets     Facets  `json:"facets"`
	Total      int     `json:"total"`
	TotalExact bool    `json:"total_exact" doc:"false: there are more than total."`
	Next       *string `json:"next" doc:"The cursor of the next page; null at the end."`
	Corrected  string  `json:"corrected,omitempty" doc:"The words that were searched for instead of misspelt ones."`
	TookMS     int64   `json:"took_ms"`
	Engine     string  `json:"engine"`
}

// Hit is one listing, post or account.
type Hit struct {
	Type         string     `json:"type" enum:"listing,post,account"`
	ID           ID         `json:"id" doc:"On this node."`
	Title        string     `json:"title"`
	URL          string     `json:"url" doc:"The page at its origin."`
	URI          string     `json:"uri" doc:"The ActivityPub id."`
	Node         string     `json:"node" doc:"The host name of its origin."`
	Local        bool       `json:"local"`
	Price        *Money     `json:"price" doc:"Of listings; else null."`
	Currency     string     `json:"currency" doc:"Of the price; else empty."`
	From         bool       `json:"from" doc:"There are variants at other prices."`
	InStock      bool       `json:"in_stock"`
	Availability string     `json:"availability" enum:"in_stock,few_left,sold_out,"`
	Highlight    string     `json:"highlight" doc:"HTML: the place where it matched, with the matches in mark elements."`
	Text         string     `json:"text" doc:"The same as plain text."`
	Lang         string     `json:"lang"`
	Picture      *Media     `json:"picture"`
	Seller       Seller     `json:"seller" doc:"The author, where it is a post or an account."`
	Published    time.Time  `json:"published"`
	Checked      *time.Time `json:"checked" doc:"When the other node last confirmed it; null for what is of this node."`
	Score        float64    `json:"score"`
	Why          []Reason   `json:"why" doc:"How the score came about: their product."`
}

// Reason is one factor of a score.
type Reason struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Facets count the values among everything that was found.
type Facets struct {
	Type      []FacetValue `json:"type"`
	Category  []FacetValue `json:"category"`
	Node      []FacetValue `json:"node"`
	Condition []FacetValue `json:"condition"`
	Currency  []FacetValue `json:"currency"`
	InStock   []FacetValue `json:"in_stock"`
	Price     *PriceRange  `json:"price" doc:"In minor units of the currency that was asked for, else of the shop's; null where nothing has a price."`
}

// FacetValue is a value and how often it occurs.
type FacetValue struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// PriceRange is the lowest and the highest price.
type PriceRange struct {
	Min int64 `json:"min"`
	Max int64 `json:"max"`
}

func (a *API) search(r *request, in SearchQuery) (Found, error) {
	if in.MinPrice != nil && in.MaxPrice != nil && *in.MinPrice > *in.MaxPrice {
		e := &souk.Invalid{}
		e.Add("min_price", "range", "this is more than max_price")
		return Found{}, e
	}
	locales := []string{}
	if in.Lang != "" {
		locales = append(locales, in.Lang)
	}
	answer, err := a.Finder.Find(r.Request().Context(), search.Request{Text: in.Q, Type: search.Kind(in.Type), MinPrice: in.MinPrice, MaxPrice: in.MaxPrice,
		Currency: in.Currency, Category: in.Category, Condition: in.Condition, Tag: in.Tag, Node: in.Node, InStock: in.InStock,
		Sort: search.SortBy(in.Sort), Cursor: search.Cursor(in.Cursor), Limit: in.Limit, Viewer: r.viewer("read:search"), Locales: locales, Facets: true})
	if err != nil {
		return Found{}, err
	}
	out := Found{Hits: make([]Hit, len(answer.Hits)), Total: answer.Total.Value, TotalExact: answer.Total.Exact, Corrected: answer.Corrected,
		Facets: facets(answer.Facets), TookMS: answer.Took.Milliseconds(), Engine: answer.Engine}
	for i := range answer.Hits {
		out.Hits[i] = a.hit(&answer.Hits[i])
	}
	if answer.Next != "" {
		next := string(answer.Next)
		out.Next = &next
		r.Response().Header().Add("Link", "<"+r.address(map[string]string{"cursor": next})+`>; rel="next"`)
	}
	return out, nil
}

func (a *API) hit(f *search.Found) Hit {
	h := Hit{Type: string(f.Type), Title: f.Title, URL: f.URL, URI: f.URI, Node: f.Node, Local: f.Local, From: f.From, InStock: f.InStock,
		Availability: f.Availability, Text: f.Text, Lang: f.Lang, Published: f.Published, Checked: f.Checked, Score: f.Score, Why: make([]Reason, len(f.Why))}
	h.Highlight = marked(f.Text, f.TextSpans)
	if len(f.TextSpans) == 0 && len(f.TitleSpans) > 0 {
		h.Highlight = marked(f.Title, f.TitleSpans)
	}
	if f.Price != nil {
		h.Price, h.Currency = (*Money)(f.Price), f.Price.Currency
	}
	if f.Picture != nil {
		picture := a.media(f.Picture)
		h.Picture = &picture
	}
	for i, p := range f.Why {
		h.Why[i] = Reason{p.Name, p.Value}
	}
	if f.Seller != nil {
		h.ID, h.Seller = ID(f.Seller.ID), Seller{Handle: a.DB.Handle(f.Seller), Name: f.Seller.Title(), URL: f.Seller.URL}
	}
	if f.Post != nil {
		h.ID = ID(f.Post.ID)
	}
	return h
}

// marked is a text as HTML with the spans in mark elements.
func marked(text string, spans []search.Span) string {
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(html.EscapeString(text[at:s.Start]))
		b.WriteString("<mark>" + html.EscapeString(text[s.Start:s.End]) + "</mark>")
		at = s.End
	}
	b.WriteString(html.EscapeString(text[at:]))
	return b.String()
}

func facets(counted map[search.Field]search.Facet) Facets {
	values := func(f search.Field) []FacetValue {
		list := []FacetValue{}
		for _, v := range counted[f].Values {
			list = append(list, FacetValue{v.Value, v.Count})
		}
		return list
	}
	out := Facets{Type: values(search.FieldKind), Category: values(search.FieldCategory), Node: values(search.FieldNode),
		Condition: values(search.FieldCondition), Currency: values(search.FieldCurrency), InStock: values(search.FieldAvailable)}
	for _, f := range []search.Field{search.FieldPrice, search.FieldPriceRef} {
		if p, ok := counted[f]; ok && p.Min != nil && p.Max != nil {
			out.Price = &PriceRange{*p.Min, *p.Max}
		}
	}
	return out
}
