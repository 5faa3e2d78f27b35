package web

import (
	"slices"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// countriesByName are the ISO 3166-1 codes of all countries in the order of their names in a language: by pinyin in
// Chinese.
func countriesByName(tag string) []string {
	lang := language.Make(tag)
	names := display.Regions(lang)
	type country struct{ code, name string }
	var all []country
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			region, err := language.ParseRegion(code)
			// What was renamed or dissolved has a successor; what has no number is no country of ISO 3166.
			if err != nil || region.String() != code || !region.IsCountry() || region.Canonicalize() != region || region.M49() == 0 {
				continue
			}
			if name := names.Name(region); name != "" {
				all = append(all, country{code, name})
			}
		}
	}
	by := collate.New(lang)
	slices.SortFunc(all, func(x, y country) int { return by.CompareString(x.name, y.name) })
	codes := make([]string, len(all))
	for i, c := range all {
		codes[i] = c.code
	}
	return codes
}
