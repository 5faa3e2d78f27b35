// Package web is the storefront: every page that a visitor without an account sees, its feeds, and pictures. It fills
// the page structs of package themes and knows no markup.
package web

import (
	"log/slog"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/search"
	"souk/themes"
)

// Config is what the storefront needs.
type Config struct {
	DB       *souk.DB
	Finder   *search.Finder
	Pictures *souk.Pictures
	Theme    *themes.Theme
	Version  string
	Log      *slog.Logger
}

// Web answers the storefront's routes.
type Web struct {
	Config
}

// New makes the storefront.
func New(cfg Config) (*Web, error) { return &Web{Config: cfg}, nil }

// Error answers a page that could not be shown: not found, gone, refused, failed.
func (w *Web) Error(c echo.Context, status int, err error) error {
	return c.HTMLBlob(status, nil)
}
