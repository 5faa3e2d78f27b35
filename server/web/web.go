// Package web is the storefront: every page that a visitor without an account sees, its feeds, and pictures. It fills
// the page structs of package themes and knows no markup.
//
// The same page is the same bytes for everybody: it depends on its address alone, never on a cookie or on
// Accept-Language, so that it is made once and answered many times (cache.go).
package web

import (
	"crypto/rand"
	"embed"
	"fmt"
	"log/slog"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/singleflight"

	"souk"
	"souk/federation"
	"souk/search"
	"souk/themes"
)

//go:embed locales
var locales embed.FS

// Config is what the storefront needs.
type Config struct {
	DB       *souk.DB
	Finder   *search.Finder
	Pictures *souk.Pictures
	Theme    *themes.Theme
	Client   *federation.Client // makes every request that leaves the node
	// Federation finds accounts and posts of other nodes for people who are signed in.
	Federation *federation.Federation
	// SignedIn is who is signed in with the browser that asks, else souk.ErrUnauthorized.
	SignedIn func(echo.Context) (*souk.Account, error)
	Version  string
	Log      *slog.Logger
}

// Web answers the storefront's routes.
type Web struct {
	Config
	words     *themes.Words // what the storefront says beyond the theme's own words
	countries map[string][]string
	shops     shopMemo
	pages     *pageCache
	homes     homes
	remote    singleflight.Group // pictures of other nodes that are being fetched
	films     *federation.Client // for what plays: it takes connections for long
	playing   playing
	fetching  chan struct{} // one for each of them, at most remoteAtOnce
	// orderSecret keys what tells a repeated order form. It lives as long as the process; a form sent again after a restart
	// is another order.
	orderSecret [32]byte
}

// New makes the storefront.
func New(cfg Config) (*Web, error) {
	words, err := themes.NewWords(locales, "locales/*.toml")
	if err != nil {
		return nil, fmt.Errorf("storefront: %w", err)
	}
	w := &Web{Config: cfg, words: words, countries: map[string][]string{}, pages: newPageCache(maxCacheBytes),
		homes: homes{known: map[string]knownHome{}}, fetching: make(chan struct{}, remoteAtOnce),
		films: cfg.Client.Apart(), playing: playing{of: map[string]int{}, every: filmsAtOnce}}
	if _, err := rand.Read(w.orderSecret[:]); err != nil {
		return nil, fmt.Errorf("storefront: %w", err)
	}
	for _, lang := range souk.Langs() {
		w.countries[lang] = countriesByName(tagOf(lang))
	}
	return w, nil
}
