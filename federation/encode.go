package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"

	"souk"
)

// pictureWidth is how wide the rendition of a picture is that other servers are pointed at.
const pictureWidth = 1280

// encoder makes ActivityPub objects of what db holds; db may be a transaction.
type encoder struct {
	db *souk.DB
}

// note is a living post or listing of this node as others read it, without @context.
func (e encoder) note(ctx context.Context, p *souk.Post) (*note, error) {
	n := &note{ID: p.URI, Type: "Note", AttributedTo: p.Account.URI, InReplyTo: p.InReplyToURI, URL: p.URL,
		Published: timestamp(p.Published), Summary: p.Summary, Sensitive: p.Sensitive, Content: souk.WithoutHeadings(p.HTML),
		Tag: []tag{}, Attachment: []attachment{}, Replies: p.URI + "/replies", Likes: p.URI + "/likes", Shares: p.URI + "/shares"}
	if p.Edited != nil {
		n.Updated = timestamp(*p.Edited)
	}
	if p.Lang != "" {
		n.ContentMap = map[string]string{p.Lang: n.Content}
	}
	if p.Visibility == souk.Public || p.Visibility == souk.Unlisted {
		// Mastodon reads a missing policy as "nobody may quote".
		n.InteractionPolicy = &interactionPolicy{CanQuote: approval{AutomaticApproval: []string{publicAudience}}}
	}
	addressed, err := e.addressed(ctx, p)
	if err != nil {
		return nil, err
	}
	n.To, n.CC = audience(p, addressed)
	for _, a := range addressed {
		n.Tag = append(n.Tag, tag{Type: "Mention", Name: e.db.Handle(&a), Href: a.URI})
	}
	for _, t := range p.Tags {
		n.Tag = append(n.Tag, tag{Type: "Hashtag", Name: "#" + t.Name, Href: e.db.BaseURL() + "/tags/" + url.PathEscape(t.Tag)})
	}
	for i := range p.Media {
		n.Attachment = append(n.Attachment, e.picture(&p.Media[i]))
	}
	if n.Conversation, err = e.conversation(ctx, p); err != nil {
		return nil, err
	}
	if p.Listing != nil {
		n.addProposal(p.Listing)
	}
	return n, nil
}

// addressed are the accounts that a post speaks to: those mentioned, and whom it answers. The latter is not added to a
// post that only some may read: nobody reads it who was not chosen.
func (e encoder) addressed(ctx context.Context, p *souk.Post) ([]souk.Account, error) {
	list := slices.Clone(p.Mentions)
	if p.InReplyToID == nil || p.Visibility != souk.Public && p.Visibility != souk.Unlisted {
		return list, nil
	}
	parent, err := e.db.PostForDelivery(ctx, *p.InReplyToID)
	if errors.Is(err, souk.ErrNotFound) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	known := func(a souk.Account) bool { return a.ID == parent.AccountID }
	if parent.Deleted != nil || parent.AccountID == p.AccountID || slices.ContainsFunc(list, known) {
		return list, nil
	}
	return append([]souk.Account{*parent.Account}, list...), nil
}

// audience is the addressing of a post (ActivityPub 5.6, 7.1): to decides the visibility that other servers see.
func audience(p *souk.Post, addressed []souk.Account) (to, cc []string) {
	to, cc = []string{}, []string{}
	people := make([]string, len(addressed))
	for i := range addressed {
		people[i] = addressed[i].URI
	}
	switch p.Visibility {
	case souk.Public:
		to, cc = append(to, publicAudience), append(cc, p.Account.FollowersURI)
	case souk.Unlisted:
		to, cc = append(to, p.Account.FollowersURI), append(cc, publicAudience)
	case souk.FollowersOnly:
		to = append(to, p.Account.FollowersURI)
	default:
		return append(to, people...), cc
	}
	return to, append(cc, people...)
}

// conversation is the collection of the whole conversation where it began here; empty where another node keeps it.
func (e encoder) conversation(ctx context.Context, p *souk.Post) (string, error) {
	if p.Visibility != souk.Public && p.Visibility != souk.Unlisted {
		return "", nil
	}
	if p.ThreadID == p.ID {
		return p.URI + "/context", nil
	}
	root, err := e.db.PostForDelivery(ctx, p.ThreadID)
	switch {
	case errors.Is(err, souk.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case !root.Local || root.Deleted != nil || root.Visibility != souk.Public && root.Visibility != souk.Unlisted:
		return "", nil
	}
	return root.URI + "/context", nil
}

// picture is a picture as attached to a note.
func (e encoder) picture(m *souk.Media) attachment {
	a := attachment{Type: "Document", MediaType: m.MIME, URL: e.db.BaseURL() + m.Path(pictureWidth), Name: m.Alt, Summary: m.Alt,
		Blurhash: m.Blurhash, Width: m.Width, Height: m.Height}
	for _, s := range m.Sizes { // the one that Path chose
		a.MediaType, a.Width, a.Height = s.MIME, s.Width, s.Height
		if s.Width >= pictureWidth {
			break
		}
	}
	if m.FocalX != 0 || m.FocalY != 0 {
		a.FocalPoint = []float32{m.FocalX, m.FocalY}
	}
	return a
}

// tombstone is what is left of a deleted post.
func (e encoder) tombstone(p *souk.Post) *tombstone {
	t := &tombstone{ID: p.URI, Type: "Tombstone", FormerType: "Note"}
	if p.Deleted != nil {
		t.Deleted = timestamp(*p.Deleted)
	}
	return t
}

// activityURI is the id of an activity of this node that has no other address.
func (e encoder) activityURI(id int64) string { return e.db.BaseURL() + "/activities/" + formatID(id) }

// about is an activity around a note, addressed as the note is.
func (e encoder) about(kind, id string, n *note) activity {
	a := activity{Context: noteContext(n), ID: id, Type: kind, Actor: n.AttributedTo, Published: n.Published, To: n.To, CC: n.CC, Object: n}
	if kind == "Update" {
		a.Published = n.Updated
	}
	return a
}

// noteContext is the context of a note: listings have more terms.
func noteContext(n *note) json.RawMessage {
	if n.Publishes != nil {
		return json.RawMessage(contextListing)
	}
	return json.RawMessage(contextNote)
}

func plainContext() json.RawMessage { return json.RawMessage(contextPlain) }

func quoteContext() json.RawMessage { return json.RawMessage(contextQuote) }

func tombstoneContext() json.RawMessage { return json.RawMessage(contextTombstone) }
