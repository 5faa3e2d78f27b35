package souk

import (
	"errors"
	"testing"
)

func TestReactions(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	p, private := n.said(t, ben, "hello", "", Public), n.said(t, ben, "psst", "", FollowersOnly)
	n.waiting(t)
	for range 2 {
		if err := n.Like(ctx, n.owner.ID, p.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Boost(ctx, n.owner.ID, p.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantKinds(t, n.waiting(t), EventLiked, EventBoosted)
	for range 2 {
		if err := n.Unlike(ctx, n.owner.ID, p.ID); err != nil {
			t.Fatal(err)
		}
		if err := n.Unboost(ctx, n.owner.ID, p.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantKinds(t, n.waiting(t), EventUnliked, EventUnboosted)
	if err := n.Like(ctx, n.owner.ID, private.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("what one cannot see: %v", err)
	}
	n.follows(t, ben)
	if _, err := n.Boost(ctx, n.owner.ID, private.ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("what is for followers: %v", err)
	}
}

func TestReceivedReactionsTwice(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ReceiveBoost(ctx, "https://far.example/b", ben, p.ID, n.Now()); err != nil {
		t.Fatal(err)
	}
	boost, err := n.PostByURI(ctx, 0, "https://far.example/b")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ReceiveLike(ctx, "https://far.example/l", ben, boost.ID); !isInvalid(err, "post") {
		t.Errorf("a like of a boost: %v", err)
	}
	if _, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "re", InReplyTo: boost.ID}); !isInvalid(err, "in_reply_to") {
		t.Errorf("an answer to a boost: %v", err)
	}
	for range 2 {
		if err := n.ReceiveUnboost(ctx, "https://far.example/b", ben, "", false); err != nil {
			t.Fatal(err)
		}
	}
	// The Announce once more, late: it was taken back.
	if err := n.ReceiveBoost(ctx, "https://far.example/b", ben, p.ID, n.Now()); !errors.Is(err, ErrGone) {
		t.Errorf("a boost that was taken back: %v", err)
	}
	if p, err = n.Post(ctx, 0, p.ID); err != nil || p.Boosts != 0 {
		t.Errorf("%+v %v", p, err)
	}
}

func TestNoMassMentions(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	text := ""
	for i := range maxMentions + 1 {
		text += "@u" + formatID(int64(i)) + "@far.example "
	}
	if _, err := n.CreatePost(t.Context(), n.owner.ID, NewPost{Source: text}); !isInvalid(err, "text") {
		t.Errorf("%v", err)
	}
}
