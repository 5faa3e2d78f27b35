package souk

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func (n *node) mug(t *testing.T, change func(*NewListing)) *Listing {
	t.Helper()
	l := NewListing{Title: "Blue stoneware mug", Description: "Hand-thrown, 300 ml.", Price: Money{2400, "EUR"}, Quantity: 5, Tags: []string{"ceramics"}, Lang: "en"}
	if change != nil {
		change(&l)
	}
	made, err := n.CreateListing(t.Context(), n.owner.ID, l)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestListingLife(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	draft := n.mug(t, func(l *NewListing) { l.State = ListingDraft; l.Announce = true })
	if _, err := n.Listing(ctx, 0, draft.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a stranger sees a draft: %v", err)
	}
	wantKinds(t, n.waiting(t))
	state := ListingPublished
	l, err := n.ChangeListing(ctx, n.owner.ID, draft.ID, ListingChange{State: &state})
	if err != nil {
		t.Fatal(err)
	}
	if l.Slug != "blue-stoneware-mug" || !l.Post.InTimeline || !strings.Contains(l.Post.HTML, "€24.00 · in stock") || !strings.Contains(l.Post.HTML, "/products/blue-stoneware-mug") {
		t.Errorf("published: %+v\n%s", l, l.Post.HTML)
	}
	wantKinds(t, n.waiting(t), EventListingCreated)

	price := Money{2200, "EUR"}
	if _, err = n.ChangeListing(ctx, n.owner.ID, l.ID, ListingChange{Price: &price}); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, n.waiting(t), EventListingChanged)
	n.clock.Advance(30 * time.Minute)
	price.Amount = 2000
	if _, err = n.ChangeListing(ctx, n.owner.ID, l.ID, ListingChange{Price: &price}); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, n.waiting(t), EventListingChanged)
	n.clock.Advance(31 * time.Minute)
	wantKinds(t, n.waiting(t), EventListingNews)
	if news, err := n.Announced(ctx, l.ID); err != nil || !news {
		t.Errorf("news: %v %v", news, err)
	}
	if news, err := n.Announced(ctx, l.ID); err != nil || news {
		t.Errorf("told twice: %v %v", news, err)
	}

	title := "Blue mug, 300 ml"
	if l, err = n.ChangeListing(ctx, n.owner.ID, l.ID, ListingChange{Title: &title}); err != nil || l.Slug != "blue-mug-300-ml" {
		t.Fatalf("new slug: %v %v", l, err)
	}
	if old, err := n.ListingBySlug(ctx, 0, "blue-stoneware-mug"); err != nil || old.Slug != l.Slug {
		t.Errorf("old slug: %v %v", old, err)
	}
	if _, err := n.ChangeListing(ctx, n.owner.ID, l.ID, ListingChange{Title: &title, Version: 1}); !errors.Is(err, ErrConflict) {
		t.Errorf("stale version: %v", err)
	}
	member, err := n.CreateAccount(ctx, NewAccount{Name: "ben"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.WithdrawListing(ctx, member.ID, l.ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("withdrawn by another: %v", err)
	}
	n.waiting(t)
	if err := n.WithdrawListing(ctx, n.owner.ID, l.ID); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, n.waiting(t), EventListingDeleted)
	if _, err := n.Listing(ctx, 0, l.ID); !errors.Is(err, ErrGone) {
		t.Errorf("withdrawn: %v", err)
	}
}

func TestListingRefused(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	for field, change := range map[string]func(*NewListing){
		"title":     func(l *NewListing) { l.Title = " " },
		"price":     func(l *NewListing) { l.Price.Amount = -1 },
		"quantity":  func(l *NewListing) { l.Quantity = -1 },
		"condition": func(l *NewListing) { l.Condition = "shiny" },
		"tags[0]":   func(l *NewListing) { l.Tags = []string{"two words"} },
		"media_ids": func(l *NewListing) { l.MediaIDs = make([]int64, 11) },
		"state":     func(l *NewListing) { l.State = "gone" },
	} {
		l := NewListing{Title: "x", Price: Money{100, "EUR"}, Quantity: 1}
		change(&l)
		if _, err := n.CreateListing(t.Context(), n.owner.ID, l); !isInvalid(err, field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if got, err := n.SellerListings(t.Context(), n.owner.ID, "", Page{}); err != nil || len(got) != 0 {
		t.Errorf("something was written: %v %v", got, err)
	}
}

func TestStockIsToldInWords(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	l := n.mug(t, nil)
	n.waiting(t)
	for _, c := range []struct {
		quantity int
		want     string
		state    string
	}{{4, InStock, ListingPublished}, {3, FewLeft, ListingPublished}, {0, NoStock, ListingSoldOut}, {9, InStock, ListingPublished}} {
		changed, err := n.ChangeListing(ctx, n.owner.ID, l.ID, ListingChange{Quantity: &c.quantity})
		if err != nil || changed.Availability != c.want || changed.State != c.state {
			t.Errorf("%d: %+v %v", c.quantity, changed, err)
		}
	}
}

func TestRemoteListing(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	seller := n.remote(t, "qing", "tea.example")
	r := RemoteListing{RemotePost: RemotePost{URI: "https://tea.example/listings/1", URL: "https://tea.example/products/cup", Author: seller, HTML: "<p>青瓷茶杯</p>", Visibility: Public, Published: n.Now()},
		Title: "青瓷茶杯", Description: "<p>龙泉</p>", Price: Money{16800, "CNY"}, Availability: InStock}
	l, err := n.ReceiveListing(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Listing(ctx, 0, l.ID); err != nil {
		t.Error(err)
	}
	local, err := n.Listings(ctx, ListingFilter{}, Page{})
	if err != nil || len(local) != 0 {
		t.Errorf("a remote product stands in this shop: %v %v", local, err)
	}
	edited := n.Now().Add(time.Minute)
	r.Edited, r.Price.Amount = &edited, 15000
	if l, err = n.ReceiveListing(ctx, r); err != nil || l.Price().Amount != 15000 {
		t.Errorf("new price: %v %v", l, err)
	}
	older := edited.Add(-30 * time.Second)
	r.Edited, r.Price.Amount = &older, 99
	if l, err = n.ReceiveListing(ctx, r); err != nil || l.Price().Amount != 15000 {
		t.Errorf("an older state won: %v %v", l, err)
	}
	if err := n.ReceiveDelete(ctx, seller, r.URI); err != nil {
		t.Fatal(err)
	}
	if _, err := n.ReceiveListing(ctx, r); !errors.Is(err, ErrGone) {
		t.Errorf("came back after its deletion: %v", err)
	}
}
