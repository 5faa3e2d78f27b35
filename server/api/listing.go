package api

import (
	"time"

	"souk"
)

// Money is an amount in minor units of a currency.
type Money struct {
	Amount   int64  `json:"amount" need:"yes" doc:"In minor units: 2400 is 24.00 EUR, and 2400 JPY." min:"0" max:"100000000000"`
	Currency string `json:"currency" need:"yes" doc:"ISO 4217, such as EUR." pattern:"^[A-Z]{3}$"`
}

// Listing is a product as it is shown.
type Listing struct {
	ID           ID        `json:"id"`
	URL          string    `json:"url" doc:"Its page."`
	URI          string    `json:"uri" doc:"Its ActivityPub id."`
	Title        string    `json:"title"`
	Description  string    `json:"description" doc:"Markdown; plain text where it is sold on another node."`
	HTML         string    `json:"html" doc:"The description, safe to show."`
	Price        Money     `json:"price" doc:"The lowest of its variants."`
	Quantity     *int      `json:"quantity,omitempty" doc:"How many can be ordered now. Only its seller is told."`
	Availability string    `json:"availability" enum:"in_stock,few_left,sold_out"`
	InStock      bool      `json:"in_stock"`
	Condition    string    `json:"condition" enum:"new,used,refurbished,"`
	Category     string    `json:"category"`
	Tags         []string  `json:"tags"`
	Media        []Media   `json:"media"`
	Variants     []Variant `json:"variants"`
	State        string    `json:"state" enum:"draft,published,sold_out,withdrawn"`
	Slug         string    `json:"slug" doc:"The readable part of its address; empty where it is sold on another node."`
	Announced    bool      `json:"announced" doc:"Whether followers were told, or will be once it is published."`
	Lang         string    `json:"lang"`
	Seller       Seller    `json:"seller"`
	Created      time.Time `json:"created"`
	Updated      time.Time `json:"updated"`
	Version      int64     `json:"version" doc:"Goes up with every change."`

	address string
}

// Variant is one form of a listing that can be ordered.
type Variant struct {
	ID       ID     `json:"id"`
	Title    string `json:"title" doc:"Empty where there is but one."`
	SKU      string `json:"sku"`
	Price    Money  `json:"price"`
	Quantity *int   `json:"quantity,omitempty" doc:"Only its seller is told."`
}

// Seller is who sells it.
type Seller struct {
	Handle string `json:"handle" doc:"@name@domain"`
	Name   string `json:"name"`
	URL    string `json:"url"`
}

// NewListing is a product that is put up.
type NewListing struct {
	Title       string   `json:"title" need:"yes" maxlen:"200"`
	Description string   `json:"description" need:"yes" maxlen:"10000" doc:"Markdown."`
	Price       Money    `json:"price" need:"yes"`
	Quantity    *int     `json:"quantity" doc:"How many there are; 1 where nothing is said." min:"0" max:"1000000"`
	Tags        []string `json:"tags" doc:"Hashtags, with or without #; at most 20."`
	MediaIDs    []ID     `json:"media_ids" doc:"Uploaded pictures in their order; at most 10."`
	Category    string   `json:"category" maxlen:"200" doc:"A path such as Home/Kitchen/Mugs."`
	Condition   string   `json:"condition" enum:"new,used,refurbished" doc:"new where nothing is said."`
	State       string   `json:"state" enum:"published,draft" doc:"published where nothing is said."`
	Announce    bool     `json:"announce" doc:"Tell followers. Without it they hear nothing: only the catalogue does."`
	Lang        string   `json:"lang" format:"lang" doc:"BCP 47, of title and description."`
}

// ListingChange changes a listing; what is not sent stays.
type ListingChange struct {
	Title       *string  `json:"title" maxlen:"200"`
	Description *string  `json:"description" maxlen:"10000" doc:"Markdown."`
	Price       *Money   `json:"price"`
	Quantity    *int     `json:"quantity" min:"0" max:"1000000"`
	Tags        []string `json:"tags" doc:"All of them; an empty list takes them away."`
	MediaIDs    []ID     `json:"media_ids" doc:"All of them in their order; an empty list takes them away."`
	Category    *string  `json:"category" maxlen:"200"`
	Condition   *string  `json:"condition" enum:"new,used,refurbished"`
	State       *string  `json:"state" enum:"published,draft,sold_out" doc:"sold_out sets the quantity to 0. What was published cannot become a draft again."`
	Announce    *bool    `json:"announce" doc:"true tells followers who were not told yet."`
	Lang        *string  `json:"lang" format:"lang" doc:"BCP 47, of title and description."`
}

// ListingQuery narrows a list of listings.
type ListingQuery struct {
	Paging
	Category string `query:"category" doc:"And everything below it."`
	Tag      string `query:"tag"`
	InStock  bool   `query:"in_stock" doc:"true leaves out what is sold out."`
	Remote   bool   `query:"remote" doc:"true adds what other nodes sell."`
	Mine     bool   `query:"mine" doc:"true lists your own instead, drafts too. Needs a token with read:listings."`
	State    string `query:"state" enum:"draft,published,sold_out,withdrawn" doc:"Of your own listings."`
}

func (l Listing) version() int64   { return l.Version }
func (l Listing) location() string { return l.address }

// listing is what the viewer sees of it.
func (a *API) listing(viewer int64, l *souk.Listing) Listing {
	out := Listing{ID: ID(l.ID), URL: a.listingPage(l), URI: l.Post.URI, Title: l.Title, Description: l.Description, HTML: l.HTML,
		Price: Money(l.Price()), Availability: l.Availability, InStock: l.Availability != souk.NoStock, Condition: l.Condition, Category: l.Category,
		Tags: append([]string{}, l.Tags...), Media: a.mediaList(l.Post.Media), State: l.State, Slug: l.Slug, Announced: l.Announce, Lang: l.Post.Lang,
		Created: l.Created, Updated: l.Updated, Version: l.Version, address: a.DB.BaseURL() + Base + "/listings/" + formatID(l.ID)}
	if s := l.Post.Account; s != nil {
		out.Seller = Seller{Handle: a.DB.Handle(s), Name: s.Title(), URL: s.URL}
	}
	if viewer == l.SellerID {
		n := l.Quantity()
		out.Quantity = &n
	}
	out.Variants = make([]Variant, len(l.Variants))
	for i, v := range l.Variants {
		out.Variants[i] = Variant{ID: ID(v.ID), Title: v.Title, SKU: v.SKU, Price: Money{v.Price, l.Currency}}
		if viewer == l.SellerID {
			out.Variants[i].Quantity = v.Quantity
		}
	}
	return out
}

func (a *API) listingPage(l *souk.Listing) string {
	switch {
	case l.Local() && l.Slug != "":
		return a.DB.BaseURL() + "/products/" + l.Slug
	case l.Post.URL != "":
		return l.Post.URL
	}
	return l.Post.URI
}

func (a *API) createListing(r *request, in NewListing) (Listing, error) {
	n := souk.NewListing{Title: in.Title, Description: in.Description, Price: souk.Money(in.Price), Quantity: 1, Condition: in.Condition,
		Category: in.Category, Tags: in.Tags, MediaIDs: ints(in.MediaIDs), State: in.State, Announce: in.Announce, Lang: in.Lang}
	if in.Quantity != nil {
		n.Quantity = *in.Quantity
	}
	l, err := a.DB.CreateListing(r.Request().Context(), r.account.ID, n)
	if err != nil {
		return Listing{}, err
	}
	return a.listing(r.account.ID, l), nil
}

func (a *API) changeListing(r *request, in ListingChange) (Listing, error) {
	id, err := r.id()
	if err != nil {
		return Listing{}, err
	}
	version, err := r.expected()
	if err != nil {
		return Listing{}, err
	}
	l, err := a.DB.ChangeListing(r.Request().Context(), r.account.ID, id, souk.ListingChange{Title: in.Title, Description: in.Description,
		Price: (*souk.Money)(in.Price), Quantity: in.Quantity, Condition: in.Condition, Category: in.Category, Tags: in.Tags,
		MediaIDs: ints(in.MediaIDs), State: in.State, Announce: in.Announce, Lang: in.Lang, Version: version})
	if err != nil {
		return Listing{}, preconditionFailed(err, version)
	}
	return a.listing(r.account.ID, l), nil
}

func (a *API) withdrawListing(r *request, _ none) (none, error) {
	id, err := r.id()
	if err != nil {
		return none{}, err
	}
	return none{}, a.DB.WithdrawListing(r.Request().Context(), r.account.ID, id)
}

func (a *API) oneListing(r *request, _ none) (Listing, error) {
	id, err := r.id()
	if err != nil {
		return Listing{}, err
	}
	viewer := r.viewer("read:listings")
	l, err := a.DB.Listing(r.Request().Context(), viewer, id)
	if err != nil {
		return Listing{}, err
	}
	if l.State == souk.ListingWithdrawn {
		return Listing{}, souk.ErrGone // for its seller too: a program asks whether it is still there
	}
	return a.listing(viewer, l), nil
}

func (a *API) listings(r *request, in ListingQuery) ([]Listing, error) {
	var list []souk.Listing
	var err error
	viewer, ctx := r.viewer("read:listings"), r.Request().Context()
	if in.Mine || in.State != "" {
		if err := r.require("read:listings"); err != nil {
			return nil, err
		}
		list, err = a.DB.SellerListings(ctx, r.account.ID, in.State, in.page())
	} else {
		list, err = a.DB.Listings(ctx, souk.ListingFilter{Category: in.Category, Tag: in.Tag, InStock: in.InStock, Remote: in.Remote}, in.page())
	}
	if err != nil {
		return nil, err
	}
	out := make([]Listing, len(list))
	for i := range list {
		out[i] = a.listing(viewer, &list[i])
	}
	if len(list) > 0 {
		r.link(in.Paging, len(list), list[len(list)-1].ID)
	}
	return out, nil
}
