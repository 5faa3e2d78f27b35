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
	d := &drain{f: f, done: make(chan visited), lanes: newLanes(f.cfg.Hosts), senders: map[int64]*sender{}, followers: map[int64]*followersOf{}}
	return f.drained(ctx, &f.deliverFailed, f.db.ReleaseHosts, d.run)
}

// drain is one run of Deliver.
type drain struct {
	f     *Federation
	done  chan visited // one value for each host that is through
	lanes *lanes

	mu      sync.Mutex
	senders map[int64]*sender // by account: a fan-out asks for the same key a thousand times

	followersLock sync.Mutex
	followers     map[int64]*followersOf // by account: one query for the whole fan-out
}

// visited is a host that is through; its lease is to be ended, unless it may be another process's by now.
type visited struct {
	host  string
	leave bool
	err   error
}

func (d *drain) run(ctx context.Context) error {
	cfg := d.f.cfg
	until := d.f.db.Now().Add(cfg.DrainFor)
	poll := time.NewTicker(cfg.Poll)
	defer poll.Stop()
	var waiting []claimed
	var through []string // their leases end together: one by one they would cost as much as the deliveries' own notes
	var failed error
	running, open, look, tick := 0, true, true, false
	for {
		if len(through) > 0 && (tick || running == 0) {
			if err := d.release(ctx, through); err != nil {
				failed, open = errors.Join(failed, err), false
			}
			through, tick = nil, false
		}
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
				leave, err := d.host(ctx, next, l)
				l.leave()
				d.done <- visited{next.host, leave, err}
			}()
		}
		if running == 0 {
			return d.end(ctx, waiting, failed)
		}
		select {
		case v := <-d.done:
			running--
			if v.leave {
				through = append(through, v.host)
			}
			if v.err != nil {
				failed, open = errors.Join(failed, v.err), false
			}
			look = look || running == 0 // nothing is left only when nothing is found
		case <-d.lanes.freed: // by a host that is slow
		case <-poll.C:
			look, tick = true, true
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
	var hosts []string
	for _, c := range waiting {
		hosts = append(hosts, c.host)
	}
	if len(hosts) > 0 {
		failed = errors.Join(failed, d.release(ctx, hosts))
	}
	if ctx.Err() != nil {
		return nil // told to stop: what was not delivered stays queued
	}
	return failed
}

// release ends the leases of hosts, although the process may be told to stop.
func (d *drain) release(ctx context.Context, hosts []string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return d.f.db.ReleaseHost(ctx, hosts...)
}
