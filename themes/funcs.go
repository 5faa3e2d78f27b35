package themes

import (
	"fmt"
	"html"
	"html/template"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// helpers are the functions that templates may call, bound to one language. None of them marks text of people as safe:
// what returns HTML builds it from escaped parts.
type helpers struct {
	lang   string
	words  *Words
	now    func() time.Time
	asset  func(name string) (string, error)
	icons  map[string]template.HTML
	region display.Namer
}

func (h *helpers) funcs() template.FuncMap {
	return template.FuncMap{
		"t":         h.t,
		"tn":        h.tn,
		"word":      h.word,
		"lang":      func() string { return h.lang },
		"dir":       h.dir,
		"langattr":  h.langAttr,
		"language":  LanguageName,
		"money":     func(m Money) string { return FormatMoney(h.lang, m.Amount, m.Currency, m.Narrow) },
		"num":       func(n int) string { return FormatNumber(h.lang, int64(n)) },
		"date":      h.date,
		"datetime":  h.dateTime,
		"minute":    h.minute,
		"reltime":   h.relTime,
		"country":   h.country,
		"img":       func(p any, size, alt string) (template.HTML, error) { return h.img(p, size, alt, false) },
		"imgfirst":  func(p any, size, alt string) (template.HTML, error) { return h.img(p, size, alt, true) },
		"plain":     plain,
		"truncate":  truncate,
		"handle":    handle,
		"hostof":    hostOf,
		"asset":     h.asset,
		"icon":      h.icon,
		"qr":        qr,
		"dict":      dict,
		"paragraph": paragraphs,
		"absurl":    absolute,
	}
}

// t is the message id in the language of the page; args are names and values of its placeholders in turn.
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

// word is the message group.key, for keys that come from data; a key without a message stands for itself.
func (h *helpers) word(group, key string) string {
	if id := group + "." + key; h.words.Has(id) {
		return h.words.T(h.lang, id)
	}
	return key
}

// dir is the direction in which the language of the page is written.
func (h *helpers) dir() string {
	script, _ := language.Make(h.lang).Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo":
		return "rtl"
	}
	return "ltr"
}

// LanguageName is the name of a language (BCP 47) in itself, or its tag.
func LanguageName(lang string) string {
	if name := display.Self.Name(language.Make(lang)); name != "" {
		return name
	}
	return lang
}

// langAttr is the lang attribute for text in another language than the page's, else nothing. Direction follows the text.
func (h *helpers) langAttr(lang string) template.HTMLAttr {
	if lang == "" || lang == h.lang {
		return ""
	}
	tag, err := language.Parse(lang)
	if err != nil {
		return ""
	}
	return template.HTMLAttr(`lang="` + html.EscapeString(tag.String()) + `" dir="auto"`)
}

// date writes the day of t in its own zone: "May 2, 2026", "2026年5月2日".
func (h *helpers) date(t time.Time) template.HTML {
	if t.IsZero() {
		return ""
	}
	return timeElement(t, FormatDate(h.lang, t))
}

// dateTime writes the minute of t in its own zone, which it names: "May 2, 2026, 09:30 UTC", "2026年5月2日 09:30 UTC".
func (h *helpers) dateTime(t time.Time) template.HTML {
	if t.IsZero() {
		return ""
	}
	return timeElement(t, h.minute(t))
}

// minute is the text of dateTime, for inside a sentence.
func (h *helpers) minute(t time.Time) string {
	if baseLanguage(h.lang) == "zh" {
		return FormatDate(h.lang, t) + t.Format(" 15:04 MST")
	}
	return FormatDate(h.lang, t) + t.Format(", 15:04 MST")
}

// FormatDate writes the day of t in its own zone as lang does: "May 2, 2026", "2026年5月2日".
func FormatDate(lang string, t time.Time) string {
	if baseLanguage(lang) == "zh" {
		return t.Format("2006年1月2日")
	}
	return t.Format("January 2, 2006")
}

// relTime writes how long ago t is, up to seven days; older times and times to come are written as a date.
func (h *helpers) relTime(t time.Time) template.HTML {
	if t.IsZero() {
		return ""
	}
	age := h.now().Sub(t)
	var s string
	switch {
	case age < 0 && age > -5*time.Minute, age >= 0 && age < time.Minute:
		s = h.words.T(h.lang, "time.now")
	case age < 0 || age >= 7*24*time.Hour:
		return h.date(t)
	case age < time.Hour:
		s = h.words.N(h.lang, "time.minutes", int(age/time.Minute))
	case age < 24*time.Hour:
		s = h.words.N(h.lang, "time.hours", int(age/time.Hour))
	default:
		s = h.words.N(h.lang, "time.days", int(age/(24*time.Hour)))
	}
	return timeElement(t, s)
}

func timeElement(t time.Time, text string) template.HTML {
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `">` + html.EscapeString(text) + `</time>`)
}

// country is the name of an ISO 3166 country in the language of the page, else the code.
func (h *helpers) country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil || h.region == nil {
		return code
	}
	if name := h.region.Name(region); name != "" {
		return name
	}
	return code
}

// handle writes a fediverse address so that it stays in one piece in text of any direction.
func handle(s string) template.HTML {
	if s == "" {
		return ""
	}
	return template.HTML(`<bdi dir="ltr">` + html.EscapeString(s) + `</bdi>`)
}

// hostOf is the domain of a fediverse address.
func hostOf(handle string) string { return handle[strings.LastIndexByte(handle, '@')+1:] }

// icon is a drawing of the theme by its name.
func (h *helpers) icon(name string) (template.HTML, error) {
	svg, ok := h.icons[name]
	if !ok {
		return "", fmt.Errorf("no icon %q", name)
	}
	return svg, nil
}

// dict makes a map for a partial from names and values in turn.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %d values, want pairs", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: name %v is no string", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// absolute makes an address of this site absolute; others stay.
func absolute(base, url string) string {
	if strings.HasPrefix(url, "/") && !strings.HasPrefix(url, "//") {
		return strings.TrimSuffix(base, "/") + url
	}
	return url
}
