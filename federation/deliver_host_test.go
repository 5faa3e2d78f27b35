package federation

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"souk"
)

// objectOf is the id of what an activity is about.
func (a arrival) objectOf() string {
	if id, ok := a.body["object"].(string); ok {
		return id
	}
	o, _ := a.body["object"].(map[string]any)
	id, _ := o["id"].(string)
	return id
}

// Both versions of HTTP over TLS, as real servers speak them.
func TestDeliverOverHTTP1AndHTTP2(t *testing.T) {
	t.Parallel()
	for version, start := range map[int]func(*httptest.Server){
		1: (*httptest.Server).StartTLS,
		2: func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
	} {
		roots := x509.NewCertPool()
		n := newNode(t, testBase, func(c *Config) {
			c.Client = NewClient(FetchConfig{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, RootCAs: roots})
			t.Cleanup(c.Client.CloseIdle)
		})
		p := startReceiver(t, n, start, n.anna)
		roots.AddCert(p.Certificate())
		n.follower(t, p, "bo")
		post := n.write(t, "hello")
		n.deliverAll(t)
		ok(n.db.EditPost(t.Context(), n.anna.ID, post.ID, souk.NewPost{Source: "hello again"}))(t)
		n.deliverAll(t)
		if got := p.kinds(); !slices.Equal(got, []string{"Accept", "Create", "Update"}) {
			t.Errorf("HTTP/%d: arrived %v", version, got)
		}
		for _, a := range p.arrived() {
			if a.http != version {
				t.Errorf("%s went by HTTP/%d, want %d", a.kind, a.http, version)
			}
		}
	}
}

// A failing host is probed with one delivery a step, however many wait; then all go, in order, each made afresh: a
// signature of the first attempt would be too old by then.
func TestDeliverProbesAFailingHost(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	must(t, n.Deliver(t.Context()))
	p.answerWith(status(http.StatusServiceUnavailable))
	want := []string{}
	for i := range 5 {
		want = append(want, n.write(t, fmt.Sprint("post ", i)).URI)
	}
	before := p.asked()
	for step, wait := range souk.DefaultBackoff()[:10] {
		n.deliverAll(t)
		must(t, n.Deliver(t.Context()))
		if got := p.asked() - before; got != step+1 {
			t.Fatalf("after %d steps the host was asked %d times", step+1, got)
		}
		n.clock.advance(wait)
	}
	p.answerWith(nil)
	must(t, n.Deliver(t.Context()))
	got := []string{}
	for _, a := range p.arrived()[1:] {
		got = append(got, a.objectOf())
	}
	if !slices.Equal(got, want) {
		t.Errorf("arrived %v, want %v", got, want)
	}
	if h := ok(n.db.Host(t.Context(), p.host))(t); h.Failures != 0 || h.NextAt != nil || h.LastError != "" {
		t.Errorf("after all that the host is %+v", h)
	}
}

// One delivery that the host cannot take does not hold up what is about something else, for ever; what is about the same
// object still waits behind it.
func TestDeliverPastWhatOneHostCannotTake(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	must(t, n.Deliver(t.Context()))
	poison := n.write(t, "poison")
	other := n.write(t, "other")
	ok(n.db.EditPost(t.Context(), n.anna.ID, poison.ID, souk.NewPost{Source: "poison still"}))(t)
	p.answerWith(func(a arrival, _ int) answering {
		if a.objectOf() == poison.URI {
			return answering{status: http.StatusInternalServerError}
		}
		return answering{status: http.StatusAccepted}
	})
	n.deliverAll(t)
	for _, wait := range souk.DefaultBackoff()[:2] {
		if got := len(p.arrived()); got != 1 {
			t.Fatalf("%d arrived before it was clear that the host works", got)
		}
		n.clock.advance(wait)
		must(t, n.Deliver(t.Context()))
	}
	if got := p.arrived(); len(got) != 2 || got[1].objectOf() != other.URI {
		t.Fatalf("arrived %v", p.kinds())
	}
	later := n.write(t, "later")
	n.deliverAll(t)
	if got := p.arrived(); len(got) != 3 || got[2].objectOf() != later.URI {
		t.Fatalf("arrived %v", p.kinds())
	}
	p.answerWith(nil)
	n.clock.advance(24 * time.Hour)
	must(t, n.Deliver(t.Context()))
	if got := p.kinds()[3:]; !slices.Equal(got, []string{"Create", "Update"}) {
		t.Errorf("in the end arrived %v", got)
	}
}

// Everything fails: what waits by itself is no way around the rest of the host.
func TestDeliverPastNothingThatFails(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	must(t, n.Deliver(t.Context()))
	p.answerWith(status(http.StatusInternalServerError))
	for i := range 30 {
		n.write(t, fmt.Sprint("post ", i))
	}
	must(t, n.Federate(t.Context()))
	for range 20 {
		before := p.asked()
		must(t, n.Deliver(t.Context()))
		if got := p.asked() - before; got > 2 {
			t.Fatalf("a host that always fails was asked %d times at once", got)
		}
		n.clock.advance(24 * time.Hour)
	}
	if h := ok(n.db.Host(t.Context(), p.host))(t); h.DeadSince == nil {
		t.Errorf("a host that fails for weeks is %+v", h)
	}
}

// A host that is thought dead and speaks to us gets what waits for it at once, but is not asked for each word it says.
func TestDeliverWhenADeadHostSpeaks(t *testing.T) {
	t.Parallel()
	n, speaker := inbound(t), newOtherNode(t, 1)
	ben := speaker.person(t, "ben")
	p := newReceiver(t, n, n.anna)
	bo := ok(n.ResolveActor(t.Context(), ben))(t)
	n.followedBy(t, n.anna, bo, false)
	inbox := p.URL + "/inbox" // ben's server takes deliveries elsewhere
	if _, err := n.pool.Exec(t.Context(), `update accounts set shared_inbox = $1 where id = $2`, inbox, bo.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := n.pool.Exec(t.Context(), `update deliveries set inbox = $1`, inbox); err != nil {
		t.Fatal(err)
	}
	p.answerWith(status(http.StatusServiceUnavailable))
	for range souk.DeadAfterDays {
		must(t, n.Deliver(t.Context()))
		n.clock.advance(25 * time.Hour)
	}
	n.clock.advance(-24 * time.Hour)
	if h := ok(n.db.Host(t.Context(), speaker.host()))(t); h.DeadSince == nil {
		t.Fatalf("the host is %+v", h)
	}
	n.write(t, "hello")
	n.deliverAll(t)
	asked := p.asked()
	say := func(path string) {
		t.Helper()
		if got := n.send(t, speaker, speaker.activity("Like", ben, path, n.anna.URI)); got != http.StatusAccepted {
			t.Fatalf("answered %d", got)
		}
		must(t, n.Deliver(t.Context()))
	}
	say("/1")
	if got := p.asked(); got != asked+1 {
		t.Errorf("asked %d times after it spoke, want once", got-asked)
	}
	say("/2")
	if got := p.asked(); got != asked+1 {
		t.Errorf("asked %d times after it spoke twice in a minute, want once", got-asked)
	}
	p.answerWith(nil)
	n.clock.advance(2 * time.Minute)
	say("/3")
	if got := p.kinds(); !slices.Equal(got, []string{"Accept", "Create"}) {
		t.Errorf("arrived %v", got)
	}
	if h := ok(n.db.Host(t.Context(), speaker.host()))(t); h.DeadSince != nil || h.Failures != 0 {
		t.Errorf("it did not revive: %+v", h)
	}
}

// A shared inbox that is gone costs nobody their followers: the personal ones behind it take over, and only theirs end
// a follow. One that is not there for a moment changes nothing.
func TestDeliverWhenASharedInboxIsGone(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	for code, attempts := range map[int]int{http.StatusGone: 1, http.StatusNotFound: refusedAfter} {
		p := newReceiver(t, n, n.anna)
		bo, cy := n.follower(t, p, fmt.Sprint("bo", code)), n.follower(t, p, fmt.Sprint("cy", code))
		must(t, n.Deliver(t.Context())) // the Accepts go to personal inboxes
		accepts := len(p.arrived())
		p.answerWith(func(a arrival, _ int) answering {
			if a.path == "/inbox" || strings.HasPrefix(a.path, "/users/cy") {
				return answering{status: code}
			}
			return answering{status: http.StatusAccepted}
		})
		post := n.write(t, "one")
		ok(n.db.EditPost(t.Context(), n.anna.ID, post.ID, souk.NewPost{Source: "two"}))(t)
		n.deliverAll(t)
		for range attempts - 1 {
			if got := len(p.arrived()); got != accepts {
				t.Fatalf("%d: the shared inbox was given up after less than %d attempts", code, attempts)
			}
			n.clock.advance(time.Hour)
			must(t, n.Deliver(t.Context()))
		}
		if got := p.kinds()[accepts:]; !slices.Equal(got, []string{"Create", "Update"}) {
			t.Errorf("%d: arrived %v", code, got)
		}
		for _, a := range p.arrived()[accepts:] {
			if a.path != "/users/"+bo.Name+"/inbox" {
				t.Errorf("%d: %s went to %s", code, a.kind, a.path)
			}
		}
		if got := ok(n.db.FollowState(t.Context(), bo.ID, n.anna.ID))(t); got != souk.FollowAccepted {
			t.Errorf("%d: the follower with an inbox is %q", code, got)
		}
		if got := ok(n.db.FollowState(t.Context(), cy.ID, n.anna.ID))(t); got != "" {
			t.Errorf("%d: the follower without an inbox is %q", code, got)
		}
		if waiting := n.deliveries(t, p.host, "queued"); len(waiting) != 0 {
			t.Errorf("%d: still waiting: %+v", code, waiting)
		}
		n.write(t, "three")
		n.deliverAll(t)
		if got := p.arrived(); got[len(got)-1].path != "/users/"+bo.Name+"/inbox" {
			t.Errorf("%d: the next post went to %s", code, got[len(got)-1].path)
		}
	}
}

// A key that changed a moment ago is used at once where the old one is refused.
func TestDeliverWithTheKeyOfNow(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	p.answerWith(func(_ arrival, request int) answering {
		if request == 1 {
			// Meanwhile the owner makes a new key, and the peer has read it.
			if _, err := n.pool.Exec(context.WithoutCancel(t.Context()), `update accounts set public_key = $1, private_key = $2 where id = $3`,
				publicPEM(t, testKeys()[2]), privatePEM(t, testKeys()[2]), n.anna.ID); err != nil {
				t.Error(err)
			}
			p.keys[n.anna.KeyID] = publicPEM(t, testKeys()[2])
			return answering{status: http.StatusUnauthorized}
		}
		return answering{status: http.StatusAccepted}
	})
	must(t, n.Deliver(t.Context()))
	if got := p.arrived(); len(got) != 1 || got[0].spec != SpecCavage || p.asked() != 2 {
		t.Errorf("asked %d times, arrived %+v", p.asked(), got)
	}
	if h := ok(n.db.Host(t.Context(), p.host))(t); h.Signature != signedCavage {
		t.Errorf("a key that was old says nothing of the form of signatures, remembered %q", h.Signature)
	}
}

// The newer form of signatures is tried again after a week where it was refused, and where the peer itself uses it or asks
// for it; not where nobody knows whether it would be dropped unseen.
func TestDeliverTriesTheNewerSignatureAgain(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	specs := []SignatureSpec{}
	understands := map[SignatureSpec]bool{SpecCavage: true}
	p := newReceiver(t, n, n.anna)
	p.answerWith(func(a arrival, _ int) answering {
		specs = append(specs, a.spec)
		if !understands[a.spec] {
			return answering{status: http.StatusUnauthorized}
		}
		return answering{status: http.StatusAccepted}
	})
	expect := func(what string, want ...SignatureSpec) {
		t.Helper()
		specs = nil
		n.write(t, what)
		n.deliverAll(t)
		if !slices.Equal(specs, want) {
			t.Errorf("%s: signed with %v, want %v", what, specs, want)
		}
	}
	n.follower(t, p, "bo")
	must(t, n.Deliver(t.Context()))
	n.clock.advance(8 * 24 * time.Hour)
	expect("it never refused anything", SpecCavage)
	must(t, n.db.HostSpoke(t.Context(), p.host, true))
	expect("it signs in the newer form", SpecRFC9421, SpecCavage)
	expect("it refused that", SpecCavage)
	must(t, n.db.HostSpoke(t.Context(), p.host, true))
	expect("it refused that a moment ago", SpecCavage)
	n.clock.advance(8 * 24 * time.Hour)
	expect("a week later", SpecRFC9421, SpecCavage)
	understands[SpecRFC9421] = true
	n.clock.advance(8 * 24 * time.Hour)
	expect("it learnt it", SpecRFC9421)
	understands[SpecCavage] = false
	expect("it forgot the old one", SpecRFC9421)
	if h := ok(n.db.Host(t.Context(), p.host))(t); h.Signature != signedRFC9421 {
		t.Errorf("remembered %q", h.Signature)
	}
}

// Nobody is told of a change to what never arrived; a Delete still goes, for the attempt may have arrived without an answer.
func TestDeliverNoUpdateOfWhatNeverArrived(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p, well := newReceiver(t, n, n.anna), newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	n.follower(t, well, "cy")
	must(t, n.Deliver(t.Context()))
	p.answerWith(status(http.StatusUnprocessableEntity))
	post := n.write(t, "one")
	edit := func(text string) {
		t.Helper()
		ok(n.db.EditPost(t.Context(), n.anna.ID, post.ID, souk.NewPost{Source: text}))(t)
	}
	edit("an edit that is queued already")
	n.deliverAll(t)
	p.answerWith(nil)
	edit("an edit after it failed")
	n.deliverAll(t)
	must(t, n.db.DeletePost(t.Context(), n.anna.ID, post.ID))
	n.deliverAll(t)
	if got := p.kinds(); !slices.Equal(got, []string{"Accept", "Delete"}) {
		t.Errorf("where the Create failed arrived %v", got)
	}
	if got := well.kinds(); !slices.Equal(got, []string{"Accept", "Create", "Update", "Update", "Delete"}) {
		t.Errorf("elsewhere arrived %v", got)
	}
	if dropped := n.deliveries(t, p.host, "dropped"); len(dropped) != 1 || dropped[0].Error != souk.EndNoCreate {
		t.Errorf("dropped: %+v", dropped)
	}
}

// What the owner stops is stopped, also in the middle of a host's deliveries.
func TestDeliverStopsForAHeldHost(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	p := newReceiver(t, n, n.anna)
	n.follower(t, p, "bo")
	n.write(t, "one")
	n.write(t, "two")
	p.answerWith(func(_ arrival, request int) answering {
		if request == 1 {
			if _, err := n.pool.Exec(context.WithoutCancel(t.Context()), `update hosts set held = true where host = $1`, p.host); err != nil {
				t.Error(err)
			}
		}
		return answering{status: http.StatusAccepted}
	})
	n.deliverAll(t)
	if got := p.asked(); got != 1 {
		t.Errorf("asked %d times, the host was held after the first", got)
	}
}
