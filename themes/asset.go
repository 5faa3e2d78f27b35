package themes

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

// Asset is a file that pages refer to. Its address holds its hash, so that it may be cached for ever.
type Asset struct {
	Name        string // "theme.css", "img/awning.svg"
	Body        []byte
	ContentType string
	Hash        string // of Body, safe in an address
}

// URL is the address of the asset on this site.
func (a Asset) URL() string { return AssetPath + a.Hash + "/" + a.Name }

// NewAsset is an asset whose type follows from the ending of its name.
func NewAsset(name string, body []byte) (Asset, error) {
	types := map[string]string{
		".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp",
		".ico": "image/x-icon", ".woff2": "font/woff2", ".js": "text/javascript; charset=utf-8", ".webmanifest": "application/manifest+json",
	}
	kind, ok := types[path.Ext(name)]
	if !ok {
		return Asset{}, fmt.Errorf("asset %s: no known type", name)
	}
	sum := sha256.Sum256(body)
	return Asset{Name: name, Body: body, ContentType: kind, Hash: base64.RawURLEncoding.EncodeToString(sum[:9])}, nil
}

// Asset is the file of the theme with this name; the server compares the hash in the address with its Hash.
func (t *Theme) Asset(name string) (Asset, bool) {
	a, ok := t.assets[name]
	return a, ok
}

func (t *Theme) assetURL(name string) (string, error) {
	a, ok := t.assets[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return a.URL(), nil
}

// Tokens is the style sheet of custom properties that all parts of a node share, to be put before their own.
func Tokens() []byte {
	body, err := embedded.ReadFile("default/assets/tokens.css")
	if err != nil {
		return nil // cannot happen: the file is embedded, and a test reads it
	}
	return body
}

// loadAssets reads assets/ of both file systems, the theme's winning. theme.css is tokens.css, the generated classes and
// theme.css in one file: a single request before the first paint.
func loadAssets(standard, files fs.FS) (map[string]Asset, error) {
	bodies := make(map[string][]byte)
	for _, from := range []fs.FS{standard, files} {
		if from == nil {
			continue
		}
		err := fs.WalkDir(from, "assets", func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && name == "assets" {
				return nil
			}
			if err != nil || d.IsDir() {
				return err
			}
			body, err := fs.ReadFile(from, name)
			bodies[strings.TrimPrefix(name, "assets/")] = body
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	bodies["theme.css"] = squeeze(string(bodies["tokens.css"]) + toneCSS() + string(bodies["theme.css"]))
	assets := make(map[string]Asset, len(bodies))
	for name, body := range bodies {
		a, err := NewAsset(name, body)
		if err != nil {
			return nil, err
		}
		assets[name] = a
	}
	return assets, nil
}

// squeeze takes comments and indentation out of a style sheet, which visitors need not load.
func squeeze(css string) []byte {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(css, "/*")
		b.WriteString(before)
		if !found {
			break
		}
		_, css, _ = strings.Cut(rest, "*/")
	}
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimSpace(line); line != "" {
			out.WriteString(line + "\n")
		}
	}
	return []byte(out.String())
}

// loadIcons reads icons/*.svg of the default theme: drawings that are part of this program, hence trusted as markup.
func loadIcons(standard fs.FS) (map[string]template.HTML, error) {
	files, err := fs.Glob(standard, "icons/*.svg")
	if err != nil {
		return nil, err
	}
	icons := make(map[string]template.HTML, len(files))
	for _, file := range files {
		body, err := fs.ReadFile(standard, file)
		if err != nil {
			return nil, err
		}
		icons[strings.TrimSuffix(path.Base(file), ".svg")] = template.HTML(strings.TrimSpace(string(body)))
	}
	return icons, nil
}
