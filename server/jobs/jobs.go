// Package jobs holds the workers that speak no protocol: what expires, and mail about orders.
package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"souk"
)

// Config is what the workers need.
type Config struct {
	DB *souk.DB
}

// AddWorkers registers the workers. It panics where one is registered already.
func AddWorkers(workers *river.Workers, cfg Config) {
	river.AddWorker(workers, &expireWorker{db: cfg.DB})
}

// keepInbox is how long applied activities catch replays: beyond it a signature's date is refused anyway (12 hours).
const keepInbox = 7 * 24 * time.Hour

// expireWorker ends what has had its time: unpaid orders give their stock back, remote listings that nobody renewed
// leave the index, sessions, old inbox rows and orphaned pictures go.
type expireWorker struct {
	river.WorkerDefaults[souk.ExpireArgs]
	db *souk.DB
}

func (w *expireWorker) Work(ctx context.Context, _ *river.Job[souk.ExpireArgs]) error {
	_, orders := w.db.ExpireHolds(ctx)
	_, listings := w.db.ExpireRemoteListings(ctx)
	_, sessions := w.db.ExpireSessions(ctx)
	_, inbox := w.db.PruneInbox(ctx, keepInbox)
	_, media := w.db.PruneMedia(ctx, 100)
	return errors.Join(orders, listings, sessions, inbox, media)
}
