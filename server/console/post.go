package console

import (
	"net/http"

	"souk"
)

type postsPage struct {
	frame
	Posts []souk.Post
	Pager pager
}

// postPage writes or changes a post.
type postPage struct {
	frame
	ID           int64 // 0: a new one
	Form         postForm
	Gallery      gallery
	Visibilities []option
	Languages    []option
	Max          int
}

type postForm struct {
	Text, Summary, Visibility, Lang string
}

// Posts lists what one has posted.
func (c *Console) Posts(v *Visit) error {
	posts, err := c.DB.AccountPosts(v.ctx(), v.me.ID, v.me.ID, souk.AccountFilter{}, v.page())
	if err != nil {
		return err
	}
	page := postsPage{frame: v.frame("posts", "posts.title"), Posts: posts}
	if n := len(posts); n > 0 {
		page.Pager = v.pager(n, posts[n-1].ID)
	}
	return c.render(v, http.StatusOK, "posts", page)
}

// NewPost shows the empty form of a post.
func (c *Console) NewPost(v *Visit) error {
	lang := v.me.Lang
	if lang == "" {
		lang = v.shop.Lang
	}
	return c.postPage(v, http.StatusOK, postPage{frame: v.frame("write", "post.new"), Form: postForm{Visibility: souk.Public, Lang: lang}})
}

// CreatePost publishes the form.
func (c *Console) CreatePost(v *Visit) error {
	done, err := v.parseForm()
	if err != nil {
		return err
	}
	defer done()
	page := postPage{frame: v.frame("write", "post.new"), Form: readPostForm(v)}
	var stay bool
	if page.Gallery, stay, err = c.gallery(v, &page.frame); err != nil {
		return err
	}
	if stay || len(page.Problems) > 0 {
		return c.postAgain(v, page, stay)
	}
	var made *souk.Post
	err = c.DB.Tx(v.ctx(), func(tx *souk.DB) error {
		if err := page.Gallery.describe(v, tx); err != nil {
			return err
		}
		made, err = tx.CreatePost(v.ctx(), v.me.ID, page.newPost())
		return err
	})
	switch {
	case v.wrong(&page.frame, err, postFields()):
		return c.postAgain(v, page, false)
	case err != nil:
		return err
	}
	return v.see("/console/posts/"+formatID(made.ID), "posted")
}

// ownPost is the post that the path names, of the account that asks.
func (c *Console) ownPost(v *Visit) (*souk.Post, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	p, err := c.DB.Post(v.ctx(), v.me.ID, id)
	if err == nil && p.AccountID != v.me.ID {
		return nil, souk.ErrNotFound
	}
	return p, err
}

// EditPostForm shows a post in its form.
func (c *Console) EditPostForm(v *Visit) error {
	p, err := c.ownPost(v)
	if err != nil {
		return err
	}
	switch p.Kind {
	case souk.KindListing:
		return v.see("/console/products/"+formatID(p.ID), "")
	case souk.KindBoost:
		return souk.ErrNotFound
	}
	page := postPage{frame: v.frame("posts", "post.edit"), ID: p.ID, Form: postForm{Text: p.Source, Summary: p.Summary, Lang: p.Lang, Visibility: p.Visibility},
		Gallery: galleryOf(p.Media)}
	return c.postPage(v, http.StatusOK, page)
}

// EditPost saves a changed post.
func (c *Console) EditPost(v *Visit) error {
	p, err := c.ownPost(v)
	if err != nil {
		return err
	}
	done, err := v.parseForm()
	if err != nil {
		return err
	}
	defer done()
	page := postPage{frame: v.frame("posts", "post.edit"), ID: p.ID, Form: readPostForm(v)}
	var stay bool
	if page.Gallery, stay, err = c.gallery(v, &page.frame); err != nil {
		return err
	}
	if stay || len(page.Problems) > 0 {
		return c.postAgain(v, page, stay)
	}
	err = c.DB.Tx(v.ctx(), func(tx *souk.DB) error {
		// In this order the history of the post keeps what its pictures were called before.
		if _, err := tx.EditPost(v.ctx(), v.me.ID, page.ID, page.newPost()); err != nil {
			return err
		}
		return page.Gallery.describe(v, tx)
	})
	switch {
	case v.wrong(&page.frame, err, postFields()):
		return c.postAgain(v, page, false)
	case err != nil:
		return err
	}
	return v.see("/console/posts/"+formatID(page.ID), "saved")
}

// newPost is the form as the domain wants it.
func (p *postPage) newPost() souk.NewPost {
	return souk.NewPost{Source: p.Form.Text, Summary: p.Form.Summary, Visibility: p.Form.Visibility, Lang: p.Form.Lang, MediaIDs: p.Gallery.IDs()}
}

func readPostForm(v *Visit) postForm {
	return postForm{Text: v.value("text"), Summary: v.value("summary"), Visibility: v.value("visibility"), Lang: v.value("lang")}
}

// postFields maps fields of the domain to those of the form where they differ.
func postFields() map[string]string { return map[string]string{"media_ids": "photos"} }

func (c *Console) postAgain(v *Visit, page postPage, stay bool) error {
	status := http.StatusUnprocessableEntity
	if stay && page.Gallery.Problem == "" {
		status, page.Problems = http.StatusOK, nil
	}
	return c.postPage(v, status, page)
}

func (c *Console) postPage(v *Visit, status int, page postPage) error {
	for _, visibility := range []string{souk.Public, souk.Unlisted, souk.FollowersOnly, souk.Direct} {
		page.Visibilities = append(page.Visibilities, option{Value: visibility, Label: v.t("visibility." + visibility), Hint: v.t("visibility_is." + visibility)})
	}
	page.Languages, page.Max = contentLanguages(page.Form.Lang), souk.MaxPost
	page.Gallery.Hint = v.t("post.photos_hint")
	return c.render(v, status, "post-form", page)
}

type deletePage struct {
	frame
	Post *souk.Post
}

// DeletePostForm asks before a post is deleted, and says what that does.
func (c *Console) DeletePostForm(v *Visit) error {
	p, err := c.ownPost(v)
	if err != nil {
		return err
	}
	if p.Kind != souk.KindNote {
		return souk.ErrNotFound
	}
	return c.render(v, http.StatusOK, "post-delete", deletePage{v.frame("posts", "post.delete_ask"), p})
}

// DeletePost deletes a post.
func (c *Console) DeletePost(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := c.DB.DeletePost(v.ctx(), v.me.ID, id); err != nil {
		return err
	}
	return v.see("/console/posts", "deleted")
}
