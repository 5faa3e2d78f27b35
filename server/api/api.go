// Package api is the commerce API under /api/souk/v1: what sellers' programs and outside storefronts call. One table
// (table.go) says which calls there are; it routes them, and its OpenAPI document is made from it and from the structs
// that the calls read and answer.
package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/federation"
	"souk/search"
	"souk/server/middleware"
)

// Base is the path that all calls lie below.
const Base = "/api/souk/v1"

// Config is what the API needs.
type Config struct {
	DB         *souk.DB
	Federation *federation.Federation
	Finder     *search.Finder
	Pictures   *souk.Pictures
	Version    string
}

// API answers the calls below Base.
type API struct {
	Config
	calls    []call
	document []byte
}

// New makes the API and its OpenAPI document.
func New(cfg Config) (*API, error) {
	a := &API{Config: cfg}
	a.calls = a.table()
	var err error
	a.document, err = a.openAPI()
	return a, err
}

const (
	maxBody = 256 << 10
	// maxUpload leaves room around the largest picture for the form that it comes in.
	maxUpload = 26 << 20
)

// Route adds every call to the node's routes, with the middleware that its entry asks for.
func (a *API) Route(e *echo.Echo, limits middleware.Limits) {
	byClient := map[limit]echo.MiddlewareFunc{
		reading:   limits.By(middleware.Limit{Burst: 300, Every: 100 * time.Millisecond, Tell: true}, middleware.Client),
		searching: limits.By(middleware.Limit{Burst: 120, Every: 200 * time.Millisecond, Tell: true}, middleware.Client),
		writing:   limits.By(middleware.Limit{Burst: 120, Every: 500 * time.Millisecond, Tell: true}, middleware.Client),
		ordering:  limits.By(middleware.Limit{Burst: 60, Every: 5 * time.Second, Tell: true}, middleware.Client),
		uploading: limits.By(middleware.Limit{Burst: 60, Every: 3 * time.Second, Tell: true}, middleware.Client),
	}
	asked := map[string]bool{}
	for _, c := range a.calls {
		if !asked[c.Path] {
			asked[c.Path] = true
			e.OPTIONS(Base+c.route(), preflight, crossOrigin)
		}
		body := int64(maxBody)
		if c.Limit == uploading {
			body = maxUpload
		}
		e.Add(c.Method, Base+c.route(), a.handle(c), crossOrigin, byClient[c.Limit], middleware.BodyLimit(body))
	}
	e.GET(Base+"/openapi.json", a.openAPIDocument, crossOrigin, byClient[reading])
}

// crossOrigin lets pages of other sites use the API (CORS). No call reads a cookie, so nothing is sent in the name of a
// visitor who does not know of it.
func crossOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "ETag, Link, Location, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id")
		return next(c)
	}
}

// preflight answers what browsers ask before a call from another site.
func preflight(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match")
	h.Set("Access-Control-Max-Age", "86400")
	return c.NoContent(http.StatusNoContent)
}

// route is the path as Echo writes it: {id} becomes :id.
func (c call) route() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(c.Path)
}

// parameters are the names in the path.
func (c call) parameters() []string {
	var names []string
	for part := range strings.SplitSeq(c.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return slices.Clip(names)
}
