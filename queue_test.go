package souk

import (
	"errors"
	"testing"
	"time"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for _, host := range []string{"slow.example", "slow.example", "well.example"} {
		n.queue(t, host)
	}
	list, _, err := n.DueDeliveries(ctx, "slow.example", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.DeliveryFailed(ctx, list[0], Failure{Reason: "no answer"}); err != nil {
		t.Fatal(err)
	}
	state := func(host, state, why string, waiting int) {
		t.Helper()
		q, err := n.Queue(ctx, n.owner.ID, QueueFilter{Host: host})
		if waiting == 0 && state == "" {
			if err != nil || len(q) != 0 {
				t.Errorf("%s: %+v %v, want nothing", host, q, err)
			}
			return
		}
		if err != nil || len(q) != 1 || q[0].State != state || q[0].Why() != why || q[0].Waiting != waiting {
			t.Errorf("%s: %+v %v, want %s, %s, %d", host, q, err, state, why, waiting)
		}
	}
	state("slow.example", QueueResting, "silent", 2)
	state("well.example", QueueWaiting, "sending", 1)
	if q, err := n.Queue(ctx, n.owner.ID, QueueFilter{State: QueueResting}); err != nil || len(q) != 1 || q[0].NextAt == nil || q[0].Attempts != 1 || q[0].Oldest == nil {
		t.Errorf("resting: %+v %v", q, err)
	}

	member, err := n.CreateAccount(ctx, NewAccount{Name: "li", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(by int64, f QueueFilter) (int, error){
		"retry": func(by int64, f QueueFilter) (int, error) { return n.RetryDeliveries(ctx, by, f) },
		"drop":  func(by int64, f QueueFilter) (int, error) { return n.DropDeliveries(ctx, by, f) },
		"hold":  func(by int64, f QueueFilter) (int, error) { return 0, n.HoldHost(ctx, by, f.Host, true) },
	} {
		if _, err := call(member.ID, QueueFilter{Host: "slow.example"}); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s by a member: %v", name, err)
		}
		if _, err := call(n.owner.ID, QueueFilter{}); err == nil {
			t.Errorf("%s of nothing in particular", name)
		}
	}

	if got, err := n.RetryDeliveries(ctx, n.owner.ID, QueueFilter{Host: "Slow.example "}); err != nil || got != 2 {
		t.Errorf("retried %d, %v", got, err)
	}
	if got := n.claim(t); len(got) != 2 {
		t.Errorf("after that only %v are due", got)
	}
	if err := n.HoldHost(ctx, n.owner.ID, "slow.example", true); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(time.Hour)
	if got := n.claim(t); len(got) != 1 || got[0] != "well.example" {
		t.Errorf("claimed %v, slow.example is held", got)
	}
	state("slow.example", QueueHeld, "held", 2)
	if got, err := n.DropDeliveries(ctx, n.owner.ID, QueueFilter{DeliveryID: list[0].ID}); err != nil || got != 1 {
		t.Errorf("dropped %d, %v", got, err)
	}
	// It was under way when it was dropped, and failed: it stays dropped.
	if err := n.DeliveryFailed(ctx, list[0], Failure{Reason: "no answer"}); err != nil {
		t.Fatal(err)
	}
	if d, err := n.DeliveryStates(ctx, n.owner.ID, QueueFilter{DeliveryID: list[0].ID}, Page{}); err != nil || len(d) != 1 || d[0].Why() != "by_owner" {
		t.Errorf("dropped: %+v %v", d, err)
	}
	if got, err := n.DropDeliveries(ctx, n.owner.ID, QueueFilter{Host: "slow.example"}); err != nil || got != 1 {
		t.Errorf("dropped %d, %v", got, err)
	}
	state("slow.example", QueueHeld, "held", 0)
	if err := n.HoldHost(ctx, n.owner.ID, "slow.example", false); err != nil {
		t.Fatal(err)
	}
	state("slow.example", "", "", 0)
	if got, err := n.RetryDeliveries(ctx, n.owner.ID, QueueFilter{DeliveryID: list[0].ID}); err != nil || got != 1 {
		t.Errorf("what was dropped was queued again %d times, %v", got, err)
	}
	state("slow.example", QueueWaiting, "sending", 1)
}

func TestWhyNot(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	expect := func(host, want string) {
		t.Helper()
		if got, err := n.WhyNot(ctx, n.owner.ID, p, host); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", host, got, err, want)
		}
	}
	expect("far.example", "preparing")
	id := n.NewID()
	if err := n.QueueActivity(ctx, Activity{ID: id, URI: "https://shop.example/activities/1", AccountID: n.owner.ID, Type: "Create", PostID: &p.ID, Body: []byte("{}")}, nil); err != nil {
		t.Fatal(err)
	}
	expect("far.example", "nobody")
	expect("shop.example", "own")
	uri := "https://far.example/users/mira"
	mira, err := n.UpsertRemoteAccount(ctx, RemoteAccount{Account: Account{Host: "far.example", Name: "mira", Kind: "Person", URI: uri, Inbox: uri + "/inbox"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ReceiveFollow(ctx, uri+"#1", mira, n.owner, false); err != nil {
		t.Fatal(err)
	}
	expect(" FAR.example", "later")
	// What arrived before the delivery was forgotten arrived.
	if _, err := n.pool.Exec(ctx, `with i as (insert into inboxes (inbox, host) values ('https://far.example/inbox', 'far.example') returning id)
		insert into reached (post_id, inboxes) select $1, array[id] from i`, p.ID); err != nil {
		t.Fatal(err)
	}
	expect("far.example", "arrived")
	if _, err := n.pool.Exec(ctx, `delete from reached`); err != nil {
		t.Fatal(err)
	}
	if err := n.BlockHost(ctx, n.owner.ID, "far.example", Suspend, ""); err != nil {
		t.Fatal(err)
	}
	expect("far.example", "blocked")
}

// What was taken back meanwhile is not said again: its Delete or Undo arrived, and nobody would send another.
func TestRetryLeavesOutWhatWasTakenBack(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	to := []Recipient{{"https://far.example/inbox", "far.example"}}
	next := func() Delivery {
		t.Helper()
		list, _, err := n.DueDeliveries(ctx, "far.example", 10)
		if err != nil || len(list) != 1 {
			t.Fatalf("due: %+v %v", list, err)
		}
		return list[0]
	}
	say := func(kind, object string, post *int64) {
		t.Helper()
		id := n.NewID()
		if err := n.QueueActivity(ctx, Activity{ID: id, URI: n.BaseURL() + "/activities/" + formatID(id), AccountID: n.owner.ID, Type: kind,
			ObjectURI: object, PostID: post, Body: []byte("{}")}, to); err != nil {
			t.Fatal(err)
		}
	}
	refused := func() {
		t.Helper()
		if err := n.EndDelivery(ctx, next(), Failure{Status: 422, Reason: "no"}); err != nil {
			t.Fatal(err)
		}
	}
	const mira = "https://far.example/users/mira"
	say("Create", p.URI, &p.ID)
	refused()
	if err := n.DeletePost(ctx, n.owner.ID, p.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := n.RetryDeliveries(ctx, n.owner.ID, QueueFilter{PostID: p.ID}); err != nil || got != 0 {
		t.Errorf("%d of a deleted post are due again, %v", got, err)
	}
	say("Delete", p.URI, &p.ID)
	refused()
	say("Follow", mira, nil)
	refused()
	say("Accept", mira, nil)
	refused()
	say("Undo", mira, nil)
	if _, err := n.Delivered(ctx, next(), 202); err != nil {
		t.Fatal(err)
	}
	if got, err := n.RetryDeliveries(ctx, n.owner.ID, QueueFilter{Host: "far.example", Failed: true}); err != nil || got != 2 {
		t.Errorf("%d are due again, want the Delete and the Accept, %v", got, err)
	}
	list, _, err := n.DueDeliveries(ctx, "far.example", 10)
	if err != nil || len(list) != 2 || list[0].Type != "Delete" || list[1].Type != "Accept" {
		t.Errorf("due: %+v %v", list, err)
	}
}

// A host that is being delivered to, retried and blocked at once: none of them waits for another for ever.
func TestBlockDuringDelivery(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	const host = "far.example"
	for range 20 {
		n.queue(t, host)
		list, _, err := n.DueDeliveries(ctx, host, 1)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v %v", list, err)
		}
		// A success that is long ago, so that this one is noted with the host.
		if _, err := n.pool.Exec(ctx, `update hosts set last_success = null, failures = 1`); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { _, err := n.Delivered(ctx, list[0], 202); done <- err }()
		go func() { _, err := n.RetryDeliveries(ctx, n.owner.ID, QueueFilter{Host: host}); done <- err }()
		go func() { done <- n.BlockHost(ctx, n.owner.ID, host, Suspend, "") }()
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := n.UnblockHost(ctx, n.owner.ID, host); err != nil {
			t.Fatal(err)
		}
	}
}
