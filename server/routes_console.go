package server

import (
	"time"

	"github.com/labstack/echo/v4"

	"souk/server/console"
	"souk/server/middleware"
)

// consoleRoutes is the part of the route table that people sign in for. Its forms carry a cookie, so none is taken from
// another site, and none may be larger than what it asks for; guessing passwords and setup links is slow.
func (s *Server) consoleRoutes() {
	c, e := s.console, s.echo
	limits := middleware.Limits{Multiplier: s.cfg.RateLimit, Now: s.cfg.DB.Now}
	door := limits.By(middleware.Limit{Burst: 10, Every: 12 * time.Second}, middleware.Client)
	form := []echo.MiddlewareFunc{middleware.SameOrigin, middleware.BodyLimit(1 << 20)}
	knock := []echo.MiddlewareFunc{door, middleware.SameOrigin, middleware.BodyLimit(64 << 10)}
	upload := []echo.MiddlewareFunc{middleware.SameOrigin, middleware.BodyLimit(console.MaxUpload)}

	e.GET("/setup", c.Open(c.SetupForm))
	e.POST("/setup", c.Open(c.SetUp), knock...)
	e.GET("/console/sign-in", c.Open(c.SignInForm))
	e.POST("/console/sign-in", c.Open(c.SignIn), knock...)
	e.POST("/console/sign-out", c.Open(c.SignOut), form...)
	e.GET("/console/assets/:hash/console.css", c.Style)

	e.GET("/console", c.Member(c.Today))
	e.GET("/console/more", c.Member(c.More))

	e.GET("/console/products", c.Seller(c.Listings))
	e.GET("/console/products/new", c.Seller(c.NewListing))
	e.POST("/console/products/new", c.Seller(c.CreateListing), upload...)
	e.GET("/console/products/:id", c.Seller(c.Listing))
	e.POST("/console/products/:id", c.Seller(c.ChangeListing), upload...)
	e.GET("/console/products/:id/preview", c.Seller(c.PreviewListing))
	e.GET("/console/products/:id/withdraw", c.Seller(c.WithdrawForm))
	e.POST("/console/products/:id/withdraw", c.Seller(c.Withdraw), form...)
}
