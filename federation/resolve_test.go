package federation

import (
	"crypto"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"souk"
)

// finger serves the WebFinger answer of a name at a host, which this node serves too.
func (o *otherNode) finger(name, host, actor string) {
	o.serve("/.well-known/webfinger?resource=acct:"+queryEscape(name+"@"+host), m{"subject": "acct:" + name + "@" + host,
		"links": []any{m{"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": o.URL},
			m{"rel": "self", "type": activityMedia, "href": actor}}})
}

func TestResolveHandle(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	peer.finger("ben", peer.host(), ben)
	a := ok(n.ResolveHandle(t.Context(), "@ben@"+peer.host()))(t)
	if a.URI != ben || n.db.Handle(a) != "@ben@"+peer.host() {
		t.Errorf("account %+v", a)
	}
	if again := ok(n.ResolveHandle(t.Context(), "ben@"+peer.host()))(t); again.ID != a.ID || peer.requests("/users/ben") != 1 {
		t.Errorf("the second time it is asked again")
	}
	if own := ok(n.ResolveHandle(t.Context(), "@Anna@shop.example"))(t); own.ID != n.anna.ID {
		t.Errorf("anna is %+v", own)
	}
	if _, err := n.ResolveHandle(t.Context(), "@nobody@shop.example"); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("nobody of ours: %v", err)
	}
	if _, err := n.ResolveHandle(t.Context(), "@nobody@"+peer.host()); !errors.Is(err, ErrGone) {
		t.Errorf("nobody of theirs: %v", err)
	}
	for _, handle := range []string{"", "ben", "@ben", "@@host", "@ben@", "@a@b@c", "@ben@host/path", "@b n@host", "@ben@me@host", "@ben@169.254.169.254:80#"} {
		var invalid *souk.Invalid
		if _, err := n.ResolveHandle(t.Context(), handle); !errors.As(err, &invalid) {
			t.Errorf("%q: %v", handle, err)
		}
	}
	if _, err := n.ResolveHandle(t.Context(), "@ben@169.254.169.254"); !errors.Is(err, ErrBlockedAddress) {
		t.Errorf("an address inside: %v", err)
	}
}

// A handle at one host may stand for an actor at another, if that one says so too.
func TestResolveHandleOfSplitDomain(t *testing.T) {
	t.Parallel()
	n, home, names := inbound(t), newOtherNode(t, 1), newOtherNode(t, 2)
	ben := home.person(t, "ben")
	names.finger("ben", names.host(), ben)
	home.finger("ben", home.host(), ben)
	if a, err := n.ResolveHandle(t.Context(), "@ben@"+names.host()); !errors.Is(err, ErrForeign) {
		t.Errorf("a handle that the actor does not know: %+v %v", a, err)
	}
	home.serve("/.well-known/webfinger?resource=acct:"+queryEscape("ben@"+home.host()), m{"subject": "acct:ben@" + names.host(),
		"links": []any{m{"rel": "self", "type": activityMedia, "href": ben}}})
	if a := ok(n.ResolveHandle(t.Context(), "@ben@"+names.host()))(t); a.URI != ben || a.Host != home.host() {
		t.Errorf("account %+v", a)
	}
}

func TestResolveActor(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	peer.serve("/@ben", peer.actor(t, "ben"))
	a := ok(n.ResolveActor(t.Context(), peer.URL+"/@ben"))(t)
	if a.URI != ben {
		t.Errorf("by the page: %s", a.URI)
	}
	n.clock.advance(actorLife + time.Minute)
	peer.serve("/users/ben", with(peer.actor(t, "ben"), "name", "Benjamin"))
	if a := ok(n.ResolveActor(t.Context(), ben))(t); a.DisplayName != "Benjamin" {
		t.Errorf("after a day: %q", a.DisplayName)
	}
	n.clock.advance(actorLife + time.Minute)
	peer.serve("/users/ben", http.StatusInternalServerError)
	if a := ok(n.ResolveActor(t.Context(), ben))(t); a.DisplayName != "Benjamin" {
		t.Errorf("while it is away: %q", a.DisplayName)
	}
	if a := ok(n.ResolveActor(t.Context(), n.anna.URI))(t); a.ID != n.anna.ID {
		t.Errorf("anna: %+v", a)
	}
	if _, err := n.ResolveActor(t.Context(), n.db.BaseURL()+"/users/nobody"); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("nobody of ours: %v", err)
	}
	peer.serve("/users/liar", with(peer.actor(t, "liar"), "id", n.db.BaseURL()+"/users/anna"))
	if _, err := n.ResolveActor(t.Context(), peer.URL+"/users/liar"); !errors.Is(err, ErrForeign) {
		t.Errorf("an actor that says to be anna: %v", err)
	}
	for _, iri := range []string{"", "ben", "javascript:alert(1)", "ftp://a.example/u", "http://u@a.example/u", "http://a.example/ u"} {
		if _, err := n.ResolveActor(t.Context(), iri); !errors.Is(err, ErrBadURL) {
			t.Errorf("%q: %v", iri, err)
		}
	}
	must(t, n.db.BlockHost(t.Context(), n.anna.ID, peer.host(), souk.Suspend, ""))
	peer.person(t, "dan")
	if _, err := n.ResolveActor(t.Context(), peer.URL+"/users/dan"); !errors.Is(err, souk.ErrForbidden) || peer.requests("/users/dan") != 0 {
		t.Errorf("at a blocked host: %v", err)
	}
}

// A crowd that asks for the same actor makes one request.
func TestResolveActorOnce(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	var crowd sync.WaitGroup
	for range 10 {
		crowd.Go(func() {
			if a, err := n.ResolveActor(t.Context(), ben); err != nil || a.URI != ben {
				t.Errorf("%+v %v", a, err)
			}
		})
	}
	crowd.Wait()
	if got := n.count(t, `select count(*) from accounts where uri = $1`, ben); got != 1 {
		t.Errorf("%d accounts", got)
	}
}

func TestResolvePost(t *testing.T) {
	t.Parallel()
	n, peer, other := inbound(t), newOtherNode(t, 1), newOtherNode(t, 2)
	ben, carol := peer.person(t, "ben"), other.person(t, "carol")
	// ben answers carol, who answers ben, who began.
	peer.serve("/notes/1", peer.note(ben, "/notes/1", "<p>first</p>"))
	other.serve("/notes/2", with(other.note(carol, "/notes/2", "<p>second</p>"), "inReplyTo", peer.URL+"/notes/1"))
	third := with(peer.note(ben, "/notes/3", "<p>third</p>"), "inReplyTo", other.URL+"/notes/2")
	peer.serve("/notes/3", third)
	peer.serve("/@ben/3", third)
	p := ok(n.ResolvePost(t.Context(), peer.URL+"/@ben/3"))(t)
	if p.URI != peer.URL+"/notes/3" || p.InReplyToID == nil {
		t.Fatalf("post %+v", p)
	}
	first, second := n.post(t, peer.URL+"/notes/1"), n.post(t, other.URL+"/notes/2")
	if *p.InReplyToID != second.ID || second.InReplyToID == nil || *second.InReplyToID != first.ID || p.ThreadID != first.ID {
		t.Errorf("the thread is not whole: %+v %+v %+v", first, second, p)
	}
	for name, c := range map[string]struct {
		doc any
		err error
	}{
		"by nobody of its origin": {peer.note(carol, "/notes/9", "forged"), ErrForeign},
		"of another origin":       {other.note(carol, "/notes/8", "forged"), ErrGone}, // it is asked for there, and is not there
		"of this node":            {with(peer.note(ben, "", "forged"), "id", n.db.BaseURL()+"/posts/1"), ErrForeign},
		"only for followers":      {with(with(peer.note(ben, "/notes/9", "x"), "to", ben+"/followers"), "cc", nil), souk.ErrForbidden},
		"a tombstone":             {m{"id": peer.URL + "/notes/9", "type": "Tombstone"}, souk.ErrGone},
		"an actor":                {peer.actor(t, "ben"), ErrForeign},
		"gone":                    {http.StatusGone, ErrGone},
		"101 attachments":         {with(peer.note(ben, "/notes/9", "x"), "attachment", many(101, m{})), ErrDocument},
	} {
		peer.serve("/notes/9", c.doc)
		if p, err := n.ResolvePost(t.Context(), peer.URL+"/notes/9"); !errors.Is(err, c.err) {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
	if c := n.count(t, `select count(*) from posts where html like '%forged%'`); c != 0 {
		t.Error("something forged was kept")
	}
	if _, err := n.ResolvePost(t.Context(), "http://127.0.0.1:1/x"); err == nil || final(err) {
		t.Errorf("a dead host: %v", err)
	}
	if _, err := n.ResolvePost(t.Context(), "http://169.254.169.254/latest"); !errors.Is(err, ErrBlockedAddress) {
		t.Errorf("an address inside: %v", err)
	}
}

// An endless thread is followed only so far.
func TestResolvePostEndless(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	for i := range 30 {
		path := "/notes/" + formatID(int64(i))
		peer.serve(path, with(peer.note(ben, path, "<p>x</p>"), "inReplyTo", peer.URL+"/notes/"+formatID(int64(i+1)%30)))
	}
	ok(n.ResolvePost(t.Context(), peer.URL+"/notes/0"))(t)
	if c := n.count(t, `select count(*) from posts`); c != maxAncestors+1 {
		t.Errorf("%d posts", c)
	}
}

func TestDescribeHost(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	catalogue := peer.catalogue(t)
	h := ok(n.DescribeHost(t.Context(), peer.host()))(t)
	if h.Software != "souk" || h.CatalogueURI != catalogue {
		t.Errorf("host %+v", h)
	}
	peer.serve("/nodeinfo/2.1", m{"software": m{"name": "Mastodon"}, "metadata": []any{}})
	if h := ok(n.DescribeHost(t.Context(), peer.host()))(t); h.Software != "mastodon" || h.CatalogueURI != "" {
		t.Errorf("host %+v", h)
	}
	peer.serve("/nodeinfo/2.1", m{"software": m{"name": "souk"}, "metadata": m{"catalogue": "http://elsewhere.example/catalogue"}})
	if h := ok(n.DescribeHost(t.Context(), peer.host()))(t); h.CatalogueURI != "" {
		t.Errorf("a catalogue elsewhere: %+v", h)
	}
	peer.serve("/.well-known/nodeinfo", m{"links": []any{m{"rel": nodeInfoSchema + "2.1", "href": "http://169.254.169.254/x"}}})
	if _, err := n.DescribeHost(t.Context(), peer.host()); !errors.Is(err, ErrDocument) {
		t.Errorf("a document elsewhere: %v", err)
	}
	if _, err := n.DescribeHost(t.Context(), n.db.Domain()); !errors.Is(err, ErrForeign) {
		t.Errorf("this node: %v", err)
	}
	if u, err := url.Parse(catalogue); err != nil || hostOf(catalogue) != u.Host {
		t.Errorf("host of %s: %s", catalogue, hostOf(catalogue))
	}
}

// A peer that refuses one form of signature is asked in the other, and next time in that at once; one that leaves the query
// out of what it verifies is understood too. Whoever refuses all of them is asked no more often than that.
func TestResolveKnocksTwice(t *testing.T) {
	t.Parallel()
	n := inbound(t)
	key := ok(n.db.InstanceActor(t.Context()))(t)
	public := ok(ParsePublicKeyPEM(ok(n.EnsureKey(t.Context(), key.ID))(t).PublicKey))(t)
	for name, c := range map[string]struct {
		understands func(s *Signature, req *SignedRequest) bool
		path        string
		first, next int // requests
		fails       bool
	}{
		"draft-cavage":              {func(s *Signature, _ *SignedRequest) bool { return s.Spec == SpecCavage }, "/notes/1", 1, 1, false},
		"RFC 9421":                  {func(s *Signature, _ *SignedRequest) bool { return s.Spec == SpecRFC9421 }, "/notes/1", 2, 1, false},
		"RFC 9421, with a query":    {func(s *Signature, _ *SignedRequest) bool { return s.Spec == SpecRFC9421 }, "/notes/1?page=2", 2, 1, false},
		"draft-cavage, bare":        {func(s *Signature, req *SignedRequest) bool { return bare(s, req, public, n.clock.Now()) }, "/notes/1?page=2", 3, 3, false},
		"nothing":                   {func(*Signature, *SignedRequest) bool { return false }, "/notes/1", 2, 2, true},
		"nothing, where a query is": {func(*Signature, *SignedRequest) bool { return false }, "/notes/1?page=2", 3, 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			var peer *httptest.Server
			peer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				req, err := NewSignedRequest(r, mustURL(peer.URL), nil)
				if err != nil {
					t.Error(err)
				}
				s, err := ParseSignature(req)
				if err != nil || s.Verify(req, public, n.clock.Now()) != nil || !c.understands(s, req) {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.Header().Set("Content-Type", activityMedia)
				_ = json.NewEncoder(w).Encode(m{"id": peer.URL + "/notes/1", "type": "Note"})
			}))
			defer peer.Close()
			for i, want := range []int{c.first, c.next} {
				requests = 0
				_, err := n.fetch(t.Context(), peer.URL+c.path, ownPurse)
				if (err != nil) != c.fails || requests != want {
					t.Errorf("time %d: %v after %d requests, want %d", i+1, err, requests, want)
				}
			}
		})
	}
}

// bare reports whether a draft-cavage signature verifies for the address without its query only.
func bare(s *Signature, req *SignedRequest, key crypto.PublicKey, now time.Time) bool {
	without := *req
	address := *req.URL
	address.RawQuery = ""
	without.URL = &address
	return s.Spec == SpecCavage && s.Verify(&without, key, now) == nil
}
