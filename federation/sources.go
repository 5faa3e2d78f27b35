package federation

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"souk"
)

// Who signs names a host, and this node asks that host for the key. A stranger who names hosts of others must not use up what
// those are asked, or the keys of their real actors could not be had. So what does not verify is charged to the address
// that it came from; and where actors of a domain have signed from an address before, its keys are asked for out of
// purses that nobody else reaches.

const (
	maxProved       = 20_000 // domains that are remembered
	addressesProved = 16     // of each, the ones that were heard last
)

// proofs are the addresses from which signatures of a domain's actors came that did verify.
type proofs struct {
	mu      sync.Mutex
	domains roster[[]string]
}

func newProofs() *proofs {
	return &proofs{domains: roster[[]string]{max: maxProved, fresh: func() *[]string { return &[]string{} },
		idle: func(*[]string, time.Time) bool { return false }}}
}

func (p *proofs) add(from, host string, now time.Time) {
	from, domain := souk.Registrable(from), souk.Registrable(host)
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.domains.at(domain, now)
	if at := slices.Index(*known, from); at >= 0 {
		*known = slices.Delete(*known, at, at+1)
	}
	*known = append(*known, from)
	if len(*known) > addressesProved {
		*known = (*known)[1:]
	}
}

// has creates nothing for a domain that is only named.
func (p *proofs) has(from, host string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.domains.byKey[souk.Registrable(host)]
	return ok && slices.Contains(*known, souk.Registrable(from))
}

// proved is the purse that nobody else reaches.
func (p purse) proved() purse {
	if p == readerPurse {
		return provedReaderPurse
	}
	return provedSenderPurse
}

// charge is out of which purse a host is asked for the key of a request that names it. Where the address that the request
// came from is a stranger to the host's domain it costs one of that address's budget, which settle gives back once it is
// known how the question ended: where the signature verified, and where nothing was asked.
func (f *Federation) charge(req *SignedRequest, host string, from purse) (_ purse, settle func(error), err error) {
	if f.limits.proofs.has(req.From, host) {
		return from.proved(), func(error) {}, nil
	}
	wait, back := f.limits.sources.take(souk.Registrable(req.From), f.db.Now())
	if wait > 0 {
		return from, nil, &RefusedError{Status: http.StatusTooManyRequests, Reason: "too many signatures from your address that do not verify", RetryAfter: wait}
	}
	return from, func(err error) {
		if err == nil || errors.Is(err, ErrTooMany) || errors.Is(err, ErrResting) {
			back()
		}
	}, nil
}
