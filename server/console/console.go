// Package console is where the people of a node work: setup, sign-in, posts, listings, orders, followers, settings.
// Its page structs and templates lie beside the handlers; its look shares the tokens of the default theme.
package console

import (
	"bytes"
	"embed"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/federation"
	"souk/server/middleware"
	"souk/themes"
)

// Config is what the console needs.
type Config struct {
	DB         *souk.DB
	Federation *federation.Federation
	Pictures   *souk.Pictures
	HTTPS      bool // cookies are for https only
	Version    string
	Log        *slog.Logger
}

// Console answers the console's routes.
type Console struct {
	Config
	words *themes.Words
	pages pages
	style themes.Asset
}

//go:embed templates/*.html locales/*.toml assets/*.css
var files embed.FS

// New makes the console; it fails where a template or a message file does not parse.
func New(cfg Config) (*Console, error) {
	c := &Console{Config: cfg}
	var err error
	if c.words, err = themes.NewWords(files, "locales/*.toml"); err != nil {
		return nil, err
	}
	css, err := files.ReadFile("assets/console.css")
	if err != nil {
		return nil, err
	}
	if c.style, err = themes.NewAsset("console.css", bytes.Join([][]byte{themes.Tokens(), css}, []byte("\n"))); err != nil {
		return nil, err
	}
	c.pages, err = loadPages(files, c.words, cfg.DB.Now)
	return c, err
}

// styleURL is the address of the style sheet: it holds the hash of what it says, so that it may be cached for ever.
func (c *Console) styleURL() string { return "/console/assets/" + c.style.Hash + "/console.css" }

// Style serves the style sheet.
func (c *Console) Style(ctx echo.Context) error {
	if ctx.Param("hash") != c.style.Hash {
		return souk.ErrNotFound
	}
	ctx.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return ctx.Blob(http.StatusOK, c.style.ContentType, c.style.Body)
}

// errorPage says that a page could not be shown.
type errorPage struct {
	frame
	Status    int
	RequestID string
}

// explained are the statuses that have words of their own.
func explained() []int { return []int{401, 403, 404, 409, 410, 413, 422, 429} }

// Error answers a page of the console that could not be shown, with its navigation for who is signed in. What failed here,
// or came too often, asks the database nothing.
func (c *Console) Error(ctx echo.Context, status int, err error) error {
	v := &Visit{Context: ctx, console: c, shop: &souk.Shop{}}
	if status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
		if seen, err := c.visit(ctx); err == nil {
			v = seen
		}
	}
	if v.lang == "" {
		v.lang = c.language(v)
	}
	page := errorPage{Status: status, RequestID: middleware.RequestID(ctx)}
	key := "error_page.failed"
	if slices.Contains(explained(), status) {
		key = "error_page.s" + strconv.Itoa(status)
	}
	page.frame = v.frame("", key)
	return c.render(v, status, "error", page)
}
