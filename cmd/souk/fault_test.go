package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"souk"
	"souk/migrations/pgtest"
)

// Two nodes that follow each other, with a network between them that loses, cuts, doubles, delays and reorders what they
// send, for a minute (SOUK_TEST_FAULT_SECONDS) in which their people write, edit, delete, like, boost, follow, sell and take
// all of it back. Then the network is well, the queues run empty, and both sides must be equal: everything that one node's people did
// is on the other exactly once, as it was left, in its tables, its notifications and its search, and nothing else is.
//
// What happened is decided by a seed, which is printed; SOUK_TEST_FAULT_SEED repeats it, as far as two processors allow.
func TestFaults(t *testing.T) {
	t.Parallel()
	seed, lasts := uint64(1), uint64(60)
	for name, to := range map[string]*uint64{"SOUK_TEST_FAULT_SEED": &seed, "SOUK_TEST_FAULT_SECONDS": &lasts} {
		if text := os.Getenv(name); text != "" {
			var err error
			if *to, err = strconv.ParseUint(text, 10, 64); err != nil {
				t.Fatal(name, err)
			}
		}
	}
	t.Logf("SOUK_TEST_FAULT_SEED=%d", seed)
	a, b := newFaultNode(t, "A", seed), newFaultNode(t, "B", seed+1)
	both := []*faultNode{a, b}
	a.other, b.other = b, a
	for _, n := range both {
		n.settle(t)
	}
	for _, n := range both {
		n.meet(t)
	}
	quiet(t, a, b)
	// Both people and network begin at once; the work ends first, so that its last part suffers too.
	for _, n := range both {
		n.proxy.start()
	}
	working, stop := context.WithTimeout(t.Context(), time.Duration(lasts)*time.Second)
	defer stop()
	var group sync.WaitGroup
	for i, n := range both {
		for j, work := range n.work() {
			r := rand.New(rand.NewPCG(seed, uint64(100*i+j)))
			group.Go(func() {
				for working.Err() == nil {
					if err := work(working, r); err != nil && working.Err() == nil && !passedBy(err) {
						t.Errorf("node %s: %v", n.letter, err)
					}
					_ = pause(working, time.Duration(r.IntN(2000))*time.Millisecond) // which the end of the work may cut
				}
			})
		}
	}
	group.Wait()
	for _, n := range both {
		n.proxy.calm()
	}
	for _, n := range both {
		n.proxy.report(t, n.letter)
	}
	quiet(t, a, b)
	for _, n := range both {
		t.Logf("people of node %s: %s", n.letter, counted(n.did))
		n.heard(t)
		n.equal(t)
	}
}

// passedBy reports whether an error only says that somebody else was faster: what was to be liked had just been deleted.
func passedBy(err error) bool {
	return errors.Is(err, souk.ErrNotFound) || errors.Is(err, souk.ErrGone) || errors.Is(err, souk.ErrForbidden)
}

// faultNode is a node whose address is that of a proxy. It runs in this process, since only so can its schedule of
// retries be that of a minute and not of a week; everything else is as souk serve has it.
type faultNode struct {
	*demoNode
	proxy  *faultProxy
	other  *faultNode
	people []*souk.Account // the owner, who sells, and members

	lock sync.Mutex
	did  map[string]int
}

// faultBackoff is what the network's minute is to a node: as souk.DefaultBackoff, hundreds of times faster.
func faultBackoff() []time.Duration {
	return []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second, time.Second}
}

func newFaultNode(t *testing.T, letter string, seed uint64) *faultNode {
	t.Helper()
	dir, inside, outside := nodeDir(t), loopback(t), loopback(t)
	n := &faultNode{demoNode: &demoNode{letter: letter, address: outside, dir: dir, clock: &demoClock{}, child: &child{output: &lastLines{}}}, did: map[string]int{}}
	settings := fmt.Sprintf("domain = %q\nlisten = %q\nscheme = \"http\"\ndata_dir = \"data\"\nallow_networks = \"127.0.0.0/8\"\nrate_limit = 0\ndatabase_url = %q\n",
		outside, inside, pgtest.Empty(t))
	if err := os.WriteFile(filepath.Join(dir, configName), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	n.proxy = newFaultProxy(t, outside, inside, seed)
	c, err := n.config()
	if err != nil {
		t.Fatal(err)
	}
	c.Backoff = faultBackoff()
	log, err := os.Create(filepath.Join(dir, "souk.log"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, c, slog.New(slog.NewTextHandler(log, nil)), newTerminal(n.output, nil))
	}()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, n.close(context.WithoutCancel(t.Context())), log.Close()); err != nil {
			t.Errorf("node %s: %v", letter, err)
		}
	})
	if err := n.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

// settle makes the people of the node, with their keys.
func (n *faultNode) settle(t *testing.T) {
	ctx := t.Context()
	for i, name := range []string{"shop", "writer", "reader", "fan"} {
		role := souk.RoleMember
		if i == 0 {
			role = souk.RoleOwner
		}
		a, err := n.db.CreateAccount(ctx, souk.NewAccount{Name: name, Role: role, DisplayName: name})
		if err != nil {
			t.Fatal(err)
		}
		if err := until(ctx, "a key for "+name, func(ctx context.Context) (string, bool) {
			a, err = n.db.Account(ctx, a.ID)
			return fmt.Sprint(err), err == nil && a.PublicKey != ""
		}); err != nil {
			t.Fatal(err)
		}
		n.people = append(n.people, a)
	}
}

// meet lets the reader follow everybody of the other node, so that all they do is wanted, and the nodes follow each other.
func (n *faultNode) meet(t *testing.T) {
	for _, a := range n.other.people {
		if err := n.follow(t.Context(), "reader", a.Name+"@"+n.other.address); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.followNode(t.Context(), n.other.demoNode); err != nil {
		t.Fatal(err)
	}
}

// work is what people of the node do, each in an endless repetition of its own.
func (n *faultNode) work() []func(context.Context, *rand.Rand) error {
	shop, writer, reader, fan := n.people[0].ID, n.people[1].ID, n.people[2].ID, n.people[3].ID
	return []func(context.Context, *rand.Rand) error{
		func(ctx context.Context, r *rand.Rand) error { return n.writes(ctx, r, writer) },
		func(ctx context.Context, r *rand.Rand) error { return n.writes(ctx, r, shop) },
		func(ctx context.Context, r *rand.Rand) error { return n.answers(ctx, r, reader) },
		func(ctx context.Context, r *rand.Rand) error { return n.likes(ctx, r, fan) },
		func(ctx context.Context, r *rand.Rand) error { return n.boosts(ctx, r, reader) },
		func(ctx context.Context, r *rand.Rand) error { return n.follows(ctx, r, fan) },
		func(ctx context.Context, r *rand.Rand) error { return n.sells(ctx, r, shop) },
		func(ctx context.Context, r *rand.Rand) error { return n.renames(ctx, r, fan) },
	}
}

// count notes that something was done, where it was.
func (n *faultNode) count(what string, err error) error {
	if err == nil {
		n.lock.Lock()
		defer n.lock.Unlock()
		n.did[what]++
	}
	return err
}

// writes publishes a post, edits it up to three times at once, and deletes some.
func (n *faultNode) writes(ctx context.Context, r *rand.Rand, by int64) error {
	p, err := n.db.CreatePost(ctx, by, souk.NewPost{Source: fmt.Sprintf("Piece %d #kiln #n%d", r.Uint32(), r.IntN(9)), Lang: "en"})
	if n.count("posts", err) != nil {
		return err
	}
	return n.revises(ctx, r, by, p.ID)
}

func (n *faultNode) revises(ctx context.Context, r *rand.Rand, by, post int64) error {
	for i := range r.IntN(4) {
		_, err := n.db.EditPost(ctx, by, post, souk.NewPost{Source: fmt.Sprintf("Piece %d, edit %d #edit%d", r.Uint32(), i, i), Lang: "en"})
		if n.count("edits", err) != nil {
			return err
		}
	}
	if r.IntN(4) > 0 {
		return nil
	}
	return n.count("deletions", n.db.DeletePost(ctx, by, post))
}

// answers replies to something of the other node, and revises that.
func (n *faultNode) answers(ctx context.Context, r *rand.Rand, by int64) error {
	to, err := n.some(ctx, r)
	if err != nil {
		return err
	}
	p, err := n.db.CreatePost(ctx, by, souk.NewPost{Source: fmt.Sprintf("Is it %d cm? @%s@%s", r.IntN(100), "fan", n.other.address), Lang: "en", InReplyTo: to})
	if n.count("replies", err) != nil {
		return err
	}
	return n.revises(ctx, r, by, p.ID)
}

// some is one of the newest posts and listings of the other node that this one knows.
func (n *faultNode) some(ctx context.Context, r *rand.Rand) (id int64, err error) {
	err = n.store.pool.QueryRow(ctx, `select id from (select id from posts where not local and deleted is null and kind <> 'boost'
		order by id desc limit 12) p offset $1 limit 1`, r.IntN(12)).Scan(&id)
	if err != nil {
		return 0, errors.Join(err, souk.ErrNotFound)
	}
	return id, nil
}

// likes likes something, and takes it back, and likes it again.
func (n *faultNode) likes(ctx context.Context, r *rand.Rand, by int64) error {
	post, err := n.some(ctx, r)
	if err != nil {
		return err
	}
	for i := range 1 + r.IntN(4) {
		if i%2 == 0 {
			err = n.count("likes", n.db.Like(ctx, by, post))
		} else {
			err = n.count("unlikes", n.db.Unlike(ctx, by, post))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *faultNode) boosts(ctx context.Context, r *rand.Rand, by int64) error {
	post, err := n.some(ctx, r)
	if err != nil {
		return err
	}
	for i := range 1 + r.IntN(4) {
		if i%2 == 0 {
			_, err = n.db.Boost(ctx, by, post)
			err = n.count("boosts", err)
		} else {
			err = n.count("unboosts", n.db.Unboost(ctx, by, post))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// follows begins and ends a follow of somebody of the other node. What is begun again at once is a race on the way.
func (n *faultNode) follows(ctx context.Context, r *rand.Rand, by int64) error {
	them, err := n.db.AccountByURI(ctx, n.other.people[r.IntN(3)].URI)
	if err != nil {
		return err
	}
	for i := range 1 + r.IntN(4) {
		state, err := n.db.FollowState(ctx, by, them.ID)
		if err != nil {
			return err
		}
		if state == "" {
			_, err = n.db.Follow(ctx, by, them.ID)
			err = n.count("follows", err)
		} else {
			err = n.count("unfollows", n.db.Unfollow(ctx, by, them.ID))
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return nil
}

// sells publishes a product, announced or not, and changes its price and stock; some it withdraws.
func (n *faultNode) sells(ctx context.Context, r *rand.Rand, by int64) error {
	l, err := n.db.CreateListing(ctx, by, souk.NewListing{Title: fmt.Sprint("Bowl ", r.Uint32()), Description: "Thrown by hand.", Quantity: 5, Tags: []string{"bowl"},
		Price: souk.Money{Amount: 1000 + int64(r.IntN(5000)), Currency: "EUR"}, Announce: r.IntN(2) == 0, Lang: "en"})
	if n.count("listings", err) != nil {
		return err
	}
	for range r.IntN(5) {
		var c souk.ListingChange
		what := "prices"
		if r.IntN(3) > 0 {
			c.Price = &souk.Money{Amount: 1000 + int64(r.IntN(5000)), Currency: "EUR"}
		} else {
			quantity := r.IntN(2) * 5
			c.Quantity, what = &quantity, "stocks"
		}
		_, err := n.db.ChangeListing(ctx, by, l.ID, c)
		if n.count(what, err) != nil {
			return err
		}
	}
	if r.IntN(4) > 0 {
		return nil
	}
	return n.count("withdrawals", n.db.WithdrawListing(ctx, by, l.ID))
}

// renames changes a profile, as often as anything else changes: whichever Update comes last, the last name counts.
func (n *faultNode) renames(ctx context.Context, r *rand.Rand, by int64) error {
	name := fmt.Sprint("Fan ", r.Uint32())
	_, err := n.db.SaveProfile(ctx, by, souk.Profile{DisplayName: &name})
	return n.count("names", err)
}

// patience is how long tests wait for what must come, on whatever machine.
const patience = 5 * time.Minute

// quiet waits until no node has anything left to do, nor anything under way to another.
func quiet(t *testing.T, nodes ...*faultNode) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start := time.Now()
	for seen := 0; seen < 3; {
		left := ""
		for _, n := range nodes {
			var inbox, events, deliveries, index, keys int
			if err := n.store.pool.QueryRow(ctx, `select (select count(*) from inbox_queue),
				(select count(*) from events where done is null and (after is null or after < now())), (select count(*) from deliveries where state = 'queued'),
				(select count(*) from search_outbox), (select count(*) from river_job where kind in ('key', 'backfill') and finalized_at is null and scheduled_at <= now())`).
				Scan(&inbox, &events, &deliveries, &index, &keys); err != nil {
				t.Fatalf("after %s: %v; %s", time.Since(start), err, left)
			}
			if inbox+events+deliveries+index+keys > 0 {
				left += fmt.Sprintf(" node %s: %d received, %d events, %d deliveries, %d to index, %d jobs;", n.letter, inbox, events, deliveries, index, keys)
			}
		}
		if seen++; left != "" {
			seen = 0
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			t.Fatalf("after %s there is still%s", patience, left)
		}
	}
	t.Logf("all quiet after %.1f s", time.Since(start).Seconds())
}

// counted is the counts by name, in order.
func counted[K ~string](counts map[K]int) string {
	var texts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		texts = append(texts, fmt.Sprint(counts[what], " ", what))
	}
	return strings.Join(texts, ", ")
}
