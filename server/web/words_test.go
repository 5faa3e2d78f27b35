package web

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"souk"
	"souk/themes"
)

func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	words, err := themes.NewWords(locales, "locales/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, flaw := range words.Flaws() {
		t.Error(flaw)
	}
	theme, err := themes.Load(themes.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range souk.Langs() {
		if got := words.Match(tagOf(lang)); got != tagOf(lang) || languageNames[lang] == "" {
			t.Errorf("the node speaks %s, the storefront %s", lang, got)
		}
	}
	for _, p := range souk.Payments() {
		if !words.Has("payment." + p) {
			t.Errorf("no word for payment by %s", p)
		}
	}
	used := regexp.MustCompile(`\.(say|theme)\("([a-z_.]+)"[,)]`)
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(source), -1) {
			if m[1] == "say" && !words.Has(m[2]) || m[1] == "theme" && !theme.Words().Has(m[2]) {
				t.Errorf("%s says %q, which is in no file", file, m[2])
			}
		}
	}
}

func TestCountriesByName(t *testing.T) {
	t.Parallel()
	en, zh := countriesByName("en"), countriesByName("zh-Hans")
	if len(en) < 240 || len(en) > 260 || len(en) != len(zh) || en[0] != "AF" {
		t.Errorf("%d countries, the first is %s", len(en), en[0])
	}
	for _, code := range en {
		switch code {
		case "EU", "EZ", "UN", "XA", "XB", "QO", "ZZ":
			t.Errorf("%s is no country", code)
		}
	}
}
