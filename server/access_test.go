package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"souk"
	"souk/federation"
	"souk/migrations/pgtest"
	"souk/search"
	"souk/server"
	"souk/server/blob"
	"souk/themes"
)

// node is a node behind its real server on loopback, with an owner.
type node struct {
	*souk.DB
	*federation.Federation
	t     *testing.T
	url   string
	owner *souk.Account
	now   time.Time
	web   *httptest.Server
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

func newNode(t *testing.T, owner string) *node {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	n := &node{t: t, web: web, url: "http://" + web.Listener.Addr().String(), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return n.now }
	pool := pgtest.New(t)
	n.DB = must(souk.New(pool, souk.Config{BaseURL: n.url, Now: now, Blobs: must(blob.New("file:" + t.TempDir()))(t)}))(t)
	t.Cleanup(n.DB.Close)
	ctx := t.Context()
	done(t, n.EnsureShop(ctx))
	done(t, n.EnsureNodeActors(ctx))
	n.owner = must(n.CreateAccount(ctx, souk.NewAccount{Name: owner, Role: souk.RoleOwner}))(t)
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelError}))
	client := federation.NewClient(federation.FetchConfig{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: time.Minute, Now: now})
	t.Cleanup(client.CloseIdle)
	n.Federation = federation.New(n.DB, federation.Config{Client: client, Version: "test", Log: log, Poll: 10 * time.Millisecond})
	index := search.NewPostgres(search.PostgresConfig{Pool: pool, Now: now})
	s := must(server.New(server.Config{DB: n.DB, Federation: n.Federation, Finder: search.NewFinder(n.DB, index), Pictures: souk.NewPictures(souk.PictureConfig{}),
		Theme: must(themes.Load(themes.Config{Now: now, Log: log}))(t), Client: client, Version: "test", Log: log}))(t)
	web.Config.Handler = s.Handler()
	web.Start()
	t.Cleanup(web.Close)
	return n
}

func (n *node) host() string { return strings.TrimPrefix(n.url, "http://") }

// settle lets everything that is due happen at the nodes, until nothing is left to be told.
func settle(t *testing.T, nodes ...*node) {
	t.Helper()
	for range 3 {
		for _, n := range nodes {
			done(t, n.Federate(t.Context()))
			done(t, n.Deliver(t.Context()))
		}
		for _, n := range nodes {
			done(t, n.ApplyInbox(t.Context()))
		}
	}
}

// got is an answer.
type got struct {
	*http.Response
	body []byte
	doc  map[string]any
}

// get asks the node for a path; by is the account of another node that signs, nil for nobody.
func (n *node) get(by *node, account *souk.Account, path, accept string) got {
	n.t.Helper()
	return n.ask(http.MethodGet, by, account, path, accept)
}

func (n *node) ask(method string, by *node, account *souk.Account, path, accept string) got {
	n.t.Helper()
	req := must(http.NewRequestWithContext(n.t.Context(), method, n.url+path, nil))(n.t)
	req.Header.Set("Accept", accept)
	if by != nil {
		must(by.EnsureKey(n.t.Context(), account.ID))(n.t)
		keys := must(by.SigningKeys(n.t.Context(), account.ID))(n.t)
		done(n.t, federation.SignCavage(req, nil, keys.KeyID, must(federation.ParsePrivateKeyPEM(keys.Private))(n.t), n.now))
	}
	return n.send(req)
}

func (n *node) send(req *http.Request) got {
	n.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res := must(client.Do(req))(n.t)
	defer res.Body.Close()
	g := got{Response: res, body: must(io.ReadAll(res.Body))(n.t)}
	if req.Method == http.MethodGet && strings.Contains(res.Header.Get("Content-Type"), "json") {
		done(n.t, json.Unmarshal(g.body, &g.doc))
	}
	return g
}

// is checks an answer's status and what caches are told about it.
func (g got) is(t *testing.T, what string, status int, cache, vary string) {
	t.Helper()
	if g.StatusCode != status || g.Header.Get("Cache-Control") != cache || g.Header.Get("Vary") != vary {
		t.Errorf("%s: %d, Cache-Control %q, Vary %q; want %d, %q, %q\n%.300s", what, g.StatusCode, g.Header.Get("Cache-Control"), g.Header.Get("Vary"),
			status, cache, vary, g.body)
	}
}

const (
	activity = "application/activity+json"
	shared   = "public, max-age=60"
	nowhere  = "private, no-store"
)

// meet makes ben of the second node an accepted follower of anna of the first.
func meet(t *testing.T, first, second *node) {
	t.Helper()
	anna := must(second.ResolveHandle(t.Context(), "@anna@"+first.host()))(t)
	must(second.Follow(t.Context(), second.owner.ID, anna.ID))(t)
	settle(t, second, first)
	if state := must(second.FollowState(t.Context(), second.owner.ID, anna.ID))(t); state != souk.FollowAccepted {
		t.Fatalf("the follow is %q", state)
	}
}

// What caches may keep of documents, and what other servers read where they may not.
func TestAccessOverHTTP(t *testing.T) {
	t.Parallel()
	a, b := newNode(t, "anna"), newNode(t, "ben")
	ctx := t.Context()
	meet(t, a, b)
	public := must(a.CreatePost(ctx, a.owner.ID, souk.NewPost{Source: "for all"}))(t)
	only := must(a.CreatePost(ctx, a.owner.ID, souk.NewPost{Source: "for followers", Visibility: souk.FollowersOnly}))(t)
	path := func(p *souk.Post) string { return strings.TrimPrefix(p.URI, a.url) }

	a.get(nil, nil, path(public), activity).is(t, "public", 200, shared, "Accept")
	a.get(b, b.owner, path(public), activity).is(t, "public, signed", 200, shared, "Accept")
	a.get(nil, nil, "/users/anna", activity).is(t, "actor", 200, shared, "Accept")
	a.get(nil, nil, path(only), activity).is(t, "for followers, to a stranger", 404, "no-store", "Accept")
	g := a.get(b, b.owner, path(only), activity)
	g.is(t, "for followers, to one", 200, nowhere, "Accept, Signature")
	if g.doc["id"] != only.URI {
		t.Errorf("%s", g.body)
	}
	a.ask(http.MethodHead, b, b.owner, path(only), activity).is(t, "for followers, HEAD by one", 200, nowhere, "Accept, Signature")
	a.ask(http.MethodHead, nil, nil, path(only), activity).is(t, "for followers, HEAD by a stranger", 404, "no-store", "Accept")
	node := must(b.InstanceActor(ctx))(t)
	a.get(b, node, path(only), activity).is(t, "for followers, to the server of one", 200, nowhere, "Accept, Signature")
	a.get(b, node, path(only)+"/replies", activity).is(t, "its replies", 200, nowhere, "Accept, Signature")
	if g := a.get(b, b.owner, path(only), "text/html"); g.StatusCode != 404 {
		t.Errorf("the page for followers: %d", g.StatusCode)
	}
	if g := a.get(nil, nil, path(public), "image/png"); g.StatusCode != http.StatusNotAcceptable || g.Header.Get("Content-Type") != "application/problem+json" || g.Header.Get("Vary") != "Accept" {
		t.Errorf("a picture of a post: %d %v", g.StatusCode, g.Header)
	}
	if g := a.get(nil, nil, "/users/anna", "text/html"); g.StatusCode != http.StatusFound || g.Header.Get("Vary") != "Accept" || g.Header.Get("Location") != a.url+"/@anna" {
		t.Errorf("the page of anna: %d %v", g.StatusCode, g.Header)
	}
	// A rubbish signature is none.
	req := must(http.NewRequestWithContext(ctx, http.MethodGet, public.URI, nil))(t)
	req.Header.Set("Accept", activity)
	req.Header.Set("Signature", `keyId="x",signature="`)
	res := must(http.DefaultClient.Do(req))(t)
	_ = res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("with rubbish for a signature: %d", res.StatusCode)
	}
}

// Two nodes that both show nothing to strangers still find, follow, and read each other.
func TestTwoSecureNodes(t *testing.T) {
	t.Parallel()
	a, b := newNode(t, "anna"), newNode(t, "ben")
	ctx := t.Context()
	for _, n := range []*node{a, b} {
		done(t, n.SetSecureMode(ctx, n.owner.ID, true))
	}
	meet(t, a, b)
	settle(t, a, b)
	p := must(a.CreatePost(ctx, a.owner.ID, souk.NewPost{Source: "fresh from the kiln"}))(t)
	settle(t, a, b)
	if home := must(b.Home(ctx, b.owner.ID, souk.Page{}))(t); len(home) != 1 || home[0].URI != p.URI {
		t.Errorf("ben's home holds %d posts", len(home))
	}
	// What was not delivered is fetched: an older post, by its address, and the thread that it is in.
	stranger := newNode(t, "cora")
	done(t, stranger.SetSecureMode(ctx, stranger.owner.ID, true))
	if found, err := stranger.ResolvePost(ctx, p.URI); err != nil || found.HTML != p.HTML {
		t.Errorf("cora reads %+v, %v", found, err)
	}
	reply := must(b.CreatePost(ctx, b.owner.ID, souk.NewPost{Source: "how warm", InReplyTo: must(b.PostByURI(ctx, 0, p.URI))(t).ID}))(t)
	settle(t, b, a)
	if thread := must(a.Thread(ctx, 0, p.ID))(t); len(thread) != 2 || thread[1].URI != reply.URI {
		t.Errorf("anna sees %d posts", len(thread))
	}

	path := strings.TrimPrefix(p.URI, a.url)
	for _, open := range []string{"/.well-known/webfinger?resource=acct:anna@" + a.host(), "/.well-known/host-meta", "/.well-known/nodeinfo", "/nodeinfo/2.0",
		"/nodeinfo/2.1", "/actor", "/catalogue"} {
		a.get(nil, nil, open, activity).is(t, open, 200, shared, "Accept")
	}
	for _, closed := range []string{path, path + "/replies", path + "/context", "/users/anna/outbox", "/users/anna/followers", "/catalogue/outbox"} {
		g := a.get(nil, nil, closed, activity)
		g.is(t, closed, 401, "no-store", "Accept, Signature")
		if g.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(g.doc["detail"].(string), "signed") || g.Header.Get("WWW-Authenticate") == "" || g.Header.Get("Accept-Signature") == "" {
			t.Errorf("%s: %v %s", closed, g.Header, g.body)
		}
		a.get(b, b.owner, closed, activity).is(t, closed+", signed", 200, nowhere, "Accept, Signature")
	}
	if g := a.get(nil, nil, "/users/anna", activity); g.StatusCode != 200 || g.doc["publicKey"] == nil || g.doc["outbox"] != nil || g.Header.Get("Cache-Control") != nowhere {
		t.Errorf("the key: %d %s", g.StatusCode, g.body)
	}
	for _, page := range []string{"/", "/@anna", path} {
		if g := a.get(nil, nil, page, "text/html"); g.StatusCode != 200 {
			t.Errorf("the page %s: %d", page, g.StatusCode)
		}
	}
}
