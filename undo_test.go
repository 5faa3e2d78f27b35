package souk

import (
	"errors"
	"testing"
	"time"
)

// What was taken back before it came changes nothing when it comes; for whoever did it, and for a while.
func TestUndoneBeforeItCame(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, eve := n.remote(t, "ben", "far.example"), n.remote(t, "eve", "far.example")
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	const like, boost, follow = "https://far.example/like", "https://far.example/boost", "https://far.example/follow"
	for _, err := range []error{n.ReceiveUnlike(ctx, like, ben, p.URI, true), n.ReceiveUnboost(ctx, boost, ben, p.URI, true), n.ReceiveUnfollow(ctx, follow, ben, n.owner.ID, true),
		n.ReceiveUndo(ctx, "https://far.example/any", ben)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	late := func(by *Account) []error {
		return []error{n.ReceiveLike(ctx, like, by, p.ID), n.ReceiveBoost(ctx, boost, by, p.ID, n.Now()), n.ReceiveFollow(ctx, follow, by, n.owner, false),
			n.ReceiveLike(ctx, "https://far.example/any", by, p.ID)}
	}
	for i, err := range late(ben) {
		if !errors.Is(err, ErrGone) {
			t.Errorf("%d came late: %v", i, err)
		}
	}
	if p, err := n.Post(ctx, 0, p.ID); err != nil || p.Likes != 0 || p.Boosts != 0 {
		t.Errorf("%d likes, %d boosts, %v", p.Likes, p.Boosts, err)
	}
	for i, err := range late(eve) {
		if err != nil {
			t.Errorf("%d of somebody else: %v", i, err)
		}
	}
	n.clock.Advance(time.Hour)
	if count, err := n.PruneUndone(ctx, 2*time.Hour); err != nil || count != 0 {
		t.Errorf("%d forgotten too early, %v", count, err)
	}
	if count, err := n.PruneUndone(ctx, time.Minute); err != nil || count != 4 {
		t.Errorf("%d forgotten, %v: want 4", count, err)
	}
}

// A post that is deleted before it comes leaves a tombstone that keeps it out, and that is forgotten after some time unless
// replies stand under it.
func TestDeletedBeforeItCame(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	post := func(uri, parent string) RemotePost {
		return RemotePost{URI: uri, Author: ben, HTML: "x", Visibility: Public, InTimeline: true, Published: n.Now().Add(-time.Hour), InReplyToURI: parent}
	}
	const alone, parent = "https://far.example/1", "https://far.example/2"
	for _, uri := range []string{alone, parent, alone} {
		if err := n.ReceiveDelete(ctx, ben, uri); err != nil {
			t.Fatal(err)
		}
	}
	for _, uri := range []string{alone, parent} {
		if _, deleted, err := n.KeepPost(ctx, post(uri, "")); err != nil || !deleted {
			t.Errorf("%s came back: %v", uri, err)
		}
	}
	reply, err := n.ReceivePost(ctx, post("https://far.example/3", parent))
	if err != nil || reply.InReplyToID == nil {
		t.Fatalf("%+v %v", reply, err)
	}
	seen, err := n.ReceivePost(ctx, post("https://far.example/4", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ReceiveDelete(ctx, ben, seen.URI); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(31 * 24 * time.Hour)
	if count, err := n.PruneUndone(ctx, 30*24*time.Hour); err != nil || count != 1 {
		t.Errorf("%d forgotten, %v: want 1", count, err)
	}
	for uri, there := range map[string]bool{alone: false, parent: true, seen.URI: true} {
		if _, _, err := n.KnownPost(ctx, uri); there != (err == nil) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
