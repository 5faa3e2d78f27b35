package federation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"souk"

	"github.com/jackc/pgx/v5"
)

// read is a document as a peer parses it.
func read(t *testing.T, doc *Document) map[string]any {
	t.Helper()
	var m map[string]any
	must(t, json.Unmarshal(doc.Body, &m))
	return m
}

func strs(t *testing.T, v any) []string {
	t.Helper()
	list, is := v.([]any)
	if !is {
		t.Fatalf("%v is no list", v)
	}
	texts := []string{}
	for _, item := range list {
		texts = append(texts, item.(string))
	}
	return texts
}

func TestWebFinger(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	answers := map[string]string{
		"acct:anna@shop.example": "anna", "acct:ANNA@Shop.Example": "anna", "acct:@anna@shop.example": "anna", "anna@shop.example": "anna",
		"ACCT:anna@shop.example": "anna", testBase + "/users/anna": "anna", testBase + "/@anna": "anna",
		"acct:Anna@SHOP.example": "anna", testBase + "/users/ANNA": "anna", testBase + "/@Anna": "anna", testBase + "/users/anna#main-key": "anna",
		testBase: "shop.example", testBase + "/": "shop.example", testBase + "/actor": "shop.example", "acct:shop.example@shop.example": "shop.example",
		testBase + "/catalogue": "catalogue", "acct:catalogue@shop.example": "catalogue",
	}
	for resource, name := range answers {
		doc, err := n.WebFinger(t.Context(), resource)
		if err != nil {
			t.Errorf("%s: %v", resource, err)
		} else if got := read(t, doc)["subject"]; got != "acct:"+name+"@shop.example" {
			t.Errorf("%s is %v", resource, got)
		}
	}
	for _, resource := range []string{"acct:nobody@shop.example", "acct:anna@other.example", "https://other.example/users/anna",
		testBase + "/users/nobody", testBase + "/products/x", testBase + "/users/shop.example"} {
		if _, err := n.WebFinger(t.Context(), resource); !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("%s: %v, want not found", resource, err)
		}
	}
	for _, resource := range []string{"", "anna", "acct:anna", "acct:@shop.example", "acct:anna@", "acct:a@b@shop.example", "https://", "mailto:anna@shop.example/x",
		"https://%zz", "acct:a\x00@shop.example", "acct:\xff@shop.example", "https://u@shop.example/users/anna", strings.Repeat("a", 3000) + "@shop.example"} {
		var malformed *souk.Invalid
		if _, err := n.WebFinger(t.Context(), resource); !errors.As(err, &malformed) {
			t.Errorf("%.40q: %v, want it refused as malformed", resource, err)
		}
	}
	doc := ok(n.WebFinger(t.Context(), "acct:anna@shop.example"))(t)
	if doc.ContentType != "application/jrd+json" {
		t.Errorf("sent as %s", doc.ContentType)
	}
	golden(t, "webfinger.json", doc.Body)
	golden(t, "webfinger_node.json", ok(n.WebFinger(t.Context(), testBase+"/"))(t).Body)
	golden(t, "host-meta.xml", ok(n.HostMeta())(t).Body)
	only := read(t, ok(n.WebFinger(t.Context(), testBase+"/", relService, "nothing"))(t))
	if links := only["links"].([]any); len(links) != 1 || links[0].(m)["href"] != testBase+"/actor" {
		t.Errorf("asked for one relation: %v", links)
	}
}

// Handles may have a domain of their own, and the node answers for both.
func TestWebFingerOfSplitDomain(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	db := ok(souk.New(n.pool, souk.Config{BaseURL: testBase, HandleDomain: "pots.example", Now: n.clock.Now}))(t)
	t.Cleanup(db.Close)
	split := New(db, Config{})
	for _, resource := range []string{"acct:anna@pots.example", "acct:anna@shop.example", testBase + "/users/anna", testBase + "/@anna", "https://pots.example/@anna"} {
		doc := read(t, ok(split.WebFinger(t.Context(), resource))(t))
		if doc["subject"] != "acct:anna@pots.example" || doc["links"].([]any)[1].(m)["href"] != testBase+"/users/anna" {
			t.Errorf("%s: %v", resource, doc)
		}
	}
	for _, resource := range []string{"acct:pots.example@pots.example", "acct:shop.example@shop.example", "https://pots.example/", testBase + "/"} {
		doc := read(t, ok(split.WebFinger(t.Context(), resource))(t))
		if self := doc["links"].([]any)[1].(m); self["rel"] != "self" || self["href"] != testBase+"/actor" {
			t.Errorf("%s: %v", resource, doc)
		}
	}
	if actor := read(t, ok(split.Actor(t.Context(), nil, "anna"))(t)); actor["webfinger"] != "anna@pots.example" || actor["id"] != testBase+"/users/anna" {
		t.Errorf("the actor says %v", actor["webfinger"])
	}
}

// What a node can do stands on its own actor, and on all others by it (FEP-844e).
func TestCapabilities(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	node := read(t, ok(n.NodeActor(t.Context()))(t))
	anna := read(t, ok(n.Actor(t.Context(), nil, "anna"))(t))
	for what, list := range map[string]any{"node": node["implements"], "anna": anna["generator"].(m)["implements"]} {
		var hrefs []string
		for _, c := range list.([]any) {
			hrefs = append(hrefs, c.(m)["href"].(string))
		}
		equal(t, what, hrefs, "https://datatracker.ietf.org/doc/html/rfc9421", "https://w3id.org/fep/0837")
	}
	if anna["generator"].(m)["id"] != node["id"] {
		t.Errorf("anna was made by %v", anna["generator"])
	}
}

func TestNodeInfo(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	n.write(t, "one")
	n.list(t, false)
	n.follows(t)
	ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: "hidden", Visibility: souk.FollowersOnly}))(t)
	ok(n.db.CreateAccount(t.Context(), souk.NewAccount{Name: "idle"}))(t)
	golden(t, "nodeinfo.json", ok(n.NodeInfoLinks())(t).Body)
	for _, version := range []string{"2.0", "2.1"} {
		doc := ok(n.NodeInfo(t.Context(), version))(t)
		if !strings.Contains(doc.ContentType, version+"#") {
			t.Errorf("%s is sent as %s", version, doc.ContentType)
		}
		golden(t, "nodeinfo_"+version+".json", doc.Body)
	}
	if _, err := n.NodeInfo(t.Context(), "1.0"); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("version 1.0: %v", err)
	}
}

// Actors are shown with a key whoever asks first, and all who ask at once see the same one.
func TestActorHasItsKey(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	var all sync.WaitGroup
	bodies := make([][]byte, 4)
	for i := range bodies {
		all.Go(func() {
			doc, err := n.Actor(t.Context(), nil, "Anna")
			if err != nil {
				t.Error(err)
				return
			}
			bodies[i] = doc.Body
		})
	}
	all.Wait()
	for _, body := range bodies[1:] {
		if !bytes.Equal(body, bodies[0]) {
			t.Errorf("two answers differ:\n%s\n%s", bodies[0], body)
		}
	}
	var actor struct {
		ID, Inbox string
		PublicKey struct{ ID, Owner, PublicKeyPem string }
	}
	must(t, json.Unmarshal(bodies[0], &actor))
	if actor.PublicKey.ID != actor.ID+"#main-key" || actor.PublicKey.Owner != actor.ID {
		t.Errorf("the key is %+v", actor.PublicKey)
	}
	public := ok(ParsePublicKeyPEM(actor.PublicKey.PublicKeyPem))(t)
	by := ok(n.signerOf(t.Context(), n.anna.ID))(t)
	req := ok(http.NewRequest(http.MethodGet, "https://b.example/users/bo", nil))(t)
	must(t, by.signGet(req, signedCavage, n.clock.Now()))
	signed := &SignedRequest{Method: req.Method, URL: req.URL, Header: req.Header}
	must(t, ok(ParseSignature(signed))(t).Verify(signed, public, n.clock.Now()))
}

func TestActors(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	instance, catalogue := read(t, ok(n.NodeActor(t.Context()))(t)), read(t, ok(n.CatalogueActor(t.Context()))(t))
	if instance["type"] != "Application" || instance["id"] != testBase+"/actor" || instance["catalogue"] != catalogue["id"] || catalogue["type"] != "Service" {
		t.Errorf("%v and %v", instance, catalogue)
	}
	for _, name := range []string{"nobody", "shop.example", "catalogue"} {
		if _, err := n.Actor(t.Context(), nil, name); !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("/users/%s: %v", name, err)
		}
	}
	if _, err := n.pool.Exec(t.Context(), `update accounts set deleted = now() where id = $1`, n.anna.ID); err != nil {
		t.Fatal(err)
	}
	if doc := ok(n.Actor(t.Context(), nil, "anna"))(t); doc.Status != http.StatusGone || read(t, doc)["type"] != "Tombstone" {
		t.Errorf("deleted: %d %s", doc.Status, doc.Body)
	}
}

// What was deleted leaves a tombstone and nothing else: not in the outbox, not by the id of what announced it.
func TestDeletedIsGone(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	p, l := n.write(t, "a secret that slipped"), n.list(t, true)
	must(t, n.Federate(ctx))
	before := ok(n.Outbox(ctx, nil, "anna", url.Values{"page": {"true"}}))(t)
	if items := read(t, before)["orderedItems"].([]any); len(items) != 2 || !strings.Contains(string(before.Body), "slipped") {
		t.Fatalf("outbox: %s", before.Body)
	}
	said := ok(n.db.Activities(ctx, n.anna.ID, souk.Page{}))(t)
	must(t, n.db.DeletePost(ctx, n.anna.ID, p.ID))
	must(t, n.db.WithdrawListing(ctx, n.anna.ID, l.ID))
	must(t, n.Federate(ctx))
	for what, doc := range map[string]*Document{"post": ok(n.Post(ctx, nil, p.ID))(t), "listing": ok(n.Listing(ctx, nil, l.ID))(t)} {
		if doc.Status != http.StatusGone || read(t, doc)["type"] != "Tombstone" {
			t.Errorf("%s: %d %s", what, doc.Status, doc.Body)
		}
	}
	for _, a := range said {
		if _, err := n.Activity(ctx, nil, a.ID); !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("%s: %v", a.URI, err)
		}
	}
	if body := ok(n.Outbox(ctx, nil, "anna", url.Values{"page": {"true"}}))(t).Body; !strings.Contains(string(body), `"orderedItems":[]`) {
		t.Errorf("outbox: %s", body)
	}
	page := read(t, ok(n.CatalogueOutbox(ctx, nil, url.Values{"after": {"0"}}))(t))
	items := page["orderedItems"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["object"].(map[string]any)["type"] != "Delete" {
		t.Errorf("the catalogue holds %v", items)
	}
}

// A Create shows its object as it is now: an edit took back what it said before.
func TestOutboxShowsThePresent(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := n.write(t, "first words")
	must(t, n.Federate(t.Context()))
	ok(n.db.EditPost(t.Context(), n.anna.ID, p.ID, souk.NewPost{Source: "better words"}))(t)
	must(t, n.Federate(t.Context()))
	page := ok(n.Outbox(t.Context(), nil, "anna", url.Values{"page": {"true"}}))(t)
	if body := string(page.Body); !strings.Contains(body, "better words") || strings.Contains(body, "first words") {
		t.Errorf("outbox: %s", body)
	}
}

// The catalogue shows each listing as it was changed last, and what its Announces said before is nowhere any more.
func TestCatalogueShowsThePresent(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	ctx := t.Context()
	l := n.list(t, false)
	must(t, n.Federate(ctx))
	for _, text := range []string{"my address by mistake", "A blue mug"} {
		n.clock.advance(time.Minute)
		ok(n.db.ChangeListing(ctx, n.anna.ID, l.ID, souk.ListingChange{Description: &text}))(t)
		must(t, n.Federate(ctx))
	}
	body := string(ok(n.CatalogueOutbox(ctx, nil, url.Values{"after": {"0"}}))(t).Body)
	if !strings.Contains(body, "A blue mug") || strings.Contains(body, "by mistake") || strings.Contains(body, "Hand-thrown") {
		t.Errorf("the catalogue: %s", body)
	}
	if total := read(t, ok(n.CatalogueOutbox(ctx, nil, nil))(t))["totalItems"]; total != 1.0 {
		t.Errorf("%v entries", total)
	}
	ids := ok(pgx.CollectRows(ok(n.pool.Query(ctx, `select activity_id from catalogue order by seq`))(t), pgx.RowTo[int64]))(t)
	for i, id := range ids {
		doc, err := n.Activity(ctx, nil, id)
		if last := i == len(ids)-1; last && (err != nil || !strings.Contains(string(doc.Body), "A blue mug")) || !last && !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("Announce %d of %d: %+v %v", i+1, len(ids), doc, err)
		}
	}
}

// So does every Update of it.
func TestUpdatesShowThePresent(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := n.write(t, "a mug")
	must(t, n.Federate(t.Context()))
	for _, text := range []string{"my address by mistake", "a blue mug"} {
		n.clock.advance(time.Minute)
		ok(n.db.EditPost(t.Context(), n.anna.ID, p.ID, souk.NewPost{Source: text}))(t)
		must(t, n.Federate(t.Context()))
	}
	first := int64(n.count(t, `select min(id) from activities where type = 'Update' and post_id = $1`, p.ID))
	doc := ok(n.Activity(t.Context(), nil, first))(t)
	if body := string(doc.Body); !strings.Contains(body, "a blue mug") || strings.Contains(body, "by mistake") || !strings.Contains(body, `"Update"`) {
		t.Errorf("the first edit: %s", body)
	}
}

func TestDraftIsNowhere(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	draft := ok(n.db.CreateListing(t.Context(), n.anna.ID, souk.NewListing{Title: "Not yet", Price: souk.Money{Amount: 1, Currency: "EUR"}, State: souk.ListingDraft}))(t)
	for what, err := range map[string]error{
		"listing": second(n.Listing(t.Context(), nil, draft.ID)), "post": second(n.Post(t.Context(), nil, draft.ID)), "replies": second(n.Replies(t.Context(), nil, draft.ID, nil)),
		"proposal": second(n.Proposal(t.Context(), nil, draft.ID)), "context": second(n.Context(t.Context(), nil, draft.ID)), "likes": second(n.Likes(t.Context(), nil, draft.ID)), "shares": second(n.Shares(t.Context(), nil, draft.ID)),
	} {
		if !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestProposal(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	l := n.list(t, false)
	listing := read(t, ok(n.Listing(t.Context(), nil, l.ID))(t))
	doc := read(t, ok(n.Proposal(t.Context(), nil, l.ID))(t))
	if doc["id"] != listing["proposal"] || doc["type"] != "Proposal" || doc["name"] != "Blue mug" {
		t.Errorf("%v is not the %v of the listing", doc, listing["proposal"])
	}
	must(t, n.db.WithdrawListing(t.Context(), n.anna.ID, l.ID))
	if _, err := n.Proposal(t.Context(), nil, l.ID); !errors.Is(err, souk.ErrGone) {
		t.Errorf("withdrawn: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestConversation(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	_, _, sam := n.follows(t)
	ctx := t.Context()
	l := n.list(t, true)
	question := ok(n.db.ReceivePost(ctx, souk.RemotePost{URI: "https://s.example/notes/1", URL: "https://s.example/notes/1", Author: sam, HTML: "<p>Big?</p>",
		Visibility: souk.Public, Published: n.clock.Now().Add(time.Second), InReplyToURI: l.Post.URI}))(t)
	n.clock.advance(time.Minute)
	reply := ok(n.db.CreatePost(ctx, n.anna.ID, souk.NewPost{Source: "300 ml", InReplyTo: question.ID}))(t)
	must(t, n.db.ReceiveLike(ctx, "https://s.example/likes/1", sam, l.ID))

	replies := read(t, ok(n.Replies(ctx, nil, l.ID, nil))(t))
	equal(t, "replies", strs(t, replies["first"].(map[string]any)["items"]), question.URI)
	equal(t, "replies, paged", strs(t, read(t, ok(n.Replies(ctx, nil, l.ID, url.Values{"page": {"true"}}))(t))["items"]), question.URI)
	equal(t, "conversation", strs(t, read(t, ok(n.Context(ctx, nil, l.ID))(t))["orderedItems"]), l.Post.URI, question.URI, reply.URI)
	if got := read(t, ok(n.Post(ctx, nil, reply.ID))(t))["context"]; got != l.Post.URI+"/context" {
		t.Errorf("the answer belongs to %v", got)
	}
	if likes := read(t, ok(n.Likes(ctx, nil, l.ID))(t))["totalItems"]; likes != 1.0 {
		t.Errorf("%v likes", likes)
	}
	if _, err := n.Replies(ctx, nil, l.ID, url.Values{"after": {"x"}}); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("a cursor that is none: %v", err)
	}
}

func TestFeaturedAndFollowers(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	fay, _, _ := n.follows(t)
	ctx := t.Context()
	var want []string
	for i := range 4 {
		n.clock.advance(time.Minute)
		want = append([]string{n.list(t, i > 0).Post.URI}, want...)
	}
	n.clock.advance(time.Minute)
	old := n.write(t, "older post")
	n.clock.advance(time.Minute)
	post := n.write(t, "newer post")
	ok(n.db.CreatePost(ctx, n.anna.ID, souk.NewPost{Source: "for followers", Visibility: souk.FollowersOnly}))(t)
	featured := read(t, ok(n.Featured(ctx, nil, "anna"))(t))
	equal(t, "featured", strs(t, featured["orderedItems"]), append(want[:3], post.URI, old.URI)...)

	followers := read(t, ok(n.Followers(ctx, nil, "anna", nil))(t))
	if followers["totalItems"] != 1.0 || followers["first"] != n.anna.FollowersURI+"?page=true" {
		t.Errorf("followers: %v", followers)
	}
	equal(t, "followers", strs(t, read(t, ok(n.Followers(ctx, nil, "anna", url.Values{"page": {"true"}}))(t))["orderedItems"]), fay.URI)
	if following := read(t, ok(n.Following(ctx, nil, "anna", nil))(t)); following["totalItems"] != 0.0 || following["first"] != nil {
		t.Errorf("following: %v", following)
	}
	nodes := read(t, ok(n.CatalogueFollowers(ctx, nil, url.Values{"page": {"true"}}))(t))
	equal(t, "nodes", strs(t, nodes["orderedItems"]), "https://n.example/users/catalogue")
}

// Whoever reads the catalogue page by page gets every change once and in order, also what comes in between.
func TestCataloguePagesSkipNothing(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := n.list(t, false).Post
	change := func(from, to int) {
		must(t, n.db.Tx(t.Context(), func(tx *souk.DB) error {
			for i := from; i < to; i++ {
				if err := (teller{encoder: encoder{tx}}).catalogued(t.Context(), p, fmt.Appendf(nil, `{"type":"Update","n":%d}`, i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	change(0, cataloguePage+50)
	next := read(t, ok(n.CatalogueOutbox(t.Context(), nil, nil))(t))["first"].(string)
	var seen []int
	for pages := 0; next != ""; pages++ {
		u := ok(url.Parse(next))(t)
		page := read(t, ok(n.CatalogueOutbox(t.Context(), nil, u.Query()))(t))
		if page["id"] != next {
			t.Errorf("the page at %s says it is %v", next, page["id"])
		}
		for _, item := range page["orderedItems"].([]any) {
			seen = append(seen, int(item.(map[string]any)["object"].(map[string]any)["n"].(float64)))
		}
		if pages == 0 {
			change(cataloguePage+50, 2*cataloguePage+20)
		}
		next, _ = page["next"].(string)
	}
	if len(seen) != 2*cataloguePage+20 {
		t.Fatalf("%d changes were read", len(seen))
	}
	for i, got := range seen {
		if got != i {
			t.Fatalf("change %d came as %d", got, i)
		}
	}
}
