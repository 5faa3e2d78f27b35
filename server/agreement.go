package server

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"souk"
)

// agreement answers the document of an agreement to its two sides: the buyer's server signs, the seller is signed in.
func (s *Server) agreement(c echo.Context) error {
	id, err := souk.ParseID(c.Param("id"))
	if err != nil {
		return err
	}
	ctx, fed := c.Request().Context(), s.cfg.Federation
	me, err := s.console.SignedIn(c)
	if err == nil {
		doc, err := fed.AgreementSold(ctx, me.ID, id)
		if !errors.Is(err, souk.ErrNotFound) {
			return document(c, doc, err)
		}
	} else if !errors.Is(err, souk.ErrUnauthorized) {
		return err
	}
	doc, err := fed.Agreement(ctx, s.signed(c), id)
	return document(c, doc, err)
}

// agreementPage sends a seller who opened an agreement's address to the order. Nobody else finds anything.
func (s *Server) agreementPage(c echo.Context) error {
	id, err := souk.ParseID(c.Param("id"))
	if err != nil {
		return err
	}
	me, err := s.console.SignedIn(c)
	if errors.Is(err, souk.ErrUnauthorized) {
		return souk.ErrNotFound
	} else if err != nil {
		return err
	}
	a, err := s.cfg.DB.AgreementSold(c.Request().Context(), me.ID, id)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "private, no-store")
	return c.Redirect(http.StatusFound, "/console/orders/"+strconv.FormatInt(a.OrderID, 10))
}
