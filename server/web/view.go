package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

// maxQuery bounds each value of a query.
const maxQuery = 200

// view is one address in one language, with the shop it belongs to. It outlives the request that asked for it, since
// others may wait for the same page, so it holds nothing of that request.
type view struct {
	*Web
	*shopState
	lang   string // as the domain says it: "en", "zh"
	tag    string // as browsers and themes say it: "en", "zh-Hans"
	prefix string // "" in the shop's language, else "/en", "/zh"
	path   string // of the page in the shop's language: "/products/cup"
	route  map[string]string
	query  url.Values // known parameters that are set, one value each
	// preview opens a closed shop to the people who sell in it. Such a page is never kept.
	preview bool
}

// languageNames are the languages in themselves.
var languageNames = map[string]string{"en": "English", "zh": "简体中文"}

// tagOf is the BCP 47 tag of a language of the domain.
func tagOf(lang string) string {
	if lang == "zh" {
		return "zh-Hans"
	}
	return lang
}

// splitLanguage parts a path into the language that its prefix names ("" without one) and the rest.
func splitLanguage(path string) (lang, rest string) {
	for _, l := range souk.Langs() {
		if path == "/"+l {
			return l, "/"
		}
		if strings.HasPrefix(path, "/"+l+"/") {
			return l, path[len(l)+1:]
		}
	}
	return "", path
}

// view reads the address of a request; known are the query parameters that the page understands. All others are
// dropped, so that a stranger cannot make a page be rendered again by adding to its address.
func (w *Web) view(c echo.Context, s *shopState, known ...string) *view {
	lang, path := splitLanguage(c.Request().URL.Path)
	v := &view{Web: w, shopState: s, lang: s.shop.Lang, path: path, route: map[string]string{}, query: url.Values{}}
	if lang != "" && lang != s.shop.Lang {
		v.lang, v.prefix = lang, "/"+lang
	}
	v.tag = tagOf(v.lang)
	for i, name := range c.ParamNames() {
		v.route[name] = pathParam(c, i)
	}
	given := c.QueryParams()
	for _, name := range known {
		value := strings.TrimSpace(given.Get(name))
		if value == "" || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			continue
		}
		if runes := []rune(value); len(runes) > maxQuery {
			value = string(runes[:maxQuery])
		}
		v.query.Set(name, value)
	}
	return v
}

// pathParam is a parameter of the route as text. Echo matches the path as it was sent where that is not the usual
// spelling, and then leaves the parameters escaped.
func pathParam(c echo.Context, i int) string {
	value := c.ParamValues()[i]
	if c.Request().URL.RawPath == "" {
		return value
	}
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// public answers a GET with what build makes for its address, from the cache where it is there.
func (w *Web) public(c echo.Context, build func(ctx context.Context, v *view) (*answer, error), known ...string) error {
	ctx := c.Request().Context()
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	v := w.view(c, s, known...)
	if lang, _ := splitLanguage(c.Request().URL.Path); lang == s.shop.Lang {
		return c.Redirect(http.StatusFound, v.self()) // the shop's own language has the bare path
	}
	if v.preview, err = w.mayPreview(c, s); err != nil {
		return err
	}
	if v.preview {
		a, err := build(ctx, v)
		if err != nil {
			return err
		}
		a.finish()
		a.cache = "no-store"
		return a.write(c)
	}
	key := v.lang + " " + v.self()
	a, err := w.pages.get(ctx, key, s.version, w.DB.Now(), func(ctx context.Context) (*answer, error) { return build(ctx, v) })
	if err != nil {
		return err
	}
	return a.write(c)
}

// mayPreview reports whether somebody who sells here looks at the closed shop. While the shop is open nobody's session is
// looked at: the page is the same for all.
func (w *Web) mayPreview(c echo.Context, s *shopState) (bool, error) {
	if s.owner == nil || s.shop.Open {
		return false, nil
	}
	me, err := w.SignedIn(c)
	if errors.Is(err, souk.ErrUnauthorized) {
		return false, nil
	}
	return err == nil && me.Sells(), err
}

// url is the address of a page of this shop in the language of the view.
func (v *view) url(path string) string { return v.prefix + (&url.URL{Path: path}).EscapedPath() }

// with is url with a query; empty values are left out.
func (v *view) with(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return v.url(path)
	}
	return v.url(path) + "?" + q.Encode()
}

// self is the address of the view itself, with what it understands of the query.
func (v *view) self() string { return v.own(v.prefix, v.query) }

func (v *view) own(prefix string, query url.Values) string {
	address := prefix + (&url.URL{Path: v.path}).EscapedPath()
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// but is the address of the view with one parameter of the query changed, taken out where value is empty, and back on
// the first page.
func (v *view) but(name, value string) string {
	q := url.Values{}
	for k := range v.query {
		if k != "before" && k != "after" {
			q.Set(k, v.query.Get(k))
		}
	}
	q.Del(name)
	if value != "" {
		q.Set(name, value)
	}
	return v.own(v.prefix, q)
}

// page is the piece of a list that the query asks for.
func (v *view) page(limit int) souk.Page {
	p := souk.Page{Limit: limit}
	for name, to := range map[string]*int64{"before": &p.Before, "after": &p.After} {
		// What is no id asks for nothing: the first page.
		if id, err := souk.ParseID(v.query.Get(name)); err == nil {
			*to = id
		}
	}
	if p.Before > 0 {
		p.After = 0
	}
	return p
}

// paged reports whether another page than the first is asked for.
func (v *view) paged() bool { return v.query.Has("before") || v.query.Has("after") }

// pager leads to the neighbours of a page of which one entry more than limit was asked for: it tells whether there are
// more in the direction of asking.
func (v *view) pager(p souk.Page, first, last int64, more bool) (pager themes.Pager) {
	if first == 0 {
		return pager
	}
	if p.Before > 0 || p.After > 0 && more {
		pager.Prev = v.but("after", strconv.FormatInt(first, 10))
	}
	if p.After > 0 || more {
		pager.Next = v.but("before", strconv.FormatInt(last, 10))
	}
	return pager
}

// cut takes the one entry too many off a page: the far end in the direction of asking.
func cut[T any](list []T, p souk.Page, limit int) (page []T, more bool) {
	if len(list) <= limit {
		return list, false
	}
	if p.After > 0 {
		return list[len(list)-limit:], true
	}
	return list[:limit], true
}

// say is a sentence of the storefront's own in the language of the view.
func (v *view) say(id string, args ...any) string { return v.words.T(v.tag, id, args...) }

// theme is a sentence of the theme in the language of the view.
func (v *view) theme(id string, args ...any) string { return v.Theme.Words().T(v.tag, id, args...) }

// foreign is the language of a text as pages mark it: nothing where it is that of the page.
func (v *view) foreign(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	if base == v.lang && !strings.Contains(lang, "Hant") && !strings.HasSuffix(lang, "-TW") {
		return ""
	}
	return lang
}

// render makes the answer of a page.
func (v *view) render(page themes.Page) (*answer, error) {
	var b bytes.Buffer
	if err := v.Theme.Render(&b, v.tag, page); err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, kind: htmlType, language: v.tag, body: b.Bytes(), keep: !v.paged()}, nil
}
