package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"souk"
	"souk/migrations/cluster"
	"souk/migrations/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The three failures of a first run each name what to type.
func TestDatabaseFailuresSayWhatToDo(t *testing.T) {
	t.Parallel()
	change := func(key, value string) string {
		u, err := url.Parse(pgtest.Empty(t))
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		switch key {
		case "user":
			u.User = url.User(value)
			query.Del("user")
		case "dbname":
			u.Path = "/" + value
			query.Del("dbname")
		case "host":
			u.Host = value
			query.Del("host")
			query.Del("port")
		}
		u.RawQuery = query.Encode()
		return u.String()
	}
	for _, tt := range []struct{ name, url, want string }{
		{"no server", change("host", "127.0.0.1:1"), "-> is PostgreSQL running there? systemctl status postgresql"},
		{"no role", change("user", "nobody_here"), "-> sudo -u postgres createuser -P nobody_here"},
		{"no database", change("dbname", "not here"), "-> sudo -u postgres createdb -O "},
	} {
		var out, errOut bytes.Buffer
		code := run(t.Context(), []string{"migrate"}, []string{"SOUK_DATABASE_URL=" + tt.url}, nil, &out, &errOut)
		if code != 1 || !strings.Contains(errOut.String(), tt.want) {
			t.Errorf("%s: exit %d, printed %q, want %q", tt.name, code, errOut.String(), tt.want)
		}
		if tt.name == "no database" && !strings.Contains(errOut.String(), " 'not here'\n") {
			t.Errorf("the name of the database is not a word for a shell: %s", errOut.String())
		}
	}
}

// A command beside a node that was started with flags has its own configuration: where that names another node, nothing is done.
func TestCommandsKeepToTheNode(t *testing.T) {
	t.Parallel()
	environ := []string{"SOUK_DATABASE_URL=" + pgtest.URL(t), "SOUK_DATA_DIR=" + t.TempDir()}
	c := []string{"--domain", "shop.example", "--handle-domain", "example"}
	pool, err := pgxpool.New(t.Context(), environ[0][len("SOUK_DATABASE_URL="):])
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	db, err := souk.New(pool, souk.Config{BaseURL: "https://shop.example", HandleDomain: "example"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.EnsureNodeActors(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flags []string
		want  string // in standard error; empty: it works
	}{
		{nil, "--domain shop.example --scheme https"},
		{[]string{"--domain", "other.example"}, "SOUK_DOMAIN"},
		{[]string{"--domain", "shop.example", "--scheme", "http"}, "--scheme https"},
		{c[:2], "--handle-domain example (SOUK_HANDLE_DOMAIN"},
		{c, ""},
	} {
		var out, errOut bytes.Buffer
		code := run(t.Context(), append([]string{"account", "create", "li"}, tt.flags...), environ, nil, &out, &errOut)
		if (code == 0) != (tt.want == "") || !strings.Contains(errOut.String(), tt.want) {
			t.Errorf("%q: exit %d, printed %s%s, want %q", tt.flags, code, out.String(), errOut.String(), tt.want)
		}
		if _, err := db.LocalAccount(t.Context(), "li"); (err == nil) != (tt.want == "") {
			t.Errorf("%q: the account: %v", tt.flags, err)
		}
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	environ := []string{"SOUK_DATABASE_URL=" + pgtest.Empty(t)}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"migrate", "--dry-run"}, "warning  schema          version 0, "},
		{[]string{"migrate", "--dry-run"}, "warning  schema          version 0, "}, // the first changed nothing
		{[]string{"migrate"}, "ok       migrate         job queue: "},
		{[]string{"migrate"}, "ok       schema          version "},
		{[]string{"migrate", "--dry-run"}, "ok       schema          version "},
	} {
		var out, errOut bytes.Buffer
		code := run(t.Context(), step.args, environ, nil, &out, &errOut)
		if code != 0 || !strings.HasPrefix(out.String(), step.want) {
			t.Errorf("%v: exit %d, printed %q and %q, want %q", step.args, code, out.String(), errOut.String(), step.want)
		}
	}
}

func TestReadyRefusesAnotherSchema(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ change, want string }{
		{`update goose_db_version set version_id = version_id + 1000`, "the database is newer than this souk"},
		{`delete from river_migration where version = (select max(version) from river_migration)`, "the database waits for a migration"},
	} {
		s, err := openStore(t.Context(), &Config{DatabaseURL: pgtest.URL(t)}, slog.New(slog.DiscardHandler), noCluster(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ready(t.Context()); err != nil {
			t.Errorf("a migrated database: %v", err)
		}
		if _, err := s.pool.Exec(t.Context(), tt.change); err != nil {
			t.Fatal(err)
		}
		if err := s.ready(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("after %s: %v, want %q", tt.change, err, tt.want)
		}
		if err := s.close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// noCluster fails the test where a private cluster is asked for although a database is named.
func noCluster(t *testing.T) startCluster {
	return func(context.Context, cluster.Config) (*cluster.Cluster, error) {
		t.Error("a private cluster was asked for")
		return nil, cluster.ErrNoCluster
	}
}

// A command that comes while the node makes its database is told to wait, not to make one itself.
func TestDatabaseStillBeingMade(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/not_made_yet"
	query := address.Query()
	query.Del("dbname")
	address.RawQuery = query.Encode()
	_, err = pgx.Connect(t.Context(), address.String())
	var advice *adviceError
	if !errors.As(explainConnect(err, true), &advice) || !strings.Contains(advice.next, "try again") {
		t.Errorf("private: %v", advice)
	}
	if !errors.As(explainConnect(err, false), &advice) || !strings.Contains(advice.next, "createdb") {
		t.Errorf("named by the admin: %v", advice)
	}
}
