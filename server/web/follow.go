package web

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"
	qrcode "github.com/skip2/go-qrcode"

	"souk"
	"souk/server/middleware"
	"souk/themes"
)

var placeholder = regexp.MustCompile(`\{[A-Za-z]+\}`)

// FollowPage answers the ways to follow a seller of this node (of=name, else the owner), or to answer a post of it
// (reply=id) from one's own server.
func (w *Web) FollowPage(c echo.Context) error {
	w.widen(c)
	return w.public(c, func(ctx context.Context, v *view) (*answer, error) {
		page, err := w.followPage(ctx, v)
		if err != nil {
			return nil, err
		}
		if page.Intent == "" && page.Seller.FollowURL == "" {
			return redirect(http.StatusSeeOther, page.Seller.URL), nil // which says where the account went, or of whom it is kept in memory
		}
		a, err := v.render(page)
		if err == nil {
			a.keep = !v.query.Has("reply")
		}
		return a, err
	}, "of", "reply")
}

// widen lets the form of the follow page end at another server: form-action covers the redirect that answers a form.
func (w *Web) widen(c echo.Context) {
	to := "'self' https:"
	if strings.HasPrefix(w.DB.BaseURL(), "http://") { // development, where other nodes speak http too
		to += " http:"
	}
	c.Response().Header().Set("Content-Security-Policy", middleware.ContentPolicy(to))
}

// followPage is the page for whom and what the query names.
func (w *Web) followPage(ctx context.Context, v *view) (page themes.FollowPage, err error) {
	if v.owner == nil {
		return page, souk.ErrNotFound
	}
	a := v.owner
	if name := v.query.Get("of"); name != "" {
		if a, err = w.DB.LocalAccount(ctx, name); err != nil {
			return page, err
		}
		if !a.Person() || a.Suspended != nil {
			return page, souk.ErrNotFound
		}
	}
	head := themes.Head{NoIndex: len(v.query) > 0, Creator: w.DB.Handle(a)}
	if text := v.query.Get("reply"); text != "" {
		p, err := w.repliedTo(ctx, text)
		if err != nil {
			return page, err
		}
		a = p.Account
		page.Intent, page.Object, page.About = "reply", p.URI, v.title(p)
	}
	page.Seller = v.seller(a)
	page.Action = v.with("/follow", "of", v.query.Get("of"), "reply", v.query.Get("reply"))
	if page.Intent == "" {
		page.QR = a.URL
		page.Feeds = append(v.feeds(v.say("feed.posts"), "/posts")[:1], v.feeds(v.say("feed.products"), "/products")[:1]...)
		head.Title = v.theme("follow.title", "Name", a.Title())
		head.Description = v.theme("follow.promise")
	} else {
		head.Title = v.theme("follow.reply_title")
	}
	page.Frame = v.frame(head)
	return page, nil
}

// repliedTo is a post or listing of this node that strangers may answer.
func (w *Web) repliedTo(ctx context.Context, text string) (*souk.Post, error) {
	number, err := souk.ParseID(text)
	if err != nil {
		return nil, err
	}
	p, err := w.DB.Post(ctx, 0, number)
	if err != nil {
		return nil, err
	}
	if !p.Local || p.Account == nil || p.Listing != nil && p.Listing.State == souk.ListingDraft {
		return nil, souk.ErrNotFound
	}
	return p, nil
}

// Follow takes a visitor's handle and sends the visitor to the own server, where the follow or the answer is confirmed.
// A server that cannot be asked, or has no such place, gets an honest page with what to paste there.
func (w *Web) Follow(c echo.Context) error {
	w.widen(c)
	ctx := c.Request().Context()
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	v := w.view(c, s, "of", "reply")
	page, err := w.followPage(ctx, v)
	if err != nil {
		return err
	}
	page.Account.Value = c.FormValue("account")
	if len(page.Account.Value) > 300 {
		page.Account.Value = ""
	}
	object := page.Object
	if object == "" {
		a := v.owner
		if name := v.query.Get("of"); name != "" {
			if a, err = w.DB.LocalAccount(ctx, name); err != nil {
				return err
			}
		}
		object = a.URI
	}
	at, ok := readHome(page.Account.Value)
	if !ok {
		page.Account.Error = v.theme(themes.ProblemHandle)
		return v.show(c, http.StatusUnprocessableEntity, page)
	}
	if at.host == w.DB.Domain() || at.host == w.DB.HandleDomain() {
		return c.Redirect(http.StatusSeeOther, v.with("/authorize_interaction", "uri", object))
	}
	found, err := w.lookUp(ctx, at)
	if err != nil {
		page.Account.Error = v.theme(themes.ProblemUnreachable, "Server", at.host)
		return v.show(c, http.StatusUnprocessableEntity, page)
	}
	template := found.follow
	if page.Intent == "reply" {
		template = found.reply
	}
	if template == "" {
		page.Unknown = true
		return v.show(c, http.StatusOK, page)
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Redirect(http.StatusSeeOther, fillTemplate(template, object))
}

// show answers a page that is for one visitor alone.
func (v *view) show(c echo.Context, status int, page themes.Page) error {
	a, err := v.render(page)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(status, a.kind, a.body)
}

// qrPixels is the width of the QR picture, enough for print at a few centimetres.
const qrPixels = 640

// FollowQR answers the QR code of a profile as a PNG, to be printed or put into a picture.
func (w *Web) FollowQR(c echo.Context) error {
	return w.public(c, func(ctx context.Context, v *view) (*answer, error) {
		page, err := w.followPage(ctx, v)
		if err != nil {
			return nil, err
		}
		body, err := qrcode.Encode(page.QR, qrcode.Medium, qrPixels)
		if err != nil {
			return nil, err
		}
		return &answer{status: http.StatusOK, kind: "image/png", body: body, keep: true}, nil
	}, "of")
}
