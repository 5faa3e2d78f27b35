package web

import (
	"context"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

// Profile answers the page of one account of this node.
func (w *Web) Profile(c echo.Context) error { return w.public(c, w.profile, "before", "after") }

func (w *Web) profile(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(false); a != nil || err != nil {
		return a, err
	}
	a, err := w.DB.LocalAccount(ctx, v.route["name"])
	if err != nil {
		return nil, err
	}
	if !a.Person() || a.Suspended != nil {
		return nil, souk.ErrNotFound
	}
	if a.Name != v.route["name"] {
		return redirect(httpMoved, v.url("/@"+a.Name)), nil
	}
	name := a.Title()
	page := themes.ProfilePage{Person: v.seller(a), Bio: rich(a.Bio, v.foreign(a.Lang)), Header: picture(a.Header), Joined: a.Created}
	for _, f := range a.Fields {
		page.Fields = append(page.Fields, themes.ProfileField{Name: f.Name, Value: rich(f.Value, "")})
	}
	if page.Followers, page.Following, err = w.DB.FollowCounts(ctx, a.ID); err != nil {
		return nil, err
	}
	if page.PostCount, err = w.DB.PostCount(ctx, a.ID); err != nil {
		return nil, err
	}
	if page.MovedTo, err = v.movedTo(ctx, a); err != nil {
		return nil, err
	}
	top, err := v.pins(ctx, a)
	if err != nil {
		return nil, err
	}
	if !v.paged() {
		page.PinnedProducts = v.productCards(top.listings)
		if page.PinnedPosts, err = v.postCards(ctx, top.posts); err != nil {
			return nil, err
		}
		if a.Sells() && v.shop.Open {
			listings, err := v.shelf(ctx, souk.ListingFilter{SellerID: a.ID}, top.listings, homeProducts)
			if err != nil {
				return nil, err
			}
			page.Products = v.productCards(listings)
		}
	}
	asked := v.page(postsPerPage + 1)
	posts, err := w.DB.AccountPosts(ctx, 0, a.ID, souk.AccountFilter{NoReplies: true, NoBoosts: true, Without: top.ids()}, asked)
	if err != nil {
		return nil, err
	}
	posts, more := cut(posts, asked, postsPerPage)
	if page.Posts, err = v.postCards(ctx, posts); err != nil {
		return nil, err
	}
	if n := len(posts); n > 0 {
		page.Pager = v.pager(asked, posts[0].ID, posts[n-1].ID, more)
	}
	head := themes.Head{Title: name, Description: souk.Plain(a.Bio), Kind: "profile", ActivityPub: a.URI, Image: picture(a.Avatar),
		Creator: w.DB.Handle(a), NoIndex: !a.Indexable || v.paged()}
	if v.owner != nil && a.ID == v.owner.ID {
		head.Section = "about"
	}
	person := map[string]any{"@type": "Person", "@id": a.URI, "name": name, "url": a.URL, "alternateName": w.DB.Handle(a)}
	if head.Data, err = linked(map[string]any{"@type": "ProfilePage", "mainEntity": person}); err != nil {
		return nil, err
	}
	page.Frame = v.frame(head)
	return v.render(page)
}

// movedTo is the account as which this one goes on; nil where it stays. What was removed since then, there or by the
// owner here, is named and not linked.
func (v *view) movedTo(ctx context.Context, a *souk.Account) (*themes.Person, error) {
	if a.MovedTo == "" {
		return nil, nil
	}
	target, err := v.DB.AccountByURI(ctx, a.MovedTo)
	if missing(err) {
		return &themes.Person{Handle: a.MovedTo, URL: a.MovedTo}, nil
	}
	if err != nil {
		return nil, err
	}
	if target.Deleted != nil || target.Suspended != nil || target.SuspendedThere {
		return &themes.Person{Handle: v.DB.Handle(target)}, nil
	}
	p := v.person(target)
	return &p, nil
}
