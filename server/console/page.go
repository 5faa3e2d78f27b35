package console

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"souk"
)

// pageSize is how many entries a list shows at once.
const pageSize = 30

// frame is the part that all pages share.
type frame struct {
	Title    string
	Section  string // entry of the navigation to mark
	Lang     string
	Langs    []option // the other languages, as links to this page
	Shop     string
	Me       *souk.Account // nil before sign-in
	MyHandle string
	Style    string
	Done     string // what was just done, as a sentence
	Problems []problem
	Version  string
}

// problem is what is wrong with one field of a form, in the language of the page. Field "" is the form as a whole.
type problem struct {
	Field   string
	Message string
}

// Problem is the message for a field, "" where nothing is wrong with it.
func (f frame) Problem(field string) string {
	for _, p := range f.Problems {
		if p.Field == field {
			return p.Message
		}
	}
	return ""
}

// option is one of several answers in a form, or a link.
type option struct {
	Value   string
	Label   string
	Hint    string
	Lang    string // of the label, where it is another than the page's
	Code    string // what programs call it
	Current bool
}

// frame is the shared part of a page with a title from the words.
func (v *Visit) frame(section, title string, args ...any) frame {
	c := v.console
	f := frame{Title: v.t(title, args...), Section: section, Lang: v.lang, Shop: v.shop.Name, Me: v.me, Style: c.styleURL(), Version: c.Version}
	if v.me != nil {
		f.MyHandle = c.DB.Handle(v.me)
	}
	if done := v.QueryParam("done"); done != "" && c.words.Has("done."+done) {
		f.Done = v.t("done." + done)
	}
	for _, lang := range c.words.Languages() {
		if lang != v.lang {
			q := v.Request().URL.Query()
			q.Set("lang", lang)
			f.Langs = append(f.Langs, option{Value: "?" + q.Encode(), Label: c.words.T(lang, "form.language_name"), Lang: lang})
		}
	}
	return f
}

// wrong takes what a domain call says is wrong into the page; rename maps its fields to those of the form. It reports
// false where err is something else.
func (v *Visit) wrong(f *frame, err error, rename map[string]string) bool {
	var invalid *souk.Invalid
	if !errors.As(err, &invalid) {
		return false
	}
	for _, p := range invalid.Problems {
		field, _, _ := strings.Cut(p.Field, "[")
		if to, ok := rename[field]; ok {
			field = to
		}
		f.Problems = append(f.Problems, problem{Field: field, Message: v.explain(p)})
	}
	return true
}

// invalidProblems are the problems of an error that wrong took into a page.
func invalidProblems(err error) []souk.Problem {
	var invalid *souk.Invalid
	if !errors.As(err, &invalid) {
		return nil
	}
	return invalid.Problems
}

// explain is a problem in the language of the visit; one without words yet keeps those of the domain.
func (v *Visit) explain(p souk.Problem) string {
	if id := "problem." + p.Code; v.console.words.Has(id) {
		return v.t(id)
	}
	return p.Message
}

// pager leads through a list, the newest first.
type pager struct {
	Older string // address of the next part; empty on the last
	First string // address of the beginning; empty on it
}

// pager is the navigation under a list of n entries whose last has the id.
func (v *Visit) pager(n int, last int64) pager {
	address := func(before int64) string {
		q := url.Values{}
		for name, values := range v.QueryParams() {
			if name != "before" && name != "done" && name != "lang" {
				q[name] = values
			}
		}
		if before > 0 {
			q.Set("before", strconv.FormatInt(before, 10))
		}
		if len(q) == 0 {
			return v.Request().URL.Path
		}
		return v.Request().URL.Path + "?" + q.Encode()
	}
	var p pager
	if n >= pageSize {
		p.Older = address(last)
	}
	if v.QueryParam("before") != "" {
		p.First = address(0)
	}
	return p
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
