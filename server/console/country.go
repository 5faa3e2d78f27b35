package console

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"souk"
)

// countries are all countries of ISO 3166-1 by their name in the language, in its order.
func countries(lang string) []option {
	tag := language.Make(lang)
	names := display.Regions(tag)
	var all []option
	for _, code := range countryCodes() {
		all = append(all, option{Value: code, Label: regionName(names, code)})
	}
	order := collate.New(tag)
	slices.SortFunc(all, func(a, b option) int { return order.CompareString(a.Label, b.Label) })
	return all
}

// countryCodes are the codes that stand for a country today and use a currency.
func countryCodes() []string {
	var codes []string
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			region, err := language.ParseRegion(code)
			if err == nil && region.IsCountry() && region.Canonicalize().String() == code && souk.CountryCurrency(code) != "" {
				codes = append(codes, code)
			}
		}
	}
	return codes
}

// currencies are the codes of the currencies that those countries use.
func currencies() []option {
	var all []option
	seen := map[string]bool{}
	for _, country := range countryCodes() {
		if code := souk.CountryCurrency(country); !seen[code] {
			seen[code] = true
			all = append(all, option{Value: code, Label: code})
		}
	}
	slices.SortFunc(all, func(a, b option) int { return strings.Compare(a.Value, b.Value) })
	return all
}

// likelyCountry is the country that the browser's languages name first, else "".
func likelyCountry(acceptLanguage string) string {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return ""
	}
	for _, tag := range tags {
		if region, confidence := tag.Region(); confidence >= language.High && region.IsCountry() {
			return region.String()
		}
	}
	return ""
}

// fleeting reports whether a domain looks as if it will not stay: an address, this machine, a tunnel. Handles cannot move
// to another one (C-03).
func fleeting(domain string) bool {
	host := strings.ToLower(domain)
	if h, _, found := strings.Cut(host, ":"); found && !strings.HasPrefix(host, "[") {
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || strings.HasPrefix(host, "[") || !strings.Contains(host, ".") {
		return true
	}
	for _, suffix := range []string{".localhost", ".local", ".test", ".ngrok.io", ".ngrok-free.app", ".ngrok.app", ".trycloudflare.com", ".loca.lt",
		".serveo.net", ".localhost.run", ".lhr.life", ".nip.io", ".sslip.io", ".ts.net"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
