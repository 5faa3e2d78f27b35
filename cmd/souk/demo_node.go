package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

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

	*child // nil until it is started

	store *store
	db    *souk.DB
	fed   *federation.Federation
	clock *demoClock
}

func (n *demoNode) base() string { return "http://" + n.address }

// newDemoNode makes the folder of a node, or takes the node up again that lies there.
func newDemoNode(root, letter, ip string) (*demoNode, error) {
	n := &demoNode{letter: letter, dir: filepath.Join(root, strings.ToLower(letter)), clock: &demoClock{}}
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

// config is the node's configuration, read as the child reads it.
func (n *demoNode) config() (*Config, error) { return childConfig(n.dir) }

func (n *demoNode) dataDir() string { return filepath.Join(n.dir, "data") }

// start runs souk serve in the node's folder.
func (n *demoNode) start() (err error) {
	n.child, err = startChild("node "+n.letter, n.dir, "serve")
	return err
}

// ready waits until the node answers.
func (n *demoNode) ready(ctx context.Context) error {
	return n.answers(ctx, n.base()+"/readyz", 50*time.Millisecond)
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
	client := federation.NewClient(federation.FetchConfig{AllowNetworks: c.AllowNetworks, Refused: n.db.Refused, MediaRefused: n.db.MediaRefused, UserAgent: "Souk/" + version() + " (+" + c.BaseURL() + "/)"})
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

// stop ends the child, if there is one.
func (n *demoNode) stop() error {
	if n.child == nil {
		return nil
	}
	return n.child.stop()
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
