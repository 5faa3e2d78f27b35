package middleware

import (
	"context"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"
)

// Limits bounds how often one client may ask. Multiplier is SOUK_RATE_LIMIT: 0 turns the limits off.
type Limits struct {
	Multiplier float64
	Now        func() time.Time
}

// Limit is one named limit: Burst requests at once, then Every one. With Tell every answer says how many are left
// (X-RateLimit-*, with the names and the form of time that Mastodon's clients read).
type Limit struct {
	Burst int
	Every time.Duration
	Tell  bool
}

// maxClients bounds the memory of a limiter; when it is full those who have all their tokens are forgotten.
const maxClients = 50_000

type limiter struct {
	mu      sync.Mutex
	clients map[string]*rate.Limiter
}

// By makes a middleware that allows each key the limit; key is usually the client's address (Client).
func (l Limits) By(limit Limit, key func(echo.Context) string) echo.MiddlewareFunc {
	if l.Multiplier <= 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	state := &limiter{clients: map[string]*rate.Limiter{}}
	every := rate.Limit(l.Multiplier / limit.Every.Seconds())
	burst := max(1, int(math.Ceil(float64(limit.Burst)*l.Multiplier)))
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			now := l.Now()
			wait, left := state.take(key(c), now, every, burst)
			if limit.Tell {
				full := time.Duration(float64(burst-left) / float64(every) * float64(time.Second))
				h := c.Response().Header()
				h.Set("X-RateLimit-Limit", strconv.Itoa(burst))
				h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
				h.Set("X-RateLimit-Reset", now.Add(full).UTC().Format(time.RFC3339))
			}
			if wait > 0 {
				c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
				return echo.NewHTTPError(http.StatusTooManyRequests, "too many requests: wait a moment")
			}
			return next(c)
		}
	}
}

// take is how long the client must wait, where 0 means that its request counts now, and how many more it may send.
func (s *limiter) take(key string, now time.Time, every rate.Limit, burst int) (wait time.Duration, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	client, ok := s.clients[key]
	if !ok {
		if len(s.clients) >= maxClients {
			for k, v := range s.clients {
				if v.TokensAt(now) >= float64(burst) {
					delete(s.clients, k)
				}
			}
		}
		client = rate.NewLimiter(every, burst)
		s.clients[key] = client
	}
	r := client.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait, max(0, int(client.TokensAt(now)))
}

// AtOnce lets n requests in at the same time, whoever they are from; the others wait, and those who waited for long are
// sent away with 503. It stands before what costs memory, such as hashing a password, and behind BodyLimit: the form is
// read first, or those who send slowly would take up all the room.
func AtOnce(n int, long time.Duration) echo.MiddlewareFunc {
	room := make(chan struct{}, n)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if _, err := c.FormParams(); err != nil {
				return echo.NewHTTPError(http.StatusBadRequest, "the form cannot be read").SetInternal(err)
			}
			ctx, cancel := context.WithTimeout(c.Request().Context(), long)
			defer cancel()
			select {
			case room <- struct{}{}:
				defer func() { <-room }()
				return next(c)
			case <-ctx.Done():
				c.Response().Header().Set("Retry-After", "5")
				return echo.NewHTTPError(http.StatusServiceUnavailable, "too many requests at once: wait a moment")
			}
		}
	}
}

// Client is the client's network: an IPv4 address, or the /64 of an IPv6 one, since a household has all of those.
func Client(c echo.Context) string {
	address, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return c.RealIP()
	}
	if address.Is6() {
		if p, err := address.Prefix(64); err == nil {
			return p.String()
		}
	}
	return address.String()
}
