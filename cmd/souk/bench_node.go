package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"souk"
	"souk/server/blob"
)

// benchNode is the node that is measured: souk serve as a process of its own, with its PostgreSQL. Beside it this process
// opens the same database, as commands do, to prepare what is measured and to see when it is done.
type benchNode struct {
	*child
	address string // host:port
	store   *store
	db      *souk.DB
	owner   *souk.Account
}

func (n *benchNode) base() string { return "http://" + n.address }

// folder is where the i-th node lies.
func (b *bench) folder(i int) string { return filepath.Join(b.dir, fmt.Sprintf("node%d", i)) }

// newFolder makes the folder of a new node with its souk.toml. Limits are off: a load test is what they are against.
func (b *bench) newFolder() (dir, address string, err error) {
	if address, err = freeAddress("127.0.0.1"); err != nil {
		return "", "", err
	}
	dir = b.folder(b.nodes)
	if err := os.Mkdir(dir, 0o711); err != nil {
		return "", "", err
	}
	b.nodes++
	text := fmt.Sprintf("domain = %q\nlisten = %q\nscheme = \"http\"\ndata_dir = \"data\"\nallow_networks = \"127.0.0.0/8\"\nrate_limit = 0\n", address, address)
	return dir, address, os.WriteFile(filepath.Join(dir, configName), []byte(text), 0o644)
}

// serveIn starts the node of dir, and returns when it is ready, with how long that took.
func (b *bench) serveIn(ctx context.Context, dir, address string) (c *child, took time.Duration, err error) {
	start := time.Now()
	// The other hosts have certificates of an authority that only this run knows.
	environ := append(childEnviron(os.Environ()), "SSL_CERT_FILE="+b.authority())
	if c, err = startChildIn(environ, "the node", dir, "serve"); err != nil {
		return nil, 0, err
	}
	if err := c.answers(ctx, "http://"+address+"/readyz", 5*time.Millisecond); err != nil {
		return nil, 0, errors.Join(err, c.stop())
	}
	return c, time.Since(start), nil
}

// running is the node that the parts share, started by the first that needs it.
func (b *bench) running(ctx context.Context) (*benchNode, error) {
	if b.node != nil {
		return b.node, nil
	}
	if _, err := b.otherHosts(); err != nil { // a process reads the authorities that it trusts once
		return nil, err
	}
	dir, address, err := b.newFolder()
	if err != nil {
		return nil, err
	}
	c, _, err := b.serveIn(ctx, dir, address)
	if err != nil {
		return nil, err
	}
	b.node = &benchNode{child: c, address: address}
	if err := b.node.open(ctx, b); err != nil {
		return nil, err
	}
	if b.node.owner, err = b.node.db.CreateAccount(ctx, souk.NewAccount{Name: "bench", Role: souk.RoleOwner, DisplayName: "Bench", Password: rand.Text()}); err != nil {
		return nil, err
	}
	if err := b.askVersion(ctx, b.node.store.pool); err != nil {
		return nil, err
	}
	return b.node, b.node.quiet(ctx)
}

// open opens the node's database beside it.
func (n *benchNode) open(ctx context.Context, b *bench) error {
	c, err := childConfig(n.dir)
	if err != nil {
		return err
	}
	if n.store, err = openStore(ctx, c, b.log, besideNode); err != nil {
		return err
	}
	blobs, err := blob.New(c.MediaURL.String())
	if err != nil {
		return err
	}
	n.db, err = souk.New(n.store.pool, souk.Config{BaseURL: c.BaseURL(), HandleDomain: c.HandleDomain, Blobs: blobs, Log: b.log})
	return err
}

func (n *benchNode) close(ctx context.Context) error {
	var errs []error
	if n.db != nil {
		n.db.Close()
	}
	if n.store != nil {
		errs = append(errs, n.store.close(ctx))
	}
	return errors.Join(append(errs, n.stop())...)
}

// usage is the processor time of the node and of its PostgreSQL so far.
type usage struct{ node, postgres time.Duration }

func (n *benchNode) usage() (u usage, err error) {
	if u.node, err = processorTime(n.cmd.Process.Pid); err != nil {
		return u, err
	}
	u.postgres, err = familyTime(n.store.cluster.PID())
	return u, err
}

func (u usage) since(before usage) usage {
	return usage{u.node - before.node, u.postgres - before.postgres}
}

func (u usage) sum() time.Duration { return u.node + u.postgres }

// lookEvery is how often it is looked whether background work is done.
const lookEvery = 20 * time.Millisecond

// quiet returns when the node has nothing left to do in the background.
func (n *benchNode) quiet(ctx context.Context) error {
	return n.until(ctx, 2*time.Minute, "the background work to end", `select not exists (select from inbox_queue)
		and not exists (select from events where done is null and (after is null or after < now()))
		and not exists (select from deliveries where state = 'queued') and not exists (select from search_outbox)
		and not exists (select from river_job where kind = 'key' and finalized_at is null)`)
}

// until returns when the query, of one bool, is true.
func (n *benchNode) until(ctx context.Context, most time.Duration, what, sql string, args ...any) error {
	limited, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		var done bool
		if err := n.store.pool.QueryRow(limited, sql, args...).Scan(&done); err != nil && limited.Err() == nil {
			return err
		}
		if done {
			return nil
		}
		if pause(limited, lookEvery) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("waited %s for %s. %s", most, what, n.output.warnings())
		}
	}
}

// askVersion notes which PostgreSQL the node runs.
func (b *bench) askVersion(ctx context.Context, db *pgxpool.Pool) error {
	return db.QueryRow(ctx, `select split_part(current_setting('server_version'), ' ', 1)`).Scan(&b.postgres)
}
