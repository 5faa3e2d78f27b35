package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"souk"
	"souk/search"
	"souk/server/jobs"
)

type pgxTx = pgx.Tx

// wakeEvery is how often each drain is woken without a change having asked for it: for work that is due by the clock,
// and for wake-ups that a crash lost.
const wakeEvery = 5 * time.Second

// startWork starts the workers of all layers.
func (n *node) startWork(ctx context.Context) error {
	if n.store.cluster != nil {
		// The private cluster has one node: leases that are left are those of its last life.
		if err := n.db.ReleaseAll(ctx); err != nil {
			return err
		}
	}
	workers := river.NewWorkers()
	if err := jobs.AddWorkers(workers, jobs.Config{DB: n.db, SMTP: n.config.SMTPURL, Log: n.log}); err != nil {
		return err
	}
	n.fed.AddWorkers(workers)
	indexer := search.NewIndexer(search.IndexerConfig{DB: n.db, Index: n.index, Log: n.log})
	if err := indexer.AddWorkers(workers); err != nil {
		return err
	}
	queues := map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 8}}
	periodic := []*river.PeriodicJob{
		river.NewPeriodicJob(river.PeriodicInterval(time.Minute), func() (river.JobArgs, *river.InsertOpts) {
			// Unique in its minute only: River counts what is completed, too, and what a dead process had begun.
			return souk.ExpireArgs{}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: time.Minute}}
		}, &river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(time.Minute), func() (river.JobArgs, *river.InsertOpts) {
			return souk.PullArgs{}, souk.PullOpts()
		}, &river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(time.Hour), func() (river.JobArgs, *river.InsertOpts) {
			return souk.PruneArgs{}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
		}, &river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(time.Hour), func() (river.JobArgs, *river.InsertOpts) {
			// Each list is read daily; one that failed is tried again each hour.
			return souk.BlockListArgs{}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: time.Hour}}
		}, &river.PeriodicJobOpts{RunOnStart: true}),
	}
	for _, args := range souk.DrainJobs() {
		queues[args.Kind()] = river.QueueConfig{MaxWorkers: 1}
		periodic = append(periodic, river.NewPeriodicJob(river.PeriodicInterval(wakeEvery), func() (river.JobArgs, *river.InsertOpts) {
			return args, souk.DrainOpts(args.Kind())
		}, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	periodic = append(periodic, indexer.Periodic()...)
	var err error
	n.work, err = river.NewClient(riverpgxv5.New(n.store.pool), &river.Config{
		Workers: workers, Queues: queues, PeriodicJobs: periodic, Logger: slog.New(warnings{n.log.Handler()}),
		// River fetches at most MaxWorkers jobs a FetchCooldown: its default of 100 ms would be the latency of every wake-up.
		FetchCooldown:               5 * time.Millisecond,
		CompletedJobRetentionPeriod: 10 * time.Minute,
	})
	if err != nil {
		return err
	}
	// The jobs outlive ctx: stopWork ends them in order.
	return n.work.Start(context.WithoutCancel(ctx))
}

// stopWork lets jobs in progress finish, then cuts off those that do not.
func (n *node) stopWork(ctx context.Context, err *error) {
	soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	serr := n.work.Stop(soft)
	if errors.Is(serr, context.DeadlineExceeded) {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		serr = n.work.StopAndCancel(hard)
	}
	*err = errors.Join(*err, serr)
}

// warnings is a log handler that leaves out what is only of interest to those who work on the queue itself.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
