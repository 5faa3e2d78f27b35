package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// A postmaster is one run of PostgreSQL as our child.
type postmaster struct {
	cmd    *exec.Cmd
	output string        // the file that has what it said before its own log was open
	exited chan struct{} // closed when it ended and was reaped
	err    error         // how, valid after exited
}

// An exitError says that a postmaster ended before it took connections.
type exitError struct {
	err    error
	output string
	logs   string
}

func (e *exitError) Error() string {
	if e.output == "" {
		return fmt.Sprintf("PostgreSQL ended (%v): its log in %s says why", e.err, e.logs)
	}
	return fmt.Sprintf("PostgreSQL ended (%v): %s", e.err, e.output)
}

// passes tells whether waiting may help: what an earlier postmaster left, or its children that still die, is in the way.
func (e *exitError) passes() bool {
	return strings.Contains(e.output, "lock file") || strings.Contains(e.output, "shared memory block")
}

// onOneThread starts cmd and waits for it on one thread of the system, which lives as long as the child: the signal that
// a child gets at the death of its parent is sent at the death of the thread that started it. The channel delivers two
// values, the result of the start and, if that was nil, the result of the child.
func onOneThread(cmd *exec.Cmd) <-chan error {
	results := make(chan error, 2)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		results <- err
		if err == nil {
			results <- cmd.Wait()
		}
	}()
	return results
}

// launch starts a postmaster. It is to be reaped: exited says when.
func (c *Cluster) launch() (*postmaster, error) {
	pm := &postmaster{output: filepath.Join(c.place.logs(), "start.log"), exited: make(chan struct{})}
	// A file, since the children of PostgreSQL keep a pipe open, and a dead node would break it.
	out, err := os.OpenFile(pm.output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	pm.cmd = exec.Command(c.bin.postgres(), c.arguments()...)
	pm.cmd.Dir, pm.cmd.Env = c.place.base, environment()
	pm.cmd.Stdout, pm.cmd.Stderr = out, out
	pm.cmd.SysProcAttr = c.owner.attributes(syscall.SIGINT) // a fast, clean shutdown
	results := onOneThread(pm.cmd)
	if err := <-results; err != nil {
		return nil, err
	}
	go func() {
		pm.err = <-results
		close(pm.exited)
	}()
	return pm, nil
}

// launchUntilReady starts a postmaster and returns when it takes connections. While remains of an earlier one are in
// the way it tries again, longer apart each time.
func (c *Cluster) launchUntilReady(ctx context.Context) (*postmaster, error) {
	wait := 50 * time.Millisecond
	for {
		if err := clearTheWay(ctx, c.place, c.sockets, c.cfg.Log); err != nil {
			return nil, err
		}
		pm, err := c.launch()
		if err != nil {
			return nil, err
		}
		err = c.awaitReady(ctx, pm)
		if err == nil {
			c.pid.Store(int64(pm.cmd.Process.Pid))
			return pm, nil
		}
		pm.stop(nil)
		if exit, ok := errors.AsType[*exitError](err); !ok || !exit.passes() || wait > 8*time.Second {
			return nil, err
		}
		c.cfg.Log.Debug("PostgreSQL did not start, trying again", "error", err)
		if pause(ctx, wait) != nil {
			return nil, err
		}
		wait *= 2
	}
}

// awaitReady returns when the postmaster has written its own number to the pid file, says there that it is ready, and
// answers. Another postmaster that answers on the same socket is never taken for ours. Recovery after a crash may take
// minutes: only ctx ends the wait.
func (c *Cluster) awaitReady(ctx context.Context, pm *postmaster) error {
	for {
		select {
		case <-pm.exited:
			return pm.explain(c.place.logs())
		default:
		}
		file, err := readPidFile(c.place.data())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && file.ready && file.pid == pm.cmd.Process.Pid {
			return c.ping(ctx)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("wait for PostgreSQL to be ready: %w", err)
		}
	}
}

func (c *Cluster) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}

// explain reads what the ended postmaster said.
func (pm *postmaster) explain(logs string) error {
	text, err := os.ReadFile(pm.output)
	if err != nil {
		return errors.Join(pm.err, err)
	}
	const most = 2000
	said := strings.TrimSpace(string(text))
	if len(said) > most {
		said = said[len(said)-most:]
	}
	ended := pm.err
	if ended == nil {
		ended = errors.New("exit status 0")
	}
	return &exitError{err: ended, output: said, logs: logs}
}

// stop ends the postmaster and returns when it was reaped: fast and clean, or, when hurry is closed, at once.
func (pm *postmaster) stop(hurry <-chan struct{}) {
	// A process that has ended meanwhile cannot be signalled, and need not be: exited says so.
	_ = pm.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-pm.exited:
		return
	case <-hurry:
	}
	_ = pm.cmd.Process.Signal(syscall.SIGQUIT)
	timer := time.NewTimer(5 * time.Second)
	defer timer.Stop()
	select {
	case <-pm.exited:
	case <-timer.C:
		_ = pm.cmd.Process.Kill()
		<-pm.exited
	}
}

// A cluster that could not be started again so often in a row is given up; that takes some minutes.
const mostRestarts = 10

// supervise keeps a postmaster running until Stop.
func (c *Cluster) supervise(pm *postmaster) {
	defer close(c.done)
	for {
		started := time.Now()
		select {
		case <-c.ctx.Done():
			pm.stop(c.hurry)
			return
		case <-pm.exited:
		}
		c.cfg.Log.Error("PostgreSQL ended, starting it again", "error", pm.explain(c.place.logs()))
		// One that dies again and again as soon as it is ready does not keep us busy.
		if time.Since(started) < time.Second && pause(c.ctx, time.Second) != nil {
			return
		}
		if pm = c.restart(); pm == nil {
			return
		}
		c.cfg.Log.Info("PostgreSQL runs again", "pid", pm.cmd.Process.Pid)
	}
}

// restart returns a ready postmaster, or nil when Stop was called or, with err set, when it gave up.
func (c *Cluster) restart() *postmaster {
	wait := 100 * time.Millisecond
	for tries := 1; ; tries++ {
		pm, err := c.launchUntilReady(c.ctx)
		if err == nil {
			return pm
		}
		if c.ctx.Err() != nil {
			return nil
		}
		c.cfg.Log.Error("PostgreSQL does not start", "try", tries, "error", err)
		if tries == mostRestarts {
			c.err = fmt.Errorf("keep PostgreSQL running: %w", err)
			return nil
		}
		if pause(c.ctx, wait) != nil {
			return nil
		}
		wait = min(2*wait, 30*time.Second)
	}
}
