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
	case <-time.After(3 * time.Minute):
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

// A wake-up that a process took up before it died, and did not begin, does not keep the next one from being queued: River
// itself would take it for running for an hour.
func TestWakeAfterDeath(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	waiting := func() (jobs int) {
		t.Helper()
		if err := n.Pool().QueryRow(ctx, `select count(*) from river_job where kind = 'inbox' and state = 'available'`).Scan(&jobs); err != nil {
			t.Fatal(err)
		}
		return jobs
	}
	takenUp := func(ago time.Duration) {
		t.Helper()
		if _, err := n.Pool().Exec(ctx, `update river_job set state = 'running', attempt = 1, attempted_at = $1 where kind = 'inbox' and state = 'available'`,
			time.Now().Add(-ago)); err != nil {
			t.Fatal(err)
		}
	}
	queue := func() {
		t.Helper()
		if err := n.wakes.queue(ctx, InboxArgs{}); err != nil {
			t.Fatal(err)
		}
	}
	queue()
	takenUp(time.Second)
	if queue(); waiting() != 0 {
		t.Error("a second wake-up beside one that has only just been taken up")
	}
	takenUp(0)
	if _, err := n.Pool().Exec(ctx, `update river_job set attempted_at = $1 where kind = 'inbox'`, time.Now().Add(-BeginWithin)); err != nil {
		t.Fatal(err)
	}
	if queue(); waiting() != 1 {
		t.Errorf("%d wake-ups wait behind a dead one, want 1", waiting())
	}
}

// A process that knows that it is the only one takes over at once what another left when it died; what was put off stays so.
func TestReleaseAll(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for _, id := range []string{"https://far.example/1", "https://far.example/2"} {
		if _, err := n.ReceiveActivity(ctx, Received{ActivityID: id, Type: "Like", Actor: "https://far.example/a", Host: "far.example", Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	claim := func(want int) []Received {
		t.Helper()
		list, err := n.ClaimInbox(ctx, 10, time.Hour)
		if err != nil || len(list) != want {
			t.Fatalf("%d claimed, %v: want %d", len(list), err, want)
		}
		return list
	}
	first := claim(2)
	if err := n.RetryActivity(ctx, first[0], "the other node does not answer"); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(time.Minute)
	claim(1) // taken up once more, and dies with it
	if err := n.wakes.queue(ctx, InboxArgs{}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Pool().Exec(ctx, `update river_job set state = 'running', attempt = 1, attempted_at = now()`); err != nil {
		t.Fatal(err)
	}
	if err := n.job(ctx, KeyArgs{AccountID: n.owner.ID}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Pool().Exec(ctx, `update river_job set state = 'running', attempt = max_attempts, attempted_at = now() where kind = 'key'`); err != nil {
		t.Fatal(err)
	}
	if err := n.ReleaseAll(ctx); err != nil {
		t.Fatal(err)
	}
	list := claim(2)
	if err := n.RetryActivity(ctx, list[0], "the other node does not answer"); err != nil {
		t.Fatal(err)
	}
	if err := n.ReleaseAll(ctx); err != nil {
		t.Fatal(err)
	}
	claim(1)
	var running, keys int
	if err := n.Pool().QueryRow(ctx, `select count(*) filter (where state = 'running'), count(*) filter (where kind = 'key' and state = 'available' and attempt < max_attempts) from river_job`).
		Scan(&running, &keys); err != nil || running != 0 || keys == 0 {
		t.Errorf("%d jobs are said to run, %d keys wait, %v", running, keys, err)
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
