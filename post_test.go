package souk

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPostLife(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	mira := n.remote(t, "mira", "social.example")
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "New **glaze** for @mira@social.example #Celadon\n\n<script>alert(1)</script>", Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.HTML, "<strong>glaze</strong>") || strings.Contains(p.HTML, "<script") || !strings.Contains(p.HTML, `href="https://shop.example/tags/celadon"`) {
		t.Errorf("html %s", p.HTML)
	}
	if len(p.Mentions) != 1 || p.Mentions[0].ID != mira.ID || len(p.Tags) != 1 || p.Tags[0].Name != "Celadon" {
		t.Errorf("mentions %v tags %v", p.Mentions, p.Tags)
	}
	reply, err := n.ReceivePost(ctx, RemotePost{URI: "https://social.example/p/1", URL: "https://social.example/@mira/1", Author: mira,
		HTML: `<p onclick="x()">Lovely <img src=x onerror=y> <a href="javascript:z">z</a></p>`, Visibility: Public, InTimeline: true, InReplyToURI: p.URI, Published: n.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"onclick", "img", "javascript"} {
		if strings.Contains(reply.HTML, bad) {
			t.Errorf("%q survived: %s", bad, reply.HTML)
		}
	}
	if err := n.ReceiveLike(ctx, "https://social.example/l/1", mira, p.ID); err != nil {
		t.Fatal(err)
	}
	if err := n.ReceiveLike(ctx, "https://social.example/l/1", mira, p.ID); err != nil {
		t.Fatal("a repeated like:", err)
	}
	if err := n.ReceiveBoost(ctx, "https://social.example/b/1", mira, p.ID, n.Now()); err != nil {
		t.Fatal(err)
	}
	p, err = n.Post(ctx, 0, p.ID)
	if err != nil || p.Likes != 1 || p.Boosts != 1 || p.Replies != 1 {
		t.Errorf("counts: %+v %v", p, err)
	}
	thread, err := n.Thread(ctx, 0, p.ThreadID)
	if err != nil || len(thread) != 2 || thread[1].ID != reply.ID {
		t.Errorf("thread: %v %v", thread, err)
	}
	conversations, err := n.Conversations(ctx, 5)
	if err != nil || len(conversations) != 1 || conversations[0].Latest.ID != reply.ID || conversations[0].Count != 1 {
		t.Errorf("conversations: %v %v", conversations, err)
	}
	if err := n.ReceiveUnboost(ctx, "https://social.example/b/1", mira, "", false); err != nil {
		t.Fatal(err)
	}
	if err := n.ReceiveUnlike(ctx, "", mira, p.URI, false); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(time.Minute)
	edited, err := n.EditPost(ctx, n.owner.ID, p.ID, NewPost{Source: "Second thoughts"})
	if err != nil || edited.Edited == nil || edited.Likes != 0 || edited.Boosts != 0 {
		t.Fatalf("edit: %+v %v", edited, err)
	}
	if edits, err := n.Edits(ctx, 0, p.ID); err != nil || len(edits) != 1 || !strings.Contains(edits[0].HTML, "glaze") {
		t.Errorf("edits: %v %v", edits, err)
	}
	if err := n.ReceiveDelete(ctx, n.remote(t, "eve", "evil.example"), reply.URI); !errors.Is(err, ErrForbidden) {
		t.Errorf("delete by another: %v", err)
	}
	if err := n.DeletePost(ctx, n.owner.ID, p.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Post(ctx, 0, p.ID); !errors.Is(err, ErrGone) {
		t.Errorf("deleted: %v", err)
	}
	wantKinds(t, n.waiting(t), EventPostCreated, EventPostEdited, EventPostDeleted)
}

func TestVisibility(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, err := n.CreateAccount(ctx, NewAccount{Name: "ben"})
	if err != nil {
		t.Fatal(err)
	}
	carl, err := n.CreateAccount(ctx, NewAccount{Name: "carl"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Follow(ctx, ben.ID, n.owner.ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		visibility, text    string
		stranger, ben, carl bool
	}{
		{Public, "all", true, true, true},
		{Unlisted, "all", true, true, true},
		{FollowersOnly, "followers", false, true, false},
		{Direct, "@carl", false, false, true},
	} {
		p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: c.text, Visibility: c.visibility})
		if err != nil {
			t.Fatal(err)
		}
		for viewer, may := range map[int64]bool{0: c.stranger, ben.ID: c.ben, carl.ID: c.carl, n.owner.ID: true} {
			_, err := n.Post(ctx, viewer, p.ID)
			if may && err != nil || !may && !errors.Is(err, ErrNotFound) {
				t.Errorf("%s for %d: %v", c.visibility, viewer, err)
			}
		}
	}
	home, err := n.Home(ctx, ben.ID, Page{})
	if err != nil || len(home) != 3 {
		t.Errorf("ben's home: %d %v", len(home), err)
	}
}

func TestReplyBeforeParent(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	mira := n.remote(t, "mira", "social.example")
	post := func(uri, parent string) *Post {
		p, err := n.ReceivePost(ctx, RemotePost{URI: uri, Author: mira, HTML: "<p>x</p>", Visibility: Public, InTimeline: true, InReplyToURI: parent, Published: n.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	third := post("https://social.example/3", "https://social.example/2")
	second := post("https://social.example/2", "https://social.example/1")
	first := post("https://social.example/1", "")
	thread, err := n.Thread(ctx, 0, first.ID)
	if err != nil || len(thread) != 3 {
		t.Fatalf("thread of %d posts, %v; ids %d %d %d", len(thread), err, first.ID, second.ID, third.ID)
	}
}

func TestDeleteBeforeCreate(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	mira := n.remote(t, "mira", "social.example")
	if err := n.ReceiveDelete(ctx, mira, "https://social.example/1"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.ReceivePost(ctx, RemotePost{URI: "https://social.example/1", Author: mira, HTML: "late", Visibility: Public, InTimeline: true, Published: n.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.PostByURI(ctx, 0, "https://social.example/1"); !errors.Is(err, ErrGone) {
		t.Errorf("came back: %v", err)
	}
}
