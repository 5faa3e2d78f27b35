package federation

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"souk"
)

// applyBlock notes that an account of this node is blocked (ActivityPub 6.9; Mastodon and others tell): follows between the
// two end, and what the blocked one does to the other is refused.
func (f *Federation) applyBlock(ctx context.Context, in *incoming) (plan, error) {
	blocked, err := f.local(ctx, in.id)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error {
		return tx.ReceiveBlock(ctx, in.ActivityID, in.by, blocked.ID)
	}, nil
}

// applyFlag takes a report about accounts and posts of this node. What it is about stands in object: an actor and posts in
// any order, as ids or objects (Mastodon, Pleroma), one of them (Lemmy), or an actor whose posts are named by their addresses in
// the text (Misskey). The rest is ignored. Who reported is mostly hidden behind the actor of the node.
func (f *Federation) applyFlag(ctx context.Context, in *incoming) (plan, error) {
	comment := in.body.first("content", "summary")
	named := slices.Concat(in.body.ids("object"), addressesIn(comment))
	named = slices.DeleteFunc(named, func(address string) bool { return !f.own(address) })
	about, err := f.db.Reported(ctx, named)
	if err != nil {
		return nil, err
	}
	if len(about) == 0 {
		return nil, ignored("a report about nothing of this node")
	}
	return func(ctx context.Context, tx *souk.DB) error {
		for _, target := range slices.Sorted(maps.Keys(about)) {
			taken, err := tx.ReceiveReport(ctx, souk.RemoteReport{URI: in.ActivityID, From: in.by, TargetID: target, PostIDs: about[target], Comment: comment})
			if err != nil {
				return err
			}
			if !taken {
				return ignored("the reports of this host are not read, or it sends too many")
			}
		}
		return nil
	}, nil
}

// addressesIn are the first addresses of a text.
func addressesIn(text string) []string {
	return regexp.MustCompile(`https?://[^\s<>"]+`).FindAllString(text, maxElements)
}
