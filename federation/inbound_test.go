package federation

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"souk"
)

// testKeys are made once: a key takes 50 ms and more.
var testKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	keys := make([]*rsa.PrivateKey, 3)
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

// inbound is a node whose own key is made already, and that asks its peers over plain http.
func inbound(t *testing.T, change ...func(*Config)) *testNode {
	t.Helper()
	n := newNode(t, "http://shop.example", change...)
	instance := ok(n.db.InstanceActor(t.Context()))(t)
	must(t, n.db.SetKey(t.Context(), instance.ID, publicPEM(t, testKeys()[0]), privatePEM(t, testKeys()[0])))
	return n
}

// m is a JSON object in a test.
type m = map[string]any

// redirect is an address that a server sends people to.
type redirect string

// otherNode is a server of somebody else: it answers what docs holds by path, and signs what it sends.
type otherNode struct {
	*httptest.Server
	mu    sync.Mutex
	docs  map[string]any // by path and query; an int is a status, a redirect its target
	asked map[string]int
	key   *rsa.PrivateKey
}

func newOtherNode(t *testing.T, key int, at ...string) *otherNode {
	t.Helper()
	o := &otherNode{docs: map[string]any{}, asked: map[string]int{}, key: testKeys()[key]}
	o.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.RequestURI()
		o.mu.Lock()
		doc, ok := o.docs[path]
		o.asked[path]++
		o.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		if status, ok := doc.(int); ok {
			w.WriteHeader(status)
			return
		}
		if to, ok := doc.(redirect); ok {
			http.Redirect(w, r, string(to), http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", activityMedia)
		if strings.HasPrefix(path, "/.well-known/webfinger") {
			w.Header().Set("Content-Type", jrdMedia)
		} else if strings.HasPrefix(path, "/.well-known/") || strings.HasPrefix(path, "/nodeinfo") {
			w.Header().Set("Content-Type", "application/json")
		}
		if err := json.NewEncoder(w).Encode(doc); err != nil {
			t.Error(err)
		}
	}))
	if len(at) > 0 {
		must(t, o.Listener.Close())
		o.Listener = ok(net.Listen("tcp", at[0]+":0"))(t)
	}
	o.Start()
	t.Cleanup(o.Close)
	return o
}

func (o *otherNode) host() string { return strings.TrimPrefix(o.URL, "http://") }

func (o *otherNode) serve(path string, doc any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.docs[path] = doc
}

func (o *otherNode) requests(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[path]
}

// person serves the actor /users/NAME, whose key is the node's, and returns its id.
func (o *otherNode) person(t *testing.T, name string) string {
	t.Helper()
	id := o.URL + "/users/" + name
	o.serve("/users/"+name, o.actor(t, name))
	return id
}

func (o *otherNode) actor(t *testing.T, name string) m {
	t.Helper()
	id := o.URL + "/users/" + name
	return m{"@context": activityStreamsProfile, "id": id, "type": "Person", "preferredUsername": name, "name": strings.ToUpper(name),
		"inbox": id + "/inbox", "outbox": id + "/outbox", "followers": id + "/followers", "endpoints": m{"sharedInbox": o.URL + "/inbox"},
		"publicKey": m{"id": id + "#main-key", "owner": id, "publicKeyPem": publicPEM(t, o.key)}}
}

// note is a public note by the actor.
func (o *otherNode) note(author, path, content string) m {
	return m{"id": o.URL + path, "type": "Note", "attributedTo": author, "content": content, "published": "2026-11-22T08:00:00Z",
		"to": []any{publicAudience}, "cc": []any{author + "/followers"}}
}

// activity wraps an object; its id lies under the node's address.
func (o *otherNode) activity(kind, actor, path string, object any) m {
	return m{"@context": activityStreamsProfile, "id": o.URL + path, "type": kind, "actor": actor, "object": object}
}

// signedBy makes a request to the shared inbox of the node, signed as keyID.
func (n *testNode) signedBy(t *testing.T, keyID string, key *rsa.PrivateKey, body []byte) *SignedRequest {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, n.db.BaseURL()+"/inbox", bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", activityMedia)
	must(t, SignCavage(req, body, keyID, key, n.clock.Now()))
	return &SignedRequest{Method: req.Method, URL: req.URL, Header: req.Header, Body: body}
}

// send delivers an activity, signed with the node's key by its actor, and returns the status.
func (n *testNode) send(t *testing.T, from *otherNode, activity m) int {
	t.Helper()
	body, err := json.Marshal(activity)
	must(t, err)
	return n.receives(t, n.signedBy(t, object(activity).id("actor")+"#main-key", from.key, body))
}

func (n *testNode) receives(t *testing.T, req *SignedRequest) int {
	t.Helper()
	status, err := n.Receive(t.Context(), req)
	if (status == http.StatusAccepted) != (err == nil) || status == http.StatusInternalServerError {
		t.Fatalf("status %d with error %v", status, err)
	}
	return status
}

// deliver sends what must be accepted, and applies it; it returns how it ended: state and note.
func (n *testNode) deliver(t *testing.T, from *otherNode, activity m) (state, note string) {
	t.Helper()
	if status := n.send(t, from, activity); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	must(t, n.ApplyInbox(t.Context()))
	return n.ended(t, activity["id"].(string))
}

func (n *testNode) ended(t *testing.T, activityID string) (state, note string) {
	t.Helper()
	must(t, n.pool.QueryRow(t.Context(), `select case when q.id is null then i.state else 'queued' end, coalesce(q.note, i.note)
		from inbox i left join inbox_queue q on q.id = i.id where i.activity_id = $1`, activityID).Scan(&state, &note))
	return state, note
}

// done delivers what must be applied.
func (n *testNode) done(t *testing.T, from *otherNode, activity m) {
	t.Helper()
	if state, note := n.deliver(t, from, activity); state != "done" {
		t.Fatalf("%s of %v: %s: %s", activity["type"], activity["actor"], state, note)
	}
}

// follow makes anna follow the actor, and the actor accept it.
func (n *testNode) follow(t *testing.T, from *otherNode, actor string) *souk.Account {
	t.Helper()
	return n.followAs(t, n.anna, from, actor)
}

func (n *testNode) followAs(t *testing.T, by *souk.Account, from *otherNode, actor string) *souk.Account {
	t.Helper()
	a, err := n.ResolveActor(t.Context(), actor)
	must(t, err)
	f, err := n.db.Follow(t.Context(), by.ID, a.ID)
	must(t, err)
	n.done(t, from, from.activity("Accept", actor, "/accepts/"+formatID(f.ID), m{"type": "Follow", "id": f.URI, "actor": by.URI, "object": actor}))
	return a
}

// count is a number from the database.
func (n *testNode) count(t *testing.T, sql string, args ...any) (c int) {
	t.Helper()
	must(t, n.pool.QueryRow(t.Context(), sql, args...).Scan(&c))
	return c
}

func (n *testNode) post(t *testing.T, uri string) *souk.Post {
	t.Helper()
	id, _, err := n.db.KnownPost(t.Context(), uri)
	must(t, err)
	p, err := n.db.PostForDelivery(t.Context(), id)
	must(t, err)
	return p
}

func publicPEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(t, err)
	return pemText("PUBLIC KEY", der)
}

func privatePEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return pemText("PRIVATE KEY", der)
}

// listing is a listing in the form of FEP-0837.
func (o *otherNode) listing(author, path, title, price string) m {
	l := o.note(author, path, "<p><strong>"+title+"</strong><br>"+price+" EUR</p><p>Hand made.</p>")
	l["purpose"] = "offer"
	l["publishes"] = m{"type": "Intent", "id": o.URL + path + "#primary", "action": "transfer", "sdo:name": title,
		"resourceQuantity": m{"hasUnit": "one", "hasNumericalValue": "1"}, "sdo:availability": "sdo:InStock", "sdo:category": "Home/Mugs"}
	l["reciprocal"] = m{"type": "Intent", "action": "transfer", "resourceConformsTo": "https://www.wikidata.org/wiki/Q4916",
		"resourceQuantity": m{"hasUnit": "one", "hasNumericalValue": price}, "sdo:priceCurrency": "EUR"}
	return l
}
