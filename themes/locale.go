package themes

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// SourceLanguage is the language that is complete by definition and that stands in for missing words.
const SourceLanguage = "en"

// Words are the messages of one part of the node (a theme, the console) in all its languages. They are read once and
// then only read, so one value serves all requests.
//
// A file per language in go-i18n's TOML form, named by its BCP 47 tag ("en.toml", "zh-Hans.toml"): ids are dotted names and
// not English text, plurals use the CLDR keys (one, other, ...), placeholders are named ({{.Name}}), and every message of
// the English file has a description for translators. The format keeps a few names for itself, which no part of an id may
// be: id, description, hash, zero, one, two, few, many, other.
type Words struct {
	bundle    *i18n.Bundle
	languages []string
	matcher   language.Matcher
	messages  map[string]map[string]*i18n.Message
	plain     map[string]map[string]string // messages without placeholders and plurals, which most are
	localizer map[string]*i18n.Localizer
}

// NewWords reads all message files in fsys that match pattern (path.Match). English must be among them.
func NewWords(fsys fs.FS, pattern string) (*Words, error) {
	files, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil, fmt.Errorf("words %q: %w", pattern, err)
	}
	w := &Words{
		bundle:    i18n.NewBundle(language.English),
		messages:  map[string]map[string]*i18n.Message{},
		plain:     map[string]map[string]string{},
		localizer: map[string]*i18n.Localizer{},
	}
	w.bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	for _, file := range files {
		if err := w.read(fsys, file); err != nil {
			return nil, fmt.Errorf("words %s: %w", file, err)
		}
	}
	if w.messages[SourceLanguage] == nil {
		return nil, fmt.Errorf("words %q: no %s.toml", pattern, SourceLanguage)
	}
	// The source language first: the matcher falls back to it.
	sort.Slice(w.languages, func(i, j int) bool {
		a, b := w.languages[i], w.languages[j]
		return a == SourceLanguage || (b != SourceLanguage && a < b)
	})
	tags := make([]language.Tag, len(w.languages))
	for i, l := range w.languages {
		tags[i] = language.Make(l)
		w.localizer[l] = i18n.NewLocalizer(w.bundle, l)
	}
	w.matcher = language.NewMatcher(tags)
	return w, nil
}

func (w *Words) read(fsys fs.FS, file string) error {
	body, err := fs.ReadFile(fsys, file)
	if err != nil {
		return err
	}
	lang := strings.TrimSuffix(path.Base(file), ".toml")
	if _, err := language.Parse(lang); err != nil {
		return fmt.Errorf("the name is no language tag: %w", err)
	}
	parsed, err := w.bundle.ParseMessageFileBytes(body, path.Base(file))
	if err != nil {
		return err
	}
	w.languages = append(w.languages, lang)
	w.messages[lang] = map[string]*i18n.Message{}
	w.plain[lang] = map[string]string{}
	for _, m := range parsed.Messages {
		w.messages[lang][m.ID] = m
		if m.One+m.Zero+m.Two+m.Few+m.Many == "" && !strings.Contains(m.Other, "{{") {
			w.plain[lang][m.ID] = m.Other
		}
	}
	return nil
}

// Languages are the tags of all message files, English first.
func (w *Words) Languages() []string { return slices.Clone(w.languages) }

// Match is the language of Languages nearest to what is preferred: tags or whole Accept-Language headers, best first.
// "zh", "zh-CN" and "zh-SG" are zh-Hans. Without a near one it is English.
func (w *Words) Match(preferred ...string) string {
	for _, p := range preferred {
		if _, ok := w.messages[p]; ok {
			return p
		}
		tags, _, err := language.ParseAcceptLanguage(p)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, i, c := w.matcher.Match(tags...); c > language.No {
			return w.languages[i]
		}
	}
	return SourceLanguage
}

// Has reports whether English has a message with this id.
func (w *Words) Has(id string) bool { return w.messages[SourceLanguage][id] != nil }

// T is the message id in lang, else in English, else the id itself. args are names and values of its placeholders in
// turn: T("en", "hello", "Name", "Mira").
func (w *Words) T(lang, id string, args ...any) string {
	lang = w.Match(lang)
	if len(args) == 0 {
		if s, ok := w.plain[lang][id]; ok {
			return s
		}
	}
	return w.localize(lang, id, nil, args)
}

// N is the message id in the plural form that lang has for count. The message may use {{.Count}}, which is count in the
// figures of the language, and the placeholders in args as with T.
func (w *Words) N(lang, id string, count int, args ...any) string {
	lang = w.Match(lang)
	return w.localize(lang, id, count, append([]any{"Count", FormatNumber(lang, int64(count))}, args...))
}

func (w *Words) localize(lang, id string, count any, args []any) string {
	data := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		data[fmt.Sprint(args[i])] = args[i+1]
	}
	s, err := w.localizer[lang].Localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: count, TemplateData: data})
	if err != nil && s == "" {
		return id
	}
	return s
}

var placeholder = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

// Flaws lists what is wrong with the files as sentences: messages that a language lacks or has beyond English, messages
// without a description, and placeholders that differ from English. Complete files have none.
func (w *Words) Flaws() []string {
	var flaws []string
	source := w.messages[SourceLanguage]
	for id, m := range source {
		if m.Description == "" {
			flaws = append(flaws, fmt.Sprintf("%s: %s has no description", SourceLanguage, id))
		}
	}
	for _, lang := range w.languages {
		for id, m := range source {
			t := w.messages[lang][id]
			if t == nil || t.Other == "" {
				flaws = append(flaws, fmt.Sprintf("%s: %s is missing", lang, id))
				continue
			}
			for _, form := range []string{t.Zero, t.One, t.Two, t.Few, t.Many, t.Other} {
				if form != "" && !samePlaceholders(m.Other, form) {
					flaws = append(flaws, fmt.Sprintf("%s: %s has other placeholders than English: %q", lang, id, form))
				}
			}
		}
		for id := range w.messages[lang] {
			if source[id] == nil {
				flaws = append(flaws, fmt.Sprintf("%s: %s is not in English", lang, id))
			}
		}
	}
	sort.Strings(flaws)
	return flaws
}

// IDs are the ids of all English messages in order.
func (w *Words) IDs() []string {
	ids := make([]string, 0, len(w.messages[SourceLanguage]))
	for id := range w.messages[SourceLanguage] {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
}

// samePlaceholders compares the names used in two messages. {{.Count}} may be left out of a form ("one reply").
func samePlaceholders(a, b string) bool {
	names := func(s string) []string {
		var all []string
		for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
			if m[1] != "Count" {
				all = append(all, m[1])
			}
		}
		sort.Strings(all)
		return slices.Compact(all)
	}
	return slices.Equal(names(a), names(b))
}
