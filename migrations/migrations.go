// Package migrations is the schema of a node: numbered SQL files that only go forward, and schema.sql, what they
// amount to. River's own tables are migrated beside them, under the same lock.
package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed [0-9]*.sql
var files embed.FS

// lockID is the advisory lock of a database that whoever migrates it holds; any number that nobody else uses.
const lockID = 0x736f756b // "souk"

// An ErrNewer says that the database was migrated by a newer souk, which alone knows how to work with it.
type ErrNewer struct {
	Part     string // "schema", or "queue" for River's tables
	Database int64  // the version of the database, which the binary must know
	Binary   int64  // the newest version that this binary knows
}

func (e *ErrNewer) Error() string {
	return fmt.Sprintf("the database is newer than this souk: its %s is at version %d, and this binary knows %d. "+
		"Install a souk that knows %s version %d; nothing was changed", e.Part, e.Database, e.Binary, e.Part, e.Database)
}

// A State says how far a database is and how far this binary would bring it. Versions are 0 in an empty database.
type State struct {
	Schema, SchemaWanted int64
	Queue, QueueWanted   int64
	Pending              []string // the files that Up would run, in order
}

// Newer is the *ErrNewer of a database that is newer than this binary, else nil.
func (s State) Newer() error {
	switch {
	case s.Schema > s.SchemaWanted:
		return &ErrNewer{Part: "schema", Database: s.Schema, Binary: s.SchemaWanted}
	case s.Queue > s.QueueWanted:
		return &ErrNewer{Part: "queue", Database: s.Queue, Binary: s.QueueWanted}
	}
	return nil
}

// Current tells whether there is nothing to do.
func (s State) Current() bool { return s.Schema == s.SchemaWanted && s.Queue == s.QueueWanted }

// Status reads the state of a database and changes nothing. A database that is newer than this binary is no error here.
func Status(ctx context.Context, pool *pgxpool.Pool) (State, error) {
	s, err := status(ctx, pool)
	if err != nil {
		return State{}, fmt.Errorf("read the versions of the database: %w", err)
	}
	return s, nil
}

func status(ctx context.Context, pool *pgxpool.Pool) (s State, err error) {
	queue, err := riverMigrator(pool)
	if err != nil {
		return State{}, err
	}
	for _, m := range queue.AllVersions() {
		s.QueueWanted = max(s.QueueWanted, int64(m.Version))
	}
	if s.Schema, err = version(ctx, pool, "goose_db_version", `select coalesce(max(version_id), 0) from goose_db_version where is_applied`); err != nil {
		return State{}, err
	}
	if s.Queue, err = version(ctx, pool, "river_migration", `select coalesce(max(version), 0) from river_migration`); err != nil {
		return State{}, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return State{}, err
	}
	for _, name := range names { // in the order of their numbers, which are padded
		number, err := goose.NumericComponent(name)
		if err != nil {
			return State{}, err
		}
		s.SchemaWanted = max(s.SchemaWanted, number)
		if number > s.Schema {
			s.Pending = append(s.Pending, name)
		}
	}
	return s, nil
}

// version asks a version table, 0 where it does not exist.
func version(ctx context.Context, pool *pgxpool.Pool, table, query string) (number int64, err error) {
	var there bool
	if err := pool.QueryRow(ctx, `select to_regclass($1) is not null`, table).Scan(&there); err != nil || !there {
		return 0, err
	}
	return number, pool.QueryRow(ctx, query).Scan(&number)
}

// Up brings a database to the versions of this binary: River's tables and ours. Several processes may call it at once:
// one works, the others wait and find it done. progress, which may be nil, is told each step in a short line.
//
// Each file is a transaction (but where it says otherwise): a process that is killed in the middle leaves a database
// with which the next call goes on. Errors: *ErrNewer, before anything was changed.
func Up(ctx context.Context, pool *pgxpool.Pool, progress func(string)) error {
	if progress == nil {
		progress = func(string) {}
	}
	// A connection of its own: the lock lives as long as its session, and a pool of one must not wait for itself.
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig.Copy())
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // and with it the lock goes, whatever happened
	if err := acquire(ctx, conn, progress); err != nil {
		return fmt.Errorf("migrate: wait for another process that migrates: %w", err)
	}
	if err := up(ctx, pool, progress); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// Given back now: the server notices a closed connection only a moment later, and the next one would wait for that.
	if _, err := conn.Exec(ctx, `select pg_advisory_unlock($1)`, int64(lockID)); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// acquire polls: a session that blocks in pg_advisory_lock has a snapshot, for which "create index concurrently" in the
// session that has the lock would wait for ever.
func acquire(ctx context.Context, conn *pgx.Conn, progress func(string)) error {
	wait := 10 * time.Millisecond
	for said := false; ; said = true {
		var got bool
		if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1)`, int64(lockID)).Scan(&got); err != nil || got {
			return err
		}
		if !said {
			progress("another process is migrating the database, waiting")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(wait*2, time.Second)
	}
}

// up migrates; the caller has the lock.
func up(ctx context.Context, pool *pgxpool.Pool, progress func(string)) error {
	s, err := status(ctx, pool)
	if err != nil {
		return err
	}
	if err := s.Newer(); err != nil {
		return err
	}
	queue, err := riverMigrator(pool)
	if err != nil {
		return err
	}
	if s.Queue < s.QueueWanted {
		progress(fmt.Sprintf("job queue: version %d to %d", s.Queue, s.QueueWanted))
		if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("job queue: %w", err)
		}
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		pending, err := provider.HasPending(ctx)
		if err != nil || !pending {
			return err
		}
		if n <= len(s.Pending) {
			progress(fmt.Sprintf("schema: %s (%d of %d)", s.Pending[n-1], n, len(s.Pending)))
		}
		result, err := provider.UpByOne(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return nil
		}
		if err != nil {
			return err
		}
		progress(fmt.Sprintf("schema: %s done in %s", path.Base(result.Source.Path), result.Duration.Round(time.Millisecond)))
	}
}

func riverMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}

// Fingerprint changes with everything that Up would do to an empty database, so that a migrated template can be named
// after it.
func Fingerprint() (string, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	// AllVersions needs no connection.
	queue, err := riverMigrator(nil)
	if err != nil {
		return "", err
	}
	for _, m := range queue.AllVersions() {
		fmt.Fprintf(sum, "river %d\n%s", m.Version, m.SQLUp)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
