package cluster_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"souk/migrations/cluster"
)

func TestOpenBesideANode(t *testing.T) {
	t.Parallel()
	home := dir(t)
	_, postmaster := node(t, home, self(t), nil)
	c, err := cluster.Open(t.Context(), cluster.Config{Dir: home})
	if err != nil {
		t.Fatal(err)
	}
	if c.PID() != postmaster {
		t.Errorf("it joined process %d, the node has %d", c.PID(), postmaster)
	}
	note(t, c.Database())
	stop(t, c)
	stop(t, c) // twice does no harm
	if err := syscall.Kill(postmaster, 0); err != nil {
		t.Errorf("the node's PostgreSQL after the command: %v", err)
	}
}

func TestOpenAlone(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: dir(t)}
	if _, err := cluster.Open(t.Context(), cfg); !errors.Is(err, cluster.ErrNoCluster) {
		t.Errorf("without a data directory: %v", err)
	}
	stop(t, start(t, cfg))
	c, err := cluster.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	note(t, c.Database())
	stop(t, c)
	if err := syscall.Kill(c.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the command's PostgreSQL after it: %v", err)
	}
}

func TestOpenMakesNothing(t *testing.T) {
	t.Parallel()
	home := dir(t)
	if err := os.Mkdir(home, 0o711); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Open(t.Context(), cluster.Config{Dir: home}); !errors.Is(err, cluster.ErrNoCluster) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(home, "postgres")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made a cluster: %v", err)
	}
}

// Two commands at once where there is nothing yet: one makes the cluster, and both have it as long as they need.
func TestOpenThatMakes(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: dir(t), Make: true}
	type opened struct {
		c   *cluster.Cluster
		err error
	}
	results := make(chan opened, 2)
	for range 2 {
		go func() {
			c, err := cluster.Open(t.Context(), cfg)
			results <- opened{c, err}
		}()
	}
	first, second := <-results, <-results
	if err := errors.Join(first.err, second.err); err != nil {
		t.Fatal(err)
	}
	if first.c.PID() != second.c.PID() {
		t.Errorf("processes %d and %d", first.c.PID(), second.c.PID())
	}
	note(t, first.c.Database())
	expectNote(t, second.c.Database())
	stopped := make(chan error, 2)
	for _, c := range []*cluster.Cluster{first.c, second.c} {
		go func() { stopped <- c.Stop(t.Context()) }()
	}
	if err := errors.Join(<-stopped, <-stopped); err != nil {
		t.Error(err)
	}
}

// Two commands, and then a node: the first keeps its cluster until the second is done, and the node waits for both.
func TestCommandsShareACluster(t *testing.T) {
	t.Parallel()
	cfg := cluster.Config{Dir: dir(t)}
	stop(t, start(t, cfg))
	first, err := cluster.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	second, err := cluster.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if first.PID() != second.PID() {
		t.Errorf("processes %d and %d", first.PID(), second.PID())
	}
	stopped, started := make(chan error, 1), make(chan error, 1)
	go func() { stopped <- first.Stop(t.Context()) }()
	var serving *cluster.Cluster
	go func() {
		c, err := cluster.Start(t.Context(), cfg)
		serving = c
		started <- err
	}()
	note(t, second.Database())
	select {
	case err := <-stopped:
		t.Fatalf("the first stopped the cluster under the second: %v", err)
	case err := <-started:
		t.Fatalf("the node did not wait: %v", err)
	default:
	}
	stop(t, second)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	defer stop(t, serving)
	expectNote(t, serving.Database())
}

// What a pid file says is not believed: the process that it names must be a postmaster of these data.
func TestOpenDoesNotTrustAPidFile(t *testing.T) {
	t.Parallel()
	cfg := stale(t, "/bin/sleep", func(*exec.Cmd) {})
	// A node has the lock, and its postmaster is not up.
	lock, err := os.OpenFile(filepath.Join(cfg.Dir, "postgres.lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if c, err := cluster.Open(ctx, cfg); err == nil {
		stop(t, c)
		t.Error("it was trusted")
	}
}
