package themes

import (
	"encoding/json"
	"html/template"
	"time"
)

// Page is what one storefront template is rendered from. Every implementation is a struct of plain values in this package
// that embeds Frame: no method of it reads, writes or waits. All addresses in it are finished (language prefix and query
// included); all text is in the reader's language or carries its own; all times are in the zone in which they are to be shown.
type Page interface {
	// Template names the template without its ending: "home", "product".
	Template() string
}

// Frame is the part that all pages share. Embed it first.
type Frame struct {
	Site Site
	Head Head
}

// Site is the shop around the page; the same on all pages of one language.
type Site struct {
	Name        string   // the shop's name: "Qingshan Pottery"
	Handle      string   // fediverse address of the shop, "@name@domain"
	Tagline     string   // one line about the seller, plain text; may be empty
	Description RichText // longer text about the shop; may be empty
	Logo        *Picture // shown in the top bar in place of the awning mark; nil: the mark
	Avatar      *Picture // face of the seller; nil: a drawn one
	Currency    string   // ISO 4217 code of the shop's own prices
	BaseURL     string   // scheme and host without a slash at the end: "https://shop.example"
	HomeURL     string   // home page in the reader's language, "/" or "/zh/"
	ProductsURL string
	PostsURL    string
	SearchURL   string // takes q by GET
	FollowURL   string
	ConsoleURL  string
	Nav         []Link // top bar; Key marks the current one
	Links       []Link // foot: policies, imprint, elsewhere
	Footer      string // one line: "Sells from Longquan, ships to 14 countries"; may be empty
	Feeds       []Feed // of the whole shop
	Version     string // of the software
	SourceURL   string // where its source is offered
}

// Head is what one page says about itself to browsers, link previews and search engines.
type Head struct {
	Title       string          // plain text without the shop's name, which the theme adds; empty on the home page
	Description string          // plain text; shortened to 200 characters
	Canonical   string          // absolute address of the page in this language
	Kind        string          // Open Graph type: website (default), article, product, profile
	Image       *Picture        // preview picture with an absolute URL; nil: the avatar
	Section     string          // Key of the Link in Site.Nav to mark as current
	ActivityPub string          // id of the object this page shows, for <link rel="alternate" type="application/activity+json">
	Feeds       []Feed          // of this page, before those of the shop
	Languages   []Language      // this page in all languages of the shop, the current one too
	Data        json.RawMessage // schema.org JSON-LD document; empty: none
	Creator     string          // handle for fediverse:creator, "@name@domain"; empty: none (S-53)
	NoIndex     bool            // ask search engines to stay away: search, orders, errors
}

// Link is a named address. Key names built-in entries ("products", "posts", "follow"), whose label the theme translates when
// Label is empty.
type Link struct {
	Key   string
	Label string
	URL   string
}

// Feed is a machine-readable list of news.
type Feed struct {
	Title string // plain text
	URL   string
	Type  string // media type: application/atom+xml, application/rss+xml, application/feed+json
}

// Language is this page in one language of the shop.
type Language struct {
	Tag     string // BCP 47 with script where it matters: "en", "zh-Hans"
	Name    string // in that language: "English", "简体中文"
	URL     string // absolute
	Current bool
	Default bool // the shop's own language, which hreflang calls x-default
}

// RichText is HTML that was sanitised when it was stored or received. Only the side that sanitised may fill it.
type RichText struct {
	HTML template.HTML
	Lang string // BCP 47 of the text; empty: not known, taken as the page's
}

// Money is an amount in minor units of its currency.
type Money struct {
	Amount   int64  // cents; whole yen; thousandths of a Kuwaiti dinar
	Currency string // ISO 4217
	Narrow   bool   // no other currency can be meant on this page: "¥168" in place of "CN¥168"
}

// Zero reports whether m was never filled. A price of nothing has a currency.
func (m Money) Zero() bool { return m.Currency == "" }

// Picture is an image with what is needed to lay it out before it arrives.
type Picture struct {
	URL    string        // a size that suits most screens, about 1200 px wide
	Sizes  []PictureSize // all sizes, ascending; may be empty
	Width  int           // of URL, in pixels; 0: not known
	Height int
	Alt    string  // what is seen, in the language of its owner; empty only for decoration
	FocalX float64 // what must stay in view when cropped: -1 (left) to 1 (right), 0 the middle, as in the Mastodon API
	FocalY float64 // -1 (bottom) to 1 (top)
	Colour string  // average colour "#rrggbb", shown until the picture is there; empty: paper
}

// PictureSize is one width in which a picture is stored.
type PictureSize struct {
	URL   string
	Width int // pixels
}

// Pager leads to the neighbouring pages of a long list; an empty address means there is none.
type Pager struct {
	Prev string
	Next string
}

// Filter is one value by which a list can be narrowed or ordered, as a link.
type Filter struct {
	Label  string // empty: the theme translates Key
	Key    string // "newest", "price", "listing"
	URL    string // the list with this filter switched on, or off when Current
	Count  int    // entries behind it; -1: not counted
	Active bool
}

// Facet is a group of filters of one kind.
type Facet struct {
	Label   string // empty: the theme translates Key
	Key     string // "category", "tag", "node", "currency"
	Filters []Filter
}

// Field is one input of a form: what the visitor typed, and what is wrong with it in the reader's language.
type Field struct {
	Value string
	Error string // a sentence; empty when nothing is wrong
}

// Choice is one of several answers in a form.
type Choice struct {
	Value string // what is sent
	Label string
	Hint  string // a second line; may be empty
}

// HomePage is the front of the shop: a magazine, not a grid. Any part may be empty; a shop without anything still looks good.
type HomePage struct {
	Frame
	Lead          *PostCard      // the newest post of the seller
	Products      []ProductCard  // "On the shelf": what the seller pins, then the newest; up to 8
	Conversations []Conversation // by latest reply; up to 6
	Posts         []PostCard     // older than Lead; up to 6
	Followers     int            // shown from 1 upwards
}

// Template implements Page.
func (HomePage) Template() string { return "home" }

// TagPage shows everything under one hashtag.
type TagPage struct {
	Frame
	Tag      string // without the number sign
	Products []ProductCard
	Posts    []PostCard
	Pager    Pager
}

// Template implements Page.
func (TagPage) Template() string { return "tag" }

// NotFoundPage answers an address behind which nothing is.
type NotFoundPage struct {
	Frame
	Gone        bool          // something was here and was taken away (410)
	Query       string        // words of the address, to search for
	Suggestions []ProductCard // up to 4
}

// Template implements Page.
func (NotFoundPage) Template() string { return "notfound" }

// ErrorPage answers everything else that went wrong. It never says more than the status and the request id.
type ErrorPage struct {
	Frame
	Status    int    // HTTP status
	RequestID string // to be given to the seller, who finds it in the log
}

// Template implements Page.
func (ErrorPage) Template() string { return "error" }

// GatePage stands before a shop that is closed or not set up yet.
type GatePage struct {
	Frame
	NotSetUp bool      // nobody owns this node yet; the setup link is in its terminal
	OpensAt  time.Time // zero: not known
	Message  string    // of the seller, plain text; may be empty
}

// Template implements Page.
func (GatePage) Template() string { return "gate" }
