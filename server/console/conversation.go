package console

import (
	"net/http"

	"souk"
)

// talkPage is a post in its conversation, with a form to answer it.
type talkPage struct {
	frame
	Post *souk.Post
	Mine bool
	// Pinnable says that it can stand on top of the profile, Pinned that it does.
	Pinnable, Pinned bool
	Talk             []said
	Ask              string // label of the answer
	Text             string // of the answer, as typed

	Buyable  *souk.Listing // of another node, and can be ordered from here; nil: not
	Quantity string        // of the order, as typed
}

// said is one post of a conversation.
type said struct {
	souk.Post
	Handle  string
	Mine    bool
	Here    bool // the post that the page is about
	Liked   bool
	Boosted bool
	Open    bool // may be boosted
}

// Conversation shows a post with what was said around it.
func (c *Console) Conversation(v *Visit) error {
	p, err := c.visiblePost(v)
	if err != nil {
		return err
	}
	return c.talkPage(v, http.StatusOK, p, talkPage{frame: v.frame("posts", "talk.title")})
}

// visiblePost is the post that the path names, of anybody, as the account that asks may see it.
func (c *Console) visiblePost(v *Visit) (*souk.Post, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	p, err := c.DB.Post(v.ctx(), v.me.ID, id)
	if err == nil && p.Kind == souk.KindBoost {
		if p.BoostOf == nil {
			return nil, souk.ErrGone
		}
		return c.DB.Post(v.ctx(), v.me.ID, p.BoostOf.ID)
	}
	return p, err
}

// Reply answers the post that the path names, to those who may read that.
func (c *Console) Reply(v *Visit) error {
	p, err := c.visiblePost(v)
	if err != nil {
		return err
	}
	text := v.value("text")
	page := talkPage{frame: v.frame("posts", "talk.title"), Text: text}
	lang := v.me.Lang
	if lang == "" {
		lang = v.shop.Lang
	}
	answer, err := c.DB.CreatePost(v.ctx(), v.me.ID, souk.NewPost{Source: text, Visibility: p.Visibility, Lang: lang, InReplyTo: p.ID, Mentions: []int64{p.AccountID}})
	switch {
	case v.wrong(&page.frame, err, nil):
		return c.talkPage(v, http.StatusUnprocessableEntity, p, page)
	case err != nil:
		return err
	}
	return v.see("/console/posts/"+formatID(answer.ID), "answered")
}

func (c *Console) talkPage(v *Visit, status int, p *souk.Post, page talkPage) error {
	thread, err := c.DB.Thread(v.ctx(), v.me.ID, p.ThreadID)
	if err != nil {
		return err
	}
	ids := make([]int64, len(thread))
	for i := range thread {
		ids[i] = thread[i].ID
	}
	reactions, err := c.DB.Reactions(v.ctx(), v.me.ID, ids)
	if err != nil {
		return err
	}
	for _, t := range thread {
		r := reactions[t.ID]
		one := said{Post: *t.In(v.lang), Handle: c.DB.Handle(t.Account), Mine: t.AccountID == v.me.ID, Here: t.ID == p.ID,
			Liked: r.Liked, Boosted: r.Boosted, Open: t.Visibility == souk.Public || t.Visibility == souk.Unlisted}
		page.Talk = append(page.Talk, one)
	}
	page.Post, page.Mine = p, p.AccountID == v.me.ID
	page.Pinnable = page.Mine && (p.Visibility == souk.Public || p.Visibility == souk.Unlisted)
	if page.Pinned, err = c.DB.IsPinned(v.ctx(), p.ID); err != nil {
		return err
	}
	if l := p.Listing; l != nil && !p.Local && l.Intent != "" && l.OnSale() {
		page.Buyable = l
		if page.Quantity == "" {
			page.Quantity = "1"
		}
	}
	page.Ask = v.t("talk.your_answer", "Name", p.Account.Title())
	if page.Mine {
		page.Ask = v.t("talk.go_on")
	}
	return c.render(v, status, "conversation", page)
}

// React likes or boosts the post that the path names, or takes that back.
func (c *Console) React(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	switch v.FormValue("do") {
	case "like":
		err = c.DB.Like(v.ctx(), v.me.ID, id)
	case "unlike":
		err = c.DB.Unlike(v.ctx(), v.me.ID, id)
	case "boost":
		_, err = c.DB.Boost(v.ctx(), v.me.ID, id)
	case "unboost":
		err = c.DB.Unboost(v.ctx(), v.me.ID, id)
	default:
		err = souk.ErrNotFound
	}
	if err != nil {
		return err
	}
	return v.see("/console/posts/"+formatID(id), "")
}
