package themes

import (
	"io"
	"testing"
)

// BenchmarkRender measures a product page with everything on it.
func BenchmarkRender(b *testing.B) {
	theme, err := Load(Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range Fixtures("en", noon) {
		if f.Name != "product" && f.Name != "home" {
			continue
		}
		b.Run(f.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := theme.Render(io.Discard, "en", f.Page); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(Config{}); err != nil {
			b.Fatal(err)
		}
	}
}
