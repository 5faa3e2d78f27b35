package federation

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
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

// attempt is one request that must be refused.
type attempt struct {
	name   string // and the clause that it breaks
	status int
	req    func(t *testing.T, w *world) *SignedRequest
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	return ok(json.Marshal(v))(t)
}

// hello is a Create that would be accepted from ben.
func (w *world) hello() m {
	return w.honest.activity("Create", w.ben, "/activities/hello", w.honest.note(w.ben, "/notes/hello", "<p>Hello</p>"))
}

// from signs a body as ben's server does.
func (w *world) from(t *testing.T, body []byte) *SignedRequest {
	return w.signedBy(t, w.ben+"#main-key", w.honest.key, body)
}

func with(o m, key string, value any) m {
	o[key] = value
	return o
}

func changed(req *SignedRequest, change func(*SignedRequest)) *SignedRequest {
	change(req)
	return req
}

func attempts() []attempt {
	raw := func(text func(w *world) string) func(*testing.T, *world) *SignedRequest {
		return func(t *testing.T, w *world) *SignedRequest { return w.from(t, []byte(text(w))) }
	}
	activity := func(change func(w *world, a m)) func(*testing.T, *world) *SignedRequest {
		return func(t *testing.T, w *world) *SignedRequest {
			a := w.hello()
			change(w, a)
			return w.from(t, encoded(t, a))
		}
	}
	request := func(change func(w *world, r *SignedRequest)) func(*testing.T, *world) *SignedRequest {
		return func(t *testing.T, w *world) *SignedRequest {
			return changed(w.from(t, encoded(t, w.hello())), func(r *SignedRequest) { change(w, r) })
		}
	}
	return []attempt{
		{"GET (ActivityPub 5.2)", 405, request(func(_ *world, r *SignedRequest) { r.Method = http.MethodGet })},
		{"an upload's type (FEP-fe34)", 415, request(func(_ *world, r *SignedRequest) { r.Header.Set("Content-Type", "text/plain") })},
		{"ld+json without profile (ActivityPub 3.2)", 415, request(func(_ *world, r *SignedRequest) { r.Header.Set("Content-Type", "application/ld+json") })},
		{"too large", 413, func(t *testing.T, w *world) *SignedRequest {
			return w.from(t, encoded(t, with(w.hello(), "padding", strings.Repeat("x", MaxActivity))))
		}},

		{"not JSON", 400, raw(func(*world) string { return "actor=ben" })},
		{"something after the JSON", 400, raw(func(w *world) string { return `{"id":"` + w.honest.URL + `/a"}{}` })},
		{"not UTF-8 (RFC 8259 8.1)", 400, raw(func(w *world) string {
			return `{"id":"` + w.honest.URL + `/a","type":"Create","actor":"` + w.ben + `","object":"` + "\xff" + `"}`
		})},
		{"actor twice (RFC 8259 4)", 400, raw(func(w *world) string {
			return `{"id":"` + w.honest.URL + `/a","type":"Create","actor":"` + w.ben + `","actor":"` + w.carol + `"}`
		})},
		{"actor and Actor", 400, raw(func(w *world) string {
			return `{"id":"` + w.honest.URL + `/a","type":"Create","Actor":"` + w.carol + `","actor":"` + w.ben + `"}`
		})},
		{"nested deeply", 400, raw(func(w *world) string {
			return `{"id":"` + w.honest.URL + `/a","type":"Create","actor":"` + w.ben + `","object":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`
		})},
		{"an array", 400, raw(func(*world) string { return `[{"id":"x"}]` })},
		{"no id (ActivityPub 3.1: only anonymous objects)", 400, activity(func(_ *world, a m) { delete(a, "id") })},
		{"an id of javascript", 400, activity(func(_ *world, a m) { a["id"] = "javascript:alert(1)" })},
		{"an id with a user name", 400, activity(func(w *world, a m) { a["id"] = "http://shop.example@" + w.honest.host() + "/1" })},
		{"an id that is a number", 400, activity(func(_ *world, a m) { a["id"] = 7 })},
		{"an endless id", 400, activity(func(w *world, a m) { a["id"] = w.honest.URL + "/" + strings.Repeat("x", 3000) })},
		{"no actor", 400, activity(func(_ *world, a m) { delete(a, "actor") })},
		{"two actors", 400, activity(func(w *world, a m) { a["actor"] = []any{w.ben, w.carol} })},
		{"no type", 400, activity(func(_ *world, a m) { delete(a, "type") })},

		{"id of another origin (FEP-fe34)", 403, activity(func(w *world, a m) { a["id"] = w.evil.URL + "/1" })},
		{"id of another port (an origin has one)", 403, activity(func(_ *world, a m) { a["id"] = "http://127.0.0.1:1/1" })},
		{"an actor of this node", 403, func(t *testing.T, w *world) *SignedRequest {
			a := m{"id": w.db.BaseURL() + "/activities/1", "type": "Create", "actor": w.anna.URI, "object": w.annaPost.URI}
			return w.signedBy(t, w.anna.KeyID, testKeys()[0], encoded(t, a))
		}},

		{"not signed (draft-cavage 3)", 401, request(func(_ *world, r *SignedRequest) { r.Header.Del("Signature") })},
		{"another body than was signed (RFC 3230 4.1)", 401, request(func(_ *world, r *SignedRequest) {
			r.Body = bytes.Replace(r.Body, []byte("Hello"), []byte("Hallo"), 1)
		})},
		{"a digest made to fit the body, after signing", 401, request(func(_ *world, r *SignedRequest) {
			r.Body = bytes.Replace(r.Body, []byte("Hello"), []byte("Hallo"), 1)
			r.Header.Set("Digest", digestOf(r.Body))
		})},
		{"an old date", 401, func(t *testing.T, w *world) *SignedRequest { return w.dated(t, -13*time.Hour) }},
		{"a date ahead", 401, func(t *testing.T, w *world) *SignedRequest { return w.dated(t, 2*time.Hour) }},
		{"sent to another address", 401, request(func(_ *world, r *SignedRequest) {
			r.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: "/users/anna/inbox"}
		})},
		{"sent to another host", 401, request(func(_ *world, r *SignedRequest) {
			r.URL = &url.URL{Scheme: r.URL.Scheme, Host: "elsewhere.example", Path: r.URL.Path}
		})},
		{"only the date is signed", 401, request(func(_ *world, r *SignedRequest) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "(request-target) host date digest content-type", "date", 1))
		})},
		{"ben's key id, eve's key", 401, func(t *testing.T, w *world) *SignedRequest {
			return w.signedBy(t, w.ben+"#main-key", w.evil.key, encoded(t, w.hello()))
		}},
		{"eve's key for ben's activity (FEP-fe34: key owner = actor)", 401, func(t *testing.T, w *world) *SignedRequest {
			return w.signedBy(t, w.eve+"#main-key", w.evil.key, encoded(t, w.hello()))
		}},
		{"the neighbour's key for ben's activity", 401, func(t *testing.T, w *world) *SignedRequest {
			return w.signedBy(t, w.carol+"#main-key", w.honest.key, encoded(t, w.hello()))
		}},
		{"a key that says it is ben's, which ben does not name (reciprocal ownership)", 401, func(t *testing.T, w *world) *SignedRequest {
			w.evil.serve("/keys/ben", m{"id": w.evil.URL + "/keys/ben", "owner": w.ben, "publicKeyPem": publicPEM(t, w.evil.key)})
			return w.signedBy(t, w.evil.URL+"/keys/ben", w.evil.key, encoded(t, w.hello()))
		}},
		{"an actor that names a key that it does not own", 401, func(t *testing.T, w *world) *SignedRequest {
			actor := w.evil.actor(t, "mallory")
			actor["publicKey"].(m)["owner"] = w.ben
			w.evil.serve("/users/mallory", actor)
			id := w.evil.URL + "/users/mallory"
			return w.signedBy(t, id+"#main-key", w.evil.key, encoded(t, w.evil.activity("Create", id, "/9", w.evil.note(id, "/notes/9", "x"))))
		}},
		{"an actor whose document is ben's", 401, func(t *testing.T, w *world) *SignedRequest {
			w.evil.serve("/users/fake", with(w.honest.actor(t, "ben"), "publicKey", m{"id": w.evil.URL + "/users/fake#main-key",
				"owner": w.ben, "publicKeyPem": publicPEM(t, w.evil.key)}))
			id := w.evil.URL + "/users/fake"
			return w.signedBy(t, id+"#main-key", w.evil.key, encoded(t, w.evil.activity("Create", id, "/9", w.evil.note(id, "/notes/9", "x"))))
		}},
		{"ben under the address of his page", 401, func(t *testing.T, w *world) *SignedRequest {
			w.honest.serve("/@ben", w.honest.actor(t, "ben"))
			return w.from(t, encoded(t, with(w.hello(), "actor", w.honest.URL+"/@ben")))
		}},
		{"a suspended host", 403, func(t *testing.T, w *world) *SignedRequest {
			must(t, w.db.BlockHost(t.Context(), w.anna.ID, "bad.example", souk.Suspend, ""))
			id := "http://bad.example/users/x"
			return w.signedBy(t, id+"#main-key", w.evil.key, encoded(t, m{"id": id + "/1", "type": "Create", "actor": id, "object": id + "/2"}))
		}},
		{"a suspended host, the actor as an object (go-fed asks about the activity's id)", 403, func(t *testing.T, w *world) *SignedRequest {
			id := "http://bad.example/users/x"
			return w.signedBy(t, id+"#main-key", w.evil.key, encoded(t, m{"id": id + "/1", "type": "Create", "actor": m{"id": id, "type": "Person"}, "object": id + "/2"}))
		}},
	}
}

// dated is signed at another time than now.
func (w *world) dated(t *testing.T, by time.Duration) *SignedRequest {
	w.clock.advance(by)
	defer w.clock.advance(-by)
	return w.from(t, encoded(t, w.hello()))
}

func TestReceiveRefuses(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.clock.advance(keyRest) // a key that does not fit may be read again
	before, stored := w.state(t), w.count(t, `select count(*) from inbox`)
	for _, a := range attempts() {
		if status := w.receives(t, a.req(t, w)); status != a.status {
			t.Errorf("%s: status %d, want %d", a.name, status, a.status)
		}
		if c := w.count(t, `select count(*) from inbox`); c != stored {
			t.Fatalf("%s: was stored", a.name)
		}
	}
	must(t, w.ApplyInbox(t.Context()))
	if after := w.state(t); after != before {
		t.Errorf("something changed:\n%s", difference(before, after))
	}
	if status := w.receives(t, w.from(t, encoded(t, w.hello()))); status != http.StatusAccepted {
		t.Errorf("the same from ben: %d", status)
	}
	must(t, w.ApplyInbox(t.Context()))
	w.post(t, w.honest.URL+"/notes/hello")
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
	if c := n.count(t, `select count(*) from inbox where state = 'queued'`); c != 0 {
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
	a := ok(n.fetchActor(t.Context(), id+"/main-key", id+"/main-key"))(t)
	if a.URI != id || a.KeyID != id+"/main-key" {
		t.Errorf("the stub leads to %s with key %s", a.URI, a.KeyID)
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	p, now := newPeers(1), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for range fetchBurst {
		must(t, p.ask("a.example", now))
	}
	if err := p.ask("a.example", now); err == nil {
		t.Error("no limit")
	}
	must(t, p.ask("b.example", now))
	must(t, p.ask("a.example", now.Add(time.Second)))
	silent := &url.Error{Op: "Get", Err: http.ErrHandlerTimeout}
	for range restAfter {
		p.answered("b.example", now, silent)
	}
	if err := p.ask("b.example", now.Add(29*time.Second)); err == nil {
		t.Error("a dead host is asked at once")
	}
	must(t, p.ask("b.example", now.Add(31*time.Second)))
	p.answered("b.example", now, &StatusError{Code: 500})
	p.answered("b.example", now, silent)
	must(t, p.ask("b.example", now.Add(32*time.Second)))
	unlimited := newPeers(-1)
	for range 10 * fetchBurst {
		must(t, unlimited.ask("a.example", now))
	}
}
