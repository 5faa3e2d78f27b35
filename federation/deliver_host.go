package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"souk"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// hostBatch is how many deliveries to a host are loaded at once.
	hostBatch = 20
	// hostFor is for how long one host keeps its place among those that are delivered to; then others come first.
	hostFor = 30 * time.Second
	// lastFor is how long a request that is under way may still take when the process is told to stop.
	lastFor = 3 * time.Second
	// refusedAfter is after how many attempts a 401 or 403 is final. The first ones often are not: the peer could not
	// fetch our key just then. So with the 404 of a shared inbox: a server that is being set up anew answers so for minutes.
	refusedAfter = 5
	// asideAfter is after how many attempts a delivery that the host answers with an error lets others pass: it may be the
	// only one that the host cannot take.
	asideAfter = 3
	// senderFor is for how long a loaded key is used: a new one must be in use soon.
	senderFor = 5 * time.Second
)

// How a host wants its deliveries signed, as souk.DB keeps it.
const (
	signedCavage  = "cavage"
	signedRFC9421 = "rfc9421"
)

// visit is the deliveries of one drain to one host, which is leased to it.
type visit struct {
	*drain
	claimed
	lane    *lane
	started time.Time
	failed  bool            // the last delivery failed in a way that may be the host's fault
	aside   []souk.Delivery // those that wait by themselves since this visit
}

// step is what a visit does after a delivery.
type step int

const (
	stepOut  step = iota // the host waits now, or nothing about it can be kept
	stepOn               // the next delivery of those that were loaded
	stepBack             // load them again: more than the one has changed
)

// host delivers to a host that is claimed, the oldest first, until nothing is due, something must wait, or its time is
// up. leave says that the lease is still this drain's, to be ended.
func (d *drain) host(ctx context.Context, c claimed, l *lane) (leave bool, err error) {
	v := &visit{drain: d, claimed: c, lane: l, started: d.f.db.Now()}
	if v.started.Sub(c.at) > d.f.cfg.Lease/2 {
		return false, nil // it waited so long for a place that it may be another process's any moment: its lease runs out
	}
	for {
		list, bodies, err := d.f.db.DueDeliveries(ctx, c.host, hostBatch)
		var then step
		if err == nil {
			then, err = v.batch(ctx, list, bodies)
		}
		if ctx.Err() != nil {
			return true, nil
		}
		if err != nil || then == stepOut || then == stepOn && len(list) < hostBatch {
			return true, err
		}
	}
}

// batch makes the deliveries of a list in its order.
func (v *visit) batch(ctx context.Context, list []souk.Delivery, bodies map[int64][]byte) (step, error) {
	for i, delivery := range list {
		now := v.f.db.Now()
		if now.Sub(v.started) > hostFor || ctx.Err() != nil {
			return stepOut, nil
		}
		if v.behind(delivery) {
			continue
		}
		if now.Sub(v.at) > v.f.cfg.Lease/4 {
			if err := v.f.db.ExtendHost(ctx, v.claimed.host, v.f.cfg.Lease); err != nil {
				return stepOut, err
			}
			v.at = now
		}
		if then, err := v.one(ctx, delivery, bodies[delivery.ActivityID], list[i+1:]); err != nil || then != stepOn {
			return then, err
		}
	}
	return stepOn, nil
}

// behind reports whether a delivery is about the same object as one that waits by itself: they stay in order.
func (v *visit) behind(delivery souk.Delivery) bool {
	for _, a := range v.aside {
		if a.SameObject(delivery) {
			return true
		}
	}
	return false
}

// one makes one delivery and notes how it ended; later are those after it.
func (v *visit) one(ctx context.Context, delivery souk.Delivery, body []byte, later []souk.Delivery) (step, error) {
	db, answered := v.f.db, v.lane.watch()
	ctx, through := underWay(ctx)
	defer through()
	res, used, err := v.knock(ctx, delivery, body)
	answered()
	var signing *signingError
	switch {
	case err != nil && ctx.Err() != nil:
		return stepOut, nil // told to stop, which says nothing of the host
	case errors.As(err, &signing):
		if !signing.final() {
			return stepOut, err
		}
		return stepBack, db.EndDelivery(ctx, delivery, souk.Failure{Reason: err.Error()})
	case errors.Is(err, ErrBadURL):
		return stepBack, db.EndDelivery(ctx, delivery, souk.Failure{Reason: err.Error()})
	case err != nil:
		return stepOut, db.DeliveryFailed(ctx, delivery, souk.Failure{Reason: err.Error()})
	case res.Status >= 200 && res.Status < 300:
		return v.accepted(ctx, delivery, res, used)
	}
	return v.refused(ctx, delivery, res, later)
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

// accepted notes a delivery that was taken. A peer that says with it how it wants to be signed for (RFC 9421, 5.1) gets
// that from now on.
func (v *visit) accepted(ctx context.Context, delivery souk.Delivery, res *Response, used string) (step, error) {
	if used == signedCavage && res.AcceptSignature != "" && v.signature.Try == signedCavage {
		used = signedRFC9421
	}
	v.failed, v.signature.Try = false, used
	if used != v.signature.Known {
		v.signature.Known = used
		if err := v.f.db.HostSignature(ctx, delivery.Host, used); err != nil {
			return stepOut, err
		}
	}
	goOn := false
	err := insist(ctx, v.f.cfg.Lease/4, func() (err error) {
		goOn, err = v.f.db.Delivered(ctx, delivery, res.Status)
		return err
	})
	if err != nil || !goOn {
		return stepOut, err
	}
	return stepOn, nil
}

// insist writes down what only this process knows: that a peer took a delivery. While the database is away, as after a
// crash, it tries again for the given time; without the note the delivery would be made once more.
func insist(ctx context.Context, most time.Duration, write func() error) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := write()
		var pg *pgconn.PgError
		if err == nil || errors.As(err, &pg) && !errors.Is(err, souk.ErrUnavailable) {
			return err
		}
		again := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			again.Stop()
			return err
		case <-again.C:
		}
	}
}

// refused notes a delivery that was answered, but not taken.
func (v *visit) refused(ctx context.Context, delivery souk.Delivery, res *Response, later []souk.Delivery) (step, error) {
	db := v.f.db
	failure := souk.Failure{Status: res.Status, Reason: fmt.Sprintf("status %d", res.Status), RetryAfter: res.RetryAfter}
	if res.BodySnippet != "" {
		failure.Reason += ": " + res.BodySnippet
	}
	end := judge(res, delivery.Attempts+1)
	if end.inboxGone && res.Status == http.StatusNotFound && delivery.Attempts+1 < refusedAfter {
		shared, err := db.SharedInbox(ctx, delivery.Host, delivery.Inbox)
		if err != nil {
			return stepOut, err
		}
		if shared {
			end = outcome{}
		}
	}
	switch {
	case end.inboxGone:
		return stepBack, db.InboxGone(ctx, delivery, res.Status)
	case end.permanent:
		return stepBack, db.EndDelivery(ctx, delivery, failure)
	case !v.failed && !end.host && delivery.Attempts+1 >= asideAfter && others(later, delivery):
		// A second failure after it says that it is the host after all.
		v.failed, v.aside = true, append(v.aside, delivery)
		return stepOn, db.PutAside(ctx, delivery, failure)
	}
	return stepOut, db.DeliveryFailed(ctx, delivery, failure)
}

// others reports whether something about another object waits too.
func others(later []souk.Delivery, than souk.Delivery) bool {
	for _, l := range later {
		if !l.SameObject(than) {
			return true
		}
	}
	return false
}

// outcome is what an answer that is no success means for a delivery.
type outcome struct {
	permanent bool // refused for good: no other attempt would help
	inboxGone bool
	host      bool // of the whole host, not of this delivery
}

func judge(res *Response, attempts int) outcome {
	switch status := res.Status; {
	case status == http.StatusNotFound, status == http.StatusGone:
		return outcome{permanent: true, inboxGone: true}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return outcome{permanent: attempts >= refusedAfter}
	case status == http.StatusTooManyRequests, status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return outcome{host: true}
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooEarly:
		return outcome{}
	case status >= 400 && status < 500, status == http.StatusNotImplemented:
		return outcome{permanent: true}
	}
	return outcome{host: res.RetryAfter > 0}
}

// signingError says that the sender's key could not be had: it is nobody's fault but this node's.
type signingError struct{ error }

func (e *signingError) Unwrap() error { return e.error }

// final reports whether the account will never sign again.
func (e *signingError) final() bool {
	return errors.Is(e, souk.ErrGone) || errors.Is(e, souk.ErrNotFound) || errors.Is(e, ErrKey)
}

// knock posts a delivery, signed as the host is known to want it. Where that is refused it is posted once more with the
// key of now, if that is another than was used, and then signed the other way ("double knocking"). used is how the last
// request was signed.
func (v *visit) knock(ctx context.Context, delivery souk.Delivery, body []byte) (res *Response, used string, err error) {
	used = v.signature.Try
	by, err := v.sender(ctx, delivery.SenderID, senderFor)
	if err != nil {
		return nil, used, err
	}
	by = by.of(delivery.ActivityID) // after a change of keys what tells of it, and what was said before, has the old one
	res, err = v.post(ctx, by, delivery, body, used)
	if err != nil || !maySignOtherwise(res, used) {
		return res, used, err
	}
	newer, err := v.sender(ctx, delivery.SenderID, 0)
	if err != nil {
		return nil, used, err
	}
	if newer.key != by.key {
		if res, err = v.post(ctx, newer, delivery, body, used); err != nil || !maySignOtherwise(res, used) {
			return res, used, err
		}
	}
	if used == signedRFC9421 {
		used = signedCavage
	} else {
		used = signedRFC9421
	}
	res, err = v.post(ctx, newer, delivery, body, used)
	return res, used, err
}

// maySignOtherwise reports whether an answer may be about the form of the signature: 401 or 403, or a 400 where a
// server does not know the newer form, or says how to sign (Accept-Signature, RFC 9421 5.1).
func maySignOtherwise(res *Response, used string) bool {
	switch res.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return true
	case http.StatusBadRequest:
		return used == signedRFC9421 || res.AcceptSignature != ""
	}
	return false
}

// post makes one attempt: Date, digest and signature are of this moment.
func (v *visit) post(ctx context.Context, by *signer, delivery souk.Delivery, body []byte, spec string) (*Response, error) {
	followers, err := v.followersField(ctx, delivery)
	if err != nil {
		return nil, err
	}
	return v.f.cfg.Client.Post(ctx, delivery.Inbox, body, activityMedia, func(req *http.Request) error {
		if followers != "" {
			req.Header.Set(syncField, followers)
		}
		return by.sign(req, body, spec, v.f.db.Now())
	})
}

func (s *signer) sign(req *http.Request, body []byte, spec string, now time.Time) error {
	if spec == signedRFC9421 {
		return SignRFC9421(req, body, s.keyID, s.key, now)
	}
	return SignCavage(req, body, s.keyID, s.key, now)
}

// sender is a loaded signer.
type sender struct {
	*signer
	loaded time.Time
}

// sender returns the signer of an account, loaded not longer ago than age. Errors are *signingError.
func (d *drain) sender(ctx context.Context, accountID int64, age time.Duration) (*signer, error) {
	now := d.f.db.Now()
	d.mu.Lock()
	known := d.senders[accountID]
	d.mu.Unlock()
	if known != nil && now.Sub(known.loaded) < age {
		return known.signer, nil
	}
	s, err := d.f.signerOf(ctx, accountID)
	if err != nil {
		return nil, &signingError{err}
	}
	d.mu.Lock()
	d.senders[accountID] = &sender{s, now}
	d.mu.Unlock()
	return s, nil
}
