package migrations_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"souk/migrations"
	"souk/migrations/pgtest"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"golang.org/x/sync/errgroup"
)

func pool(t *testing.T, address string, conns int32) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = conns
	p, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// Several processes start at once: each ends with a migrated database, and each step was taken once.
func TestUpFromSeveralProcesses(t *testing.T) {
	t.Parallel()
	address := pgtest.Empty(t)
	var mu sync.Mutex
	var steps []string
	var all errgroup.Group
	for range 4 {
		// The smallest pool there is: nothing in Up may hold a connection while it waits for another.
		p := pool(t, address, 1)
		all.Go(func() error {
			return migrations.Up(t.Context(), p, func(step string) {
				mu.Lock()
				defer mu.Unlock()
				steps = append(steps, step)
			})
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	state, err := migrations.Status(t.Context(), pool(t, address, 1))
	if err != nil {
		t.Fatal(err)
	}
	if !state.Current() || len(state.Pending) > 0 || state.Schema == 0 || state.Queue == 0 {
		t.Errorf("state %+v", state)
	}
	for _, part := range []string{"job queue: ", "schema: 0001_souk.sql (1 of "} {
		taken := slices.DeleteFunc(slices.Clone(steps), func(step string) bool { return !strings.HasPrefix(step, part) })
		if len(taken) != 1 {
			t.Errorf("%q was taken %d times: %q", part, len(taken), steps)
		}
	}
}

func TestUpTwice(t *testing.T) {
	t.Parallel()
	p := pgtest.New(t)
	err := migrations.Up(t.Context(), p, func(step string) { t.Errorf("there was something left to do: %s", step) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatusOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	state, err := migrations.Status(t.Context(), pool(t, pgtest.Empty(t), 1))
	if err != nil {
		t.Fatal(err)
	}
	if state.Schema != 0 || state.Queue != 0 || state.Current() || len(state.Pending) == 0 || state.Pending[0] != "0001_souk.sql" {
		t.Errorf("state %+v", state)
	}
}

// A database that a newer souk migrated is refused, with the version that it needs, and is left alone.
func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	for part, sql := range map[string]string{
		"schema": `insert into goose_db_version (version_id, is_applied) values (9001, true)`,
		"queue":  `insert into river_migration (line, version) values ('main', 9001)`,
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			p := pgtest.New(t)
			if _, err := p.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
			// Something that Up would do if it went on.
			if _, err := p.Exec(t.Context(), `delete from goose_db_version where version_id = 1`); err != nil {
				t.Fatal(err)
			}
			err := migrations.Up(t.Context(), p, func(step string) { t.Errorf("it did %q", step) })
			newer, ok := errors.AsType[*migrations.ErrNewer](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if newer.Part != part || newer.Database != 9001 || newer.Binary == 0 || !strings.Contains(err.Error(), "9001") {
				t.Errorf("%+v: %v", newer, err)
			}
			if _, err := migrations.Status(t.Context(), p); err != nil {
				t.Errorf("the state of a newer database: %v", err)
			}
		})
	}
}

// Who waits for the lock waits without a snapshot and can be called off.
func TestUpWaits(t *testing.T) {
	t.Parallel()
	p := pgtest.New(t)
	conn, err := p.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), `select pg_advisory_lock($1)`, 0x736f756b); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- migrations.Up(t.Context(), p, func(string) { close(waiting) }) }()
	<-waiting
	// create index concurrently waits for every snapshot of the database: it would hang on a blocked lock.
	if _, err := conn.Exec(t.Context(), `create index concurrently on posts (id)`); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	if _, err := conn.Exec(t.Context(), `select pg_advisory_unlock($1)`, 0x736f756b); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Subdomains and ports that were known before their domain was blocked as a whole are blocked by 0015, and excepted ones are not.
func TestKnownHostsGetTheirRule(t *testing.T) {
	t.Parallel()
	p := pool(t, pgtest.Empty(t), 4)
	db := stdlib.OpenDBFromPool(p)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	before, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.UpTo(t.Context(), 13); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Exec(t.Context(), `insert into hosts (host) values ('evil.example'), ('a.evil.example:8443'), ('good.evil.example'), ('devil.example');
		insert into host_blocks (domain, severity, reject_media, created, updated) values ('evil.example', 'suspend', true, now(), now()), ('good.evil.example', '', false, now(), now());
		update hosts set severity = 'suspend', reject_media = true where host = 'evil.example';
		insert into accounts (id, host, name, role, uri, created, updated) select id, host, 'a' || id, role, 'https://' || host || '/users/a' || id, now(), now()
			from (values (1, '', 'owner'), (2, 'a.evil.example:8443', ''), (3, 'devil.example', '')) a (id, host, role);
		insert into follows (id, uri, follower_id, followee_id, state, created) values (1, 'u1', 1, 2, 'accepted', now()), (2, 'u2', 1, 3, 'accepted', now());
		insert into activities (id, uri, account_id, type, body, created) values (1, 'u3', 1, 'Create', '{}', now());
		insert into deliveries (activity_id, sender_id, inbox, host, next_at, created) values (1, 1, 'i1', 'a.evil.example:8443', now(), now()), (1, 1, 'i2', 'devil.example', now(), now());
		insert into posts (id, account_id, uri, local, visibility, thread_id, published) values (1, 2, 'u4', false, 'public', 1, now());
		delete from search_outbox`); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Up(t.Context(), p, func(string) {}); err != nil {
		t.Fatal(err)
	}
	for sql, want := range map[string]string{
		`select string_agg(host, ' ' order by host) from hosts where severity = 'suspend' and reject_media`:                 "a.evil.example:8443 evil.example",
		`select string_agg(uri, ' ') from follows`:                                                                          "u2",
		`select string_agg(inbox, ' ') from deliveries where state = 'queued'`:                                              "i2",
		`select string_agg(object_kind || object_id, ' ') from search_outbox where object_kind = 'post' and version > 1e15`: "post1",
	} {
		var got string
		if err := p.QueryRow(t.Context(), sql).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", sql, got, err, want)
		}
	}
}

// A number that is left out can never be used: a database that has a later one refuses what comes before it.
func TestNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("[0-9]*.sql")
	if err != nil {
		t.Fatal(err)
	}
	left := []int64{8, 12, 14} // out before this test was there
	next := int64(1)
	for _, name := range names { // Glob sorts
		for slices.Contains(left, next) {
			next++
		}
		number, err := goose.NumericComponent(name)
		if err != nil {
			t.Fatal(err)
		}
		if number != next {
			t.Errorf("%s: the next number is %04d", name, next)
		}
		next = number + 1
	}
	if next <= 16 {
		t.Errorf("only %d migrations were found", len(names))
	}
}
