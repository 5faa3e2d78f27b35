package console_test

import (
	"testing"

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
		want := ""
		if visibility == souk.Public {
			want = "/posts/" + id(post.ID) + "/history"
		}
		if got := p.Find(".talk .here .edited a").AttrOr("href", ""); got != want {
			t.Errorf("%s: what it said before is at %q, want %q", visibility, got, want)
		}
	}
}
