package federation

import (
	"context"
	"errors"
	"sync"
	"time"

	"souk"

	"github.com/riverqueue/river"
)

// deliverWorker drains the deliveries that are due.
type deliverWorker struct {
	river.WorkerDefaults[souk.DeliverArgs]
	f *Federation
}

// Timeout is none: DrainFor ends the drain, each request has a timeout of its own.
func (w *deliverWorker) Timeout(*river.Job[souk.DeliverArgs]) time.Duration { return -1 }

func (w *deliverWorker) Work(ctx context.Context, job *river.Job[souk.DeliverArgs]) error {
	if err := w.f.db.BeginDrain(ctx, job.ID); err != nil {
		return err
	}
	return w.f.Deliver(ctx)
}

// Deliver makes all deliveries that are due. To one host they go in order, one at a time: a Create arrives before its
// Update. Hosts wait for nobody but themselves: while slow ones hang, those that became due are taken up beside them.
// It returns when nothing is due and nothing runs, and, without an error, when the context ends.
func (f *Federation) Deliver(ctx context.Context) (err error) {
	defer wrap(&err, "deliver")
	d := &drain{f: f, done: make(chan error), lanes: newLanes(f.cfg.Hosts), senders: map[int64]*sender{}, followers: map[int64]*followersOf{}}
	return f.drained(ctx, &f.deliverFailed, f.db.ReleaseHosts, d.run)
}

// drain is one run of Deliver.
type drain struct {
	f     *Federation
	done  chan error // one value for each host that is through
	lanes *lanes

	mu      sync.Mutex
	senders map[int64]*sender // by account: a fan-out asks for the same key a thousand times

	followersLock sync.Mutex
	followers     map[int64]*followersOf // by account: one query for the whole fan-out
}

func (d *drain) run(ctx context.Context) error {
	cfg := d.f.cfg
	until := d.f.db.Now().Add(cfg.DrainFor)
	poll := time.NewTicker(cfg.Poll)
	defer poll.Stop()
	var waiting []claimed
	var failed error
	running, open, look := 0, true, true
	for {
		if open && look && len(waiting) == 0 {
			var err error
			if waiting, err = d.claim(ctx); err != nil {
				failed, open = errors.Join(failed, err), false
			}
			look = len(waiting) == cfg.Hosts*claimAhead
		}
		for open && len(waiting) > 0 && d.lanes.room() {
			next, l := waiting[0], d.lanes.enter()
			waiting, running = waiting[1:], running+1
			go func() {
				err := d.host(ctx, next, l)
				l.leave()
				d.done <- err
			}()
		}
		if running == 0 {
			return d.end(ctx, waiting, failed)
		}
		select {
		case err := <-d.done:
			running--
			if err != nil {
				failed, open = errors.Join(failed, err), false
			}
			look = look || running == 0 // nothing is left only when nothing is found
		case <-d.lanes.freed: // by a host that is slow
		case <-poll.C:
			look = true
		}
		if open && d.f.db.Now().After(until) {
			open = false
			d.f.db.Wake("deliver") // whatever is left belongs to the next drain
		}
		open = open && ctx.Err() == nil
	}
}

// claimAhead is how many hosts are claimed for each place: a look costs a query over all hosts.
const claimAhead = 4

// claimed is a host that is leased to this process since the given time.
type claimed struct {
	host      string
	signature souk.SignedAs
	at        time.Time
}

// claim leases hosts that have something due. Those that it returns with an error are to be given back.
func (d *drain) claim(ctx context.Context) ([]claimed, error) {
	hosts, err := d.f.db.ClaimHosts(ctx, d.f.cfg.Hosts*claimAhead, d.f.cfg.Lease)
	if err != nil || len(hosts) == 0 {
		return nil, err
	}
	signatures, err := d.f.db.HostSignatures(ctx, hosts)
	list := make([]claimed, len(hosts))
	for i, host := range hosts {
		list[i] = claimed{host: host, signature: signatures[host], at: d.f.db.Now()}
	}
	return list, err
}

// end gives back the hosts that did not get a place.
func (d *drain) end(ctx context.Context, waiting []claimed, failed error) error {
	for _, c := range waiting {
		failed = errors.Join(failed, d.release(ctx, c.host))
	}
	if ctx.Err() != nil {
		return nil // told to stop: what was not delivered stays queued
	}
	return failed
}

// release ends the lease of a host, although the process may be told to stop.
func (d *drain) release(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return d.f.db.ReleaseHost(ctx, host)
}
