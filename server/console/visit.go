package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"souk"
)

const (
	sessionCookie  = "souk_session"
	languageCookie = "souk_lang"
)

// Visit is one request to the console: who asks, in which language, and the shop as it is.
type Visit struct {
	echo.Context
	console *Console
	me      *souk.Account // nil before sign-in
	shop    *souk.Shop
	lang    string // one of the languages of the console's words
	token   string // of the session
}

// Handler answers a visit.
type Handler func(*Visit) error

// Open makes a route of a handler that needs nobody to be signed in.
func (c *Console) Open(h Handler) echo.HandlerFunc {
	return func(ctx echo.Context) error {
		v, err := c.visit(ctx)
		if err != nil {
			return err
		}
		return h(v)
	}
}

// Member makes a route of a handler for everybody who is signed in.
func (c *Console) Member(h Handler) echo.HandlerFunc {
	return c.Open(func(v *Visit) error {
		if v.me == nil {
			return v.toSignIn()
		}
		return h(v)
	})
}

// Seller makes a route of a handler for those who may have listings and orders.
func (c *Console) Seller(h Handler) echo.HandlerFunc {
	return c.Member(func(v *Visit) error {
		if !v.me.Sells() {
			return souk.ErrForbidden
		}
		return h(v)
	})
}

// Owner makes a route of a handler for the owner of the node.
func (c *Console) Owner(h Handler) echo.HandlerFunc {
	return c.Member(func(v *Visit) error {
		if v.me.Role != souk.RoleOwner {
			return souk.ErrForbidden
		}
		return h(v)
	})
}

// visit finds out who asks and in which language, and keeps the answer out of caches and search engines.
func (c *Console) visit(ctx echo.Context) (*Visit, error) {
	header := ctx.Response().Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	v := &Visit{Context: ctx, console: c}
	var err error
	if v.shop, err = c.DB.Shop(v.ctx()); err != nil {
		return nil, err
	}
	if cookie, err := ctx.Cookie(sessionCookie); err == nil && cookie.Value != "" {
		v.me, err = c.DB.Session(v.ctx(), cookie.Value)
		if err != nil && !errors.Is(err, souk.ErrUnauthorized) {
			return nil, err
		}
		v.token = cookie.Value
	}
	v.lang = c.language(v)
	return v, nil
}

// language is what was chosen by ?lang= or before, else that of the account, of the browser, of the shop (L-02).
func (c *Console) language(v *Visit) string {
	if q := v.QueryParam("lang"); q != "" {
		lang := c.words.Match(q)
		v.remember(lang)
		return lang
	}
	if cookie, err := v.Cookie(languageCookie); err == nil && cookie.Value != "" {
		return c.words.Match(cookie.Value)
	}
	if v.me != nil && v.me.Lang != "" {
		return c.words.Match(v.me.Lang)
	}
	if accepted := v.Request().Header.Get("Accept-Language"); accepted != "" {
		return c.words.Match(accepted)
	}
	return c.words.Match(v.shop.Lang)
}

// remember keeps a chosen language for a year; "" forgets it.
func (v *Visit) remember(lang string) {
	age := 365 * 24 * time.Hour
	if lang == "" {
		age = -time.Second
	}
	v.SetCookie(v.cookie(languageCookie, lang, age))
}

func (v *Visit) cookie(name, value string, age time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(age / time.Second), HttpOnly: true,
		Secure: v.console.HTTPS, SameSite: http.SameSiteLaxMode}
}

func (v *Visit) ctx() context.Context { return v.Request().Context() }

// t is a message in the language of the visit.
func (v *Visit) t(id string, args ...any) string { return v.console.words.T(v.lang, id, args...) }

// domainLang is the language of the visit by the code that the domain has for it.
func (v *Visit) domainLang() string {
	base, _, _ := strings.Cut(v.lang, "-")
	return base
}

// see sends the browser on to another page of the console after a change; done names the message that it shows.
func (v *Visit) see(path, done string) error {
	if done != "" {
		path += "?done=" + url.QueryEscape(done)
	}
	return v.Redirect(http.StatusSeeOther, path)
}

// toSignIn asks for the name and password, and comes back to a page that was only read.
func (v *Visit) toSignIn() error {
	path := "/console/sign-in"
	if method := v.Request().Method; method == http.MethodGet || method == http.MethodHead {
		path += "?next=" + url.QueryEscape(v.Request().URL.RequestURI())
	}
	return v.Redirect(http.StatusSeeOther, path)
}

// id is the identifier in the path.
func (v *Visit) id() (int64, error) { return souk.ParseID(v.Param("id")) }

// value is a text that a form sent, without the space around it.
func (v *Visit) value(name string) string { return strings.TrimSpace(v.FormValue(name)) }

// values are all texts that a form sent under one name.
func (v *Visit) values(name string) []string {
	v.FormValue(name) // parses the form
	return v.Request().PostForm[name]
}

// checked reports whether a box of the form was ticked.
func (v *Visit) checked(name string) bool { return v.FormValue(name) != "" }

// page is the part of a list that ?before= asks for.
func (v *Visit) page() souk.Page {
	before, err := souk.ParseID(v.QueryParam("before"))
	if err != nil {
		before = 0
	}
	return souk.Page{Before: before, Limit: pageSize}
}
