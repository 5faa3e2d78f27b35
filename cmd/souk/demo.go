package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"souk"
)

func newDemoCommand(environ []string) *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run three nodes on this machine, with people, pictures and products",
		Long: "Runs three nodes on this machine, each with a PostgreSQL of its own: a potter's shop, a print shop that follows\n" +
			"it, and the node of somebody who reads. They talk to each other as nodes on the internet do. Nothing is\n" +
			"installed, nothing reaches the outside, and everything is deleted at the end unless --keep or --dir say otherwise.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.t = newTerminal(cmd.OutOrStdout(), environ)
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&d.check, "check", false, "play a story over the nodes, test every step, and stop")
	cmd.Flags().BoolVar(&d.keep, "keep", false, "keep the nodes' data at the end")
	cmd.Flags().StringVar(&d.root, "dir", "", "put the nodes into `FOLDER` and keep them; the next run with it goes on with the same nodes")
	cmd.MarkFlagsMutuallyExclusive("check", "dir")
	return cmd
}

// demo is the demonstration: its flags, and the nodes while they run.
type demo struct {
	keep, check bool
	root        string
	t           *terminal

	password string
	pottery  *demoNode // A, at 127.0.0.2
	prints   *demoNode // B, at 127.0.0.3
	reader   *demoNode // C, at 127.0.0.4
	studio   *studio
}

func (d *demo) nodes() []*demoNode { return []*demoNode{d.pottery, d.prints, d.reader} }

// run runs the demonstration until ctx ends, or with --check until the story is told. Ctrl-C is not an error.
func (d *demo) run(ctx context.Context) (err error) {
	fresh, err := d.prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.end(context.WithoutCancel(ctx))) }()
	start := time.Now()
	shops := d.shops()
	if fresh {
		drawing, stop := context.WithCancel(ctx)
		defer stop()
		d.studio = newStudio(drawing, shops)
	}
	if err := d.start(ctx); err != nil {
		return stopped(ctx, err)
	}
	d.t.ok("nodes", "three are running, "+took(start))
	if fresh {
		d.t.ok("content", "drawing pictures, writing posts, opening shops ...")
		if err := d.fill(ctx, shops); err != nil {
			return stopped(ctx, err)
		}
		d.t.ok("content", "is there, "+took(start))
	}
	if d.check {
		return stopped(ctx, d.tellStory(ctx))
	}
	if err := d.tell(); err != nil {
		return err
	}
	return d.watch(ctx)
}

// stopped is nil where ctx ended, which is how people stop the demonstration.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func took(since time.Time) string { return fmt.Sprintf("after %.1f s", time.Since(since).Seconds()) }

// prepare makes the folder of the nodes, or finds them in the one that was named; fresh says that they are new.
func (d *demo) prepare() (fresh bool, err error) {
	if d.root == "" {
		if d.root, err = os.MkdirTemp("", "souk-demo-"); err != nil {
			return false, err
		}
	} else {
		d.keep = true
		if d.root, err = filepath.Abs(d.root); err != nil {
			return false, err
		}
		if err := os.MkdirAll(d.root, 0o711); err != nil {
			return false, err
		}
	}
	// A temporary folder is closed to others, but the user that PostgreSQL runs as passes through.
	if err := os.Chmod(d.root, 0o711); err != nil {
		return false, err
	}
	complete := filepath.Join(d.root, "password")
	text, err := os.ReadFile(complete)
	switch {
	case err == nil:
		d.password = strings.TrimSpace(string(text))
	case errors.Is(err, os.ErrNotExist):
		fresh = true
		d.password = strings.ToLower(rand.Text()[:12])
	default:
		return false, err
	}
	for _, n := range []struct {
		at         **demoNode
		letter, ip string
	}{{&d.pottery, "A", "127.0.0.2"}, {&d.prints, "B", "127.0.0.3"}, {&d.reader, "C", "127.0.0.4"}} {
		if *n.at, err = newDemoNode(d.root, n.letter, n.ip); err != nil {
			return false, err
		}
	}
	return fresh, nil
}

// shops is the content, of nodes A, B and C.
func (d *demo) shops() []demoShop {
	shops := []demoShop{demoPottery(), demoPrintshop(), demoReader()}
	for i := range shops {
		if d.check {
			shops[i] = shops[i].brief()
		}
		shops[i].account.Password = d.password
	}
	return shops
}

// start starts all nodes at once and opens their databases.
func (d *demo) start(ctx context.Context) error {
	for _, n := range d.nodes() {
		if err := n.start(); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range d.nodes() {
		group.Go(func() error {
			if err := n.ready(ctx); err != nil {
				return err
			}
			return n.open(ctx)
		})
	}
	return group.Wait()
}

// end stops the nodes and deletes them, unless they are to be kept.
func (d *demo) end(ctx context.Context) error {
	var errs []error
	for _, n := range d.nodes() {
		if n != nil {
			errs = append(errs, n.close(ctx))
		}
	}
	var group errgroup.Group
	stops := make([]error, len(d.nodes()))
	for i, n := range d.nodes() {
		if n != nil {
			group.Go(func() error { stops[i] = n.stop(); return nil })
		}
	}
	_ = group.Wait() // the errors are in stops, all of them
	errs = append(errs, stops...)
	if d.keep {
		d.t.ok("kept", d.root)
		return errors.Join(errs...)
	}
	for _, n := range d.nodes() {
		if n != nil {
			errs = append(errs, n.remove())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(d.root))...)
}

// tell prints where the nodes are, who can sign in, and what to try.
func (d *demo) tell() error {
	if d.keep {
		if err := os.WriteFile(filepath.Join(d.root, "password"), []byte(d.password+"\n"), 0o600); err != nil {
			return err
		}
	}
	for _, n := range []struct {
		node       *demoNode
		name, what string
	}{
		{d.pottery, "qingshan", "Qingshan Pottery, a potter in Longquan"},
		{d.prints, "tintaelinho", "Tinta e Linho, a print shop in Porto that follows the potter"},
		{d.reader, "mira", "the node of Mira, who reads and asks"},
	} {
		d.t.ok("node "+n.node.letter, fmt.Sprintf("%s/\n%s\n@%s@%s, signs in at %s/console as %s with %s",
			n.node.base(), n.what, n.name, n.node.address, n.node.base(), n.name, d.password))
	}
	a, b := d.pottery.base(), d.prints.base()
	d.t.ok("try", strings.Join([]string{
		"order a cup without an account:           " + a + "/products",
		"find the potter's cup at the print shop:  " + b + "/search?q=celadon",
		"the same in Chinese:                      " + b + "/zh/search?q=青瓷",
		"sell something, and see it arrive at B:   " + a + "/console",
		"what a fediverse server sees:             curl -H 'Accept: application/activity+json' " + a + "/users/qingshan",
		"logs and data:                            " + d.root,
	}, "\n"))
	d.t.ok("stop", "Ctrl-C stops all three")
	return nil
}

// watch waits until ctx ends; a node that ends before is an error.
func (d *demo) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.pottery.gone:
		return fmt.Errorf("node A ended (%w):\n%s", d.pottery.howEnded(), d.pottery.output)
	case <-d.prints.gone:
		return fmt.Errorf("node B ended (%w):\n%s", d.prints.howEnded(), d.prints.output)
	case <-d.reader.gone:
		return fmt.Errorf("node C ended (%w):\n%s", d.reader.howEnded(), d.reader.output)
	}
}

// actor is the account of a node's own person.
func (n *demoNode) actor(ctx context.Context, name string) (*souk.Account, error) {
	return n.db.LocalAccount(ctx, name)
}
