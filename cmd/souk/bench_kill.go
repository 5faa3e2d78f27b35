package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

// measureKill posts activities, kills node and PostgreSQL with the last 202, and counts what of them is there after a start.
func (b *bench) measureKill(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	writers, err := b.writers(ctx, n, "survivor")
	if err != nil {
		return err
	}
	const count = 1000
	b.table.say("signing %d activities", count)
	_, requests, err := signedNotes(n, writers, count)
	if err != nil {
		return err
	}
	if _, err := fire(ctx, n.address, loadConnections, http.StatusAccepted, from(requests)); err != nil {
		return err
	}
	if err := n.kill(); err != nil {
		return err
	}
	start := time.Now()
	if err := n.restart(ctx, b); err != nil {
		return err
	}
	ready := time.Since(start)
	if err := n.quiet(ctx); err != nil {
		return err
	}
	var visible int
	if err := n.store.pool.QueryRow(ctx, `select count(*) from posts p join accounts a on a.id = p.account_id
		where a.name = 'survivor' and p.in_timeline and p.deleted is null`).Scan(&visible); err != nil {
		return err
	}
	b.table.note("%d activities over %d connections, each answered with 202; then SIGKILL to node and PostgreSQL at once", count, loadConnections)
	b.table.add(benchRow{What: "of those answered with 202, lost", Figure: float64(count - visible)}.none())
	b.table.add(inMillis("ready again, PostgreSQL recovered", ready))
	b.table.add(inMillis("all visible, from the start on", time.Since(start)))
	return nil
}

// kill ends node and postmaster as a power cut would.
func (n *benchNode) kill() error {
	postmaster := n.store.cluster.PID()
	err := errors.Join(n.cmd.Process.Kill(), syscall.Kill(postmaster, syscall.SIGKILL))
	<-n.gone
	n.db.Close()
	n.store.pool.Close()
	return err
}

// restart starts a node that was killed, and opens its database again.
func (n *benchNode) restart(ctx context.Context, b *bench) error {
	var err error
	if n.child, _, err = b.serveIn(ctx, n.dir, n.address); err != nil {
		return fmt.Errorf("start again: %w", err)
	}
	return n.open(ctx, b)
}
