package web

import (
	"context"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

const (
	homeProducts      = 8
	homeConversations = 6
	homePosts         = 6
	// homeReplies is how much of a conversation the front page shows.
	homeReplies = 2
)

// Home answers the front page.
func (w *Web) Home(c echo.Context) error { return w.public(c, w.home) }

func (w *Web) home(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(true); a != nil || err != nil {
		return a, err
	}
	posts, err := w.DB.ShopPosts(ctx, souk.Page{Limit: homePosts + 1})
	if err != nil {
		return nil, err
	}
	cards, err := v.postCards(ctx, posts)
	if err != nil {
		return nil, err
	}
	top, err := v.pins(ctx, v.owner)
	if err != nil {
		return nil, err
	}
	newest, err := v.shelf(ctx, souk.ListingFilter{}, top.listings, homeProducts)
	if err != nil {
		return nil, err
	}
	listings := append(top.listings, newest...)
	listings = listings[:min(homeProducts, len(listings))]
	page := themes.HomePage{Frame: v.frame(themes.Head{Description: v.shop.Tagline, ActivityPub: v.owner.URI, Creator: v.DB.Handle(v.owner)}),
		Products: v.productCards(listings)}
	if len(cards) > 0 {
		page.Lead, page.Posts = &cards[0], cards[1:]
		page.Head.Image = cards[0].Picture
	}
	if page.Conversations, err = v.conversations(ctx); err != nil {
		return nil, err
	}
	if page.Followers, _, err = w.DB.FollowCounts(ctx, v.owner.ID); err != nil {
		return nil, err
	}
	shop := v.organisation()
	if page.Head.Data, err = linked(shop); err != nil {
		return nil, err
	}
	return v.render(page)
}

// conversations are those of the front page, each with its latest answers.
func (v *view) conversations(ctx context.Context) ([]themes.Conversation, error) {
	found, err := v.DB.Conversations(ctx, homeConversations)
	if err != nil {
		return nil, err
	}
	var all []themes.Conversation
	for i := range found {
		root := &found[i].Root
		if root.Listing != nil && root.Listing.State == souk.ListingDraft {
			continue
		}
		thread, err := v.DB.Thread(ctx, 0, root.ID)
		if err != nil {
			return nil, err
		}
		c := themes.Conversation{URL: v.postURL(root) + "#conversation", Title: v.title(root), Lang: v.foreign(root.Lang),
			Picture: firstPicture(root.Media), Latest: found[i].Latest.Published}
		replies := v.replies(thread, root.ID)
		for _, r := range replies {
			if !r.Deleted {
				c.Total++
				c.Replies = append(c.Replies, r)
			}
		}
		if n := len(c.Replies); n > homeReplies {
			c.Replies = latest(c.Replies, homeReplies)
		}
		if c.Total > 0 {
			all = append(all, c)
		}
	}
	return all, nil
}
