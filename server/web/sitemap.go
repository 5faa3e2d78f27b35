package web

import (
	"context"
	"encoding/xml"
	"net/http"

	"github.com/labstack/echo/v4"

	"souk"
)

// Robots answers what crawlers should leave alone: what is not worth finding, or nobody's business.
func (w *Web) Robots(c echo.Context) error {
	return w.public(c, func(_ context.Context, v *view) (*answer, error) {
		text := "User-agent: *\n"
		for _, prefix := range []string{"", "/en", "/zh"} {
			for _, path := range []string{"/search", "/orders/", "/follow?", "/authorize_interaction"} {
				text += "Disallow: " + prefix + path + "\n"
			}
		}
		text += "Disallow: /console\nDisallow: /setup\nDisallow: /api/\n\nSitemap: " + v.DB.BaseURL() + "/sitemap.xml\n"
		return &answer{status: http.StatusOK, kind: "text/plain; charset=utf-8", body: []byte(text), keep: true}, nil
	})
}

type (
	sitemapIndex struct {
		XMLName xml.Name      `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
		Maps    []sitemapPart `xml:"sitemap"`
	}
	sitemapPart struct {
		Loc string `xml:"loc"`
	}
	urlSet struct {
		XMLName xml.Name     `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		XHTML   string       `xml:"xmlns:xhtml,attr"`
		Image   string       `xml:"xmlns:image,attr"`
		URLs    []sitemapURL `xml:"url"`
	}
	sitemapURL struct {
		Loc        string             `xml:"loc"`
		Modified   string             `xml:"lastmod,omitempty"`
		Alternates []sitemapAlternate `xml:"xhtml:link"`
		Images     []sitemapImage     `xml:"image:image"`
	}
	sitemapAlternate struct {
		Rel  string `xml:"rel,attr"`
		Lang string `xml:"hreflang,attr"`
		Href string `xml:"href,attr"`
	}
	sitemapImage struct {
		Loc string `xml:"image:loc"`
	}
)

// Sitemap answers the index of the site's maps (sitemaps.org).
func (w *Web) Sitemap(c echo.Context) error {
	return w.public(c, func(_ context.Context, v *view) (*answer, error) {
		var index sitemapIndex
		if v.owner != nil && v.shop.Open {
			for _, kind := range []string{"pages", "products", "posts"} {
				index.Maps = append(index.Maps, sitemapPart{v.DB.BaseURL() + "/sitemap-" + kind + ".xml"})
			}
		}
		return xmlAnswer(index)
	})
}

// SitemapOf answers one map: "pages", "products" or "posts". Each page is there in the shop's language, with its
// alternates.
func (w *Web) SitemapOf(kind string) echo.HandlerFunc {
	return func(c echo.Context) error {
		return w.public(c, func(ctx context.Context, v *view) (*answer, error) {
			set := urlSet{XHTML: "http://www.w3.org/1999/xhtml", Image: "http://www.google.com/schemas/sitemap-image/1.1"}
			if v.owner == nil || !v.shop.Open {
				return xmlAnswer(set)
			}
			if kind == "pages" {
				for _, path := range []string{"/", "/products", "/posts", "/@" + v.owner.Name} {
					set.URLs = append(set.URLs, v.sitemapURL(path))
				}
				return xmlAnswer(set)
			}
			of := map[string]string{"products": souk.KindListing, "posts": souk.KindNote}[kind]
			pages, err := w.DB.PublicPages(ctx, of)
			if err != nil {
				return nil, err
			}
			for _, p := range pages {
				path := "/posts/" + id(p.ID)
				if p.Slug != "" {
					path = "/products/" + p.Slug
				}
				entry := v.sitemapURL(path)
				entry.Modified = p.Changed.UTC().Format("2006-01-02T15:04:05Z")
				for _, key := range p.Pictures {
					entry.Images = append(entry.Images, sitemapImage{v.DB.BaseURL() + "/media/" + key})
				}
				set.URLs = append(set.URLs, entry)
			}
			return xmlAnswer(set)
		})
	}
}

// sitemapURL is a page with its languages.
func (v *view) sitemapURL(path string) sitemapURL {
	page := *v
	page.path, page.query = path, nil
	entry := sitemapURL{Loc: v.DB.BaseURL() + page.own("", nil)}
	for _, l := range page.languages() {
		entry.Alternates = append(entry.Alternates, sitemapAlternate{"alternate", l.Tag, l.URL})
	}
	return entry
}

func xmlAnswer(document any) (*answer, error) {
	body, err := marshal(document)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, kind: "application/xml; charset=utf-8", body: body, keep: true}, nil
}
