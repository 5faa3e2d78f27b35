package federation

import (
	"sync"
	"time"
)

// remembered is something that was looked up, told again for some time without another look. The zero value has nothing.
type remembered[T any] struct {
	mu    sync.Mutex
	until time.Time
	value T
}

// get returns the value, looked up anew where that is due; what fails is not remembered. Of many who ask at once one looks.
func (r *remembered[T]) get(now time.Time, keep time.Duration, look func() (T, error)) (T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.until) {
		return r.value, nil
	}
	value, err := look()
	if err == nil {
		r.value, r.until = value, now.Add(keep)
	}
	return value, err
}
