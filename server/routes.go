package server

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// routes is every address of the node, on one page.
func (s *Server) routes() {
	e := s.echo

	// Health: asked by machines, by address, often.
	e.GET("/livez", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", s.ready)
}

// ready answers 200 while the database does.
func (s *Server) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	if err := s.cfg.DB.Ready(ctx); err != nil {
		return c.String(http.StatusServiceUnavailable, "the database does not answer\n")
	}
	return c.String(http.StatusOK, "ok\n")
}
