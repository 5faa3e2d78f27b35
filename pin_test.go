package souk

import (
	"errors"
	"sync"
	"testing"
)

func TestPinLimits(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	write := func(by *Account, p NewPost) *Post {
		t.Helper()
		post, err := n.CreatePost(ctx, by.ID, p)
		if err != nil {
			t.Fatal(err)
		}
		return post
	}
	ben, err := n.CreateAccount(ctx, NewAccount{Name: "ben"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Pin(ctx, n.owner.ID, write(ben, NewPost{Source: "ben's"}).ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("another's post: %v", err)
	}
	if err := n.Pin(ctx, n.owner.ID, write(n.owner, NewPost{Source: "x", Visibility: FollowersOnly}).ID); !isInvalid(err, "post") {
		t.Errorf("a post for followers: %v", err)
	}
	// Many at once find room for five.
	var group sync.WaitGroup
	errs := make([]error, MaxPinnedPosts+3)
	for i := range errs {
		p := write(n.owner, NewPost{Source: "post"})
		group.Go(func() { errs[i] = n.Pin(ctx, n.owner.ID, p.ID) })
	}
	group.Wait()
	refused := 0
	for _, err := range errs {
		if isInvalid(err, "post") {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	pinned, err := n.Pinned(ctx, 0, n.owner.ID)
	if err != nil || len(pinned) != MaxPinnedPosts || refused != 3 {
		t.Errorf("%d pinned, %d refused, %v", len(pinned), refused, err)
	}
	// Products have room of their own.
	l, err := n.CreateListing(ctx, n.owner.ID, NewListing{Title: "Mug", Price: Money{100, "EUR"}, Quantity: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Pin(ctx, n.owner.ID, l.ID); err != nil {
		t.Errorf("a product: %v", err)
	}
	draft, err := n.CreateListing(ctx, n.owner.ID, NewListing{Title: "Mug", Price: Money{100, "EUR"}, Quantity: 1, State: ListingDraft})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Pin(ctx, n.owner.ID, draft.ID); !isInvalid(err, "post") {
		t.Errorf("a draft: %v", err)
	}
}
