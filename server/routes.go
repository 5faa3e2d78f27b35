package server

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"souk/federation"
	"souk/server/middleware"
)

// routes is every address of the node, on one page.
func (s *Server) routes() {
	e, fed := s.echo, s.cfg.Federation
	limits := middleware.Limits{Multiplier: s.cfg.RateLimit, Now: s.cfg.DB.Now}

	// Health: asked by machines, by address, often.
	e.GET("/livez", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", s.ready)

	// Discovery (RFC 7033, RFC 6415, NodeInfo).
	e.GET("/.well-known/webfinger", s.webFinger, open)
	e.GET("/.well-known/host-meta", single(func(context.Context) (*federation.Document, error) { return fed.HostMeta() }), open)
	e.GET("/.well-known/nodeinfo", single(func(context.Context) (*federation.Document, error) { return fed.NodeInfoLinks() }), open)
	e.GET("/nodeinfo/:version", s.nodeInfo, open)

	// Actors and their collections (ActivityPub 4, 5).
	e.GET("/users/:name", negotiate(s.byName(fed.Actor), s.profilePage), open)
	e.GET("/users/:name/outbox", s.pageByName(fed.Outbox), open)
	e.GET("/users/:name/followers", s.pageByName(fed.Followers), open)
	e.GET("/users/:name/followers_synchronization", s.byName(fed.FollowersAt), open)
	e.GET("/users/:name/following", s.pageByName(fed.Following), open)
	e.GET("/users/:name/featured", s.byName(fed.Featured), open)
	e.GET("/actor", single(fed.NodeActor), open)
	e.GET("/actor/outbox", single(fed.NodeOutbox), open)
	e.GET("/catalogue", single(fed.CatalogueActor), open)
	e.GET("/catalogue/outbox", s.page(fed.CatalogueOutbox), open)
	e.GET("/catalogue/followers", s.page(fed.CatalogueFollowers), open)
	e.GET("/catalogue/following", s.page(fed.CatalogueFollowing), open)

	// Inboxes (ActivityPub 5.2, 7.1.3): one handler, since what is said is said to whom it is addressed. The limit is by
	// the sender's address: the host in a key id is unproven, and a limit by that would let strangers silence a peer.
	arrivals := limits.By(middleware.Limit{Burst: 2000, Every: 5 * time.Millisecond}, middleware.Client)
	for _, inbox := range []string{"/inbox", "/users/:name/inbox", "/actor/inbox", "/catalogue/inbox"} {
		e.POST(inbox, s.receive, arrivals, middleware.BodyLimit(federation.MaxActivity))
	}

	// Objects. A post's page and a listing's page are for people at the same address.
	e.GET("/listings/:id", negotiate(s.byID(fed.Listing), s.listingPage), open)
	e.GET("/listings/:id/proposal", s.byID(fed.Proposal), open)
	for _, object := range []string{"/posts/:id", "/listings/:id"} {
		e.GET(object+"/replies", s.pageByID(fed.Replies), open)
		e.GET(object+"/context", s.byID(fed.Context), open)
		e.GET(object+"/likes", s.byID(fed.Likes), open)
		e.GET(object+"/shares", s.byID(fed.Shares), open)
	}
	e.GET("/quotes/:id", s.byID(fed.QuoteStamp), open)
	e.GET("/agreements/:id", negotiate(s.agreement, s.agreementPage))
	e.GET("/activities/:id", s.byID(fed.Activity), open)
	e.GET("/posts/:id", negotiate(s.byID(fed.Post), s.web.Post), open)

	// Storefront: the bare path is the shop's language, /en and /zh the others. A profile is an actor too: people paste
	// its address into the search of their app.
	guess := limits.By(middleware.Limit{Burst: 30, Every: 2 * time.Second}, middleware.Client)
	looks := limits.By(middleware.Limit{Burst: 200, Every: 200 * time.Millisecond}, middleware.Client)
	order := limits.By(middleware.Limit{Burst: 10, Every: 20 * time.Second}, middleware.Client)
	lookUp := limits.By(middleware.Limit{Burst: 20, Every: 3 * time.Second}, middleware.Client)
	form := []echo.MiddlewareFunc{middleware.BodyLimit(64 << 10), middleware.SameOrigin}
	e.GET("/@:name", negotiate(s.byName(fed.Actor), s.web.Profile), open)
	for _, lang := range []string{"", "/en", "/zh"} {
		e.GET(lang+"/", s.web.Home)
		e.GET(lang+"/products", s.web.Products)
		e.GET(lang+"/products/:slug", negotiate(s.listingBySlug, s.web.Product), open)
		e.POST(lang+"/products/:slug/order", s.web.Order, append(form, order)...)
		e.GET(lang+"/orders/:token", s.web.OrderPage, guess)
		e.POST(lang+"/orders/:token/complete", s.web.CompleteOrder, append(form, guess)...)
		e.POST(lang+"/orders/:token/cancel", s.web.CancelOrder, append(form, guess)...)
		e.GET(lang+"/posts", s.web.Posts)
		e.GET(lang+"/posts/:id/history", s.web.History)
		e.GET(lang+"/tags/:tag", s.web.TagOrFeed)
		e.GET(lang+"/search", s.web.Search, looks)
		e.GET(lang+"/follow", s.web.FollowPage)
		e.POST(lang+"/follow", s.web.Follow, append(form, lookUp)...)
		e.GET(lang+"/follow/qr.png", s.web.FollowQR)
		e.GET(lang+"/authorize_interaction", s.web.Authorize, guess)
		e.POST(lang+"/authorize_interaction", s.web.Confirm, append(form, guess)...)
		for _, kind := range []string{"atom", "rss", "json"} {
			e.GET(lang+"/posts."+kind, s.web.PostFeed(kind))
			e.GET(lang+"/products."+kind, s.web.ProductFeed(kind))
		}
		if lang != "" {
			e.GET(lang, s.web.Home)
			e.GET(lang+"/posts/:id", s.web.Post)
			e.GET(lang+"/@:name", s.web.Profile)
		}
	}

	e.GET("/robots.txt", s.web.Robots)
	e.GET("/sitemap.xml", s.web.Sitemap)
	for _, kind := range []string{"pages", "products", "posts"} {
		e.GET("/sitemap-"+kind+".xml", s.web.SitemapOf(kind))
	}

	// Files.
	e.GET("/assets/:hash/*", s.web.Asset)
	e.GET("/media/*", s.web.Media)
	e.GET("/media/remote/:id", s.web.RemoteMedia, looks)
	e.GET("/media/film/:id", s.web.Film, looks)

	// Commerce API: its own table, since its document is made from that too.
	s.api.Route(e, limits)

	s.consoleRoutes()
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
