package web

import (
	"context"
	"net/url"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

const (
	postsPerPage = 20
	// productsInPost is how many products a post's page shows (S-50).
	productsInPost = 10
)

// Posts answers the list of the shop's posts.
func (w *Web) Posts(c echo.Context) error { return w.public(c, w.posts, "before", "after") }

func (w *Web) posts(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(false); a != nil || err != nil {
		return a, err
	}
	page := v.page(postsPerPage + 1)
	found, err := w.DB.ShopPosts(ctx, page)
	if err != nil {
		return nil, err
	}
	found, more := cut(found, page, postsPerPage)
	list := themes.PostsPage{Frame: v.frame(themes.Head{Title: v.theme("nav.posts"), Description: v.shop.Tagline, Section: "posts",
		Creator: v.DB.Handle(v.owner), Feeds: v.feeds(v.say("feed.posts"), "/posts"), NoIndex: v.paged()})}
	if list.Posts, err = v.postCards(ctx, found); err != nil {
		return nil, err
	}
	if n := len(found); n > 0 {
		list.Pager = v.pager(page, found[0].ID, found[n-1].ID, more)
	}
	return v.render(list)
}

// postCards are posts in a list, with the products that they link to.
func (v *view) postCards(ctx context.Context, list []souk.Post) ([]themes.PostCard, error) {
	var cards []themes.PostCard
	for i := range list {
		p := &list[i]
		if p.Kind == souk.KindBoost {
			if p.BoostOf == nil {
				continue
			}
			p = p.BoostOf
		}
		products, err := v.linkedProducts(ctx, p, 3)
		if err != nil {
			return nil, err
		}
		cards = append(cards, v.postCard(p, products))
	}
	return cards, nil
}

// linkedProducts are the products of this shop that a post links to, as they are now; what is not for sale any more is
// left out.
func (v *view) linkedProducts(ctx context.Context, p *souk.Post, limit int) ([]themes.ProductCard, error) {
	if p.Listing != nil {
		return nil, nil
	}
	var cards []themes.ProductCard
	for _, escaped := range v.productSlugs(p) {
		slug, err := url.PathUnescape(escaped)
		if err != nil {
			continue // not an address that leads anywhere
		}
		l, err := v.DB.ListingBySlug(ctx, 0, slug)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if cards = append(cards, v.productCard(l)); len(cards) == limit {
			break
		}
	}
	return cards, nil
}

// Post answers the page of one post of this node. A listing's is its product page; a post of another node is read there.
func (w *Web) Post(c echo.Context) error { return w.public(c, w.post, "replies") }

func (w *Web) post(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(false); a != nil || err != nil {
		return a, err
	}
	p, err := v.written(ctx)
	switch {
	case err != nil:
		return nil, err
	case p.Listing != nil && (p.Listing.Slug == "" || p.Listing.State == souk.ListingDraft):
		return nil, souk.ErrNotFound
	case p.Listing != nil:
		return redirect(httpMoved, v.url("/products/"+p.Listing.Slug)), nil
	}
	page := themes.PostPage{Author: v.seller(p.Account), Content: rich(p.HTML, v.foreign(p.Lang)), Warning: v.warning(p), Pictures: pictures(p.Media),
		Published: p.Published, Boosts: p.Boosts, Likes: p.Likes, URL: p.URL}
	if p.Edited != nil {
		page.Edited, page.HistoryURL = *p.Edited, v.url("/posts/"+id(p.ID)+"/history")
	}
	for _, t := range p.Tags {
		page.Tags = append(page.Tags, themes.Link{Label: "#" + t.Name, URL: v.url("/tags/" + t.Tag)})
	}
	if page.Products, err = v.linkedProducts(ctx, p, productsInPost); err != nil {
		return nil, err
	}
	if err := v.parent(ctx, p, &page); err != nil {
		return nil, err
	}
	if page.Conversation, err = v.conversation(ctx, p); err != nil {
		return nil, err
	}
	if err := v.neighbours(ctx, p, &page); err != nil {
		return nil, err
	}
	if page.Frame, err = v.postFrame(p); err != nil {
		return nil, err
	}
	return v.render(page)
}

// written is what somebody of this node wrote for everybody, a listing too, by the id that the address names.
func (v *view) written(ctx context.Context) (*souk.Post, error) {
	number, err := souk.ParseID(v.route["id"])
	if err != nil {
		return nil, err
	}
	p, err := v.DB.Post(ctx, 0, number)
	if err == nil && (!p.Local || p.Kind == souk.KindBoost || p.Account == nil || !p.Account.Person()) {
		return nil, souk.ErrNotFound
	}
	return p, err
}

// postFrame is what a post says about itself. The title is the beginning of its text, unless that lies behind a warning.
func (v *view) postFrame(p *souk.Post) (themes.Frame, error) {
	name := p.Account.Title()
	head := themes.Head{Title: v.say("post.title", "Name", name), Kind: "article", ActivityPub: p.URI, Section: "posts",
		Creator: v.DB.Handle(p.Account), NoIndex: p.Visibility != souk.Public || !p.Account.Indexable}
	text := souk.Plain(p.HTML)
	if w := v.warning(p); w != "" {
		text = w
	} else {
		head.Image = firstPicture(p.Media)
	}
	head.Description = text
	if t := v.title(p); t != "" {
		head.Title = v.say("post.title_text", "Name", name, "Text", t)
	}
	posting := map[string]any{"@type": "SocialMediaPosting", "@id": p.URI, "url": p.URL, "headline": head.Title, "articleBody": text,
		"datePublished": p.Published, "author": map[string]any{"@type": "Person", "name": name, "url": p.Account.URL}}
	if head.Image != nil {
		posting["image"] = v.DB.BaseURL() + head.Image.URL
	}
	var err error
	head.Data, err = linked(posting)
	return v.frame(head), err
}

// parent names what a post answers, where a stranger may read it.
func (v *view) parent(ctx context.Context, p *souk.Post, page *themes.PostPage) error {
	if p.InReplyToID == nil {
		return nil
	}
	parent, err := v.DB.Post(ctx, 0, *p.InReplyToID)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	page.ParentURL, page.ParentAuthor = v.postURL(parent), v.person(parent.Account)
	return nil
}

// neighbours are the posts of the same author before and after, replies left out.
func (v *view) neighbours(ctx context.Context, p *souk.Post, page *themes.PostPage) error {
	filter := souk.AccountFilter{NoReplies: true, NoBoosts: true}
	for _, side := range []struct {
		page souk.Page
		to   **themes.Link
	}{{souk.Page{After: p.ID, Limit: 1}, &page.Newer}, {souk.Page{Before: p.ID, Limit: 1}, &page.Older}} {
		found, err := v.DB.AccountPosts(ctx, 0, p.AccountID, filter, side.page)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			*side.to = &themes.Link{URL: v.postURL(&found[0]), Label: v.title(&found[0])}
		}
	}
	return nil
}
