package federation

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"souk"
)

// sendAll sends activities that are otherwise in order and counts the answers by status; the last refusal comes with it.
func (w *world) sendAll(t *testing.T, from *otherNode, actor string, n int, path string) (accepted, refused int, last *RefusedError) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("%s/%d", path, i)
		body := encoded(t, from.activity("Create", actor, "/activities"+id, from.note(actor, id, "<p>Once more</p>")))
		status, err := w.Receive(t.Context(), w.signedBy(t, actor+"#main-key", from.key, body))
		switch {
		case status == http.StatusAccepted && err == nil:
			accepted++
		case status == http.StatusTooManyRequests && errors.As(err, &last):
			refused++
		default:
			t.Fatalf("status %d: %v", status, err)
		}
	}
	return accepted, refused, last
}

// A flood of one actor, and of all actors of a domain, ends in 429 before anything is stored; nobody else feels it.
func TestFloodOfActivities(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	elsewhere := newOtherNode(t, 1, "127.0.0.2")
	dora := elsewhere.person(t, "dora")
	w.follow(t, elsewhere, dora)
	w.limits = newLimits(Budgets{Actor: Budget{Burst: 3, Every: time.Minute}, Domain: Budget{Burst: 5, Every: time.Hour}}, 1)

	// Strangers who write ben's name under what they send use up nothing of his.
	for range 20 {
		if status := w.receives(t, w.signedBy(t, w.ben+"#main-key", w.evil.key, encoded(t, w.hello()))); status != http.StatusUnauthorized {
			t.Fatalf("a forged signature: %d", status)
		}
	}
	accepted, refused, last := w.sendAll(t, w.honest, w.ben, 10, "/notes/flood")
	if accepted != 3 || refused != 7 || last.RetryAfter <= 0 || last.RetryAfter > time.Minute {
		t.Errorf("one actor: %d accepted, %d refused, %+v", accepted, refused, last)
	}
	if c := w.count(t, `select count(*) from inbox where activity_id like '%/activities/notes/flood/%'`); c != 3 {
		t.Errorf("%d are stored", c)
	}
	accepted, refused, last = w.sendAll(t, w.honest, w.carol, 10, "/notes/neighbour")
	if accepted != 2 || refused != 8 || last.RetryAfter <= time.Minute {
		t.Errorf("its domain: %d accepted, %d refused, %+v", accepted, refused, last)
	}
	before := w.state(t)
	must(t, w.ApplyInbox(t.Context()))
	w.sendAll(t, w.honest, w.ben, 5, "/notes/more")
	if after := w.state(t); after == before {
		t.Error("what was accepted changed nothing")
	}
	if accepted, _, _ := w.sendAll(t, elsewhere, dora, 3, "/notes/dora"); accepted != 3 {
		t.Errorf("another domain: %d accepted", accepted)
	}
	w.clock.advance(last.RetryAfter + time.Second)
	if accepted, _, _ := w.sendAll(t, w.honest, w.ben, 1, "/notes/later"); accepted != 1 {
		t.Error("refused after the time of Retry-After")
	}
	w.limits = newLimits(Budgets{Actor: Budget{Burst: 1, Every: time.Hour}}, -1)
	if accepted, _, _ := w.sendAll(t, w.honest, w.ben, 20, "/notes/unlimited"); accepted != 20 {
		t.Errorf("without limits: %d accepted", accepted)
	}
}

// What comes twice is no flood: the replay is answered as the first one was, from no budget.
func TestFloodOfReplays(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.limits = newLimits(Budgets{Actor: Budget{Burst: 2, Every: time.Hour}}, 1)
	hello := w.from(t, encoded(t, w.hello()))
	for range 50 {
		if status := w.receives(t, hello); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	must(t, w.ApplyInbox(t.Context()))
	before := w.state(t)
	w.receives(t, hello)
	must(t, w.ApplyInbox(t.Context()))
	if after := w.state(t); after != before {
		t.Errorf("a replay changed something:\n%s", difference(before, after))
	}
	if accepted, _, _ := w.sendAll(t, w.honest, w.ben, 2, "/notes/after"); accepted != 1 {
		t.Errorf("%d of two more accepted", accepted)
	}
}

func (w *world) told(t *testing.T, kind string) int {
	t.Helper()
	return w.count(t, `select count(*) from notifications where account_id = $1 and kind = $2`, w.anna.ID, kind)
}

func mention(o m, actors ...string) m {
	tags := []any{}
	for _, a := range actors {
		tags = append(tags, m{"type": "Mention", "href": a, "name": "@x"})
	}
	return with(o, "tag", tags)
}

// Mentions and replies beyond the budget are kept, and tell nobody.
func TestFloodOfMentions(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.limits = newLimits(Budgets{TellActor: Budget{Burst: 2, Every: time.Hour}, TellDomain: Budget{Burst: 3, Every: time.Hour}, Mentions: 3}, 1)
	create := func(from *otherNode, actor, path string, change func(m)) {
		note := from.note(actor, path, "<p>Buy now</p>")
		change(note)
		w.done(t, from, from.activity("Create", actor, "/activities"+path, note))
		w.post(t, from.URL+path) // kept
	}
	anna := func(o m) { mention(o, w.anna.URI) }
	create(w.evil, w.eve, "/crowd", func(o m) { mention(o, w.anna.URI, w.ben, w.carol, w.eve) })
	if n := w.told(t, "mention"); n != 0 {
		t.Errorf("a crowd: told %d times", n)
	}
	create(w.evil, w.eve, "/few", func(o m) { mention(o, w.anna.URI, w.ben, w.carol) })
	if n := w.told(t, "mention"); n != 1 {
		t.Errorf("one fewer: told %d times", n)
	}
	for i := range 5 {
		create(w.evil, w.eve, fmt.Sprintf("/spam/%d", i), anna)
	}
	if n := w.told(t, "mention"); n != 2 {
		t.Errorf("a flood of one actor: told %d times", n)
	}
	for i := range 3 {
		create(w.evil, w.eve, fmt.Sprintf("/reply/%d", i), func(o m) { o["inReplyTo"] = w.annaPost.URI })
	}
	if n := w.told(t, "reply"); n != 0 {
		t.Errorf("its replies: told %d times", n)
	}
	create(w.honest, w.ben, "/quiet", func(m) {}) // tells nobody, and takes nothing
	create(w.honest, w.ben, "/hello/anna", anna)
	if n := w.told(t, "mention"); n != 3 {
		t.Errorf("somebody else: told %d times", n)
	}
	create(w.honest, w.ben, "/hello/again", anna) // ben has one left, their domain none
	if n := w.told(t, "mention"); n != 3 {
		t.Errorf("a flood of one domain: told %d times", n)
	}
	w.clock.advance(time.Hour)
	create(w.honest, w.ben, "/hello/later", anna)
	if n := w.told(t, "mention"); n != 4 {
		t.Errorf("an hour later: told %d times", n)
	}
	// What is fetched because of an activity counts as its actor's.
	must(t, w.db.Unfollow(t.Context(), w.anna.ID, ok(w.db.AccountByURI(t.Context(), w.eve))(t).ID))
	w.follow(t, w.evil, w.eve)
	for i := range 4 {
		path := fmt.Sprintf("/bait/%d", i)
		w.evil.serve(path, mention(w.evil.note(w.eve, path, "<p>Bait</p>"), w.anna.URI))
		w.done(t, w.evil, w.evil.activity("Announce", w.eve, "/announce"+path, w.evil.URL+path))
		w.post(t, w.evil.URL+path)
	}
	if n := w.told(t, "mention"); n > 5 {
		t.Errorf("by way of shares: told %d times", n)
	}
}

// A follow that is taken back and made again tells once; likes and follows of a domain's many actors only so often.
func TestFloodOfReactions(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	for i := range 5 {
		id := fmt.Sprintf("/follow/%d", i)
		w.done(t, w.evil, w.evil.activity("Follow", w.eve, id, w.anna.URI))
		if i < 4 {
			w.done(t, w.evil, w.evil.activity("Undo", w.eve, id+"/undo", m{"type": "Follow", "id": w.evil.URL + id, "actor": w.eve, "object": w.anna.URI}))
		}
	}
	if n := w.told(t, "follow"); n != 2 { // and ben's
		t.Errorf("a loop of follows: told %d times", n)
	}
	if c := w.count(t, `select count(*) from follows f join accounts a on a.id = f.follower_id where a.uri = $1 and f.state = 'accepted'`, w.eve); c != 1 {
		t.Errorf("eve follows %d times", c)
	}
	w.limits = newLimits(Budgets{ReactDomain: Budget{Burst: 3, Every: time.Hour}}, 1)
	likes, follows := w.told(t, "like"), w.told(t, "follow")
	for i := range 5 {
		puppet := w.evil.person(t, fmt.Sprintf("puppet%d", i))
		w.done(t, w.evil, w.evil.activity("Like", puppet, fmt.Sprintf("/like/%d", i), w.annaPost.URI))
	}
	if n := w.told(t, "like") - likes; n != 3 {
		t.Errorf("five likes of a domain with a budget of three: told %d times", n)
	}
	if p := w.post(t, w.annaPost.URI); p.Likes != 6 {
		t.Errorf("%d likes are kept", p.Likes)
	}
	w.done(t, w.evil, w.evil.activity("Follow", w.evil.URL+"/users/puppet0", "/follow/puppet", w.anna.URI))
	if n := w.told(t, "follow") - follows; n != 0 {
		t.Errorf("a follow beyond it: told %d times", n)
	}
	w.clock.advance(time.Hour)
	w.done(t, w.evil, w.evil.activity("Follow", w.evil.URL+"/users/puppet1", "/follow/puppet1", w.anna.URI))
	if n := w.told(t, "follow") - follows; n != 1 {
		t.Errorf("an hour later: told %d times", n)
	}
}

// What somebody does to posts takes nothing from what the same may say to people, nor the other way round; and who follows
// the sender misses no direct message.
func TestBudgetsAreApart(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	two := Budget{Burst: 2, Every: time.Hour}
	w.limits = newLimits(Budgets{TellActor: two, ReactActor: two}, 1)
	likes := w.told(t, "like")
	for i := range 5 {
		post := ok(w.db.CreatePost(t.Context(), w.anna.ID, souk.NewPost{Source: "more"}))(t)
		w.done(t, w.honest, w.honest.activity("Like", w.carol, fmt.Sprintf("/like/%d", i), post.URI))
	}
	if n := w.told(t, "like") - likes; n != 2 {
		t.Errorf("five likes: told %d times", n)
	}
	direct := func(from *otherNode, actor, path string) {
		note := mention(from.note(actor, path, "<p>Is it still there?</p>"), w.anna.URI)
		note["to"], note["cc"] = []any{w.anna.URI}, []any{}
		w.done(t, from, from.activity("Create", actor, "/activities"+path, note))
	}
	for i := range 4 { // carol was not followed, for she has not answered
		direct(w.honest, w.carol, fmt.Sprintf("/direct/%d", i))
	}
	if n := w.told(t, "mention"); n != 2 {
		t.Errorf("four direct messages of a stranger after the likes: told %d times", n)
	}
	for i := range 4 {
		direct(w.honest, w.ben, fmt.Sprintf("/friend/%d", i))
	}
	if n := w.told(t, "mention"); n != 6 {
		t.Errorf("four more of somebody who is followed: told %d times", n)
	}
	likes = w.told(t, "like")
	post := ok(w.db.CreatePost(t.Context(), w.anna.ID, souk.NewPost{Source: "more"}))(t)
	w.done(t, w.honest, w.honest.activity("Like", w.ben, "/like/after", post.URI))
	if n := w.told(t, "like") - likes; n != 1 {
		t.Errorf("a like after them: told %d times", n)
	}
}

// A group that is followed tells people here no more often by what it passes on than by what it says itself.
func TestFloodByWayOfAGroup(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	gang := w.evil.person(t, "gang")
	w.evil.serve("/users/gang", with(w.evil.actor(t, "gang"), "type", "Group"))
	w.follow(t, w.evil, gang)
	two := Budget{Burst: 2, Every: time.Hour}
	w.limits = newLimits(Budgets{TellActor: two, ReactActor: two}, 1)
	likes := w.told(t, "like")
	for i := range 5 {
		puppet := w.evil.person(t, fmt.Sprintf("puppet%d", i))
		path := fmt.Sprintf("/passed/%d", i)
		answer := with(w.evil.note(puppet, path, "<p>Buy now</p>"), "inReplyTo", w.annaPost.URI)
		w.evil.serve(path, answer)
		w.done(t, w.evil, w.evil.activity("Announce", gang, "/announce"+path, w.evil.activity("Create", puppet, "/create"+path, answer)))
		w.done(t, w.evil, w.evil.activity("Announce", gang, "/announce/like"+path, w.evil.activity("Like", puppet, "/like"+path, w.annaPost.URI)))
	}
	if n := w.told(t, "reply"); n != 2 {
		t.Errorf("five answers: told %d times", n)
	}
	if n := w.told(t, "like") - likes; n != 2 {
		t.Errorf("five likes: told %d times", n)
	}
}

// Whoever registered a domain answers for all hosts under it; users of shared suffixes are strangers to each other.
func TestRegistrable(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"a.evil.example": "evil.example", "b.c.evil.example:8443": "evil.example", "evil.example": "evil.example",
		"a.shop.co.uk": "shop.co.uk", "anna.github.io": "anna.github.io", "ben.github.io": "ben.github.io",
		"xn--bcher-kva.example": "xn--bcher-kva.example", "localhost": "localhost", "localhost:3000": "localhost", "": "",
		"127.0.0.1": "127.0.0.1", "127.0.0.1:4000": "127.0.0.1", "127.0.0.2:4000": "127.0.0.2",
		"[2001:db8::1]": "2001:db8::/64", "[2001:db8::1]:443": "2001:db8::/64", "[2001:db8::2]:8443": "2001:db8::/64",
	} {
		if got := souk.Registrable(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	one := newLimits(Budgets{Domain: Budget{Burst: 2, Every: time.Hour}}, 1)
	now := newClock().Now()
	for i, host := range []string{"a.evil.example", "b.evil.example", "c.evil.example"} {
		if refused := one.arrived("https://"+host+"/u", host, now) > 0; refused != (i == 2) {
			t.Errorf("%s: refused %v", host, refused)
		}
	}
}

// However many senders there are, no more than so many are remembered, and those at work are not forgotten first.
func TestRosterIsBounded(t *testing.T) {
	t.Parallel()
	now := newClock().Now()
	r := &roster[int]{max: 100, fresh: func() *int { return new(int) }, idle: func(n *int, _ time.Time) bool { return *n == 0 }}
	for i := range 50 {
		*r.at(fmt.Sprint("busy", i), now) = 1
	}
	for i := range 10_000 {
		r.at(fmt.Sprint("idle", i), now)
		if len(r.byKey) > 100 {
			t.Fatalf("%d remembered", len(r.byKey))
		}
	}
	for i := range 50 {
		if *r.at(fmt.Sprint("busy", i), now) != 1 {
			t.Errorf("busy%d was forgotten", i)
		}
	}
	for i := range 10_000 {
		*r.at(fmt.Sprint("all", i), now) = 1
	}
	if len(r.byKey) > 100 {
		t.Errorf("%d busy ones remembered", len(r.byKey))
	}
}
