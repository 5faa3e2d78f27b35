package federation

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"souk"
)

// said is what waits to be delivered to a host, oldest first: the type of each activity.
func (n *testNode) said(t *testing.T, host string) []string {
	t.Helper()
	must(t, n.Federate(t.Context()))
	kinds := []string{}
	for _, d := range n.deliveries(t, host, "") {
		kinds = append(kinds, d.Type)
	}
	slices.Reverse(kinds)
	return kinds
}

// follows makes remote accounts of three hosts: a follower of anna, a node that follows the catalogue, and a stranger.
func (n *testNode) follows(t *testing.T) (follower, node, stranger *souk.Account) {
	t.Helper()
	follower = n.remote(t, "https://f.example", "f.example", "fay")
	node = n.remote(t, "https://n.example", "n.example", "catalogue", func(r *souk.RemoteAccount) { r.Kind = "Service" })
	stranger = n.remote(t, "https://s.example", "s.example", "sam")
	n.followedBy(t, n.anna, follower, false)
	n.followedBy(t, ok(n.db.Catalogue(t.Context()))(t), node, true)
	return follower, node, stranger
}

func (n *testNode) list(t *testing.T, announce bool) *souk.Listing {
	t.Helper()
	return ok(n.db.CreateListing(t.Context(), n.anna.ID, souk.NewListing{Title: "Blue mug", Description: "Hand-thrown.",
		Price: souk.Money{Amount: 2400, Currency: "EUR"}, Quantity: 5, Tags: []string{"ceramics"}, Announce: announce, Lang: "en"}))(t)
}

func price(amount int64) souk.ListingChange {
	return souk.ListingChange{Price: &souk.Money{Amount: amount, Currency: "EUR"}}
}

func equal[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Followers hear what the seller announces, nodes that follow the catalogue hear of everything, nobody else of anything.
func TestListingReachesWhomItShould(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	n.follows(t)
	ctx := t.Context()
	l := n.list(t, false)
	equal(t, "follower of an unannounced listing", n.said(t, "f.example"), "Accept")
	equal(t, "node", n.said(t, "n.example"), "Accept", "Announce")
	ok(n.db.ChangeListing(ctx, n.anna.ID, l.ID, price(2500)))(t)
	equal(t, "follower after a change", n.said(t, "f.example"), "Accept")
	equal(t, "node after a change", n.said(t, "n.example"), "Accept", "Announce", "Announce")
	announce := true
	ok(n.db.ChangeListing(ctx, n.anna.ID, l.ID, souk.ListingChange{Announce: &announce}))(t)
	equal(t, "follower after the announcement", n.said(t, "f.example"), "Accept", "Create")
	ok(n.db.ChangeListing(ctx, n.anna.ID, l.ID, price(2600)))(t)
	equal(t, "follower within the hour", n.said(t, "f.example"), "Accept", "Create")
	equal(t, "node within the hour", n.said(t, "n.example"), "Accept", "Announce", "Announce", "Announce", "Announce")
	ok(n.db.ChangeListing(ctx, n.anna.ID, l.ID, price(2700)))(t)
	n.clock.advance(time.Hour)
	equal(t, "follower after the hour", n.said(t, "f.example"), "Accept", "Create", "Update")
	must(t, n.db.WithdrawListing(ctx, n.anna.ID, l.ID))
	equal(t, "follower after the end", n.said(t, "f.example"), "Accept", "Create", "Update", "Delete")
	equal(t, "node after the end", n.said(t, "n.example")[5:], "Announce", "Announce")
	equal(t, "stranger", n.said(t, "s.example"))
}

// The listings of a seller who is suspended leave the catalogue, and come back with the seller.
func TestSuspendedSellersLeaveTheCatalogue(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	n.follows(t)
	ctx := t.Context()
	sam := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "sam", Role: souk.RoleSeller}))(t)
	l := ok(n.db.CreateListing(ctx, sam.ID, souk.NewListing{Title: "Stolen mug", Description: "Hand-thrown.",
		Price: souk.Money{Amount: 2400, Currency: "EUR"}, Quantity: 5, Lang: "en"}))(t)
	catalogue := func() string {
		t.Helper()
		must(t, n.Federate(ctx))
		return string(ok(n.CatalogueOutbox(ctx, nil, url.Values{"after": {"0"}}))(t).Body)
	}
	if page := catalogue(); !strings.Contains(page, "Stolen mug") {
		t.Fatalf("the catalogue: %s", page)
	}
	said := int64(n.count(t, `select activity_id from catalogue`))
	must(t, n.db.SuspendAccount(ctx, n.anna.ID, sam.ID))
	if page := catalogue(); strings.Contains(page, "Stolen mug") || !strings.Contains(page, `"Remove"`) || !strings.Contains(page, l.Post.URI) {
		t.Errorf("suspended: %s", page)
	}
	if _, err := n.Activity(ctx, nil, said); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("what the catalogue said: %v", err)
	}
	equal(t, "node", n.said(t, "n.example"), "Accept", "Announce", "Announce")
	must(t, n.db.UnsuspendAccount(ctx, n.anna.ID, sam.ID))
	if page := catalogue(); !strings.Contains(page, "Stolen mug") {
		t.Errorf("back again: %s", page)
	}
	equal(t, "node", n.said(t, "n.example"), "Accept", "Announce", "Announce", "Announce")
}

// The catalogue announces exactly what the seller said, byte for byte, so that both say the same.
func TestCatalogueEmbedsTheExactActivity(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	l := n.list(t, false)
	must(t, n.Federate(t.Context()))
	entries := ok(n.db.CatalogueEntries(t.Context(), 0, 10))(t)
	if len(entries) != 1 || entries[0].ListingID != l.ID {
		t.Fatalf("the catalogue has %+v", entries)
	}
	var announce struct {
		Type, Actor string
		Object      json.RawMessage
	}
	must(t, json.Unmarshal(entries[0].Activity.Body, &announce))
	var inner struct{ ID, Type, Actor string }
	must(t, json.Unmarshal(announce.Object, &inner))
	if announce.Type != "Announce" || announce.Actor != testBase+"/catalogue" || inner.Type != "Create" || inner.Actor != n.anna.URI {
		t.Fatalf("announced: %s of %+v by %s", announce.Type, inner, announce.Actor)
	}
	id := ok(souk.ParseID(strings.TrimPrefix(inner.ID, testBase+"/activities/")))(t)
	if stored := ok(n.db.Activity(t.Context(), id))(t); string(stored.Body) != string(announce.Object) {
		t.Errorf("announced:\n%s\nsaid:\n%s", announce.Object, stored.Body)
	}
}

// Who is mentioned or answered hears of it; what is direct goes to nobody else and is shown to nobody.
func TestPostReachesWhomItShould(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	_, _, stranger := n.follows(t)
	ctx := t.Context()
	direct := ok(n.db.CreatePost(ctx, n.anna.ID, souk.NewPost{Source: "only for @sam@s.example", Visibility: souk.Direct}))(t)
	equal(t, "follower", n.said(t, "f.example"), "Accept")
	equal(t, "the person meant", n.said(t, "s.example"), "Create")
	if d := n.deliveries(t, "s.example", "")[0]; d.Inbox != stranger.Inbox {
		t.Errorf("a direct note went to %s", d.Inbox)
	}
	if _, err := n.Post(ctx, nil, direct.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("a stranger reads the direct note: %v", err)
	}
	activities := n.deliveries(t, "s.example", "")
	if _, err := n.Activity(ctx, nil, activities[0].ActivityID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("a stranger reads its Create: %v", err)
	}
	must(t, n.db.DeletePost(ctx, n.anna.ID, direct.ID))
	equal(t, "the person meant, after the end", n.said(t, "s.example"), "Create", "Delete")
	equal(t, "follower, after the end", n.said(t, "f.example"), "Accept")

	question := ok(n.db.ReceivePost(ctx, souk.RemotePost{URI: "https://s.example/notes/1", URL: "https://s.example/notes/1", Author: stranger,
		HTML: "<p>Glazed?</p>", Visibility: souk.Public, Published: n.clock.Now(), MentionURIs: []string{n.anna.URI}}))(t)
	reply := ok(n.db.CreatePost(ctx, n.anna.ID, souk.NewPost{Source: "Yes.", InReplyTo: question.ID}))(t)
	equal(t, "who is answered", n.said(t, "s.example"), "Create", "Delete", "Create")
	if body := ok(n.Post(ctx, nil, reply.ID))(t).Body; !strings.Contains(string(body), `{"type":"Mention","name":"@sam@s.example","href":"https://s.example/users/sam"}`) {
		t.Errorf("the answer mentions nobody: %s", body)
	}
	only := ok(n.db.CreatePost(ctx, n.anna.ID, souk.NewPost{Source: "for followers", Visibility: souk.FollowersOnly}))(t)
	equal(t, "follower of a post for followers", n.said(t, "f.example"), "Accept", "Create", "Create")
	if _, err := n.Post(ctx, nil, only.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("a stranger reads a post for followers: %v", err)
	}
}

func TestReactionsAreToldAndTakenBack(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	_, _, author := n.follows(t)
	ctx := t.Context()
	p := ok(n.db.ReceivePost(ctx, souk.RemotePost{URI: "https://s.example/notes/1", URL: "https://s.example/notes/1", Author: author,
		HTML: "<p>Look</p>", Visibility: souk.Public, Published: n.clock.Now(), MentionURIs: []string{n.anna.URI}}))(t)
	must(t, n.db.Like(ctx, n.anna.ID, p.ID))
	ok(n.db.Boost(ctx, n.anna.ID, p.ID))(t)
	equal(t, "author", n.said(t, "s.example"), "Like", "Announce")
	must(t, n.db.Unlike(ctx, n.anna.ID, p.ID))
	must(t, n.db.Unboost(ctx, n.anna.ID, p.ID))
	equal(t, "author, taken back", n.said(t, "s.example"), "Like", "Announce", "Undo", "Undo")
	equal(t, "follower", n.said(t, "f.example"), "Accept", "Announce", "Undo")
	if doc := ok(n.Outbox(ctx, nil, "anna", url.Values{"page": {"true"}}))(t); !strings.Contains(string(doc.Body), `"orderedItems":[]`) {
		t.Errorf("the outbox still has %s", doc.Body)
	}

	ok(n.db.Follow(ctx, n.anna.ID, author.ID))(t)
	must(t, n.db.Unfollow(ctx, n.anna.ID, author.ID))
	equal(t, "author, followed and not", n.said(t, "s.example")[4:], "Follow", "Undo")
	name := "Anna & co"
	ok(n.db.SaveProfile(ctx, n.anna.ID, souk.Profile{DisplayName: &name}))(t)
	equal(t, "follower, of the profile", n.said(t, "f.example")[3:], "Update")
	must(t, n.db.RemoveFollower(ctx, n.anna.ID, ok(n.db.AccountByURI(ctx, "https://f.example/users/fay"))(t).ID))
	equal(t, "follower, sent away", n.said(t, "f.example")[4:], "Reject")
}

// A local change is told once, in order, and one that cannot be told holds up nothing.
func TestFederateGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	n.follows(t)
	ctx := t.Context()
	if _, err := n.pool.Exec(ctx, `insert into events (kind, account_id, object_id, at) values
		('post_created', $1, 12345, now()), ('a kind of tomorrow', $1, 1, now())`, n.anna.ID); err != nil {
		t.Fatal(err)
	}
	p := n.write(t, "after the broken ones")
	equal(t, "follower", n.said(t, "f.example"), "Accept", "Create")
	equal(t, "follower, again", n.said(t, "f.example"), "Accept", "Create")
	notes := map[string]string{}
	rows := ok(n.pool.Query(ctx, `select kind, error from events where done is not null and (object_id in (12345, 1) or object_id = $1)`, p.ID))(t)
	for rows.Next() {
		var kind, note string
		must(t, rows.Scan(&kind, &note))
		notes[kind+" "+note] = kind
	}
	must(t, rows.Err())
	if len(notes) != 3 || notes["a kind of tomorrow nobody is told of a kind of tomorrow"] == "" {
		t.Errorf("noted: %v", notes)
	}
}
