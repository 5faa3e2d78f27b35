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

// The actor of a whole server is the Application with the server's name. What an actor calls itself by type alone opens nothing.
func TestForHost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		kind, name, host string
		want             bool
	}{
		{"Application", "social.example", "social.example", true},
		{"Application", "Social.Example", "social.example", true},
		{"Application", "social.example:8443", "social.example:8443", true},
		{"Application", "social.example", "social.example:8443", true},
		{"Application", "maker.co.uk", "social.maker.co.uk", true}, // handles have a domain of their own
		{"Application", "social.maker.co.uk", "web.social.maker.co.uk", true},
		{"Application", "co.uk", "maker.co.uk", false}, // names that a member may have
		{"Application", "example", "social.example", false},
		{"Application", "social", "social.example", false},
		{"Application", "cial.example", "social.example", false},
		{"Application", "other.example", "social.example", false},
		{"Application", "0.0.1", "127.0.0.1", false},
		{"Application", "troll", "social.example", false},
		{"Person", "social.example", "social.example", false},
		{"Service", "social.example", "social.example", false},
		{"Application", "social.example", "", false}, // of this node
	} {
		a := &Account{Kind: row.kind, Name: row.name, Host: row.host}
		if got := a.ForHost(); got != row.want || ReaderOf(a).Node != row.want {
			t.Errorf("%s @%s@%s: %v", row.kind, row.name, row.host, got)
		}
	}
}
