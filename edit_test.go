package souk

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Each earlier form is kept with its descriptions; an edit that changes nothing to be read keeps none, and an old one
// changes nothing.
func TestRemoteEditsKeepHistory(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	r := RemotePost{URI: "https://far.example/1", Author: ben, HTML: "<p>one</p>", Summary: "w", Visibility: Public, InTimeline: true, Published: n.Now(),
		Media: []RemoteMedia{{URL: "https://far.example/1.jpg", MIME: "image/jpeg", Alt: "a mug"}}}
	p, err := n.ReceivePost(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(at time.Time) {
		t.Helper()
		r.Edited = &at
		if err := n.ReceivePostEdit(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	n.clock.Advance(time.Hour)
	r.HTML = "<p>older than the post</p>"
	edit(p.Published.Add(-time.Minute))
	r.HTML = "<p>as old as the post</p>"
	edit(p.Published)
	if p, err = n.Post(ctx, 0, p.ID); err != nil || p.HTML != "<p>one</p>" || p.Edited != nil {
		t.Fatalf("an old edit changed it: %+v %v", p, err)
	}
	r.HTML, r.Media[0].Alt = "<p>one</p>", "a blue mug"
	edit(p.Published.Add(time.Minute))
	r.Media[0].Width = 300 // nobody reads that
	edit(p.Published.Add(2 * time.Minute))
	r.HTML, r.Summary = "<p>two</p>", ""
	edit(p.Published.Add(3 * time.Minute))
	edits, err := n.Edits(ctx, 0, p.ID)
	if err != nil || len(edits) != 2 {
		t.Fatalf("%+v %v: want two earlier forms", edits, err)
	}
	if e := edits[0]; e.HTML != "<p>one</p>" || e.Summary != "w" || !slices.Equal(e.Pictures, []string{"a mug"}) || !e.At.Equal(p.Published) {
		t.Errorf("at first: %+v", e)
	}
	if e := edits[1]; !slices.Equal(e.Pictures, []string{"a blue mug"}) || !e.At.Equal(p.Published.Add(2*time.Minute)) {
		t.Errorf("then: %+v", e)
	}
}

// The link in place of a picture that is refused is part of no text that is kept: the same post again is no edit.
func TestRefusedPicturesAreNoEdit(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	r := RemotePost{URI: "https://far.example/1", Author: ben, HTML: "<p>one</p>", Visibility: Public, InTimeline: true, Published: n.Now(),
		Media: []RemoteMedia{{URL: "https://far.example/1.jpg", MIME: "image/jpeg", Alt: "a mug"}}}
	p, err := n.ReceivePost(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.BlockHosts(ctx, n.owner.ID, []HostBlock{{Domain: "far.example", RejectMedia: true}}); err != nil {
		t.Fatal(err)
	}
	for _, html := range []string{"<p>one</p>", "<p>one</p>", "<p>two</p>", "<p>two</p>"} {
		n.clock.Advance(time.Minute)
		at := n.Now()
		r.HTML, r.Edited = html, &at
		if err := n.ReceivePostEdit(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	edits, err := n.Edits(ctx, 0, p.ID)
	if err != nil || len(edits) != 1 || edits[0].HTML != "<p>one</p>" || !slices.Equal(edits[0].Pictures, []string{"a mug"}) {
		t.Errorf("%v earlier forms %+v", err, edits)
	}
	if p, err = n.Post(ctx, 0, p.ID); err != nil || p.Written() != "<p>two</p>" || !strings.Contains(p.HTML, `<p>two</p><p><a href="https://far.example/1.jpg"`) {
		t.Errorf("%v: shown %s", err, p.HTML)
	}
}

// Of a post that is edited without an end the first and the newest forms are kept.
func TestEditsAreBounded(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "first"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxEdits + 5 {
		n.clock.Advance(time.Minute)
		if _, err := n.EditPost(ctx, n.owner.ID, p.ID, NewPost{Source: "edit " + formatID(int64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	edits, err := n.Edits(ctx, 0, p.ID)
	if err != nil || len(edits) != maxEdits || edits[0].Source != "first" || edits[maxEdits-1].Source != "edit "+formatID(maxEdits+3) {
		t.Errorf("%d kept, from %q to %q, %v", len(edits), edits[0].Source, edits[len(edits)-1].Source, err)
	}
}
