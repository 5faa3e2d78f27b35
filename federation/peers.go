package federation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"souk"
)

const (
	// fetchRate and fetchBurst are what this node asks of one host on the word of others: enough for a busy server's
	// new actors, too little to be anybody's weapon.
	fetchRate  = 5
	fetchBurst = 100
	// maxPeers is how many hosts are remembered; then those that nothing is known of are forgotten.
	maxPeers = 10_000
	// restAfter is after how many failures in a row a host is left alone, from 30 s up to 10 min.
	restAfter = 3
)

var (
	// ErrTooMany: more was asked of a host than it should be asked. Temporary.
	ErrTooMany = errors.New("too many requests to the host")
	// ErrResting: the host has just failed several times. Temporary.
	ErrResting = errors.New("the host does not answer")
)

// peers keeps what this process asks of other hosts within bounds, and slow or dead ones from holding it up.
type peers struct {
	mu    sync.Mutex
	hosts roster[peerState]
}

type peerState struct {
	limit    *rate.Limiter // nil: none
	failures int
	until    time.Time
}

func newPeers(factor float64) *peers {
	asked := Budget{Burst: fetchBurst, Every: time.Second / fetchRate}
	return &peers{hosts: roster[peerState]{max: maxPeers, fresh: func() *peerState { return &peerState{limit: asked.limiter(factor)} },
		idle: func(s *peerState, now time.Time) bool {
			return s.failures == 0 && (s.limit == nil || full(s.limit, now))
		}}}
}

// ask takes one request from what a host may be asked; ErrTooMany or ErrResting where it should not be made.
func (p *peers) ask(host string, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.hosts.at(host, now)
	switch {
	case now.Before(known.until):
		return fmt.Errorf("%w: %.100q", ErrResting, host)
	case known.limit != nil && !known.limit.AllowN(now, 1):
		return fmt.Errorf("%w: %.100q", ErrTooMany, host)
	}
	return nil
}

// answered notes how a request ended. Only silence counts against a host: any answer is one.
func (p *peers) answered(host string, now time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.hosts.at(host, now)
	if !unreachable(err) {
		known.failures = 0
		return
	}
	if known.failures++; known.failures >= restAfter {
		known.until = now.Add(min(30*time.Second<<min(known.failures-restAfter, 10), 10*time.Minute))
	}
}

// unreachable reports whether a request ended without an answer.
func unreachable(err error) bool {
	var status *StatusError
	switch {
	case err == nil, errors.As(err, &status), errors.Is(err, context.Canceled):
		return false
	}
	return !final(err)
}

// final reports whether a fetch that failed so would fail so again: the document is not there, not for us, or not a
// document.
func final(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Code >= 400 && status.Code < 500 && status.Code != 408 && status.Code != 425 && status.Code != 429
	}
	for _, known := range []error{souk.ErrGone, ErrBadURL, ErrBlockedAddress, ErrRedirect, ErrContentType, ErrTooLarge, ErrJSON, ErrForeignID, ErrDocument,
		ErrForeign, ErrKey} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
