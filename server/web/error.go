package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/server/middleware"
	"souk/themes"
)

const (
	httpMoved = http.StatusMovedPermanently
	// gateRetry tells crawlers when to look at a closed shop again, in seconds.
	gateRetry = "3600"
	// errorFor bounds what an error page may ask of a database that may be what failed.
	errorFor = 2 * time.Second
)

// gate is the page that stands before a shop which is not set up yet, or, where it sells, is closed; nil where the way
// is free, or somebody who sells here looks at the closed shop. Profiles and posts of a closed shop stay open: the
// community outlives a holiday.
func (v *view) gate(sells bool) (*answer, error) {
	if v.owner != nil && (v.shop.Open || !sells || v.preview) {
		return nil, nil
	}
	page := themes.GatePage{NotSetUp: v.owner == nil, Frame: v.frame(themes.Head{Title: v.theme("gate.new"), NoIndex: true})}
	if v.owner == nil {
		page.Site.Nav, page.Site.Feeds, page.Site.FollowURL, page.Site.SearchURL = nil, nil, "", ""
	} else {
		page.Head.Title = ""
	}
	a, err := v.render(page)
	if err != nil {
		return nil, err
	}
	a.status = http.StatusServiceUnavailable
	return a, nil
}

// Error answers a page that could not be shown: not found, gone, refused, failed. It says no more than the status and
// the number of the request. Where not even this page can be made there is a bare one in the binary.
func (w *Web) Error(c echo.Context, status int, err error) error {
	requestID := middleware.RequestID(c)
	body, rendered := w.errorPage(c, status, requestID)
	if rendered != nil {
		w.Log.Error("error page not rendered", "request", requestID, "error", rendered)
		lang, _ := splitLanguage(c.Request().URL.Path)
		body = themes.BareError(status, requestID, lang)
	}
	return c.HTMLBlob(status, body)
}

func (w *Web) errorPage(c echo.Context, status int, requestID string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(c.Request().Context(), errorFor)
	defer cancel()
	s, err := w.state(ctx)
	if err != nil {
		return nil, err
	}
	v := w.view(c, s)
	// The other languages of nothing are nothing: their links lead to the front page.
	asked := v.path
	v.path = "/"
	frame := v.frame(themes.Head{NoIndex: true})
	frame.Head.Canonical = ""
	var page themes.Page
	switch status {
	case http.StatusNotFound, http.StatusGone:
		frame.Head.Title = v.theme("notfound.title")
		missing := themes.NotFoundPage{Frame: frame, Gone: status == http.StatusGone, Query: words(asked)}
		if missing.Gone {
			missing.Head.Title = v.theme("notfound.gone")
		}
		if s.owner != nil && s.shop.Open {
			listings, err := w.DB.Listings(ctx, souk.ListingFilter{InStock: true}, souk.Page{Limit: 4})
			if err != nil {
				return nil, err
			}
			missing.Suggestions = v.productCards(listings)
		}
		page = missing
	default:
		frame.Head.Title = v.theme("error.title")
		page = themes.ErrorPage{Frame: frame, Status: status, RequestID: requestID}
	}
	var b bytes.Buffer
	err = w.Theme.Render(&b, v.tag, page)
	return b.Bytes(), err
}

// missing reports whether what was looked for is not there, or not for strangers.
func missing(err error) bool { return errors.Is(err, souk.ErrNotFound) || errors.Is(err, souk.ErrGone) }

// words are what the last part of an address says, to be searched for; nothing where it is only a number.
func words(address string) string {
	last := strings.TrimPrefix(path.Base(address), "@")
	text := strings.Join(strings.FieldsFunc(last, func(r rune) bool { return strings.ContainsRune("-_./+ ", r) }), " ")
	if strings.Trim(text, "0123456789 ") == "" {
		return ""
	}
	if runes := []rune(text); len(runes) > 60 {
		return ""
	}
	return text
}
