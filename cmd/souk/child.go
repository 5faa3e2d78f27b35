package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// child is this program run as a process of its own, in a folder that has its souk.toml and its log. Demonstration and
// benchmarks run nodes so, since what they show or measure must be what an admin runs.
type child struct {
	name   string // for people
	dir    string
	cmd    *exec.Cmd
	gone   chan struct{} // closed when it has ended and was reaped
	ended  error         // how; valid after gone
	output *lastLines
}

// startChild runs the program with the arguments in dir. The child gets nothing of the environment but where programs
// and temporary files are, so that no setting of the shell reaches it. It is to be stopped.
func startChild(name, dir string, args ...string) (*child, error) {
	return startChildIn(childEnviron(os.Environ()), name, dir, args...)
}

// startChildIn is startChild with an environment.
func startChildIn(environ []string, name, dir string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "souk.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	c := &child{name: name, dir: dir, cmd: exec.Command(self, args...), gone: make(chan struct{}), output: &lastLines{}}
	c.cmd.Dir, c.cmd.Env, c.cmd.SysProcAttr = dir, environ, childAttributes()
	c.cmd.Stdout = io.MultiWriter(log, c.output)
	c.cmd.Stderr = c.cmd.Stdout
	started := make(chan error)
	go func() {
		// The signal that a child gets when its parent dies (childAttributes) belongs to the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		if err := c.cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		c.ended = c.cmd.Wait()
		close(c.gone)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return c, nil
}

// childEnviron is what of the environment children get.
func childEnviron(environ []string) []string {
	var kept []string
	for _, kv := range environ {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH":
			kept = append(kept, kv)
		}
	}
	return kept
}

// childConfig is the configuration in dir, read as the child that runs there reads it.
func childConfig(dir string) (*Config, error) {
	flags := pflag.NewFlagSet("souk", pflag.ContinueOnError)
	addSettingFlags(flags)
	if err := flags.Parse([]string{"--config", filepath.Join(dir, configName), "--data-dir", filepath.Join(dir, "data")}); err != nil {
		return nil, err
	}
	return loadConfig(flags, nil)
}

// freeAddress is an address of ip with a port that nobody listens on.
func freeAddress(ip string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return "", advise(fmt.Errorf("the loopback address %s is needed: %w", ip, err), "sudo ifconfig lo0 alias "+ip+"   (macOS; Linux has it)")
	}
	return l.Addr().String(), l.Close()
}

// answers waits until GET address answers 200, looking every so often, for a minute at most, and notices at once when the
// child ends instead.
func (c *child) answers(ctx context.Context, address string, every time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	look := time.NewTicker(every)
	defer look.Stop()
	for {
		if answersOK(ctx, address) {
			return nil
		}
		select {
		case <-c.gone:
			return fmt.Errorf("%s ended while it started (%w). Its last lines:\n%s", c.name, c.howEnded(), c.output)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w. Its last lines:\n%s", c.name, context.Cause(ctx), c.output)
		case <-look.C:
		}
	}
}

func answersOK(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func (c *child) howEnded() error {
	if c.ended == nil {
		return errors.New("exit status 0")
	}
	return c.ended
}

// stop ends the child: politely, and after stopWithin twice (requests, then jobs) for good. It is an error where the
// child had ended by itself, or ended with one.
func (c *child) stop() error {
	select {
	case <-c.gone:
		return fmt.Errorf("%s had ended by itself (%w). Its last lines:\n%s", c.name, c.howEnded(), c.output)
	default:
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	patience := time.NewTimer(2*stopWithin + 5*time.Second)
	defer patience.Stop()
	select {
	case <-c.gone:
	case <-patience.C:
		err := c.cmd.Process.Kill()
		<-c.gone
		return errors.Join(fmt.Errorf("%s did not stop and was killed", c.name), err)
	}
	if c.ended != nil {
		return fmt.Errorf("%s: %w. Its last lines:\n%s", c.name, c.ended, c.output)
	}
	return nil
}

// lastLines keeps the last lines that were written to it, for people to be told why something failed.
type lastLines struct {
	lock  sync.Mutex
	lines []string
	rest  string
}

const keptLines = 200

func (l *lastLines) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	lines := strings.Split(l.rest+string(p), "\n")
	l.rest = lines[len(lines)-1]
	l.lines = append(l.lines, lines[:len(lines)-1]...)
	if over := len(l.lines) - keptLines; over > 0 {
		l.lines = l.lines[over:]
	}
	return len(p), nil
}

// String is the last twelve lines.
func (l *lastLines) String() string { return l.last(12, "") }

// warnings is the last lines of the log that say that something is wrong.
func (l *lastLines) warnings() string { return l.last(6, "level=WARN", "level=ERROR", "panic") }

// last is up to n last lines that hold one of the words.
func (l *lastLines) last(n int, words ...string) string {
	l.lock.Lock()
	defer l.lock.Unlock()
	var found []string
	for i := len(l.lines) - 1; i >= 0 && len(found) < n; i-- {
		for _, w := range words {
			if strings.Contains(l.lines[i], w) {
				found = append([]string{l.lines[i]}, found...)
				break
			}
		}
	}
	return strings.Join(found, "\n")
}
