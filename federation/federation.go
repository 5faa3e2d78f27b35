// Package federation translates between souk and ActivityPub: documents and collections for those who ask, signed
// deliveries to those who follow, the catalogue for other nodes, and what comes in from them.
package federation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"souk"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"golang.org/x/sync/singleflight"
)

// Config is what a Federation needs besides the database.
type Config struct {
	// Client makes every request that leaves the node.
	Client *Client
	// Keys remembers parsed keys; nil means a cache of 1024.
	Keys *KeyCache
	// Version is the version of Souk, for NodeInfo.
	Version string
	// Log receives what no caller can be told; nil discards it.
	Log *slog.Logger

	// Hosts is to how many hosts that answer soon deliveries are made at once; 0 means 128. To one host they go one after
	// another.
	Hosts int
	// Lease is for how long a process keeps a host, or a received activity, to itself without a sign of life; 0 means 2 min.
	Lease time.Duration
	// Poll is how often a drain that waits for a slow host looks for new work beside it; 0 means 250 ms.
	Poll time.Duration
	// DrainFor is after what time a drain takes up nothing new and hands over to the next one, so that no job runs for
	// ever; 0 means 5 min.
	DrainFor time.Duration
	// Appliers is how many received activities are worked on at once; 0 means 8. Those of one actor go one after another.
	Appliers int
	// Budgets are what verified senders may send; the zero value stands for the defaults.
	Budgets Budgets
	// Alone says that no other process works on the database: what this one left leased when the database went away is
	// released at once, and not when its time is up.
	Alone bool
	// RateLimit multiplies the budgets, and the limits on what other hosts are asked because of what came in; 0 means 1,
	// below 0 none.
	RateLimit float64
}

// Federation is this node in the fediverse. Safe for concurrent use.
type Federation struct {
	db                         *souk.DB
	cfg                        Config
	counted                    remembered[nodeUsage]
	secure                     remembered[bool]
	peers                      *peers
	limits                     *limits
	flights                    singleflight.Group // actors that are being fetched
	deliverFailed, applyFailed atomic.Bool        // the last drain ended with an error: leases may be left
}

// New makes a Federation with the defaults of Config filled in.
func New(db *souk.DB, cfg Config) *Federation {
	if cfg.Keys == nil {
		cfg.Keys = NewKeyCache(1024)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Hosts == 0 {
		cfg.Hosts = 128
	}
	if cfg.Lease == 0 {
		cfg.Lease = 2 * time.Minute
	}
	if cfg.Poll == 0 {
		cfg.Poll = 250 * time.Millisecond
	}
	if cfg.DrainFor == 0 {
		cfg.DrainFor = 5 * time.Minute
	}
	if cfg.Appliers == 0 {
		cfg.Appliers = 8
	}
	if cfg.RateLimit == 0 {
		cfg.RateLimit = 1
	}
	return &Federation{db: db, cfg: cfg, peers: newPeers(cfg.RateLimit), limits: newLimits(cfg.Budgets, cfg.RateLimit)}
}

// drained runs a drain, and releases before it what the one before left when the database failed it. A process runs one
// drain of a kind at a time.
func (f *Federation) drained(ctx context.Context, failed *atomic.Bool, release, run func(context.Context) error) (err error) {
	defer func() {
		if err != nil {
			failed.Store(true)
		}
	}()
	if failed.Swap(false) && f.cfg.Alone {
		if err := release(ctx); err != nil {
			return err
		}
	}
	return run(ctx)
}

// AddWorkers registers the workers of every job that federation does. It panics where one is registered already.
func (f *Federation) AddWorkers(workers *river.Workers) {
	river.AddWorker(workers, &keyWorker{f: f})
	river.AddWorker(workers, &federateWorker{f: f})
	river.AddWorker(workers, &deliverWorker{f: f})
	river.AddWorker(workers, &inboxWorker{f: f})
	river.AddWorker(workers, &backfillWorker{f: f})
	river.AddWorker(workers, &syncFollowsWorker{f: f})
	river.AddWorker(workers, &featuredWorker{f: f})
	river.AddWorker(workers, &blockListWorker{f: f})
	river.AddWorker(workers, &pullWorker{f: f})
}

// wrap adds, once per exported method, what was being done. pgx.ErrNoRows becomes souk.ErrNotFound on the way.
func wrap(err *error, format string, args ...any) {
	if *err == nil {
		return
	}
	if errors.Is(*err, pgx.ErrNoRows) {
		*err = souk.ErrNotFound
	}
	*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
}
