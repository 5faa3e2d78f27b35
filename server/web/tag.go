package web

import (
	"context"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

// Tag answers everything under a hashtag.
func (w *Web) Tag(c echo.Context) error { return w.public(c, w.tag, "before", "after") }

func (w *Web) tag(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(true); a != nil || err != nil {
		return a, err
	}
	tag := souk.FoldTag(v.route["tag"])
	if tag == "" {
		return nil, souk.ErrNotFound
	}
	if tag != v.route["tag"] {
		return redirect(httpMoved, v.url("/tags/"+tag)), nil
	}
	page := themes.TagPage{Tag: tag}
	if !v.paged() {
		listings, err := w.DB.Listings(ctx, souk.ListingFilter{Tag: tag}, souk.Page{Limit: productsPerPage})
		if err != nil {
			return nil, err
		}
		page.Products = v.productCards(listings)
	}
	asked := v.page(postsPerPage + 1)
	found, err := w.DB.TagTimeline(ctx, tag, asked)
	if err != nil {
		return nil, err
	}
	found, more := cut(found, asked, postsPerPage)
	var posts []souk.Post
	for _, p := range found {
		if p.Listing != nil && p.Local {
			continue // stands among the products
		}
		for _, t := range p.Tags {
			if t.Tag == tag {
				page.Tag = t.Name
			}
		}
		posts = append(posts, p)
	}
	if page.Posts, err = v.postCards(ctx, posts); err != nil {
		return nil, err
	}
	if n := len(found); n > 0 {
		page.Pager = v.pager(asked, found[0].ID, found[n-1].ID, more)
	}
	empty := len(page.Products)+len(page.Posts) == 0
	page.Frame = v.frame(themes.Head{Title: "#" + page.Tag, NoIndex: empty || v.paged(),
		Feeds: v.feeds("#"+page.Tag, "/tags/"+tag)})
	a, err := v.render(page)
	if err == nil && empty {
		a.keep = false // anybody can ask for any word
	}
	return a, err
}
