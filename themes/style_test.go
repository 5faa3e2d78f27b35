package themes

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	darkTokens = regexp.MustCompile(`(?s)@media \(prefers-color-scheme:dark\)\{:root\{(.*?)\}\}`)
	colour     = regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]{3,6})`)
)

// tokens are the colours of tokens.css by mode and name.
func tokens(t *testing.T) map[string]map[string]string {
	t.Helper()
	css := string(Tokens())
	dark := darkTokens.FindStringSubmatch(css)
	if dark == nil {
		t.Fatal("no dark tokens")
	}
	all := map[string]map[string]string{"light": {}, "dark": {}}
	for _, m := range colour.FindAllStringSubmatch(strings.Replace(css, dark[0], "", 1), -1) {
		all["light"][m[1]] = m[2]
	}
	for _, m := range colour.FindAllStringSubmatch(dark[1], -1) {
		all["dark"][m[1]] = m[2]
	}
	return all
}

func luminance(hex string) float64 {
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = fmt.Sprintf("%c%[1]c%c%[2]c%c%[3]c", hex[0], hex[1], hex[2])
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return math.NaN()
	}
	channel := func(c uint64) float64 {
		s := float64(c) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(v>>16) + 0.7152*channel(v>>8&255) + 0.0722*channel(v&255)
}

// T-23: 4.5:1 for text, 3:1 for what surrounds controls, in both modes (WCAG 2.2, 1.4.3 and 1.4.11).
func TestTokenContrast(t *testing.T) {
	t.Parallel()
	grounds := []string{"paper", "surface", "wash"}
	for mode, c := range tokens(t) {
		check := func(front, back string, want float64) {
			a, b := luminance(c[front]), luminance(c[back])
			ratio := (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05)
			if !(ratio >= want) {
				t.Errorf("%s: %s on %s is %.2f, want %.1f", mode, front, back, ratio, want)
			}
		}
		for _, ground := range grounds {
			for _, text := range []string{"ink", "muted", "awning", "saffron-text", "good", "warn", "bad"} {
				check(text, ground, 4.5)
			}
			check("control", ground, 3)
		}
		check("ink", "bad-wash", 4.5)
		check("ink", "awning-wash", 4.5)
		check("awning", "awning-wash", 4.5)
		check("on-awning", "awning", 4.5)
		check("on-awning", "awning-deep", 4.5)
	}
}

func TestTokensHaveBothModes(t *testing.T) {
	t.Parallel()
	c := tokens(t)
	for name := range c["light"] {
		if c["dark"][name] == "" {
			t.Errorf("--%s has no dark twin", name)
		}
	}
	css, ok := load(t).Asset("theme.css")
	if !ok {
		t.Fatal("no theme.css")
	}
	for _, m := range regexp.MustCompile(`var\(--([a-z0-9-]+)`).FindAllStringSubmatch(string(css.Body), -1) {
		if !strings.Contains(string(css.Body), "--"+m[1]+":") {
			t.Errorf("--%s is used and never set", m[1])
		}
	}
}
