package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

	"souk"
	"souk/federation"
	"souk/migrations/cluster"
	"souk/server/blob"
)

// demoNode is one node of the demonstration: a folder with a souk.toml, and a child process that serves it. Beside the
// child this process opens the same database, as every command does, to act for the node's people.
type demoNode struct {
	letter  string // A, B or C
	address string // host:port, which is the node's domain too
	dir     string // of souk.toml, the log and the data

	child  *exec.Cmd
	gone   chan struct{} // closed when the child has ended
	ended  error         // how it ended; valid after gone
	output *lastLines

	store *store
	db    *souk.DB
	fed   *federation.Federation
	clock *demoClock
}

func (n *demoNode) base() string { return "http://" + n.address }

// newDemoNode makes the folder of a node, or takes the node up again that lies there.
func newDemoNode(root, letter, ip string) (*demoNode, error) {
	n := &demoNode{letter: letter, dir: filepath.Join(root, strings.ToLower(letter)), output: &lastLines{}, clock: &demoClock{}}
	settings := filepath.Join(n.dir, configName)
	if _, err := os.Stat(settings); err == nil {
		c, err := n.config()
		if err != nil {
			return nil, err
		}
		n.address = c.Domain
		return n, nil
	}
	var err error
	if n.address, err = freeAddress(ip); err != nil {
		return nil, err
	}
	// The user that PostgreSQL runs as passes through.
	if err := os.Mkdir(n.dir, 0o711); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("domain = %q\nlisten = %q\nscheme = \"http\"\ndata_dir = \"data\"\nallow_networks = \"127.0.0.0/8\"\n", n.address, n.address)
	return n, os.WriteFile(settings, []byte(text), 0o644)
}

// freeAddress is an address of ip with a port that nobody listens on.
func freeAddress(ip string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return "", advise(fmt.Errorf("the demonstration needs the loopback address %s: %w", ip, err), "sudo ifconfig lo0 alias "+ip+"   (macOS; Linux has it)")
	}
	return l.Addr().String(), l.Close()
}

// config is the node's configuration, read as the child reads it.
func (n *demoNode) config() (*Config, error) {
	flags := pflag.NewFlagSet("souk", pflag.ContinueOnError)
	addSettingFlags(flags)
	if err := flags.Parse([]string{"--config", filepath.Join(n.dir, configName), "--data-dir", n.dataDir()}); err != nil {
		return nil, err
	}
	return loadConfig(flags, nil)
}

func (n *demoNode) dataDir() string { return filepath.Join(n.dir, "data") }

// start runs souk serve in the node's folder. The child gets nothing of the environment but where programs and
// temporary files are, so that no setting of the shell reaches it.
func (n *demoNode) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(n.dir, "souk.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	n.child = exec.Command(self, "serve")
	n.child.Dir = n.dir
	n.child.Env = demoEnviron(os.Environ())
	n.child.SysProcAttr = childAttributes()
	n.child.Stdout = io.MultiWriter(log, n.output)
	n.child.Stderr = n.child.Stdout
	n.gone = make(chan struct{})
	started := make(chan error)
	go func() {
		// The signal that a child gets when its parent dies (childAttributes) belongs to the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		if err := n.child.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		n.ended = n.child.Wait()
		close(n.gone)
	}()
	if err := <-started; err != nil {
		n.child = nil
		return fmt.Errorf("start node %s: %w", n.letter, err)
	}
	return nil
}

// demoEnviron is what of the environment the children get.
func demoEnviron(environ []string) []string {
	var kept []string
	for _, kv := range environ {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH":
			kept = append(kept, kv)
		}
	}
	return kept
}

// ready waits until the node answers, for a minute at most, and notices at once when it ends instead.
func (n *demoNode) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		if n.answers(ctx) {
			return nil
		}
		select {
		case <-n.gone:
			return fmt.Errorf("node %s ended while it started (%w). Its last lines:\n%s", n.letter, n.howEnded(), n.output)
		case <-ctx.Done():
			return fmt.Errorf("node %s is not ready: %w. Its last lines:\n%s", n.letter, context.Cause(ctx), n.output)
		case <-look.C:
		}
	}
}

func (n *demoNode) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.base()+"/readyz", nil)
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

func (n *demoNode) howEnded() error {
	if n.ended == nil {
		return errors.New("exit status 0")
	}
	return n.ended
}

// open opens the node's database beside the running child.
func (n *demoNode) open(ctx context.Context) error {
	c, err := n.config()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(n.output, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if n.store, err = openStore(ctx, c, log, besideNode); err != nil {
		return err
	}
	blobs, err := blob.New(c.MediaURL.String())
	if err != nil {
		return err
	}
	n.db, err = souk.New(n.store.pool, souk.Config{BaseURL: c.BaseURL(), HandleDomain: c.HandleDomain, Blobs: blobs, Log: log, Now: n.clock.now})
	if err != nil {
		return err
	}
	client := federation.NewClient(federation.FetchConfig{AllowNetworks: c.AllowNetworks, UserAgent: "Souk/" + version() + " (+" + c.BaseURL() + "/)"})
	n.fed = federation.New(n.db, federation.Config{Client: client, Version: version(), Log: log})
	return nil
}

// close lets go of the node's database.
func (n *demoNode) close(ctx context.Context) error {
	if n.db != nil {
		n.db.Close()
		n.db = nil
	}
	if n.store == nil {
		return nil
	}
	defer func() { n.store = nil }()
	return n.store.close(ctx)
}

// stop ends the child: politely, and after stopWithin twice (requests, then jobs) for good.
func (n *demoNode) stop() error {
	if n.child == nil {
		return nil
	}
	select {
	case <-n.gone:
		return fmt.Errorf("node %s had ended by itself (%w)", n.letter, n.howEnded())
	default:
	}
	if err := n.child.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	patience := time.NewTimer(2*stopWithin + 5*time.Second)
	defer patience.Stop()
	select {
	case <-n.gone:
	case <-patience.C:
		err := n.child.Process.Kill()
		<-n.gone
		return errors.Join(fmt.Errorf("node %s did not stop and was killed", n.letter), err)
	}
	if n.ended != nil {
		return fmt.Errorf("node %s: %w. Its last lines:\n%s", n.letter, n.ended, n.output)
	}
	return nil
}

// remove deletes the node's cluster and data.
func (n *demoNode) remove() error { return cluster.Remove(cluster.Config{Dir: n.dataDir()}) }

// demoClock is the clock by which this process acts for a node: the true one, set back while it plays what happened in
// the days before.
type demoClock struct {
	lock sync.Mutex
	back time.Duration
}

func (c *demoClock) now() time.Time {
	c.lock.Lock()
	defer c.lock.Unlock()
	return time.Now().Add(-c.back)
}

// set puts the clock back by the duration; 0 is the present.
func (c *demoClock) set(back time.Duration) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.back = back
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
