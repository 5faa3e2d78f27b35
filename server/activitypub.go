package server

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/federation"
)

// document answers with what federation made. Documents are public and the same for everybody; a minute in caches is
// what a storm of servers that fetch one new post needs. For a tombstone the status is 410.
func document(c echo.Context, doc *federation.Document, err error) error {
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Vary", "Accept")
	h.Set("Cache-Control", "public, max-age=60")
	return c.Blob(doc.Status, doc.ContentType, doc.Body)
}

// open lets pages of other sites read the answer (CORS): client apps in browsers look nodes up.
func open(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Access-Control-Allow-Origin", "*")
		return next(c)
	}
}

// byName answers a document about the account in the path.
func byName(f func(ctx context.Context, name string) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		doc, err := f(c.Request().Context(), c.Param("name"))
		return document(c, doc, err)
	}
}

// pageByName is byName for collections, whose pages are asked for in the query.
func pageByName(f func(ctx context.Context, name string, q url.Values) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		doc, err := f(c.Request().Context(), c.Param("name"), c.QueryParams())
		return document(c, doc, err)
	}
}

// byID answers a document about the object in the path.
func byID(f func(ctx context.Context, id int64) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := souk.ParseID(c.Param("id"))
		if err != nil {
			return err
		}
		doc, err := f(c.Request().Context(), id)
		return document(c, doc, err)
	}
}

func pageByID(f func(ctx context.Context, id int64, q url.Values) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		return byID(func(ctx context.Context, id int64) (*federation.Document, error) { return f(ctx, id, c.QueryParams()) })(c)
	}
}

func single(f func(ctx context.Context) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		doc, err := f(c.Request().Context())
		return document(c, doc, err)
	}
}

func page(f func(ctx context.Context, q url.Values) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		doc, err := f(c.Request().Context(), c.QueryParams())
		return document(c, doc, err)
	}
}

// negotiate serves one address in two forms: ActivityPub where that is asked for, else the page.
func negotiate(activity, html echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if wantsActivity(c.Request()) {
			return activity(c)
		}
		// Set before the page is: a cache must not give the page to the next server that asks for the document.
		c.Response().Header().Set("Vary", "Accept")
		return html(c)
	}
}

// webFinger answers RFC 7033 requests: 400 where the resource cannot be read, 404 where nobody is meant.
func (s *Server) webFinger(c echo.Context) error {
	doc, err := s.cfg.Federation.WebFinger(c.Request().Context(), c.QueryParam("resource"))
	var invalid *souk.Invalid
	if errors.As(err, &invalid) {
		return echo.NewHTTPError(http.StatusBadRequest, invalid.Error())
	}
	return document(c, doc, err)
}

func (s *Server) post(ctx context.Context, id int64) (*federation.Document, error) {
	return s.cfg.Federation.Post(ctx, 0, id)
}

// profilePage sends a person who opened an actor's address to the profile.
func (s *Server) profilePage(c echo.Context) error {
	a, err := s.cfg.DB.LocalAccount(c.Request().Context(), c.Param("name"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusFound, a.URL)
}

// listingPage sends a person who opened a listing's id to its page.
func (s *Server) listingPage(c echo.Context) error {
	id, err := souk.ParseID(c.Param("id"))
	if err != nil {
		return err
	}
	l, err := s.cfg.DB.Listing(c.Request().Context(), 0, id)
	if err != nil {
		return err
	}
	if !l.Local() {
		return souk.ErrNotFound
	}
	return c.Redirect(http.StatusFound, l.Post.URL)
}

// listingBySlug answers the listing behind the address of a product page, for people who paste that into the search of
// their app.
func (s *Server) listingBySlug(c echo.Context) error {
	ctx := c.Request().Context()
	slug, err := url.PathUnescape(c.Param("slug"))
	if err != nil {
		return souk.ErrNotFound
	}
	l, err := s.cfg.DB.ListingBySlug(ctx, 0, slug)
	if err != nil {
		return err
	}
	doc, err := s.cfg.Federation.Listing(ctx, l.ID)
	return document(c, doc, err)
}

// receive takes an activity in, at any inbox of the node: the body as it came, the address as it is configured.
func (s *Server) receive(c echo.Context) error {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	signed, err := federation.NewSignedRequest(c.Request(), s.origin, body)
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "the request has no valid target")
	}
	status, err := s.cfg.Federation.Receive(c.Request().Context(), signed)
	var refused *federation.RefusedError
	if errors.As(err, &refused) {
		if refused.Status == http.StatusTooManyRequests || refused.Status == http.StatusServiceUnavailable {
			wait := refused.RetryAfter
			if wait == 0 {
				wait = time.Minute
			}
			c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		}
		return echo.NewHTTPError(refused.Status, refused.Reason)
	}
	if err != nil {
		return err
	}
	return c.NoContent(status)
}
