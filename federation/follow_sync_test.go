package federation

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"

	"souk"
)

// The digest is that of the example of FEP-8fcf.
func TestFollowDigest(t *testing.T) {
	t.Parallel()
	var d souk.FollowDigest
	for _, uri := range []string{"https://testing.example.org/users/1", "https://testing.example.org/users/2", "https://gone.example/1"} {
		d.Add(uri)
	}
	d.Add("https://gone.example/1")
	if got := d.String(); got != "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f" {
		t.Errorf("digest %s", got)
	}
}

// A server that is told of followers may read which of them are its own, and no others.
func TestFollowersAt(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	address := c.anna.FollowersURI + "_synchronization"
	for who, want := range map[string][]string{c.fay: {c.fay}, c.faysNode: {c.fay}, c.sam: {}} {
		peer := c.fays
		if who == c.sam {
			peer = c.sams
		}
		doc, err := c.FollowersAt(t.Context(), c.by(t, peer, who, address), "anna")
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		var list struct {
			ID           string
			OrderedItems []string
		}
		must(t, json.Unmarshal(doc.Body, &list))
		if !doc.Private || list.ID != address || !slices.Equal(list.OrderedItems, want) {
			t.Errorf("%s reads %s, private %v, want %v", who, doc.Body, doc.Private, want)
		}
	}
	_, err := c.FollowersAt(t.Context(), nil, "anna")
	if refused := new(RefusedError); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("a stranger: %v", err)
	}
}

// A delivery says of its sender's followers on the host what that host can compare, and it is signed.
func TestDeliveriesTellFollowers(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	bo := n.follower(t, p, "bo")
	must(t, n.Deliver(t.Context()))
	n.write(t, "to all")
	n.deliverAll(t)
	var d souk.FollowDigest
	d.Add(bo.URI)
	want := `collectionId="` + n.anna.FollowersURI + `", url="` + n.anna.FollowersURI + `_synchronization", digest="` + d.String() + `"`
	got := p.got[len(p.got)-1]
	if got.kind != "Create" || got.header.Get(syncField) != want || !got.signed.covers("collection-synchronization") {
		t.Errorf("%s with %q, signed %v", got.kind, got.header.Get(syncField), got.signed.Components)
	}
}

// What an account said before it was deleted goes out, without what needs the account, and holds up nobody.
func TestDeletedAccountHoldsUpNobody(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	sam := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "sam", Role: souk.RoleSeller}))(t)
	p := newReceiver(t, n, n.anna, sam)
	n.followedBy(t, sam, n.follower(t, p, "bo"), false)
	must(t, n.Deliver(ctx))
	p.got = nil
	ok(n.db.CreatePost(ctx, sam.ID, souk.NewPost{Source: "the last word"}))(t)
	must(t, n.Federate(ctx))
	must(t, n.db.DeleteAccount(ctx, sam.ID, sam.ID))
	must(t, n.Deliver(ctx))
	n.write(t, "after that")
	n.deliverAll(t)
	if got := p.kinds(); !slices.Equal(got, []string{"Create", "Delete", "Create"}) {
		t.Errorf("the peer got %v; %+v", got, n.deliveries(t, p.host, "queued"))
	}
	if field := p.got[0].header.Get(syncField); field != "" {
		t.Errorf("of the followers of nobody: %q", field)
	}
}

// Where the digests differ the other node's list counts: follows that it does not have end, those that it has are accepted,
// and it is told of those that are none. What says so must be signed, and about the sender.
func TestFollowsAreSynchronised(t *testing.T) {
	t.Parallel()
	n := inbound(t)
	ctx := t.Context()
	peer := newOtherNode(t, 1)
	pia := peer.person(t, "pia")
	a := n.follow(t, peer, pia)
	account := func(name string) *souk.Account {
		return ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: name, Role: souk.RoleMember}))(t)
	}
	bea, cleo, dora := account("bea"), account("cleo"), account("dora")
	n.followAs(t, bea, peer, pia)
	ok(n.db.Follow(ctx, cleo.ID, a.ID))(t) // waits
	must(t, n.settle(ctx))
	list := a.FollowersURI + "_synchronization"
	serve := func(uris ...any) {
		peer.serve("/users/pia/followers_synchronization", m{"id": list, "type": "OrderedCollection", "orderedItems": uris})
	}
	// Pia's node knows nothing of bea, has cleo's Follow, and believes that dora follows; and somebody of another node does.
	serve(n.anna.URI, cleo.URI, dora.URI, "https://elsewhere.example/users/x")

	digest := func(uris ...string) (d souk.FollowDigest) {
		for _, uri := range uris {
			d.Add(uri)
		}
		return d
	}
	value := func(collection, url string, d souk.FollowDigest) string {
		return `collectionId="` + collection + `", url="` + url + `", digest="` + d.String() + `"`
	}
	sent := 0
	says := func(field string, signed bool) (queued int) {
		t.Helper()
		sent++
		body := ok(json.Marshal(peer.activity("Like", pia, "/likes/"+formatID(int64(sent)), n.anna.URI)))(t)
		req := ok(http.NewRequest(http.MethodPost, n.db.BaseURL()+"/inbox", bytes.NewReader(body)))(t)
		req.Header.Set("Content-Type", activityMedia)
		if signed {
			req.Header.Set(syncField, field)
		}
		must(t, SignCavage(req, body, pia+"#main-key", peer.key, n.clock.Now()))
		req.Header.Set(syncField, field)
		if got := n.receives(t, &SignedRequest{Method: req.Method, URL: req.URL, Header: req.Header, Body: body}); got != http.StatusAccepted {
			t.Fatalf("status %d", got)
		}
		return n.count(t, `select count(*) from river_job where kind = 'sync_follows'`)
	}
	ours, theirs := digest(n.anna.URI, bea.URI), digest(n.anna.URI, cleo.URI, dora.URI)
	for what, queued := range map[string]int{
		"the same followers":    says(value(a.FollowersURI, list, ours), true),
		"a field not signed":    says(value(a.FollowersURI, list, theirs), false),
		"another collection":    says(value(pia+"/following", list, theirs), true),
		"a list of another":     says(value(a.FollowersURI, "https://victim.example/followers_synchronization", theirs), true),
		"what cannot be read":   says(`collectionId="`+a.FollowersURI, true),
		"nothing but a comma":   says(",", true),
		"a list without a name": says(value(a.FollowersURI, "", theirs), true),
	} {
		if queued != 0 {
			t.Errorf("%s: a list is asked for", what)
		}
	}
	if says(value(a.FollowersURI, list, theirs), true) != 1 || says(value(a.FollowersURI, list+"?again", theirs), true) != 1 {
		t.Error("the list is not asked for once")
	}
	must(t, n.SyncFollows(ctx, a.ID, list))
	for by, want := range map[*souk.Account]string{n.anna: souk.FollowAccepted, bea: "", cleo: souk.FollowAccepted, dora: ""} {
		if state := ok(n.db.FollowState(ctx, by.ID, a.ID))(t); state != want {
			t.Errorf("%s: %q, want %q", by.Name, state, want)
		}
	}
	if got := n.said(t, a.Host); !slices.Equal(got[len(got)-1:], []string{"Undo"}) || n.count(t, `select count(*) from activities where type = 'Undo' and account_id = $1`, dora.ID) != 1 {
		t.Errorf("said %v", got)
	}

	// Nothing ends by a list in pages, by one that is not there, or by one of another node.
	peer.serve("/users/pia/followers_synchronization", m{"id": list, "type": "OrderedCollection", "first": list + "?page=1"})
	if err := n.SyncFollows(ctx, a.ID, list); err == nil {
		t.Error("a list in pages was followed")
	}
	peer.serve("/users/pia/followers_synchronization", http.StatusNotFound)
	if err := n.SyncFollows(ctx, a.ID, list); err == nil {
		t.Error("a list that is not there was followed")
	}
	if err := n.SyncFollows(ctx, a.ID, newOtherNode(t, 2).URL+"/empty"); err == nil {
		t.Error("another node's list was followed")
	}
	if state := ok(n.db.FollowState(ctx, n.anna.ID, a.ID))(t); state != souk.FollowAccepted {
		t.Errorf("anna's follow is %q", state)
	}
	serve()
	must(t, n.SyncFollows(ctx, a.ID, list))
	if n.count(t, `select count(*) from follows where followee_id = $1`, a.ID) != 0 {
		t.Error("follows that the other node does not have are still there")
	}
}
