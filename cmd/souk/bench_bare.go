package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// bareLoad is what a load on PostgreSQL alone came to.
type bareLoad struct {
	each     durations
	elapsed  time.Duration
	postgres time.Duration // processor time of each
}

// bare does something count times with a table of its own, named bench_bare, over as many connections as the load has.
func (n *benchNode) bare(ctx context.Context, count int, create string, args []any, one func(context.Context, *pgxpool.Pool, int) error) (_ *bareLoad, err error) {
	cfg, err := pgxpool.ParseConfig(n.store.url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns, cfg.MinConns = loadConnections, loadConnections
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, create, args...); err != nil {
		return nil, err
	}
	defer func() {
		_, derr := pool.Exec(context.WithoutCancel(ctx), `drop table bench_bare`)
		err = errors.Join(err, derr)
	}()
	before, err := n.usage()
	if err != nil {
		return nil, err
	}
	found := make([]durations, loadConnections)
	group, inside := errgroup.WithContext(ctx)
	start := time.Now()
	for c := range loadConnections {
		group.Go(func() error {
			for i := c; i < count; i += loadConnections {
				sent := time.Now()
				if err := one(inside, pool, i); err != nil {
					return err
				}
				found[c] = append(found[c], time.Since(sent))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	got := &bareLoad{elapsed: time.Since(start)}
	after, err := n.usage()
	got.postgres = oneOf(after.since(before).postgres, count)
	for _, f := range found {
		got.each = append(got.each, f...)
	}
	return got, err
}
