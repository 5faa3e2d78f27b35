package themes

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"testing"
)

var gallery = flag.String("gallery", "", "write the rendered fixtures and their assets into this folder, to be looked at through any file server")

// TestGallery writes every fixture as a file when -gallery names a folder; it always checks that they could be written.
func TestGallery(t *testing.T) {
	theme := load(t)
	files := map[string][]byte{}
	var index bytes.Buffer
	for _, lang := range theme.Words().Languages() {
		fmt.Fprintf(&index, "<h2>%s</h2>", lang)
		for _, f := range Fixtures(lang, noon) {
			name := filepath.Join(lang, f.Name+".html")
			files[name] = render(t, theme, lang, f.Page)
			fmt.Fprintf(&index, `<p><a href="%s">%s</a>`, html.EscapeString(name), html.EscapeString(f.Name))
		}
	}
	files["index.html"] = index.Bytes()
	for name := range stills {
		body, ok := FixturePicture(fixturePictures + name + ".svg")
		if !ok {
			t.Fatalf("no picture %s", name)
		}
		files[filepath.Join("fixture", name+".svg")] = body
	}
	for _, a := range theme.assets {
		files[a.URL()] = a.Body
	}
	if *gallery == "" {
		return
	}
	for name, body := range files {
		at := filepath.Join(*gallery, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
