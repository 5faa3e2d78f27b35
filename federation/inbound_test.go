package federation

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
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
func inbound(t *testing.T) *testNode {
	t.Helper()
	n := newNode(t, "http://shop.example")
	instance := ok(n.db.InstanceActor(t.Context()))(t)
	must(t, n.db.SetKey(t.Context(), instance.ID, publicPEM(t, testKeys()[0]), privatePEM(t, testKeys()[0])))
	return n
}

// m is a JSON object in a test.
type m = map[string]any

// otherNode is a server of somebody else: it answers what docs holds by path, and signs what it sends.
type otherNode struct {
	*httptest.Server
	mu    sync.Mutex
	docs  map[string]any // by path and query; an int is a status
	asked map[string]int
	key   *rsa.PrivateKey
}

func newOtherNode(t *testing.T, key int) *otherNode {
	t.Helper()
	o := &otherNode{docs: map[string]any{}, asked: map[string]int{}, key: testKeys()[key]}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	must(t, n.pool.QueryRow(t.Context(), `select state, note from inbox where activity_id = $1`, activityID).Scan(&state, &note))
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

// world is a node that follows ben of one server and eve of another: ben's server is honest, eve's is not. ben has a
// note and a listing here, follows anna, likes and shares her post, and waits for nobody; carol is his neighbour.
type world struct {
	*testNode
	honest, evil         *otherNode
	ben, carol, eve      string
	benNote, benListing  string
	annaPost             *souk.Post
	benFollow, benLike   string
	benBoost, annaFollow string
}

func attacked(t *testing.T) *world {
	t.Helper()
	w := &world{testNode: inbound(t), honest: newOtherNode(t, 1), evil: newOtherNode(t, 2)}
	w.ben, w.carol, w.eve = w.honest.person(t, "ben"), w.honest.person(t, "carol"), w.evil.person(t, "eve")
	w.follow(t, w.honest, w.ben)
	w.follow(t, w.evil, w.eve)
	w.annaPost = ok(w.db.CreatePost(t.Context(), w.anna.ID, souk.NewPost{Source: "Hello from Anna"}))(t)
	note, listing := w.honest.note(w.ben, "/notes/1", "<p>Ben's own words</p>"), w.honest.listing(w.ben, "/listings/1", "Blue mug", "24.00")
	w.benNote, w.benListing = note["id"].(string), listing["id"].(string)
	w.honest.serve("/notes/1", note)
	w.honest.serve("/listings/1", listing)
	w.done(t, w.honest, w.honest.activity("Create", w.ben, "/activities/note", note))
	w.done(t, w.honest, w.honest.activity("Create", w.ben, "/activities/listing", listing))
	follow := w.honest.activity("Follow", w.ben, "/activities/follow", w.anna.URI)
	like := w.honest.activity("Like", w.ben, "/activities/like", w.annaPost.URI)
	boost := w.honest.activity("Announce", w.ben, "/activities/boost", w.annaPost.URI)
	for _, a := range []m{follow, like, boost} {
		w.done(t, w.honest, a)
	}
	w.benFollow, w.benLike, w.benBoost = follow["id"].(string), like["id"].(string), boost["id"].(string)
	carol := ok(w.ResolveActor(t.Context(), w.carol))(t)
	w.annaFollow = ok(w.db.Follow(t.Context(), w.anna.ID, carol.ID))(t).URI // carol has not answered
	return w
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

// state is everything that a stranger might change, as text; accounts of eve's server left out, since she may change
// those.
func (w *world) state(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, query := range []string{
		`select coalesce(string_agg(r::text, E'\n' order by r::text), '') from (select id, uri, kind, account_id, html, summary, edited, deleted, in_timeline, visibility from posts) r`,
		`select coalesce(string_agg(r::text, E'\n' order by r::text), '') from (select id, title, state, availability, html, version from listings) r`,
		`select coalesce(string_agg(r::text, E'\n' order by r::text), '') from (select listing_id, price, sku from variants) r`,
		`select coalesce(string_agg(r::text, E'\n' order by r::text), '') from likes r`,
		`select coalesce(string_agg(r::text, E'\n' order by r::text), '') from follows r`,
		`select coalesce(string_agg(r::text, E'\n' order by r::text), '') from blocks r`,
		`select coalesce(string_agg(r::text, E'\n' order by r::text), '') from notifications r`,
		`select coalesce(string_agg(r::text, E'\n' order by r::text), '') from (select uri, name, host, display_name, bio, md5(public_key), inbox, suspended, deleted, moved_to from accounts where host <> '` + w.evil.host() + `') r`,
	} {
		var rows string
		must(t, w.pool.QueryRow(t.Context(), query).Scan(&rows))
		all.WriteString(rows + "\n--\n")
	}
	return all.String()
}

// difference is the lines that only one of two states has.
func difference(before, after string) string {
	var lines []string
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for _, l := range was {
		if !slices.Contains(is, l) {
			lines = append(lines, "- "+l)
		}
	}
	for _, l := range is {
		if !slices.Contains(was, l) {
			lines = append(lines, "+ "+l)
		}
	}
	return strings.Join(lines, "\n")
}
