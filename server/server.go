// Package server is everything HTTP of a node, and the only place where Echo appears: the route table (routes.go), the
// order of the middleware, and the table from errors to answers. What the routes lead to lives in the packages below:
// web (storefront), console, api (commerce API), jobs (workers of no protocol), blob (where pictures are kept).
package server

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"souk"
	"souk/federation"
	"souk/search"
	"souk/server/api"
	"souk/server/console"
	"souk/server/middleware"
	"souk/server/web"
	"souk/themes"
)

// Config is what a Server needs. All fields are required.
type Config struct {
	DB             *souk.DB
	Federation     *federation.Federation
	Client         *federation.Client // for what pages ask of other nodes: pictures, where a visitor's server is
	Finder         *search.Finder
	Pictures       *souk.Pictures
	Theme          *themes.Theme
	Version        string
	HTTPS          bool
	TrustedProxies []netip.Prefix
	RateLimit      float64 // multiplier of every limit; 0 turns them off
	Log            *slog.Logger
}

// Server answers the HTTP requests of a node.
type Server struct {
	cfg     Config
	echo    *echo.Echo
	web     *web.Web
	console *console.Console
	api     *api.API
	origin  *url.URL
}

// New makes the server and its routes.
func New(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg}
	var err error
	if s.origin, err = url.Parse(cfg.DB.BaseURL()); err != nil {
		return nil, err
	}
	if s.console, err = console.New(console.Config{DB: cfg.DB, Federation: cfg.Federation, Pictures: cfg.Pictures,
		HTTPS: cfg.HTTPS, Version: cfg.Version, Log: cfg.Log}); err != nil {
		return nil, err
	}
	if s.web, err = web.New(web.Config{DB: cfg.DB, Finder: cfg.Finder, Pictures: cfg.Pictures, Theme: cfg.Theme, Client: cfg.Client, Federation: cfg.Federation, SignedIn: s.console.SignedIn,
		Version: cfg.Version, Log: cfg.Log}); err != nil {
		return nil, err
	}
	if s.api, err = api.New(api.Config{DB: cfg.DB, Federation: cfg.Federation, Finder: cfg.Finder, Pictures: cfg.Pictures, Version: cfg.Version}); err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(discard{}) // Echo's own logger says nothing that ours does not
	e.IPExtractor = middleware.ClientAddress(cfg.TrustedProxies)
	e.HTTPErrorHandler = s.handleError
	// The order, once: who asks, what is logged, what a panic becomes, which host, which headers, whether the path can be read.
	e.Pre(middleware.Identify, middleware.Log(cfg.Log), recoverer(), middleware.Hosts(cfg.DB.Domain(), cfg.DB.HandleDomain()), middleware.Security(cfg.HTTPS), middleware.Readable)
	s.echo = e
	s.routes()
	return s, nil
}

// recoverer turns a panic of a handler into a 500 with its stack in the log, instead of a cut connection.
func recoverer() echo.MiddlewareFunc {
	return echomiddleware.RecoverWithConfig(echomiddleware.RecoverConfig{StackSize: 8 << 10, DisableErrorHandler: true})
}

// Handler is the node as an http.Handler.
func (s *Server) Handler() http.Handler { return middleware.Head(s.echo) }

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
