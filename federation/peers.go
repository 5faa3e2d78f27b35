package federation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"souk"
)

// purse is for whose sake a host is asked for something. Each has its own budget: with signatures that are rubbish strangers
// make this node ask for keys, and must use up nothing of what it asks for itself, nor readers what senders need.
type purse int

const (
	ownPurse          purse = iota // what this node wants to know
	contextPurse                   // what stands above a post, which is for whoever wrote the post to say
	senderPurse                    // the key of who delivers something and is not known yet
	readerPurse                    // the key of who asks for a document and is not known yet
	provedSenderPurse              // as senderPurse, from where actors of that domain have signed before
	provedReaderPurse              // as readerPurse, from there
)

// purses are the budgets: what this node asks of one host on the word of others. Enough for a busy server's new actors, too
// little to be anybody's weapon. Who reads is mostly one actor of a server.
var purses = [...]Budget{
	ownPurse:          {Burst: 100, Every: time.Second / 5},
	contextPurse:      {Burst: 100, Every: time.Second / 5},
	senderPurse:       {Burst: 100, Every: time.Second / 5},
	readerPurse:       {Burst: 30, Every: time.Second},
	provedSenderPurse: {Burst: 100, Every: time.Second / 5},
	provedReaderPurse: {Burst: 30, Every: time.Second},
}

const (
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
	limits   [len(purses)]*rate.Limiter // nil: none
	failures int
	until    time.Time
}

func newPeers(factor float64) *peers {
	return &peers{hosts: roster[peerState]{max: maxPeers, fresh: func() *peerState {
		s := &peerState{}
		for i, asked := range purses {
			s.limits[i] = asked.limiter(factor)
		}
		return s
	}, idle: func(s *peerState, now time.Time) bool {
		return s.failures == 0 && !slices.ContainsFunc(s.limits[:], func(l *rate.Limiter) bool { return l != nil && !full(l, now) })
	}}}
}

// ask takes one request from what a host may be asked for that purpose; ErrTooMany or ErrResting where it should not be made.
func (p *peers) ask(host string, from purse, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.hosts.at(host, now)
	limit := known.limits[from]
	switch {
	case now.Before(known.until):
		return fmt.Errorf("%w: %.100q", ErrResting, host)
	case limit != nil && !limit.AllowN(now, 1):
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
