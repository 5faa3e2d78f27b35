package console

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"souk"
	"souk/themes"
)

// pages are the parsed templates by language, then by name.
type pages map[string]map[string]*template.Template

// shared are the templates that others use: the frame of every page, its form controls, its icons.
func shared() []string {
	return []string{"templates/base.html", "templates/controls.html", "templates/parts.html", "templates/icons.html"}
}

// loadPages parses every template in every language of the words.
func loadPages(fsys fs.FS, words *themes.Words, now func() time.Time) (pages, error) {
	names, err := fs.Glob(fsys, "templates/*.html")
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, lang := range words.Languages() {
		all[lang] = map[string]*template.Template{}
		h := &helpers{lang: lang, words: words, now: now, regions: display.Regions(language.Make(lang))}
		base, err := template.New("").Option("missingkey=error").Funcs(h.funcs()).ParseFS(fsys, shared()...)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if slices.Contains(shared(), name) {
				continue
			}
			page, err := base.Clone()
			if err != nil {
				return nil, err
			}
			if _, err := page.ParseFS(fsys, name); err != nil {
				return nil, err
			}
			all[lang][strings.TrimSuffix(path.Base(name), ".html")] = page
		}
	}
	return all, nil
}

// render answers with a page: whole, or with an error and nothing of it.
func (c *Console) render(v *Visit, status int, name string, page any) error {
	t := c.pages[v.lang][name]
	if t == nil {
		return fmt.Errorf("console: no template %q in %q", name, v.lang)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "base", page); err != nil {
		return fmt.Errorf("console page %s: %w", name, err)
	}
	return v.HTMLBlob(status, b.Bytes())
}

// helpers are the functions that templates may call, bound to one language.
type helpers struct {
	lang    string
	words   *themes.Words
	now     func() time.Time
	regions display.Namer
}

func (h *helpers) funcs() template.FuncMap {
	return template.FuncMap{
		"t":        h.t,
		"tn":       h.tn,
		"word":     h.word,
		"money":    func(m souk.Money) string { return themes.FormatMoney(h.lang, m.Amount, m.Currency, false) },
		"amount":   func(n int64, currency string) string { return themes.FormatMoney(h.lang, n, currency, false) },
		"num":      func(n int) string { return themes.FormatNumber(h.lang, int64(n)) },
		"date":     h.date,
		"ago":      h.ago,
		"day":      func(t time.Time) template.HTML { return timeElement(t, themes.FormatDate(h.lang, t)) },
		"country":  h.country,
		"excerpt":  excerpt,
		"trusted":  func(fragment string) template.HTML { return template.HTML(fragment) }, // sanitised when it was stored
		"language": themes.LanguageName,
		"langattr": func(lang string) template.HTMLAttr {
			return langAttr(lang, h.lang)
		},
		"navlink": h.navLink,
		"blank":   func(label string, options []option) []option { return append([]option{{Label: label}}, options...) },
		"add":     func(a, b int) int { return a + b },
		"times":   func(price int64, n int) int64 { return price * int64(n) },
		"control": newControl,
		"pick":    control.pick,
		"pickall": control.pickAll,
		"thumb":   func(m souk.Media) string { return m.Path(320) },
		"large":   func(m souk.Media) string { return m.Path(1280) },
	}
}

// t is the message id; args are names and values of its placeholders in turn.
func (h *helpers) t(id string, args ...any) (string, error) {
	if !h.words.Has(id) {
		return "", fmt.Errorf("no message %q", id)
	}
	return h.words.T(h.lang, id, args...), nil
}

// tn is the message id in the plural form for count.
func (h *helpers) tn(id string, count int, args ...any) (string, error) {
	if !h.words.Has(id) {
		return "", fmt.Errorf("no message %q", id)
	}
	return h.words.N(h.lang, id, count, args...), nil
}

// word is the message group.key, for keys that are data of the domain.
func (h *helpers) word(group, key string) (string, error) { return h.t(group + "." + key) }

// navLink is an entry of the navigation.
type navLink struct {
	Key     string
	Label   string
	URL     string
	Current bool
}

func (h *helpers) navLink(section, key, url string) (navLink, error) {
	label, err := h.word("nav", key)
	return navLink{Key: key, Label: label, URL: url, Current: section == key}, err
}

// date is the day and time of t in UTC.
func (h *helpers) date(t time.Time) template.HTML {
	return timeElement(t, themes.FormatDate(h.lang, t)+t.Format(" 15:04 UTC"))
}

// ago is how long ago t is, up to seven days, else its day.
func (h *helpers) ago(t time.Time) template.HTML {
	age := h.now().Sub(t)
	switch {
	case age >= 7*24*time.Hour || age < -5*time.Minute:
		return timeElement(t, themes.FormatDate(h.lang, t))
	case age >= 24*time.Hour:
		return timeElement(t, h.words.N(h.lang, "time.days", int(age/(24*time.Hour))))
	case age >= time.Hour:
		return timeElement(t, h.words.N(h.lang, "time.hours", int(age/time.Hour)))
	case age >= time.Minute:
		return timeElement(t, h.words.N(h.lang, "time.minutes", int(age/time.Minute)))
	}
	return timeElement(t, h.words.T(h.lang, "time.now"))
}

func timeElement(t time.Time, text string) template.HTML {
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `">` + html.EscapeString(text) + `</time>`)
}

// country is the name of an ISO 3166 country in the language of the page, else the code.
func (h *helpers) country(code string) string { return regionName(h.regions, code) }

func regionName(names display.Namer, code string) string {
	region, err := language.ParseRegion(code)
	if err != nil || names == nil {
		return code
	}
	if name := names.Name(region); name != "" {
		return name
	}
	return code
}

// langAttr is the lang attribute for text in another language than the page's, else nothing.
func langAttr(lang, page string) template.HTMLAttr {
	tag, err := language.Parse(lang)
	if lang == "" || lang == page || err != nil {
		return ""
	}
	return template.HTMLAttr(`lang="` + html.EscapeString(tag.String()) + `" dir="auto"`)
}

// excerpt is the beginning of a stored text as one plain line.
func excerpt(fragment string, limit int) string {
	text := []rune(strings.Join(strings.Fields(souk.Plain(fragment)), " "))
	if len(text) <= limit {
		return string(text)
	}
	return strings.TrimSpace(string(text[:limit])) + "…"
}
