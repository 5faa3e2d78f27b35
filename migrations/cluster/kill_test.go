package cluster_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"souk/migrations/cluster"
)

// kill -9 of the node: PostgreSQL ends too, cleanly, and the next node starts at once.
func TestNodeIsKilled(t *testing.T) {
	t.Parallel()
	home := dir(t)
	cmd, postmaster := node(t, home, self(t), nil)
	beside, err := cluster.Open(t.Context(), cluster.Config{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	note(t, beside.Database())
	stop(t, beside)
	kill(t, cmd)
	c := start(t, cluster.Config{Dir: home})
	if c.PID() == postmaster {
		t.Error("the new node trusts the postmaster of the dead one")
	}
	expectNote(t, c.Database())
	eventually(t, "the postmaster of the killed node ends", func() bool {
		return errors.Is(syscall.Kill(postmaster, 0), syscall.ESRCH)
	})
}

// kill -9 of the postmaster: the node starts another.
func TestPostmasterIsKilled(t *testing.T) {
	t.Parallel()
	c := start(t, cluster.Config{Dir: dir(t)})
	note(t, c.Database())
	for range 2 {
		before := c.PID()
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another postmaster", func() bool { return c.PID() != before })
		expectNote(t, c.Database())
	}
}

// Stop while the supervisor restarts is still a stop.
func TestStopAfterPostmasterIsKilled(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: dir(t)}
	c := start(t, cfg)
	note(t, c.Database())
	if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	stop(t, c)
	expectNote(t, start(t, cfg).Database())
}

// kill -9 of both at once: what was committed is recovered.
func TestNodeAndPostmasterAreKilled(t *testing.T) {
	t.Parallel()
	home := dir(t)
	cmd, postmaster := node(t, home, self(t), nil)
	beside, err := cluster.Open(t.Context(), cluster.Config{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	note(t, beside.Database())
	stop(t, beside)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil { // so that it cannot start another
		t.Fatal(err)
	}
	if err := syscall.Kill(postmaster, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	kill(t, cmd)
	expectNote(t, start(t, cluster.Config{Dir: home}).Database())
}

// stale makes a stopped cluster and a pid file in it that names a process of its own user.
func stale(t *testing.T, program string, wait func(*exec.Cmd)) cluster.Config {
	t.Helper()
	cfg := cluster.Config{Dir: dir(t)}
	c, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	note(t, c.Database())
	stop(t, c)
	data := filepath.Join(cfg.Dir, "postgres", "data")
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	cmd := exec.Command(program, "3600")
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(t, cmd) })
	wait(cmd)
	for file, text := range map[string]string{
		filepath.Join(data, "postmaster.pid"):                           "%d\n" + data + "\n1700000000\n5432\n" + c.SocketDir() + "\n\n  1 1\nready   \n",
		filepath.Join(cfg.Dir, "postgres", "run", ".s.PGSQL.5432.lock"): "%d\n" + data + "\n",
	} {
		if err := os.WriteFile(file, fmt.Appendf(nil, text, cmd.Process.Pid), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// The number in the pid file belongs to another program by now, which PostgreSQL would take for itself.
func TestPidFileOfAnotherProgram(t *testing.T) {
	t.Parallel()
	cfg := stale(t, "/bin/sleep", func(*exec.Cmd) {})
	expectNote(t, start(t, cfg).Database())
}

// The number belongs to a dead process that nobody reaps, as in a container without an init.
func TestPidFileOfAZombie(t *testing.T) {
	t.Parallel()
	cfg := stale(t, "/bin/true", func(cmd *exec.Cmd) {
		eventually(t, "a zombie", func() bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
			return err == nil && containsZombie(string(stat))
		})
	})
	expectNote(t, start(t, cfg).Database())
}

func containsZombie(stat string) bool {
	var pid int
	var name, state string
	_, err := fmt.Sscan(stat, &pid, &name, &state)
	return err == nil && state == "Z"
}

// A start that was killed in the middle of initdb leaves nothing that the next one takes for a cluster.
func TestHalfMadeCluster(t *testing.T) {
	t.Parallel()
	home := dir(t)
	half := filepath.Join(home, "postgres", "new-123")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{home, filepath.Dir(half)} {
		if err := os.Chmod(d, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	note(t, start(t, cluster.Config{Dir: home}).Database())
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half-made cluster: %v", err)
	}
}
