package souk

import (
	"testing"
	"time"
)

// queue puts one activity to one inbox of the host in the queue.
func (n *node) queue(t *testing.T, host string) {
	t.Helper()
	id := n.NewID()
	uri := n.BaseURL() + "/activities/" + formatID(id)
	err := n.QueueActivity(t.Context(), Activity{ID: id, URI: uri, AccountID: n.owner.ID, Type: "Create", Body: []byte(`{}`)},
		[]Recipient{{Inbox: "https://" + host + "/inbox", Host: host}})
	if err != nil {
		t.Fatal(err)
	}
}

func (n *node) claim(t *testing.T) []string {
	t.Helper()
	hosts, err := n.ClaimHosts(t.Context(), 10, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return hosts
}

func TestDeliveriesWaitWithTheirHost(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for range 3 {
		n.queue(t, "slow.example")
	}
	n.queue(t, "well.example")
	if got := n.claim(t); len(got) != 2 {
		t.Fatalf("claimed %v, want both hosts", got)
	}
	if got := n.claim(t); len(got) != 0 {
		t.Errorf("claimed %v twice", got)
	}
	list, bodies, err := n.DueDeliveries(ctx, "slow.example", 10)
	if err != nil || len(list) != 3 || len(bodies) != 3 || list[0].ID > list[1].ID {
		t.Fatalf("due: %v %v", list, err)
	}
	if err := n.DeliveryFailed(ctx, list[0], Failure{Status: 503, Reason: "busy"}); err != nil {
		t.Fatal(err)
	}
	if err := n.ReleaseHost(ctx, "slow.example"); err != nil {
		t.Fatal(err)
	}
	if got := n.claim(t); len(got) != 0 {
		t.Errorf("claimed %v before the host's time", got)
	}
	n.clock.Advance(10 * time.Second)
	if got := n.claim(t); len(got) != 1 || got[0] != "slow.example" {
		t.Errorf("claimed %v, want slow.example after the first step of the schedule", got)
	}
}

func TestHostDiesAndRevives(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	n.queue(t, "dead.example")
	d := Delivery{Host: "dead.example"}
	for day := range DeadAfterDays {
		n.claim(t)
		list, _, err := n.DueDeliveries(ctx, "dead.example", 1)
		if err != nil || len(list) != 1 {
			t.Fatalf("day %d: %v %v", day, list, err)
		}
		d = list[0]
		if err := n.DeliveryFailed(ctx, d, Failure{Reason: "no answer"}); err != nil {
			t.Fatal(err)
		}
		h, err := n.Host(ctx, "dead.example")
		if err != nil || (h.DeadSince != nil) != (day == DeadAfterDays-1) {
			t.Fatalf("day %d: dead since %v, %v", day, h.DeadSince, err)
		}
		if err := n.ReleaseHost(ctx, "dead.example"); err != nil {
			t.Fatal(err)
		}
		n.clock.Advance(24 * time.Hour)
	}
	if goOn, err := n.Delivered(ctx, d, 202); err != nil || !goOn {
		t.Fatal(goOn, err)
	}
	if h, err := n.Host(ctx, "dead.example"); err != nil || h.DeadSince != nil || h.Failures != 0 {
		t.Errorf("did not revive: %+v %v", h, err)
	}
}

func TestReplayIsKeptOnce(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	r := Received{ActivityID: "https://social.example/a/1", Type: "Like", Actor: "https://social.example/users/mira", Host: "social.example", Body: []byte(`{}`)}
	for _, want := range []bool{true, false} {
		if fresh, err := n.ReceiveActivity(ctx, r); err != nil || fresh != want {
			t.Errorf("fresh %v, want %v, %v", fresh, want, err)
		}
	}
	claimed, err := n.ClaimInbox(ctx, 10, time.Minute)
	if err != nil || len(claimed) != 1 || claimed[0].Attempts != 1 {
		t.Fatalf("claimed %v %v", claimed, err)
	}
	if again, err := n.ClaimInbox(ctx, 10, time.Minute); err != nil || len(again) != 0 {
		t.Errorf("claimed twice: %v %v", again, err)
	}
	n.clock.Advance(2 * time.Minute)
	if again, err := n.ClaimInbox(ctx, 10, time.Minute); err != nil || len(again) != 1 {
		t.Errorf("a lease that ran out: %v %v", again, err)
	}
	if err := n.AppliedActivity(ctx, claimed[0].ID, "done", ""); err != nil {
		t.Fatal(err)
	}
	if fresh, err := n.ReceiveActivity(ctx, r); err != nil || fresh {
		t.Errorf("a replay after it was applied: %v %v", fresh, err)
	}
}

func TestDeliveriesAskedAbout(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	for i, post := range []*int64{&p.ID, nil} {
		id := n.NewID()
		a := Activity{ID: id, URI: "https://shop.example/activities/" + formatID(id), AccountID: n.owner.ID, Type: "Create", PostID: post, Body: []byte("{}")}
		to := []Recipient{{"https://far.example/inbox", "far.example"}, {"https://other.example/inbox", "other.example"}}
		if err := n.QueueActivity(ctx, a, to[:2-i]); err != nil {
			t.Fatal(err)
		}
	}
	all, err := n.Deliveries(ctx, n.owner.ID, 0, "", "", Page{})
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	if err := n.EndDelivery(ctx, all[0], Failure{Status: 400, Reason: "no"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		post        int64
		host, state string
		page        Page
		want        int
	}{{p.ID, "", "", Page{}, 2}, {0, "far.example", "", Page{}, 2}, {p.ID, "far.example", "queued", Page{}, 1}, {0, "", "failed", Page{}, 1}, {0, "", "dropped", Page{}, 0},
		{0, "", "queued", Page{}, 2}, {0, "", "", Page{Before: all[0].ID}, 2}, {0, "", "", Page{After: all[2].ID, Limit: 1}, 1}} {
		list, err := n.Deliveries(ctx, n.owner.ID, c.post, c.host, c.state, c.page)
		if err != nil || len(list) != c.want {
			t.Errorf("%+v: %d, %v", c, len(list), err)
		}
		if c.page.After != 0 && list[0].ID != all[1].ID {
			t.Errorf("after the oldest comes %d, want %d", list[0].ID, all[1].ID)
		}
	}
}

// An activity that takes the process down each time it is applied must not do so for ever.
func TestClaimsEnd(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	if _, err := n.ReceiveActivity(ctx, Received{ActivityID: "https://far.example/1", Type: "Like", Actor: "https://far.example/a", Host: "far.example", Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	claims := 0
	for range 100 {
		list, err := n.ClaimInbox(ctx, 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		claims += len(list)
		n.clock.Advance(2 * time.Minute)
	}
	if waiting, err := n.InboxWaiting(ctx); err != nil || waiting != 0 || claims != maxClaims {
		t.Errorf("taken up %d times, %d wait, %v", claims, waiting, err)
	}
}

// Waits grow at random by up to a quarter: what failed together does not come back together. A day is the longest.
func TestRetriesAreSpread(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	spread := 0.0
	n.cfg.Jitter = func() float64 { return spread }
	rests := func(host string) time.Duration {
		t.Helper()
		list, _, err := n.DueDeliveries(t.Context(), host, 1)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if err := n.DeliveryFailed(t.Context(), list[0], Failure{Reason: "no answer"}); err != nil {
			t.Fatal(err)
		}
		h, err := n.Host(t.Context(), host)
		if err != nil {
			t.Fatal(err)
		}
		return h.NextAt.Sub(n.Now())
	}
	for _, s := range []float64{0, 0.5, 0.999} {
		spread = s
		host := "h" + formatID(int64(s*1000)) + ".example"
		n.queue(t, host)
		for i, step := range DefaultBackoff() {
			step = min(step, 24*time.Hour)
			if got, want := rests(host), step+time.Duration(float64(step)*s/4); got.Round(time.Second) != want.Round(time.Second) {
				t.Errorf("jitter %v: rests %v after failure %d, want %v", s, got, i+1, want)
			}
		}
	}
}

// A delivery is given up after two weeks, what takes something back after three months.
func TestDeliveriesAreGivenUp(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for _, kind := range []string{"Create", "Delete"} {
		id := n.NewID()
		a := Activity{ID: id, URI: n.BaseURL() + "/activities/" + formatID(id), AccountID: n.owner.ID, Type: kind, Body: []byte(`{}`)}
		if err := n.QueueActivity(ctx, a, []Recipient{{"https://gone.example/inbox", "gone.example"}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		days, ended int64
		waiting     int
	}{{13, 0, 2}, {2, 1, 1}, {74, 0, 1}, {2, 1, 0}} {
		n.clock.Advance(time.Duration(tt.days) * 24 * time.Hour)
		ended, err := n.GiveUpDeliveries(ctx)
		if err != nil || ended != tt.ended {
			t.Errorf("%d were given up, want %d, %v", ended, tt.ended, err)
		}
		if waiting, err := n.Deliveries(ctx, n.owner.ID, 0, "gone.example", "queued", Page{}); err != nil || len(waiting) != tt.waiting {
			t.Errorf("%d wait, want %d, %v", len(waiting), tt.waiting, err)
		}
	}
}
