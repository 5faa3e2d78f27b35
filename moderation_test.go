package souk

import (
	"errors"
	"sync"
	"testing"
)

func TestBlock(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	n.follows(t, ben)
	if err := n.ReceiveFollow(ctx, ben.URI+"#f", ben, n.owner, false); err != nil {
		t.Fatal(err)
	}
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	n.waiting(t)
	for range 2 {
		if err := n.Block(ctx, n.owner.ID, ben.ID); err != nil {
			t.Fatal(err)
		}
	}
	got := n.waiting(t)
	if len(got) == 2 && got[0] == EventUnfollowed {
		got[0], got[1] = got[1], got[0]
	}
	wantKinds(t, got, EventFollowRejected, EventUnfollowed) // the other node must stop sending, and know that it follows no more
	if err := n.ReceiveLike(ctx, ben.URI+"/like", ben, p.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a like of who is blocked: %v", err)
	}
	if _, err := n.ReceivePost(ctx, RemotePost{URI: ben.URI + "/1", Author: ben, HTML: "but", InReplyToURI: p.URI, Visibility: Public}); !errors.Is(err, ErrForbidden) {
		t.Errorf("an answer of who is blocked: %v", err)
	}
	if err := n.ReceiveFollow(ctx, ben.URI+"#f2", ben, n.owner, false); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, n.waiting(t), EventFollowRejected)
	if list, err := n.Blocked(ctx, n.owner.ID); err != nil || len(list) != 1 || list[0].ID != ben.ID {
		t.Errorf("blocked: %v %v", list, err)
	}
	if err := n.Block(ctx, n.owner.ID, n.owner.ID); !isInvalid(err, "account") {
		t.Errorf("oneself: %v", err)
	}
}

// However a follow and a block meet, no follow is left beside a block.
func TestBlockAgainstFollow(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for i := range 20 {
		ben := n.remote(t, "ben"+formatID(int64(i)), "far.example")
		var group sync.WaitGroup
		var blocked, followed error
		group.Go(func() { blocked = n.Block(ctx, n.owner.ID, ben.ID) })
		group.Go(func() { followed = n.ReceiveFollow(ctx, ben.URI+"#f", ben, n.owner, false) })
		group.Wait()
		if blocked != nil || followed != nil {
			t.Fatal(blocked, followed)
		}
		if state, err := n.FollowState(ctx, ben.ID, n.owner.ID); err != nil || state != "" {
			t.Fatalf("round %d: blocked, and %s as a follower (%v)", i, state, err)
		}
	}
}

func TestBlockHost(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	n.follows(t, ben)
	n.said(t, ben, "hello", "", Public)
	member, err := n.CreateAccount(ctx, NewAccount{Name: "member"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.BlockHost(ctx, member.ID, "far.example", Suspend, ""); !errors.Is(err, ErrForbidden) {
		t.Errorf("by a member: %v", err)
	}
	for _, host := range []string{"", "https://far.example", "far.example/users", "a b", "shop.example", "SHOP.example", "far\x00.example"} {
		if err := n.BlockHost(ctx, n.owner.ID, host, Suspend, ""); !isInvalid(err, "host") {
			t.Errorf("%q: %v", host, err)
		}
	}
	waiting := func() (list []ToIndex) {
		list, err := n.TakeToIndex(ctx, 100, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Indexed(ctx, list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	waiting()
	for range 2 {
		if err := n.BlockHost(ctx, n.owner.ID, " Far.Example ", Suspend, "spam"); err != nil {
			t.Fatal(err)
		}
	}
	if yes, err := n.Refused(ctx, "far.example", ben.URI); err != nil || !yes {
		t.Errorf("refused: %v %v", yes, err)
	}
	if list := waiting(); len(list) != 1 {
		t.Errorf("the index hears of %v: want the post", list)
	}
	if state, err := n.FollowState(ctx, n.owner.ID, ben.ID); err != nil || state != "" {
		t.Errorf("still follows: %q %v", state, err)
	}
	if _, err := n.Follow(ctx, n.owner.ID, ben.ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("follows again: %v", err)
	}
	if list, err := n.AccountPosts(ctx, n.owner.ID, ben.ID, AccountFilter{}, Page{}); err != nil || len(list) != 0 {
		t.Errorf("posts %v %v", list, err)
	}
	if list, err := n.HostBlocks(ctx, "", 0); err != nil || len(list) != 1 || list[0].Reason != "spam" {
		t.Errorf("list %v %v", list, err)
	}
	if err := n.BlockHost(ctx, n.owner.ID, "far.example", "", ""); err != nil {
		t.Fatal(err)
	}
	if list, err := n.AccountPosts(ctx, 0, ben.ID, AccountFilter{}, Page{}); err != nil || len(list) != 1 {
		t.Errorf("lifted: %v %v", list, err)
	}
}
