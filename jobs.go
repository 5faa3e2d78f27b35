package souk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Arguments of every job kind: ids only. The workers live in the layer that does the work.

// FederateArgs wakes the drain of events into activities and deliveries (federation).
type FederateArgs struct{}

// InboxArgs wakes the drain of received activities (federation).
type InboxArgs struct{}

// DeliverArgs wakes the drain of deliveries (federation).
type DeliverArgs struct{}

// IndexArgs wakes the drain of search_outbox (search).
type IndexArgs struct{}

// KeyArgs makes the RSA key of a local account (federation): 50 ms that no form should wait for.
type KeyArgs struct {
	AccountID int64 `json:"account_id"`
}

// MailArgs sends the mail about an order in its present state (server/jobs).
type MailArgs struct {
	OrderID int64  `json:"order_id"`
	Mail    string `json:"mail"` // placed, paid, shipped, cancelled; seller_placed goes to the seller
}

// ExpireArgs gives back stock held too long and drops what expired (server/jobs, every minute).
type ExpireArgs struct{}

// PruneArgs gives up deliveries that waited for too long and forgets what was sent long ago (server/jobs, every hour).
type PruneArgs struct{}

// BackfillArgs reads the catalogue of a node that was just followed (federation).
type BackfillArgs struct {
	AccountID int64 `json:"account_id"` // the remote catalogue actor
}

// FeaturedArgs reads what a remote account pins (federation).
type FeaturedArgs struct {
	AccountID int64 `json:"account_id"`
}

// BlockListArgs reads a list of domain blocks that the owner subscribed to (federation).
type BlockListArgs struct {
	ListID int64 `json:"list_id"` // 0: all that were not read for a day
}

func (FederateArgs) Kind() string  { return "federate" }
func (InboxArgs) Kind() string     { return "inbox" }
func (DeliverArgs) Kind() string   { return "deliver" }
func (IndexArgs) Kind() string     { return "index" }
func (KeyArgs) Kind() string       { return "key" }
func (MailArgs) Kind() string      { return "mail" }
func (ExpireArgs) Kind() string    { return "expire" }
func (PruneArgs) Kind() string     { return "prune" }
func (BackfillArgs) Kind() string  { return "backfill" }
func (FeaturedArgs) Kind() string  { return "featured" }
func (BlockListArgs) Kind() string { return "block_list" }

// DrainJobs are the wake-ups. Each has a queue of its kind's name, worked by one job at a time in a process, so that a
// slow drain never keeps another from starting.
func DrainJobs() []river.JobArgs {
	return []river.JobArgs{FederateArgs{}, InboxArgs{}, DeliverArgs{}, IndexArgs{}}
}

// DrainOpts are the options of a wake-up of the kind: unique until it starts (BeginDrain).
func DrainOpts(kind string) *river.InsertOpts {
	return &river.InsertOpts{Queue: kind, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateScheduled}}}
}

// BeginDrain is the first thing a drain does: from now on a new wake-up of its kind may be queued beside it, so that
// work committed after the drain looked is never left waiting. River itself keeps a job unique while it runs, and
// requires that state in ByState; clearing the key of this one row ends its uniqueness.
func (db *DB) BeginDrain(ctx context.Context, jobID int64) (err error) {
	defer wrap(&err, "begin drain %d", jobID)
	_, err = db.q.Exec(ctx, `update river_job set unique_key = null where id = $1`, jobID)
	return err
}

// drainKinds are the kinds of DrainJobs.
func drainKinds() (kinds []string) {
	for _, args := range DrainJobs() {
		kinds = append(kinds, args.Kind())
	}
	return kinds
}

// FreeWakes ends the uniqueness of wake-ups that were taken up before the given time and have not begun (BeginDrain): their
// process died between the two. River takes them for running for another hour, in which no drain of their kind would start.
func (db *DB) FreeWakes(ctx context.Context, before time.Time) (err error) {
	defer wrap(&err, "free wakes")
	_, err = db.q.Exec(ctx, `update river_job set unique_key = null where state = 'running' and unique_key is not null and kind = any($1) and attempted_at <= $2`,
		drainKinds(), before)
	return err
}

// ReleaseAll gives back what a process had under way when it died: hosts, received activities and objects to index, whose
// leases would run for minutes, and jobs, which River would take for running for an hour. Only for the one process of a
// private cluster, at its start.
func (db *DB) ReleaseAll(ctx context.Context) (err error) {
	defer wrap(&err, "release all")
	if err := errors.Join(db.ReleaseHosts(ctx), db.ReleaseInbox(ctx)); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(`update search_outbox set queued = $1 where queued > $1`, db.Now())
	// Drains are not worth it: the periodic ones come at once.
	batch.Queue(`delete from river_job where state = 'running' and kind = any($1)`, drainKinds())
	batch.Queue(`update river_job set state = 'available', max_attempts = greatest(max_attempts, attempt + 1) where state = 'running'`)
	return db.q.SendBatch(ctx, batch).Close()
}

// wakes turns "there is work of this kind" into at most one waiting River job a kind. It is a hint that shortens the
// wait: the work itself is rows, committed before, and a periodic job of every drain finds what a crash left here.
type wakes struct {
	client *river.Client[pgx.Tx]
	free   func(context.Context) error // FreeWakes
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup
	kinds  map[string]chan struct{}
}

func newWakes(client *river.Client[pgx.Tx], free func(context.Context) error, log *slog.Logger) *wakes {
	w := &wakes{client: client, free: free, log: log, kinds: map[string]chan struct{}{}}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	for _, args := range DrainJobs() {
		signal := make(chan struct{}, 1)
		w.kinds[args.Kind()] = signal
		w.group.Go(func() { w.run(args, signal) })
	}
	return w
}

// wakeGap is how long at least lies between two wake-ups of a kind. The first is queued at once; under load a drain goes on
// by itself, and each wake-up beside it would cost a transaction.
const wakeGap = 50 * time.Millisecond

func (w *wakes) run(args river.JobArgs, signal <-chan struct{}) {
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-gap.C:
		}
		select {
		case <-w.ctx.Done():
			return
		case <-signal:
		}
		ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
		if err := w.queue(ctx, args); err != nil && w.ctx.Err() == nil {
			w.log.Warn("wake-up not queued; the periodic one will find the work", "kind", args.Kind(), "error", err)
		}
		cancel()
		gap.Reset(wakeGap)
	}
}

// BeginWithin is how long a wake-up that was taken up may take to begin: longer, and whoever took it is dead, or the
// database was, and did not say that it was taken.
const BeginWithin = 5 * time.Second

// queue queues a wake-up. One that was taken up and did not begin does not stand in its way.
func (w *wakes) queue(ctx context.Context, args river.JobArgs) error {
	res, err := w.client.Insert(ctx, args, DrainOpts(args.Kind()))
	if err != nil || !res.UniqueSkippedAsDuplicate || res.Job.State != rivertype.JobStateRunning || res.Job.AttemptedAt == nil ||
		time.Since(*res.Job.AttemptedAt) < BeginWithin {
		return err
	}
	if err := w.free(ctx); err != nil {
		return err
	}
	_, err = w.client.Insert(ctx, args, DrainOpts(args.Kind()))
	return err
}

// wake never blocks: a signal already waiting covers this one too.
func (w *wakes) wake(kind string) {
	signal, ok := w.kinds[kind]
	if !ok {
		panic(fmt.Sprintf("no drain %q", kind)) // a programming error
	}
	select {
	case signal <- struct{}{}:
	default:
	}
}

func (w *wakes) close() {
	w.cancel()
	w.group.Wait()
}

// wakeAfterCommit marks a drain to be woken by the outermost commit, or wakes it at once outside a transaction.
func (db *DB) wakeAfterCommit(kind string) {
	if db.tx == nil {
		db.wakes.wake(kind)
		return
	}
	db.woken[kind] = true
}

// Wake wakes a drain now; for the layers that find due work by the clock.
func (db *DB) Wake(kind string) { db.wakeAfterCommit(kind) }
