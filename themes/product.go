package themes

import "time"

// Stock of a product as strangers see it.
const (
	StockIn  = "in_stock"
	StockFew = "few_left"
	StockOut = "sold_out"
)

// ProductCard is a product in a list.
type ProductCard struct {
	URL     string // of its page: ours, or at its origin for a remote product
	Title   string // plain text
	Lang    string // BCP 47 of Title; empty: the page's
	Picture *Picture
	Price   Money
	From    bool   // variants differ in price, and Price is the lowest
	Was     Money  // earlier price when it dropped; Zero: none
	Stock   string // StockIn, StockFew or StockOut; empty: not known, for remote products
	Node    string // domain of the node a remote product lives on; empty: here
}

// ProductsPage lists the products of the shop: /products, with filters and pages in the query.
type ProductsPage struct {
	Frame
	Title    string // name of the category or collection that is shown; empty: all products
	Intro    RichText
	Products []ProductCard
	Facets   []Facet  // categories, tags
	Sort     []Filter // newest, price, ...; exactly one Active
	Total    int      // products behind all pages
	Filtered bool     // some filter is on: an empty list offers AllURL
	AllURL   string   // the list without filters
	Pager    Pager
}

// Template implements Page.
func (ProductsPage) Template() string { return "products" }

// Variant is one form in which a product is sold.
type Variant struct {
	ID       string // value of the form field "variant"
	Label    string // "180 ml", "Blue / XL"
	Price    Money
	Was      Money
	Stock    string // StockIn, StockFew or StockOut
	Selected bool   // by the address or by the form; else the first that is in stock
}

// Specification is one fact about a product.
type Specification struct {
	Name  string // empty: the theme translates Key
	Key   string // "condition", "material", "weight", "sku"
	Value string
}

// ProductPage shows one product and sells it: /products/{slug}.
type ProductPage struct {
	Frame
	Title        string // plain text
	Lang         string // BCP 47 of Title and texts of the seller; empty: the page's
	Pictures     []Picture
	Price        Money
	From         bool // variants differ in price, and none is chosen yet
	Was          Money
	VariantsName string    // what the variants differ in: "Size"; empty: a general word
	Variants     []Variant // empty: there is only one form
	Stock        string    // StockIn, StockFew or StockOut, over all variants
	Left         int       // exact number in stock when the seller shows it, else 0
	Delivery     []string  // short lines: "Leaves in 2 days", "Delivery to Germany ¥60, free over ¥500"
	Condition    string    // new, used, refurbished; empty: not said
	Story        RichText
	Specs        []Specification
	Tags         []Link // hashtags and category
	Published    time.Time
	Updated      time.Time // zero: unchanged
	URL          string    // absolute address to share and to print
	Seller       Seller
	Problem      string     // why an order just sent could not be made, when there is no form to say it in
	Order        *OrderForm // nil: cannot be ordered here (closed shop, sold out, contact only)
	Conversation Conversation
	Posts        []PostCard    // in which the product appears; newest first
	Related      []ProductCard // up to 4
}

// Template implements Page.
func (ProductPage) Template() string { return "product" }
