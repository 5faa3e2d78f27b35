package main

import (
	"context"
	"time"
)

// The most memory that a node may use, in MiB.
const (
	idleMemory = 60
	loadMemory = 200
)

// measureIdle reads the memory of a node that has just begun and has nothing to do.
func (b *bench) measureIdle(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	// What its start took is given back by then, if it is.
	if err := pause(ctx, 3*time.Second); err != nil {
		return err
	}
	m, err := readMemory(n.cmd.Process.Pid, n.store.cluster.PID())
	if err != nil {
		return err
	}
	b.table.note("proportional share (PSS), 3 s after the node was ready")
	b.table.add(mebibytes("node", m.node).most(idleMemory))
	b.table.add(mebibytes("PostgreSQL, all processes", m.postgres))
	return nil
}

// measureLoad reads the most memory that the node ever had, and what PostgreSQL has at the end.
func (b *bench) measureLoad(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	m, err := readMemory(n.cmd.Process.Pid, n.store.cluster.PID())
	if err != nil {
		return err
	}
	b.table.note("what was measured above has been the load; resident set of the node at its highest")
	b.table.add(mebibytes("node", m.highest).most(loadMemory))
	b.table.add(mebibytes("PostgreSQL, all processes (PSS, now)", m.postgres))
	return nil
}

func mebibytes(what string, bytes int64) benchRow {
	return benchRow{What: what, Figure: float64(bytes) / (1 << 20), Unit: "MiB"}
}
