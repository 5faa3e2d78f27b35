package federation

import (
	"net/http"
	"testing"
	"time"

	"souk"
)

// What is pinned stands first, the newest pin before the others, followers are told of each change, and a stranger of none.
func TestPinsAreFeaturedAndTold(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	n.follows(t)
	ctx := t.Context()
	first, second, listing := n.write(t, "one"), n.write(t, "two"), n.list(t, false)
	featured := func() []string { return strs(t, read(t, ok(n.Featured(ctx, nil, "anna"))(t))["orderedItems"]) }
	equal(t, "with nothing pinned", featured(), second.URI, first.URI)
	for _, id := range []int64{second.ID, first.ID, listing.ID} {
		must(t, n.db.Pin(ctx, n.anna.ID, id))
		n.clock.advance(time.Second)
	}
	must(t, n.db.Pin(ctx, n.anna.ID, first.ID)) // it is pinned already
	equal(t, "pinned", featured(), listing.Post.URI, first.URI, second.URI)
	must(t, n.db.Unpin(ctx, n.anna.ID, first.ID))
	must(t, n.db.Unpin(ctx, n.anna.ID, first.ID))
	equal(t, "one unpinned", featured(), listing.Post.URI, second.URI)
	equal(t, "follower", n.said(t, "f.example"), "Accept", "Create", "Create", "Add", "Add", "Add", "Remove")
	equal(t, "stranger", n.said(t, "s.example"))
	must(t, n.db.DeletePost(ctx, n.anna.ID, second.ID))
	equal(t, "a pinned one deleted", featured(), listing.Post.URI)
	equal(t, "follower, after the end", n.said(t, "f.example")[7:], "Delete")
	// A listing that was not announced reached the follower's node by the Add: its end must reach it too.
	must(t, n.db.WithdrawListing(ctx, n.anna.ID, listing.ID))
	equal(t, "follower, after the listing's end", n.said(t, "f.example")[8:], "Delete")
}

// pinning is a peer whose ben is followed, and features what the test lets him.
func pinning(t *testing.T) (n *testNode, peer *otherNode, ben string) {
	t.Helper()
	n, peer = inbound(t), newOtherNode(t, 1)
	ben = peer.URL + "/users/ben"
	peer.serve("/users/ben", with(peer.actor(t, "ben"), "featured", ben+"/featured"))
	n.follow(t, peer, ben)
	return n, peer, ben
}

func (n *testNode) pinned(t *testing.T, actor string) []string {
	t.Helper()
	a := ok(n.db.AccountByURI(t.Context(), actor))(t)
	return uris(ok(n.db.Pinned(t.Context(), n.anna.ID, a.ID))(t))
}

func TestAddAndRemove(t *testing.T) {
	t.Parallel()
	n, peer, ben := pinning(t)
	eve := peer.URL + "/users/eve"
	peer.serve("/users/eve", with(peer.actor(t, "eve"), "featured", eve+"/featured"))
	n.follow(t, peer, eve)
	add := func(kind, actor, path string, object any, target string) (string, string) {
		t.Helper()
		return n.deliver(t, peer, with(peer.activity(kind, actor, path, object), "target", target))
	}
	known, old, evil := peer.note(ben, "/notes/1", "<p>known</p>"), peer.note(ben, "/notes/2", "<p>old</p>"), peer.note(eve, "/notes/3", "<p>Eve's</p>")
	n.done(t, peer, peer.activity("Create", ben, "/c/1", known))
	peer.serve("/notes/2", old)
	peer.serve("/notes/3", evil)
	if state, note := add("Add", ben, "/a/1", known["id"], ben+"/featured"); state != "done" {
		t.Fatalf("%s %s", state, note)
	}
	n.clock.advance(time.Second)
	if state, note := add("Add", ben, "/a/2", old, ben+"/featured"); state != "done" { // as an object: it is read at its origin all the same
		t.Fatalf("%s %s", state, note)
	}
	equal(t, "pinned", n.pinned(t, ben), peer.URL+"/notes/2", peer.URL+"/notes/1")
	if asked := peer.requests("/notes/1"); asked != 0 {
		t.Errorf("what is known was asked for %d times", asked)
	}
	anna := ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: "Anna's"}))(t)
	tried := int64(0)
	for name, c := range map[string][4]string{
		"what another features":             {"Add", eve, known["id"].(string), ben + "/featured"},
		"another's post":                    {"Add", ben, evil["id"].(string), ben + "/featured"},
		"another's post that is kept":       {"Add", eve, known["id"].(string), eve + "/featured"},
		"a post of this node":               {"Add", ben, anna.URI, ben + "/featured"},
		"some other collection":             {"Add", ben, known["id"].(string), ben + "/followers"},
		"no collection":                     {"Add", ben, known["id"].(string), ""},
		"removing from what another pins":   {"Remove", eve, known["id"].(string), ben + "/featured"},
		"removing another's from one's own": {"Remove", eve, known["id"].(string), eve + "/featured"},
	} {
		tried++
		state, note := add(c[0], c[1], "/bad/"+formatID(tried), c[2], c[3])
		if state == "done" && c[0] == "Add" {
			t.Errorf("%s: %s %s", name, state, note)
		}
		equal(t, name, n.pinned(t, ben), peer.URL+"/notes/2", peer.URL+"/notes/1")
		equal(t, name+" (eve)", n.pinned(t, eve))
	}
	if state, note := add("Remove", ben, "/r/1", old["id"], ben+"/featured"); state != "done" {
		t.Errorf("%s %s", state, note)
	}
	equal(t, "one removed", n.pinned(t, ben), peer.URL+"/notes/1")
	n.done(t, peer, peer.activity("Delete", ben, "/d/1", known["id"]))
	equal(t, "the other deleted", n.pinned(t, ben))
	stranger := peer.URL + "/users/sam"
	peer.serve("/users/sam", with(peer.actor(t, "sam"), "featured", stranger+"/featured"))
	peer.serve("/notes/4", peer.note(stranger, "/notes/4", "x"))
	if state, _ := add("Add", stranger, "/a/sam", peer.URL+"/notes/4", stranger+"/featured"); state != "ignored" || peer.requests("/notes/4") != 0 {
		t.Errorf("a stranger's pin: %s, asked for %d times", state, peer.requests("/notes/4"))
	}
}

// What a new account pins is read when it is followed, in every form that servers have, and again once a day.
func TestReadFeatured(t *testing.T) {
	t.Parallel()
	n, peer, ben := pinning(t)
	ctx := t.Context()
	a := ok(n.db.AccountByURI(ctx, ben))(t)
	jobs := func() int { return n.count(t, `select count(*) from river_job where kind = 'featured'`) }
	if got := jobs(); got != 1 {
		t.Errorf("%d readings wait after the follow", got)
	}
	for _, k := range []string{"1", "2", "3"} {
		peer.serve("/notes/"+k, peer.note(ben, "/notes/"+k, "<p>"+k+"</p>"))
	}
	peer.serve("/notes/eve", peer.note(peer.person(t, "eve"), "/notes/eve", "not ben's"))
	peer.serve("/notes/private", with(with(peer.note(ben, "/notes/private", "x"), "to", ben+"/followers"), "cc", nil))
	one, two, three := peer.URL+"/notes/1", peer.URL+"/notes/2", peer.URL+"/notes/3"
	id := ben + "/featured"
	collection := func(items ...any) m { return m{"id": id, "type": "OrderedCollection", "orderedItems": items} }
	many := []any{}
	for range souk.MaxRemotePins {
		many = append(many, one)
	}
	for _, c := range []struct {
		name string
		doc  m
		want []string
	}{
		{"ids", collection(one, two), []string{one, two}},
		{"objects", collection(peer.note(ben, "/notes/3", "<p>other words</p>"), m{"type": "Note", "id": one}), []string{three, one}},
		{"a Collection", m{"id": id, "type": "Collection", "items": []any{two}}, []string{two}},
		{"a page of its own", m{"id": id, "type": "OrderedCollection", "totalItems": 1, "first": id + "?page=1"}, []string{three, two}},
		{"an embedded page", m{"id": id, "type": "OrderedCollection", "first": m{"type": "OrderedCollectionPage", "orderedItems": []any{one}}}, []string{one}},
		{"what is not ben's, not public, not there", collection(peer.URL+"/notes/eve", peer.URL+"/notes/private", peer.URL+"/notes/none", n.anna.URI, "https://far.example/1", 7, two), []string{two}},
		{"more than is kept", collection(append(many, two)...), []string{one}},
		{"nothing", collection(), nil},
	} {
		peer.serve("/users/ben/featured", c.doc)
		peer.serve("/users/ben/featured?page=1", m{"id": id + "?page=1", "type": "OrderedCollectionPage", "orderedItems": []any{three, two}})
		if err := n.ReadFeatured(ctx, a.ID); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		equal(t, c.name, n.pinned(t, ben), c.want...)
	}
	if p := n.post(t, three); p.HTML != "<p>3</p>" {
		t.Errorf("the words of the collection were taken for ben's: %s", p.HTML)
	}
	// A server that does not answer takes no pins away.
	peer.serve("/users/ben/featured", collection(one))
	must(t, n.ReadFeatured(ctx, a.ID))
	peer.serve("/users/ben/featured", http.StatusServiceUnavailable)
	if err := n.ReadFeatured(ctx, a.ID); err == nil || judged(err) != nil {
		t.Errorf("an answer later: %v", err)
	}
	equal(t, "meanwhile", n.pinned(t, ben), one)
	ok(n.ResolveActor(ctx, ben))(t)
	if got := jobs(); got != 1 {
		t.Errorf("%d readings within a day", got)
	}
	n.clock.advance(25 * time.Hour)
	ok(n.ResolveActor(ctx, ben))(t)
	ok(n.ResolveActor(ctx, ben))(t)
	if got := jobs(); got != 2 {
		t.Errorf("%d readings after a day", got)
	}
}
