package souk

import (
	"errors"
	"strings"
	"testing"
)

// Texts of other nodes may hold what PostgreSQL refuses: in JSON "\u0000" is a legal character. Whatever cannot be
// cleaned must be *Invalid, which nobody tries again.
func TestRemoteTextsWithNUL(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	const bad = "a\x00b\xffc"
	r := RemotePost{URI: "https://far.example/1", URL: "https://far.example/1", Author: ben, HTML: "<p>" + bad + "</p>", Summary: bad, Visibility: Public,
		InTimeline: true, Published: n.Now(), Tags: []string{bad, "mug"}, Media: []RemoteMedia{{URL: "https://far.example/p.jpg", Alt: bad, Blurhash: bad, MIME: bad}}}
	p, err := n.ReceivePost(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if p.HTML != "<p>abc</p>" || p.Summary != "abc" || len(p.Tags) != 1 || len(p.Media) != 1 || p.Media[0].Alt != "abc" {
		t.Errorf("%+v", p)
	}
	later := n.Now().Add(1)
	r.Edited, r.Lang = &later, "\x00"
	if err := n.ReceivePostEdit(ctx, r); !errors.As(err, new(*Invalid)) {
		t.Errorf("edit: %v", err)
	}
	listing := RemoteListing{RemotePost: r, Title: bad, Description: bad, SKU: bad, Category: bad, Price: Money{100, "EUR"}}
	listing.URI, listing.Edited, listing.Lang = "https://far.example/2", nil, ""
	if l, err := n.ReceiveListing(ctx, listing); err != nil || l.Title != "abc" || l.Category != "abc" || strings.Join(l.Tags, " ") != "mug" {
		t.Errorf("listing %+v %v", l, err)
	}
	account := RemoteAccount{Account: Account{Host: "far.example", Name: "cleo", Kind: "Person", URI: "https://far.example/users/cleo",
		DisplayName: bad, Fields: []Field{{Name: bad, Value: bad}}}}
	if a, err := n.UpsertRemoteAccount(ctx, account); err != nil || a.DisplayName != "abc" || a.Fields[0].Name != "abc" {
		t.Errorf("account %+v %v", a, err)
	}
	if err := n.DescribeHost(ctx, "far.example", bad, ""); err != nil {
		t.Errorf("host: %v", err)
	}
	if _, err := n.ReceiveActivity(ctx, Received{ActivityID: "https://far.example/3", Type: "Create", Actor: ben.URI, Host: ben.Host, Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	received, err := n.ClaimInbox(ctx, 1, 1)
	if err != nil || len(received) != 1 {
		t.Fatal(received, err)
	}
	if err := n.RetryActivity(ctx, received[0], bad); err != nil {
		t.Errorf("an activity whose failure cannot be written down comes back for ever: %v", err)
	}
	if err := n.AppliedActivity(ctx, received[0].ID, "failed", bad); err != nil {
		t.Errorf("applied: %v", err)
	}
}

func TestLookupsOfWhatCannotBeAreNoFault(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	_, account := n.LocalAccount(ctx, "an\x00na")
	_, listing := n.ListingBySlug(ctx, 0, "\xff")
	_, tag := n.TagTimeline(ctx, "\x00", Page{})
	_, _, signIn := n.SignIn(ctx, "anna\x00", "correct horse", "")
	for what, err := range map[string]error{"account": account, "listing": listing, "tag": tag, "sign in": signIn} {
		if !errors.As(err, new(*Invalid)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestLocalTextsAreChecked(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	bad, long := "a\x00b", strings.Repeat("x", 3000)
	_, err := n.SaveProfile(ctx, n.owner.ID, Profile{DisplayName: &bad, Bio: &bad, Lang: &bad, Fields: []Field{{Name: bad, Value: long}}})
	for _, field := range []string{"display_name", "bio", "lang", "fields[0].name", "fields[0].value"} {
		if !isInvalid(err, field) {
			t.Errorf("profile %s: %v", field, err)
		}
	}
	_, err = n.CreatePost(ctx, n.owner.ID, NewPost{Source: bad, Summary: bad, Lang: bad})
	for _, field := range []string{"text", "summary", "lang"} {
		if !isInvalid(err, field) {
			t.Errorf("post %s: %v", field, err)
		}
	}
	_, err = n.CreateListing(ctx, n.owner.ID, NewListing{Title: "two\nlines", Description: bad, Category: bad, Lang: bad, Price: Money{1, "EUR"}})
	for _, field := range []string{"title", "description", "category", "lang"} {
		if !isInvalid(err, field) {
			t.Errorf("listing %s: %v", field, err)
		}
	}
	l, err := n.CreateListing(ctx, n.owner.ID, NewListing{Title: "Cup", Description: "as a form sends it:\r\ntwo lines", Price: Money{1, "EUR"}})
	if err != nil || l.Description != "as a form sends it:\ntwo lines" {
		t.Errorf("%+v %v", l, err)
	}
}
