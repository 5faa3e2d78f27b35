// Package cluster finds, makes, starts, adopts and stops the private PostgreSQL of a node, for those who name no
// database of their own.
//
// Everything of it lies in one folder, <data directory>/postgres: the files of PostgreSQL in data, its logs in logs, its
// socket in run. Where the user that PostgreSQL runs as cannot reach the data directory (below a home of mode 0700, say),
// the folder lies under /var/lib/souk instead, and Moved says so. PostgreSQL listens on the socket only, and the folder
// of the socket can be entered by its user and by root alone, which is what makes a password unnecessary.
//
// Nothing here deletes data but Remove, which is for clusters that were made to be thrown away.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Role is the one role of a private cluster, a superuser of it.
const Role = "node"

// port is part of the name of the socket; nothing listens on TCP.
const port = 5432

// Config says which cluster is wanted. Only Dir is required.
type Config struct {
	Dir       string            // the data directory of the node; made when missing
	Database  string            // the database that shall exist; "souk" when empty
	BinDir    string            // where postgres and initdb are; searched for when empty (see ErrNoBinaries)
	User      string            // as root: the user that PostgreSQL runs as; souk, postgres or nobody when empty
	SystemDir string            // where clusters go that cannot lie in Dir; /var/lib/souk when empty
	Settings  map[string]string // settings of PostgreSQL, over the defaults of this package
	Make      bool              // Open makes the cluster where there is none, as Start always does
	Log       *slog.Logger      // discarded when nil
}

// ErrInUse says that another process has the cluster: Start refuses to be the second node on the same data.
var ErrInUse = errors.New("the data directory is in use")

// A Cluster is a running private PostgreSQL: one that this process supervises, or one of another process that it joined.
type Cluster struct {
	cfg     Config
	place   place
	owner   owner
	bin     binaries
	sockets string

	locks  []*lock
	guests string // the file whose shared lock tells a command's cluster that somebody still works with it; "" for a node's

	pid     atomic.Int64
	ctx     context.Context // ends when Stop is called
	cancel  context.CancelFunc
	hurry   chan struct{} // closed when Stop runs out of patience
	done    chan struct{} // closed when the postmaster is gone for good
	err     error         // why supervision ended, valid after done
	release sync.Once
}

// Start makes the cluster of cfg.Dir where there is none yet, starts it and supervises it until Stop: a postmaster that
// ends is started again. The postmaster ends with this process, however that ends (on Linux).
//
// Errors: ErrInUse, ErrNoBinaries, *ErrVersion.
func Start(ctx context.Context, cfg Config) (c *Cluster, err error) {
	cfg = cfg.withDefaults()
	home, err := makeHome(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("start the private PostgreSQL of %s: %w", cfg.Dir, err)
	}
	held, err := lockForNode(ctx, home, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("start the private PostgreSQL of %s: %w", home, err)
	}
	c, err = start(ctx, cfg, home, held)
	if err != nil {
		return nil, fmt.Errorf("start the private PostgreSQL of %s: %w", home, err)
	}
	return c, nil
}

// start starts the cluster of home, whose lock the caller took; the lock goes with the cluster, or is given back on error.
func start(ctx context.Context, cfg Config, home string, held *lock) (_ *Cluster, err error) {
	c := &Cluster{cfg: cfg, locks: []*lock{held}, hurry: make(chan struct{}), done: make(chan struct{})}
	defer func() {
		if err != nil {
			c.unlock()
		}
	}()
	if err := c.prepare(ctx, home); err != nil {
		return nil, err
	}
	// The cluster outlives the context of its start.
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	pm, err := c.launchUntilReady(ctx)
	if err != nil {
		c.cancel()
		return nil, err
	}
	go c.supervise(pm)
	if err := c.ensureDatabase(ctx); err != nil {
		return nil, errors.Join(err, c.Stop(ctx))
	}
	return c, nil
}

// prepare finds or makes everything that a postmaster needs: place, user, binaries, data, socket folder.
func (c *Cluster) prepare(ctx context.Context, home string) (err error) {
	if c.place, err = locate(c.cfg, home); err != nil {
		return err
	}
	need, err := c.place.version()
	if err != nil {
		return err
	}
	if c.owner, err = findOwner(c.cfg, c.place); err != nil {
		return err
	}
	if c.bin, err = findBinaries(ctx, c.cfg.BinDir, need); err != nil {
		if other, ok := errors.AsType[*ErrVersion](err); ok && need != 0 {
			other.Dir = c.place.data()
		}
		return err
	}
	if c.place, err = settle(ctx, c.cfg, c.place, c.owner, c.bin); err != nil {
		return err
	}
	if c.place.moved {
		// Two copies of one data directory name the same cluster.
		held, err := tryLock(filepath.Join(c.place.base, "lock"), true, "node")
		if err != nil {
			return err
		}
		c.locks = append(c.locks, held)
	}
	if need == 0 {
		if err := initialise(ctx, c.cfg, c.place, c.owner, c.bin); err != nil {
			return err
		}
	}
	if err := c.owner.makePrivate(c.place.logs()); err != nil {
		return err
	}
	c.sockets, err = socketDir(c.cfg, c.place, c.owner)
	return err
}

// URL is the address of a database of the cluster, for pgx and for the tools of PostgreSQL.
func (c *Cluster) URL(database string) string { return socketURL(c.sockets, database) }

// Database is the address of the database that Start made sure of.
func (c *Cluster) Database() string { return c.URL(c.cfg.Database) }

func socketURL(dir, database string) string {
	q := url.Values{"host": {dir}, "port": {strconv.Itoa(port)}, "user": {Role}, "sslmode": {"disable"}}
	// libpq and pgx take a plus for a plus.
	query := strings.ReplaceAll(q.Encode(), "+", "%20")
	return (&url.URL{Scheme: "postgres", Path: "/" + database, RawQuery: query}).String()
}

// SocketDir is the folder of the socket.
func (c *Cluster) SocketDir() string { return c.sockets }

// BinDir is the folder of the binaries that the cluster runs with, for pg_dump and its like. It is empty for a cluster
// of another process whose binaries were not found.
func (c *Cluster) BinDir() string { return c.bin.dir }

// Moved is where the cluster lies when that is not in the data directory, for people to be told; else it is empty.
func (c *Cluster) Moved() string {
	if c.place.moved {
		return c.place.base
	}
	return ""
}

// PID is the process of the postmaster at the moment.
func (c *Cluster) PID() int { return int(c.pid.Load()) }

// Logs is the folder in which PostgreSQL writes its log.
func (c *Cluster) Logs() string { return c.place.logs() }

// Wait blocks until the cluster has ended: nil after Stop, else why it could not be kept running.
// For a cluster of another process it blocks until Stop.
func (c *Cluster) Wait() error {
	<-c.done
	return c.err
}

// Stop ends a cluster that this process started: open connections are broken off, everything committed is on disk. When
// ctx ends first PostgreSQL is ended at once, and recovers at the next start. A cluster that a command started is kept
// for the other commands that joined it, until they are done. A cluster of another process is only let go.
// Stop may be called more than once.
func (c *Cluster) Stop(ctx context.Context) error {
	defer c.unlock()
	if c.ctx == nil {
		c.release.Do(func() { close(c.done) })
		return nil
	}
	if c.guests != "" {
		if l := waitForGuests(ctx, c.guests); l != nil {
			defer l.release()
		}
	}
	c.cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
		c.release.Do(func() { close(c.hurry) })
		<-c.done
	}
	if c.sockets == filepath.Join(c.place.base, "run") {
		return c.err
	}
	return errors.Join(c.err, removeSockets(c.sockets), c.removeShortDir())
}

// removeShortDir deletes the folder of the socket where it does not lie in that of the cluster.
func (c *Cluster) removeShortDir() error {
	if err := os.Remove(c.sockets); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (c *Cluster) unlock() {
	for _, l := range c.locks {
		l.release()
	}
}

// ensureDatabase makes the database of the configuration where it is missing.
func (c *Cluster) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	err = conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, c.cfg.Database).Scan(&there)
	if err != nil || there {
		return err
	}
	// The lock of the data directory is ours: nobody else makes it meanwhile.
	_, err = conn.Exec(ctx, "create database "+pgx.Identifier{c.cfg.Database}.Sanitize())
	return err
}

func (cfg Config) withDefaults() Config {
	if cfg.Database == "" {
		cfg.Database = "souk"
	}
	if cfg.SystemDir == "" {
		cfg.SystemDir = "/var/lib/souk"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// makeHome makes the data directory and returns its absolute path without links, the same for every process.
func makeHome(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no data directory is named")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o755); err != nil {
		return "", err
	}
	// Not 0700: the user of PostgreSQL must pass through, or the cluster has to lie elsewhere. Nobody may list it.
	if err := os.Mkdir(abs, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}
