package web

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

// Media types of the three feeds (S-52).
const (
	atomType     = "application/atom+xml"
	rssType      = "application/rss+xml"
	jsonFeedType = "application/feed+json"
)

const feedEntries = 30

// feed is a list of news, whatever its form.
type feed struct {
	title string
	page  string // address of the page that shows the same
	self  string // address of the feed itself
	items []feedItem
}

type feedItem struct {
	id        string // the ActivityPub id, which never changes
	url       string
	title     string
	html      string
	author    string
	lang      string
	published time.Time
	updated   time.Time
	picture   *souk.Media
}

// PostFeed answers the feed of the shop's posts; form is atom, rss or json.
func (w *Web) PostFeed(form string) echo.HandlerFunc {
	return func(c echo.Context) error {
		return w.public(c, func(ctx context.Context, v *view) (*answer, error) {
			posts, err := w.DB.ShopPosts(ctx, souk.Page{Limit: feedEntries})
			if err != nil {
				return nil, err
			}
			f := v.feed(v.say("feed.posts"), "/posts")
			for i := range posts {
				f.items = append(f.items, v.postItem(&posts[i]))
			}
			return v.feedAnswer(f, form)
		})
	}
}

// ProductFeed answers the feed of what was put up for sale.
func (w *Web) ProductFeed(form string) echo.HandlerFunc {
	return func(c echo.Context) error {
		return w.public(c, func(ctx context.Context, v *view) (*answer, error) {
			f := v.feed(v.say("feed.products"), "/products")
			if v.shop.Open {
				listings, err := w.DB.Listings(ctx, souk.ListingFilter{}, souk.Page{Limit: feedEntries})
				if err != nil {
					return nil, err
				}
				for i := range listings {
					f.items = append(f.items, v.productItem(&listings[i]))
				}
			}
			return v.feedAnswer(f, form)
		})
	}
}

// TagOrFeed answers /tags/{tag}, and its feeds at the same address with an ending, which no hashtag can have.
func (w *Web) TagOrFeed(c echo.Context) error {
	for _, form := range []string{"atom", "rss", "json"} {
		if strings.HasSuffix(c.Param("tag"), "."+form) {
			return w.public(c, func(ctx context.Context, v *view) (*answer, error) {
				return w.tagFeed(ctx, v, strings.TrimSuffix(v.route["tag"], "."+form), form)
			})
		}
	}
	return w.Tag(c)
}

func (w *Web) tagFeed(ctx context.Context, v *view, tag, form string) (*answer, error) {
	posts, err := w.DB.TagTimeline(ctx, tag, souk.Page{Limit: feedEntries})
	if err != nil {
		return nil, err
	}
	f := v.feed("#"+souk.FoldTag(tag), "/tags/"+souk.FoldTag(tag))
	for i := range posts {
		if posts[i].Listing != nil && posts[i].Local {
			f.items = append(f.items, v.productItem(posts[i].Listing))
		} else {
			f.items = append(f.items, v.postItem(&posts[i]))
		}
	}
	a, err := v.feedAnswer(f, form)
	if err == nil && len(posts) == 0 {
		a.keep = false
	}
	return a, err
}

func (v *view) feed(title, path string) *feed {
	return &feed{title: v.shopName() + " · " + title, page: v.DB.BaseURL() + v.url(path), self: v.DB.BaseURL() + v.self()}
}

func (v *view) postItem(p *souk.Post) feedItem {
	item := feedItem{id: p.URI, url: p.URI, title: v.title(p), html: p.HTML, lang: p.Lang, published: p.Published, updated: p.Published}
	if p.URL != "" {
		item.url = p.URL
	}
	if p.Account != nil {
		item.author = p.Account.Title()
	}
	if p.Edited != nil {
		item.updated = *p.Edited
	}
	if v.warning(p) == "" && len(p.Media) > 0 {
		item.picture = &p.Media[0]
	}
	return item
}

func (v *view) productItem(l *souk.Listing) feedItem {
	item := v.postItem(l.Post)
	price := l.Price()
	line := v.say("feed.price", "Price", themes.FormatMoney(v.tag, price.Amount, price.Currency, false), "Stock", v.theme("stock."+l.Availability))
	item.title, item.url = l.Title, v.DB.BaseURL()+v.url("/products/"+l.Slug)
	item.html = "<p>" + line + "</p>" + l.HTML // the line holds only figures, a currency and our words
	return item
}

func (v *view) feedAnswer(f *feed, form string) (*answer, error) {
	write, kind := map[string]func(*feed) ([]byte, error){"atom": v.atom, "rss": v.rss, "json": v.jsonFeed}[form],
		map[string]string{"atom": atomType, "rss": rssType, "json": jsonFeedType}[form]
	body, err := write(f)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, kind: kind + "; charset=utf-8", language: v.tag, body: body, keep: true}, nil
}

// newest is when the feed last changed; the start of time for an empty one.
func (f *feed) newest() time.Time {
	at := time.Unix(0, 0).UTC()
	for _, i := range f.items {
		if i.updated.After(at) {
			at = i.updated
		}
	}
	return at
}

// atom writes RFC 4287.
func (v *view) atom(f *feed) ([]byte, error) {
	type link struct {
		Rel    string `xml:"rel,attr"`
		Type   string `xml:"type,attr,omitempty"`
		Href   string `xml:"href,attr"`
		Length int    `xml:"length,attr,omitempty"`
	}
	type text struct {
		Type string `xml:"type,attr"`
		Lang string `xml:"xml:lang,attr,omitempty"`
		Body string `xml:",chardata"`
	}
	type entry struct {
		ID        string `xml:"id"`
		Title     string `xml:"title"`
		Links     []link `xml:"link"`
		Published string `xml:"published"`
		Updated   string `xml:"updated"`
		Author    string `xml:"author>name"`
		Content   text   `xml:"content"`
	}
	type document struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string   `xml:"xml:lang,attr"`
		ID      string   `xml:"id"`
		Title   string   `xml:"title"`
		Links   []link   `xml:"link"`
		Updated string   `xml:"updated"`
		Author  string   `xml:"author>name"`
		Entries []entry  `xml:"entry"`
	}
	d := document{Lang: v.tag, ID: f.self, Title: clean(f.title), Updated: f.newest().Format(time.RFC3339), Author: clean(v.shopName()),
		Links: []link{{Rel: "self", Type: atomType, Href: f.self}, {Rel: "alternate", Type: "text/html", Href: f.page}}}
	for _, i := range f.items {
		e := entry{ID: i.id, Title: clean(i.title), Published: i.published.Format(time.RFC3339), Updated: i.updated.Format(time.RFC3339),
			Author: clean(i.author), Content: text{"html", i.lang, clean(i.html)}, Links: []link{{Rel: "alternate", Type: "text/html", Href: i.url}}}
		if i.picture != nil {
			e.Links = append(e.Links, link{Rel: "enclosure", Type: i.picture.MIME, Href: v.DB.BaseURL() + i.picture.Path(1200), Length: pictureBytes(i.picture)})
		}
		d.Entries = append(d.Entries, e)
	}
	return marshal(d)
}

// rss writes RSS 2.0.
func (v *view) rss(f *feed) ([]byte, error) {
	type guid struct {
		Permanent bool   `xml:"isPermaLink,attr"`
		ID        string `xml:",chardata"`
	}
	type enclosure struct {
		URL    string `xml:"url,attr"`
		Length int    `xml:"length,attr"`
		Type   string `xml:"type,attr"`
	}
	type item struct {
		Title       string     `xml:"title"`
		Link        string     `xml:"link"`
		Description string     `xml:"description"`
		Published   string     `xml:"pubDate"`
		GUID        guid       `xml:"guid"`
		Enclosure   *enclosure `xml:"enclosure"`
	}
	type self struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	}
	type document struct {
		XMLName     xml.Name `xml:"rss"`
		Version     string   `xml:"version,attr"`
		Atom        string   `xml:"xmlns:atom,attr"`
		Title       string   `xml:"channel>title"`
		Link        string   `xml:"channel>link"`
		Description string   `xml:"channel>description"`
		Language    string   `xml:"channel>language"`
		Built       string   `xml:"channel>lastBuildDate"`
		Self        self     `xml:"channel>atom:link"`
		Items       []item   `xml:"channel>item"`
	}
	description := v.shop.Tagline
	if description == "" {
		description = f.title
	}
	d := document{Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Title: clean(f.title), Link: f.page, Description: clean(description), Language: v.tag,
		Built: f.newest().Format(time.RFC1123Z), Self: self{"self", rssType, f.self}}
	for _, i := range f.items {
		entry := item{Title: clean(i.title), Link: i.url, Description: clean(i.html), Published: i.published.Format(time.RFC1123Z), GUID: guid{false, i.id}}
		if i.picture != nil {
			entry.Enclosure = &enclosure{v.DB.BaseURL() + i.picture.Path(1200), pictureBytes(i.picture), i.picture.MIME}
		}
		d.Items = append(d.Items, entry)
	}
	return marshal(d)
}

// jsonFeed writes JSON Feed 1.1.
func (v *view) jsonFeed(f *feed) ([]byte, error) {
	items := []map[string]any{}
	for _, i := range f.items {
		item := map[string]any{"id": i.id, "url": i.url, "title": i.title, "content_html": i.html, "date_published": i.published, "date_modified": i.updated,
			"authors": []any{map[string]any{"name": i.author}}}
		if i.lang != "" {
			item["language"] = i.lang
		}
		if i.picture != nil {
			item["image"] = v.DB.BaseURL() + i.picture.Path(1200)
		}
		items = append(items, item)
	}
	return json.Marshal(map[string]any{"version": "https://jsonfeed.org/version/1.1", "title": f.title, "home_page_url": f.page, "feed_url": f.self,
		"language": v.tag, "items": items})
}

func marshal(document any) ([]byte, error) {
	b := bytes.NewBufferString(xml.Header)
	if err := xml.NewEncoder(b).Encode(document); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// clean leaves out what XML 1.0 cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}

// pictureBytes is how long the bytes of a picture's usual size are; 0 where it is not known.
func pictureBytes(m *souk.Media) int {
	for _, s := range m.Sizes {
		if s.Width >= 1200 {
			return s.Bytes
		}
	}
	if n := len(m.Sizes); n > 0 {
		return m.Sizes[n-1].Bytes
	}
	return 0
}
