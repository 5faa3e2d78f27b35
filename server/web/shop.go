package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"souk"
)

// versionFor is how long the version of the shop is believed without asking again: short enough that nobody sees it,
// long enough that a page which the whole fediverse fetches at once costs five queries a second.
const versionFor = 200 * time.Millisecond

// shopState is the shop and its owner as of a version.
type shopState struct {
	version int64
	shop    *souk.Shop
	owner   *souk.Account // nil before the node is set up
}

// shopMemo remembers the newest state.
type shopMemo struct {
	flight  singleflight.Group
	mu      sync.Mutex
	state   *shopState
	checked time.Time
}

// state is the shop as it was at most versionFor ago. Any number of simultaneous callers share one look at the database.
func (w *Web) state(ctx context.Context) (*shopState, error) {
	now := w.DB.Now()
	m := &w.shops
	m.mu.Lock()
	state, age := m.state, now.Sub(m.checked)
	m.mu.Unlock()
	if state != nil && age >= 0 && age < versionFor {
		return state, nil
	}
	return shared(ctx, &m.flight, "shop", renderFor, func(ctx context.Context) (*shopState, error) {
		fresh, err := w.readState(ctx, state)
		if err != nil {
			return nil, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.state, m.checked = fresh, now
		return fresh, nil
	})
}

// readState asks for the version first: what is read after it is as new or newer, so no page is kept too long.
func (w *Web) readState(ctx context.Context, last *shopState) (*shopState, error) {
	version, err := w.DB.ShopVersion(ctx)
	if err != nil {
		return nil, err
	}
	if last != nil && last.version == version && last.owner != nil {
		return last, nil
	}
	shop, err := w.DB.Shop(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := w.DB.Owner(ctx)
	if err != nil && !errors.Is(err, souk.ErrNotFound) {
		return nil, err
	}
	return &shopState{version: version, shop: shop, owner: owner}, nil
}

// shared runs f once for all who ask for the key meanwhile. It goes on when the one who asked first has left, but not for
// longer than most.
func shared[T any](ctx context.Context, flight *singleflight.Group, key string, most time.Duration, f func(context.Context) (T, error)) (T, error) {
	done := flight.DoChan(key, func() (v any, err error) {
		// A panic here would be outside of every request and end the process.
		defer func() {
			if p := recover(); p != nil {
				v, err = nil, panicked(p)
			}
		}()
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
		defer cancel()
		return f(own)
	})
	var none T
	select {
	case r := <-done:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
