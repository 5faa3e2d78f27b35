package federation

import (
	"crypto/rsa"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"souk"
)

// asks is a GET of an address of the node, signed by the key of a peer as keyID.
func (n *testNode) asks(t *testing.T, spec, keyID string, key *rsa.PrivateKey, address string) *SignedRequest {
	t.Helper()
	req := ok(http.NewRequest(http.MethodGet, address, nil))(t)
	must(t, (&signer{keyID: keyID, key: key}).sign(req, nil, spec, n.clock.Now()))
	return &SignedRequest{Method: req.Method, URL: req.URL, Header: req.Header}
}

// by is who asks, in a table: no actor is a request without a signature.
func (n *testNode) by(t *testing.T, peer *otherNode, actor, address string) *SignedRequest {
	t.Helper()
	if actor == "" {
		return nil
	}
	return n.asks(t, signedCavage, actor+"#main-key", peer.key, address)
}

// sentTo is a signed request, sent to an address.
func sentTo(address string, by *SignedRequest) *SignedRequest {
	by.URL = mustURL(address)
	return by
}

// application serves the peer's own actor, with which it asks for all its people.
func (o *otherNode) application(t *testing.T) string {
	t.Helper()
	id := o.person(t, "node")
	o.serve("/users/node", with(with(o.actor(t, "node"), "type", "Application"), "preferredUsername", o.host()))
	return id
}

// circle is anna with a follower fay, and sam, to whom she wrote; each at a server with others.
type circle struct {
	*testNode
	fays, sams, thirds            *otherNode
	fay, finn, sam, sia, tom      string // tom is at a server that has nothing to do with anna
	fred, troll                   string // members of the first two servers who say of themselves that they are an Application
	faysNode, samsNode, thirdNode string
	public, followers, direct     *souk.Post
}

func newCircle(t *testing.T) *circle {
	t.Helper()
	c := &circle{testNode: inbound(t), fays: newOtherNode(t, 1), sams: newOtherNode(t, 2), thirds: newOtherNode(t, 0)}
	c.fay, c.finn, c.faysNode = c.fays.person(t, "fay"), c.fays.person(t, "finn"), c.fays.application(t)
	c.sam, c.sia, c.samsNode = c.sams.person(t, "sam"), c.sams.person(t, "sia"), c.sams.application(t)
	c.tom, c.thirdNode = c.thirds.person(t, "tom"), c.thirds.application(t)
	for name, o := range map[string]*otherNode{"fred": c.fays, "troll": c.sams} {
		o.serve("/users/"+name, with(o.actor(t, name), "type", "Application"))
	}
	c.fred, c.troll = c.fays.URL+"/users/fred", c.sams.URL+"/users/troll"
	ctx := t.Context()
	c.done(t, c.fays, c.fays.activity("Follow", c.fay, "/follows/1", c.anna.URI))
	sam := ok(c.ResolveActor(ctx, c.sam))(t)
	c.public = c.write(t, "for all")
	c.followers = ok(c.db.CreatePost(ctx, c.anna.ID, souk.NewPost{Source: "a word to followers", Visibility: souk.FollowersOnly}))(t)
	c.direct = ok(c.db.CreatePost(ctx, c.anna.ID, souk.NewPost{Source: "a word to @sam@" + sam.Host, Visibility: souk.Direct}))(t)
	must(t, c.Federate(ctx))
	return c
}

// created is the id of the Create of a post.
func (c *circle) created(t *testing.T, p *souk.Post) int64 {
	return int64(c.count(t, `select id from activities where post_id = $1 and type = 'Create'`, p.ID))
}

// agreed is the id of an agreement of anna with fay.
func (c *circle) agreed(t *testing.T) int64 {
	t.Helper()
	mug := c.list(t, false)
	must(t, c.settle(t.Context()))
	c.done(t, c.fays, c.fays.activity("Offer", c.fay, "/offers/1", agreementOf(mug.Post.URI, "1", "24")))
	return int64(c.count(t, `select id from agreements where state = 'accepted'`))
}

// What is not public is read by those whom it is for, and by the servers that have it already: nobody else learns even
// that it is there.
func TestReadersOfWhatIsNotPublic(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	ctx := t.Context()
	accept := int64(c.count(t, `select id from activities where type = 'Accept'`))
	agreed := c.agreed(t)
	for _, doc := range []struct {
		name    string
		address string
		get     func(*SignedRequest) (*Document, error)
		text    string
		readers []string
	}{
		{"followers' post", c.followers.URI, func(by *SignedRequest) (*Document, error) { return c.Post(ctx, by, c.followers.ID) }, "a word to followers", []string{c.fay, c.faysNode}},
		{"its Create", "", func(by *SignedRequest) (*Document, error) { return c.Activity(ctx, by, c.created(t, c.followers)) }, "a word to followers", []string{c.fay, c.faysNode}},
		{"its replies", c.followers.URI + "/replies?page=true", func(by *SignedRequest) (*Document, error) {
			return c.Replies(ctx, by, c.followers.ID, url.Values{"page": {"true"}})
		}, "CollectionPage", []string{c.fay, c.faysNode}},
		{"its conversation", "", func(by *SignedRequest) (*Document, error) { return c.Context(ctx, by, c.followers.ID) }, c.followers.URI, []string{c.fay, c.faysNode}},
		{"its likes", "", func(by *SignedRequest) (*Document, error) { return c.Likes(ctx, by, c.followers.ID) }, "totalItems", []string{c.fay, c.faysNode}},
		{"its shares", "", func(by *SignedRequest) (*Document, error) { return c.Shares(ctx, by, c.followers.ID) }, "totalItems", []string{c.fay, c.faysNode}},
		{"direct post", c.direct.URI, func(by *SignedRequest) (*Document, error) { return c.Post(ctx, by, c.direct.ID) }, "a word to", []string{c.sam, c.samsNode}},
		{"its Create", "", func(by *SignedRequest) (*Document, error) { return c.Activity(ctx, by, c.created(t, c.direct)) }, "a word to", []string{c.sam, c.samsNode}},
		{"an Accept", "", func(by *SignedRequest) (*Document, error) { return c.Activity(ctx, by, accept) }, "Accept", []string{c.fay, c.faysNode}},
		{"an agreement", c.db.BaseURL() + "/agreements/" + formatID(agreed), func(by *SignedRequest) (*Document, error) { return c.Agreement(ctx, by, agreed) }, "/orders/", []string{c.fay, c.faysNode}},
	} {
		if doc.address == "" {
			doc.address = c.db.BaseURL() + "/somewhere"
		}
		for actor, peer := range map[string]*otherNode{"": nil, c.fay: c.fays, c.finn: c.fays, c.faysNode: c.fays, c.sam: c.sams, c.sia: c.sams,
			c.samsNode: c.sams, c.tom: c.thirds, c.thirdNode: c.thirds, c.fred: c.fays, c.troll: c.sams} {
			got, err := doc.get(c.by(t, peer, actor, doc.address))
			allowed := false
			for _, reader := range doc.readers {
				allowed = allowed || reader == actor
			}
			switch {
			case allowed && err != nil:
				t.Errorf("%s: %q does not get it: %v", doc.name, actor, err)
			case allowed && (!strings.Contains(string(got.Body), doc.text) || !got.Private):
				t.Errorf("%s: %q gets %s, private: %v", doc.name, actor, got.Body, got.Private)
			case !allowed && !errors.Is(err, souk.ErrNotFound):
				t.Errorf("%s: %q gets %+v %v", doc.name, actor, got, err)
			}
		}
	}
	if doc := ok(c.Post(ctx, c.by(t, c.fays, c.fay, c.public.URI), c.public.ID))(t); doc.Private {
		t.Error("a public post is kept from caches")
	}
	if posts := strings.Count(string(ok(c.Outbox(ctx, c.by(t, c.fays, c.fay, c.anna.Outbox), "anna", url.Values{"page": {"true"}}))(t).Body), `"Create"`); posts != 1 {
		t.Errorf("%d posts in the outbox", posts)
	}
}

// A signature that does not verify is none: it opens nothing, and closes nothing that is public.
func TestReadersWhoAreNotWhoTheySay(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	ctx := t.Context()
	elsewhere := c.db.BaseURL() + "/posts/1"
	forged := map[string]*SignedRequest{
		"another's key":           c.asks(t, signedCavage, c.fay+"#main-key", c.sams.key, c.followers.URI),
		"for another address":     sentTo(c.followers.URI, c.by(t, c.fays, c.fay, elsewhere)),
		"for another address too": sentTo(c.followers.URI, c.asks(t, signedRFC9421, c.fay+"#main-key", c.fays.key, elsewhere)),
		"a key of nobody":         c.asks(t, signedCavage, c.fays.URL+"/users/nobody#main-key", c.fays.key, c.followers.URI),
		"a key that fay has not":  c.asks(t, signedCavage, c.fay+"#other", c.fays.key, c.followers.URI),
		"a key of this node":      c.asks(t, signedCavage, c.anna.KeyID, c.fays.key, c.followers.URI),
		"no address":              c.asks(t, signedCavage, "fay", c.fays.key, c.followers.URI),
		"a dead host":             c.asks(t, signedCavage, "http://127.0.0.1:1/users/fay#main-key", c.fays.key, c.followers.URI),
		"an address inside":       c.asks(t, signedCavage, "http://169.254.169.254/fay#main-key", c.fays.key, c.followers.URI),
		"rubbish":                 {Method: http.MethodGet, URL: mustURL(c.followers.URI), Header: http.Header{"Signature": {"rubbish"}}},
	}
	old := c.by(t, c.fays, c.fay, c.followers.URI)
	for name, by := range forged {
		if doc, err := c.Post(ctx, by, c.followers.ID); !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("%s: %+v %v", name, doc, err)
		}
		if doc, err := c.Post(ctx, by, c.public.ID); err != nil || doc.Private {
			t.Errorf("%s: the public post: %+v %v", name, doc, err)
		}
	}
	c.clock.advance(13 * time.Hour)
	if doc, err := c.Post(ctx, old, c.followers.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("a signature of yesterday: %+v %v", doc, err)
	}
	for _, spec := range []string{signedCavage, signedRFC9421} { // the controls
		ok(c.Post(ctx, c.asks(t, spec, c.fay+"#main-key", c.fays.key, c.followers.URI), c.followers.ID))(t)
		ok(c.Post(ctx, c.asks(t, spec, c.fay+"#main-key", c.fays.key, c.followers.URI+"?x=1"), c.followers.ID))(t)
	}
	// Peers that leave the query out of (request-target).
	ok(c.Post(ctx, sentTo(c.followers.URI+"?page=true", c.by(t, c.fays, c.fay, c.followers.URI)), c.followers.ID))(t)
}

// Nobody's server is asked for a key where everybody may read, and for a new key only where the old one does not fit.
func TestReadersKeysAreFetchedWhereTheyMatter(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	ctx := t.Context()
	asked := func() int { return c.thirds.requests("/users/tom") }
	for range 3 {
		ok(c.Post(ctx, c.by(t, c.thirds, c.tom, c.public.URI), c.public.ID))(t)
		ok(c.Outbox(ctx, c.by(t, c.thirds, c.tom, c.anna.Outbox), "anna", nil))(t)
		ok(c.Actor(ctx, c.by(t, c.thirds, c.tom, c.anna.URI), "anna"))(t)
	}
	if asked() != 0 {
		t.Errorf("public documents made %d requests", asked())
	}
	for range 3 {
		if _, err := c.Post(ctx, c.by(t, c.thirds, c.tom, c.followers.URI), c.followers.ID); !errors.Is(err, souk.ErrNotFound) {
			t.Error(err)
		}
	}
	agreed := c.agreed(t)
	address := c.db.BaseURL() + "/agreements/" + formatID(agreed)
	if _, err := c.Agreement(ctx, c.by(t, c.thirds, c.tom, address), agreed); !errors.Is(err, souk.ErrNotFound) {
		t.Error(err)
	}
	if asked() != 0 { // nobody there could read it
		t.Errorf("a key was fetched %d times", asked())
	}
	sia := func() int { return c.sams.requests("/users/sia") }
	for range 3 {
		if _, err := c.Post(ctx, c.by(t, c.sams, c.sia, c.direct.URI), c.direct.ID); !errors.Is(err, souk.ErrNotFound) {
			t.Error(err)
		}
	}
	if sia() != 1 {
		t.Errorf("a key was fetched %d times", sia())
	}

	c.fays.key = testKeys()[2]
	c.fays.person(t, "fay")
	before := c.fays.requests("/users/fay")
	if _, err := c.Post(ctx, c.by(t, c.fays, c.fay, c.followers.URI), c.followers.ID); !errors.Is(err, souk.ErrNotFound) || c.fays.requests("/users/fay") != before {
		t.Errorf("a new key at once: %v", err)
	}
	c.clock.advance(keyRest + time.Second)
	ok(c.Post(ctx, c.by(t, c.fays, c.fay, c.followers.URI), c.followers.ID))(t)
	if got := c.fays.requests("/users/fay"); got != before+1 {
		t.Errorf("the new key took %d requests", got-before)
	}
}

// Strangers who sign with keys of others make this node ask those others, and use up nothing of what it asks them for itself or
// for those who deliver. For what is not there nobody is asked.
func TestReadersKeysHaveTheirOwnBudget(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	ctx := t.Context()
	rubbish := func(p *souk.Post, id int64, i int) {
		by := c.asks(t, signedCavage, c.fays.URL+"/nobody/"+formatID(int64(i))+"#main-key", c.thirds.key, p.URI)
		if _, err := c.Post(ctx, by, id); !errors.Is(err, souk.ErrNotFound) {
			t.Fatal(err)
		}
	}
	asked := func(paths ...int) (n int) {
		for _, i := range paths {
			n += c.fays.requests("/nobody/" + formatID(int64(i)))
		}
		return n
	}
	rubbish(c.direct, c.direct.ID, 1)         // is for nobody there
	rubbish(c.followers, c.direct.ID+1000, 2) // is not there at all
	if asked(1, 2) != 0 {
		t.Errorf("asked %d times for what nobody there can read", asked(1, 2))
	}
	total := 0
	for i := range purses[ownPurse].Burst + 20 {
		rubbish(c.followers, c.followers.ID, 10+i)
		total += asked(10 + i)
	}
	if total == 0 || total > purses[readerPurse].Burst {
		t.Errorf("strangers made it ask %d times", total)
	}
	new := c.fays.person(t, "new")
	c.done(t, c.fays, c.fays.activity("Follow", new, "/follows/new", c.anna.URI))
	ok(c.ResolveActor(ctx, c.fays.person(t, "other")))(t)
	ok(c.Post(ctx, c.by(t, c.fays, c.fay, c.followers.URI), c.followers.ID))(t)
}

// Whom the author blocks reads nothing of hers but what tells that; whom the node suspends, nothing at all.
func TestReadersWhoAreBlocked(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	ctx := t.Context()
	l := c.list(t, true)
	gets := func(by func(address string) *SignedRequest) map[string]error {
		return map[string]error{
			"post":      second(c.Post(ctx, by(c.public.URI), c.public.ID)),
			"followers": second(c.Followers(ctx, by(c.anna.FollowersURI), "anna", nil)),
			"following": second(c.Following(ctx, by(c.anna.FollowingURI), "anna", nil)),
			"outbox":    second(c.Outbox(ctx, by(c.anna.Outbox), "anna", nil)),
			"featured":  second(c.Featured(ctx, by(c.anna.FeaturedURI), "anna")),
			"replies":   second(c.Replies(ctx, by(c.public.URI+"/replies"), c.public.ID, nil)),
			"Create":    second(c.Activity(ctx, by(c.db.BaseURL()+"/activities/1"), c.created(t, c.public))),
			"listing":   second(c.Listing(ctx, by(l.Post.URI), l.ID)),
			"proposal":  second(c.Proposal(ctx, by(l.Post.URI+"/proposal"), l.ID)),
		}
	}
	fay := ok(c.db.AccountByURI(ctx, c.fay))(t)
	by := func(address string) *SignedRequest { return c.by(t, c.fays, c.fay, address) }
	for what, err := range gets(by) {
		if err != nil {
			t.Errorf("before: %s: %v", what, err)
		}
	}
	must(t, c.db.Block(ctx, c.anna.ID, fay.ID))
	for what, err := range gets(by) {
		if !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("blocked: %s: %v", what, err)
		}
	}
	if _, err := c.Post(ctx, c.by(t, c.fays, c.faysNode, c.followers.URI), c.followers.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("the server of the blocked one: %v", err)
	}
	ok(c.Actor(ctx, by(c.anna.URI), "anna"))(t)
	for what, err := range gets(func(string) *SignedRequest { return nil }) {
		if err != nil {
			t.Errorf("strangers: %s: %v", what, err)
		}
	}

	must(t, c.db.BlockHost(ctx, c.anna.ID, c.sams.host(), souk.Suspend, ""))
	by = func(address string) *SignedRequest { return c.by(t, c.sams, c.sam, address) }
	for what, err := range gets(by) {
		if !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("suspended: %s: %v", what, err)
		}
	}
	for what, err := range map[string]error{"direct": second(c.Post(ctx, by(c.direct.URI), c.direct.ID)), "actor": second(c.Actor(ctx, by(c.anna.URI), "anna")),
		"direct, by its node": second(c.Post(ctx, c.by(t, c.sams, c.samsNode, c.direct.URI), c.direct.ID))} {
		if !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("suspended: %s: %v", what, err)
		}
	}
}

// Of what is deleted its readers learn that it is gone, and others nothing.
func TestReadersOfWhatIsDeleted(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	ctx := t.Context()
	create := c.created(t, c.followers)
	must(t, c.db.DeletePost(ctx, c.anna.ID, c.followers.ID))
	must(t, c.db.DeletePost(ctx, c.anna.ID, c.public.ID))
	must(t, c.Federate(ctx))
	if doc := ok(c.Post(ctx, c.by(t, c.fays, c.fay, c.followers.URI), c.followers.ID))(t); doc.Status != http.StatusGone || !doc.Private {
		t.Errorf("a follower: %d %s", doc.Status, doc.Body)
	}
	if _, err := c.Post(ctx, nil, c.followers.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	if doc, err := c.Activity(ctx, c.by(t, c.fays, c.fay, c.db.BaseURL()+"/x"), create); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("its Create: %+v %v", doc, err)
	}
	if doc := ok(c.Post(ctx, nil, c.public.ID))(t); doc.Status != http.StatusGone || doc.Private {
		t.Errorf("a public one: %d", doc.Status)
	}
}

// In secure mode documents are for those who sign, with the exception of what is needed to verify a signature.
func TestSecureMode(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	ctx := t.Context()
	l := c.list(t, true)
	must(t, c.Federate(ctx))
	must(t, c.db.SetSecureMode(ctx, c.anna.ID, true))
	c.clock.advance(secureFor)
	gets := func(by func(string) *SignedRequest) map[string]func() (*Document, error) {
		at := func(address string) *SignedRequest { return by(c.db.BaseURL() + address) }
		return map[string]func() (*Document, error){
			"post":                  func() (*Document, error) { return c.Post(ctx, at("/x"), c.public.ID) },
			"replies":               func() (*Document, error) { return c.Replies(ctx, at("/x"), c.public.ID, nil) },
			"conversation":          func() (*Document, error) { return c.Context(ctx, at("/x"), c.public.ID) },
			"likes":                 func() (*Document, error) { return c.Likes(ctx, at("/x"), c.public.ID) },
			"shares":                func() (*Document, error) { return c.Shares(ctx, at("/x"), c.public.ID) },
			"listing":               func() (*Document, error) { return c.Listing(ctx, at("/x"), l.ID) },
			"proposal":              func() (*Document, error) { return c.Proposal(ctx, at("/x"), l.ID) },
			"Create":                func() (*Document, error) { return c.Activity(ctx, at("/x"), c.created(t, c.public)) },
			"outbox":                func() (*Document, error) { return c.Outbox(ctx, at("/x"), "anna", nil) },
			"followers":             func() (*Document, error) { return c.Followers(ctx, at("/x"), "anna", nil) },
			"following":             func() (*Document, error) { return c.Following(ctx, at("/x"), "anna", nil) },
			"featured":              func() (*Document, error) { return c.Featured(ctx, at("/x"), "anna") },
			"catalogue":             func() (*Document, error) { return c.CatalogueOutbox(ctx, at("/x"), nil) },
			"catalogue's followers": func() (*Document, error) { return c.CatalogueFollowers(ctx, at("/x"), nil) },
			"catalogue's following": func() (*Document, error) { return c.CatalogueFollowing(ctx, at("/x"), nil) },
		}
	}
	for name, by := range map[string]func(string) *SignedRequest{
		"unsigned": func(string) *SignedRequest { return nil },
		"forged": func(address string) *SignedRequest {
			return c.asks(t, signedCavage, c.fay+"#main-key", c.sams.key, address)
		},
		"of nobody": func(address string) *SignedRequest {
			return c.asks(t, signedCavage, c.fays.URL+"/users/nobody#main-key", c.fays.key, address)
		},
	} {
		for what, get := range gets(by) {
			var refused *RefusedError
			if doc, err := get(); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized || !strings.HasPrefix(refused.Reason, signedOnly) {
				t.Errorf("%s %s: %+v %v", name, what, doc, err)
			}
		}
		doc := ok(c.Actor(ctx, by(c.anna.URI), "anna"))(t)
		o := read(t, doc)
		if len(o) != 6 || o["id"] != c.anna.URI || o["inbox"] != c.anna.Inbox || o["type"] != "Person" || o["preferredUsername"] != "anna" ||
			o["publicKey"].(m)["owner"] != c.anna.URI || o["@context"] == nil || !doc.Private {
			t.Errorf("%s: the actor is %s", name, doc.Body)
		}
	}
	// tom's key is not known yet; a stranger's key is fetched here, since it decides.
	by := func(address string) *SignedRequest { return c.by(t, c.thirds, c.tom, address) }
	for what, get := range gets(by) {
		if doc, err := get(); err != nil || !doc.Private {
			t.Errorf("signed: %s: %+v %v", what, doc, err)
		}
	}
	if doc := ok(c.Actor(ctx, by(c.anna.URI), "anna"))(t); read(t, doc)["outbox"] != c.anna.Outbox || !doc.Private {
		t.Errorf("signed: the actor is %s", doc.Body)
	}
	for what, doc := range map[string]*Document{"node": ok(c.NodeActor(ctx))(t), "catalogue": ok(c.CatalogueActor(ctx))(t),
		"webfinger": ok(c.WebFinger(ctx, "acct:anna@shop.example"))(t), "nodeinfo": ok(c.NodeInfo(ctx, "2.1"))(t)} {
		if doc.Status != http.StatusOK || doc.Private {
			t.Errorf("%s: %+v", what, doc)
		}
	}
	if _, err := c.Post(ctx, c.by(t, c.thirds, c.tom, c.followers.URI), c.followers.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("a signed stranger reads what is for followers: %v", err)
	}
	ok(c.Post(ctx, c.by(t, c.fays, c.fay, c.followers.URI), c.followers.ID))(t)
	dead := c.asks(t, signedCavage, "http://127.0.0.1:1/users/fay#main-key", c.fays.key, c.public.URI)
	var refused *RefusedError
	if _, err := c.Post(ctx, dead, c.public.ID); !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("a key that cannot be had now: %v", err)
	}
	if doc := ok(c.Actor(ctx, dead, "anna"))(t); read(t, doc)["publicKey"] == nil {
		t.Errorf("a key that cannot be had now: %s", doc.Body)
	}
	must(t, c.db.SetSecureMode(ctx, c.anna.ID, false))
	c.clock.advance(secureFor)
	ok(c.Post(ctx, nil, c.public.ID))(t)
}
