package souk

import (
	"slices"
	"testing"
	"time"
)

// What was sent is forgotten after a month, but not where a post went, until its deletion was told.
func TestPruneOutbox(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	say := func(kind string, post *int64, hosts ...string) {
		t.Helper()
		var to []Recipient
		for _, h := range hosts {
			to = append(to, Recipient{"https://" + h + "/inbox", h})
		}
		id := n.NewID()
		if err := n.QueueActivity(ctx, Activity{ID: id, URI: n.BaseURL() + "/activities/" + formatID(id), AccountID: n.owner.ID, Type: kind,
			ObjectURI: p.URI, PostID: post, Public: true, Body: []byte("{}")}, to); err != nil {
			t.Fatal(err)
		}
		for _, h := range hosts {
			list, _, err := n.DueDeliveries(ctx, h, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range list {
				switch h {
				case "refuses.example":
					err = n.EndDelivery(ctx, d, Failure{Status: 422, Reason: "no"})
				case "waits.example":
				default:
					_, err = n.Delivered(ctx, d, 202)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	prune := func(want int64) {
		t.Helper()
		if got, err := n.PruneOutbox(ctx); err != nil || got != want {
			t.Errorf("pruned %d deliveries, want %d, %v", got, want, err)
		}
	}
	reached := func(want ...string) {
		t.Helper()
		list, err := n.Reached(ctx, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, r := range list {
			got = append(got, r.Host)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("reached %v, want %v", got, want)
		}
	}
	rows := func(table string) (count int) {
		t.Helper()
		if err := n.q.QueryRow(ctx, `select count(*) from `+table).Scan(&count); err != nil {
			t.Fatal(err)
		}
		return count
	}
	say("Create", &p.ID, "a.example", "b.example", "refuses.example", "waits.example")
	say("Like", nil, "a.example")
	n.clock.Advance(29 * 24 * time.Hour)
	prune(0)
	say("Update", &p.ID, "c.example")
	events, err := n.Events(ctx, 100)
	if err != nil || len(events) == 0 {
		t.Fatal(events, err)
	}
	for _, e := range events {
		if err := n.FederatedEvent(ctx, e.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	n.clock.Advance(2 * 24 * time.Hour)
	prune(4)
	prune(0)
	reached("a.example", "b.example", "c.example", "waits.example")
	if got := rows("activities"); got != 2 { // the Create, which the outbox shows, and the Update, which is new
		t.Errorf("%d activities are kept", got)
	}
	n.clock.Advance(30 * 24 * time.Hour)
	prune(1)
	reached("a.example", "b.example", "c.example", "waits.example")
	if got := rows("events"); got != 0 {
		t.Errorf("%d events are kept", got)
	}

	if err := n.DeletePost(ctx, n.owner.ID, p.ID); err != nil {
		t.Fatal(err)
	}
	say("Delete", &p.ID, "a.example", "b.example", "c.example")
	if _, err := n.GiveUpDeliveries(ctx); err != nil { // the one that waited
		t.Fatal(err)
	}
	n.clock.Advance(31 * 24 * time.Hour)
	prune(4)
	reached()
	if got := rows("activities"); got != 0 {
		t.Errorf("%d activities are kept of what is deleted", got)
	}
}

// The catalogue keeps the newest of each listing: a reader from its beginning learns the same.
func TestPruneCatalogue(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for i, listing := range []int64{1, 2, 1} {
		id := n.NewID()
		a := Activity{ID: id, URI: n.BaseURL() + "/activities/" + formatID(id), AccountID: n.owner.ID, Type: "Announce", Public: true, Body: []byte("{}")}
		if err := n.QueueActivity(ctx, a, nil); err != nil {
			t.Fatal(err)
		}
		if err := n.AppendCatalogue(ctx, id, listing); err != nil {
			t.Fatal(i, err)
		}
	}
	n.clock.Advance(31 * 24 * time.Hour)
	if _, err := n.PruneOutbox(ctx); err != nil {
		t.Fatal(err)
	}
	list, err := n.CatalogueEntries(ctx, 0, 10)
	if err != nil || len(list) != 2 || list[0].Seq != 2 || list[1].Seq != 3 {
		t.Errorf("the catalogue has %+v, %v", list, err)
	}
}
