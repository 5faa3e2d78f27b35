package souk

import (
	"errors"
	"testing"
)

func TestFollow(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	n.waiting(t)
	ben := n.remote(t, "ben", "far.example")
	f, err := n.Follow(ctx, n.owner.ID, ben.ID)
	if err != nil || f.State != FollowPending {
		t.Fatal(f, err)
	}
	again, err := n.Follow(ctx, n.owner.ID, ben.ID)
	if err != nil || again.URI != f.URI {
		t.Errorf("twice: %+v %v", again, err)
	}
	wantKinds(t, n.waiting(t), EventFollowed)
	if _, err := n.FollowAnswered(ctx, n.remote(t, "eve", "far.example"), f.URI, n.owner.URI, true); !errors.Is(err, ErrNotFound) {
		t.Errorf("an answer of somebody else: %v", err)
	}
	// An answer whose Follow has an id of its sender's making: the pair decides.
	if _, err := n.FollowAnswered(ctx, ben, "https://far.example/made-up", n.owner.URI, true); err != nil {
		t.Error(err)
	}
	if state, err := n.FollowState(ctx, n.owner.ID, ben.ID); err != nil || state != FollowAccepted {
		t.Errorf("state %q %v", state, err)
	}
	if yes, err := n.FollowsAnyone(ctx, ben.ID); err != nil || !yes {
		t.Errorf("followed: %v %v", yes, err)
	}
	if err := n.Unfollow(ctx, n.owner.ID, ben.ID); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, n.waiting(t), EventUnfollowed)
	if err := n.Unfollow(ctx, n.owner.ID, ben.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	catalogue, err := n.Catalogue(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for what, id := range map[string]int64{"self": n.owner.ID, "the catalogue": catalogue.ID} {
		if _, err := n.Follow(ctx, n.owner.ID, id); err == nil {
			t.Errorf("followed %s", what)
		}
	}
}

func TestReceiveFollow(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	n.waiting(t)
	ben := n.remote(t, "ben", "far.example")
	for _, uri := range []string{"https://far.example/f/1", "https://far.example/f/1", "https://far.example/f/2"} {
		if err := n.ReceiveFollow(ctx, uri, ben, n.owner, false); err != nil {
			t.Fatal(err)
		}
	}
	wantKinds(t, n.waiting(t), EventFollowAccepted, EventFollowAccepted, EventFollowAccepted)
	if f, err := n.Followers(ctx, n.owner.ID, FollowAccepted, Page{}); err != nil || len(f) != 1 || f[0].URI != "https://far.example/f/2" {
		t.Errorf("the id that the sender knows now: %+v %v", f, err)
	}
	if followers, _, err := n.FollowCounts(ctx, n.owner.ID); err != nil || followers != 1 {
		t.Errorf("%d followers, %v", followers, err)
	}
	if err := n.ReceiveFollow(ctx, "https://far.example/f/2", n.remote(t, "eve", "far.example"), n.owner, false); !errors.Is(err, ErrConflict) {
		t.Errorf("the id of another's follow: %v", err)
	}
	version, err := n.ShopVersion(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := n.ReceiveUnfollow(ctx, "https://far.example/f/2", ben, n.owner.ID, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.ReceiveUnlike(ctx, "https://far.example/l", ben, "https://shop.example/posts/1", false); err != nil {
		t.Fatal(err)
	}
	if after, err := n.ShopVersion(ctx); err != nil || after != version+1 {
		t.Errorf("what changed nothing made pages anew: %d to %d, %v", version, after, err)
	}
}

func TestFollowRequests(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	locked := true
	owner, err := n.SaveProfile(ctx, n.owner.ID, Profile{Locked: &locked})
	if err != nil {
		t.Fatal(err)
	}
	n.waiting(t)
	for i, accept := range []bool{true, false} {
		ben := n.remote(t, []string{"ben", "eve"}[i], "far.example")
		if err := n.ReceiveFollow(ctx, ben.URI+"#f", ben, owner, false); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, n.waiting(t))
		if err := n.AnswerFollow(ctx, owner.ID, ben.ID, accept); err != nil {
			t.Fatal(err)
		}
		if accept {
			wantKinds(t, n.waiting(t), EventFollowAccepted)
		} else {
			wantKinds(t, n.waiting(t), EventFollowRejected)
		}
		if err := n.AnswerFollow(ctx, owner.ID, ben.ID, accept); !errors.Is(err, ErrNotFound) {
			t.Errorf("answered twice: %v", err)
		}
	}
	ben, err := n.AccountByHandle(ctx, "ben", "far.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.RemoveFollower(ctx, owner.ID, ben.ID); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, n.waiting(t), EventFollowRejected)
}

func TestCatalogueFollowers(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	n.waiting(t)
	catalogue, err := n.Catalogue(ctx)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := n.InstanceActor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ben := n.remote(t, "ben", "far.example")
	for _, c := range []struct {
		of   *Account
		node bool
		want string
	}{{catalogue, false, EventFollowRejected}, {catalogue, true, EventFollowAccepted}, {instance, true, EventFollowRejected}} {
		if err := n.ReceiveFollow(ctx, ben.URI+"#"+c.of.Name, ben, c.of, c.node); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, n.waiting(t), c.want)
	}
}
