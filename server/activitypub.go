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
	"souk/server/middleware"
)

// document answers with what federation made. What is the same for everybody may stay in caches for a minute, which is
// what a storm of servers that fetch one new post needs; what was made for who asked, in none. For a tombstone the status is
// 410.
func document(c echo.Context, doc *federation.Document, err error) error {
	h := c.Response().Header()
	h.Set("Vary", "Accept")
	if err != nil {
		c.Set(wantedDocument, true)
		return refused(c, err)
	}
	h.Set("Cache-Control", "public, max-age=60")
	if doc.Private {
		h.Set("Vary", "Accept, Signature")
		h.Set("Cache-Control", "private, no-store")
	}
	return c.Blob(doc.Status, doc.ContentType, doc.Body)
}

// refused turns why federation does not take or show something into an answer.
func refused(c echo.Context, err error) error {
	var refused *federation.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	h := c.Response().Header()
	switch {
	case refused.Status == http.StatusTooManyRequests, refused.Status == http.StatusServiceUnavailable:
		wait := refused.RetryAfter
		if wait == 0 {
			wait = time.Minute
		}
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	case refused.Status == http.StatusUnauthorized && c.Request().Method == http.MethodGet:
		h.Set("Vary", "Accept, Signature")
		h.Set("Accept-Signature", federation.AcceptSignature)
		h.Set("WWW-Authenticate", federation.Authenticate)
	}
	return echo.NewHTTPError(refused.Status, refused.Reason)
}

// signed is the request as its signature speaks of it; nil where it has none, or one that cannot be about this request.
func (s *Server) signed(c echo.Context) *federation.SignedRequest {
	h := c.Request().Header
	if h.Get("Signature") == "" && h.Get("Signature-Input") == "" {
		return nil
	}
	req, err := federation.NewSignedRequest(c.Request(), s.origin, nil)
	if err != nil {
		return nil
	}
	req.Method, req.From = middleware.SentMethod(c.Request()), c.RealIP()
	return req
}

// open lets pages of other sites read the answer (CORS): client apps in browsers look nodes up.
func open(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Access-Control-Allow-Origin", "*")
		return next(c)
	}
}

// signedRequest is the request of who asks federation for a document, nil where it is not signed.
type signedRequest = *federation.SignedRequest

// byName answers a document about the account in the path.
func (s *Server) byName(f func(ctx context.Context, by signedRequest, name string) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		doc, err := f(c.Request().Context(), s.signed(c), c.Param("name"))
		return document(c, doc, err)
	}
}

// pageByName is byName for collections, whose pages are asked for in the query.
func (s *Server) pageByName(f func(ctx context.Context, by signedRequest, name string, q url.Values) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		doc, err := f(c.Request().Context(), s.signed(c), c.Param("name"), c.QueryParams())
		return document(c, doc, err)
	}
}

// byID answers a document about the object in the path.
func (s *Server) byID(f func(ctx context.Context, by signedRequest, id int64) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := souk.ParseID(c.Param("id"))
		if err != nil {
			return err
		}
		doc, err := f(c.Request().Context(), s.signed(c), id)
		return document(c, doc, err)
	}
}

func (s *Server) pageByID(f func(ctx context.Context, by signedRequest, id int64, q url.Values) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		return s.byID(func(ctx context.Context, by signedRequest, id int64) (*federation.Document, error) {
			return f(ctx, by, id, c.QueryParams())
		})(c)
	}
}

func (s *Server) page(f func(ctx context.Context, by signedRequest, q url.Values) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		doc, err := f(c.Request().Context(), s.signed(c), c.QueryParams())
		return document(c, doc, err)
	}
}

// single answers a document that is free for everybody.
func single(f func(ctx context.Context) (*federation.Document, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		doc, err := f(c.Request().Context())
		return document(c, doc, err)
	}
}

// webFinger answers RFC 7033 requests: 400 where the resource cannot be read, 404 where nobody is meant.
func (s *Server) webFinger(c echo.Context) error {
	doc, err := s.cfg.Federation.WebFinger(c.Request().Context(), c.QueryParam("resource"), c.QueryParams()["rel"]...)
	var invalid *souk.Invalid
	if errors.As(err, &invalid) {
		return echo.NewHTTPError(http.StatusBadRequest, invalid.Error())
	}
	return document(c, doc, err)
}

func (s *Server) nodeInfo(c echo.Context) error {
	doc, err := s.cfg.Federation.NodeInfo(c.Request().Context(), c.Param("version"))
	return document(c, doc, err)
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
	doc, err := s.cfg.Federation.Listing(ctx, s.signed(c), l.ID)
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
	signed.From = c.RealIP()
	status, err := s.cfg.Federation.Receive(c.Request().Context(), signed)
	if err != nil {
		return refused(c, err)
	}
	return c.NoContent(status)
}
