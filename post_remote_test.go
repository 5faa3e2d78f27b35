package souk

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
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
	later := n.Now().Add(time.Second)
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

func TestEditsTwiceAndOutOfOrder(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	r := RemotePost{URI: "https://far.example/1", Author: ben, HTML: "<p>one</p>", Visibility: Public, InTimeline: true, Published: n.Now()}
	p, err := n.ReceivePost(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(time.Hour)
	first, second, never := n.Now().Add(-2*time.Minute+300), n.Now().Add(-time.Minute), n.Now().AddDate(70, 0, 0)
	edit := func(html string, at time.Time) {
		r.HTML, r.Edited = html, &at
		if err := n.ReceivePostEdit(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	edit("<p>two</p>", first)
	edit("<p>two</p>", first)
	edit("<p>three</p>", second)
	edit("<p>two</p>", first)
	if p, err = n.Post(ctx, 0, p.ID); err != nil || p.HTML != "<p>three</p>" {
		t.Errorf("%+v %v", p, err)
	}
	if edits, err := n.Edits(ctx, 0, p.ID); err != nil || len(edits) != 2 {
		t.Errorf("%d earlier forms, %v: want 2", len(edits), err)
	}
	edit("<p>four</p>", never)
	n.clock.Advance(2 * time.Hour)
	edit("<p>five</p>", n.Now())
	if p, err = n.Post(ctx, 0, p.ID); err != nil || p.HTML != "<p>five</p>" {
		t.Errorf("an edit of the far future ended all others: %+v %v", p, err)
	}
}

// A listing that its catalogue shows again as it is known stands for longer.
func TestListingIsRenewed(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	edited := n.Now().Add(-time.Minute + 300)
	r := RemoteListing{RemotePost: RemotePost{URI: "https://far.example/1", Author: ben, Visibility: Public, Published: n.Now().Add(-time.Hour), Edited: &edited},
		Title: "Mug", Price: Money{100, "EUR"}}
	l, err := n.ReceiveListing(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(24 * time.Hour)
	again, err := n.ReceiveListing(ctx, r)
	if err != nil || !again.Expires.Equal(l.Expires.Add(24*time.Hour)) {
		t.Errorf("expires %v, then %v (%v)", l.Expires, again.Expires, err)
	}
	if edits, err := n.Edits(ctx, 0, l.ID); err != nil || len(edits) != 0 {
		t.Errorf("%d edits, %v", len(edits), err)
	}
}

// A post and its answer arrive at the same time: whichever is first, the answer finds its place.
func TestReplyBesideParent(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, eve := n.remote(t, "ben", "far.example"), n.remote(t, "eve", "other.example")
	for i := range 30 {
		parent := RemotePost{URI: ben.URI + "/" + formatID(int64(i)), Author: ben, HTML: "parent", Visibility: Public, Published: n.Now()}
		reply := RemotePost{URI: eve.URI + "/" + formatID(int64(i)), Author: eve, HTML: "reply", Visibility: Public, Published: n.Now(), InReplyToURI: parent.URI}
		var group sync.WaitGroup
		var posts [2]*Post
		var errs [2]error
		for j, r := range []RemotePost{parent, reply} {
			group.Go(func() { posts[j], errs[j] = n.ReceivePost(ctx, r) })
		}
		group.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		thread, err := n.Thread(ctx, 0, posts[0].ID)
		if err != nil || len(thread) != 2 {
			t.Fatalf("round %d: a thread of %d posts, %v", i, len(thread), err)
		}
	}
}
