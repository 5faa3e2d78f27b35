package server

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"souk/server/middleware"
	"souk/server/problem"
)

// handleError answers what a handler returned as an error: a problem document where programs ask, a page where people do.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := problem.Status(err)
	if status == http.StatusUnauthorized && c.Response().Header().Get("WWW-Authenticate") == "" && strings.HasPrefix(c.Path(), "/api/") {
		c.Response().Header().Set("WWW-Authenticate", "Bearer")
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	var werr error
	switch {
	case wantsDocument(c):
		werr = problem.Write(c, err, middleware.RequestID(c))
	case strings.HasPrefix(c.Request().URL.Path, "/console"), strings.HasPrefix(c.Request().URL.Path, "/setup"):
		werr = s.console.Error(c, status, err)
	default:
		werr = s.web.Error(c, status, err)
	}
	if werr != nil {
		s.cfg.Log.Error("error page not sent", "request", middleware.RequestID(c), "error", werr)
	}
}

// wantsDocument reports whether a program asked: one of the APIs, or an Accept without text/html.
func wantsDocument(c echo.Context) bool {
	r := c.Request()
	for _, prefix := range []string{"/api/", "/oauth/", "/inbox", "/.well-known/", "/nodeinfo/", "/actor", "/catalogue", "/activities/"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return !(prefix == "/oauth/" && acceptsHTML(r))
		}
	}
	return wantsActivity(r) || strings.HasSuffix(r.URL.Path, "/inbox")
}

func acceptsHTML(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// wantsActivity reports whether ActivityPub JSON is asked for (ActivityPub 3.2): an Accept that names it, and does not
// prefer HTML by naming that first. Browsers name text/html first; Mastodon and others name activity+json first.
func wantsActivity(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	html := strings.Index(accept, "text/html")
	for _, t := range []string{"application/activity+json", "application/ld+json"} {
		if i := strings.Index(accept, t); i >= 0 && (html < 0 || i < html) {
			return true
		}
	}
	return false
}
