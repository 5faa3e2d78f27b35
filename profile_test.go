package souk

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestSaveProfile(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	n.waiting(t)
	bio, name, no := "Pots & **cups** #clay", "Anna P.", int64(n.NewID())
	a, err := n.SaveProfile(ctx, n.owner.ID, Profile{DisplayName: &name, Bio: &bio, Fields: []Field{{Name: "Web", Value: "https://anna.example"}}})
	if err != nil || a.DisplayName != name || a.BioSource != bio || len(a.Fields) != 1 {
		t.Fatalf("%+v %v", a, err)
	}
	wantKinds(t, n.waiting(t), EventActorUpdated)
	if _, err := n.SaveProfile(ctx, n.owner.ID, Profile{AvatarID: &no}); !isInvalid(err, "avatar") {
		t.Errorf("a picture that is not there: %v", err)
	}
	wantKinds(t, n.waiting(t))
	if _, err := n.SaveProfile(ctx, n.remote(t, "ben", "far.example").ID, Profile{DisplayName: &name}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an account of another node: %v", err)
	}
}

func TestRemoteAccount(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	old := n.remote(t, "ben", "far.example")
	n.follows(t, old)
	said := n.said(t, old, "hello", "", Public)
	again := n.remote(t, "ben", "far.example")
	if again.ID != old.ID {
		t.Error("the same actor became another account")
	}
	// The host was set up anew: the same handle is another actor now.
	r := RemoteAccount{Account: Account{Host: "far.example", Name: "Ben", Kind: "Person", URI: "https://far.example/actors/2"}}
	taken, err := n.UpsertRemoteAccount(ctx, r)
	if err != nil || taken.ID == old.ID {
		t.Fatal(taken, err)
	}
	if a, err := n.AccountByHandle(ctx, "ben", "far.example"); err != nil || a.ID != taken.ID {
		t.Errorf("the handle belongs to %+v (%v)", a, err)
	}
	if _, err := n.Account(ctx, old.ID); !errors.Is(err, ErrGone) {
		t.Errorf("the old one: %v", err)
	}
	if _, following, err := n.FollowCounts(ctx, n.owner.ID); err != nil || following != 0 {
		t.Errorf("still follows who is gone: %d %v", following, err)
	}
	if _, err := n.Post(ctx, 0, said.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a post of who is gone: %v", err)
	}
	// No actor of another node can become one of this node's.
	if _, err := n.UpsertRemoteAccount(ctx, RemoteAccount{Account: Account{Host: "far.example", Name: "anna", Kind: "Person", URI: n.owner.URI}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a local address: %v", err)
	}
	if a, err := n.LocalAccount(ctx, "anna"); err != nil || a.Role != RoleOwner {
		t.Errorf("anna: %+v %v", a, err)
	}
}

func TestDeleteRemoteAccount(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	n.follows(t, ben)
	var last *Post
	for i := range 50 {
		last = n.said(t, ben, fmt.Sprint(i), "", Public)
	}
	if _, err := n.ReceiveListing(ctx, RemoteListing{RemotePost: RemotePost{URI: "https://far.example/l", Author: ben, Visibility: Public}, Title: "Mug", Price: Money{1, "EUR"}}); err != nil {
		t.Fatal(err)
	}
	if err := n.DeleteRemoteAccount(ctx, ben.URI); err != nil {
		t.Fatal(err)
	}
	if err := n.DeleteRemoteAccount(ctx, ben.URI); !errors.Is(err, ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	if p, err := n.PostForDelivery(ctx, last.ID); err != nil || p.Deleted == nil || p.HTML != "" || len(p.Tags) != 0 {
		t.Errorf("%+v %v", p, err)
	}
	if count, err := n.ListingCount(ctx, ListingFilter{Remote: true}); err != nil || count != 0 {
		t.Errorf("%d listings, %v", count, err)
	}
	if err := n.DeleteRemoteAccount(ctx, n.owner.URI); !errors.Is(err, ErrNotFound) {
		t.Errorf("a local account: %v", err)
	}
}

// An answer that was under way for long does not replace what came meanwhile.
func TestRemoteAccountOvertaken(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	begun := n.Now()
	save := func(name string, said int, asked time.Time) *Account {
		t.Helper()
		at := begun.Truncate(time.Second).Add(time.Duration(said) * time.Second)
		r := RemoteAccount{Account: Account{Host: "far.example", Name: "ben", Kind: "Person", URI: "https://far.example/users/ben", DisplayName: name, Said: &at}, Asked: asked}
		a, err := n.UpsertRemoteAccount(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	n.clock.Advance(time.Second)
	save("told", 2, time.Time{})
	if a := save("asked before that", 1, begun); a.DisplayName != "told" {
		t.Errorf("an old answer counts: %q", a.DisplayName)
	}
	if a := save("told late", 1, time.Time{}); a.DisplayName != "told" {
		t.Errorf("an old document counts: %q", a.DisplayName)
	}
	if a := save("asked after that", 1, n.Now()); a.DisplayName != "asked after that" {
		t.Errorf("a new answer does not count: %q", a.DisplayName)
	}
}
