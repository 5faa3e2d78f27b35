package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"souk"
)

const (
	// drainBatch is how many objects are indexed at once.
	drainBatch = 500
	// drainLease is how long a batch may take before others may try it. It takes a second, and twice does no harm: versions decide.
	drainLease = 30 * time.Second
	// retryAfter is when a batch is tried again that the engine did not take.
	retryAfter = 30 * time.Second
	// refusedFor is when a single document is tried again that the engine refused while it took others.
	refusedFor = time.Hour
	// rebuildMargin is taken off the versions of a rebuild, so that a change that was not committed when its row was
	// read, and therefore wins, has the higher one. No transaction takes that long.
	rebuildMargin = 10 * time.Minute
	pageOfRows    = 200
	// tidyAfter keeps the daily work away from the moments after a start.
	tidyAfter = 5 * time.Minute
)

// Indexer feeds an engine from the rows of the domain.
type Indexer struct {
	db    *souk.DB
	index Index
	log   *slog.Logger
}

// IndexerConfig is what an Indexer needs. Log nil discards.
type IndexerConfig struct {
	DB    *souk.DB
	Index Index
	Log   *slog.Logger
}

// NewIndexer returns an Indexer; it does nothing by itself.
func NewIndexer(cfg IndexerConfig) *Indexer {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Indexer{db: cfg.DB, index: cfg.Index, log: cfg.Log}
}

// Drain indexes what waits until nothing does, and returns how many objects that were. When the engine is unavailable
// it stops with that error, and what waits goes on waiting.
func (x *Indexer) Drain(ctx context.Context) (total int, err error) {
	defer wrap(&err, "drain what to index")
	for {
		batch, err := x.db.TakeToIndex(ctx, drainBatch, drainLease)
		if err != nil || len(batch) == 0 {
			return total, err
		}
		if err := x.work(ctx, batch); err != nil {
			return total, err
		}
		total += len(batch)
	}
}

// work indexes a batch, each alone where the whole is refused, so that one odd document does not hold up the others.
func (x *Indexer) work(ctx context.Context, batch []souk.ToIndex) error {
	err := x.indexBatch(ctx, batch)
	switch {
	case err == nil:
		return x.db.Indexed(ctx, batch)
	case errors.Is(err, ErrUnavailable) || ctx.Err() != nil:
		ctx := context.WithoutCancel(ctx) // the lease would only make the next attempt wait longer
		return errors.Join(err, x.db.PutOffIndexing(ctx, batch, x.db.Now().Add(retryAfter)))
	case len(batch) == 1:
		x.log.Error("an object cannot be indexed; it is tried again in an hour", "uri", batch[0].URI, "error", err)
		return x.db.PutOffIndexing(ctx, batch, x.db.Now().Add(refusedFor))
	}
	for _, one := range batch {
		if err := x.work(ctx, []souk.ToIndex{one}); err != nil {
			return err
		}
	}
	return nil
}

// indexBatch reads the objects as they are now: what search may show is written, the rest is deleted.
func (x *Indexer) indexBatch(ctx context.Context, batch []souk.ToIndex) error {
	versions := map[string]int64{}
	var posts, accounts []string
	for _, o := range batch {
		if o.URI == "" { // the row itself is gone, and its address with it: Tidy finds what is left of it
			continue
		}
		versions[o.URI] = o.Version
		if o.Kind == "account" {
			accounts = append(accounts, o.URI)
		} else {
			posts = append(posts, o.URI)
		}
	}
	docs, err := x.documents(ctx, posts, accounts, versions)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err) // the database is away, which says nothing of the documents
	}
	found := map[string]bool{}
	for _, d := range docs {
		found[d.URI] = true
	}
	if len(docs) > 0 {
		if _, err := x.index.Upsert(ctx, docs); err != nil {
			return err
		}
	}
	for uri, version := range versions {
		if !found[uri] {
			if _, err := x.index.Delete(ctx, []ID{IDOf(uri)}, version); err != nil {
				return err
			}
		}
	}
	return x.followAuthors(ctx, accounts)
}

// followAuthors acts on what accounts permit now: everything of those that may not be indexed any more leaves the index,
// and the posts of those that may, and have nothing there, are queued.
func (x *Indexer) followAuthors(ctx context.Context, uris []string) error {
	for _, uri := range uris {
		a, err := x.db.AccountByURI(ctx, uri)
		if err != nil && !errors.Is(err, souk.ErrNotFound) && !errors.Is(err, souk.ErrGone) {
			return err
		}
		theirs := And{Eq{FieldSeller, uri}, Not{Eq{FieldKind, string(KindAccount)}}}
		if err != nil || !a.Indexable || a.Suspended != nil || a.Deleted != nil {
			if _, err := x.index.DeleteWhere(ctx, theirs); err != nil {
				return err
			}
			continue
		}
		r, err := x.index.Search(ctx, Query{Filter: theirs, Page: Page{Limit: 1}})
		if err != nil {
			return err
		}
		if r.Total.Value == 0 {
			if err := x.db.IndexPostsOf(ctx, a.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Indexer) origin(ctx context.Context) (Origin, error) {
	shop, err := x.db.Shop(ctx)
	if err != nil {
		return Origin{}, err
	}
	return Origin{Domain: x.db.Domain(), Currency: shop.Currency}, nil
}

func (x *Indexer) documents(ctx context.Context, posts, accounts []string, versions map[string]int64) ([]Document, error) {
	o, err := x.origin(ctx)
	if err != nil {
		return nil, err
	}
	var docs []Document
	if len(posts) > 0 {
		list, err := x.db.FindablePosts(ctx, posts)
		if err != nil {
			return nil, err
		}
		for i := range list {
			docs = append(docs, PostDocument(&list[i], versions[list[i].URI], o))
		}
	}
	if len(accounts) > 0 {
		list, err := x.db.FindableAccounts(ctx, accounts)
		if err != nil {
			return nil, err
		}
		for i := range list {
			docs = append(docs, AccountDocument(&list[i], versions[list[i].URI], o))
		}
	}
	return docs, nil
}

// Rebuild makes the whole index again from the rows; the old one serves meanwhile. Wanted after a change of the shop's
// currency, of the engine, or of what a document holds.
func (x *Indexer) Rebuild(ctx context.Context) (err error) {
	defer wrap(&err, "rebuild from the rows")
	o, err := x.origin(ctx)
	if err != nil {
		return err
	}
	return x.index.Rebuild(ctx, x.all(ctx, o))
}

// all yields the documents of everything that search may show.
func (x *Indexer) all(ctx context.Context, o Origin) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for last := int64(0); ; {
			version := x.db.Now().Add(-rebuildMargin).UnixMicro()
			list, err := x.db.FindablePostsAfter(ctx, last, pageOfRows)
			if err != nil {
				yield(Document{}, err)
				return
			}
			if len(list) == 0 {
				break
			}
			for i := range list {
				if !yield(PostDocument(&list[i], version, o), nil) {
					return
				}
			}
			last = list[len(list)-1].ID
		}
		for last := int64(0); ; {
			version := x.db.Now().Add(-rebuildMargin).UnixMicro()
			list, err := x.db.FindableAccountsAfter(ctx, last, pageOfRows)
			if err != nil {
				yield(Document{}, err)
				return
			}
			if len(list) == 0 {
				return
			}
			for i := range list {
				if !yield(AccountDocument(&list[i], version, o), nil) {
					return
				}
			}
			last = list[len(list)-1].ID
		}
	}
}

// tidier is an engine that wants work once a day.
type tidier interface {
	Recount(ctx context.Context) error
}

// strayer is an engine that can compare itself with the rows.
type strayer interface {
	strays(ctx context.Context, limit int) (missing, extra []string, err error)
}

// maxStrays bounds what one Tidy puts right.
const maxStrays = 10_000

// Tidy is for once a day: the engine's own upkeep, and a comparison with the rows, whose differences are indexed again.
// It rebuilds the index where its stored form is of another version.
func (x *Indexer) Tidy(ctx context.Context) (err error) {
	defer wrap(&err, "tidy the index")
	status, err := x.index.Status(ctx)
	if err != nil {
		return err
	}
	if status.Outdated {
		return x.Rebuild(ctx)
	}
	if t, ok := x.index.(tidier); ok {
		if err := t.Recount(ctx); err != nil {
			return err
		}
	}
	s, ok := x.index.(strayer)
	if !ok {
		return nil
	}
	missing, extra, err := s.strays(ctx, maxStrays)
	if err != nil {
		return err
	}
	if len(missing)+len(extra) == 0 {
		return nil
	}
	x.log.Warn("the index differed from the rows and is put right", "missing", len(missing), "extra", len(extra))
	ids := make([]ID, len(extra))
	for i, uri := range extra {
		ids[i] = IDOf(uri)
	}
	if _, err := x.index.Delete(ctx, ids, x.db.Now().Add(-rebuildMargin).UnixMicro()); err != nil {
		return err
	}
	return x.db.IndexAgain(ctx, missing)
}

// TidyArgs tidies the index, once a day.
type TidyArgs struct{}

// Kind implements river.JobArgs.
func (TidyArgs) Kind() string { return "index_tidy" }

// drainWorker drains when something woke it.
type drainWorker struct {
	river.WorkerDefaults[souk.IndexArgs]
	indexer *Indexer
}

// Timeout implements river.Worker: a drain of many objects goes on until nothing waits.
func (w *drainWorker) Timeout(*river.Job[souk.IndexArgs]) time.Duration { return 30 * time.Minute }

// Work implements river.Worker.
func (w *drainWorker) Work(ctx context.Context, job *river.Job[souk.IndexArgs]) error {
	if err := w.indexer.db.BeginDrain(ctx, job.ID); err != nil {
		return err
	}
	_, err := w.indexer.Drain(ctx)
	return err
}

type tidyWorker struct {
	river.WorkerDefaults[TidyArgs]
	indexer *Indexer
}

// Timeout implements river.Worker.
func (w *tidyWorker) Timeout(*river.Job[TidyArgs]) time.Duration { return 2 * time.Hour }

// Work implements river.Worker.
func (w *tidyWorker) Work(ctx context.Context, _ *river.Job[TidyArgs]) error {
	if err := w.indexer.Tidy(ctx); !errors.Is(err, ErrBusy) {
		return err
	}
	return nil // somebody rebuilds: there is nothing to tidy
}

// AddWorkers registers what works souk.IndexArgs and TidyArgs; an error where one is registered already.
func (x *Indexer) AddWorkers(workers *river.Workers) error {
	return errors.Join(
		river.AddWorkerSafely(workers, &drainWorker{indexer: x}),
		river.AddWorkerSafely(workers, &tidyWorker{indexer: x}))
}

// Periodic are the jobs by the clock: Tidy, a while after every start and then once a day, so that a node that never runs
// for a whole day is tidied too. Drains are woken by who starts the workers (souk.DrainJobs).
func (x *Indexer) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{
		river.NewPeriodicJob(river.PeriodicInterval(24*time.Hour), x.tidyJob, &river.PeriodicJobOpts{RunOnStart: true}),
	}
}

// tidyJob is a Tidy for later; there is at most one.
func (x *Indexer) tidyJob() (river.JobArgs, *river.InsertOpts) {
	return TidyArgs{}, &river.InsertOpts{MaxAttempts: 3, ScheduledAt: x.db.Now().Add(tidyAfter), UniqueOpts: river.UniqueOpts{ByArgs: true}}
}
