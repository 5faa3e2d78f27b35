package federation

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"souk"
)

// An activity without an id is one activity however often its bytes come: as others send likes and follows.
func TestActivityWithoutID(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.limits = newLimits(Budgets{Actor: Budget{Burst: 8, Every: time.Hour}}, 1)
	anonymous := func(kind string, id any, object any) []byte {
		a := w.honest.activity(kind, w.carol, "", object)
		if delete(a, "id"); id != "missing" {
			a["id"] = id
		}
		return encoded(t, a)
	}
	send := func(actor string, body []byte) {
		t.Helper()
		if status := w.receives(t, w.signedBy(t, actor+"#main-key", w.honest.key, body)); status != http.StatusAccepted {
			t.Fatalf("%s: status %d", body, status)
		}
		must(t, w.ApplyInbox(t.Context()))
	}
	given := func(body []byte) string { return fmt.Sprintf("%s#souk-sha-256=%x", w.carol, sha256.Sum256(body)) }
	likes := w.post(t, w.annaPost.URI).Likes
	like := anonymous("Like", "missing", w.annaPost.URI)
	for range 20 { // what comes again is from no budget
		send(w.carol, like)
	}
	if p := w.post(t, w.annaPost.URI); p.Likes != likes+1 {
		t.Errorf("%d likes, want %d", p.Likes, likes+1)
	}
	if state, note := w.ended(t, given(like)); state != "done" {
		t.Errorf("the like: %s %s", state, note)
	}
	if n := w.count(t, `select count(*) from inbox where actor = $1`, w.carol); n != 1 {
		t.Errorf("stored %d times", n)
	}

	follow := anonymous("Follow", nil, w.anna.URI)
	send(w.carol, follow)
	if state, note := w.ended(t, given(follow)); state != "done" {
		t.Errorf("the follow: %s %s", state, note)
	}
	undo := anonymous("Undo", nil, m{"type": "Follow", "id": nil, "actor": w.carol, "object": w.anna.URI})
	send(w.carol, undo)
	if n := w.count(t, `select count(*) from follows f join accounts a on a.id = f.follower_id where a.uri = $1`, w.carol); n != 0 {
		t.Errorf("carol follows after her Undo")
	}
	note := w.honest.note(w.carol, "/notes/anonymous", "<p>Hello</p>")
	mention(note, w.anna.URI)
	send(w.carol, anonymous("Create", nil, note))
	if p := w.post(t, w.honest.URL+"/notes/anonymous"); p.HTML != "<p>Hello</p>" {
		t.Errorf("kept: %q", p.HTML)
	}

	// What has to be found again needs an id of its own.
	delete(note, "id")
	before := w.state(t)
	create := anonymous("Create", nil, note)
	send(w.carol, create)
	if state, why := w.ended(t, given(create)); state != "failed" || !strings.Contains(why, "an object without an id") {
		t.Errorf("an object without an id: %s %s", state, why)
	}
	if after := w.state(t); after != before {
		t.Errorf("something changed:\n%s", difference(before, after))
	}

	// Who knows what a neighbour will say takes nothing from it by saying something under the id that it will have.
	post := ok(w.db.CreatePost(t.Context(), w.anna.ID, souk.NewPost{Source: "new"}))(t)
	like = anonymous("Like", nil, post.URI)
	squat := w.from(t, encoded(t, with(w.honest.activity("Like", w.ben, "", w.benNote), "id", given(like))))
	if status := w.receives(t, squat); status != http.StatusBadRequest {
		t.Errorf("an id like those given here: status %d", status)
	}
	send(w.carol, like)
	if p := w.post(t, post.URI); p.Likes != 1 {
		t.Errorf("%d likes after a neighbour tried to keep them out", p.Likes)
	}
	// In the name of somebody else it is not theirs, whatever it has for an id.
	forged := w.signedBy(t, w.ben+"#main-key", w.honest.key, anonymous("Like", nil, w.benNote))
	if status := w.receives(t, forged); status != http.StatusUnauthorized {
		t.Errorf("carol's, signed by ben: status %d", status)
	}
}
