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
	if status == http.StatusServiceUnavailable && c.Response().Header().Get("Retry-After") == "" {
		c.Response().Header().Set("Retry-After", "10")
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
	wanted, _ := c.Get(wantedDocument).(bool)
	return wanted || strings.HasSuffix(r.URL.Path, "/inbox") || formOf(r) == activityForm
}

func acceptsHTML(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }
