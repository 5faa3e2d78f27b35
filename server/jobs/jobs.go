// Package jobs holds the workers that speak no protocol: what expires, and mail about orders.
package jobs

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/riverqueue/river"

	"souk"
)

// Config is what the workers need.
type Config struct {
	DB *souk.DB
	// SMTP is the mail server: smtp://user:password@host:port or smtps://, with ?from= for the sender; nil writes mails to
	// the log.
	SMTP *url.URL
	// From is the sender of mails; empty means that of SMTP, else shop@ the domain of handles.
	From string
	// Roots are the authorities by which the mail server is known; nil means the system's.
	Roots *x509.CertPool
	// Log receives mails where there is no mail server, and what no caller can be told; nil discards it.
	Log *slog.Logger
}

// AddWorkers registers the workers. It panics where one is registered already.
func AddWorkers(workers *river.Workers, cfg Config) error {
	mails, err := newMailWorker(cfg)
	if err != nil {
		return err
	}
	river.AddWorker(workers, mails)
	river.AddWorker(workers, &expireWorker{db: cfg.DB})
	river.AddWorker(workers, &pruneWorker{db: cfg.DB})
	return nil
}

// keepInbox is how long applied activities catch replays: beyond it a signature's date is refused anyway (12 hours).
const keepInbox = 7 * 24 * time.Hour

// keepUndone is how long what was taken back before it came is remembered: servers try for about a week.
const keepUndone = 30 * 24 * time.Hour

// keepRejected is for how long an offer that was rejected is known, so that it is not answered twice.
const keepRejected = 30 * 24 * time.Hour

// expireWorker ends what has had its time: unpaid orders give their stock back, remote listings that nobody renewed
// leave the index, sessions, old inbox rows, rejected offers and orphaned pictures go, wake-ups of dead processes stand in nobody's way.
type expireWorker struct {
	river.WorkerDefaults[souk.ExpireArgs]
	db *souk.DB
}

func (w *expireWorker) Work(ctx context.Context, _ *river.Job[souk.ExpireArgs]) error {
	wakes := w.db.FreeWakes(ctx, w.db.Now().Add(-souk.BeginWithin))
	_, orders := w.db.ExpireHolds(ctx)
	_, listings := w.db.ExpireRemoteListings(ctx)
	_, sessions := w.db.ExpireSessions(ctx)
	_, inbox := w.db.PruneInbox(ctx, keepInbox)
	_, undone := w.db.PruneUndone(ctx, keepUndone)
	_, keys := w.db.PruneKeys(ctx)
	_, offers := w.db.PruneAgreements(ctx, keepRejected)
	_, media := w.db.PruneMedia(ctx, 100)
	return errors.Join(wakes, orders, listings, sessions, inbox, undone, keys, offers, media)
}

// pruneWorker keeps bounded what the node remembers of what it sent.
type pruneWorker struct {
	river.WorkerDefaults[souk.PruneArgs]
	db *souk.DB
}

// Timeout is that of a first time on a node that has grown for long.
func (w *pruneWorker) Timeout(*river.Job[souk.PruneArgs]) time.Duration { return 30 * time.Minute }

func (w *pruneWorker) Work(ctx context.Context, _ *river.Job[souk.PruneArgs]) error {
	_, given := w.db.GiveUpDeliveries(ctx)
	_, sent := w.db.PruneOutbox(ctx)
	return errors.Join(given, sent)
}
