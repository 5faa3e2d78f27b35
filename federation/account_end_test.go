package federation

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"souk"
)

// A deleted account is gone everywhere: every node that is known hears of it, signed with its key, and its addresses
// answer 410; the key goes when all were told.
func TestAccountEnds(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	n.follows(t)
	sam := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "sam", Role: souk.RoleSeller}))(t)
	p := newReceiver(t, n, n.anna, sam)
	n.followedBy(t, sam, n.remote(t, p.URL, p.host, "bo"), false)
	post := ok(n.db.CreatePost(ctx, sam.ID, souk.NewPost{Source: "Sam's words"}))(t)
	listing := ok(n.db.CreateListing(ctx, sam.ID, souk.NewListing{Title: "Sam's mug", Price: souk.Money{Amount: 100, Currency: "EUR"}, Quantity: 1}))(t)
	must(t, n.Federate(ctx))
	must(t, n.Deliver(ctx))
	must(t, n.db.DeleteAccount(ctx, sam.ID, sam.ID))
	must(t, n.Federate(ctx))
	if forgotten := ok(n.db.PruneKeys(ctx))(t); forgotten != 0 {
		t.Errorf("%d keys forgotten before all were told", forgotten)
	}
	must(t, n.Deliver(ctx))
	arrived := p.arrived()
	last := arrived[len(arrived)-1]
	if last.kind != "Delete" || last.body["object"] != sam.URI || last.body["actor"] != sam.URI {
		t.Errorf("the last that arrived: %+v", last.body)
	}
	equal(t, "a stranger's node", n.said(t, "s.example"), "Delete")
	equal(t, "a node that follows the catalogue", n.said(t, "n.example"), "Accept", "Announce", "Announce", "Delete")
	for name, f := range map[string]func() (*Document, error){
		"actor":   func() (*Document, error) { return n.Actor(ctx, nil, "sam") },
		"post":    func() (*Document, error) { return n.Post(ctx, nil, post.ID) },
		"listing": func() (*Document, error) { return n.Listing(ctx, nil, listing.ID) },
	} {
		if doc, err := f(); err != nil || doc.Status != http.StatusGone || strings.Contains(string(doc.Body), "Sam's") {
			t.Errorf("%s: %v %v", name, doc, err)
		}
	}
	for name, f := range map[string]func() (*Document, error){
		"outbox":    func() (*Document, error) { return n.Outbox(ctx, nil, "sam", url.Values{}) },
		"featured":  func() (*Document, error) { return n.Featured(ctx, nil, "sam") },
		"followers": func() (*Document, error) { return n.Followers(ctx, nil, "sam", url.Values{}) },
		"webfinger": func() (*Document, error) { return n.WebFinger(ctx, "acct:sam@shop.example") },
	} {
		if _, err := f(); !errors.Is(err, souk.ErrGone) && !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if body := string(ok(n.CatalogueOutbox(ctx, nil, url.Values{"after": {"0"}}))(t).Body); strings.Contains(body, "Sam's") {
		t.Errorf("the catalogue still has %s", body)
	}
	if _, err := n.pool.Exec(ctx, `update deliveries set state = 'dropped' where state = 'queued'`); err != nil {
		t.Fatal(err)
	}
	if forgotten := ok(n.db.PruneKeys(ctx))(t); forgotten != 1 {
		t.Errorf("%d keys forgotten after all were told", forgotten)
	}
	var invalid *souk.Invalid
	if _, err := n.db.CreateAccount(ctx, souk.NewAccount{Name: "sam"}); !errors.As(err, &invalid) {
		t.Errorf("the name is given again: %v", err)
	}
}

// What a deleted account said goes no further where its Delete goes; a deletion does, and so does the news of its key.
func TestDeletedAccountSaysNoMore(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	follower, _, _ := n.follows(t)
	sam := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "sam", Role: souk.RoleSeller}))(t)
	n.followedBy(t, sam, follower, false)
	first := ok(n.db.CreatePost(ctx, sam.ID, souk.NewPost{Source: "first"}))(t)
	ok(n.db.CreatePost(ctx, sam.ID, souk.NewPost{Source: "second"}))(t)
	must(t, n.Federate(ctx))
	must(t, n.db.DeletePost(ctx, sam.ID, first.ID))
	ok(RotateKey(ctx, n.db, sam.ID))(t)
	must(t, n.Federate(ctx))
	before := n.text(t, `select string_agg(a.type, ' ' order by d.id) from deliveries d join activities a on a.id = d.activity_id where d.sender_id = $1 and d.state = 'queued'`, sam.ID)
	must(t, n.db.DeleteAccount(ctx, sam.ID, sam.ID))
	must(t, n.Federate(ctx))
	after := n.text(t, `select string_agg(a.type, ' ' order by d.id) from deliveries d join activities a on a.id = d.activity_id
		where d.sender_id = $1 and d.state = 'queued' and d.host = 'f.example'`, sam.ID)
	if before != "Accept Create Create Delete Update" || after != "Accept Delete Update Delete" {
		t.Errorf("waiting before: %s; after: %s", before, after)
	}
	if why := n.text(t, `select string_agg(distinct d.error, ',') from deliveries d where d.sender_id = $1 and d.state = 'dropped'`, sam.ID); why != souk.EndSenderGone {
		t.Errorf("dropped because %q", why)
	}
}

// rows counts what is left of an actor, wherever it may be.
func (n *testNode) rows(t *testing.T, uri string) map[string]int {
	t.Helper()
	left := map[string]int{}
	for what, sql := range map[string]string{
		"posts":         `select count(*) from posts p join accounts a on a.id = p.account_id where a.uri = $1 and (p.deleted is null or p.html <> '')`,
		"likes":         `select count(*) from likes k join accounts a on a.id = k.account_id where a.uri = $1`,
		"follows":       `select count(*) from follows f join accounts a on a.id in (f.follower_id, f.followee_id) where a.uri = $1`,
		"notifications": `select count(*) from notifications n join accounts a on a.id = n.from_id where a.uri = $1`,
		"blocks":        `select count(*) from blocks b join accounts a on a.id in (b.blocker_id, b.blocked_id) where a.uri = $1`,
		"pins":          `select count(*) from pins p join accounts a on a.id = p.account_id where a.uri = $1`,
		"edits":         `select count(*) from post_edits e join posts p on p.id = e.post_id join accounts a on a.id = p.account_id where a.uri = $1`,
		"listings":      `select count(*) from listings l join accounts a on a.id = l.seller_id where a.uri = $1 and (l.state <> 'withdrawn' or l.title <> '')`,
		"pictures":      `select count(*) from media d join accounts a on a.id = d.account_id where a.uri = $1 and (d.post_id is not null or d.id in (a.avatar_id, a.header_id))`,
		"profile":       `select count(*) from accounts where uri = $1 and (deleted is null or display_name || bio || public_key <> '')`,
	} {
		if c := n.count(t, sql, uri); c != 0 {
			left[what] = c
		}
	}
	return left
}

// busyBen is ben, of whom there is something everywhere.
func busyBen(t *testing.T) *world {
	t.Helper()
	w := attacked(t)
	picture := m{"type": "Document", "mediaType": "image/jpeg", "url": w.honest.URL + "/1.jpg"}
	w.honest.serve("/users/ben", with(with(w.honest.actor(t, "ben"), "featured", w.ben+"/featured"), "icon", m{"type": "Image", "url": w.honest.URL + "/me.jpg"}))
	w.clock.advance(25 * time.Hour)
	w.done(t, w.honest, w.honest.activity("Update", w.ben, "/busy/1", with(edited(w.honest.note(w.ben, "/notes/1", "<p>other words</p>")), "attachment", []any{picture})))
	w.done(t, w.honest, with(w.honest.activity("Add", w.ben, "/busy/2", w.benNote), "target", w.ben+"/featured"))
	ben := ok(w.db.AccountByURI(t.Context(), w.ben))(t)
	leo := ok(w.db.CreateAccount(t.Context(), souk.NewAccount{Name: "leo"}))(t)
	must(t, w.db.Block(t.Context(), leo.ID, ben.ID))
	if left := w.rows(t, w.ben); len(left) != 10 {
		t.Fatalf("of ben there is only %v", left)
	}
	return w
}

func TestDeletedActor(t *testing.T) {
	t.Parallel()
	w := busyBen(t)
	w.done(t, w.honest, w.honest.activity("Delete", w.ben, "/bye", w.ben))
	if left := w.rows(t, w.ben); len(left) != 0 {
		t.Errorf("of ben there is left: %v", left)
	}
	if waiting := w.count(t, `select count(*) from search_outbox o join accounts a on a.uri = $1 where o.object_kind = 'account' and o.object_id = a.id
		or o.object_kind = 'post' and o.object_id in (select id from posts p where p.account_id = a.id and p.kind <> 'boost')`, w.ben); waiting < 3 {
		t.Errorf("search hears of %d ends only", waiting)
	}
	// Once more, from a server that tells everybody.
	if status := w.send(t, w.honest, w.honest.activity("Delete", w.ben, "/bye/2", w.ben)); status != http.StatusAccepted {
		t.Errorf("a second time: %d", status)
	}
}

// An actor whose Delete never came, or cannot be verified any more, goes when its address says that it is gone. Not there
// (404) is not gone.
func TestActorGoneAtRefetch(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]any{"410": http.StatusGone, "a Tombstone": nil} {
		w := busyBen(t)
		if doc == nil {
			doc = m{"id": w.ben, "type": "Tombstone", "formerType": "Person"}
		}
		w.honest.serve("/users/ben", http.StatusNotFound)
		w.clock.advance(25 * time.Hour)
		if _, err := w.ResolveActor(t.Context(), w.ben); err != nil || len(w.rows(t, w.ben)) != 10 {
			t.Errorf("%s: not there for a moment: %v, %v left", name, err, w.rows(t, w.ben))
		}
		w.honest.serve("/users/ben", doc)
		if _, err := w.ResolveActor(t.Context(), w.ben); !errors.Is(err, souk.ErrGone) {
			t.Errorf("%s: %v", name, err)
		}
		if left := w.rows(t, w.ben); len(left) != 0 {
			t.Errorf("%s: of ben there is left: %v", name, left)
		}
	}
}
