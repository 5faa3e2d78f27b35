package web_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"souk"
)

// C6: what a post said before is there to be read, the newest first, with its warning and what its pictures showed.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	ctx := t.Context()
	cup := s.cup(nil) // its picture has a description
	picture := must(s.AddPicture(ctx, s.owner.ID, must(souk.NewPictures(souk.PictureConfig{}).Process(ctx, bytes.NewReader(drawing(t, 40))))(t), "A green "+hostile))(t)
	p := s.says(s.owner, souk.NewPost{Source: "First " + hostile, MediaIDs: []int64{picture.ID}, Lang: "en"})
	post, history := "/posts/"+tail(p.URI), "/posts/"+tail(p.URI)+"/history"
	wantCount(t, s.page(post, 200), `a[href$="/history"]`, 0)
	want(t, s.page(history, 200), "article.history p.muted", "No earlier version of this post is kept.")
	edit := func(n souk.NewPost) {
		t.Helper()
		s.pass(time.Hour)
		must(s.EditPost(ctx, s.owner.ID, p.ID, n))(t)
		s.pass(time.Second)
	}
	edit(souk.NewPost{Source: "Second", Summary: "Broken pots", Lang: "en"})
	edit(souk.NewPost{Source: "Third", Summary: "Broken pots", Lang: "en"})
	want(t, s.page(post, 200), `.author a[href$="/history"]@href`, history)
	want(t, s.page("/zh"+post, 200), `.author a[href$="/history"]@href`, "/zh"+history)
	for path, title := range map[string]string{history: "Earlier versions", "/zh" + history: "编辑记录"} {
		d := s.page(path, 200)
		want(t, d, "main h1", title)
		want(t, d, `meta[name="robots"]@content`, "noindex")
		wantCount(t, d, ".versions > li", 2)
		want(t, d, ".versions > li:first-child .prose", "Second")
		want(t, d, ".versions > li:first-child summary", "Broken pots")
		want(t, d, ".versions > li:last-child .described li", "A green "+hostile)
		wantCount(t, d, "[onerror], script:not([type='application/ld+json'])", 0)
		if path != history {
			want(t, d, ".versions > li:first-child .prose@lang", "en")
			want(t, d, ".history header a.btn@href", "/zh"+post)
		}
	}
	want(t, s.page(history, 200), ".versions > li:last-child h2", "Since "+p.Published.UTC().Format("January 2, 2006, 15:04 MST"))

	for n := range 20 {
		edit(souk.NewPost{Source: fmt.Sprint("Version ", n)})
	}
	d := s.page(history, 200)
	wantCount(t, d, ".versions > li", 20)
	want(t, d, ".versions > li:first-child .prose", "Version 18")
	d = s.page(d.Find(".pager a[rel=next]").AttrOr("href", ""), 200)
	wantCount(t, d, ".versions > li", 2)
	wantCount(t, d, ".pager a[rel=prev]", 1)
	wantCount(t, d, ".pager a[rel=next]", 0)

	hidden := s.says(s.owner, souk.NewPost{Source: "for followers", Visibility: souk.FollowersOnly})
	must(s.EditPost(ctx, s.owner.ID, hidden.ID, souk.NewPost{Source: "for followers only"}))(t)
	quiet := s.says(s.owner, souk.NewPost{Source: "quiet", Visibility: souk.Unlisted})
	theirs := s.answers(s.stranger("mira", "social.example"), p.URI, "1", "<p>Hi</p>")
	gone := s.says(s.owner, souk.NewPost{Source: "a mistake"})
	must(s.EditPost(ctx, s.owner.ID, gone.ID, souk.NewPost{Source: "a mistake again"}))(t)
	if err := s.DeletePost(ctx, s.owner.ID, gone.ID); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second)
	for path, status := range map[string]int{
		"/posts/" + id(hidden.ID) + "/history": 404, "/posts/" + id(quiet.ID) + "/history": 200, "/posts/" + id(theirs.ID) + "/history": 404,
		"/posts/" + id(cup.ID) + "/history": 404, "/posts/" + id(gone.ID) + "/history": 410, "/zh/posts/" + id(hidden.ID) + "/history": 404,
		"/posts/x/history": 404, history + "?page=3": 404, history + "?page=02": 404, history + "?page=x": 404, history + "?page=2": 200,
	} {
		if r := s.get(path); r.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, status)
		}
	}
}
