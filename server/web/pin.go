package web

import (
	"context"
	"slices"

	"souk"
)

// pins are what an account of this node shows on top of its profile, the newest pin first.
type pins struct {
	listings []souk.Listing
	posts    []souk.Post
}

// pins are those of an account as strangers see them: without products while the shop is closed.
func (v *view) pins(ctx context.Context, a *souk.Account) (top pins, err error) {
	pinned, err := v.DB.Pinned(ctx, 0, a.ID)
	if err != nil {
		return top, err
	}
	for _, p := range pinned {
		switch {
		case p.Listing == nil:
			top.posts = append(top.posts, p)
		case p.Listing.Slug != "" && v.shop.Open:
			top.listings = append(top.listings, *p.Listing)
		}
	}
	return top, nil
}

// ids are the posts and listings on top, which lists below leave out.
func (top pins) ids() []int64 {
	var all []int64
	for _, l := range top.listings {
		all = append(all, l.ID)
	}
	for _, p := range top.posts {
		all = append(all, p.ID)
	}
	return all
}

// shelf is the n newest products that the filter finds, without some.
func (v *view) shelf(ctx context.Context, f souk.ListingFilter, without []souk.Listing, n int) ([]souk.Listing, error) {
	list, err := v.DB.Listings(ctx, f, souk.Page{Limit: n + len(without)})
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(l souk.Listing) bool {
		return slices.ContainsFunc(without, func(o souk.Listing) bool { return o.ID == l.ID })
	})
	return list[:min(n, len(list))], nil
}
