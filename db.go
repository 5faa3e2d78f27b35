package souk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// Config is what a DB needs besides its pool.
type Config struct {
	// BaseURL is scheme://domain without a slash at the end; every address of the node is made from it.
	BaseURL string
	// HandleDomain is what stands after the second @ of handles; empty means the domain of BaseURL.
	HandleDomain string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Blobs keeps pictures.
	Blobs Blobs
	// Log receives what no caller can be told; nil discards it.
	Log *slog.Logger
	// Backoff is how long to wait after the 1st, 2nd ... failed attempt of deliveries and inbox work; the last one repeats.
	// Empty means DefaultBackoff.
	Backoff []time.Duration
	// Jitter spreads retries: each wait of Backoff grows by a quarter of what it returns, a number from 0 to below 1. Nil means
	// at random, so that what failed together does not come back together.
	Jitter func() float64
	// HoldFor is how long an unpaid order holds its stock; 0 means 7 days.
	HoldFor time.Duration
}

// DefaultBackoff is the retry schedule of deliveries and inbox work: seconds first, then doubling to 7 days.
func DefaultBackoff() []time.Duration {
	return []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
		2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 32 * time.Hour, 64 * time.Hour, 5 * 24 * time.Hour, 7 * 24 * time.Hour}
}

// querier is what a pool and a transaction have in common.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	Begin(ctx context.Context) (pgx.Tx, error)
}

// DB is the state of a node. It may stand for the pool or for a transaction: inside Tx its methods take part in it.
type DB struct {
	q     querier
	tx    pgx.Tx // nil outside a transaction
	pool  *pgxpool.Pool
	river *river.Client[pgx.Tx]
	ids   *ids
	wakes *wakes
	woken map[string]bool // inside a transaction: what to wake after the commit (and shopTouched, done just before it)
	quiet quiet           // see Quiet
	cfg   Config
}

// New makes a DB over a migrated database. Close ends its background wake-ups.
func New(pool *pgxpool.Pool, cfg Config) (*DB, error) {
	if cfg.BaseURL == "" || strings.HasSuffix(cfg.BaseURL, "/") {
		return nil, fmt.Errorf("base URL %q: want scheme://domain", cfg.BaseURL)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Backoff) == 0 {
		cfg.Backoff = DefaultBackoff()
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	if cfg.HoldFor == 0 {
		cfg.HoldFor = 7 * 24 * time.Hour
	}
	if cfg.HandleDomain == "" {
		_, cfg.HandleDomain, _ = strings.Cut(cfg.BaseURL, "://")
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: cfg.Log})
	if err != nil {
		return nil, fmt.Errorf("job client: %w", err)
	}
	ids, err := newIDs()
	if err != nil {
		return nil, err
	}
	db := &DB{q: pool, pool: pool, river: client, ids: ids, cfg: cfg}
	db.wakes = newWakes(client, func(ctx context.Context) error { return db.FreeWakes(ctx, time.Now().Add(-BeginWithin)) }, cfg.Log)
	return db, nil
}

// Close stops the wake-ups that this DB sends. The pool stays the caller's.
func (db *DB) Close() { db.wakes.close() }

// Now is the node's clock, in UTC and to the microsecond, as PostgreSQL keeps it.
func (db *DB) Now() time.Time { return db.cfg.Now().UTC().Truncate(time.Microsecond) }

// BaseURL is scheme://domain of this node.
func (db *DB) BaseURL() string { return db.cfg.BaseURL }

// Domain is host[:port] of this node's addresses.
func (db *DB) Domain() string {
	_, domain, _ := strings.Cut(db.cfg.BaseURL, "://")
	return domain
}

// HandleDomain is the part of local handles after the second @.
func (db *DB) HandleDomain() string { return db.cfg.HandleDomain }

// Blobs is where pictures are kept.
func (db *DB) Blobs() Blobs { return db.cfg.Blobs }

// Pool is the connection pool, for layers that keep state of their own.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Conn runs SQL of a layer's own state in the transaction that this DB stands for; nil outside of one.
func (db *DB) Conn() pgx.Tx { return db.tx }

// Quiet is the same database, or transaction, for changes of which nobody is to be told: what is done through it makes no
// notifications.
func (db *DB) Quiet() *DB {
	quiet := *db
	quiet.quiet = quietToAll
	return &quiet
}

// QuietToStrangers is Quiet but for accounts that follow who the notification is from.
func (db *DB) QuietToStrangers() *DB {
	quiet := *db
	quiet.quiet = quietToStrangers
	return &quiet
}

// quiet says who hears nothing of what is done.
type quiet int

const (
	quietToNobody quiet = iota
	quietToStrangers
	quietToAll
)

// Tx runs f in a transaction: commit when it returns nil, else roll back. Inside another Tx it is a savepoint.
// Work queued inside wakes its workers only after the outermost commit.
func (db *DB) Tx(ctx context.Context, f func(tx *DB) error) (err error) {
	return db.transact(ctx, func() (pgx.Tx, error) { return db.q.Begin(ctx) }, f)
}

// TxAgain is Tx for work that stays queued until the transaction is stored and then does no harm when it is done once more:
// it does not wait for the disk. A crash may take back the last moments of it, never a part and never what waited for the
// disk later.
func (db *DB) TxAgain(ctx context.Context, f func(tx *DB) error) error {
	if db.tx != nil {
		return db.Tx(ctx, f)
	}
	return db.transact(ctx, func() (pgx.Tx, error) {
		return db.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: "begin; set local synchronous_commit = off"})
	}, f)
}

func (db *DB) transact(ctx context.Context, begin func() (pgx.Tx, error), f func(tx *DB) error) (err error) {
	tx, err := begin()
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	inner := *db
	inner.q, inner.tx = tx, tx
	if db.tx == nil {
		inner.woken = map[string]bool{}
	}
	defer func() {
		if err != nil {
			// A context that ended must not keep the connection from being cleaned.
			if rerr := tx.Rollback(context.WithoutCancel(ctx)); rerr != nil && !errors.Is(rerr, pgx.ErrTxClosed) {
				err = errors.Join(err, rerr)
			}
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			_ = tx.Rollback(context.WithoutCancel(ctx)) // the panic says more than a failed rollback could
			panic(p)
		}
	}()
	if err = f(&inner); err != nil {
		return err
	}
	if db.tx == nil && inner.woken[shopTouched] {
		delete(inner.woken, shopTouched)
		if err = inner.bumpShop(ctx); err != nil {
			return err
		}
	}
	if err = tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if db.tx == nil {
		for kind := range inner.woken {
			db.wakes.wake(kind)
		}
	}
	return nil
}

// within runs f in the transaction that db stands for, or in one of its own: Tx for what no caller goes on after when it
// failed, where a savepoint would only cost two more round trips.
func (db *DB) within(ctx context.Context, f func(tx *DB) error) error {
	if db.tx != nil {
		return f(db)
	}
	return db.Tx(ctx, f)
}

// idList are the ids that a query yields.
func (db *DB) idList(ctx context.Context, sql string, args ...any) ([]int64, error) {
	rows, err := db.q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// job queues a River job in the current transaction (or at once outside of one).
func (db *DB) job(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) error {
	var err error
	if db.tx != nil {
		_, err = db.river.InsertTx(ctx, db.tx, args, opts)
	} else {
		_, err = db.river.Insert(ctx, args, opts)
	}
	if err != nil {
		return fmt.Errorf("queue %s: %w", args.Kind(), err)
	}
	return nil
}

// Ready reports whether the database answers.
func (db *DB) Ready(ctx context.Context) error {
	var one int
	return db.q.QueryRow(ctx, "select 1").Scan(&one)
}
