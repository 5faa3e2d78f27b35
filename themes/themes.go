package themes

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

//go:embed default locales
var embedded embed.FS

// Limits of one rendering (T-15).
const (
	maxPageBytes  = 2 << 20
	maxRenderTime = 250 * time.Millisecond
)

// AssetPath is where the server serves assets: AssetPath + Hash + "/" + Name.
const AssetPath = "/assets/"

// Config is what Load needs. The zero value gives the default theme.
type Config struct {
	// Files of a theme in the layout of default/: *.html, partials/*.html, assets/. Whatever it lacks, and every template of
	// it that does not parse or fails while rendering, is taken from the default theme. nil: the default theme.
	Files fs.FS
	// Now is the clock for relative times; nil: time.Now.
	Now func() time.Time
	// Log receives what a template did wrong; nil: slog.Default.
	Log *slog.Logger
}

// Theme renders storefront pages. It is read once and safe for concurrent use.
type Theme struct {
	words  *Words
	assets map[string]Asset
	log    *slog.Logger
	now    func() time.Time
	custom map[string]map[string]*template.Template // language, then template name; what Config.Files brought
	base   map[string]map[string]*template.Template // the same of the default theme; complete
	pool   sync.Pool
}

// Load reads a theme. A broken template never stops a shop (T-06): it is logged and the default's is used. Load fails only
// when the default theme in the binary is broken, or when Files cannot be read.
func Load(c Config) (*Theme, error) {
	standard, err := fs.Sub(embedded, "default")
	if err != nil {
		return nil, err
	}
	words, err := NewWords(embedded, "locales/*.toml")
	if err != nil {
		return nil, err
	}
	t := &Theme{words: words, log: c.Log, now: c.Now}
	if t.log == nil {
		t.log = slog.Default()
	}
	if t.now == nil {
		t.now = time.Now
	}
	t.pool.New = func() any { return new(bytes.Buffer) }
	if t.assets, err = loadAssets(standard, c.Files); err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	icons, err := loadIcons(standard)
	if err != nil {
		return nil, fmt.Errorf("icons: %w", err)
	}
	t.base = make(map[string]map[string]*template.Template)
	t.custom = make(map[string]map[string]*template.Template)
	for _, lang := range words.Languages() {
		h := t.helpers(lang, icons)
		if t.base[lang], err = parse(h, standard, nil, nil); err != nil {
			return nil, fmt.Errorf("default theme: %w", err)
		}
		if c.Files == nil {
			continue
		}
		report := func(file string, err error) { t.log.Error("theme template does not parse", "file", file, "error", err) }
		if t.custom[lang], err = parse(h, standard, c.Files, report); err != nil {
			return nil, fmt.Errorf("theme: %w", err)
		}
	}
	return t, nil
}

func (t *Theme) helpers(lang string, icons map[string]template.HTML) *helpers {
	return &helpers{lang: lang, words: t.words, now: t.now, asset: t.assetURL, icons: icons, region: display.Regions(language.Make(lang))}
}

// parse reads base.html, the partials and every page of files over those of standard. Without report a template that does
// not parse is an error; with it, it is reported and left to standard.
func parse(h *helpers, standard, files fs.FS, report func(string, error)) (map[string]*template.Template, error) {
	frame := template.New("theme").Funcs(h.funcs())
	read := func(from fs.FS, file string, into *template.Template) error {
		body, err := fs.ReadFile(from, file)
		if err != nil {
			return err
		}
		_, err = into.New(path.Base(file)).Parse(string(body))
		return err
	}
	// over reads file from both file systems, the theme's last. A half parsed template would be worse than none, so the
	// theme's is tried on a copy first.
	over := func(file string, into *template.Template) error {
		if err := read(standard, file, into); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", file, err)
		}
		if files == nil {
			return nil
		}
		trial, err := into.Clone()
		if err != nil {
			return err
		}
		switch err := read(files, file, trial); {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			report(file, err)
			return nil
		}
		return read(files, file, into)
	}
	partials, err := names(standard, files, "partials/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range append(partials, "base.html") {
		if err := over(file, frame); err != nil {
			return nil, err
		}
	}
	pages, err := names(standard, files, "*.html")
	if err != nil {
		return nil, err
	}
	all := make(map[string]*template.Template, len(pages))
	for _, file := range pages {
		if file == "base.html" {
			continue
		}
		page, err := frame.Clone()
		if err != nil {
			return nil, err
		}
		if err := over(file, page); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(file, ".html")] = page.Lookup("base.html")
	}
	return all, nil
}

// names are the files that match pattern in either file system, each once.
func names(standard, files fs.FS, pattern string) ([]string, error) {
	found, err := fs.Glob(standard, pattern)
	if err != nil || files == nil {
		return found, err
	}
	more, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	var all []string
	for _, n := range append(found, more...) {
		if !seen[n] {
			seen[n] = true
			all = append(all, n)
		}
	}
	return all, nil
}

// Words are the messages of the storefront, for the sentences that the server itself has to write into a page.
func (t *Theme) Words() *Words { return t.words }

// Render writes page in lang (the nearest language of Words) to w. Nothing is written unless the whole page could be made:
// a template of Config.Files that fails, takes longer than 250 ms or writes more than 2 MB is logged and answered by the
// default theme's.
// An error means that w did not take the page or that the default failed too; then BareError is what remains.
func (t *Theme) Render(w io.Writer, lang string, page Page) error {
	lang = t.words.Match(lang)
	name := page.Template()
	buf, _ := t.pool.Get().(*bytes.Buffer)
	defer t.pool.Put(buf)
	if own := t.custom[lang][name]; own != nil && !sealed(name) {
		err := t.execute(buf, own, page, t.now().Add(maxRenderTime))
		if err == nil {
			_, err = w.Write(buf.Bytes())
			return err
		}
		t.log.Error("theme template failed, default used", "template", name, "language", lang, "error", err)
	}
	base := t.base[lang][name]
	if base == nil {
		return fmt.Errorf("render: no template %q", name)
	}
	if err := t.execute(buf, base, page, time.Time{}); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	_, err := w.Write(buf.Bytes())
	return err
}

// sealed pages take a theme's style sheet and nothing else: what a buyer trusts there is not for a theme to change (T-07).
func sealed(name string) bool { return name == "order" || name == "authorize" }

// execute renders into buf until end. The default theme has no end: on a machine under load it is all there is.
func (t *Theme) execute(buf *bytes.Buffer, tmpl *template.Template, page Page, end time.Time) error {
	buf.Reset()
	return tmpl.Execute(&limited{buf: buf, now: t.now, end: end}, page)
}

// limited stops a template that writes too much or beyond end, when there is one.
type limited struct {
	buf *bytes.Buffer
	now func() time.Time
	end time.Time
}

func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > maxPageBytes {
		return 0, errTooLarge
	}
	if !l.end.IsZero() && l.now().After(l.end) {
		return 0, errTooSlow
	}
	return l.buf.Write(p)
}

var (
	errTooLarge = fmt.Errorf("page is larger than %d bytes", maxPageBytes)
	errTooSlow  = fmt.Errorf("page takes longer than %v", maxRenderTime)
)
