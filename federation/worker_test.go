package federation

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"souk"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// With its workers running a node needs no push: what is committed wakes who tells it, and that wakes who delivers it.
func TestWorkersCarryAPostOut(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	arrived := make(chan arrival, 10)
	p := newReceiver(t, n, n.anna)
	p.answerWith(func(a arrival, _ int) answering { arrived <- a; return answering{status: http.StatusAccepted} })

	workers := river.NewWorkers()
	n.AddWorkers(workers)
	queues := map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}}
	for _, args := range souk.DrainJobs() {
		if args.Kind() != "index" { // search has that worker
			queues[args.Kind()] = river.QueueConfig{MaxWorkers: 1}
		}
	}
	client := ok(river.NewClient(riverpgxv5.New(n.pool), &river.Config{Workers: workers, Queues: queues, FetchCooldown: 5 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler)}))(t)
	ctx := context.WithoutCancel(t.Context()) // the jobs end by Stop
	must(t, client.Start(ctx))
	t.Cleanup(func() { must(t, client.Stop(ctx)) })

	follower := n.remote(t, p.URL, p.host, "bo")
	must(t, n.db.ReceiveFollow(t.Context(), follower.URI+"#follow/1", follower, n.anna, false))
	expect := func(kind string) {
		t.Helper()
		select {
		case a := <-arrived:
			if a.kind != kind {
				t.Errorf("%s arrived, want %s", a.kind, kind)
			}
		case <-time.After(3 * time.Minute):
			t.Fatalf("no %s arrived", kind)
		}
	}
	expect("Accept")
	n.write(t, "one")
	expect("Create")
	n.write(t, "two")
	expect("Create")
}
