package server

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// wantedDocument is where an echo.Context says that a document was asked for, and no page.
const wantedDocument = "wanted_document"

// negotiate serves one address in two forms: ActivityPub where that is asked for, else the page; 406 where neither will
// do (RFC 9110, 15.5.7).
func negotiate(activity, html echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		// Set before the page is: a cache must not give the page to the next server that asks for the document.
		c.Response().Header().Set("Vary", "Accept")
		switch formOf(c.Request()) {
		case activityForm:
			return activity(c)
		case pageForm:
			return html(c)
		}
		c.Set(wantedDocument, true)
		return echo.NewHTTPError(http.StatusNotAcceptable, "here is a page (text/html) and a document (application/activity+json)")
	}
}

// form is what of an address with two forms is asked for.
type form int

const (
	noForm form = iota
	pageForm
	activityForm
)

// wish is how much one of the forms is wanted: the quality that its most exact range in Accept gives it, how exact that
// is, and where it stands (RFC 9110, 12.5.1).
type wish struct {
	quality float64
	exact   int // 2 named, 1 by type/*, 0 by */*, -1 not at all
	place   int
}

// better reports whether w is wanted more than other: by its quality, then because it is named and the other is not, then
// because it is named first.
func (w wish) better(other wish) bool {
	if w.quality != other.quality {
		return w.quality > other.quality
	}
	if w.exact != other.exact {
		return w.exact > other.exact
	}
	return w.exact > 0 && w.place < other.place
}

// formOf reads what a request accepts. Without an Accept, and where both forms are as good, the page is meant. The two
// types of ActivityPub 3.2 mean the document, with or without a profile, and so does application/json.
func formOf(r *http.Request) form {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return pageForm
	}
	activity, html := wish{exact: -1}, wish{exact: -1}
	for place, part := range strings.Split(accept, ",") {
		quality, exact, forActivity, forPage := mediaRange(part)
		w := wish{quality, exact, place}
		for _, to := range []struct {
			meant bool
			wish  *wish
		}{{forActivity, &activity}, {forPage, &html}} {
			if to.meant && (w.exact > to.wish.exact || w.exact == to.wish.exact && w.quality > to.wish.quality) {
				*to.wish = w
			}
		}
	}
	switch {
	case activity.quality == 0 && html.quality == 0:
		return noForm
	case activity.better(html):
		return activityForm
	}
	return pageForm
}

// mediaRange reads one range of an Accept; one that cannot be read means nothing.
func mediaRange(part string) (quality float64, exact int, activity, page bool) {
	name, params, err := mime.ParseMediaType(part)
	if err != nil && err != mime.ErrInvalidMediaParameter {
		// Some servers write the profile without quotes.
		name, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(part)), ";")
		name = strings.TrimSpace(name)
	}
	quality = 1
	if q, ok := params["q"]; ok {
		if quality, err = strconv.ParseFloat(q, 64); err != nil || !(quality >= 0 && quality <= 1) {
			return 0, -1, false, false
		}
	}
	switch name {
	case "application/activity+json", "application/ld+json", "application/json":
		return quality, 2, true, false
	case "text/html", "application/xhtml+xml":
		return quality, 2, false, true
	case "application/*":
		return quality, 1, true, false
	case "text/*":
		return quality, 1, false, true
	case "*/*":
		return quality, 0, true, true
	}
	return 0, -1, false, false
}
