package souk

import (
	"errors"
	"testing"
)

// Only the owner turns secure mode on, and nothing else of the shop changes it.
func TestSecureModeIsTheOwners(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	mode := func() bool {
		on, err := n.SecureMode(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return on
	}
	if mode() {
		t.Error("on from the beginning")
	}
	seller, err := n.CreateAccount(ctx, NewAccount{Name: "ben", Role: RoleSeller})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.SetSecureMode(ctx, seller.ID, true); !errors.Is(err, ErrForbidden) || mode() {
		t.Errorf("a seller: %v", err)
	}
	if err := n.SetSecureMode(ctx, n.owner.ID, true); err != nil || !mode() {
		t.Errorf("the owner: %v", err)
	}
	shop, err := n.Shop(ctx)
	if err != nil {
		t.Fatal(err)
	}
	shop.Name = "Another name"
	if err := n.SaveShop(ctx, n.owner.ID, *shop); err != nil || !mode() {
		t.Errorf("after the shop was saved: %v, %v", mode(), err)
	}
}
