package cluster_test

import (
	"os"
	"path/filepath"
	"testing"

	"souk/migrations/cluster"

	"github.com/jackc/pgx/v5"
)

// dir is a folder that the user of PostgreSQL can reach, as a test's own temporary folders are not.
func dir(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("/tmp", "souk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(d); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(d, 0o711); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(d, "node")
}

func query[T any](t *testing.T, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func TestStart(t *testing.T) {
	t.Parallel()
	home := dir(t)
	c, err := cluster.Start(t.Context(), cluster.Config{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	if got := query[string](t, c.Database(), `select current_database()`); got != "souk" {
		t.Errorf("database %q", got)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}
