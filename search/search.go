// Package search finds listings, posts and accounts of this node and of those it indexes. One Index, two engines: the
// built-in one on PostgreSQL (postgres.go), and Meilisearch where one is configured.
//
// The index is derived data. PostgreSQL rows are the truth; a search returns identities, and what is shown is loaded
// from the rows, where its visibility is checked again (finder.go). Nothing that orders results reads sales, reviews,
// followers, favourites or money paid.
package search

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"souk"
)

var (
	// ErrUnavailable means that the engine cannot be reached or is starting. The node goes on selling; what is to be
	// indexed waits in the outbox.
	ErrUnavailable = errors.New("search is unavailable")
	// ErrTimeout means that the query took longer than its Budget.
	ErrTimeout = errors.New("search took too long")
	// ErrBusy means that another rebuild is running.
	ErrBusy = errors.New("a rebuild is running")
)

// QueryError says which part of a query cannot be understood: a field that the operation does not know, a cursor of
// another query, a malformed point. It is the caller's fault, and its text may be shown.
type QueryError struct{ Field, Problem string }

func (e *QueryError) Error() string { return fmt.Sprintf("search query: %s: %s", e.Field, e.Problem) }

// Index is a search engine. All methods may be called from several goroutines. Errors: ErrUnavailable when the engine
// is down, the context's error when it ended, *QueryError for what no engine could answer.
type Index interface {
	// Upsert writes documents; repeating it changes nothing. A document whose Version is lower than the one stored,
	// or than that of its deletion, is ignored.
	Upsert(ctx context.Context, docs []Document) (Receipt, error)
	// Delete removes documents whose Version is at most version; unknown IDs are no error.
	Delete(ctx context.Context, ids []ID, version int64) (Receipt, error)
	// DeleteWhere removes everything that the filter matches: a node is blocked, a seller opts out. f is not nil.
	DeleteWhere(ctx context.Context, f Filter) (Receipt, error)
	// Wait returns when the receipt's change is visible to Search.
	Wait(ctx context.Context, r Receipt) error
	// Search answers a query. An empty Text matches every document.
	Search(ctx context.Context, q Query) (*Result, error)
	// Suggest completes what somebody is typing.
	Suggest(ctx context.Context, q SuggestQuery) ([]Suggestion, error)
	// Rebuild replaces the whole index by src. The old index serves until the new one is complete, and changes made
	// meanwhile are kept. An error of src leaves the old index as it was. ErrBusy: a rebuild is already running.
	Rebuild(ctx context.Context, src iter.Seq2[Document, error]) error
	Status(ctx context.Context) (Status, error)
	Capabilities() Capabilities
	Close() error
}

// ID names a document in every engine: 52 characters of a-z and 2-7, made from its URI by IDOf.
type ID string

// IDOf derives a document's ID from its federated object id.
func IDOf(uri string) ID {
	sum := sha256.Sum256([]byte(uri))
	return ID(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])))
}

// Kind is what a document is; the values are those of the commerce API's type parameter.
type Kind string

const (
	KindListing Kind = "listing"
	KindPost    Kind = "post"
	KindAccount Kind = "account"
)

// Point is a place in degrees: latitude -90 to 90, longitude -180 to 180.
type Point struct{ Lat, Lon float64 }

// Document is what an engine stores of one listing, post or account.
type Document struct {
	ID      ID     // IDOf(URI); empty is filled in by Upsert
	URI     string // federated object id
	Version int64  // grows with every change; out-of-order updates lose
	Kind    Kind
	Node    string // host of the origin
	Seller  string // actor URI of the author
	Local   bool

	Title, Body string   // plain text
	SellerName  string   // display name and handle, searchable
	Tags        []string // without #
	Categories  []string // the category and every ancestor of it
	Lang        string   // BCP 47; empty is unknown

	Price     *souk.Money // as the seller states it
	PriceRef  *int64      // in the node's reference currency, minor units; filter and sort use it where it is given
	Available bool
	Condition string
	ShipsTo   []string // ISO 3166 codes
	Geo       *Point   // coarse on purpose

	Created, Updated time.Time
	Expires          time.Time // zero: never
	GroupKey         string    // variants, cross-posts and boosts share it; empty stands alone
	Sensitive        bool
	Vector           []float32 // only for engines with Capabilities.Vectors
}

// Query is one search. The zero value lists everything, newest first.
type Query struct {
	Text     string
	Locales  []string // BCP 47, the reader's languages, best first: a small preference, never a filter
	Typing   bool     // the last word may be unfinished
	Filter   Filter   // nil: no filter
	Facets   []FacetRequest
	Sort     []SortKey // empty: relevance with Text, newest without; the ID always breaks ties
	Page     Page
	Distinct bool // one hit of each GroupKey
	Exclude  Exclusions
	MinScore float64       // hits that score lower are left out of relevance order
	Budget   time.Duration // zero: two seconds
}

// Exclusions are hidden from this reader: what the node and the reader blocked.
type Exclusions struct{ Nodes, Sellers []string }

// SortBy is a sort criterion.
type SortBy string

const (
	SortRelevance SortBy = "relevance" // best first
	SortNewest    SortBy = "newest"    // Created, newest first
	SortPrice     SortBy = "price"     // cheapest first; documents without a price come last either way
	SortDistance  SortBy = "distance"  // nearest to From first; documents without a place come last either way
)

// SortKey orders by one criterion; Reverse turns it round.
type SortKey struct {
	By      SortBy
	Reverse bool
	From    Point // of SortDistance
}

// MaxWindow is how far Offset+Limit reaches; what lies beyond is cut off. A Cursor of a sort other than by relevance
// reaches everything.
const MaxWindow = 1000

// Page selects hits: by Offset, or from After, the Next of an earlier result of the same query.
type Page struct {
	Offset, Limit int // Limit 0 is 20
	After         Cursor
}

// Cursor is opaque; empty is the start, and as Result.Next the end.
type Cursor string

// Result is one page of hits.
type Result struct {
	Hits      []Hit
	Total     Total
	Facets    map[Field]Facet
	Corrected string // "did you mean": the text with misspelt words replaced; empty if nothing was
	Next      Cursor
	Partial   bool // facets are missing because the budget was used up
	Took      time.Duration
	Engine    string
}

// Total counts the documents found; if not Exact, there are more than Value.
type Total struct {
	Value int
	Exact bool
}

// Hit is a document found. It has no content: load that from the rows, and check there whether it may be shown.
type Hit struct {
	ID         ID
	URI        string
	Kind       Kind
	Node       string
	Seller     string
	Score      float64 // 0 in orders that do not rank
	Parts      []Part  // how the score came about; their product is Score
	DistanceKm *float64
	Matched    []Field // title, names, body
}

// Part is one factor of a score, for the explanation of a hit's place.
type Part struct {
	Name  string // text, title, proximity, fresh, language, spelling
	Value float64
}

// FacetRequest asks for the values of a field among the hits. Disjunctive counts as if the query did not filter by
// that field, for filters where several values can be ticked.
type FacetRequest struct {
	Field       Field
	Limit       int // 0 is 20
	Disjunctive bool
}

// Facet is the answer: values for the texts, Min and Max for price and created (Unix seconds).
type Facet struct {
	Values   []FacetValue // most frequent first
	Min, Max *int64
	Exact    bool
}

type FacetValue struct {
	Value string
	Count int
}

// SuggestQuery asks for completions of Text; Limit 0 is 8.
type SuggestQuery struct {
	Text  string
	Limit int
}

// Suggestion is a completed query and in how many documents its last term occurs.
type Suggestion struct {
	Text  string
	Count int
}

// Receipt stands for a change that an engine accepted.
type Receipt struct{ Task int64 }

// Status is for doctor and the console.
type Status struct {
	Engine     string
	Healthy    bool
	Documents  int
	Words      int
	Schema     int  // version of the engine's stored form
	Outdated   bool // this program stores another form: Rebuild
	Rebuilding bool // a rebuild runs, or one was interrupted
}

// Capabilities says what else an engine can do.
type Capabilities struct{ Vectors, Similar, Synonyms bool }
