package federation

import (
	"net/http"
	"testing"
	"time"

	"souk"
)

// An Undo that overtakes what it takes back is not lost, whether it embeds that or only names it.
func TestUndoOvertakes(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben, eve := peer.person(t, "ben"), peer.person(t, "eve")
	post := ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: "Look"}))(t)
	for i, c := range []struct {
		kind, object string
		named        bool // the Undo gives the id only
	}{
		{"Like", post.URI, false}, {"Announce", post.URI, false}, {"Follow", n.anna.URI, false},
		{"Like", post.URI, true}, {"Announce", post.URI, true}, {"Follow", n.anna.URI, true},
	} {
		path := "/late/" + formatID(int64(i+1))
		a := peer.activity(c.kind, ben, path, c.object)
		var undone any = a
		if c.named {
			undone = a["id"]
		}
		// Somebody else of that server takes back what is not theirs: that must not count.
		n.deliver(t, peer, peer.activity("Undo", eve, path+"/forged", undone))
		n.done(t, peer, peer.activity("Undo", ben, path+"/undo", undone))
		if state, note := n.deliver(t, peer, a); state != "ignored" {
			t.Errorf("%s, named %v: it came late and was %s %s", c.kind, c.named, state, note)
		}
	}
	// What eve undid of ben's says nothing about another's.
	n.done(t, peer, peer.activity("Like", eve, "/eves/like", post.URI))
	if p := n.post(t, post.URI); p.Likes != 1 || p.Boosts != 0 {
		t.Errorf("%d likes, %d boosts", p.Likes, p.Boosts)
	}
	if followers, _, err := n.db.FollowCounts(t.Context(), n.anna.ID); err != nil || followers != 0 {
		t.Errorf("%d followers, %v", followers, err)
	}
	// Who likes it once more, does.
	n.done(t, peer, peer.activity("Like", ben, "/again", post.URI))
	if p := n.post(t, post.URI); p.Likes != 2 {
		t.Errorf("%d likes", p.Likes)
	}
}

// An Undo that comes while what it takes back waits for another server.
func TestUndoWhileItWaits(t *testing.T) {
	t.Parallel()
	n, peer, other := inbound(t), newOtherNode(t, 1), newOtherNode(t, 2)
	ben, carol := peer.person(t, "ben"), other.person(t, "carol")
	n.follow(t, peer, ben)
	other.serve("/notes/1", http.StatusServiceUnavailable)
	boost := peer.activity("Announce", ben, "/b/1", other.URL+"/notes/1")
	if state, _ := n.deliver(t, peer, boost); state != "queued" {
		t.Fatalf("state %s", state)
	}
	n.done(t, peer, peer.activity("Undo", ben, "/u/1", boost))
	other.serve("/notes/1", other.note(carol, "/notes/1", "<p>there</p>"))
	n.clock.advance(11 * time.Second)
	must(t, n.ApplyInbox(t.Context()))
	if state, note := n.ended(t, boost["id"].(string)); state != "ignored" {
		t.Errorf("state %s %s", state, note)
	}
	if boosts := n.count(t, `select count(*) from posts where kind = 'boost' and deleted is null`); boosts != 0 {
		t.Errorf("%d boosts", boosts)
	}
}

// Delete names its object by id or as a Tombstone, comes before the Create or after, and ends boosts too.
func TestDelete(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	annas := ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: "Look"}))(t)
	for i, c := range []struct {
		name   string
		object func(id string) any
	}{
		{"an id", func(id string) any { return id }},
		{"a Tombstone", func(id string) any { return m{"id": id, "type": "Tombstone", "formerType": "Note"} }},
		{"an array of one Tombstone", func(id string) any { return []any{m{"id": id, "type": "Tombstone"}} }},
	} {
		k := formatID(int64(i + 1))
		note := peer.note(ben, "/notes/"+k, "<p>x</p>")
		id := note["id"].(string)
		n.done(t, peer, peer.activity("Create", ben, "/c/"+k, note))
		n.done(t, peer, peer.activity("Delete", ben, "/d/"+k, c.object(id)))
		if p := n.post(t, id); p.Deleted == nil || p.HTML != "" {
			t.Errorf("%s: %+v", c.name, p)
		}
		early := peer.note(ben, "/early/"+k, "<p>x</p>")
		n.done(t, peer, peer.activity("Delete", ben, "/e/"+k, c.object(early["id"].(string))))
		if state, _ := n.deliver(t, peer, peer.activity("Create", ben, "/late/"+k, early)); state != "ignored" {
			t.Errorf("%s before the Create: the Create was %s", c.name, state)
		}
		if state, _ := n.deliver(t, peer, peer.activity("Update", ben, "/later/"+k, edited(early))); state != "ignored" {
			t.Errorf("%s before the Create: the Update was %s", c.name, state)
		}
		boost := peer.activity("Announce", ben, "/b/"+k, annas.URI)
		n.done(t, peer, boost)
		n.done(t, peer, peer.activity("Delete", ben, "/db/"+k, c.object(boost["id"].(string))))
		if p := n.post(t, annas.URI); p.Boosts != 0 || p.Deleted != nil {
			t.Errorf("%s of a boost: %d boosts, deleted %v", c.name, p.Boosts, p.Deleted)
		}
	}
	// A boost that was deleted before it came stays away as well.
	boost := peer.activity("Announce", ben, "/b/early", annas.URI)
	n.done(t, peer, peer.activity("Delete", ben, "/db/early", boost["id"]))
	n.deliver(t, peer, boost)
	if p := n.post(t, annas.URI); p.Boosts != 0 {
		t.Errorf("a boost deleted before it came: %d boosts", p.Boosts)
	}
}

// What was deleted here answers 410 at its id, with a Tombstone.
func TestOwnTombstones(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	post, listing := n.write(t, "soon gone"), n.list(t, true)
	must(t, n.db.DeletePost(ctx, n.anna.ID, post.ID))
	must(t, n.db.WithdrawListing(ctx, n.anna.ID, listing.ID))
	for name, doc := range map[string]*Document{"post": ok(n.Post(ctx, nil, post.ID))(t), "listing": ok(n.Listing(ctx, nil, listing.ID))(t)} {
		if doc.Status != http.StatusGone || ok(parseObject(doc.Body))(t).kind() != "Tombstone" {
			t.Errorf("%s: %d %s", name, doc.Status, doc.Body)
		}
	}
}

// An edit counts when it is newer than what is kept and says so; the counts of a poll are none.
func TestUpdate(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	note := peer.note(ben, "/notes/1", "<p>one</p>")
	poll := with(peer.note(ben, "/notes/2", "<p>Which?</p>"), "type", "Question")
	for _, o := range []m{note, poll} {
		n.done(t, peer, peer.activity("Create", ben, "/c"+o["id"].(string)[len(peer.URL):], o))
	}
	i := 0
	update := func(o m) string {
		t.Helper()
		i++
		state, _ := n.deliver(t, peer, peer.activity("Update", ben, "/u/"+formatID(int64(i)), o))
		return state
	}
	content := func(o m, text, updated string) m {
		o = with(o, "content", text)
		if updated != "" {
			o = with(o, "updated", updated)
		}
		return o
	}
	update(content(note, "<p>three</p>", "2026-11-22T08:40:00Z"))
	update(content(note, "<p>two, late</p>", "2026-11-22T08:30:00Z"))
	update(content(note, "<p>three again</p>", "2026-11-22T08:40:00Z"))
	update(content(note, "<p>before it was written</p>", "2026-11-22T07:00:00Z"))
	update(content(note, "<p>without a time</p>", ""))
	if p := n.post(t, note["id"].(string)); p.HTML != "<p>three</p>" || p.Edited == nil {
		t.Errorf("it says %s", p.HTML)
	}
	if state := update(content(poll, "<p>Which? 3 votes</p>", "")); state != "ignored" {
		t.Errorf("counts of a poll: %s", state)
	}
	for uri, want := range map[string]int{note["id"].(string): 1, poll["id"].(string): 0} {
		edits := ok(n.db.Edits(t.Context(), 0, n.post(t, uri).ID))(t)
		if len(edits) != want || want == 1 && edits[0].HTML != "<p>one</p>" {
			t.Errorf("%s has the earlier forms %+v", uri, edits)
		}
	}
	// Of what is not kept here: as if it were new.
	missed := content(peer.note(ben, "/notes/3", "<p>one</p>"), "<p>two</p>", "2026-11-22T08:30:00Z")
	if state := update(missed); state != "done" || n.post(t, missed["id"].(string)).HTML != "<p>two</p>" {
		t.Errorf("an edit of what was never seen: %s", state)
	}
	stranger := peer.person(t, "sam")
	if state, _ := n.deliver(t, peer, peer.activity("Update", stranger, "/u/sam", edited(peer.note(stranger, "/notes/4", "x")))); state != "ignored" {
		t.Errorf("an edit of a stranger's that concerns nobody: %s", state)
	}
}
