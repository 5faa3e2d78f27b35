// Package api is the commerce API under /api/souk/v1 and its OpenAPI document.
package api

import (
	"souk"
	"souk/search"
)

// Config is what the API needs.
type Config struct {
	DB       *souk.DB
	Finder   *search.Finder
	Pictures *souk.Pictures
	Version  string
}

// API answers the routes below /api/souk/v1.
type API struct {
	Config
}

// New makes the API.
func New(cfg Config) (*API, error) { return &API{Config: cfg}, nil }
