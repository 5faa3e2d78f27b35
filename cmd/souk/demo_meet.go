package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"souk"
)

// acquaint lets people follow people and nodes follow nodes, over the network.
func (d *demo) acquaint(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, f := range []struct {
		from     *demoNode
		name, to string
	}{
		{d.reader, "mira", "qingshan@" + d.pottery.address},
		{d.prints, "tintaelinho", "qingshan@" + d.pottery.address},
		{d.pottery, "qingshan", "tintaelinho@" + d.prints.address},
	} {
		group.Go(func() error { return f.from.follow(ctx, f.name, f.to) })
	}
	group.Go(func() error { return d.prints.followNode(ctx, d.pottery) })
	group.Go(func() error { return d.pottery.followNode(ctx, d.prints) })
	return group.Wait()
}

// follow lets a person of this node follow another by handle, and waits for the other node's consent.
func (n *demoNode) follow(ctx context.Context, name, handle string) error {
	me, err := n.actor(ctx, name)
	if err != nil {
		return err
	}
	other, err := n.fed.ResolveHandle(ctx, handle)
	if err != nil {
		return err
	}
	if _, err := n.db.Follow(ctx, me.ID, other.ID); err != nil {
		return err
	}
	return n.accepted(ctx, me, other)
}

// converse plays the questions of B and C and the seller's answers. Each crosses between the nodes, and is waited for.
func (d *demo) converse(ctx context.Context, people []*souk.Account, m *made) error {
	defer func() {
		for _, n := range d.nodes() {
			n.clock.set(0)
		}
	}()
	byLetter := func(letter string) (*demoNode, *souk.Account) {
		i := slices.IndexFunc(d.nodes(), func(n *demoNode) bool { return n.letter == letter })
		return d.nodes()[i], people[i]
	}
	for _, r := range demoReplies() {
		from, who := byLetter(r.by)
		parent, err := from.arrived(ctx, m.uris[r.to])
		if err != nil {
			return err
		}
		if err := from.db.Like(ctx, who.ID, parent.ID); err != nil {
			return err
		}
		from.clock.set(r.ago)
		question, err := from.db.CreatePost(ctx, who.ID, souk.NewPost{Source: r.text, Lang: r.lang, InReplyTo: parent.ID})
		if err != nil {
			return err
		}
		asked, err := d.pottery.arrived(ctx, question.URI)
		if err != nil {
			return err
		}
		d.pottery.clock.set(r.ago - 40*time.Minute)
		if _, err := d.pottery.db.CreatePost(ctx, people[0].ID, souk.NewPost{Source: r.answer, Lang: r.lang, InReplyTo: asked.ID}); err != nil {
			return err
		}
	}
	d.prints.clock.set(2 * hour)
	kiln, err := d.prints.arrived(ctx, m.uris["kiln"])
	if err != nil {
		return err
	}
	_, err = d.prints.db.Boost(ctx, people[1].ID, kiln.ID)
	return err
}

// arrived waits until the node has the object with the address.
func (n *demoNode) arrived(ctx context.Context, uri string) (post *souk.Post, err error) {
	err = until(ctx, uri+" to arrive at node "+n.letter, func(ctx context.Context) (string, bool) {
		var err error
		if post, err = n.db.PostByURI(ctx, 0, uri); errors.Is(err, souk.ErrNotFound) {
			return "nothing", false
		} else if err != nil {
			return err.Error(), false
		}
		return "", true
	})
	return post, err
}

// followNode lets this node follow another node's catalogue, and waits for its consent.
func (n *demoNode) followNode(ctx context.Context, other *demoNode) error {
	owner, err := n.db.Owner(ctx)
	if err != nil {
		return err
	}
	theirs, err := n.fed.FollowNode(ctx, owner.ID, other.address)
	if err != nil {
		return err
	}
	mine, err := n.db.Catalogue(ctx)
	if err != nil {
		return err
	}
	return n.accepted(ctx, mine, theirs)
}

// accepted waits until another node has consented to a follow.
func (n *demoNode) accepted(ctx context.Context, me, other *souk.Account) error {
	return until(ctx, n.db.Handle(other)+" to accept the follow of "+n.db.Handle(me), func(ctx context.Context) (string, bool) {
		state, err := n.db.FollowState(ctx, me.ID, other.ID)
		if err != nil {
			return err.Error(), false
		}
		return "the follow " + cmp.Or(state, "gone"), state == souk.FollowAccepted
	})
}
