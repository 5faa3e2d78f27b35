package souk

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// drainWorker stands for a drain: it tells when it has begun, and works until it is let go.
type drainWorker struct {
	river.WorkerDefaults[InboxArgs]
	db    *DB
	begun chan int64
	end   chan struct{}
}

func (w *drainWorker) Work(ctx context.Context, job *river.Job[InboxArgs]) error {
	if err := w.db.BeginDrain(ctx, job.ID); err != nil {
		return err
	}
	w.begun <- job.ID
	select {
	case <-w.end:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// What is committed while a drain runs, after it looked, must wake another one: with River's own uniqueness the wake-up
// would be dropped as a duplicate of the running job, and the work would lie until the periodic one.
func TestWakeDuringDrain(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	w := &drainWorker{db: n.DB, begun: make(chan int64, 10), end: make(chan struct{}, 10)}
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	client, err := river.NewClient(riverpgxv5.New(n.Pool()), &river.Config{Workers: workers, FetchPollInterval: 100 * time.Millisecond,
		FetchCooldown: 50 * time.Millisecond, Queues: map[string]river.QueueConfig{"inbox": {MaxWorkers: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, client) })
	receive := func(id string) {
		t.Helper()
		if fresh, err := n.ReceiveActivity(ctx, Received{ActivityID: id, Type: "Like", Actor: "https://far.example/a", Host: "far.example", Body: []byte("{}")}); err != nil || !fresh {
			t.Fatal(fresh, err)
		}
	}
	receive("https://far.example/1")
	first := w.next(t)
	// The first drain has looked; it still works when these come.
	for _, id := range []string{"2", "3", "4"} {
		receive("https://far.example/" + id)
	}
	w.end <- struct{}{}
	second := w.next(t)
	if second == first {
		t.Error("the same job again")
	}
	w.end <- struct{}{}
	var jobs int
	if err := n.Pool().QueryRow(ctx, `select count(*) from river_job where kind = 'inbox'`).Scan(&jobs); err != nil || jobs > 4 {
		t.Errorf("%d wake-ups for four activities, %v", jobs, err)
	}
}

// next is the job that begins next.
func (w *drainWorker) next(t *testing.T) int64 {
	t.Helper()
	select {
	case id := <-w.begun:
		return id
	case <-time.After(30 * time.Second):
		t.Fatal("no drain began")
		return 0
	}
}

func stop(t *testing.T, client *river.Client[pgx.Tx]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := client.StopAndCancel(ctx); err != nil {
		t.Error(err)
	}
}

// Events are taken up in the order in which they happened; one that has a time, not before it.
func TestEventsInOrder(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	n.waiting(t)
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "one"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.EditPost(ctx, n.owner.ID, p.ID, NewPost{Source: "two"}); err != nil {
		t.Fatal(err)
	}
	later := n.Now().Add(time.Hour)
	if err := n.emitAfter(ctx, Event{Kind: EventListingNews, AccountID: n.owner.ID}, later); err != nil {
		t.Fatal(err)
	}
	if err := n.DeletePost(ctx, n.owner.ID, p.ID); err != nil {
		t.Fatal(err)
	}
	wantKinds(t, n.waiting(t), EventPostCreated, EventPostEdited, EventPostDeleted)
	wantKinds(t, n.waiting(t))
	n.clock.Advance(time.Hour)
	wantKinds(t, n.waiting(t), EventListingNews)
}
