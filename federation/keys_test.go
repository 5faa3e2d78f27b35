package federation

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"souk"
)

// A new key is told with the old one: a server that learns keys only from an Update, and never reads one again, misses nothing.
// What was queued before is signed with the key of that time, what comes after with the new one.
func TestRotateKey(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	p := newReceiver(t, n, n.anna)
	follower := n.remote(t, p.URL, p.host, "bo")
	n.followedBy(t, n.anna, follower, false)
	p.answerWith(func(a arrival, _ int) answering {
		if a.kind == "Update" {
			key := object(a.body).object("object").object("publicKey")
			p.keys = map[string]string{key.self(): key.text("publicKeyPem")}
		}
		return answering{status: http.StatusAccepted}
	})
	before := ok(n.db.Account(ctx, n.anna.ID))(t)
	n.write(t, "one")
	after := ok(RotateKey(ctx, n.db, n.anna.ID))(t)
	if after.KeyID == before.KeyID || after.PublicKey == before.PublicKey || !strings.HasPrefix(after.KeyID, n.anna.URI+"#") {
		t.Errorf("the key %s became %s", before.KeyID, after.KeyID)
	}
	if _, err := RotateKey(ctx, n.db, n.anna.ID); !errors.Is(err, souk.ErrConflict) {
		t.Errorf("another one before anybody was told: %v", err)
	}
	if doc := string(ok(n.Actor(ctx, nil, "anna"))(t).Body); !strings.Contains(doc, after.KeyID) {
		t.Errorf("the actor shows %s", doc)
	}
	n.write(t, "two")
	must(t, n.Federate(ctx))
	if forgotten := ok(n.db.PruneKeys(ctx))(t); forgotten != 0 {
		t.Errorf("%d keys forgotten that deliveries wait for", forgotten)
	}
	must(t, n.Deliver(ctx))
	equal(t, "arrived", p.kinds(), "Accept", "Create", "Update", "Create")
	if forgotten := ok(n.db.PruneKeys(ctx))(t); forgotten != 1 {
		t.Errorf("%d keys forgotten, want the old one", forgotten)
	}
	n.write(t, "three")
	must(t, n.Federate(ctx))
	must(t, n.Deliver(ctx))
	equal(t, "arrived", p.kinds()[4:], "Create")
	ok(RotateKey(ctx, n.db, n.anna.ID))(t)
}

// An Update that was made before another change of the key carries the old one: it tells nobody of the new.
func TestKeyToldWithTheOldKey(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(peer.Close)
	n.followedBy(t, n.anna, n.remote(t, peer.URL, strings.TrimPrefix(peer.URL, "http://"), "bo"), false)
	before := ok(n.db.Account(ctx, n.anna.ID))(t)
	after := ok(RotateKey(ctx, n.db, n.anna.ID))(t)
	must(t, n.db.KeyTold(ctx, n.anna.ID, before.KeyID, n.db.NewID()))
	if keys := ok(n.db.SigningKeys(ctx, n.anna.ID))(t); keys.Since != nil || keys.OldKeyID != before.KeyID {
		t.Errorf("told by an Update with the old key: %+v", keys)
	}
	must(t, n.Federate(ctx))
	if keys := ok(n.db.SigningKeys(ctx, n.anna.ID))(t); keys.Since == nil || keys.KeyID != after.KeyID {
		t.Errorf("not told by the Update with the new key: %+v", keys)
	}
	// An account that ends before anybody was told leaves no key behind.
	must(t, n.Deliver(ctx))
	ok(RotateKey(ctx, n.db, n.anna.ID))(t)
	must(t, n.settle(ctx))
	ok(n.pool.Exec(ctx, `update accounts set key_since = null where id = $1`, n.anna.ID))(t)
	must(t, n.db.DeleteAccount(ctx, 0, n.anna.ID))
	must(t, n.Federate(ctx))
	must(t, n.Deliver(ctx))
	ok(n.db.PruneKeys(ctx))(t)
	if kept := n.count(t, `select count(*) from accounts where name = 'anna' and host = '' and (private_key <> '' or old_private_key <> '' or old_key_id <> '' or key_since is not null)`); kept != 0 {
		t.Error("a deleted account has a private key still")
	}
}

// A server that never knew the old key is sent the news with the new one.
func TestRotatedKeyOfAStranger(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	var mu sync.Mutex
	var tried []string
	known := ""
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		signature := r.Header.Get("Signature") + r.Header.Get("Signature-Input")
		if !strings.Contains(signature, `"`+known+`"`) {
			tried = append(tried, "unknown")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		tried = append(tried, "known")
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(peer.Close)
	n.followedBy(t, n.anna, n.remote(t, peer.URL, strings.TrimPrefix(peer.URL, "http://"), "bo"), false)
	known = ok(RotateKey(ctx, n.db, n.anna.ID))(t).KeyID
	must(t, n.Federate(ctx))
	must(t, n.Deliver(ctx))
	equal(t, "tried", tried, "unknown", "known", "unknown", "known") // the Accept and the Update
}

// An actor tells of its new key, and of what else changed, by an Update that its old key signs.
func TestActorUpdate(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	asked := peer.requests("/users/ben")
	changed := with(with(peer.actor(t, "ben"), "name", "Ben the second"), "publicKey",
		m{"id": ben + "#key-2", "owner": ben, "publicKeyPem": publicPEM(t, testKeys()[2])})
	peer.serve("/users/ben", changed)
	n.done(t, peer, peer.activity("Update", ben, "/u/1", changed))
	if a := ok(n.db.AccountByURI(t.Context(), ben))(t); a.DisplayName != "Ben the second" || a.KeyID != ben+"#key-2" {
		t.Errorf("stored: %+v", a)
	}
	body := ok(json.Marshal(peer.activity("Create", ben, "/c/1", peer.note(ben, "/notes/1", "signed anew"))))(t)
	if status := n.receives(t, n.signedBy(t, ben+"#key-2", testKeys()[2], body)); status != http.StatusAccepted {
		t.Errorf("signed with the new key: %d", status)
	}
	if again := peer.requests("/users/ben"); again != asked+1 { // the Update does not say when
		t.Errorf("the actor was asked for %d times more", again-asked)
	}
	// A neighbour can change neither of it.
	eve := peer.person(t, "eve")
	if state, _ := n.deliver(t, peer, peer.activity("Update", eve, "/u/2", with(changed, "name", "Eve's"))); state != "failed" {
		t.Errorf("a neighbour's update: %s", state)
	}
}

// A stored actor is read again when it speaks after a day; as long as its server does not answer the old copy stands.
func TestActorIsRefreshed(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	asked := peer.requests("/users/ben")
	post := ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: "Look"}))(t)
	like := func(path string) { n.done(t, peer, peer.activity("Like", ben, path, post.URI)) }
	like("/l/1")
	if got := peer.requests("/users/ben"); got != asked {
		t.Errorf("asked again within a day: %d", got-asked)
	}
	peer.serve("/users/ben", with(peer.actor(t, "ben"), "name", "Renamed"))
	n.clock.advance(25 * time.Hour)
	like("/l/2")
	like("/l/3")
	if got := peer.requests("/users/ben"); got != asked+1 {
		t.Errorf("asked %d times after a day", got-asked)
	}
	peer.serve("/users/ben", http.StatusNotFound)
	n.clock.advance(25 * time.Hour)
	like("/l/4")
	if a := ok(n.db.AccountByURI(t.Context(), ben))(t); a.DisplayName != "Renamed" || a.Deleted != nil {
		t.Errorf("stored: %+v", a)
	}
}

// Updates of an actor overtake each other on their way: the later document counts, and where the times do not say which that is,
// what its origin says.
func TestActorUpdatesOutOfOrder(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	document := func(name, updated string) m {
		return with(with(peer.actor(t, "ben"), "name", name), "updated", updated)
	}
	peer.serve("/users/ben", document("Ben", "2026-11-22T08:00:00Z"))
	n.follow(t, peer, ben)
	for i, c := range []struct {
		embedded, updated, origin, at string
		want                          string
		asks                          int
	}{
		{"First", "2026-11-22T08:00:01Z", "not asked", "", "First", 0},
		{"Third", "2026-11-22T08:00:03.7Z", "not asked", "", "Third", 0},
		{"Second, late", "2026-11-22T08:00:02Z", "Third", "2026-11-22T08:00:03.7Z", "Third", 1},
		{"In the same second", "2026-11-22T08:00:03.2Z", "Fourth", "2026-11-22T08:00:03Z", "Fourth", 1},
		{"From a backup", "2026-11-22T08:00:00Z", "Back in time", "2026-11-22T08:00:00Z", "Back in time", 1},
		{"Without a time", "", "The origin has none either", "", "The origin has none either", 1},
		{"Without a time, from before", "", "The origin's word", "", "The origin's word", 1},
		{"With a time again", "2026-11-22T07:00:00Z", "With one", "2026-11-22T07:00:01Z", "With one", 1},
		{"And after that", "2026-11-22T07:00:02Z", "not asked", "", "And after that", 0},
	} {
		peer.serve("/users/ben", document(c.origin, c.at))
		asked := peer.requests("/users/ben")
		n.clock.advance(time.Second)
		n.done(t, peer, peer.activity("Update", ben, "/u/"+formatID(int64(i)), document(c.embedded, c.updated)))
		if a := ok(n.db.AccountByURI(t.Context(), ben))(t); a.DisplayName != c.want {
			t.Errorf("%s: stored as %q, want %q", c.embedded, a.DisplayName, c.want)
		}
		if got := peer.requests("/users/ben") - asked; got != c.asks {
			t.Errorf("%s: the origin was asked %d times, want %d", c.embedded, got, c.asks)
		}
	}
}

// Each change of an actor of this node is told with another updated, in the whole seconds of the wire.
func TestActorChangesTwiceInASecond(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	last := ""
	for i := range 3 {
		name := "Anna " + formatID(int64(i))
		ok(n.db.SaveProfile(t.Context(), n.anna.ID, souk.Profile{DisplayName: &name}))(t)
		updated := ok(parseObject(ok(n.Actor(t.Context(), nil, "anna"))(t).Body))(t).text("updated")
		if updated <= last {
			t.Errorf("changed at %q, and then at %q", last, updated)
		}
		last = updated
	}
}

// A server in secure mode shows no more than the key to those whose signature it cannot verify: that takes nothing away from
// what is known of the actor.
func TestStubOfAKnownActor(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	whole := ok(n.db.AccountByURI(t.Context(), ben))(t)
	n.clock.advance(25 * time.Hour)
	stub := m{"id": ben, "type": "Person", "preferredUsername": "ben", "inbox": ben + "/inbox",
		"publicKey": m{"id": ben + "#key-2", "owner": ben, "publicKeyPem": publicPEM(t, testKeys()[2])}}
	peer.serve("/users/ben", stub)
	a := ok(n.ResolveActor(t.Context(), ben))(t)
	if a.KeyID != ben+"#key-2" || a.PublicKey != publicPEM(t, testKeys()[2]) || !a.Fetched.Equal(n.clock.Now()) {
		t.Errorf("the key: %s, read %s", a.KeyID, a.Fetched)
	}
	if a.DisplayName != whole.DisplayName || a.Outbox != whole.Outbox || a.SharedInbox != whole.SharedInbox || a.FollowersURI != whole.FollowersURI {
		t.Errorf("the rest: %+v", a)
	}
	peer.serve("/users/eve", m{"id": peer.URL + "/users/eve", "type": "Person", "preferredUsername": "eve", "inbox": peer.URL + "/users/eve/inbox"})
	if a := ok(n.ResolveActor(t.Context(), peer.URL+"/users/eve"))(t); a.Name != "eve" || a.Outbox != "" {
		t.Errorf("one that was not known: %+v", a)
	}
	peer.person(t, "eve")
	n.clock.advance(25 * time.Hour)
	if a := ok(n.ResolveActor(t.Context(), peer.URL+"/users/eve"))(t); a.DisplayName != "EVE" || a.Outbox == "" {
		t.Errorf("the whole of it later: %+v", a)
	}
}
