package themes

import "time"

// Span is a piece of a found text; Mark says that it matches what was searched for.
type Span struct {
	Text string
	Mark bool
}

// Hit is one search result.
type Hit struct {
	Type      string // "listing", "post" or "account"
	URL       string // page on its origin; ours for what lives here
	Title     []Span // of a product or a titled post; name of an account
	Text      []Span // excerpt; bio of an account
	Lang      string // BCP 47 of Title and Text
	Picture   *Picture
	Price     Money // of a listing
	From      bool
	Was       Money
	Stock     string // StockIn, StockFew, StockOut; empty: not known
	Author    Person
	Published time.Time
	Node      string    // domain of the node it comes from; empty: here
	NodeURL   string    // front page of that node
	Checked   time.Time // when a remote hit was last seen at its origin; zero for ours
	Why       []string  // explanation of its place, short sentences; may be empty
}

// SearchPage is the search over this shop and the nodes it follows: /search?q=. Its form sends by GET the fields q, type,
// min_price, max_price, node, in_stock and sort, as the commerce API names them.
type SearchPage struct {
	Frame
	Query    string
	Type     string   // "listing", "post", "account"; empty: all
	Types    []Filter // tabs; exactly one Active
	MinPrice Field    // decimal in Currency, as typed
	MaxPrice Field
	Currency string
	InStock  bool
	Node     string   // chosen node; empty: all
	Nodes    []Choice // nodes to choose from; Value is the domain
	Sort     string   // "relevance", "newest", "price"
	Filtered bool     // anything but Query is set: an empty result offers ClearURL
	ClearURL string   // the same words without filters
	Hits     []Hit
	Total    int
	Pager    Pager
	Near     []Link        // titles spelled nearly like the words, when nothing was found
	Popular  []ProductCard // what to look at instead, when nothing was found or asked; up to 4
	Problem  string        // search does not answer now, as a sentence; empty: it does
}

// Template implements Page.
func (SearchPage) Template() string { return "search" }
