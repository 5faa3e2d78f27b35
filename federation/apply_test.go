package federation

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"souk"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// What strangers write is kept only where it concerns somebody here.
func TestApplyWanted(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	post := ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: "Question of the day"}))(t)
	for _, c := range []struct {
		name, want string
		note       m
	}{
		{"of a stranger", "ignored", peer.note(ben, "/notes/1", "<p>x</p>")},
		{"a mention", "done", with(peer.note(ben, "/notes/2", "<p>x</p>"), "tag", m{"type": "Mention", "href": n.anna.URI})},
		{"a reply", "done", with(peer.note(ben, "/notes/3", "<p>x</p>"), "inReplyTo", post.URI)},
		{"a reply to the reply", "done", with(peer.note(ben, "/notes/4", "<p>x</p>"), "inReplyTo", peer.URL+"/notes/3")},
		{"a reply to something unknown", "ignored", with(peer.note(ben, "/notes/5", "<p>x</p>"), "inReplyTo", peer.URL+"/notes/none")},
		{"a private message", "done", with(with(peer.note(ben, "/notes/6", "<p>x</p>"), "to", n.anna.URI), "cc", nil)},
	} {
		if state, note := n.deliver(t, peer, peer.activity("Create", ben, "/c"+c.note["id"].(string)[len(peer.URL):], c.note)); state != c.want {
			t.Errorf("%s: %s %s", c.name, state, note)
		}
	}
	if p := n.post(t, peer.URL+"/notes/6"); p.Visibility != souk.Direct || len(p.Mentions) != 1 {
		t.Errorf("the message is %+v", p)
	}
	if p := n.post(t, post.URI); p.Replies != 1 {
		t.Errorf("%d replies", p.Replies)
	}
	kinds := map[string]int{}
	for _, kind := range []string{"mention", "reply"} {
		kinds[kind] = n.count(t, `select count(*) from notifications where account_id = $1 and kind = $2`, n.anna.ID, kind)
	}
	if kinds["mention"] != 2 || kinds["reply"] != 1 {
		t.Errorf("notifications %v", kinds)
	}
}

// A reply that comes before its parent brings it along, each post read at its own origin.
func TestApplyFetchesParents(t *testing.T) {
	t.Parallel()
	n, peer, other := inbound(t), newOtherNode(t, 1), newOtherNode(t, 2)
	ben, carol := peer.person(t, "ben"), other.person(t, "carol")
	n.follow(t, peer, ben)
	other.serve("/notes/1", other.note(carol, "/notes/1", "<p>parent</p>"))
	reply := with(peer.note(ben, "/notes/1", "<p>reply</p>"), "inReplyTo", other.URL+"/notes/1")
	n.done(t, peer, peer.activity("Create", ben, "/c/1", reply))
	parent := n.post(t, other.URL+"/notes/1")
	if p := n.post(t, peer.URL+"/notes/1"); p.InReplyToID == nil || *p.InReplyToID != parent.ID || parent.HTML != "<p>parent</p>" {
		t.Errorf("reply %+v to %+v", p, parent)
	}
	// A parent that cannot be had keeps nothing back.
	lost := with(peer.note(ben, "/notes/2", "<p>reply</p>"), "inReplyTo", other.URL+"/notes/gone")
	n.done(t, peer, peer.activity("Create", ben, "/c/2", lost))
	if p := n.post(t, peer.URL+"/notes/2"); p.InReplyToID != nil || p.InReplyToURI != other.URL+"/notes/gone" {
		t.Errorf("reply %+v", p)
	}
}

// The second half may run twice: a crash after the commit, before the lease is forgotten.
func TestApplyTwice(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.done(t, w.honest, w.honest.activity("Update", w.ben, "/u/1", edited(w.honest.note(w.ben, "/notes/1", "<p>again</p>"))))
	before, posts := w.state(t), w.count(t, `select count(*) from posts`)
	for _, a := range []m{
		w.honest.activity("Create", w.ben, "/twice/1", w.honest.note(w.ben, "/notes/1", "<p>Ben's own words</p>")),
		w.honest.activity("Announce", w.ben, "/twice/2", w.annaPost.URI),
		w.honest.activity("Like", w.ben, "/twice/3", w.annaPost.URI),
	} {
		w.done(t, w.honest, a)
	}
	// What is done again under another id stands under that: it is the one that is taken back later.
	after := w.state(t)
	for again, first := range map[string]string{"/twice/2": "/activities/boost", "/twice/3": "/activities/like"} {
		after = strings.Replace(after, w.honest.URL+again, w.honest.URL+first, 1)
	}
	if after != before || w.count(t, `select count(*) from posts`) != posts {
		t.Errorf("the second time changed something:\n%s", difference(before, after))
	}
	// A Follow is answered again, too: the sender seems not to know.
	w.done(t, w.honest, w.honest.activity("Follow", w.ben, "/twice/4", w.anna.URI))
	if follows, answers := w.count(t, `select count(*) from follows where follower_id <> $1`, w.anna.ID), w.count(t, `select count(*) from events where kind = 'follow_accepted'`); follows != 1 || answers != 2 {
		t.Errorf("%d follows, %d answers", follows, answers)
	}
}

// What needs another node waits for it, for some time.
func TestApplyRetries(t *testing.T) {
	t.Parallel()
	n, peer, other := inbound(t), newOtherNode(t, 1), newOtherNode(t, 2)
	ben, carol := peer.person(t, "ben"), other.person(t, "carol")
	n.follow(t, peer, ben)
	other.serve("/notes/1", http.StatusServiceUnavailable)
	boost := peer.activity("Announce", ben, "/b/1", other.URL+"/notes/1")
	state, note := n.deliver(t, peer, boost)
	if state != "queued" || note == "" {
		t.Fatalf("state %s, note %q", state, note)
	}
	must(t, n.ApplyInbox(t.Context()))
	if got := other.requests("/notes/1"); got != 1 {
		t.Errorf("asked %d times at once", got)
	}
	other.serve("/notes/1", other.note(carol, "/notes/1", "<p>there</p>"))
	n.clock.advance(11 * time.Second)
	must(t, n.ApplyInbox(t.Context()))
	if state, note := n.ended(t, boost["id"].(string)); state != "done" {
		t.Fatalf("state %s, note %q", state, note)
	}
	if p := n.post(t, other.URL+"/notes/1"); p.Boosts != 1 {
		t.Errorf("%d boosts", p.Boosts)
	}
	other.serve("/notes/2", http.StatusServiceUnavailable)
	never := peer.activity("Announce", ben, "/b/2", other.URL+"/notes/2")
	n.deliver(t, peer, never)
	for range 9 {
		n.clock.advance(8 * time.Hour)
		must(t, n.ApplyInbox(t.Context()))
	}
	if state, _ := n.ended(t, never["id"].(string)); state != "failed" {
		t.Errorf("after all attempts it is %s", state)
	}
}

// Activities of one actor take effect in the order in which they came, with others' beside them.
func TestApplyInOrder(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	actors := []string{peer.person(t, "ben"), peer.person(t, "carol"), peer.person(t, "dan")}
	for _, a := range actors {
		n.follow(t, peer, a)
	}
	const notes = 20
	for i := range notes {
		for k, a := range actors {
			path := "/notes/" + formatID(int64(i*len(actors)+k))
			note := peer.note(a, path, "<p>x</p>")
			if n.send(t, peer, peer.activity("Create", a, "/c"+path, note)) != http.StatusAccepted ||
				n.send(t, peer, peer.activity("Update", a, "/u"+path, edited(peer.note(a, path, "<p>y</p>")))) != http.StatusAccepted ||
				n.send(t, peer, peer.activity("Delete", a, "/d"+path, peer.URL+path)) != http.StatusAccepted {
				t.Fatal("not accepted")
			}
		}
	}
	must(t, n.ApplyInbox(t.Context()))
	if c := n.count(t, `select count(*) from inbox_queue`); c != 0 {
		t.Errorf("%d wait", c)
	}
	if c := n.count(t, `select count(*) from inbox where state <> 'done'`); c != 0 {
		t.Errorf("%d were not applied", c)
	}
	if c := n.count(t, `select count(*) from posts where deleted is not null and html = ''`); c != notes*len(actors) {
		t.Errorf("%d tombstones", c)
	}
}

func TestApplyAfterBlock(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	create := peer.activity("Create", ben, "/c/1", peer.note(ben, "/notes/1", "<p>x</p>"))
	n.send(t, peer, create)
	must(t, n.db.BlockHost(t.Context(), n.anna.ID, peer.host(), souk.Suspend, ""))
	must(t, n.ApplyInbox(t.Context()))
	if state, note := n.ended(t, create["id"].(string)); state != "ignored" || note != "the sender is blocked here" {
		t.Errorf("state %s: %s", state, note)
	}
	if c := n.count(t, `select count(*) from posts`); c != 0 {
		t.Errorf("%d posts", c)
	}
	if status := n.send(t, peer, peer.activity("Create", ben, "/c/2", peer.note(ben, "/notes/2", "<p>x</p>"))); status != http.StatusForbidden {
		t.Errorf("one whose key is known: %d", status)
	}
}

func TestApplyBlock(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.done(t, w.honest, w.honest.activity("Block", w.ben, "/block/1", w.anna.URI))
	if c := w.count(t, `select count(*) from follows f join accounts a on a.id in (f.follower_id, f.followee_id) where a.uri = $1`, w.ben); c != 0 {
		t.Errorf("%d follows are left", c)
	}
	if err := w.db.Like(t.Context(), w.anna.ID, w.post(t, w.benNote).ID); err == nil {
		t.Error("anna may still like ben's note")
	}
	w.done(t, w.honest, w.honest.activity("Undo", w.ben, "/block/2", m{"type": "Block", "id": w.honest.URL + "/block/1", "actor": w.ben, "object": w.anna.URI}))
	must(t, w.db.Like(t.Context(), w.anna.ID, w.post(t, w.benNote).ID))
}

// The job leaves the queue open for another wake-up before it looks for work.
func TestInboxWorker(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.send(t, peer, peer.activity("Like", ben, "/l/1", n.anna.URI))
	w := &inboxWorker{f: n.Federation}
	must(t, w.Work(t.Context(), &river.Job[souk.InboxArgs]{JobRow: &rivertype.JobRow{ID: 1}}))
	if state, _ := n.ended(t, peer.URL+"/l/1"); state != "ignored" {
		t.Errorf("state %s", state)
	}
}

func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	err := contained(func() error { panic("odd bytes") })
	if v := judged(err); v == nil || v.state != "failed" || strings.Contains(v.note, "odd bytes") {
		t.Errorf("a panic is judged %+v", v)
	}
	if !strings.Contains(err.Error(), "odd bytes") || !strings.Contains(err.Error(), "TestPanicIsContained") {
		t.Errorf("the log would not say what and where: %v", err)
	}
	refused := errors.New("no")
	if err := contained(func() error { return refused }); !errors.Is(err, refused) {
		t.Errorf("an error became %v", err)
	}
}
