package federation

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"souk"

	"github.com/go-fed/activity/streams"
)

func at(minute int) time.Time { return time.Date(2026, 11, 22, 9, minute, 30, 999000, time.UTC) }

func pointer[T any](v T) *T { return &v }

// sampleAccount is a shop as it could come from the database.
func sampleAccount() *souk.Account {
	uri := testBase + "/users/anna"
	return &souk.Account{ID: 7, Name: "anna", Kind: "Person", Role: souk.RoleOwner, URI: uri, URL: testBase + "/@anna", Inbox: uri + "/inbox",
		SharedInbox: testBase + "/inbox", Outbox: uri + "/outbox", FollowersURI: uri + "/followers", FollowingURI: uri + "/following",
		FeaturedURI: uri + "/featured", DisplayName: "Anna's <pots>", Bio: "<p>Thrown in Graz &amp; fired.</p>",
		Fields: []souk.Field{{Name: "Shop", Value: `<a href="https://shop.example" rel="me">shop.example</a>`}},
		KeyID:  uri + "#main-key", PublicKey: "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n", Locked: true, Discoverable: true, Indexable: true,
		AlsoKnownAs: []string{"https://old.example/users/anna"}, Created: at(0), Updated: at(5), Avatar: samplePicture(), Header: samplePicture()}
}

func samplePeople() (bo, cy souk.Account) {
	bo = souk.Account{ID: 8, Host: "b.example", Name: "bo", URI: "https://b.example/users/bo", Inbox: "https://b.example/users/bo/inbox"}
	cy = souk.Account{ID: 9, Name: "cy", Role: souk.RoleMember, URI: testBase + "/users/cy"}
	return bo, cy
}

func samplePicture() *souk.Media {
	return &souk.Media{ID: 5, MIME: "image/jpeg", Width: 1600, Height: 1200, Blurhash: "LEHV6nWB2yk8", Alt: "Blue mug, front", FocalX: 0, FocalY: 0.2,
		Sizes: []souk.MediaSize{{Key: "05/5-400.jpg", Width: 400, Height: 300, MIME: "image/jpeg"}, {Key: "05/5-1280.jpg", Width: 1280, Height: 960, MIME: "image/jpeg"},
			{Key: "05/5-1600.png", Width: 1600, Height: 1200, MIME: "image/png"}}}
}

func samplePost(visibility string) *souk.Post {
	return &souk.Post{ID: 100, Kind: souk.KindNote, AccountID: 7, URI: testBase + "/posts/100", URL: testBase + "/posts/100", Local: true, HTML: "<p>Kiln &amp; wheel &lt;3</p>",
		Visibility: visibility, InTimeline: true, ThreadID: 100, Published: at(10), Account: sampleAccount()}
}

func fullPost() *souk.Post {
	p := samplePost(souk.Unlisted)
	bo, cy := samplePeople()
	p.Edited, p.Lang, p.Summary, p.Sensitive = pointer(at(12)), "de", "hot", true
	p.InReplyToURI, p.InReplyToID, p.ThreadID = "https://b.example/notes/1", pointer(int64(1)), 1
	p.Mentions, p.Tags = []souk.Account{bo, cy}, []souk.Tag{{Tag: "töpfe", Name: "Töpfe"}}
	p.Media = []souk.Media{*samplePicture(), {ID: 6, MIME: "image/png", Width: 300, Height: 200, Sizes: []souk.MediaSize{{Key: "06/6-300.png", Width: 300, Height: 200, MIME: "image/png"}}}}
	return p
}

// sampleListing has a stock that nobody may learn.
func sampleListing(availability string) *souk.Post {
	p := samplePost(souk.Public)
	p.Kind, p.URI, p.URL = souk.KindListing, testBase+"/listings/100", testBase+"/products/blue-mug"
	p.HTML, p.Lang = `<p><strong>Blue stoneware mug</strong><br>€24.00 · in stock</p>`, "en"
	p.Tags, p.Media = []souk.Tag{{Tag: "ceramics", Name: "ceramics"}}, []souk.Media{*samplePicture()}
	p.Listing = &souk.Listing{ID: 100, SellerID: 7, Title: "Blue stoneware mug", HTML: "<p>Hand-thrown &amp; glazed.</p><p>300 ml</p>", Category: "Home/Kitchen/Mugs", Condition: "new", State: souk.ListingPublished,
		Currency: "EUR", Availability: availability, Variants: []souk.Variant{{Price: 2400, Quantity: pointer(31337), SKU: "MUG-B"}, {Price: 3000, Quantity: pointer(31337)}}, Post: p}
	if availability == souk.NoStock {
		p.Edited = pointer(at(30))
		p.Listing.State, p.Listing.Condition, p.Listing.Currency = souk.ListingSoldOut, "used", "JPY"
	}
	return p
}

// sampleDocuments is everything that leaves this node, by the name of its golden file.
func sampleDocuments(t *testing.T, n *testNode) map[string]any {
	t.Helper()
	ctx := t.Context()
	e := encoder{n.db}
	noteOf := func(p *souk.Post) *note {
		o := ok(e.note(ctx, p))(t)
		o.Context = noteContext(o)
		return o
	}
	bare := func(p *souk.Post) *note { return ok(e.note(ctx, p))(t) }
	anna, actorOf := sampleAccount(), func(a *souk.Account) *actor {
		o := e.actor(a)
		o.Context = json.RawMessage(contextActor)
		return o
	}
	bo, _ := samplePeople()
	plain := sampleAccount()
	plain.Fields, plain.Avatar, plain.Header, plain.AlsoKnownAs, plain.Updated = nil, nil, nil, nil, plain.Created
	instance, catalogue := sampleAccount(), sampleAccount()
	instance.Role, instance.Kind, instance.URI = souk.RoleInstance, "Application", testBase+"/actor"
	catalogue.Role, catalogue.Kind, catalogue.URI, catalogue.FollowersURI = souk.RoleCatalogue, "Service", testBase+"/catalogue", testBase+"/catalogue/followers"
	suspended := sampleAccount()
	suspended.Suspended = pointer(at(6))
	gone := samplePost(souk.Public)
	gone.Deleted = pointer(at(20))
	buried := e.tombstone(gone)
	buried.Context = tombstoneContext()
	boost := &souk.Post{ID: 200, URI: testBase + "/activities/200", Account: anna, Published: at(15), BoostOf: &souk.Post{URI: "https://b.example/notes/1", Account: &bo}}
	create := e.about("Create", testBase+"/activities/201", bare(sampleListing(souk.InStock)))
	inner := ok(marshal(create))(t)
	follow := e.followOf(testBase+"/users/anna#follows/1", anna, &bo)
	followed := e.followOf("https://b.example/follows/9", &bo, anna)
	followed.Context = nil
	bought := &souk.Agreement{ID: 300, OfferURI: "https://b.example/users/bo#offers/1", URI: testBase + "/agreements/300", Intent: testBase + "/listings/100#primary",
		Reciprocal: testBase + "/listings/100#reciprocal", Title: "Blue stoneware mug", Quantity: 2, Amount: 4800, Currency: "EUR", Created: at(30)}
	refused := &souk.Agreement{OfferURI: bought.OfferURI, Reason: souk.OfferSoldOut}
	wanted := &souk.Agreement{OfferURI: testBase + "/users/anna#offers/301", Intent: "https://b.example/listings/1#primary",
		Reciprocal: "https://b.example/listings/1#reciprocal", Quantity: 1, Amount: 1500, Currency: "JPY", Created: at(31)}
	order := func(state string) *souk.Order {
		return &souk.Order{Number: 1001, Token: "s3cret", State: state, Name: "Bo B.", Email: "bo@b.example", Phone: "0301234", Address: "Gasse 1", Country: "AT",
			Note: "ring twice", Tracking: "AT123", Updated: at(40)}
	}
	quote := &souk.Quote{ID: 300, PostID: 100, AccountID: bo.ID, URI: "https://b.example/notes/7", RequestURI: "https://b.example/notes/7#request", Accepted: true}
	refusedQuote := &souk.Quote{ID: 301, PostID: 100, AccountID: bo.ID, URI: quote.URI, RequestURI: quote.RequestURI}
	return map[string]any{
		"quote_stamp.json": e.stamp(quote, samplePost(souk.Public)), "quote_accepted.json": e.quoteAnswer(testBase+"/activities/301", quote, samplePost(souk.Public), &bo),
		"quote_rejected.json":   e.quoteAnswer(testBase+"/activities/302", refusedQuote, samplePost(souk.Public), &bo),
		"quote_revoked.json":    e.quoteRevoked(testBase+"/activities/303", quote, samplePost(souk.Public), &bo),
		"offer.json":            e.offerOf(wanted, anna, &bo),
		"unoffer.json":          e.undo(testBase+"/activities/301", e.offerOf(wanted, anna, &bo)),
		"accept_offer.json":     e.accepted(testBase+"/activities/302", bought, order(souk.OrderPlaced), anna, &bo),
		"reject_offer.json":     e.rejected(testBase+"/activities/303", refused, anna, &bo, "zh"),
		"update_agreement.json": e.agreementUpdate(testBase+"/activities/304", bought, order(souk.OrderShipped), anna, &bo),
		"agreement.json":        e.agreementDocument(bought, order(souk.OrderPaid), anna),
		"receipt.json":          e.receipt(bought, order(souk.OrderDone), anna, &bo),
		"actor.json":            actorOf(anna), "actor_plain.json": actorOf(plain), "actor_instance.json": actorOf(instance), "actor_catalogue.json": actorOf(catalogue),
		"note_public.json": noteOf(samplePost(souk.Public)), "note_full.json": noteOf(fullPost()),
		"note_followers.json": noteOf(samplePost(souk.FollowersOnly)), "note_direct.json": noteOf(directPost(bo)),
		"listing.json": noteOf(sampleListing(souk.InStock)), "listing_few_left.json": noteOf(sampleListing(souk.FewLeft)), "listing_sold_out.json": noteOf(sampleListing(souk.NoStock)),
		"proposal.json":   bare(sampleListing(souk.InStock)).proposal("Blue stoneware mug"),
		"tombstone.json":  buried,
		"create.json":     e.about("Create", testBase+"/activities/201", bare(samplePost(souk.Public))),
		"update.json":     e.about("Update", testBase+"/activities/202", bare(fullPost())),
		"delete.json":     e.deleteOf(gone, testBase+"/activities/203"),
		"announce.json":   e.announceOf(boost),
		"unannounce.json": e.undo(testBase+"/activities/204", e.announceOf(boost)),
		"follow.json":     follow,
		"unfollow.json":   e.undo(testBase+"/activities/205", follow),
		"move.json":       e.moveOf(testBase+"/activities/211", anna, &bo),
		"move_pull.json":  e.pullOf(testBase+"/activities/213", anna, "https://dead.example/users/anna", &bo),
		"add.json":        e.pinOf("Add", testBase+"/activities/209", samplePost(souk.Public)),
		"remove.json":     e.pinOf("Remove", testBase+"/activities/210", samplePost(souk.Public)),
		"accept.json":     activity{Context: plainContext(), ID: testBase + "/activities/206", Type: "Accept", Actor: anna.URI, To: []string{bo.URI}, Object: followed},
		"like.json":       activity{Context: plainContext(), ID: anna.URI + "#likes/1", Type: "Like", Actor: anna.URI, To: []string{bo.URI}, Object: "https://b.example/notes/1"},
		"block.json":      e.blockOf(anna.URI+"#blocks/1", anna, &bo),
		"unblock.json":    e.undo(testBase+"/activities/211", e.blockOf(anna.URI+"#blocks/1", anna, &bo)),
		"flag.json": e.flagOf(testBase+"/activities/212", instance, &souk.Report{ReporterID: &anna.ID, Reporter: anna, Target: &bo, Comment: "between us", ForwardAs: "Sells <fakes>",
			Posts: []souk.Post{{URI: "https://b.example/notes/1"}, {URI: "https://b.example/notes/2", Deleted: pointer(at(1))}}}),
		"actor_suspended.json": actorOf(suspended),
		"profile.json":         e.profileUpdate(testBase+"/activities/207", anna),
		"catalogued.json":      e.announced(catalogue, testBase+"/activities/208", inner),
		"collection.json":      ordered(testBase+"/users/anna/outbox", 3),
		"page.json": &collection{Context: plainContext(), ID: testBase + "/catalogue/outbox?page=true&after=100", Type: "OrderedCollectionPage",
			PartOf: testBase + "/catalogue/outbox", Next: testBase + "/catalogue/outbox?page=true&after=200", OrderedItems: []json.RawMessage{inner}},
		"replies.json": &collection{Context: plainContext(), ID: testBase + "/posts/100/replies", Type: "Collection", TotalItems: pointer(1),
			First: &collection{ID: testBase + "/posts/100/replies?page=true", Type: "CollectionPage", PartOf: testBase + "/posts/100/replies", Items: []string{"https://b.example/notes/2"}}},
	}
}

func directPost(to souk.Account) *souk.Post {
	p := samplePost(souk.Direct)
	p.Mentions = []souk.Account{to}
	return p
}

// Every encoding is a file that a person can read and a reviewer sees change.
func TestGolden(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	n.clock.advance(time.Hour)
	documents := sampleDocuments(t, n)
	for name, v := range documents {
		golden(t, name, ok(marshal(v))(t))
	}
	files := ok(filepath.Glob(filepath.Join("testdata", "golden", "*.json")))(t)
	for _, file := range files {
		if _, known := documents[filepath.Base(file)]; !known && !answered(filepath.Base(file)) {
			t.Errorf("%s belongs to no encoding", file)
		}
	}
}

// answered reports whether a golden file is one of TestWebFinger and TestNodeInfo.
func answered(name string) bool {
	switch name {
	case "webfinger.json", "webfinger_node.json", "nodeinfo.json", "nodeinfo_2.0.json", "nodeinfo_2.1.json":
		return true
	}
	return false
}

// What this node sends must be read by software that was not written here.
func TestGoldenIsReadByGoFed(t *testing.T) {
	t.Parallel()
	for _, file := range ok(filepath.Glob(filepath.Join("testdata", "golden", "*.json")))(t) {
		switch filepath.Base(file) {
		case "proposal.json", "quote_stamp.json", "agreement.json": // of other vocabularies
			continue
		}
		if answered(filepath.Base(file)) {
			continue
		}
		var m map[string]any
		must(t, json.Unmarshal(ok(os.ReadFile(file))(t), &m))
		kind := ok(streams.ToType(t.Context(), m))
		if got := kind(t).GetTypeName(); got != m["type"] {
			t.Errorf("%s is read as %s", file, got)
		}
	}
}

// Stock is three words outside, whatever the number is.
func TestStockStaysHere(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	for _, availability := range []string{souk.InStock, souk.FewLeft, souk.NoStock} {
		body := ok(marshal(ok(encoder{n.db}.note(t.Context(), sampleListing(availability)))(t)))(t)
		if bytes.Contains(body, []byte("31337")) {
			t.Errorf("%s: the stock is in %s", availability, body)
		}
	}
}
