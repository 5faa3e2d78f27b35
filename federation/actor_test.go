package federation

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"souk"
)

// Actors of all types are found, followed and heard; what a server calls its own kinds of people are people.
func TestActorKinds(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	for name, c := range map[string]struct {
		kind any
		want string
	}{
		"person": {"Person", "Person"}, "service": {"Service", "Service"}, "application": {"Application", "Application"},
		"organisation": {"Organization", "Organization"}, "group": {"Group", "Group"}, "listed": {[]any{"Organization"}, "Organization"},
		"extended": {[]any{"http://schema.org/Person", "Person"}, "Person"}, "own": {"Librarian", "Person"},
	} {
		id := peer.person(t, name)
		peer.serve("/users/"+name, with(peer.actor(t, name), "type", c.kind))
		a := n.follow(t, peer, id)
		if a.Kind != c.want {
			t.Errorf("%s is kept as %s", name, a.Kind)
		}
		note := peer.note(id, "/notes/"+name, "<p>from "+name+"</p>")
		n.done(t, peer, peer.activity("Create", id, "/creates/"+name, note))
		if p := n.post(t, peer.URL+"/notes/"+name); p.Account.Kind != c.want {
			t.Errorf("the post of %s is by a %s", name, p.Account.Kind)
		}
		n.done(t, peer, peer.activity("Follow", id, "/follows/"+name, n.anna.URI))
	}
	if followers, following, err := n.db.FollowCounts(t.Context(), n.anna.ID); err != nil || followers != 8 || following != 8 {
		t.Errorf("%d followers, %d followed, %v", followers, following, err)
	}
	for name, want := range map[string]string{"anna": "Person", n.db.HandleDomain(): "Application", "catalogue": "Service"} {
		doc := read(t, ok(n.WebFinger(t.Context(), "acct:"+name+"@shop.example"))(t))
		self := doc["links"].([]any)[1].(m)["href"].(string)
		got := map[string]*Document{n.db.BaseURL() + "/users/anna": ok(n.Actor(t.Context(), nil, "anna"))(t), n.db.BaseURL() + "/actor": ok(n.NodeActor(t.Context()))(t),
			n.db.BaseURL() + "/catalogue": ok(n.CatalogueActor(t.Context()))(t)}[self]
		if got == nil || read(t, got)["type"] != want {
			t.Errorf("%s is at %s: %+v", name, self, got)
		}
	}
}

// What a profile says here is what another node reads of it, and what it does not say is not so.
func TestActorProfileBothWays(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	yes, name, bio := true, "Anna & co", "I *throw* pots"
	a := ok(n.db.SaveProfile(t.Context(), n.anna.ID, souk.Profile{DisplayName: &name, Bio: &bio, Locked: &yes, Discoverable: &yes, Indexable: &yes,
		Fields: []souk.Field{{Name: "Web", Value: "https://anna.example"}}}))(t)
	doc := ok(n.Actor(t.Context(), nil, "anna"))(t)
	r := ok(decodeActor(ok(parseObject(doc.Body))(t), "", n.clock.Now()))(t)
	for what, pair := range map[string][2]any{
		"id": {r.URI, a.URI}, "name": {r.Name, a.Name}, "display name": {r.DisplayName, a.DisplayName}, "bio": {r.Bio, a.Bio}, "page": {r.URL, a.URL},
		"fields": {r.Fields, a.Fields}, "inbox": {r.Inbox, a.Inbox}, "shared inbox": {r.SharedInbox, a.SharedInbox}, "outbox": {r.Outbox, a.Outbox},
		"followers": {r.FollowersURI, a.FollowersURI}, "following": {r.FollowingURI, a.FollowingURI}, "featured": {r.FeaturedURI, a.FeaturedURI},
		"locked": {r.Locked, true}, "discoverable": {r.Discoverable, true}, "indexable": {r.Indexable, true},
		"published": {r.Created.Unix(), a.Created.Unix()}, "key": {r.KeyID, a.KeyID},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %v is read as %v", what, pair[1], pair[0])
		}
	}
	o := parsed(t, `{"id":"https://a.example/x","type":"Person","preferredUsername":"x","inbox":"https://a.example/x/inbox"}`)
	if r := ok(decodeActor(o, "", n.clock.Now()))(t); r.Locked || r.Discoverable || r.Indexable || r.Memorial {
		t.Errorf("what is not said: %+v", r)
	}
	full := ok(parseObject(doc.Body))(t)
	full["memorial"] = true
	if r := ok(decodeActor(full, "", n.clock.Now()))(t); !r.Memorial || r.Bio == "" {
		t.Errorf("in memory of its owner: %+v", r)
	}
	full["suspended"] = true
	if r := ok(decodeActor(full, "", n.clock.Now()))(t); r.Bio+r.DisplayName != "" || len(r.Fields) != 0 || r.Discoverable || r.Indexable {
		t.Errorf("suspended by its server: %+v", r)
	}
}

// A profile that takes its consent back by an Update is found no more, at once (FEP-5feb).
func TestActorTakesConsentBack(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ctx := t.Context()
	ben := peer.person(t, "ben")
	open := with(with(peer.actor(t, "ben"), "indexable", true), "discoverable", true)
	peer.serve("/users/ben", open)
	a := n.follow(t, peer, ben)
	n.done(t, peer, peer.activity("Create", ben, "/creates/1", peer.note(ben, "/notes/1", "<p>find me</p>")))
	found := func() (posts, accounts int) {
		return len(ok(n.db.FindablePosts(ctx, []string{peer.URL + "/notes/1"}))(t)), len(ok(n.db.FindableAccounts(ctx, []string{ben}))(t))
	}
	if posts, accounts := found(); posts != 1 || accounts != 1 {
		t.Fatalf("%d posts and %d accounts are found", posts, accounts)
	}
	if _, err := n.pool.Exec(ctx, `delete from search_outbox`); err != nil {
		t.Fatal(err)
	}
	closed := peer.actor(t, "ben") // says neither
	peer.serve("/users/ben", closed)
	n.done(t, peer, peer.activity("Update", ben, "/updates/1", closed))
	if posts, accounts := found(); posts+accounts != 0 {
		t.Errorf("%d posts and %d accounts are found", posts, accounts)
	}
	if c := n.count(t, `select count(*) from search_outbox where object_kind = 'account' and object_id = $1`, a.ID); c != 1 {
		t.Error("the index is not told")
	}
}

// A GET by an actor whose key is a document of its own (GoToSocial) is known by the key's owner.
func TestReadersKeyOfItsOwnAddress(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ctx := t.Context()
	actor := peer.actor(t, "gos")
	id := actor["id"].(string)
	key := m{"id": id + "/main-key", "owner": id, "publicKeyPem": publicPEM(t, peer.key)}
	actor["publicKey"] = key
	peer.serve("/users/gos", http.StatusUnauthorized)
	peer.serve("/users/gos/main-key", m{"id": id, "type": "Person", "preferredUsername": "gos", "publicKey": key})
	must(t, n.db.SetSecureMode(ctx, n.anna.ID, true))
	by := func() *SignedRequest { return n.asks(t, signedCavage, id+"/main-key", peer.key, n.anna.Outbox) }
	if doc, err := n.Outbox(ctx, by(), "anna", nil); err == nil {
		t.Errorf("the stub alone proves nothing: %s", doc.Body)
	}
	peer.serve("/users/gos", actor)
	ok(n.Outbox(ctx, by(), "anna", nil))(t)
	if a := ok(n.db.AccountByURI(ctx, id))(t); a.KeyID != id+"/main-key" || !strings.HasSuffix(a.Inbox, "/users/gos/inbox") {
		t.Errorf("kept as %+v", a)
	}
}

// What a server suspended is hidden here by its word alone, hears of no posts, and comes back with all that was followed.
func TestSuspendedByItsServer(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ctx := t.Context()
	ben := peer.person(t, "ben")
	a := n.follow(t, peer, ben)
	n.done(t, peer, peer.activity("Follow", ben, "/follows/1", n.anna.URI))
	n.done(t, peer, peer.activity("Create", ben, "/creates/1", peer.note(ben, "/notes/1", "<p>here</p>")))
	must(t, n.Federate(ctx))
	note := n.post(t, peer.URL+"/notes/1")
	says := func(path string, suspended any) {
		t.Helper()
		n.clock.advance(time.Minute)
		document := with(peer.actor(t, "ben"), "suspended", suspended)
		peer.serve("/users/ben", document)
		n.done(t, peer, peer.activity("Update", ben, path, document))
	}
	told := func(text string) int {
		t.Helper()
		before := len(n.said(t, peer.host()))
		ok(n.db.CreatePost(ctx, n.anna.ID, souk.NewPost{Source: text}))(t)
		must(t, n.Federate(ctx))
		return len(n.said(t, peer.host())) - before
	}
	home := func() int { return len(ok(n.db.Home(ctx, n.anna.ID, souk.Page{}))(t)) }
	if home() != 1 || told("one") != 1 {
		t.Fatal("the control")
	}
	says("/updates/1", true)
	if _, err := n.db.Post(ctx, n.anna.ID, note.ID); !errors.Is(err, souk.ErrNotFound) || home() != 1 {
		t.Errorf("its post: %v, and %d posts at home", err, home())
	}
	if told("two") != 0 || told("three for @ben@"+peer.host()) != 0 {
		t.Error("it is told of posts")
	}
	// An unfollow is no post: its server must know.
	must(t, n.db.Unfollow(ctx, n.anna.ID, a.ID))
	must(t, n.Federate(ctx))
	if said := n.said(t, peer.host()); said[len(said)-1] != "Undo" {
		t.Errorf("the last it hears is %s", said[len(said)-1])
	}
	says("/updates/2", false)
	if _, err := n.db.Post(ctx, n.anna.ID, note.ID); err != nil || told("four") != 1 {
		t.Errorf("back again: %v", err)
	}
}
