package federation

import (
	"net/http"
	"testing"
	"time"

	"souk"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertest"
)

// market is a node that follows the catalogue of another one, as nodes do: its own catalogue actor is the follower.
type market struct {
	*testNode
	peer              *otherNode
	catalogue, seller string
}

func following(t *testing.T) *market {
	t.Helper()
	k := &market{testNode: inbound(t), peer: newOtherNode(t, 1)}
	k.catalogue = k.peer.catalogue(t)
	k.seller = k.peer.person(t, "seller")
	own := ok(k.db.Catalogue(t.Context()))(t)
	k.followAs(t, own, k.peer, k.catalogue)
	return k
}

// catalogue serves a catalogue actor that the NodeInfo names, and returns its id.
func (o *otherNode) catalogue(t *testing.T) string {
	t.Helper()
	actor := with(with(o.actor(t, "catalogue"), "type", "Service"), "id", o.URL+"/catalogue")
	actor["inbox"], actor["followers"] = o.URL+"/catalogue/inbox", o.URL+"/catalogue/followers"
	actor["publicKey"] = m{"id": o.URL + "/catalogue#main-key", "owner": o.URL + "/catalogue", "publicKeyPem": publicPEM(t, o.key)}
	o.serve("/catalogue", actor)
	o.serve("/.well-known/nodeinfo", m{"links": []any{m{"rel": nodeInfoSchema + "2.1", "href": o.URL + "/nodeinfo/2.1"}}})
	o.serve("/nodeinfo/2.1", m{"software": m{"name": "souk"}, "metadata": m{"catalogue": o.URL + "/catalogue"}})
	return o.URL + "/catalogue"
}

// announce is the catalogue's Announce of an activity of a seller.
func (k *market) announce(path, kind string, object any) m {
	inner := k.peer.activity(kind, k.seller, "/inner"+path, object)
	return k.peer.activity("Announce", k.catalogue, path, inner)
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	k := following(t)
	rivertest.RequireInserted(t.Context(), t, riverpgxv5.New(k.pool), souk.BackfillArgs{}, nil)
	listing := k.peer.listing(k.seller, "/listings/1", "Blue mug", "24.00")
	k.done(t, k.peer, k.announce("/a/1", "Create", listing))
	p := k.post(t, k.peer.URL+"/listings/1")
	if p.Kind != souk.KindListing || p.InTimeline || p.Account.URI != k.seller {
		t.Fatalf("post %+v", p)
	}
	l := p.Listing
	if l.Title != "Blue mug" || l.Price() != (souk.Money{Amount: 2400, Currency: "EUR"}) || l.Category != "Home/Mugs" || l.Availability != souk.InStock {
		t.Errorf("listing %+v", l)
	}
	if c := k.count(t, `select count(*) from search_outbox where object_id = $1`, p.ID); c != 1 {
		t.Error("it is not queued for the index")
	}

	sold := edited(k.peer.listing(k.seller, "/listings/1", "Blue mug", "19.00"))
	sold["publishes"].(m)["sdo:availability"] = "sdo:SoldOut"
	k.done(t, k.peer, k.announce("/a/2", "Update", sold))
	if l := k.post(t, k.peer.URL+"/listings/1").Listing; l.Price().Amount != 1900 || l.State != souk.ListingSoldOut {
		t.Errorf("after the update: %+v", l)
	}
	if state, _ := k.deliver(t, k.peer, k.announce("/a/3", "Create", k.peer.note(k.seller, "/notes/1", "<p>no listing</p>"))); state != "ignored" {
		t.Errorf("a note by way of the catalogue: %s", state)
	}
	k.done(t, k.peer, k.announce("/a/4", "Delete", m{"id": k.peer.URL + "/listings/1", "type": "Tombstone"}))
	if p := k.post(t, k.peer.URL+"/listings/1"); p.Deleted == nil {
		t.Error("it is still here")
	}
}

// What a catalogue says of another origin is only a hint: that origin is asked (FEP-fe34).
func TestCatalogueOfOthersListings(t *testing.T) {
	t.Parallel()
	k := following(t)
	other := newOtherNode(t, 2)
	seller := other.person(t, "other")
	genuine := other.listing(seller, "/listings/1", "Red mug", "30.00")
	other.serve("/listings/1", genuine)
	forged := other.listing(seller, "/listings/1", "Red mug", "0.01")
	inner := other.activity("Create", seller, "/inner/1", forged)
	k.done(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/1", inner))
	uri := other.URL + "/listings/1"
	if l := k.post(t, uri).Listing; l.Price().Amount != 3000 {
		t.Errorf("price %v", l.Price())
	}
	// A listing of the catalogue's origin, said to be sold by somebody of another one.
	mixed := k.peer.activity("Create", seller, "/inner/2", k.peer.listing(seller, "/listings/9", "Mixed", "1.00"))
	if state, _ := k.deliver(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/2", mixed)); state == "done" {
		t.Error("a listing of two origins was kept")
	}
	turned := k.peer.activity("Create", k.seller, "/inner/6", other.listing(k.seller, "/listings/9", "Turned", "1.00"))
	if state, _ := k.deliver(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/6", turned)); state == "done" {
		t.Error("a listing at an address of another origin was kept")
	}
	both := k.peer.activity("Create", k.seller, "/inner/7", []any{k.peer.URL + "/listings/8", other.listing(k.seller, "/listings/8", "Both", "1.00")})
	if state, _ := k.deliver(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/7", both)); state == "done" {
		t.Error("one address was checked, and a listing at another kept")
	}
	neighbour := k.peer.activity("Create", k.seller, "/inner/8", k.peer.listing(k.peer.person(t, "neighbour"), "/listings/7", "Neighbour's", "1.00"))
	if state, _ := k.deliver(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/8", neighbour)); state == "done" {
		t.Error("a seller's listing in the name of a neighbour was kept")
	}
	gone := other.activity("Delete", seller, "/inner/3", uri)
	k.done(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/3", gone))
	if p := k.post(t, uri); p.Deleted != nil {
		t.Error("deleted although its origin still has it")
	}
	other.serve("/listings/1", http.StatusGone)
	k.done(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/4", with(gone, "id", other.URL+"/inner/4")))
	if p := k.post(t, uri); p.Deleted == nil {
		t.Error("its origin says that it is gone")
	}
	must(t, k.db.BlockHost(t.Context(), k.anna.ID, other.host(), souk.Suspend, ""))
	other.serve("/listings/2", other.listing(seller, "/listings/2", "Blocked mug", "5.00"))
	blocked := other.activity("Create", seller, "/inner/5", other.URL+"/listings/2")
	if state, _ := k.deliver(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/5", blocked)); state != "failed" {
		t.Errorf("a blocked host's listing: %s", state)
	}
	if other.requests("/listings/2") != 0 {
		t.Error("a blocked host was asked")
	}
}

func TestListingOfFollowedSeller(t *testing.T) {
	t.Parallel()
	k := following(t)
	listing := k.peer.listing(k.seller, "/listings/1", "Blue mug", "24.00")
	if state, _ := k.deliver(t, k.peer, k.peer.activity("Create", k.seller, "/c/0", listing)); state != "ignored" {
		t.Errorf("of a seller whom nobody follows: %s", state)
	}
	k.follow(t, k.peer, k.seller)
	k.done(t, k.peer, k.announce("/a/1", "Create", listing))
	k.done(t, k.peer, k.peer.activity("Create", k.seller, "/c/1", listing))
	uri := k.peer.URL + "/listings/1"
	if p := k.post(t, uri); !p.InTimeline {
		t.Error("the catalogue came first, and the seller's own Create does not bring it into timelines")
	}
	k.done(t, k.peer, k.announce("/a/2", "Update", edited(k.peer.listing(k.seller, "/listings/1", "Blue mug", "22.00"))))
	if p := k.post(t, uri); !p.InTimeline || p.Listing.Price().Amount != 2200 {
		t.Errorf("after a change by way of the catalogue: in timelines %v, %v", p.InTimeline, p.Listing.Price())
	}
}

// Only what stands for a node may follow the catalogue.
func TestCatalogueFollowers(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	own := ok(n.db.Catalogue(t.Context()))(t)
	catalogue, ben := peer.catalogue(t), peer.person(t, "ben")
	bot := with(peer.actor(t, "bot"), "type", "Service")
	peer.serve("/users/bot", bot)
	troll := with(peer.actor(t, "troll"), "type", "Application")
	peer.serve("/users/troll", troll)
	node := peer.application(t)
	for i, actor := range []string{catalogue, ben, bot["id"].(string), troll["id"].(string), node} {
		n.done(t, peer, peer.activity("Follow", actor, "/f/"+formatID(int64(i+1)), own.URI))
	}
	if c := n.count(t, `select count(*) from follows where followee_id = $1`, own.ID); c != 2 {
		t.Errorf("%d followers", c)
	}
	if c := n.count(t, `select count(*) from follows f join accounts a on a.id = f.follower_id where a.uri in ($1, $2) and f.state = 'accepted'`, catalogue, node); c != 2 {
		t.Error("the other catalogue, or its node, is not among them")
	}
}

// A listing whose seller is suspended where it is sold leaves the index, and comes back with an Update.
func TestCatalogueHides(t *testing.T) {
	t.Parallel()
	k := following(t)
	listing := k.peer.listing(k.seller, "/listings/1", "Blue mug", "24.00")
	state := func() string { return k.post(t, k.peer.URL+"/listings/1").Listing.State }
	k.done(t, k.peer, k.announce("/a/1", "Create", listing))
	if got, _ := k.deliver(t, k.peer, k.announce("/a/2", "Remove", k.peer.URL+"/listings/1")); got == "done" || state() != souk.ListingPublished {
		t.Errorf("removed by a seller: %s, %s", got, state())
	}
	inner := k.peer.activity("Remove", k.catalogue, "/inner/3", k.peer.URL+"/listings/1")
	k.done(t, k.peer, k.peer.activity("Announce", k.catalogue, "/a/3", inner))
	if state() != souk.ListingWithdrawn {
		t.Errorf("after the Remove: %s", state())
	}
	k.done(t, k.peer, k.announce("/a/4", "Update", listing))
	if state() != souk.ListingPublished {
		t.Errorf("after the Update: %s", state())
	}
}

func TestListingExpires(t *testing.T) {
	t.Parallel()
	k := following(t)
	listing := with(k.peer.listing(k.seller, "/listings/1", "Blue mug", "24.00"), "endTime", "2026-11-25T00:00:00Z")
	k.done(t, k.peer, k.announce("/a/1", "Create", listing))
	if l := k.post(t, k.peer.URL+"/listings/1").Listing; l.Expires == nil || !l.Expires.Equal(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("expires %v", l.Expires)
	}
}

// A catalogue that this node follows must not be able to delete posts that their origins show to followers alone.
func TestCatalogueDeletesNoPosts(t *testing.T) {
	t.Parallel()
	k := following(t)
	other := newOtherNode(t, 2)
	author := other.person(t, "ben")
	k.follow(t, other, author)
	note := with(other.note(author, "/notes/1", "<p>Among us</p>"), "to", []any{author + "/followers"})
	delete(note, "cc")
	k.done(t, other, other.activity("Create", author, "/a/1", note))
	state, _ := k.deliver(t, k.peer, k.announce("/a/2", "Update", m{"id": other.URL + "/notes/1", "type": "Note"}))
	if p := k.post(t, other.URL+"/notes/1"); state != "ignored" || p.Deleted != nil {
		t.Errorf("state %s, deleted %v", state, p.Deleted)
	}
}
