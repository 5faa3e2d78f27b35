package federation

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"souk"

	"github.com/go-fed/activity/streams"
	"github.com/go-fed/activity/streams/vocab"
	"github.com/riverqueue/river"
)

const (
	// inboxBatch is how many activities are claimed and not yet applied, at most.
	inboxBatch = 100
	// perHost is how many activities of one host are worked on at once: one that answers slowly must leave room for others.
	perHost = 4
	// applyFor bounds the work on one activity, with all that is fetched for it.
	applyFor = time.Minute
	// knownFor is for how long an actor counts as it was when its activity was claimed: a block must be in force soon.
	knownFor = 2 * time.Second
)

// inboxWorker applies what was received.
type inboxWorker struct {
	river.WorkerDefaults[souk.InboxArgs]
	f *Federation
}

// Timeout is none: DrainFor ends the drain, applyFor each activity.
func (w *inboxWorker) Timeout(*river.Job[souk.InboxArgs]) time.Duration { return -1 }

func (w *inboxWorker) Work(ctx context.Context, job *river.Job[souk.InboxArgs]) error {
	if err := w.f.db.BeginDrain(ctx, job.ID); err != nil {
		return err
	}
	return w.f.ApplyInbox(ctx)
}

// ApplyInbox applies all received activities that are due: those of one actor in the order in which they came, those of
// different ones side by side. It returns when nothing is due and nothing runs.
func (f *Federation) ApplyInbox(ctx context.Context) (err error) {
	defer wrap(&err, "apply inbox")
	d := &inboxDrain{f: f, done: make(chan applied), slots: make(chan struct{}, f.cfg.Appliers),
		actors: map[string][]souk.Received{}, hosts: map[string]chan struct{}{}}
	return f.drained(ctx, &f.applyFailed, f.db.ReleaseInbox, d.run)
}

// inboxDrain is one run of ApplyInbox. Its maps belong to run's goroutine.
type inboxDrain struct {
	f       *Federation
	done    chan applied
	slots   chan struct{}
	pending int
	actors  map[string][]souk.Received // by actor at work: what waits behind
	hosts   map[string]chan struct{}
	known   map[string]*souk.Account // by actor: as it was at the last claim
	since   time.Time                // when that was
}

// applied says that an activity is through, or that the database failed.
type applied struct {
	souk.Received
	err error
}

func (d *inboxDrain) run(ctx context.Context) error {
	until := d.f.db.Now().Add(d.f.cfg.DrainFor)
	poll := time.NewTicker(d.f.cfg.Poll)
	defer poll.Stop()
	open := true
	var failed error
	for {
		if open && d.pending < inboxBatch/2 {
			batch, err := d.f.db.ClaimInbox(ctx, inboxBatch-d.pending, d.f.cfg.Lease)
			if err != nil {
				failed, open = errors.Join(failed, err), false
			}
			if err := d.add(ctx, batch); err != nil {
				failed, open = errors.Join(failed, err), false
			}
		}
		if d.pending == 0 {
			if ctx.Err() != nil {
				return nil // told to stop: what was not applied comes back when its lease ends
			}
			return failed
		}
		select {
		case a := <-d.done:
			if d.through(ctx, a); a.err != nil {
				failed, open = errors.Join(failed, a.err), false
			}
		case <-poll.C:
		}
		if open && d.f.db.Now().After(until) {
			open = false
			d.f.db.Wake("inbox") // whatever is left belongs to the next drain
		}
		open = open && ctx.Err() == nil
	}
}

// add takes up what was claimed, whose actors are looked up all at once.
func (d *inboxDrain) add(ctx context.Context, batch []souk.Received) error {
	if len(batch) == 0 {
		return nil
	}
	var actors []string
	for _, r := range batch {
		actors = append(actors, r.Actor)
	}
	known, err := d.f.db.AccountsByURI(ctx, actors)
	d.known, d.since = map[string]*souk.Account{}, d.f.db.Now()
	for i := range known {
		d.known[known[i].URI] = &known[i]
	}
	for _, r := range batch {
		d.pending++
		if waiting, busy := d.actors[r.Actor]; busy {
			d.actors[r.Actor] = append(waiting, r)
			continue
		}
		d.actors[r.Actor] = nil
		d.begin(ctx, r)
	}
	return err
}

// begin applies an activity as soon as its host and the drain have room.
func (d *inboxDrain) begin(ctx context.Context, r souk.Received) {
	host, ok := d.hosts[r.Host]
	if !ok {
		host = make(chan struct{}, perHost)
		d.hosts[r.Host] = host
	}
	known, since := d.known[r.Actor], d.since
	go func() {
		host <- struct{}{}
		d.slots <- struct{}{}
		if d.f.db.Now().Sub(since) > knownFor {
			known = nil
		}
		err := d.f.applyOne(ctx, r, known)
		<-d.slots
		<-host
		d.done <- applied{r, err}
	}()
}

// through takes up the next activity of the actor.
func (d *inboxDrain) through(ctx context.Context, a applied) {
	d.pending--
	if a.Type != "Create" {
		delete(d.known, a.Actor) // it may have changed who it is by
	}
	waiting := d.actors[a.Actor]
	if len(waiting) == 0 {
		delete(d.actors, a.Actor)
		return
	}
	d.actors[a.Actor] = waiting[1:]
	d.begin(ctx, waiting[0])
}

// incoming is a received activity while it is worked on.
type incoming struct {
	souk.Received
	body   object
	id     string        // of its object
	object object        // nil where only the id is given
	by     *souk.Account // its actor
}

// plan is what an activity comes to. It runs in the transaction that marks the activity done, and asks nobody.
type plan func(ctx context.Context, tx *souk.DB) error

// verdict ends an activity without a change: "ignored" is in order, "failed" is not.
type verdict struct{ state, note string }

func (v *verdict) Error() string { return v.state + ": " + v.note }

func ignored(format string, args ...any) error {
	return &verdict{"ignored", fmt.Sprintf(format, args...)}
}

// applyOne does one activity, and writes down how it ended. by is its actor where that was looked up a moment ago, else nil.
// An error is one of the database.
func (f *Federation) applyOne(ctx context.Context, r souk.Received, by *souk.Account) error {
	if ctx.Err() != nil {
		return nil // its lease ends, and another drain takes it
	}
	limited, cancel := context.WithTimeout(ctx, applyFor)
	defer cancel()
	err := contained(func() error { return f.applyReceived(limited, r, by) })
	if err == nil || ctx.Err() != nil {
		return nil
	}
	if v := judged(err); v != nil {
		if v.state == "failed" {
			f.cfg.Log.Info("activity not applied", "activity", r.ActivityID, "type", r.Type, "host", r.Host, "error", err)
		}
		return f.db.AppliedActivity(ctx, r.ID, v.state, v.note)
	}
	f.cfg.Log.Info("activity put off", "activity", r.ActivityID, "type", r.Type, "host", r.Host, "attempts", r.Attempts, "error", err)
	return f.db.RetryActivity(ctx, r, err.Error())
}

// contained turns a panic of work into an error with its stack: what a stranger sent must not end the process, whatever a
// parser below makes of it. The activity has failed then, and its bytes are kept for whoever repairs that.
func contained(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(&verdict{"failed", "this node failed on it; see its log"}, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return work()
}

// judged is what an error means for the activity; nil where another attempt may go better.
func judged(err error) *verdict {
	var v *verdict
	var invalid *souk.Invalid
	switch {
	case errors.As(err, &v):
		return v
	case errors.Is(err, souk.ErrGone), errors.Is(err, souk.ErrNotFound), errors.Is(err, ErrGone):
		return &verdict{"ignored", err.Error()}
	case errors.As(err, &invalid), errors.Is(err, souk.ErrForbidden), errors.Is(err, souk.ErrConflict), final(err):
		return &verdict{"failed", err.Error()}
	}
	return nil
}

// applyReceived prepares an activity, fetching what is missing, and then changes what it changes in one transaction.
// Running twice does no harm: ids are unique, states are compared.
func (f *Federation) applyReceived(ctx context.Context, r souk.Received, by *souk.Account) error {
	in, err := f.read(ctx, r, by)
	if err != nil {
		return err
	}
	do, err := f.dispatch(ctx, in)
	if err != nil {
		return err
	}
	return f.db.TxAgain(ctx, func(tx *souk.DB) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		return tx.AppliedActivity(ctx, r.ID, "done", "")
	})
}

// read parses the stored bytes and finds the actor, which may have been blocked since.
func (f *Federation) read(ctx context.Context, r souk.Received, by *souk.Account) (*incoming, error) {
	body, err := parseObject(r.Body)
	if err != nil {
		return nil, err
	}
	h, err := headOf(body, r.Body)
	if err != nil {
		return nil, err
	}
	if h.id != r.ActivityID || h.actor != r.Actor {
		return nil, foreign("the activity is not the one that was signed")
	}
	if r.Refused {
		return nil, ignored("the sender is blocked here")
	}
	in := &incoming{Received: r, body: body}
	if h.kind == "Flag" { // the only one that is about many things at once
		in.id = h.object
	} else if in.id, in.object, err = body.one("object"); err != nil {
		return nil, err
	}
	switch {
	case by != nil && f.lasting(by):
		in.by = by
	case h.kind == "Delete" && in.id == h.actor:
		in.by, err = f.db.AccountByURI(ctx, h.actor) // it answers nobody any more
	default:
		in.by, err = f.ResolveActor(ctx, h.actor)
	}
	if err != nil {
		return nil, err
	}
	if in.by.Suspended != nil {
		return nil, ignored("the sender is blocked here")
	}
	return in, nil
}

// dispatch lets go-fed find the handler by type. It is given the envelope only: in its types the object would lose
// what the handlers need, and an object of ten thousand parts would cost half a second.
func (f *Federation) dispatch(ctx context.Context, in *incoming) (plan, error) {
	kind := in.body.kind()
	switch kind { // those that go-fed does not know
	case "EmojiReact": // FEP-c0e0: at least a like
		kind = "Like"
	case "QuoteRequest":
		return f.applyQuoteRequest(ctx, in)
	}
	envelope := map[string]any{"@context": activityStreamsProfile, "type": kind, "id": in.ActivityID, "actor": in.Actor}
	var do plan
	resolver, err := streams.NewJSONResolver(f.handlers(in, &do)...)
	if err != nil {
		return nil, err
	}
	err = resolver.Resolve(ctx, envelope)
	if errors.Is(err, streams.ErrNoCallbackMatch) || errors.Is(err, streams.ErrUnhandledType) {
		return nil, ignored("not handled: %.100s", kind)
	}
	return do, err
}

// handlers are what is done for each type of activity; the chosen one leaves its plan in do.
func (f *Federation) handlers(in *incoming, do *plan) []any {
	run := func(ctx context.Context, handle func(context.Context, *incoming) (plan, error)) (err error) {
		*do, err = handle(ctx, in)
		return err
	}
	return []any{
		func(ctx context.Context, _ vocab.ActivityStreamsCreate) error { return run(ctx, f.applyCreate) },
		func(ctx context.Context, _ vocab.ActivityStreamsUpdate) error { return run(ctx, f.applyUpdate) },
		func(ctx context.Context, _ vocab.ActivityStreamsDelete) error { return run(ctx, f.applyDelete) },
		func(ctx context.Context, _ vocab.ActivityStreamsAnnounce) error { return run(ctx, f.applyAnnounce) },
		func(ctx context.Context, _ vocab.ActivityStreamsLike) error { return run(ctx, f.applyLike) },
		func(ctx context.Context, _ vocab.ActivityStreamsFollow) error { return run(ctx, f.applyFollow) },
		func(ctx context.Context, _ vocab.ActivityStreamsAccept) error { return run(ctx, f.applyAccept) },
		func(ctx context.Context, _ vocab.ActivityStreamsReject) error { return run(ctx, f.applyReject) },
		func(ctx context.Context, _ vocab.ActivityStreamsOffer) error { return run(ctx, f.applyOffer) },
		func(ctx context.Context, _ vocab.ActivityStreamsUndo) error { return run(ctx, f.applyUndo) },
		func(ctx context.Context, _ vocab.ActivityStreamsBlock) error { return run(ctx, f.applyBlock) },
		func(ctx context.Context, _ vocab.ActivityStreamsAdd) error { return run(ctx, f.applyAdd) },
		func(ctx context.Context, _ vocab.ActivityStreamsRemove) error { return run(ctx, f.applyRemove) },
		func(ctx context.Context, _ vocab.ActivityStreamsMove) error { return run(ctx, f.applyMove) },
		func(ctx context.Context, _ vocab.ActivityStreamsFlag) error { return run(ctx, f.applyFlag) },
	}
}
