package console

import (
	"net/http"
	"slices"

	"souk"
)

// historyPage is what a post of anybody said before it was edited, to those who may read the post.
type historyPage struct {
	frame
	Post     *souk.Post
	Versions []souk.Edit // the newest first
}

// History shows what a post said before.
func (c *Console) History(v *Visit) error {
	p, err := c.visiblePost(v)
	if err != nil {
		return err
	}
	page := historyPage{frame: v.frame("posts", "history.title"), Post: p}
	if page.Versions, err = c.DB.Edits(v.ctx(), v.me.ID, p.ID); err != nil {
		return err
	}
	slices.Reverse(page.Versions)
	return c.render(v, http.StatusOK, "history", page)
}
