// Package middleware holds what every request passes through; server/server.go writes the order once.
package middleware

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// requestID is where the id of a request lies in its echo.Context.
const requestID = "request_id"

// RequestID is the id that header, log and error page of this request share.
func RequestID(c echo.Context) string {
	id, _ := c.Get(requestID).(string)
	return id
}

// Identify gives each request an id of its own; one sent by a client is not believed.
func Identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var b [10]byte
		if _, err := rand.Read(b[:]); err != nil {
			return err
		}
		id := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
		c.Set(requestID, id)
		c.Response().Header().Set("X-Request-Id", id)
		return next(c)
	}
}

// Head answers HEAD as GET does, without the body: net/http drops it, since its own request still says HEAD. It stands
// before Echo, whose router would find no route for HEAD.
func Head(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.WithContext(context.WithValue(r.Context(), askedHead{}, true))
			r.Method = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

// askedHead marks the context of a request that Head answers.
type askedHead struct{}

// SentMethod is the method that a request was sent with, which its signature is about: Head shows HEAD to handlers as GET.
func SentMethod(r *http.Request) string {
	if r.Context().Value(askedHead{}) != nil {
		return http.MethodHead
	}
	return r.Method
}

// Log writes one line a request at debug level, and one at error level where the node failed. No address, no query: both
// can tell who looked for what.
func Log(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			err := next(c)
			if err != nil {
				c.Error(err) // the error handler answers, so that the status below is the one sent
			}
			status := c.Response().Status
			level := slog.LevelDebug
			if status >= 500 {
				level = slog.LevelError
			}
			log.Log(c.Request().Context(), level, "request", "method", c.Request().Method, "route", c.Path(), "status", status,
				"ms", time.Since(start).Milliseconds(), "request", RequestID(c), "error", errorText(err))
			return nil
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Hosts refuses requests for another host with 421 (RFC 9110, 15.5.20): every address of the node is made from its
// configuration, so an answer under another name would be a mirror. Health checks come by address and pass.
func Hosts(allowed ...string) echo.MiddlewareFunc {
	known := map[string]bool{}
	for _, h := range allowed {
		known[strings.ToLower(h)] = true
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.URL.Path == "/livez" || r.URL.Path == "/readyz" || known[strings.ToLower(r.Host)] {
				return next(c)
			}
			return echo.NewHTTPError(http.StatusMisdirectedRequest, "this node does not answer for that host name")
		}
	}
}

// Readable answers 404 where the path holds NUL or is not UTF-8: nothing here has such an address.
func Readable(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if path := c.Request().URL.Path; !utf8.ValidString(path) || strings.ContainsRune(path, 0) {
			return echo.ErrNotFound
		}
		return next(c)
	}
}

// Security sets the headers that every answer has. The policy is strict: pages have no inline style or script, load
// nothing from elsewhere, and are never framed. Handlers that redirect a form elsewhere widen form-action alone.
func Security(https bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", ContentPolicy("'self'"))
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Permissions-Policy", "geolocation=(), microphone=(), payment=(), usb=()")
			if https {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
			return next(c)
		}
	}
}

// ContentPolicy is the content security policy of pages whose forms may lead to formAction.
func ContentPolicy(formAction string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
		"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action " + formAction
}

// SameOrigin refuses forms that another site sends (net/http.CrossOriginProtection: Sec-Fetch-Site, else Origin).
// Requests with a bearer token or a signature carry no cookie and are left to what checks those.
func SameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		if err := protection.Check(c.Request()); err != nil {
			return echo.NewHTTPError(http.StatusForbidden, "this form was sent by another site")
		}
		return next(c)
	}
}

// BodyLimit refuses bodies over n bytes with 413, told by their length at once and while reading otherwise.
func BodyLimit(n int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.ContentLength > n {
				return &http.MaxBytesError{Limit: n}
			}
			r.Body = http.MaxBytesReader(c.Response(), r.Body, n)
			return next(c)
		}
	}
}

// ClientAddress finds the address of the client: the connection's own, or what a trusted proxy says, read from the
// right so that a client cannot invent one.
func ClientAddress(trusted []netip.Prefix) echo.IPExtractor {
	within := func(a netip.Addr) bool {
		for _, p := range trusted {
			if p.Contains(a.Unmap()) {
				return true
			}
		}
		return false
	}
	return func(r *http.Request) string {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return r.RemoteAddr
		}
		address := peer.Addr().Unmap()
		if !within(address) {
			return address.String()
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			address = hop.Unmap()
			if !within(address) {
				break
			}
		}
		return address.String()
	}
}
