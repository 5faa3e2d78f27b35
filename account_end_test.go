package souk

import (
	"errors"
	"testing"
)

// Who may delete whom; what hangs on the account goes, and its orders stay.
func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	account := func(name, role string) *Account {
		t.Helper()
		a, err := n.CreateAccount(ctx, NewAccount{Name: name, Role: role, Password: "correct horse", Email: name + "@shop.example"})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	sam, mia, leo := account("sam", RoleSeller), account("mia", RoleMember), account("leo", RoleMember)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := n.CreateListing(ctx, sam.ID, NewListing{Title: "Mug", Price: Money{100, "EUR"}, Quantity: 5})
	check(err)
	order, err := n.PlaceOrder(ctx, guest(l.ID, 1))
	check(err)
	draft, err := n.CreateListing(ctx, sam.ID, NewListing{Title: "Cup", Price: Money{100, "EUR"}, Quantity: 5, State: ListingDraft})
	check(err)
	p, err := n.CreatePost(ctx, sam.ID, NewPost{Source: "hello"})
	check(err)
	token, err := n.NewSession(ctx, sam.ID, "browser")
	check(err)
	check(n.Like(ctx, mia.ID, p.ID))
	_, err = n.Follow(ctx, mia.ID, sam.ID)
	check(err)
	n.waiting(t)

	for name, err := range map[string]error{"another member": n.DeleteAccount(ctx, mia.ID, sam.ID), "the catalogue": n.DeleteAccount(ctx, 0, catalogueID(t, n))} {
		if !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{"the owner, by herself": n.DeleteAccount(ctx, n.owner.ID, n.owner.ID), "the owner, not last": n.DeleteAccount(ctx, 0, n.owner.ID)} {
		if !isInvalid(err, "account") {
			t.Errorf("%s: %v", name, err)
		}
	}
	check(n.DeleteAccount(ctx, sam.ID, sam.ID))
	wantKinds(t, n.waiting(t), EventListingDeleted, EventActorDeleted)
	if err := n.DeleteAccount(ctx, sam.ID, sam.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	if _, err := n.LocalAccount(ctx, "sam"); !errors.Is(err, ErrGone) {
		t.Errorf("by name: %v", err)
	}
	for _, id := range []int64{p.ID, l.ID, draft.ID} {
		if _, err := n.Post(ctx, sam.ID, id); !errors.Is(err, ErrGone) {
			t.Errorf("post %d: %v", id, err)
		}
	}
	if _, err := n.Session(ctx, token); err == nil {
		t.Error("the session goes on")
	}
	if _, _, err := n.SignIn(ctx, "sam", "correct horse", ""); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("sign in: %v", err)
	}
	if kept, err := n.Order(ctx, n.owner.ID, order.ID); err != nil || kept.SellerID != sam.ID {
		t.Errorf("the order: %+v %v", kept, err)
	}
	if _, err := n.CreateAccount(ctx, NewAccount{Name: "sam"}); !isInvalid(err, "name") {
		t.Errorf("the name again: %v", err)
	}
	account("sam2", RoleMember) // the address may be used again
	check(n.DeleteAccount(ctx, n.owner.ID, leo.ID))
}

func catalogueID(t *testing.T, n *node) int64 {
	t.Helper()
	a, err := n.Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}
