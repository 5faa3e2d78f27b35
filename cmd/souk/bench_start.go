package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"souk/migrations/cluster"
)

// startRounds is how often each start is measured; the median counts.
const startRounds = 3

// measureStart holds the start of a node against that of a bare PostgreSQL, which is most of it.
func (b *bench) measureStart(ctx context.Context) error {
	var fresh, again, bareFresh, bareAgain durations
	for range startRounds {
		first, second, err := b.bareStarts(ctx)
		if err != nil {
			return err
		}
		bareFresh, bareAgain = append(bareFresh, first), append(bareAgain, second)
		if first, second, err = b.nodeStarts(ctx); err != nil {
			return err
		}
		fresh, again = append(fresh, first), append(again, second)
	}
	b.table.note("median of %d", startRounds)
	b.table.add(inMillis("first start: new database, migrations", fresh.median()).over("initdb and start of PostgreSQL", millis(bareFresh.median())))
	b.table.add(inMillis("every other start", again.median()).over("start of PostgreSQL", millis(bareAgain.median())))
	return nil
}

// nodeStarts makes a node, and starts it a second time.
func (b *bench) nodeStarts(ctx context.Context) (fresh, again time.Duration, err error) {
	dir, address, err := b.newFolder()
	if err != nil {
		return 0, 0, err
	}
	for _, to := range []*time.Duration{&fresh, &again} {
		c, took, err := b.serveIn(ctx, dir, address)
		if err != nil {
			return 0, 0, err
		}
		if err := c.stop(); err != nil {
			return 0, 0, err
		}
		*to = took
	}
	return fresh, again, nil
}

// bareStarts makes a cluster without a node, and starts it a second time.
func (b *bench) bareStarts(ctx context.Context) (fresh, again time.Duration, err error) {
	cfg := cluster.Config{Dir: filepath.Join(b.dir, "bare"), Log: b.log}
	defer func() { err = errors.Join(err, cluster.Remove(cfg)) }()
	for _, to := range []*time.Duration{&fresh, &again} {
		start := time.Now()
		c, err := cluster.Start(ctx, cfg)
		if err != nil {
			return 0, 0, err
		}
		*to = time.Since(start)
		if err := c.Stop(context.WithoutCancel(ctx)); err != nil {
			return 0, 0, err
		}
	}
	return fresh, again, nil
}
