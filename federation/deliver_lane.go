package federation

import (
	"sync"
	"time"
)

const (
	// slowAfter is how long a host may take to answer before it gives its place to another.
	slowAfter = time.Second
	// slowLanes is for how many times as many slow hosts as others there is room beside them: each costs a connection
	// and next to no processor time.
	slowLanes = 4
)

// lanes are the places of hosts that are delivered to at once. A host that does not answer soon moves aside, so that the
// others pass: with as many hanging hosts as places nobody would get anything until the hanging ones time out.
type lanes struct {
	places int
	freed  chan struct{} // has a value when a host moved aside

	mu         sync.Mutex
	fast, slow int
}

func newLanes(places int) *lanes { return &lanes{places: places, freed: make(chan struct{}, 1)} }

// room reports whether another host may enter.
func (l *lanes) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fast < l.places
}

func (l *lanes) enter() *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fast++
	return &lane{of: l}
}

// lane is the place of one host. Its fields belong to the lock of all lanes.
type lane struct {
	of         *lanes
	slow, left bool
}

// watch moves the host aside if the returned function is not called soon.
func (l *lane) watch() (answered func()) {
	t := time.AfterFunc(slowAfter, l.moveAside)
	return func() { t.Stop() }
}

func (l *lane) moveAside() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	if l.slow || l.left || l.of.slow >= l.of.places*slowLanes {
		return
	}
	l.slow = true
	l.of.fast, l.of.slow = l.of.fast-1, l.of.slow+1
	select {
	case l.of.freed <- struct{}{}:
	default: // told already
	}
}

func (l *lane) leave() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	l.left = true
	if l.slow {
		l.of.slow--
	} else {
		l.of.fast--
	}
}
