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
	if len(got) == 3 && got[0] == EventUnfollowed {
		got[0], got[1] = got[1], got[0]
	}
	// The other node must stop sending, know that it follows no more, and that it is blocked: once, however often.
	wantKinds(t, got, EventFollowRejected, EventUnfollowed, EventBlocked)
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
	for range 2 {
		if err := n.Unblock(ctx, n.owner.ID, ben.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantKinds(t, n.waiting(t), EventUnblocked)
	if err := n.ReceiveLike(ctx, ben.URI+"/like", ben, p.ID); err != nil {
		t.Errorf("a like after the block was lifted: %v", err)
	}
}

// Who is blocked elsewhere can neither see, answer, like, boost nor follow who blocked; others can.
func TestBlockedElsewhere(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	cora, err := n.CreateAccount(ctx, NewAccount{Name: "cora"})
	if err != nil {
		t.Fatal(err)
	}
	n.follows(t, ben)
	p := n.said(t, ben, "hello", "", Public)
	n.waiting(t)
	if err := n.ReceiveBlock(ctx, ben.URI+"#block", ben, n.owner.ID); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, n.waiting(t)) // it knows
	if state, err := n.FollowState(ctx, n.owner.ID, ben.ID); err != nil || state != "" {
		t.Errorf("still follows: %q %v", state, err)
	}
	if err := n.Like(ctx, n.owner.ID, p.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("like: %v", err)
	}
	if _, err := n.Boost(ctx, n.owner.ID, p.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("boost: %v", err)
	}
	if _, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "but", InReplyTo: p.ID}); !isInvalid(err, "in_reply_to") {
		t.Errorf("reply: %v", err)
	}
	if _, err := n.Follow(ctx, n.owner.ID, ben.ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("follow: %v", err)
	}
	if list, err := n.AccountPosts(ctx, n.owner.ID, ben.ID, AccountFilter{}, Page{}); err != nil || len(list) != 0 {
		t.Errorf("sees %v %v", list, err)
	}
	if err := n.Like(ctx, cora.ID, p.ID); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if err := n.ReceiveUndo(ctx, ben.URI+"#block", ben); err != nil { // by its id alone
		t.Fatal(err)
	}
	if err := n.Like(ctx, n.owner.ID, p.ID); err != nil {
		t.Errorf("after it was taken back: %v", err)
	}
	// Taken back before it came, it changes nothing when it comes.
	if err := n.ReceiveUnblock(ctx, ben.URI+"#late", ben, n.owner.ID, false); err != nil {
		t.Fatal(err)
	}
	if err := n.ReceiveBlock(ctx, ben.URI+"#late", ben, n.owner.ID); !errors.Is(err, ErrGone) {
		t.Errorf("a block taken back before: %v", err)
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
	if list, err := n.HostBlocks(ctx, n.owner.ID, "", 0); err != nil || len(list) != 1 || list[0].Reason != "spam" {
		t.Errorf("list %v %v", list, err)
	}
	if err := n.BlockHost(ctx, n.owner.ID, "far.example", "", ""); err != nil {
		t.Fatal(err)
	}
	if list, err := n.AccountPosts(ctx, 0, ben.ID, AccountFilter{}, Page{}); err != nil || len(list) != 1 {
		t.Errorf("lifted: %v %v", list, err)
	}
}
