package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"souk"

	"github.com/riverqueue/river"
)

const (
	// hostBatch is how many deliveries to a host are loaded at once.
	hostBatch = 20
	// hostFor is for how long one host keeps its place among those that are delivered to; then others come first.
	hostFor = 30 * time.Second
	// lastFor is how long a request that is under way may still take when the process is told to stop.
	lastFor = 3 * time.Second
	// refusedAfter is after how many attempts a 401 or 403 is final. The first ones often are not: the peer could not
	// fetch our key just then.
	refusedAfter = 5
)

// How a host wants its deliveries signed, as souk.DB keeps it.
const (
	signedCavage  = "cavage"
	signedRFC9421 = "rfc9421"
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
	d := &drain{f: f, done: make(chan error), lanes: newLanes(f.cfg.Hosts), senders: map[int64]*signer{}}
	return d.run(ctx)
}

// drain is one run of Deliver.
type drain struct {
	f     *Federation
	done  chan error // one value for each host that is through
	lanes *lanes

	mu      sync.Mutex
	senders map[int64]*signer // by account: a fan-out asks for the same key a thousand times
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
	signature string // how it wants deliveries signed
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

// host delivers to a host that is claimed, the oldest first, until nothing is due, something must wait, or its time is
// up; then it gives the host back.
func (d *drain) host(ctx context.Context, c claimed, l *lane) (err error) {
	started, leased, host := d.f.db.Now(), c.at, c.host
	if started.Sub(leased) > d.f.cfg.Lease/2 {
		return nil // it waited so long for a place that it may be another process's any moment: its lease runs out
	}
	defer func() {
		err = errors.Join(err, d.release(ctx, host))
		if ctx.Err() != nil {
			err = nil
		}
	}()
	spec := c.signature
	for {
		list, bodies, err := d.f.db.DueDeliveries(ctx, host, hostBatch)
		if err != nil {
			return err
		}
		for _, delivery := range list {
			now := d.f.db.Now()
			if now.Sub(started) > hostFor || ctx.Err() != nil {
				return nil
			}
			if now.Sub(leased) > d.f.cfg.Lease/4 {
				if err := d.f.db.ExtendHost(ctx, host, d.f.cfg.Lease); err != nil {
					return err
				}
				leased = now
			}
			goOn, err := d.one(ctx, delivery, bodies[delivery.ActivityID], &spec, l)
			if err != nil || !goOn {
				return err
			}
		}
		if len(list) < hostBatch {
			return nil
		}
	}
}

// one makes one delivery and notes how it ended. goOn is false where the host must wait now, or nothing about it can be
// kept. spec is how the host wants signatures; it changes with what the host accepts.
func (d *drain) one(ctx context.Context, delivery souk.Delivery, body []byte, spec *string, l *lane) (goOn bool, err error) {
	db := d.f.db
	by, err := d.sender(ctx, delivery.SenderID)
	if errors.Is(err, souk.ErrGone) || errors.Is(err, souk.ErrNotFound) || errors.Is(err, ErrKey) {
		return true, db.DeliveryFailed(ctx, delivery, 0, err.Error(), true, 0)
	}
	if err != nil {
		return false, err
	}
	answered := l.watch()
	ctx, through := underWay(ctx)
	defer through()
	res, used, err := d.knock(ctx, by, delivery, body, *spec)
	answered()
	if ctx.Err() != nil {
		return false, nil // told to stop, which says nothing of the host
	}
	if err != nil {
		permanent := errors.Is(err, ErrBadURL)
		return permanent, db.DeliveryFailed(ctx, delivery, 0, err.Error(), permanent, 0)
	}
	end := judge(res, delivery.Attempts+1)
	if end.accepted {
		if used != *spec {
			*spec = used
			if err := db.HostSignature(ctx, delivery.Host, used); err != nil {
				return false, err
			}
		}
		return true, db.Delivered(ctx, delivery, res.Status)
	}
	reason := fmt.Sprintf("status %d", res.Status)
	if res.BodySnippet != "" {
		reason += ": " + res.BodySnippet
	}
	if err := db.DeliveryFailed(ctx, delivery, res.Status, reason, end.permanent, res.RetryAfter); err != nil {
		return false, err
	}
	if end.inboxGone {
		return true, db.DropInbox(ctx, delivery.Inbox)
	}
	return end.permanent, nil
}

// underWay is a context for what has begun: it ends lastFor after ctx does. A request that is cut when the process is told
// to stop would be made again, and its receiver has it already.
func underWay(ctx context.Context) (context.Context, context.CancelFunc) {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(lastFor, cancel)
		context.AfterFunc(last, func() { t.Stop() })
	})
	return last, func() { stop(); cancel() }
}

// outcome is what an answer means for a delivery.
type outcome struct {
	accepted  bool
	permanent bool // refused for good: no other attempt would help
	inboxGone bool
}

func judge(res *Response, attempts int) outcome {
	switch status := res.Status; {
	case status >= 200 && status < 300:
		return outcome{accepted: true}
	case status == http.StatusNotFound, status == http.StatusGone:
		return outcome{permanent: true, inboxGone: true}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return outcome{permanent: attempts >= refusedAfter}
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return outcome{}
	case status >= 400 && status < 500, status == http.StatusNotImplemented:
		return outcome{permanent: true}
	}
	return outcome{}
}

// knock posts a delivery, signed as the host is known to want it, and where that is refused once more signed the other
// way ("double knocking"). used is how the last request was signed.
func (d *drain) knock(ctx context.Context, by *signer, delivery souk.Delivery, body []byte, spec string) (res *Response, used string, err error) {
	res, err = d.post(ctx, by, delivery, body, spec)
	if err != nil || !refused(res, spec) {
		return res, spec, err
	}
	other := signedRFC9421
	if spec == signedRFC9421 {
		other = signedCavage
	}
	res, err = d.post(ctx, by, delivery, body, other)
	return res, other, err
}

// refused reports whether an answer may be about the form of the signature: 401 or 403, or a 400 that says how to sign
// (Accept-Signature, RFC 9421 5.1) where it was signed the old way.
func refused(res *Response, spec string) bool {
	switch res.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return true
	case http.StatusBadRequest:
		return res.AcceptSignature != "" && spec == signedCavage
	}
	return false
}

func (d *drain) post(ctx context.Context, by *signer, delivery souk.Delivery, body []byte, spec string) (*Response, error) {
	return d.f.cfg.Client.Post(ctx, delivery.Inbox, body, activityMedia, func(req *http.Request) error {
		return by.sign(req, body, spec, d.f.db.Now())
	})
}

func (s *signer) sign(req *http.Request, body []byte, spec string, now time.Time) error {
	if spec == signedRFC9421 {
		return SignRFC9421(req, body, s.keyID, s.key, now)
	}
	return SignCavage(req, body, s.keyID, s.key, now)
}

// sender returns the signer of an account, loaded once a drain.
func (d *drain) sender(ctx context.Context, accountID int64) (*signer, error) {
	d.mu.Lock()
	s := d.senders[accountID]
	d.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := d.f.signerOf(ctx, accountID)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.senders[accountID] = s
	d.mu.Unlock()
	return s, nil
}
