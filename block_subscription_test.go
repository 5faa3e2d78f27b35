package souk

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertest"
)

// listed subscribes to a list that says so.
func (n *node) listed(t *testing.T, url string, lines ...string) int64 {
	t.Helper()
	id, err := n.SubscribeBlockList(t.Context(), n.owner.ID, url)
	if err != nil {
		t.Fatal(err)
	}
	n.reads(t, id, lines...)
	return id
}

// reads is that a list says this now; each line is "domain severity".
func (n *node) reads(t *testing.T, id int64, lines ...string) {
	t.Helper()
	list, err := ParseBlockList("#domain,#severity\n" + strings.ReplaceAll(strings.Join(lines, "\n"), " ", ","))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.BlockListRead(t.Context(), id, list.Blocks, `"1"`, ""); err != nil {
		t.Fatal(err)
	}
}

// inForce are the blocks in force, as "domain severity".
func (n *node) inForce(t *testing.T, want ...string) {
	t.Helper()
	blocks, err := n.HostBlocks(t.Context(), n.owner.ID, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range blocks {
		got = append(got, strings.TrimSpace(b.Domain+" "+b.Severity))
	}
	if !slices.Equal(got, want) {
		t.Errorf("in force %v, want %v", got, want)
	}
}

func TestSubscribeBlockList(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	known := n.remote(t, "ben", "www.bad.example")
	for _, wrong := range []string{"", "bad.example/list.csv", "ftp://lists.example/a", "https://u:p@lists.example/a", "javascript:1"} {
		if _, err := n.SubscribeBlockList(ctx, n.owner.ID, wrong); !isInvalid(err, "url") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	seller, err := n.CreateAccount(ctx, NewAccount{Name: "sam", Role: RoleSeller})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.SubscribeBlockList(ctx, seller.ID, "https://lists.example/a"); !errors.Is(err, ErrForbidden) {
		t.Errorf("a seller subscribes: %v", err)
	}
	id := n.listed(t, "https://lists.example/a", "bad.example suspend", "loud.example silence", "example suspend", "shop.example suspend", "bad.example silence")
	rivertest.RequireInserted(ctx, t, riverpgxv5.New(n.Pool()), BlockListArgs{}, nil)
	if _, err := n.SubscribeBlockList(ctx, n.owner.ID, "https://lists.example/a#again"); !isInvalid(err, "url") {
		t.Errorf("twice: %v", err)
	}
	// Nothing that covers the node itself, however wide it is.
	n.inForce(t, "bad.example suspend", "loud.example silence")
	if refused, err := n.Refused(ctx, known.Host, known.URI); err != nil || !refused {
		t.Errorf("a known host of the list: %v %v", refused, err)
	}
	if refused, err := n.Refused(ctx, "new.bad.example", ""); err != nil || !refused {
		t.Errorf("one never heard of: %v %v", refused, err)
	}
	s, err := n.BlockSubscription(ctx, n.owner.ID, id)
	if err != nil || s.Entries != 2 || s.InForce != 2 || s.Proposed != 0 || s.ETag != `"1"` || s.Fetched == nil || s.Changed == nil || s.Error != "" {
		t.Errorf("%+v %v", s, err)
	}
	// It is due again after a day, and what failed leaves all as it is.
	if due, err := n.DueBlockLists(ctx); err != nil || len(due) != 0 {
		t.Errorf("due at once: %v %v", due, err)
	}
	n.clock.Advance(25 * time.Hour)
	if err := n.BlockListFailed(ctx, id, ListStatus, "500"); err != nil {
		t.Fatal(err)
	}
	if due, err := n.DueBlockLists(ctx); err != nil || !slices.Equal(due, []int64{id}) {
		t.Errorf("due after a day: %v %v", due, err)
	}
	s, err = n.BlockSubscription(ctx, n.owner.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	if code, detail := s.Trouble(); code != ListStatus || detail != "500" {
		t.Errorf("trouble %q %q", code, detail)
	}
	n.inForce(t, "bad.example suspend", "loud.example silence")
	if err := n.BlockListUnchanged(ctx, id); err != nil {
		t.Fatal(err)
	}
	if s, err = n.BlockSubscription(ctx, n.owner.ID, id); err != nil || s.Error != "" || !s.Fetched.Equal(n.Now()) || s.Changed.Equal(n.Now()) {
		t.Errorf("unchanged: %+v %v", s, err)
	}
	// What left the list is lifted.
	n.reads(t, id, "loud.example suspend", "new.example silence")
	n.inForce(t, "loud.example suspend", "new.example silence")
	if refused, err := n.Refused(ctx, known.Host, known.URI); err != nil || refused {
		t.Errorf("refused after it left the list: %v", err)
	}
	if err := n.UnsubscribeBlockList(ctx, seller.ID, id); !errors.Is(err, ErrForbidden) {
		t.Errorf("a seller unsubscribes: %v", err)
	}
	if err := n.UnsubscribeBlockList(ctx, n.owner.ID, id); err != nil {
		t.Fatal(err)
	}
	n.inForce(t)
	if err := n.BlockListRead(ctx, id, nil, "", ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("read after it ended: %v", err)
	}
	if err := n.UnsubscribeBlockList(ctx, n.owner.ID, id); !errors.Is(err, ErrNotFound) {
		t.Errorf("ended twice: %v", err)
	}
}

// What is set by hand goes before lists, and of several lists the strictest counts.
func TestListsAndHand(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	if err := n.BlockHosts(ctx, n.owner.ID, []HostBlock{{Domain: "mine.example", Severity: Silence}, {Domain: "fine.example"}}); err != nil {
		t.Fatal(err)
	}
	a := n.listed(t, "https://lists.example/a", "mine.example suspend", "fine.example suspend", "both.example silence", "a.example suspend")
	b := n.listed(t, "https://lists.example/b", "both.example suspend")
	n.inForce(t, "a.example suspend", "both.example suspend", "fine.example", "mine.example silence")
	n.reads(t, b, "other.example silence")
	n.inForce(t, "a.example suspend", "both.example silence", "fine.example", "mine.example silence", "other.example silence")
	if err := n.UnblockHost(ctx, n.owner.ID, "mine.example"); err != nil {
		t.Fatal(err)
	}
	n.inForce(t, "a.example suspend", "both.example silence", "fine.example", "mine.example suspend", "other.example silence")
	if err := n.BlockHost(ctx, n.owner.ID, "a.example", Silence, "enough"); err != nil {
		t.Fatal(err)
	}
	if err := n.UnsubscribeBlockList(ctx, n.owner.ID, a); err != nil {
		t.Fatal(err)
	}
	n.inForce(t, "a.example silence", "fine.example", "other.example silence")
}

// An entry that would end follows waits for the owner.
func TestProposedBlocks(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, dan := n.remote(t, "ben", "a.friends.example"), n.remote(t, "dan", "fans.example")
	n.follows(t, ben)
	if err := n.ReceiveFollow(ctx, dan.URI+"#follow", dan, n.owner, false); err != nil {
		t.Fatal(err)
	}
	id := n.listed(t, "https://lists.example/a", "friends.example suspend", "fans.example silence", "bad.example suspend")
	other := n.listed(t, "https://lists.example/b", "friends.example suspend")
	n.inForce(t, "bad.example suspend", "fans.example silence")
	// While it is asked whether to suspend, what the list said before holds.
	n.reads(t, id, "friends.example suspend", "fans.example suspend", "bad.example suspend")
	n.inForce(t, "bad.example suspend", "fans.example silence")
	list, err := n.ProposedBlocks(ctx, n.owner.ID)
	if err != nil || len(list) != 2 || list[0].Domain != "fans.example" || list[0].Ending != (EndingFollows{Followers: 1}) ||
		list[1].Domain != "friends.example" || list[1].Ending != (EndingFollows{Following: 1}) || list[1].Lists != 2 || list[1].ListID != id {
		t.Fatalf("%+v %v", list, err)
	}
	if err := n.DecideProposed(ctx, ben.ID, "friends.example", true); !errors.Is(err, ErrForbidden) {
		t.Errorf("a stranger decides: %v", err)
	}
	if err := n.DecideProposed(ctx, n.owner.ID, "friends.example", false); err != nil {
		t.Fatal(err)
	}
	if err := n.DecideProposed(ctx, n.owner.ID, "fans.example", true); err != nil {
		t.Fatal(err)
	}
	if err := n.DecideProposed(ctx, n.owner.ID, "bad.example", true); !errors.Is(err, ErrNotFound) {
		t.Errorf("what nobody proposed: %v", err)
	}
	n.inForce(t, "bad.example suspend", "fans.example suspend")
	if state, err := n.FollowState(ctx, dan.ID, n.owner.ID); err != nil || state != "" {
		t.Errorf("the follower of a confirmed domain: %q %v", state, err)
	}
	// Read again, nothing is asked again, and what was declined stays so.
	n.reads(t, id, "friends.example suspend", "fans.example suspend")
	n.reads(t, other, "friends.example suspend", "more.example silence")
	if list, err := n.ProposedBlocks(ctx, n.owner.ID); err != nil || len(list) != 0 {
		t.Errorf("asked again: %+v %v", list, err)
	}
	n.inForce(t, "fans.example suspend", "more.example silence")
	if state, err := n.FollowState(ctx, n.owner.ID, ben.ID); err != nil || state != FollowAccepted {
		t.Errorf("the follow of a declined domain: %q %v", state, err)
	}
	// A block by hand that is lifted does not let a list end follows unasked either.
	n.follows(t, n.remote(t, "eve", "hand.example"))
	if err := n.BlockHost(ctx, n.owner.ID, "hand.example", Silence, ""); err != nil {
		t.Fatal(err)
	}
	n.reads(t, other, "hand.example suspend")
	if list, err := n.ProposedBlocks(ctx, n.owner.ID); err != nil || len(list) != 0 {
		t.Errorf("asked about what is set by hand: %+v %v", list, err)
	}
	if err := n.UnblockHost(ctx, n.owner.ID, "hand.example"); err != nil {
		t.Fatal(err)
	}
	n.inForce(t, "fans.example suspend")
	if list, err := n.ProposedBlocks(ctx, n.owner.ID); err != nil || len(list) != 1 {
		t.Errorf("not asked: %+v %v", list, err)
	}
}
