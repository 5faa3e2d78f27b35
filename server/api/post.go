package api

import (
	"errors"
	"time"

	"souk"
)

// Post is something that somebody wrote.
type Post struct {
	ID          ID         `json:"id"`
	URL         string     `json:"url" doc:"Its page."`
	URI         string     `json:"uri" doc:"Its ActivityPub id."`
	Text        string     `json:"text" doc:"Markdown; empty where it was written on another node."`
	HTML        string     `json:"html" doc:"The text, safe to show."`
	Summary     string     `json:"summary" doc:"What to know before one reads it."`
	Sensitive   bool       `json:"sensitive"`
	Visibility  string     `json:"visibility" enum:"public,unlisted,followers,direct"`
	Lang        string     `json:"lang"`
	InReplyToID *ID        `json:"in_reply_to_id"`
	Media       []Media    `json:"media"`
	Tags        []string   `json:"tags"`
	Author      Seller     `json:"author"`
	Published   time.Time  `json:"published"`
	Edited      *time.Time `json:"edited"`

	address string
}

// NewPost is what somebody writes.
type NewPost struct {
	Text        string `json:"text" maxlen:"5000" doc:"Markdown. Needed where there are no pictures."`
	Summary     string `json:"summary" maxlen:"500" doc:"What to know before one reads it."`
	Sensitive   bool   `json:"sensitive"`
	Visibility  string `json:"visibility" enum:"public,unlisted,followers,direct" doc:"public where nothing is said."`
	Lang        string `json:"lang" format:"lang" doc:"BCP 47."`
	InReplyToID ID     `json:"in_reply_to_id" doc:"A post or listing."`
	MediaIDs    []ID   `json:"media_ids" doc:"Uploaded pictures in their order; at most 10."`
}

func (p Post) location() string { return p.address }

func (a *API) post(p *souk.Post) Post {
	out := Post{ID: ID(p.ID), URL: p.URL, URI: p.URI, Text: p.Source, HTML: p.HTML, Summary: p.Summary, Sensitive: p.Sensitive, Visibility: p.Visibility,
		Lang: p.Lang, Media: a.mediaList(p.Media), Tags: make([]string, len(p.Tags)), Published: p.Published, Edited: p.Edited,
		address: a.DB.BaseURL() + Base + "/posts/" + formatID(p.ID)}
	if p.InReplyToID != nil {
		id := ID(*p.InReplyToID)
		out.InReplyToID = &id
	}
	for i, t := range p.Tags {
		out.Tags[i] = t.Name
	}
	if p.Account != nil {
		out.Author = Seller{Handle: a.DB.Handle(p.Account), Name: p.Account.Title(), URL: p.Account.URL}
	}
	return out
}

func (a *API) createPost(r *request, in NewPost) (Post, error) {
	p, err := a.DB.CreatePost(r.Request().Context(), r.account.ID, souk.NewPost{Source: in.Text, Summary: in.Summary, Sensitive: in.Sensitive,
		Lang: in.Lang, Visibility: in.Visibility, InReplyTo: int64(in.InReplyToID), MediaIDs: ints(in.MediaIDs)})
	if err != nil {
		return Post{}, renamed(err, "in_reply_to", "in_reply_to_id")
	}
	return a.post(p), nil
}

// renamed gives a field of the domain the name that it has here.
func renamed(err error, from, to string) error {
	var invalid *souk.Invalid
	if errors.As(err, &invalid) {
		for i := range invalid.Problems {
			if invalid.Problems[i].Field == from {
				invalid.Problems[i].Field = to
			}
		}
	}
	return err
}

func (a *API) posts(r *request, in Paging) ([]Post, error) {
	list, err := a.DB.ShopPosts(r.Request().Context(), in.page())
	if err != nil {
		return nil, err
	}
	out := make([]Post, len(list))
	for i := range list {
		out[i] = a.post(&list[i])
	}
	if len(list) > 0 {
		r.link(in, len(list), list[len(list)-1].ID)
	}
	return out, nil
}

func (a *API) onePost(r *request, _ none) (Post, error) {
	id, err := r.id()
	if err != nil {
		return Post{}, err
	}
	p, err := a.DB.Post(r.Request().Context(), r.viewer("read:statuses"), id)
	if err != nil {
		return Post{}, err
	}
	if p.Kind == souk.KindBoost {
		return Post{}, souk.ErrNotFound
	}
	return a.post(p), nil
}

func (a *API) deletePost(r *request, _ none) (none, error) {
	id, err := r.id()
	if err != nil {
		return none{}, err
	}
	return none{}, a.DB.DeletePost(r.Request().Context(), r.account.ID, id)
}
