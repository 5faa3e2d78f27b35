package web

import (
	"context"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

const (
	productsPerPage = 24
	facetTags       = 20
	// postsSearched is among how many of the newest posts those are looked for in which a product appears.
	postsSearched  = 80
	postsOfProduct = 3
	related        = 4
)

// Products answers the list of what the shop sells, narrowed by the query.
func (w *Web) Products(c echo.Context) error {
	return w.public(c, w.products, "category", "tag", "in_stock", "before", "after")
}

func (w *Web) products(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(true); a != nil || err != nil {
		return a, err
	}
	filter := souk.ListingFilter{Category: v.query.Get("category"), Tag: souk.FoldTag(v.query.Get("tag")), InStock: v.query.Get("in_stock") == "true"}
	asked := v.page(productsPerPage + 1)
	found, err := w.DB.Listings(ctx, filter, asked)
	if err != nil {
		return nil, err
	}
	found, more := cut(found, asked, productsPerPage)
	page := themes.ProductsPage{Title: filter.Category, Products: v.productCards(found), AllURL: v.url("/products"), Filtered: filter != souk.ListingFilter{}}
	if page.Title == "" && filter.Tag != "" {
		page.Title = "#" + filter.Tag
	}
	if n := len(found); n > 0 {
		page.Pager = v.pager(asked, found[0].ID, found[n-1].ID, more)
	}
	if page.Total, err = w.DB.ListingCount(ctx, filter); err != nil {
		return nil, err
	}
	if page.Facets, err = v.facets(ctx, filter); err != nil {
		return nil, err
	}
	title := page.Title
	if title == "" {
		title = v.theme("nav.products")
	}
	on := 0
	for _, set := range []bool{filter.Category != "", filter.Tag != "", filter.InStock} {
		if set {
			on++
		}
	}
	head := themes.Head{Title: title, Description: v.shop.Tagline, Section: "products", Feeds: v.feeds(v.say("feed.products"), "/products"),
		NoIndex: on > 1 || filter.InStock || v.paged() || len(found) == 0}
	if head.Data, err = linked(v.trail(v.shopName(), "/", title, "/products")); err != nil {
		return nil, err
	}
	page.Frame = v.frame(head)
	a, err := v.render(page)
	if err == nil && len(found) == 0 && page.Filtered {
		a.keep = false // anybody can ask for any word
	}
	return a, err
}

// facets are the ways to narrow the list: categories, hashtags, what is there.
func (v *view) facets(ctx context.Context, f souk.ListingFilter) ([]themes.Facet, error) {
	categories, err := v.DB.Categories(ctx)
	if err != nil {
		return nil, err
	}
	tags, err := v.DB.ListingTags(ctx, facetTags)
	if err != nil {
		return nil, err
	}
	facet := func(key, chosen string, counts []souk.Count, label func(string) string) themes.Facet {
		all := themes.Facet{Key: key}
		for _, c := range counts {
			filter := themes.Filter{Label: label(c.Value), URL: v.but(key, c.Value), Count: c.N, Active: c.Value == chosen}
			if filter.Active {
				filter.URL = v.but(key, "")
			}
			all.Filters = append(all.Filters, filter)
		}
		return all
	}
	stock := themes.Filter{Label: v.theme("stock.in_stock"), URL: v.but("in_stock", "true"), Count: -1, Active: f.InStock}
	if f.InStock {
		stock.URL = v.but("in_stock", "")
	}
	return []themes.Facet{facet("category", f.Category, categories, leaves(categories)),
		facet("tag", f.Tag, tags, func(tag string) string { return tag }),
		{Label: v.say("facet.stock"), Filters: []themes.Filter{stock}}}, nil
}

// leaves names categories by the last part of their path, and in full where two would have the same name.
func leaves(categories []souk.Count) func(string) string {
	seen := map[string]int{}
	for _, c := range categories {
		seen[path.Base(c.Value)]++
	}
	return func(category string) string {
		if leaf := path.Base(category); seen[leaf] == 1 {
			return leaf
		}
		return category
	}
}

// Product answers the page of one product. An address that it had before moves on to the one it has now.
func (w *Web) Product(c echo.Context) error { return w.public(c, w.product, "variant", "replies") }

func (w *Web) product(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(true); a != nil || err != nil {
		return a, err
	}
	l, err := w.DB.ListingBySlug(ctx, 0, v.route["slug"])
	if err != nil {
		return nil, err
	}
	if l.State == souk.ListingDraft {
		return nil, souk.ErrNotFound
	}
	if l.Slug != v.route["slug"] {
		return redirect(httpMoved, v.url("/products/"+l.Slug)), nil
	}
	page, err := v.productPage(ctx, l)
	if err != nil {
		return nil, err
	}
	page.Order = v.orderForm(l)
	a, err := v.render(page)
	if err == nil && v.query.Has("replies") {
		a.keep = false
	}
	return a, err
}

// productPage is the page of a listing without its order form.
func (v *view) productPage(ctx context.Context, l *souk.Listing) (page themes.ProductPage, err error) {
	p := l.Post
	price := l.Price()
	page = themes.ProductPage{Title: l.Title, Lang: v.foreign(p.Lang), Pictures: pictures(p.Media), Price: v.money(price.Amount, price.Currency),
		Stock: l.Availability, Condition: l.Condition, Story: rich(l.HTML, v.foreign(p.Lang)), Published: p.Published,
		URL: v.DB.BaseURL() + v.url("/products/"+l.Slug), Seller: v.seller(p.Account)}
	if p.Edited != nil {
		page.Updated = *p.Edited
	}
	page.Variants = v.variants(l)
	chosen := slices.IndexFunc(page.Variants, func(o themes.Variant) bool { return o.ID == v.query.Get("variant") })
	if chosen >= 0 {
		page.Price = page.Variants[chosen].Price
	} else {
		page.From = pricesDiffer(l)
	}
	for line := range strings.Lines(v.shop.DeliveryNote) {
		if line = strings.TrimSpace(line); line != "" {
			page.Delivery = append(page.Delivery, line)
		}
	}
	if l.Category != "" {
		page.Tags = append(page.Tags, themes.Link{Label: l.Category, URL: v.with("/products", "category", l.Category)})
	}
	for _, t := range l.Tags {
		page.Tags = append(page.Tags, themes.Link{Label: "#" + t, URL: v.url("/tags/" + souk.FoldTag(t))})
	}
	if page.Conversation, err = v.conversation(ctx, p); err != nil {
		return page, err
	}
	if page.Posts, err = v.postsWith(ctx, l); err != nil {
		return page, err
	}
	if page.Related, err = v.related(ctx, l); err != nil {
		return page, err
	}
	page.Frame, err = v.productFrame(l)
	return page, err
}

// variants are the forms of a listing; none where there is only one. The first that can be had is chosen, or the one
// that the address names.
func (v *view) variants(l *souk.Listing) []themes.Variant {
	if len(l.Variants) < 2 {
		return nil
	}
	var all []themes.Variant
	for _, o := range l.Variants {
		all = append(all, themes.Variant{ID: id(o.ID), Label: o.Title, Price: v.money(o.Price, l.Currency), Stock: stockOf(l, o)})
	}
	chosen := slices.IndexFunc(all, func(o themes.Variant) bool { return o.ID == v.query.Get("variant") })
	if chosen < 0 {
		chosen = max(0, slices.IndexFunc(all, func(o themes.Variant) bool { return o.Stock != themes.StockOut }))
	}
	all[chosen].Selected = true
	return all
}

// stockOf is what the public is told of one variant.
func stockOf(l *souk.Listing, o souk.Variant) string {
	if l.State == souk.ListingSoldOut || o.Quantity != nil && *o.Quantity <= 0 {
		return themes.StockOut
	}
	return themes.StockIn
}

// productFrame is what a product says about itself: previews, search engines (schema.org Product with its offers) and
// other software (the listing's ActivityPub id).
func (v *view) productFrame(l *souk.Listing) (themes.Frame, error) {
	text := souk.Plain(l.HTML)
	head := themes.Head{Title: l.Title, Description: text, Kind: "product", Image: firstPicture(l.Post.Media), Section: "products",
		ActivityPub: l.Post.URI, Creator: v.DB.Handle(l.Post.Account), NoIndex: v.query.Has("replies"), Canonical: v.DB.BaseURL() + v.url("/products/"+l.Slug)}
	product := map[string]any{"@type": "Product", "@id": l.Post.URI, "name": l.Title, "url": head.Canonical, "offers": v.offers(l, head.Canonical)}
	if text != "" {
		product["description"] = text
	}
	if l.Category != "" {
		product["category"] = l.Category
	}
	var images []string
	for i := range l.Post.Media {
		images = append(images, v.DB.BaseURL()+l.Post.Media[i].Path(1200))
	}
	if len(images) > 0 {
		product["image"] = images
	}
	graph := []any{product, v.trail(v.shopName(), "/", v.theme("nav.products"), "/products", l.Title, "/products/"+l.Slug)}
	var err error
	head.Data, err = linked(map[string]any{"@graph": graph})
	return v.frame(head), err
}

// offers are the variants as schema.org says them: decimal price, ISO currency, availability as on the page.
func (v *view) offers(l *souk.Listing, address string) []any {
	conditions := map[string]string{"used": "UsedCondition", "refurbished": "RefurbishedCondition"}
	condition := conditions[l.Condition]
	if condition == "" {
		condition = "NewCondition"
	}
	var all []any
	for _, o := range l.Variants {
		availability := "InStock"
		switch {
		case stockOf(l, o) == themes.StockOut:
			availability = "SoldOut"
		case l.Availability == souk.FewLeft:
			availability = "LimitedAvailability"
		}
		offer := map[string]any{"@type": "Offer", "price": souk.Money{Amount: o.Price, Currency: l.Currency}.Decimal(), "priceCurrency": l.Currency,
			"availability": "https://schema.org/" + availability, "itemCondition": "https://schema.org/" + condition, "url": address,
			"seller": v.sells(l.Post.Account)}
		if len(l.Variants) > 1 {
			offer["name"], offer["url"] = o.Title, address+"?"+url.Values{"variant": {id(o.ID)}}.Encode()
		}
		if o.SKU != "" {
			offer["sku"] = o.SKU
		}
		all = append(all, offer)
	}
	return all
}

// sells names a seller for schema.org: the shop for its owner.
func (v *view) sells(a *souk.Account) map[string]any {
	if v.owner != nil && a.ID == v.owner.ID {
		return v.organisation()
	}
	return map[string]any{"@type": "Organization", "name": a.Title(), "url": a.URL}
}

// postsWith are the newest of the shop's recent posts that link to the product.
func (v *view) postsWith(ctx context.Context, l *souk.Listing) ([]themes.PostCard, error) {
	posts, err := v.DB.ShopPosts(ctx, souk.Page{Limit: postsSearched})
	if err != nil {
		return nil, err
	}
	var cards []themes.PostCard
	for i := range posts {
		if len(cards) == postsOfProduct {
			break
		}
		if slices.ContainsFunc(v.productSlugs(&posts[i]), func(escaped string) bool {
			slug, err := url.PathUnescape(escaped)
			return err == nil && slug == l.Slug
		}) {
			cards = append(cards, v.postCard(&posts[i], nil))
		}
	}
	return cards, nil
}

// related are other products: of the same category first, then the newest.
func (v *view) related(ctx context.Context, l *souk.Listing) ([]themes.ProductCard, error) {
	filters := []souk.ListingFilter{{Category: l.Category, InStock: true}, {InStock: true}}
	if l.Category == "" {
		filters = filters[1:]
	}
	seen := map[int64]bool{l.ID: true}
	var cards []themes.ProductCard
	for _, f := range filters {
		found, err := v.DB.Listings(ctx, f, souk.Page{Limit: related + 1})
		if err != nil {
			return nil, err
		}
		for i := range found {
			if !seen[found[i].ID] && len(cards) < related {
				seen[found[i].ID] = true
				cards = append(cards, v.productCard(&found[i]))
			}
		}
	}
	return cards, nil
}
