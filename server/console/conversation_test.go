package console_test

import (
	"net/http"
	"testing"
	"time"

	"souk"
)

// What was edited says so, with a link to what it said before where everybody may read that.
func TestConversationMarksEdits(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna := n.account(t, "anna")
	b := n.signedIn(t, "anna")
	for _, visibility := range []string{souk.Public, souk.FollowersOnly} {
		post, err := n.db.CreatePost(t.Context(), anna.ID, souk.NewPost{Source: "New bowls", Visibility: visibility})
		if err != nil {
			t.Fatal(err)
		}
		path := "/console/posts/" + id(post.ID)
		if b.get(path).Find(".talk .edited").Length() != 0 {
			t.Errorf("%s: what was never edited says that it was", visibility)
		}
		if _, err := n.db.EditPost(t.Context(), anna.ID, post.ID, souk.NewPost{Source: "Newer bowls"}); err != nil {
			t.Fatal(err)
		}
		p := b.get(path)
		if p.Find(".talk .here .edited time").Length() != 1 {
			t.Errorf("%s: %s", visibility, text(p.Find(".talk")))
		}
		want := path + "/history"
		if got := p.Find(".talk .here .edited a").AttrOr("href", ""); got != want {
			t.Errorf("%s: what it said before is at %q, want %q", visibility, got, want)
		}
		if h := b.get(want); h.Find(".version").Length() != 1 || text(h.Find(".version .prose")) != "New bowls" {
			t.Errorf("%s: history: %s", visibility, text(h.Find("main")))
		}
	}
}

// What somebody of another node said before is there for those who may read the post, and for nobody else.
func TestHistoryOfOthers(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, err := n.db.UpsertRemoteAccount(ctx, souk.RemoteAccount{Account: souk.Account{Host: "far.example", Name: "ben", Kind: "Person", URI: "https://far.example/users/ben"}})
	if err != nil {
		t.Fatal(err)
	}
	anna := n.account(t, "anna")
	r := souk.RemotePost{URI: "https://far.example/1", URL: "https://far.example/1", Author: ben, HTML: "<p>first</p>", Visibility: souk.Direct, MentionURIs: []string{anna.URI}, Published: n.db.Now()}
	p, err := n.db.ReceivePost(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	later := n.db.Now().Add(time.Minute)
	r.HTML, r.Edited = "<p>second</p>", &later
	if err := n.db.ReceivePostEdit(ctx, r); err != nil {
		t.Fatal(err)
	}
	path := "/console/posts/" + id(p.ID) + "/history"
	if h := n.signedIn(t, "anna").get(path); text(h.Find(".version .prose")) != "first" {
		t.Errorf("history: %s", text(h.Find("main")))
	}
	n.signedIn(t, "cora").get(path).want(http.StatusNotFound, path)
}
