package web

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"souk"
	"souk/themes"
)

const (
	// maxDepth is how deep replies are shown inside each other; deeper ones stay at that depth, in order.
	maxDepth = 6
	// pageReplies is how many replies one page shows.
	pageReplies = 60
)

// conversation is what was said to a post: everything that hangs on it in its thread.
func (v *view) conversation(ctx context.Context, p *souk.Post) (c themes.Conversation, err error) {
	thread, err := v.DB.Thread(ctx, 0, p.ThreadID)
	if err != nil {
		return c, err
	}
	c = themes.Conversation{URL: v.postURL(p), Title: v.title(p), Lang: v.foreign(p.Lang), Picture: firstPicture(p.Media),
		ReplyURL: v.with("/follow", "reply", id(p.ID)), Object: p.URI}
	all := v.replies(thread, p.ID)
	for _, r := range all {
		if !r.Deleted {
			c.Total++
		}
		if r.Published.After(c.Latest) {
			c.Latest = r.Published
		}
	}
	first := 0
	if n, err := strconv.Atoi(v.query.Get("replies")); err == nil && n > 1 && n <= souk.MaxThread {
		first = min((n-1)*pageReplies, len(all))
	}
	c.Replies = all[first:min(first+pageReplies, len(all))]
	number := first/pageReplies + 1
	if first > 0 {
		previous := ""
		if number > 2 {
			previous = strconv.Itoa(number - 1)
		}
		c.Pager.Prev = v.but("replies", previous) + "#conversation"
	}
	if first+pageReplies < len(all) {
		c.Pager.Next = v.but("replies", strconv.Itoa(number+1)) + "#conversation"
	}
	return c, nil
}

// replies are the posts of a thread below root in reading order: each after what it answers, the shop's own answers
// before those of others, else the oldest first. What answers a post that is not shown here hangs on the root of its
// thread.
func (v *view) replies(thread []souk.Post, root int64) []themes.Reply {
	known := map[int64]bool{}
	for i := range thread {
		known[thread[i].ID] = true
	}
	children := map[int64][]*souk.Post{}
	for i := range thread {
		p := &thread[i]
		parent := p.ThreadID
		if p.InReplyToID != nil && known[*p.InReplyToID] {
			parent = *p.InReplyToID
		}
		if p.ID != parent {
			children[parent] = append(children[parent], p)
		}
	}
	var all []themes.Reply
	seen := map[int64]bool{root: true} // a thread is a tree; should it not be one, this still ends
	var walk func(parent int64, depth int)
	walk = func(parent int64, depth int) {
		slices.SortStableFunc(children[parent], func(a, b *souk.Post) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID))
		})
		for _, p := range children[parent] {
			if seen[p.ID] {
				continue
			}
			seen[p.ID] = true
			all = append(all, v.reply(p, depth))
			walk(p.ID, min(depth+1, maxDepth))
		}
	}
	walk(root, 0)
	return all
}

// rank puts the shop's own answers first (S-54).
func rank(p *souk.Post) int {
	if p.Account != nil && p.Account.Sells() {
		return 0
	}
	return 1
}

func (v *view) reply(p *souk.Post, depth int) themes.Reply {
	r := themes.Reply{ID: id(p.ID), Depth: depth, Published: p.Published}
	if p.Deleted != nil {
		r.Deleted = true
		return r
	}
	p = p.In(v.tag)
	for _, t := range p.Texts {
		r.Texts = append(r.Texts, themes.Translation{Warning: t.Summary, Content: rich(t.HTML, t.Lang)})
	}
	r.Author, r.Content, r.Warning, r.URL = v.person(p.Account), rich(p.HTML, v.foreign(p.Lang)), v.warning(p), v.postURL(p)
	r.Pictures, r.Films = pictures(p.Media), films(p.Films)
	return r
}

// latest are the n newest of some replies, in the order in which they stand.
func latest(replies []themes.Reply, n int) []themes.Reply {
	newest := slices.SortedFunc(slices.Values(replies), func(a, b themes.Reply) int { return b.Published.Compare(a.Published) })[n-1].Published
	var all []themes.Reply
	for _, r := range replies {
		if !r.Published.Before(newest) && len(all) < n {
			all = append(all, r)
		}
	}
	return all
}

func id(n int64) string { return strconv.FormatInt(n, 10) }
