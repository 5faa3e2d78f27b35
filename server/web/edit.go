package web

import (
	"context"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

// versionsPerPage keeps the longest posts, edited as often as is kept, within what one page may hold.
const versionsPerPage = 20

// History answers what a post said before it was edited. Listings have none.
func (w *Web) History(c echo.Context) error { return w.public(c, w.history, "page") }

func (w *Web) history(ctx context.Context, v *view) (*answer, error) {
	if a, err := v.gate(false); a != nil || err != nil {
		return a, err
	}
	p, err := v.written(ctx)
	if err != nil {
		return nil, err
	}
	if p.Listing != nil {
		return nil, souk.ErrNotFound
	}
	edits, err := w.DB.Edits(ctx, 0, p.ID)
	if err != nil {
		return nil, err
	}
	slices.Reverse(edits)
	number := 1
	if asked := v.query.Get("page"); asked != "" {
		number, err = strconv.Atoi(asked)
		// A page behind the last one would be another address to keep, of which strangers can invent any number.
		if err != nil || number < 1 || number > max(1, (len(edits)+versionsPerPage-1)/versionsPerPage) || strconv.Itoa(number) != asked {
			return nil, souk.ErrNotFound
		}
	}
	page := themes.HistoryPage{Author: v.seller(p.Account), PostURL: v.postURL(p)}
	if p.Edited != nil {
		page.Edited = p.Edited.UTC()
	}
	first := (number - 1) * versionsPerPage
	for _, e := range edits[first:min(first+versionsPerPage, len(edits))] {
		page.Versions = append(page.Versions, themes.PostVersion{From: e.At.UTC(), Content: rich(e.HTML, v.foreign(p.Lang)),
			Warning: v.warning(&souk.Post{Summary: e.Summary, Sensitive: p.Sensitive}), Pictures: e.Pictures})
	}
	if number > 1 {
		page.Pager.Prev = v.but("page", strconv.Itoa(number-1))
	}
	if first+versionsPerPage < len(edits) {
		page.Pager.Next = v.but("page", strconv.Itoa(number+1))
	}
	page.Frame = v.frame(themes.Head{Title: v.theme("history.title"), Section: "posts", NoIndex: true})
	return v.render(page)
}
