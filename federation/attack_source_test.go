package federation

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// rubbish is a Follow of an actor of honest's host that nobody here knows, signed with eve's key and sent from an address.
func (w *world) rubbish(t *testing.T, i int, from string) *SignedRequest {
	t.Helper()
	nobody := fmt.Sprintf("%s/users/nobody%d", w.honest.URL, i)
	body := encoded(t, w.honest.activity("Follow", nobody, fmt.Sprintf("/rubbish/%d", i), w.anna.URI))
	return sentFrom(from, w.signedBy(t, nobody+"#main-key", w.evil.key, body))
}

func sentFrom(address string, req *SignedRequest) *SignedRequest {
	req.From = address
	return req
}

// newcomer makes an actor of honest's host and sends its Follow, signed as it should be.
func (w *world) newcomer(t *testing.T, name, from string) (int, error) {
	t.Helper()
	actor := w.honest.person(t, name)
	body := encoded(t, w.honest.activity("Follow", actor, "/follows/"+name, w.anna.URI))
	return w.Receive(t.Context(), sentFrom(from, w.signedBy(t, actor+"#main-key", w.honest.key, body)))
}

const (
	homeOfHonest = "192.0.2.1"
	homeOfEvil   = "198.51.100.7"
)

// Who sends rubbish in the name of a host uses up what its own address may, and nothing of what that host is asked for keys
// when its actors come.
func TestFloodInTheNameOfAHost(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	before := w.state(t)
	asked, statuses := 0, map[int]int{}
	for i := range 3 * purses[senderPurse].Burst {
		status := w.receives(t, w.rubbish(t, i, homeOfEvil))
		statuses[status]++
		asked += w.honest.requests(fmt.Sprintf("/users/nobody%d", i))
	}
	if burst := (Budgets{}).withDefaults().Source.Burst; asked == 0 || asked > burst || statuses[http.StatusTooManyRequests] != 3*purses[senderPurse].Burst-burst {
		t.Errorf("one address made it ask %d times: %v", asked, statuses)
	}
	var refused *RefusedError
	if _, err := w.Receive(t.Context(), w.rubbish(t, 1000, homeOfEvil)); !errors.As(err, &refused) || refused.RetryAfter <= 0 {
		t.Errorf("the flood is told %v", err)
	}
	if after := w.state(t); after != before {
		t.Errorf("something changed:\n%s", difference(before, after))
	}
	for _, name := range []string{"first", "second"} { // the controls: the host itself, of which nothing was heard from there
		if status, err := w.newcomer(t, name, homeOfHonest); status != http.StatusAccepted {
			t.Errorf("the true host's %s: %d %v", name, status, err)
		}
	}
	// A known key costs nothing, wherever it comes from: a proxy that nobody told the node of makes all addresses one.
	if status := w.receives(t, sentFrom(homeOfEvil, w.from(t, encoded(t, w.hello())))); status != http.StatusAccepted {
		t.Errorf("a known key from the flooder's address: %d", status)
	}
	if status, err := w.newcomer(t, "third", homeOfEvil); status != http.StatusAccepted {
		t.Errorf("a new key of a host that has been heard from the flooder's address: %d %v", status, err)
	}
	// Each new key of a newcomer verified, and was given back.
	for i := range 50 {
		if status, err := w.newcomer(t, fmt.Sprintf("crowd%d", i), "192.0.2.99"); status != http.StatusAccepted {
			t.Fatalf("newcomer %d: %d %v", i, status, err)
		}
	}
}

// Many addresses use up what a host is asked for the sake of strangers; where its actors have signed from before it is heard
// all the same, and only there.
func TestFloodOfManyAddressesInTheNameOfAHost(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	if status, err := w.newcomer(t, "first", homeOfHonest); status != http.StatusAccepted {
		t.Fatalf("the true host: %d %v", status, err)
	}
	for i := range purses[senderPurse].Burst + 20 {
		w.receives(t, w.rubbish(t, i, fmt.Sprintf("2001:db8:%x::1", i)))
	}
	if status, _ := w.newcomer(t, "elsewhere", "2001:db8:ffff::1"); status != http.StatusTooManyRequests {
		t.Errorf("the purse for strangers is not used up: %d", status)
	}
	for i := range 20 {
		if status, err := w.newcomer(t, fmt.Sprintf("new%d", i), homeOfHonest); status != http.StatusAccepted {
			t.Fatalf("the true host's newcomer %d: %d %v", i, status, err)
		}
	}
	// The control: the same address, once the purse fills again.
	w.clock.advance(time.Minute)
	if status, err := w.newcomer(t, "later", "2001:db8:ffff::1"); status != http.StatusAccepted {
		t.Errorf("a minute later: %d %v", status, err)
	}
}

// An own host that hands out ids of another one makes nobody ask that one for keys.
func TestKeysAreAskedForWhereTheyAreNamed(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	before := w.state(t)
	for i := range 5 {
		name := fmt.Sprintf("mirror%d", i)
		w.evil.serve("/users/"+name, w.honest.actor(t, "target"))
		actor := w.evil.URL + "/users/" + name
		body := encoded(t, w.evil.activity("Follow", actor, "/follow/"+name, w.anna.URI))
		if status := w.receives(t, w.signedBy(t, actor+"#main-key", w.evil.key, body)); status != http.StatusUnauthorized {
			t.Errorf("a key at the id of another host: %d", status)
		}
	}
	if n := w.honest.requests("/users/target"); n != 0 {
		t.Errorf("the other host was asked %d times", n)
	}
	if after := w.state(t); after != before {
		t.Errorf("something changed:\n%s", difference(before, after))
	}
}

// Readers have budgets of the same kind.
func TestFloodOfReadersInTheNameOfAHost(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	ctx := t.Context()
	must(t, c.db.SetSecureMode(ctx, c.anna.ID, true))
	c.clock.advance(secureFor)
	read := func(actor, from string, node *otherNode) error {
		_, err := c.Post(ctx, sentFrom(from, c.asks(t, signedCavage, actor+"#main-key", node.key, c.public.URI)), c.public.ID)
		return err
	}
	for i := range 3 * purses[readerPurse].Burst {
		if err := read(fmt.Sprintf("%s/users/nobody%d", c.thirds.URL, i), homeOfEvil, c.sams); err == nil {
			t.Fatal("rubbish was let in")
		}
	}
	for i := range 10 {
		must(t, read(c.thirds.person(t, fmt.Sprintf("reader%d", i)), homeOfHonest, c.thirds))
	}
	must(t, c.db.SetSecureMode(ctx, c.anna.ID, false))
}

// What is remembered of addresses is bounded, and naming a host makes nothing of it.
func TestProofsAreBounded(t *testing.T) {
	t.Parallel()
	p, now := newProofs(), newClock().Now()
	for i := range 100 {
		if p.has(homeOfEvil, fmt.Sprintf("named%d.example", i)) {
			t.Error("nothing was proved")
		}
		p.add(fmt.Sprintf("192.0.2.%d", i), "ben.example", now)
	}
	if len(p.domains.byKey) != 1 || len(*p.domains.byKey["ben.example"]) != addressesProved {
		t.Errorf("%d domains are remembered, %v", len(p.domains.byKey), p.domains.byKey)
	}
	for address, want := range map[string]bool{"192.0.2.99": true, "192.0.2.84": true, "192.0.2.1": false} {
		if got := p.has(address, "media.ben.example:8443"); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	p.add("2001:db8::1", "cara.example", now)
	if !p.has("2001:db8::2", "cara.example") || p.has("2001:db8:0:1::1", "cara.example") {
		t.Error("a network of IPv6 is one address, and no more")
	}
	for i := range maxProved + 10 {
		p.add(homeOfEvil, fmt.Sprintf("d%d.example", i), now)
	}
	if n := len(p.domains.byKey); n > maxProved {
		t.Errorf("%d domains are remembered", n)
	}
}

// What strangers answer makes this node ask the host of what is answered, and uses up nothing of what it wants of that host itself.
func TestFloodOfAnswersToAnotherHost(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	asked := 0
	for i := range purses[ownPurse].Burst + 20 {
		path, parent := fmt.Sprintf("/bait/%d", i), fmt.Sprintf("/nothing/%d", i)
		note := with(mention(w.evil.note(w.eve, path, "<p>Bait</p>"), w.anna.URI), "inReplyTo", w.honest.URL+parent)
		w.done(t, w.evil, w.evil.activity("Create", w.eve, "/activities"+path, note))
		asked += w.honest.requests(parent)
	}
	if asked == 0 || asked > purses[contextPurse].Burst {
		t.Errorf("the other host was asked %d times", asked)
	}
	ok(w.ResolveActor(t.Context(), w.honest.person(t, "new")))(t)
	w.honest.serve("/notes/wanted", w.honest.note(w.ben, "/notes/wanted", "<p>Wanted</p>"))
	ok(w.ResolvePost(t.Context(), w.honest.URL+"/notes/wanted"))(t)
	// The control: what stands above a post is read.
	w.clock.advance(time.Minute)
	w.honest.serve("/notes/above", w.honest.note(w.ben, "/notes/above", "<p>Above</p>"))
	note := with(mention(w.evil.note(w.eve, "/notes/below", "<p>Below</p>"), w.anna.URI), "inReplyTo", w.honest.URL+"/notes/above")
	w.done(t, w.evil, w.evil.activity("Create", w.eve, "/activities/below", note))
	w.post(t, w.honest.URL+"/notes/above")
}
