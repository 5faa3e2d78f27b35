package web

import (
	"html/template"
	"regexp"
	"slices"
	"strings"

	"souk"
	"souk/themes"
)

// rich is HTML that the domain made safe when it came in (souk.Sanitise, souk.RenderMarkdown); nothing else may be passed.
func rich(html, lang string) themes.RichText {
	return themes.RichText{HTML: template.HTML(html), Lang: lang}
}

// picture is a picture as pages show it; nil for nil.
func picture(m *souk.Media) *themes.Picture {
	if m == nil {
		return nil
	}
	p := &themes.Picture{URL: m.Path(1200), Width: m.Width, Height: m.Height, Alt: m.Alt, Colour: m.Colour,
		FocalX: float64(m.FocalX), FocalY: float64(m.FocalY)}
	for _, s := range m.Sizes {
		p.Sizes = append(p.Sizes, themes.PictureSize{URL: "/media/" + s.Key, Width: s.Width})
	}
	return p
}

func pictures(list []souk.Media) []themes.Picture {
	var all []themes.Picture
	for i := range list {
		all = append(all, *picture(&list[i]))
	}
	return all
}

func firstPicture(list []souk.Media) *themes.Picture {
	if len(list) == 0 {
		return nil
	}
	return picture(&list[0])
}

// money is an amount as pages write it. The short sign is used for the shop's own currency, where that sign leaves no
// doubt: $ and kr belong to many, and ¥ to two.
func (v *view) money(amount int64, currency string) themes.Money {
	narrow := false
	switch currency {
	case "CAD", "AUD", "NZD", "HKD", "TWD", "SGD", "MXN", "SEK", "NOK", "DKK", "ZAR":
	case "CNY", "JPY":
		narrow = currency == v.shop.Currency && currency == souk.CountryCurrency(v.shop.Country)
	default:
		narrow = currency == v.shop.Currency
	}
	return themes.Money{Amount: amount, Currency: currency, Narrow: narrow}
}

// person is an account as author; nil is somebody who left.
func (v *view) person(a *souk.Account) themes.Person {
	if a == nil || a.Deleted != nil {
		return themes.Person{Deleted: true}
	}
	p := themes.Person{Name: a.DisplayName, Handle: v.DB.Handle(a), Avatar: picture(a.Avatar), Seller: a.Sells(), Memorial: a.Memorial}
	switch {
	case a.Local():
		p.URL = v.url("/@" + a.Name)
	case a.URL != "":
		p.URL = a.URL
	default:
		p.URL = a.URI
	}
	return p
}

// seller is an account of this node with what a buyer needs to trust and to follow it.
func (v *view) seller(a *souk.Account) themes.Seller {
	s := themes.Seller{Person: v.person(a)}
	if a == nil || a.Deleted != nil || !a.Local() {
		return s
	}
	s.Bio = souk.Plain(a.Bio)
	s.FollowURL = v.followURL(a)
	if v.owner != nil && a.ID == v.owner.ID && v.shop.Tagline != "" {
		s.Bio = v.shop.Tagline
	}
	return s
}

// followURL is where a visitor follows an account of this node; empty where that moved away or is kept in memory, since
// nothing more is to be heard from here.
func (v *view) followURL(a *souk.Account) string {
	if a.MovedTo != "" || a.Memorial {
		return ""
	}
	if v.owner != nil && a.ID == v.owner.ID {
		return v.url("/follow")
	}
	return v.with("/follow", "of", a.Name)
}

// productCard is a listing in a list.
func (v *view) productCard(l *souk.Listing) themes.ProductCard {
	price := l.Price()
	card := themes.ProductCard{Title: l.Title, Lang: v.foreign(l.Post.Lang), Picture: firstPicture(l.Post.Media),
		Price: v.money(price.Amount, price.Currency), From: pricesDiffer(l), Stock: l.Availability}
	if l.Local() {
		card.URL = v.url("/products/" + l.Slug)
	} else {
		card.URL = address(l.Post)
		if l.Post.Account != nil {
			card.Node = l.Post.Account.Host
		}
	}
	return card
}

func (v *view) productCards(list []souk.Listing) []themes.ProductCard {
	var cards []themes.ProductCard
	for i := range list {
		cards = append(cards, v.productCard(&list[i]))
	}
	return cards
}

func pricesDiffer(l *souk.Listing) bool {
	return slices.ContainsFunc(l.Variants, func(o souk.Variant) bool { return o.Price != l.Variants[0].Price })
}

// address is where a post of another node is read.
func address(p *souk.Post) string {
	if p.URL != "" {
		return p.URL
	}
	return p.URI
}

// postURL is where a post is read: here for ours, at its origin for others.
func (v *view) postURL(p *souk.Post) string {
	switch {
	case !p.Local:
		return address(p)
	case p.Listing != nil && p.Listing.Slug != "":
		return v.url("/products/" + p.Listing.Slug)
	}
	return v.url("/posts/" + id(p.ID))
}

// warning is what stands before a post that not everybody wants to see at once.
func (v *view) warning(p *souk.Post) string {
	if p.Summary == "" && p.Sensitive {
		return v.say("post.sensitive")
	}
	return p.Summary
}

// postCard is a post in a list.
func (v *view) postCard(p *souk.Post, products []themes.ProductCard) themes.PostCard {
	p = p.In(v.tag)
	heading, text := headline(souk.Plain(p.HTML))
	return themes.PostCard{URL: v.postURL(p), Title: heading, Text: text, Lang: v.foreign(p.Lang), Warning: v.warning(p), Picture: firstPicture(p.Media),
		Author: v.person(p.Account), Published: p.Published, Boosts: p.Boosts, Likes: p.Likes, Replies: p.Replies, Products: products}
}

// headline takes the first line of a text for its heading where it reads like one: short, a whole, and more follows.
func headline(text string) (heading, rest string) {
	line, rest, more := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	unfinished := func(end string) bool { return strings.HasSuffix(line, end) }
	if !more || line == "" || len([]rune(line)) > 70 || strings.HasPrefix(line, "#") || slices.ContainsFunc([]string{":", ";", ",", "：", "；", "，", "、"}, unfinished) {
		return "", text
	}
	return line, strings.TrimSpace(rest)
}

// productLink finds the addresses of this shop's products in a text, in any of its languages.
var productLink = regexp.MustCompile(`href="([^"]*?)(?:/(?:en|zh))?/products/([^"/?#]+)"`)

// productSlugs are the products that a post links to, escaped as in the link, each once.
func (v *view) productSlugs(p *souk.Post) []string {
	var slugs []string
	for _, m := range productLink.FindAllStringSubmatch(p.HTML, -1) {
		if m[1] == v.DB.BaseURL() && !slices.Contains(slugs, m[2]) {
			slugs = append(slugs, m[2])
		}
	}
	return slugs
}

// title is a short name for a post, which has none: the beginning of its text.
func (v *view) title(p *souk.Post) string {
	if p.Listing != nil {
		return p.Listing.Title
	}
	if p.Summary != "" {
		return p.Summary
	}
	line, _, _ := strings.Cut(souk.Plain(p.HTML), "\n")
	if runes := []rune(line); len(runes) > 80 {
		return strings.TrimSpace(string(runes[:79])) + "…"
	}
	return line
}
