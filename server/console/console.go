// Package console is where the people of a node work: setup, sign-in, posts, listings, orders, followers, settings.
// Its page structs and templates lie beside the handlers; its look shares the tokens of the default theme.
package console

import (
	"log/slog"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

// Config is what the console needs.
type Config struct {
	DB       *souk.DB
	Pictures *souk.Pictures
	Theme    *themes.Theme
	HTTPS    bool // cookies are for https only
	Version  string
	Log      *slog.Logger
}

// Console answers the console's routes.
type Console struct {
	Config
}

// New makes the console.
func New(cfg Config) (*Console, error) { return &Console{Config: cfg}, nil }

// Error answers a page of the console that could not be shown.
func (c *Console) Error(ctx echo.Context, status int, err error) error {
	return ctx.HTMLBlob(status, nil)
}
