package federation

import (
	"bytes"
	"net/http"
	"net/url"
	"testing"
	"time"

	"souk"
)

func TestReceiveNote(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	create := peer.activity("Create", ben, "/activities/1", peer.note(ben, "/notes/1", `<p>Hello <script>alert(1)</script>there</p>`))
	n.done(t, peer, create)
	p := n.post(t, peer.URL+"/notes/1")
	if p.HTML != "<p>Hello there</p>" || p.Visibility != souk.Public || p.Account.URI != ben || !p.InTimeline {
		t.Errorf("post %+v", p)
	}
	if status := n.send(t, peer, create); status != http.StatusAccepted {
		t.Errorf("replay: %d", status)
	}
	if c := n.count(t, `select count(*) from inbox where activity_id = $1`, create["id"]); c != 1 {
		t.Errorf("%d rows", c)
	}
	if got := peer.requests("/users/ben"); got != 1 {
		t.Errorf("the actor was fetched %d times", got)
	}
}

// An id alone tells nobody whether this node has the activity: without its actor's signature what came before is refused as what
// never came is. Its actor may send it again, as servers do that missed the answer.
func TestReplaysAreVerified(t *testing.T) {
	t.Parallel()
	n, peer, stranger := inbound(t), newOtherNode(t, 1), newOtherNode(t, 2)
	ben, eve := peer.person(t, "ben"), stranger.person(t, "eve")
	n.follow(t, peer, ben)
	came := peer.activity("Create", ben, "/activities/1", peer.note(ben, "/notes/1", "<p>Hello</p>"))
	never := peer.activity("Create", ben, "/activities/2", peer.note(ben, "/notes/2", "<p>Hello</p>"))
	n.done(t, peer, came)
	asked := peer.requests("/users/ben")
	for name, activity := range map[string]m{"what came": came, "what never came": never} {
		body := encoded(t, activity)
		for whose, req := range map[string]*SignedRequest{"a key under ben's name": n.signedBy(t, ben+"#main-key", stranger.key, body),
			"eve's key": n.signedBy(t, eve+"#main-key", stranger.key, body)} {
			if status := n.receives(t, req); status != http.StatusUnauthorized {
				t.Errorf("%s, signed by %s: %d", name, whose, status)
			}
		}
	}
	if status := n.send(t, peer, came); status != http.StatusAccepted {
		t.Errorf("ben says it again: %d", status)
	}
	if got := peer.requests("/users/ben"); got != asked {
		t.Errorf("ben's actor was asked for %d times more", got-asked)
	}
}

func TestReceiveAccepts(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	body := func(kind, id string) []byte { return encoded(t, peer.activity(kind, ben, id, peer.URL+"/x")) }
	rfc9421 := func(b []byte) *SignedRequest {
		req := ok(http.NewRequest(http.MethodPost, n.db.BaseURL()+"/inbox", bytes.NewReader(b)))(t)
		req.Header.Set("Content-Type", `application/ld+json; profile="https://www.w3.org/ns/activitystreams"; charset=utf-8`)
		must(t, SignRFC9421(req, b, ben+"#main-key", peer.key, n.clock.Now()))
		return &SignedRequest{Method: req.Method, URL: req.URL, Header: req.Header, Body: b}
	}
	for name, req := range map[string]*SignedRequest{
		"draft-cavage":           n.signedBy(t, ben+"#main-key", peer.key, body("Create", "/1")),
		"RFC 9421":               rfc9421(body("Create", "/2")),
		"a type nobody knows":    n.signedBy(t, ben+"#main-key", peer.key, body("Frobnicate", "/3")),
		"the actor as an object": n.signedBy(t, ben+"#main-key", peer.key, encoded(t, m{"id": peer.URL + "/4", "type": []any{"Create"}, "actor": m{"id": ben}})),
		"Delete of an actor that was never here": n.signedBy(t, peer.URL+"/users/gone#main-key", peer.key,
			encoded(t, peer.activity("Delete", peer.URL+"/users/gone", "/5", peer.URL+"/users/gone"))),
	} {
		if status := n.receives(t, req); status != http.StatusAccepted {
			t.Errorf("%s: %d", name, status)
		}
	}
	if got := peer.requests("/users/gone"); got != 0 {
		t.Errorf("asked for an actor that is gone %d times", got)
	}
	must(t, n.ApplyInbox(t.Context()))
	if c := n.count(t, `select count(*) from inbox_queue`); c != 0 {
		t.Errorf("%d are still waiting", c)
	}
	if state, _ := n.ended(t, peer.URL+"/3"); state != "ignored" {
		t.Errorf("the unknown type is %s", state)
	}
}

// A peer may change its key, and its actor document may be away for a moment.
func TestReceiveKeyChanges(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	send := func(path string) int { return n.send(t, peer, peer.activity("Like", ben, path, n.anna.URI)) }
	if status := send("/1"); status != http.StatusAccepted {
		t.Fatalf("first: %d", status)
	}
	peer.key = testKeys()[2]
	peer.person(t, "ben")
	if status := send("/2"); status != http.StatusUnauthorized {
		t.Errorf("a new key, read just before: %d", status)
	}
	n.clock.advance(keyRest)
	if status := send("/3"); status != http.StatusAccepted {
		t.Errorf("a new key: %d", status)
	}
	if got := peer.requests("/users/ben"); got != 2 {
		t.Errorf("read %d times", got)
	}
	peer.serve("/users/dan", http.StatusBadGateway)
	dan := peer.URL + "/users/dan"
	if status := n.send(t, peer, peer.activity("Like", dan, "/4", n.anna.URI)); status != http.StatusServiceUnavailable {
		t.Errorf("the actor cannot be read now: %d", status)
	}
	if status := n.send(t, peer, peer.activity("Like", peer.URL+"/users/nobody", "/5", n.anna.URI)); status != http.StatusUnauthorized {
		t.Errorf("the actor is not there: %d", status)
	}
	peer.person(t, "dan")
	if status := n.send(t, peer, peer.activity("Like", dan, "/4", n.anna.URI)); status != http.StatusAccepted {
		t.Errorf("the actor can be read again: %d", status)
	}
}

// GoToSocial's key has an address of its own; the actor names it.
func TestReceiveKeyOfItsOwnAddress(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	actor := peer.actor(t, "gos")
	id := actor["id"].(string)
	actor["publicKey"] = []any{m{"id": id + "/other-key", "owner": id, "publicKeyPem": publicPEM(t, testKeys()[2])},
		m{"id": id + "/main-key", "owner": id, "publicKeyPem": publicPEM(t, peer.key)}}
	peer.serve("/users/gos", actor)
	body := encoded(t, peer.activity("Like", id, "/1", n.anna.URI))
	if status := n.receives(t, n.signedBy(t, id+"/main-key", peer.key, body)); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	peer.serve("/users/gos/main-key", m{"id": id, "type": "Person", "preferredUsername": "gos", "publicKey": m{"id": id + "/main-key", "owner": id,
		"publicKeyPem": publicPEM(t, peer.key)}})
	a := ok(n.fetchActor(t.Context(), id+"/main-key", id+"/main-key", ownPurse))(t)
	if a.URI != id || a.KeyID != id+"/main-key" {
		t.Errorf("the stub leads to %s with key %s", a.URI, a.KeyID)
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	p, now := newPeers(1), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for range purses[ownPurse].Burst {
		must(t, p.ask("a.example", ownPurse, now))
	}
	if err := p.ask("a.example", ownPurse, now); err == nil {
		t.Error("no limit")
	}
	must(t, p.ask("b.example", ownPurse, now))
	for _, other := range []purse{senderPurse, readerPurse} {
		must(t, p.ask("a.example", other, now)) // each its own
	}
	must(t, p.ask("a.example", ownPurse, now.Add(time.Second)))
	silent := &url.Error{Op: "Get", Err: http.ErrHandlerTimeout}
	for range restAfter {
		p.answered("b.example", now, silent)
	}
	if err := p.ask("b.example", ownPurse, now.Add(29*time.Second)); err == nil {
		t.Error("a dead host is asked at once")
	}
	must(t, p.ask("b.example", ownPurse, now.Add(31*time.Second)))
	p.answered("b.example", now, &StatusError{Code: 500})
	p.answered("b.example", now, silent)
	must(t, p.ask("b.example", ownPurse, now.Add(32*time.Second)))
	unlimited := newPeers(-1)
	for range 10 * purses[ownPurse].Burst {
		must(t, unlimited.ask("a.example", ownPurse, now))
	}
}

// A body that is not the one that was signed is not even read (L5): that costs less than parsing it would.
func TestDigestBeforeParsing(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	signed := n.signedBy(t, ben+"#main-key", peer.key, []byte(`{"signed`))
	if status := n.receives(t, signed); status != http.StatusBadRequest {
		t.Errorf("signed rubbish: %d", status)
	}
	signed.Body = []byte(`{"other"}`)
	if status := n.receives(t, signed); status != http.StatusUnauthorized {
		t.Errorf("rubbish that was not signed: %d", status)
	}
}
