package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoCluster says that there is no private PostgreSQL in a data directory yet.
var ErrNoCluster = errors.New("there is no database in the data directory yet: souk serve makes it")

// Open gives a command the cluster of cfg.Dir, and makes one only if cfg.Make says so. Beside a running node it joins the node's, which it trusts only
// after comparing its pid file with the process of that number; else it starts the cluster, and Stop stops it again.
//
// Errors: ErrNoCluster, ErrNoBinaries, *ErrVersion.
func Open(ctx context.Context, cfg Config) (c *Cluster, err error) {
	cfg = cfg.withDefaults()
	c, err = open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the private PostgreSQL of %s: %w", cfg.Dir, err)
	}
	return c, nil
}

func open(ctx context.Context, cfg Config) (*Cluster, error) {
	home, err := findHome(cfg)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, time.Minute) // for another process; recovery may take longer
	defer cancel()
	for {
		held, err := tryLock(lockOf(home), true, "command")
		if err == nil {
			return startForCommand(ctx, cfg, home, held)
		}
		if !errors.Is(err, ErrInUse) {
			return nil, err
		}
		c, joinErr := join(ctx, cfg, home)
		if joinErr == nil {
			return c, nil
		}
		// Its holder may be starting, or stopping: look again.
		if !errors.Is(joinErr, errNotReady) || pause(waiting, 20*time.Millisecond) != nil {
			return nil, joinErr
		}
	}
}

// findHome is the data directory as all processes write it; without cfg.Make it must exist.
func findHome(cfg Config) (string, error) {
	if cfg.Make {
		return makeHome(cfg.Dir)
	}
	abs, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return "", err
	}
	home, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNoCluster
	}
	return home, err
}

func startForCommand(ctx context.Context, cfg Config, home string, held *lock) (*Cluster, error) {
	p, err := locate(cfg, home)
	if err == nil && !p.fixed && !cfg.Make {
		err = ErrNoCluster
	}
	if err != nil {
		held.release()
		return nil, err
	}
	c, err := start(ctx, cfg, home, held)
	if err != nil {
		return nil, err
	}
	c.guests = guestsOf(home)
	return c, nil
}

// errNotReady says that the holder of the lock has no postmaster that takes connections at the moment.
var errNotReady = errors.New("the PostgreSQL of the running node does not answer")

// join connects to the cluster of the process that has the lock.
func join(ctx context.Context, cfg Config, home string) (c *Cluster, err error) {
	guest, err := tryLock(guestsOf(home), false, "")
	if err != nil {
		if errors.Is(err, ErrInUse) { // the command that has the cluster is about to stop it
			return nil, errNotReady
		}
		return nil, err
	}
	c = &Cluster{cfg: cfg, locks: []*lock{guest}, done: make(chan struct{})}
	defer func() {
		if err != nil {
			guest.release()
		}
	}()
	if c.place, err = locate(cfg, home); err != nil {
		return nil, err
	}
	file, err := readPidFile(c.place.data())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotReady
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: run the command as root, or as the user who runs the node", err)
	}
	if err != nil {
		return nil, err
	}
	state, err := fateOf(file.pid, c.place.data())
	if err != nil {
		return nil, err
	}
	if state != running || !file.ready {
		return nil, errNotReady
	}
	c.sockets = file.sockets
	c.pid.Store(int64(file.pid))
	if err := c.verify(ctx); err != nil {
		return nil, err
	}
	if need, err := c.place.version(); err == nil {
		// Only pg_dump and its like are asked for with it.
		c.bin, _ = findBinaries(ctx, cfg.BinDir, need)
	}
	return c, nil
}

// verify asks the server on the socket which data it serves.
func (c *Cluster) verify(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		if _, statErr := os.Stat(c.sockets); statErr != nil {
			return errors.Join(err, statErr)
		}
		return errors.Join(errNotReady, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var data string
	if err := conn.QueryRow(ctx, `select current_setting('data_directory')`).Scan(&data); err != nil {
		return err
	}
	if !sameFile(data, c.place.data()) {
		return fmt.Errorf("the PostgreSQL on %s serves %s, not %s", c.sockets, data, c.place.data())
	}
	return nil
}
