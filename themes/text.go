package themes

import (
	"html"
	"html/template"
	"strings"
	"unicode"

	nethtml "golang.org/x/net/html"
)

// plain is the text of r without markup; paragraphs and breaks become spaces.
func plain(r RichText) string {
	var b strings.Builder
	z := nethtml.NewTokenizer(strings.NewReader(string(r.HTML)))
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			return strings.Join(strings.Fields(b.String()), " ")
		case nethtml.TextToken:
			b.Write(z.Text())
		case nethtml.StartTagToken, nethtml.EndTagToken, nethtml.SelfClosingTagToken:
			if name, _ := z.TagName(); blockElement(string(name)) {
				b.WriteByte(' ')
			}
		}
	}
}

func blockElement(name string) bool {
	switch name {
	case "p", "br", "li", "ul", "ol", "div", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6":
		return true
	}
	return false
}

// truncate shortens s to at most n characters as people count them, at a word where one ends near, and marks the cut. What
// belongs to one character (accents, joined emoji, flags) is never torn.
func truncate(n int, s string) string {
	runes := []rune(s)
	count, end, space := 0, 0, -1
	for i := 0; i < len(runes); {
		next := graphemeEnd(runes, i)
		if count == n {
			if space > end*2/3 {
				end = space
			}
			return strings.TrimRightFunc(string(runes[:end]), func(r rune) bool {
				return unicode.IsSpace(r) || strings.ContainsRune(",;:，；：、", r)
			}) + "…"
		}
		if unicode.IsSpace(runes[i]) {
			space = i
		}
		count, end, i = count+1, next, next
	}
	return s
}

// graphemeEnd is the index behind the user-perceived character that starts at i: a simplification of UAX 29 that knows
// combining marks, joiners, emoji modifiers and flags.
func graphemeEnd(runes []rune, i int) int {
	const joiner = 0x200d
	j := i + 1
	if regional(runes[i]) && j < len(runes) && regional(runes[j]) {
		j++
	}
	for j < len(runes) {
		switch r := runes[j]; {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc), r >= 0x1f3fb && r <= 0x1f3ff:
			j++
		case r == joiner && j+1 < len(runes):
			j += 2
		case r == joiner:
			j++
		default:
			return j
		}
	}
	return j
}

func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// paragraphs writes plain text with its line breaks kept.
func paragraphs(s string) template.HTML {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	return template.HTML(strings.ReplaceAll(html.EscapeString(s), "\n", "<br>"))
}
