package federation

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

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
		{attack{"GET", "ActivityPub 5.2", "readHead"}, 405, request(func(_ *world, r *SignedRequest) { r.Method = http.MethodGet })},
		{attack{"an upload's type", "FEP-fe34", "readHead"}, 415, request(func(_ *world, r *SignedRequest) { r.Header.Set("Content-Type", "text/plain") })},
		{attack{"ld+json without profile", "ActivityPub 3.2", "isActivity"}, 415, request(func(_ *world, r *SignedRequest) { r.Header.Set("Content-Type", "application/ld+json") })},
		{attack{"too large", "CVE-2023-36461 (resources of the receiver)", "readHead"}, 413, func(t *testing.T, w *world) *SignedRequest {
			return w.from(t, encoded(t, with(w.hello(), "padding", strings.Repeat("x", MaxActivity))))
		}},

		{attack{"not JSON", "RFC 8259 2", "CheckJSON"}, 400, raw(func(*world) string { return "actor=ben" })},
		{attack{"something after the JSON", "RFC 8259 2", "CheckJSON"}, 400, raw(func(w *world) string { return `{"id":"` + w.honest.URL + `/a"}{}` })},
		{attack{"not UTF-8", "RFC 8259 8.1", "CheckJSON"}, 400, raw(func(w *world) string {
			return `{"id":"` + w.honest.URL + `/a","type":"Create","actor":"` + w.ben + `","object":"` + "\xff" + `"}`
		})},
		{attack{"actor twice", "RFC 8259 4", "CheckJSON"}, 400, raw(func(w *world) string {
			return `{"id":"` + w.honest.URL + `/a","type":"Create","actor":"` + w.ben + `","actor":"` + w.carol + `"}`
		})},
		{attack{"actor and Actor", "RFC 8259 4", "CheckJSON"}, 400, raw(func(w *world) string {
			return `{"id":"` + w.honest.URL + `/a","type":"Create","Actor":"` + w.carol + `","actor":"` + w.ben + `"}`
		})},
		{attack{"nested deeply", "RFC 8259 9", "CheckJSON"}, 400, raw(func(w *world) string {
			return `{"id":"` + w.honest.URL + `/a","type":"Create","actor":"` + w.ben + `","object":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`
		})},
		{attack{"an array", "ActivityPub 3", "peek"}, 400, raw(func(*world) string { return `[{"id":"x"}]` })},
		{attack{"an id that is empty", "ActivityPub 3.1", "validIRI"}, 400, activity(func(_ *world, a m) { a["id"] = "" })},
		{attack{"no id, and the actor cannot have one", "ActivityPub 3.1", "validIRI"}, 400, activity(func(_ *world, a m) {
			delete(a, "id")
			a["actor"] = "javascript:alert(1)"
		})},
		{attack{"an id like those that the node gives to others", "ActivityPub 3.1 (who is first keeps the other out)", "headOf"}, 400, activity(func(w *world, a m) {
			a["id"] = w.carol + madeID + strings.Repeat("0", 64)
		})},
		{attack{"an offer without an id", "FEP-0837: the answer names it", "headOf"}, 400, activity(func(_ *world, a m) {
			delete(a, "id")
			a["type"] = "Offer"
		})},
		{attack{"a request to quote without an id", "FEP-044f: the answer names it", "headOf"}, 400, activity(func(_ *world, a m) {
			a["id"], a["type"] = nil, "QuoteRequest"
		})},
		{attack{"an id of javascript", "ActivityPub 3.1", "validIRI"}, 400, activity(func(_ *world, a m) { a["id"] = "javascript:alert(1)" })},
		{attack{"an id with a user name", "ActivityPub 3.1", "parseHTTP"}, 400, activity(func(w *world, a m) { a["id"] = "http://shop.example@" + w.honest.host() + "/1" })},
		{attack{"an id that is a number", "ActivityPub 3.1", "headOf"}, 400, activity(func(_ *world, a m) { a["id"] = 7 })},
		{attack{"an endless id", "RFC 9110 4.1", "validIRI"}, 400, activity(func(w *world, a m) { a["id"] = w.honest.URL + "/" + strings.Repeat("x", 3000) })},
		{attack{"no actor", "ActivityPub 7", "headOf"}, 400, activity(func(_ *world, a m) { delete(a, "actor") })},
		{attack{"two actors", "FEP-fe34", "headOf"}, 400, activity(func(w *world, a m) { a["actor"] = []any{w.ben, w.carol} })},
		{attack{"no type", "ActivityPub 3", "headOf"}, 400, activity(func(_ *world, a m) { delete(a, "type") })},

		{attack{"id of another origin", "FEP-fe34", "SameOrigin"}, 403, activity(func(w *world, a m) { a["id"] = w.evil.URL + "/1" })},
		{attack{"id of another port", "an origin has one", "SameOrigin"}, 403, activity(func(_ *world, a m) { a["id"] = "http://127.0.0.1:1/1" })},
		{attack{"an actor of this node", "FEP-fe34", "own"}, 403, func(t *testing.T, w *world) *SignedRequest {
			a := m{"id": w.db.BaseURL() + "/activities/1", "type": "Create", "actor": w.anna.URI, "object": w.annaPost.URI}
			return w.signedBy(t, w.anna.KeyID, testKeys()[0], encoded(t, a))
		}},

		{attack{"not signed", "draft-cavage 3", "ParseSignature"}, 401, request(func(_ *world, r *SignedRequest) { r.Header.Del("Signature") })},
		{attack{"another body than was signed", "RFC 3230 4.1", "checkDigest"}, 401, request(func(_ *world, r *SignedRequest) {
			r.Body = bytes.Replace(r.Body, []byte("Hello"), []byte("Hallo"), 1)
		})},
		{attack{"a digest made to fit the body, after signing", "draft-cavage 2.5", "Verify"}, 401, request(func(_ *world, r *SignedRequest) {
			r.Body = bytes.Replace(r.Body, []byte("Hello"), []byte("Hallo"), 1)
			r.Header.Set("Digest", digestOf(r.Body))
		})},
		{attack{"an old date", "draft-cavage 2.3 (replay)", "checkTime"}, 401, func(t *testing.T, w *world) *SignedRequest { return w.dated(t, -13*time.Hour) }},
		{attack{"a date ahead", "draft-cavage 2.3 (replay)", "checkTime"}, 401, func(t *testing.T, w *world) *SignedRequest { return w.dated(t, 2*time.Hour) }},
		{attack{"sent to another address", "draft-cavage 2.3", "baseCavage"}, 401, request(func(_ *world, r *SignedRequest) {
			r.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: "/users/anna/inbox"}
		})},
		{attack{"sent to another host", "draft-cavage 2.3", "baseCavage"}, 401, request(func(_ *world, r *SignedRequest) {
			r.URL = &url.URL{Scheme: r.URL.Scheme, Host: "elsewhere.example", Path: r.URL.Path}
		})},
		{attack{"only the date is signed", "draft-cavage 2.1.3", "checkCavage"}, 401, request(func(_ *world, r *SignedRequest) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "(request-target) host date digest content-type", "date", 1))
		})},
		{attack{"ben's key id, eve's key", "draft-cavage 2.5", "Verify"}, 401, func(t *testing.T, w *world) *SignedRequest {
			return w.signedBy(t, w.ben+"#main-key", w.evil.key, encoded(t, w.hello()))
		}},
		{attack{"eve's key for ben's activity", "FEP-fe34: key owner = actor", "authenticate"}, 401, func(t *testing.T, w *world) *SignedRequest {
			return w.signedBy(t, w.eve+"#main-key", w.evil.key, encoded(t, w.hello()))
		}},
		{attack{"the neighbour's key for ben's activity", "FEP-fe34", "authenticate"}, 401, func(t *testing.T, w *world) *SignedRequest {
			return w.signedBy(t, w.carol+"#main-key", w.honest.key, encoded(t, w.hello()))
		}},
		{attack{"a key that says it is ben's, which ben does not name", "FEP-fe34 (reciprocal ownership)", "authenticate"}, 401, func(t *testing.T, w *world) *SignedRequest {
			w.evil.serve("/keys/ben", m{"id": w.evil.URL + "/keys/ben", "owner": w.ben, "publicKeyPem": publicPEM(t, w.evil.key)})
			return w.signedBy(t, w.evil.URL+"/keys/ben", w.evil.key, encoded(t, w.hello()))
		}},
		{attack{"an actor that names a key that it does not own", "FEP-fe34; GHSA-3fjr-858r-92rw", "keys"}, 401, func(t *testing.T, w *world) *SignedRequest {
			actor := w.evil.actor(t, "mallory")
			actor["publicKey"].(m)["owner"] = w.ben
			w.evil.serve("/users/mallory", actor)
			id := w.evil.URL + "/users/mallory"
			return w.signedBy(t, id+"#main-key", w.evil.key, encoded(t, w.evil.activity("Create", id, "/9", w.evil.note(id, "/notes/9", "x"))))
		}},
		{attack{"an actor whose document is ben's", "FEP-fe34; CVE-2024-23832", "authenticate"}, 401, func(t *testing.T, w *world) *SignedRequest {
			w.evil.serve("/users/fake", with(w.honest.actor(t, "ben"), "publicKey", m{"id": w.evil.URL + "/users/fake#main-key",
				"owner": w.ben, "publicKeyPem": publicPEM(t, w.evil.key)}))
			id := w.evil.URL + "/users/fake"
			return w.signedBy(t, id+"#main-key", w.evil.key, encoded(t, w.evil.activity("Create", id, "/9", w.evil.note(id, "/notes/9", "x"))))
		}},
		{attack{"ben under the address of his page", "FEP-fe34", "authenticate"}, 401, func(t *testing.T, w *world) *SignedRequest {
			w.honest.serve("/@ben", w.honest.actor(t, "ben"))
			return w.from(t, encoded(t, with(w.hello(), "actor", w.honest.URL+"/@ben")))
		}},
		{attack{"a suspended host", "CVE-2026-23961", "Refused"}, 403, func(t *testing.T, w *world) *SignedRequest {
			id := "http://bad.example/users/x"
			return w.signedBy(t, id+"#main-key", w.evil.key, encoded(t, m{"id": id + "/1", "type": "Create", "actor": id, "object": id + "/2"}))
		}},
		{attack{"a suspended host, the actor as an object", "go-fed asks about the activity's id", "Refused"}, 403, func(t *testing.T, w *world) *SignedRequest {
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
	w.refuse(t, attempts())
	if status := w.receives(t, w.from(t, encoded(t, w.hello()))); status != http.StatusAccepted {
		t.Errorf("the same from ben: %d", status)
	}
	must(t, w.ApplyInbox(t.Context()))
	w.post(t, w.honest.URL+"/notes/hello")
}
