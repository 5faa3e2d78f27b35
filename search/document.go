package search

import (
	"strings"
	"time"

	"souk"
)

// Origin is what documents need to know of the node that indexes them.
type Origin struct {
	Domain   string // of this node, for its own objects
	Currency string // the reference currency: prices in it can be compared
}

// PostDocument is the document of a post or listing that search may show (souk.FindablePosts). version grows with every
// change of it.
func PostDocument(p *souk.Post, version int64, o Origin) Document {
	d := Document{URI: p.URI, ID: IDOf(p.URI), Version: version, Kind: KindPost, Local: p.Local, Lang: p.Lang, Sensitive: p.Sensitive,
		Created: p.Published, Updated: p.Published, Body: souk.Plain(p.HTML)}
	if p.Edited != nil {
		d.Updated = *p.Edited
	}
	if p.Summary != "" {
		d.Title = p.Summary
	}
	for _, t := range p.Texts {
		d.Body += "\n" + t.Summary + "\n" + souk.Plain(t.HTML)
	}
	for _, t := range p.Tags {
		d.Tags = append(d.Tags, t.Name)
	}
	d.from(p.Account, o)
	if p.Listing != nil {
		d.sell(p.Listing, o)
	}
	return d
}

// sell adds what only listings have.
func (d *Document) sell(l *souk.Listing, o Origin) {
	d.Kind, d.Title, d.Body = KindListing, l.Title, l.Description
	if l.HTML != "" {
		d.Body = souk.Plain(l.HTML)
	}
	for _, v := range l.Variants {
		if v.Title != "" {
			d.Body += "\n" + v.Title
		}
		if v.SKU != "" {
			d.Body += "\n" + v.SKU
		}
	}
	d.Tags = append([]string(nil), l.Tags...)
	d.Categories = categoryPath(l.Category)
	price := l.Price()
	d.Price = &price
	if price.Currency == o.Currency {
		d.PriceRef = &price.Amount
	}
	d.Available, d.Condition = l.OnSale(), l.Condition
	d.Updated = l.Updated
	if l.Expires != nil {
		d.Expires = *l.Expires
	}
}

// from adds the author.
func (d *Document) from(a *souk.Account, o Origin) {
	d.Seller, d.Node, d.SellerName = a.URI, nodeOf(a, o), a.Title()+" "+a.Name
	if d.Lang == "" {
		d.Lang = a.Lang
	}
}

func nodeOf(a *souk.Account, o Origin) string {
	if a.Local() {
		return o.Domain
	}
	return a.Host
}

// AccountDocument is the document of an account that search may show (souk.FindableAccounts).
func AccountDocument(a *souk.Account, version int64, o Origin) Document {
	body := []string{souk.Plain(a.Bio)}
	for _, f := range a.Fields {
		body = append(body, f.Name+" "+souk.Plain(f.Value))
	}
	return Document{URI: a.URI, ID: IDOf(a.URI), Version: version, Kind: KindAccount, Node: nodeOf(a, o), Seller: a.URI, Local: a.Local(),
		Title: a.Title(), SellerName: a.Name + " " + nodeOf(a, o), Body: strings.Join(body, "\n"), Lang: a.Lang, Created: a.Created, Updated: latest(a.Created, a.Updated)}
}

// categoryPath is a category and every ancestor of it: "Home > Kitchen" and "Home/Kitchen" have Home.
func categoryPath(category string) []string {
	var path []string
	for i, r := range category {
		if r == '/' || r == '>' {
			if parent := strings.TrimSpace(category[:i]); parent != "" {
				path = append(path, parent)
			}
		}
	}
	if category = strings.TrimSpace(category); category != "" {
		path = append(path, category)
	}
	return path
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
