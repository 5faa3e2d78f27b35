package cluster_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"souk/migrations/cluster"
)

// Below a folder that is closed to the user of PostgreSQL the cluster lies in the system directory.
func TestDataDirectoryOutOfReach(t *testing.T) {
	t.Parallel()
	system := dir(t)
	closed := filepath.Join(dir(t), "closed")
	if err := os.MkdirAll(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := cluster.Config{Dir: filepath.Join(closed, "souk-data"), SystemDir: system}
	c := start(t, cfg)
	if os.Geteuid() != 0 {
		if c.Moved() != "" { // who runs PostgreSQL as himself can reach all that is his
			t.Errorf("moved to %s", c.Moved())
		}
		return
	}
	if filepath.Dir(c.Moved()) != system || !strings.HasPrefix(c.SocketDir(), c.Moved()) {
		t.Fatalf("moved to %q, socket in %q", c.Moved(), c.SocketDir())
	}
	note(t, c.Database())
	if _, err := cluster.Start(t.Context(), cfg); !errors.Is(err, cluster.ErrInUse) {
		t.Errorf("a second node: %v", err)
	}
	stop(t, c)

	// The data directory is renamed: its database goes with it.
	renamed := cluster.Config{Dir: filepath.Join(closed, "renamed"), SystemDir: system}
	if err := os.Rename(cfg.Dir, renamed.Dir); err != nil {
		t.Fatal(err)
	}
	d := start(t, renamed)
	expectNote(t, d.Database())

	// A new data directory of the old name has a new database, and a copy of the first is no second node.
	fresh := start(t, cfg)
	if fresh.Moved() == d.Moved() {
		t.Error("two data directories share a cluster")
	}
	if tables := query[int](t, fresh.Database(), `select count(*) from pg_tables where tablename = 'kept'`); tables != 0 {
		t.Error("a new data directory found an old database")
	}
	copied := cluster.Config{Dir: filepath.Join(closed, "copied"), SystemDir: system}
	if err := os.CopyFS(copied.Dir, os.DirFS(renamed.Dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Start(t.Context(), copied); !errors.Is(err, cluster.ErrInUse) {
		t.Errorf("a copy of the data directory: %v", err)
	}

	stop(t, d)
	if err := os.RemoveAll(d.Moved()); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Start(t.Context(), renamed); err == nil || !strings.Contains(err.Error(), d.Moved()) {
		t.Errorf("a lost database is replaced by an empty one: %v", err)
	}

	stop(t, fresh)
	if err := cluster.Remove(cfg); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{cfg.Dir, fresh.Moved()} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s after remove: %v", gone, err)
		}
	}
}

// A cluster that became unreachable is an error that says so, not a reason for an empty one elsewhere.
func TestClusterThatBecameUnreachable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // only root runs PostgreSQL as somebody else
	}
	system := dir(t)
	home := dir(t)
	cfg := cluster.Config{Dir: home, SystemDir: system}
	stop(t, start(t, cfg))
	if err := os.Chmod(filepath.Dir(home), 0o700); err != nil {
		t.Fatal(err)
	}
	if c, err := cluster.Start(t.Context(), cfg); err == nil {
		stop(t, c)
		t.Fatal("it started")
	} else if !strings.Contains(err.Error(), "o+x") || !strings.Contains(err.Error(), home) {
		t.Errorf("error %v", err)
	}
	if err := os.Chmod(filepath.Dir(home), 0o711); err != nil {
		t.Fatal(err)
	}
	start(t, cfg)
}

func TestLongPath(t *testing.T) {
	t.Parallel()
	system := dir(t)
	home := filepath.Join(dir(t), strings.Repeat("long, \"deep\" 路/", 12), "souk-data")
	c := start(t, cluster.Config{Dir: home, SystemDir: system})
	if path := filepath.Join(c.SocketDir(), ".s.PGSQL.5432"); len(path) > 107 {
		t.Errorf("the path of the socket has %d bytes: %s", len(path), path)
	}
	if c.Moved() != "" {
		t.Errorf("moved to %s", c.Moved())
	}
	note(t, c.Database())
	beside, err := cluster.Open(t.Context(), cluster.Config{Dir: home, SystemDir: system})
	if err != nil {
		t.Fatal(err)
	}
	expectNote(t, beside.Database())
	stop(t, beside)
	stop(t, c)
	if _, err := os.Stat(c.SocketDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of the socket after stop: %v", err)
	}
}

func TestOddPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`with, comma`, `a+b "c" c%20d 路 'e'\f`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			note(t, start(t, cluster.Config{Dir: filepath.Join(dir(t), name), SystemDir: dir(t)}).Database())
		})
	}
}

// Data of another major version is left alone, and the error says what it needs.
func TestAnotherVersion(t *testing.T) {
	t.Parallel()
	home := dir(t)
	data := filepath.Join(home, "postgres", "data")
	if err := os.MkdirAll(data, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("11\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := cluster.Start(t.Context(), cluster.Config{Dir: home})
	version, ok := errors.AsType[*cluster.ErrVersion](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	if version.Need != 11 || len(version.Have) == 0 || slices.Contains(version.Have, 11) || version.Dir != data {
		t.Errorf("%+v", version)
	}
	if text, err := os.ReadFile(filepath.Join(data, "PG_VERSION")); err != nil || string(text) != "11\n" {
		t.Errorf("the data was touched: %q, %v", text, err)
	}
}

func TestFilesThatAreNoCluster(t *testing.T) {
	t.Parallel()
	home := dir(t)
	file := filepath.Join(home, "postgres", "data", "base", "1", "1249")
	if err := os.MkdirAll(filepath.Dir(file), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Start(t.Context(), cluster.Config{Dir: home}); err == nil || !strings.Contains(err.Error(), "PG_VERSION") {
		t.Errorf("error %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file was touched: %q, %v", text, err)
	}
}

func TestNoBinaries(t *testing.T) {
	t.Parallel()
	_, err := cluster.Start(t.Context(), cluster.Config{Dir: dir(t), BinDir: t.TempDir()})
	if !errors.Is(err, cluster.ErrNoBinaries) || !strings.Contains(err.Error(), "apt install postgresql") {
		t.Errorf("error %v", err)
	}
}

// Root runs PostgreSQL as somebody else; somebody else runs it as himself.
func TestAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // every other test is this one
	}
	const nobody = 65534
	home := dir(t)
	if err := os.Chown(filepath.Dir(home), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	// The folder in which "go test" builds is closed to others.
	program := filepath.Join(filepath.Dir(home), "node.program")
	from, err := os.Open(self(t))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(program, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	attr := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd, _ := node(t, home, program, attr)
	info, err := os.Stat(filepath.Join(home, "postgres", "data", "PG_VERSION"))
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != nobody {
		t.Errorf("the data belongs to user %d", uid)
	}
	beside, err := cluster.Open(t.Context(), cluster.Config{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	note(t, beside.Database())
	stop(t, beside)
	kill(t, cmd)
	// Root takes over what another user made, and stays that user for it.
	expectNote(t, start(t, cluster.Config{Dir: home}).Database())
}
