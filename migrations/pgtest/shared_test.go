package pgtest_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"souk/migrations/pgtest"

	"github.com/jackc/pgx/v5"
)

// reachable is a folder that the user of PostgreSQL can pass through, as t.TempDir is not.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "souk-pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The cluster lives as long as a test process uses it, and leaves nothing.
func TestHold(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	users, err := os.Create(filepath.Join(dir, "users"))
	if err != nil {
		t.Fatal(err)
	}
	defer users.Close()
	if err := syscall.Flock(int(users.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	// What a holder left that was killed is no obstacle.
	if err := os.MkdirAll(filepath.Join(dir, "node", "postgres", "data", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- pgtest.Hold(t.Context(), dir, time.Millisecond, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	if err := pgtest.Hold(t.Context(), dir, time.Millisecond, func() {}); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("a second holder: %v", err)
	}
	address, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), string(address))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // longer than idle
		if _, err := conn.Exec(t.Context(), `select pg_sleep(0.002)`); err != nil {
			t.Fatal(err)
		}
	}
	if err := users.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"node", "url"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s after the end: %v", name, err)
		}
	}
}

// What "make test" does: a command with a server of its own, whose status is passed on, and nothing left.
func TestRunCommand(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	program := filepath.Join(dir, "run")
	if out, err := exec.Command("go", "build", "-o", program, "souk/migrations/pgtest/run").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o711); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "sh", "-c", `echo "$SOUK_TEST_DATABASE_URL"; exit 7`)
	cmd.Env = append(os.Environ(), "SOUK_TEST_DATABASE_URL=", "TMPDIR="+filepath.Join(dir, "tmp"))
	out, err := cmd.Output()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 7 {
		t.Fatalf("it ended with %v", err)
	}
	if !strings.HasPrefix(string(out), "postgres://") {
		t.Errorf("the command got the address %q", out)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// Two processes at once, neither of which finds a cluster: they get the same one, and each its own databases.
func TestProcessesShareACluster(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	t.Cleanup(func() { endHolder(t, dir) }) // before dir is deleted
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan string, 2)
	for range 2 {
		go func() {
			cmd := exec.Command(program, "-test.run=^TestPrintServer$", "-test.v")
			cmd.Env = append(os.Environ(), "SOUK_TEST_DATABASE_URL=", "TMPDIR="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil {
				results <- err.Error() + ": " + string(out)
				return
			}
			_, rest, _ := strings.Cut(string(out), "server started at ")
			line, _, _ := strings.Cut(rest, "\n")
			results <- line
		}()
	}
	first, second := <-results, <-results
	if first != second || first == "" || strings.Contains(first, "exit") {
		t.Errorf("two servers: %q and %q", first, second)
	}
}

// endHolder ends the holder of the shared cluster below tmp, and returns when it is gone.
func endHolder(t *testing.T, tmp string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(tmp, "*", "holder"))
	if err != nil || len(files) != 1 {
		t.Errorf("holders %v, %v", files, err)
		return
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	var pid int
	if _, err := fmt.Fscan(f, &pid); err != nil {
		t.Error(err)
		return
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Error(err)
	}
}

// TestPrintServer is the body of the processes of TestProcessesShareACluster, and a test of its own as well.
func TestPrintServer(t *testing.T) {
	t.Parallel()
	var started string
	err := pgtest.New(t).QueryRow(t.Context(), `select pg_postmaster_start_time()::text`).Scan(&started)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("server started at %s", started)
}
