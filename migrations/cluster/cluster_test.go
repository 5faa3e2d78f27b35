package cluster_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"souk/migrations/cluster"

	"github.com/jackc/pgx/v5"
)

// nodeVariable makes this test binary a node: it starts the cluster of the folder that it names, says so, and lives
// until it is killed.
const nodeVariable = "SOUK_TEST_CLUSTER_NODE"

func TestMain(m *testing.M) {
	if home := os.Getenv(nodeVariable); home != "" {
		c, err := cluster.Start(context.Background(), cluster.Config{Dir: home})
		if err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		fmt.Println("ready", c.PID())
		fmt.Println("ended", c.Wait())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// dir is a data directory that does not exist yet, where the user of PostgreSQL can reach it: t.TempDir is closed to others.
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

// start starts a cluster in this process and stops it at the end of the test.
func start(t *testing.T, cfg cluster.Config) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// node starts a node in another process, which may run as another user, and returns it with its postmaster's process.
func node(t *testing.T, home string, program string, attr *syscall.SysProcAttr) (cmd *exec.Cmd, postmaster int) {
	t.Helper()
	cmd = exec.Command(program)
	cmd.Env = append(os.Environ(), nodeVariable+"="+home)
	cmd.SysProcAttr = attr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(t, cmd) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(line, "ready %d", &postmaster); err != nil {
		t.Fatalf("the node says %q", line)
	}
	return cmd, postmaster
}

// kill kills a process with -9 and waits for its end.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	_ = cmd.Wait() // killed is what it shall be
}

func self(t *testing.T) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return program
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

// note writes a row that has to survive.
func note(t *testing.T, url string) {
	t.Helper()
	query[string](t, url, `with made as (select set_config('x.y', '1', true)) select 'ok' from made`)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `create table if not exists kept (word text); insert into kept values ('sold one teapot')`); err != nil {
		t.Fatal(err)
	}
}

func expectNote(t *testing.T, url string) {
	t.Helper()
	if word := query[string](t, url, `select word from kept`); word != "sold one teapot" {
		t.Errorf("the row reads %q", word)
	}
}

// eventually waits for something that another process does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within half a minute", what)
		}
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: dir(t), Database: "shop 商店", Settings: map[string]string{"work_mem": "3MB", "listen_addresses": "*"}}
	c, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{
		"server_encoding": "UTF8", "data_checksums": "on", "fsync": "on", "synchronous_commit": "on",
		"work_mem": "3MB", "max_connections": "60", "listen_addresses": "", "unix_socket_permissions": "0700",
	} {
		if got := query[string](t, c.Database(), `select current_setting('`+setting+`')`); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := query[string](t, c.Database(), `select current_database()`); got != cfg.Database {
		t.Errorf("the database is %q", got)
	}
	if c.Moved() != "" {
		t.Errorf("moved to %s", c.Moved())
	}
	info, err := os.Stat(c.SocketDir())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("others may enter the folder of the socket: %v", info.Mode())
	}
	note(t, c.Database())
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("wait after stop: %v", err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "postgres", "data", "postmaster.pid")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was not stopped in order: %v", err)
	}
	logs, err := filepath.Glob(filepath.Join(c.Logs(), "postgresql-*.log"))
	if err != nil || len(logs) == 0 {
		t.Errorf("logs %v: %v", logs, err)
	}
	expectNote(t, start(t, cfg).Database())
}

func TestSecondNodeIsRefused(t *testing.T) {
	t.Parallel()
	home := dir(t)
	first, postmaster := node(t, home, self(t), nil)
	_, err := cluster.Start(t.Context(), cluster.Config{Dir: home})
	if !errors.Is(err, cluster.ErrInUse) {
		t.Fatalf("error %v", err)
	}
	if holder := fmt.Sprintf("process id %d", first.Process.Pid); !strings.Contains(err.Error(), holder) {
		t.Errorf("%q does not name the %s", err, holder)
	}
	if err := syscall.Kill(postmaster, 0); err != nil {
		t.Errorf("the first node's PostgreSQL: %v", err)
	}
	// By another name of the same folder, too.
	link := home + "-link"
	if err := os.Symlink(home, link); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Start(t.Context(), cluster.Config{Dir: link}); !errors.Is(err, cluster.ErrInUse) {
		t.Errorf("through a link: %v", err)
	}
	if err := cluster.Remove(cluster.Config{Dir: home}); !errors.Is(err, cluster.ErrInUse) {
		t.Errorf("remove: %v", err)
	}
}

func TestStopInAHurry(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: dir(t)}
	c, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	note(t, c.Database())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(c.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the postmaster after stop: %v", err)
	}
	expectNote(t, start(t, cfg).Database())
}

func TestSettingsThatPostgresRefuses(t *testing.T) {
	t.Parallel()
	_, err := cluster.Start(t.Context(), cluster.Config{Dir: dir(t), Settings: map[string]string{"shared_buffers": "a lot"}})
	if err == nil || !strings.Contains(err.Error(), "shared_buffers") {
		t.Errorf("error %v", err)
	}
}
