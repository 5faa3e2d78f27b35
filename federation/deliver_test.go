package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"souk"
)

// receiver is another server: it checks the signature of what arrives at its inboxes and keeps it.
type receiver struct {
	*httptest.Server
	host string

	mu       sync.Mutex
	got      []arrival
	keys     map[string]string            // public keys by key id
	answer   func(arrival, int) answering // nil: 202; the number counts requests from 1
	requests int
}

type arrival struct {
	path string
	http int // major version
	spec SignatureSpec
	id   string
	kind string
	body map[string]any

	header http.Header
	signed *Signature
}

type answering struct {
	status int
	header http.Header
}

// newReceiver starts a server that knows the keys of the accounts.
func newReceiver(t *testing.T, n *testNode, accounts ...*souk.Account) *receiver {
	t.Helper()
	return startReceiver(t, n, (*httptest.Server).Start, accounts...)
}

func startReceiver(t *testing.T, n *testNode, start func(*httptest.Server), accounts ...*souk.Account) *receiver {
	t.Helper()
	p := &receiver{keys: map[string]string{}}
	for _, a := range accounts {
		a = ok(n.EnsureKey(t.Context(), a.ID))(t)
		p.keys[a.KeyID] = a.PublicKey
	}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := p.receive(r, n.clock.Now())
		if err != nil {
			t.Errorf("%s: %v", r.URL, err)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		p.mu.Lock()
		p.requests++
		reply := answering{status: http.StatusAccepted}
		if p.answer != nil {
			reply = p.answer(got, p.requests)
		}
		if reply.status/100 == 2 {
			p.got = append(p.got, got)
		}
		p.mu.Unlock()
		for name := range reply.header {
			w.Header().Set(name, reply.header.Get(name))
		}
		w.WriteHeader(reply.status)
	}))
	start(p.Server)
	t.Cleanup(p.Close)
	_, p.host, _ = strings.Cut(p.URL, "://")
	return p
}

func (p *receiver) receive(r *http.Request, now time.Time) (got arrival, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return got, err
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/activity+json" {
		return got, fmt.Errorf("%s of %q", r.Method, r.Header.Get("Content-Type"))
	}
	origin, err := url.Parse(p.URL)
	if err != nil {
		return got, err
	}
	req, err := NewSignedRequest(r, origin, body)
	if err != nil {
		return got, err
	}
	s, err := ParseSignature(req)
	if err != nil {
		return got, err
	}
	p.mu.Lock()
	key, err := ParsePublicKeyPEM(p.keys[s.KeyID])
	p.mu.Unlock()
	if err != nil {
		return got, fmt.Errorf("key %s: %w", s.KeyID, err)
	}
	if err := s.Verify(req, key, now); err != nil {
		return got, err
	}
	got = arrival{path: r.URL.Path, http: r.ProtoMajor, spec: s.Spec, signed: s, header: r.Header}
	if err := json.Unmarshal(body, &got.body); err != nil {
		return got, err
	}
	got.id, _ = got.body["id"].(string)
	got.kind, _ = got.body["type"].(string)
	return got, nil
}

func (p *receiver) arrived() []arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got)
}

func (p *receiver) answerWith(f func(arrival, int) answering) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

func (p *receiver) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

func (p *receiver) kinds() []string {
	kinds := []string{}
	for _, a := range p.arrived() {
		kinds = append(kinds, a.kind)
	}
	return kinds
}

// follower is an account of the peer that follows anna.
func (n *testNode) follower(t *testing.T, p *receiver, name string, change ...func(*souk.RemoteAccount)) *souk.Account {
	t.Helper()
	a := n.remote(t, p.URL, p.host, name, change...)
	n.followedBy(t, n.anna, a, false)
	return a
}

// deliverAll federates and delivers what is due now.
func (n *testNode) deliverAll(t *testing.T) {
	t.Helper()
	must(t, n.Federate(t.Context()))
	must(t, n.Deliver(t.Context()))
}

func (n *testNode) write(t *testing.T, text string) *souk.Post {
	t.Helper()
	return ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: text}))(t)
}

// deliveries are what waits for, or went to, a host.
func (n *testNode) deliveries(t *testing.T, host, state string) []souk.Delivery {
	t.Helper()
	return ok(n.db.Deliveries(t.Context(), n.anna.ID, 0, host, state, souk.Page{Limit: 80}))(t)
}

func status(code int) func(arrival, int) answering {
	return func(arrival, int) answering { return answering{status: code} }
}

// One inbox gets one POST, however many of its people follow, and it gets things in the order in which they happened.
func TestDeliverInOrderOnce(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	shared, single := newReceiver(t, n, n.anna), newReceiver(t, n, n.anna)
	for _, name := range []string{"bo", "cy", "di"} {
		n.follower(t, shared, name)
	}
	n.follower(t, single, "ed", func(r *souk.RemoteAccount) { r.SharedInbox = "" })
	must(t, n.Deliver(t.Context())) // the answers to the follows
	accepts := len(shared.arrived())
	if accepts != 3 || shared.kinds()[0] != "Accept" || single.arrived()[0].path != "/users/ed/inbox" {
		t.Fatalf("follows were answered by %v and %v", shared.kinds(), single.kinds())
	}
	p := n.write(t, "first")
	ok(n.db.EditPost(t.Context(), n.anna.ID, p.ID, souk.NewPost{Source: "second"}))(t)
	must(t, n.Federate(t.Context()))
	must(t, n.db.DeletePost(t.Context(), n.anna.ID, p.ID))
	n.deliverAll(t)
	if got, want := shared.kinds()[accepts:], []string{"Create", "Update", "Delete"}; !slices.Equal(got, want) {
		t.Errorf("the shared inbox got %v, want %v", got, want)
	}
	if got, want := single.kinds()[1:], []string{"Create", "Update", "Delete"}; !slices.Equal(got, want) {
		t.Errorf("the single inbox got %v, want %v", got, want)
	}
	for _, a := range shared.arrived()[accepts:] {
		if a.path != "/inbox" {
			t.Errorf("%s went to %s", a.kind, a.path)
		}
	}
	must(t, n.Deliver(t.Context()))
	if got := len(shared.arrived()) - accepts; got != 3 {
		t.Errorf("after another drain %d arrived, want 3", got)
	}
}

// A host that fails waits as a whole: nothing overtakes what could not be delivered.
func TestDeliverKeepsOrderOverFailures(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	must(t, n.Deliver(t.Context()))
	p.answerWith(func(a arrival, request int) answering {
		if request == 2 {
			return answering{status: http.StatusBadGateway}
		}
		return answering{status: http.StatusOK}
	})
	first := n.write(t, "first")
	n.write(t, "second")
	n.deliverAll(t)
	must(t, n.Deliver(t.Context()))
	if got := p.asked(); got != 2 {
		t.Fatalf("a failing host was asked %d times, want the Accept and one try", got)
	}
	n.clock.advance(11 * time.Second)
	must(t, n.Deliver(t.Context()))
	if got := p.kinds(); !slices.Equal(got, []string{"Accept", "Create", "Create"}) {
		t.Fatalf("arrived: %v", got)
	}
	if object, _ := p.arrived()[1].body["object"].(map[string]any); object["id"] != first.URI {
		t.Errorf("%v overtook %s", object["id"], first.URI)
	}
}

func TestDeliverRetryAfter(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	for _, tt := range []struct {
		status int
		after  func() string
	}{
		{http.StatusTooManyRequests, func() string { return "3600" }},
		{http.StatusServiceUnavailable, func() string { return "3600" }},
		{http.StatusTooManyRequests, func() string { return n.clock.Now().Add(time.Hour).Format(http.TimeFormat) }},
		{http.StatusServiceUnavailable, func() string { return n.clock.Now().Add(time.Hour).Format(http.TimeFormat) }},
	} {
		p := newReceiver(t, n, n.anna)
		n.follower(t, p, "bo")
		p.answerWith(func(arrival, int) answering {
			return answering{status: tt.status, header: http.Header{"Retry-After": {tt.after()}}}
		})
		must(t, n.Deliver(t.Context()))
		n.clock.advance(59 * time.Minute)
		must(t, n.db.HostSpoke(t.Context(), p.host, false)) // it lives, and still wants to be left alone
		must(t, n.Deliver(t.Context()))
		if got := p.asked(); got != 1 {
			t.Errorf("%d, %s: asked %d times within the hour that it asked for", tt.status, tt.after(), got)
		}
		if h := ok(n.db.Host(t.Context(), p.host))(t); h.Failures != 0 {
			t.Errorf("%d: a host that says when counts as failing", tt.status)
		}
		p.answerWith(nil)
		n.clock.advance(2 * time.Minute)
		must(t, n.Deliver(t.Context()))
		if got := p.kinds(); !slices.Equal(got, []string{"Accept"}) {
			t.Errorf("%d: after the hour arrived %v", tt.status, got)
		}
	}
}

// A peer that takes only the other kind of signature gets it at once, and next time first.
func TestDeliverDoubleKnock(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	only := func(spec SignatureSpec, refusal int, header http.Header) func(arrival, int) answering {
		return func(a arrival, _ int) answering {
			if a.spec != spec {
				return answering{status: refusal, header: header}
			}
			return answering{status: http.StatusAccepted}
		}
	}
	p.answerWith(only(SpecRFC9421, http.StatusUnauthorized, nil))
	must(t, n.Deliver(t.Context()))
	n.write(t, "more")
	n.deliverAll(t)
	if got := p.asked(); got != 3 {
		t.Errorf("asked %d times: twice for the first delivery and once for the second are wanted", got)
	}
	if host := ok(n.db.Host(t.Context(), p.host))(t); host.Signature != signedRFC9421 {
		t.Errorf("remembered %q", host.Signature)
	}
	p.answerWith(only(SpecCavage, http.StatusForbidden, nil))
	n.write(t, "and back")
	n.deliverAll(t)
	p.answerWith(only(SpecRFC9421, http.StatusBadRequest, http.Header{"Accept-Signature": {`sig1=("@method" "@target-uri" "content-digest");created`}}))
	n.write(t, "and asked for")
	n.deliverAll(t)
	if got := p.kinds(); !slices.Equal(got, []string{"Accept", "Create", "Create", "Create"}) {
		t.Errorf("arrived: %v", got)
	}
}

func TestDeliverRefusals(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{404: "failed", 410: "failed", 400: "failed", 406: "failed", 413: "failed", 422: "failed", 500: "queued", 403: "queued", 302: "queued"} {
		n := newNode(t, testBase)
		p := newReceiver(t, n, n.anna)
		bo := n.follower(t, p, "bo", func(r *souk.RemoteAccount) { r.SharedInbox = "" })
		p.answerWith(status(code))
		must(t, n.Deliver(t.Context()))
		list := n.deliveries(t, p.host, "")
		if len(list) != 1 || list[0].State != want || list[0].Status != code {
			t.Errorf("%d: %+v, want %s", code, list, want)
		}
		state := ok(n.db.FollowState(t.Context(), bo.ID, n.anna.ID))(t)
		if gone := code == 404 || code == 410; gone != (state == "") {
			t.Errorf("%d: the follower is %q", code, state)
		}
	}
}

// A refusal that lasts ends the delivery: the host must not be blocked for days by one of its people.
func TestDeliverRefusedForGood(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	p.answerWith(status(http.StatusForbidden))
	for range refusedAfter {
		must(t, n.Deliver(t.Context()))
		n.clock.advance(time.Hour)
	}
	if list := n.deliveries(t, p.host, "failed"); len(list) != 1 || list[0].Attempts != refusedAfter {
		t.Errorf("%+v", n.deliveries(t, p.host, ""))
	}
}

// A host that hangs keeps nobody waiting, not even what becomes due while it hangs.
func TestDeliverBesideAHangingHost(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	hang := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-hang }))
	t.Cleanup(hanging.Close)
	t.Cleanup(sync.OnceFunc(func() { close(hang) }))
	n.followedBy(t, n.anna, n.remote(t, hanging.URL, strings.TrimPrefix(hanging.URL, "http://"), "slow"), false)
	dead := n.remote(t, "http://127.0.0.1:1", "127.0.0.1:1", "dead")
	n.followedBy(t, n.anna, dead, false)
	arrived := make(chan struct{}, 10)
	p := newReceiver(t, n, n.anna)
	p.answerWith(func(arrival, int) answering { arrived <- struct{}{}; return answering{status: http.StatusAccepted} })
	n.follower(t, p, "bo")

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- n.Deliver(ctx) }()
	wait := func(what string) {
		t.Helper()
		select {
		case <-arrived:
		case err := <-ended:
			t.Fatalf("%s: the drain ended: %v", what, err)
		case <-time.After(3 * time.Minute):
			t.Fatalf("%s did not arrive", what)
		}
	}
	wait("what was due")
	n.write(t, "while it hangs")
	must(t, n.Federate(t.Context()))
	wait("what became due")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("stopped: %v", err)
	}
	if list := n.deliveries(t, strings.TrimPrefix(hanging.URL, "http://"), "queued"); len(list) != 2 || list[1].Attempts != 0 {
		t.Errorf("what was under way when the drain was stopped must stay as it was: %+v", list)
	}
	if list := n.deliveries(t, "127.0.0.1:1", "queued"); len(list) == 0 || list[len(list)-1].Attempts != 1 {
		t.Errorf("the dead host: %+v", list)
	}
}

// More hosts than there are places: all get theirs, and a stop leaves no host leased.
func TestDeliverToManyHosts(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase, func(c *Config) { c.Hosts = 3 })
	var peers []*receiver
	for i := range 10 {
		p := newReceiver(t, n, n.anna)
		n.follower(t, p, fmt.Sprintf("bo%d", i))
		peers = append(peers, p)
	}
	must(t, n.Deliver(t.Context()))
	n.write(t, "to all")
	n.deliverAll(t)
	for _, p := range peers {
		if got := p.kinds(); !slices.Equal(got, []string{"Accept", "Create"}) {
			t.Errorf("%s got %v", p.host, got)
		}
	}
	var leased int
	must(t, n.pool.QueryRow(t.Context(), `select count(*) from hosts where leased_until is not null`).Scan(&leased))
	if leased != 0 {
		t.Errorf("%d hosts are still leased", leased)
	}
}

// Hosts that hang give their places to others, even where there are more of them than places.
func TestDeliverBesideManyHangingHosts(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase, func(c *Config) { c.Hosts = 2 })
	hang := make(chan struct{})
	t.Cleanup(sync.OnceFunc(func() { close(hang) }))
	for i := range 5 {
		hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
		t.Cleanup(sync.OnceFunc(func() { hanging.CloseClientConnections() }))
		n.followedBy(t, n.anna, n.remote(t, hanging.URL, strings.TrimPrefix(hanging.URL, "http://"), fmt.Sprint("slow", i)), false)
	}
	p := newReceiver(t, n, n.anna)
	arrived := make(chan struct{}, 1)
	p.answerWith(func(arrival, int) answering { arrived <- struct{}{}; return answering{status: http.StatusAccepted} })
	n.follower(t, p, "bo")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- n.Deliver(ctx) }()
	select {
	case <-arrived: // the hanging ones time out after 5 s; the last of them would keep this one waiting for 10
	case err := <-ended:
		t.Fatalf("the drain ended with the hanging hosts before it came to the other: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("stopped: %v", err)
	}
	// What arrived just before is noted, although the drain was told to stop at once.
	if list := n.deliveries(t, "", "queued"); len(list) != 5 {
		t.Errorf("the hanging hosts wait for %+v", list)
	}
}

// A lane is free again when its host moves aside or leaves, once, and there are not more slow ones than it says.
func TestLanes(t *testing.T) {
	t.Parallel()
	l := newLanes(1)
	var slow []*lane
	for range slowLanes {
		if !l.room() {
			t.Fatal("a host that moved aside keeps its place")
		}
		one := l.enter()
		if l.room() {
			t.Fatal("there is room for more than one")
		}
		one.moveAside()
		one.moveAside()
		slow = append(slow, one)
	}
	last := l.enter()
	last.moveAside()
	if l.room() {
		t.Error("there are more slow hosts than there may be")
	}
	slow[0].leave()
	slow[0].moveAside()
	if last.moveAside(); !l.room() {
		t.Error("a slow host that left keeps its place")
	}
	for _, one := range append(slow[1:], last) {
		one.leave()
	}
	if l.fast != 0 || l.slow != 0 {
		t.Errorf("%d and %d are there when all have left", l.fast, l.slow)
	}
}
