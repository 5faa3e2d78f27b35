// Package pgtest gives each test a migrated PostgreSQL database of its own.
//
// The server is the one that SOUK_TEST_DATABASE_URL names (its role must be allowed to create databases), else a
// private cluster that all test processes of a run share and that goes away after the last of them (shared.go). Where
// neither can be had the test fails: it is never skipped.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"souk/migrations"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// variable names a server to use instead of the shared cluster.
const variable = "SOUK_TEST_DATABASE_URL"

// maxConns is how many connections the pool of one test has: many tests run at once on one server.
const maxConns = 8

// A server is where this process makes its databases.
type server struct {
	url      string        // of a database that exists
	admin    *pgxpool.Pool // connected to it
	template string        // the migrated database that tests get copies of
	strategy string        // how a copy is made, a clause of "create database"
	use      *os.File      // the lock that keeps the shared cluster; nil for a named server
}

// connect is done once for a test process, by its first test.
var connect = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	s := &server{url: os.Getenv(variable)}
	if s.url == "" {
		var err error
		if s.url, s.use, err = joinShared(ctx); err != nil {
			return nil, err
		}
	}
	var err error
	if s.admin, err = open(ctx, s.url, 4); err != nil {
		return nil, err
	}
	if s.strategy, err = strategy(ctx, s.admin); err != nil {
		return nil, err
	}
	return s, s.makeTemplate(ctx)
})

// strategy is to copy files where the server need not wait for the disk: two or three times as fast as its default.
// Before PostgreSQL 15 there is no other way, and no clause to say so.
func strategy(ctx context.Context, admin *pgxpool.Pool) (clause string, err error) {
	err = admin.QueryRow(ctx, `select case when current_setting('server_version_num')::int >= 150000
		and current_setting('fsync') = 'off' then ' strategy file_copy' else '' end`).Scan(&clause)
	return clause, err
}

// New returns a pool on a fresh, migrated database. The database is dropped, and the pool closed, when the test ends;
// a connection that the test did not give back fails it.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := open(t.Context(), URL(t), maxConns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			pool.Close()
		}()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Error("the test ended with a connection of its pool still in use")
		}
	})
	return pool
}

// URL returns the address of a fresh, migrated database, for tests that start processes. It is dropped when the test
// ends, whoever is still connected to it.
func URL(t testing.TB) string {
	t.Helper()
	return database(t, func(s *server) string { return s.template })
}

// Empty returns the address of a fresh database that was not migrated. It is dropped when the test ends.
func Empty(t testing.TB) string {
	t.Helper()
	return database(t, func(*server) string { return "template0" })
}

func database(t testing.TB, template func(*server) string) string {
	t.Helper()
	s, err := connect()
	if err != nil {
		t.Fatalf("a PostgreSQL for tests: %v", err)
	}
	name := "souk_test_" + strings.ToLower(rand.Text())
	if err := s.create(t.Context(), name, template(s)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := s.admin.Exec(ctx, "drop database "+quote(name)+" with (force)"); err != nil {
			t.Errorf("drop the database of the test: %v", err)
		}
	})
	address, err := withDatabase(s.url, name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// makeTemplate makes the template unless another process has: it is named after what the migrations are, so that it is
// never stale, and is complete when nobody may connect to it.
func (s *server) makeTemplate(ctx context.Context) error {
	print, err := migrations.Fingerprint()
	if err != nil {
		return err
	}
	s.template = "souk_template_" + print
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	const lockID = 0x70677465 // "pgte"
	for got := false; !got; {
		if err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1)`, lockID).Scan(&got); err != nil {
			return err
		}
		if got {
			break
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	err = s.fillTemplate(ctx)
	_, unlockErr := conn.Exec(ctx, `select pg_advisory_unlock($1)`, lockID)
	return errors.Join(err, unlockErr)
}

// fillTemplate is called with the lock.
func (s *server) fillTemplate(ctx context.Context) error {
	var complete bool
	err := s.admin.QueryRow(ctx, `select exists (select from pg_database where datname = $1 and not datallowconn)`, s.template).Scan(&complete)
	if err != nil || complete {
		return err
	}
	// One that is there nevertheless is of a process that was killed.
	if _, err := s.admin.Exec(ctx, "drop database if exists "+quote(s.template)+" with (force)"); err != nil {
		return err
	}
	if err := s.create(ctx, s.template, "template0"); err != nil {
		return err
	}
	address, err := withDatabase(s.url, s.template)
	if err != nil {
		return err
	}
	pool, err := open(ctx, address, 2)
	if err != nil {
		return err
	}
	err = migrations.Up(ctx, pool, nil)
	pool.Close()
	if err != nil {
		return err
	}
	_, err = s.admin.Exec(ctx, "alter database "+quote(s.template)+" with allow_connections false")
	return err
}

func (s *server) create(ctx context.Context, name, template string) error {
	_, err := s.admin.Exec(ctx, "create database "+quote(name)+" template "+quote(template)+s.strategy)
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

func open(ctx context.Context, address string, conns int32) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = conns
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// withDatabase is address with another database.
func withDatabase(address, name string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("%s must be an address like postgres://user@host/database", variable)
	}
	u.Path = "/" + name
	return u.String(), nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
