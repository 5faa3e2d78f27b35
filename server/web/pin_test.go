package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"souk"
)

// A5: what an account pins stands on top of its profile and nowhere below, as soon as it is pinned.
func TestProfilePins(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	ctx := t.Context()
	first := s.says(s.owner, souk.NewPost{Source: "Read this first " + hostile})
	cup := s.goods(nil)
	s.goods(func(n *souk.NewListing) { n.Title = "Bowl" })
	for range 20 {
		s.says(s.owner, souk.NewPost{Source: "Kiln diary"})
	}
	want(t, s.page("/", 200), ".grid li:first-child .name", "Bowl")
	before := s.get("/@anna")
	wantCount(t, s.document(before, "profile", 200), "#pinned", 0)
	pin := func(id int64) {
		t.Helper()
		if err := s.Pin(ctx, s.owner.ID, id); err != nil {
			t.Fatal(err)
		}
		s.pass(time.Second)
	}
	pin(first.ID)
	after := s.get("/@anna", "If-None-Match", before.Header.Get("ETag"))
	d := s.document(after, "profile", 200)
	want(t, d, "section.pinned h2", "Pinned")
	want(t, d, "section.pinned .posts a@href", "/posts/"+tail(first.URI))
	wantCount(t, d, "section.pinned .grid", 0)
	pin(cup.ID)
	d = s.page("/@anna", 200)
	want(t, d, "section.pinned .grid .name a@href", "/products/celadon-cup")
	wantCount(t, d, `main a[href="/products/celadon-cup"]`, 1)
	wantCount(t, d, `main a[href="/posts/`+tail(first.URI)+`"]`, 1)
	want(t, d, `section[aria-labelledby="shelf"] .name`, "Bowl")
	wantCount(t, d, `section[aria-labelledby="posts"] li.postcard`, 20)
	wantCount(t, d, ".pager a[rel=next]", 0) // the twenty others are all
	wantCount(t, d, "[onerror]", 0)
	want(t, s.page("/zh/@anna", 200), "section.pinned h2", "置顶")
	home := s.page("/", 200)
	want(t, home, ".grid li:first-child .name", "Celadon cup")
	wantCount(t, home, `.grid a[href="/products/celadon-cup"]`, 1)

	s.says(s.owner, souk.NewPost{Source: "One more"})
	next := s.page("/@anna", 200).Find(".pager a[rel=next]").AttrOr("href", "")
	d = s.page(next, 200)
	wantCount(t, d, "section.pinned", 0)
	wantCount(t, d, "li.postcard", 1)

	s.shop(func(shop *souk.Shop) { shop.Open = false })
	d = s.page("/@anna", 200)
	wantCount(t, d, ".grid", 0)
	wantCount(t, d, "section.pinned li.postcard", 1)
	s.shop(func(shop *souk.Shop) { shop.Open = true })
	for _, id := range []int64{first.ID, cup.ID} {
		if err := s.Unpin(ctx, s.owner.ID, id); err != nil {
			t.Fatal(err)
		}
	}
	s.pass(time.Second)
	wantCount(t, s.page("/@anna", 200), "section.pinned", 0)
}

// An account without anything but pins has no empty list below them.
func TestProfileOfOnlyPins(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	p := s.says(s.owner, souk.NewPost{Source: "The only one"})
	if err := s.Pin(t.Context(), s.owner.ID, p.ID); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	d := s.page("/@anna", 200)
	wantCount(t, d, "li.postcard", 1)
	wantCount(t, d, `section[aria-labelledby="posts"]`, 0)
}

// A8: the page of an account that went elsewhere says where, in both languages, until that is taken back.
func TestMovedProfile(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	ctx := t.Context()
	ben := must(s.CreateAccount(ctx, souk.NewAccount{Name: "ben", DisplayName: "Ben"}))(t)
	wantCount(t, s.page("/@ben", 200), ".moved", 0)
	uri := "https://new.example/users/ben"
	next := must(s.UpsertRemoteAccount(ctx, souk.RemoteAccount{Account: souk.Account{Host: "new.example", Name: "ben", Kind: "Person", URI: uri,
		URL: "https://new.example/@ben", Inbox: uri + "/inbox", KeyID: uri + "#main-key", PublicKey: "PEM", AlsoKnownAs: []string{ben.URI}}}))(t)
	if err := s.Move(ctx, ben.ID, next); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	for path, says := range map[string]string{"/@ben": "This account has moved to @ben@new.example", "/zh/@ben": "此账号已迁移至 @ben@new.example"} {
		d := s.page(path, 200)
		want(t, d, "main .moved", says)
		want(t, d, "main .moved a@href", "https://new.example/@ben")
		want(t, d, "main .moved a@rel", "nofollow")
		wantCount(t, d, "main .seller .btn", 0)
	}
	if err := s.SuspendAccount(ctx, s.owner.ID, next.ID); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	d := s.page("/@ben", 200)
	wantCount(t, d, "main .moved a", 0)
	if !strings.Contains(d.Find("main .moved").Text(), "@ben@new.example") {
		t.Error("the page does not say where the account went")
	}
	if err := s.Unmove(ctx, ben.ID); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	wantCount(t, s.page("/@ben", 200), ".moved", 0)
}

// A node whose owner moved away asks nobody to follow: its buttons are gone, and who comes to follow is shown where to.
func TestMovedOwner(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	ctx := t.Context()
	must(s.CreateAccount(ctx, souk.NewAccount{Name: "ben", DisplayName: "Ben"}))(t)
	s.goods(nil)
	pages := []string{"/", "/products", "/posts", "/@anna", "/@ben", "/zh/"}
	for _, path := range pages {
		if s.page(path, 200).Find("header .follow").Length() != 1 {
			t.Errorf("%s: no way to follow", path)
		}
	}
	uri := "https://new.example/users/anna"
	next := must(s.UpsertRemoteAccount(ctx, souk.RemoteAccount{Account: souk.Account{Host: "new.example", Name: "anna", Kind: "Person", URI: uri,
		URL: "https://new.example/@anna", Inbox: uri + "/inbox", KeyID: uri + "#main-key", PublicKey: "PEM", AlsoKnownAs: []string{s.owner.URI}}}))(t)
	if err := s.Move(ctx, s.owner.ID, next); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	for _, path := range pages {
		d := s.page(path, 200)
		if d.Find("header .follow, footer .stay").Length() != 0 || d.Find(`a[href="/follow"]`).Length() != 0 {
			t.Errorf("%s: still asks to follow", path)
		}
	}
	if r := s.get("/follow"); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/@anna" {
		t.Errorf("/follow: %d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	want(t, s.page("/follow?of=ben", 200), "main h1", "Follow Ben")
	wantCount(t, s.page("/@ben", 200), "main .seller .btn", 1)
	if err := s.Unmove(ctx, s.owner.ID); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	want(t, s.page("/", 200), "header .follow", "Follow")
}

// Nobody is asked to follow who has died: nothing more is to be heard from there.
func TestMemorialIsNotFollowed(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	ctx := t.Context()
	ben := must(s.CreateAccount(ctx, souk.NewAccount{Name: "ben", DisplayName: "Ben"}))(t)
	wantCount(t, s.page("/@ben", 200), "main .seller .btn", 1)
	for buttons, memorial := range []bool{true, false} {
		if err := s.SetMemorial(ctx, s.owner.ID, ben.ID, memorial); err != nil {
			t.Fatal(err)
		}
		s.pass(time.Second)
		wantCount(t, s.page("/@ben", 200), "main .seller .btn", buttons)
		r := s.get("/follow?of=ben")
		if gone := r.StatusCode == http.StatusSeeOther && r.Header.Get("Location") == "/@ben"; gone != memorial {
			t.Errorf("/follow of a memorial (%v): %d to %q", memorial, r.StatusCode, r.Header.Get("Location"))
		}
	}
	wantCount(t, s.page("/", 200), "header .follow", 1)
}

// Where an account has no name but its handle, that stands there once.
func TestProfileWithoutName(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	bo := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "bo"}))(t)
	s.pass(time.Second)
	for _, path := range []string{"/@bo", "/zh/@bo"} {
		d := s.page(path, 200)
		want(t, d, "main .seller h1", s.Handle(bo))
		wantCount(t, d, "main .seller p.handle", 0)
	}
	want(t, s.page("/@anna", 200), "main .seller p.handle", s.Handle(s.owner))
}

// A7: what its own server suspended is on no page, in no search and in no answer of the API, until its server shows it again.
func TestSuspendedElsewhere(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	post := s.says(s.owner, souk.NewPost{Source: "Glazing today"})
	ben := s.stranger("ben", "far.example")
	answer := s.answers(ben, post.URI, "1", "<p>Which celadon is it?</p>")
	say := func(suspended bool) {
		t.Helper()
		s.pass(time.Second)
		r := souk.RemoteAccount{Account: *ben, Asked: s.clock()}
		r.SuspendedThere, r.Indexable, r.Discoverable = suspended, !suspended, !suspended
		must(s.UpsertRemoteAccount(t.Context(), r))(t)
		s.index()
		s.pass(time.Second)
	}
	shown := func(want bool) {
		t.Helper()
		for _, path := range []string{fmt.Sprint("/posts/", post.ID), "/", "/search?q=celadon&type=post", "/api/souk/v1/search?q=celadon&type=post"} {
			if r := s.get(path); r.StatusCode != http.StatusOK || strings.Contains(string(r.body), "Which ") != want {
				t.Errorf("%s: status %d, shown %v, want %v", path, r.StatusCode, !want, want)
			}
		}
		if _, err := s.Post(t.Context(), 0, answer.ID); (err == nil) != want {
			t.Errorf("the answer: %v", err)
		}
	}
	say(false)
	shown(true)
	say(true)
	shown(false)
	say(false)
	shown(true)
}
