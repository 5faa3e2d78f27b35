package souk

import (
	"bytes"
	"html"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	rendererhtml "github.com/yuin/goldmark/renderer/html"
	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/text/unicode/norm"
)

// Links resolves what a text points at while it is rendered.
type Links struct {
	BaseURL string
	// Mentions maps "name@host" (lower case; local ones also as "name") to the account's profile page.
	Mentions map[string]string
}

// Rendered is a text as stored: safe HTML and the hashtags in it, in order, without '#'.
type Rendered struct {
	HTML string
	Tags []string
}

// markdown and policies are immutable once built; sync.OnceValue keeps their 1 ms off the start.
var (
	markdown = sync.OnceValue(func() goldmark.Markdown {
		return goldmark.New(goldmark.WithExtensions(extension.Strikethrough, extension.Linkify),
			goldmark.WithRendererOptions(rendererhtml.WithHardWraps()))
	})
	contentPolicy = sync.OnceValue(newContentPolicy)
	plainPolicy   = sync.OnceValue(bluemonday.StrictPolicy)
)

// newContentPolicy allows what Mastodon keeps since 4.2 (its documentation, "HTML sanitization"), so that a text looks
// the same everywhere, and headings, which others see as WithoutHeadings makes them; links open with rel nofollow noopener
// noreferrer.
func newContentPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "span", "del", "s", "pre", "code", "blockquote", "em", "strong", "b", "i", "u", "ul", "ol", "li",
		"h1", "h2", "h3", "h4", "h5", "h6", "sub", "sup", "ruby", "rt", "rp")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^(?:(?:mention|hashtag|ellipsis|invisible|u-url|h-card|quote-inline)(?: |$))+$`)).OnElements("a", "span", "p")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^(?:(?:tag|me|nofollow|noopener|noreferrer)(?: |$))+$`)).OnElements("a")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("value").Matching(bluemonday.Integer).OnElements("li")
	p.AllowAttrs("reversed").Matching(regexp.MustCompile(`^(?:reversed)?$`)).OnElements("ol")
	p.AllowAttrs("translate").Matching(regexp.MustCompile(`^no$`)).OnElements("a", "span")
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z0-9-]{2,35}$`)).OnElements("p", "span", "blockquote")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
}

// Sanitise makes HTML from outside safe to show; done once, when the text comes in. What it returns is closed in itself:
// no end tag in it ends an element of the page around it, and no element of it goes on after it. It has no headings: those
// of a page are the page's own, and a stranger's would stand among them.
func Sanitise(fragment string) string { return WithoutHeadings(sanitised(fragment)) }

var headingTag = regexp.MustCompile(`<(/?)h[1-6]>`)

// WithoutHeadings turns the headings of a sanitised text into bold paragraphs, as Mastodon does.
func WithoutHeadings(text string) string {
	return headingTag.ReplaceAllStringFunc(text, func(tag string) string {
		if strings.HasPrefix(tag, "</") {
			return "</strong></p>"
		}
		return "<p><strong>"
	})
}

// sanitised is Sanitise, with headings.
func sanitised(fragment string) string {
	safe := strings.TrimSpace(contentPolicy().Sanitize(storable(fragment)))
	if balanced(safe) {
		return safe
	}
	nodes, err := xhtml.ParseFragment(strings.NewReader(safe), &xhtml.Node{Type: xhtml.ElementNode, Data: "div", DataAtom: atom.Div})
	var out strings.Builder
	for _, n := range nodes {
		if err == nil {
			err = xhtml.Render(&out, n)
		}
	}
	if err != nil { // nested deeper than the parser goes: keep the text alone
		return "<p>" + html.EscapeString(Plain(safe)) + "</p>"
	}
	return strings.TrimSpace(out.String())
}

// balanced reports whether every element of a sanitised fragment is closed where it was opened.
func balanced(fragment string) bool {
	var open []string
	tokens := xhtml.NewTokenizer(strings.NewReader(fragment))
	for {
		switch tokens.Next() {
		case xhtml.ErrorToken:
			return len(open) == 0
		case xhtml.StartTagToken:
			if name, _ := tokens.TagName(); string(name) != "br" {
				open = append(open, string(name))
			}
		case xhtml.EndTagToken:
			name, _ := tokens.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return false
			}
			open = open[:len(open)-1]
		}
	}
}

// storable drops what PostgreSQL refuses in a text: NUL, and bytes that are not UTF-8.
func storable(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") }

// Plain is the text of an HTML fragment: blocks become lines, tags go, entities are decoded.
func Plain(fragment string) string {
	fragment = blockEnd.ReplaceAllString(fragment, "\n")
	text := storable(html.UnescapeString(plainPolicy().Sanitize(fragment)))
	return strings.TrimSpace(manyLines.ReplaceAllString(text, "\n\n"))
}

// PlainHTML is plain text as HTML: lines stay lines, nothing in it is markup. Of empty text it is empty.
func PlainHTML(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
}

var (
	blockEnd  = regexp.MustCompile(`(?i)<br\s*/?>|</(?:p|li|blockquote|h[1-6]|pre|div)>`)
	manyLines = regexp.MustCompile(`\n{3,}`)
	// A hashtag begins a word: letters, digits, marks and _ after # or ＃, with at least one non-digit.
	hashtag = regexp.MustCompile(`(^|[\s\p{P}>])[#＃]([\p{L}\p{N}\p{M}_·]+)`)
	mention = regexp.MustCompile(`(^|[\s\p{P}>])@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)(?:@([A-Za-z0-9.-]+[A-Za-z0-9](?::\d+)?))?`)
	tagged  = regexp.MustCompile(`(?s)<[^>]*>`)
)

// RenderMarkdown makes safe HTML of a seller's Markdown: raw HTML in it is dropped, mentions that Links knows and all
// hashtags become links.
func RenderMarkdown(source string, links Links) Rendered {
	var tags []string
	linked := outsideLinks(markdownHTML(source), func(text string) string {
		text = hashtag.ReplaceAllStringFunc(text, func(m string) string {
			parts := hashtag.FindStringSubmatch(m)
			if digitsOnly(parts[2]) {
				return m
			}
			if !slices.ContainsFunc(tags, func(t string) bool { return FoldTag(t) == FoldTag(parts[2]) }) {
				tags = append(tags, parts[2])
			}
			return parts[1] + `<a href="` + links.BaseURL + "/tags/" + html.EscapeString(FoldTag(parts[2])) + `" class="mention hashtag" rel="tag">#` + parts[2] + `</a>`
		})
		return mention.ReplaceAllStringFunc(text, func(m string) string {
			parts := mention.FindStringSubmatch(m)
			key := strings.ToLower(parts[2])
			if parts[3] != "" {
				key += "@" + strings.ToLower(parts[3])
			}
			href, ok := links.Mentions[key]
			if !ok {
				return m
			}
			return parts[1] + `<span class="h-card"><a href="` + html.EscapeString(href) + `" class="u-url mention">@` + parts[2] + `</a></span>`
		})
	})
	return Rendered{HTML: sanitised(linked), Tags: tags}
}

// markdownHTML is the text as HTML, neither sanitised nor linked.
func markdownHTML(source string) string {
	var out bytes.Buffer
	if err := markdown().Convert([]byte(norm.NFC.String(source)), &out); err != nil {
		// goldmark only fails when the writer does, and a buffer does not: keep the text rather than lose it.
		return "<p>" + html.EscapeString(source) + "</p>"
	}
	return out.String()
}

// RenderInline makes safe HTML of one line of a profile: links become links, nothing else is marked up. They have rel="me":
// the page behind one may link back and so confirm who is behind the profile, and the other way round.
func RenderInline(source string) string {
	line := strings.TrimSuffix(strings.TrimPrefix(RenderMarkdown(source, Links{}).HTML, "<p>"), "</p>")
	return strings.ReplaceAll(line, `" rel="nofollow`, `" rel="me nofollow`)
}

// outsideLinks applies f to the text of an HTML fragment that is not inside tags, links or code.
func outsideLinks(fragment string, f func(string) string) string {
	var out strings.Builder
	depth, last := 0, 0
	for _, at := range tagged.FindAllStringIndex(fragment, -1) {
		text, tag := fragment[last:at[0]], fragment[at[0]:at[1]]
		if depth == 0 {
			text = f(text)
		}
		out.WriteString(text)
		out.WriteString(tag)
		switch name := strings.TrimLeft(strings.ToLower(tag), "</"); {
		case !strings.HasPrefix(name, "a ") && !strings.HasPrefix(name, "a>") && !strings.HasPrefix(name, "code") && !strings.HasPrefix(name, "pre"):
		case strings.HasPrefix(tag, "</"):
			depth--
		default:
			depth++
		}
		last = at[1]
	}
	if rest := fragment[last:]; depth == 0 {
		out.WriteString(f(rest))
	} else {
		out.WriteString(rest)
	}
	return out.String()
}

// Handles lists the mentions in a Markdown text as name and host pairs (host "" for local), each once. What stands in
// links and code mentions nobody.
func Handles(source string) [][2]string {
	var found [][2]string
	outsideLinks(markdownHTML(source), func(text string) string {
		for _, m := range mention.FindAllStringSubmatch(text, -1) {
			pair := [2]string{strings.ToLower(m[2]), strings.ToLower(m[3])}
			if !slices.Contains(found, pair) {
				found = append(found, pair)
			}
		}
		return text
	})
	return found
}

// FoldTag is the form by which hashtags are compared: NFKC, lower case, Latin letters without diacritics (as other servers
// compare them), no '#'. Marks of other scripts stay: there they make other letters.
func FoldTag(tag string) string {
	var out strings.Builder
	latin := false
	for _, r := range latinStrokes.Replace(norm.NFKD.String(strings.ToLower(norm.NFKC.String(strings.TrimLeft(tag, "#＃"))))) {
		if latin && r >= 0x300 && r <= 0x36f {
			continue
		}
		latin = r >= 'a' && r <= 'z'
		out.WriteRune(r)
	}
	return norm.NFKC.String(out.String())
}

// latinStrokes are letters that Unicode does not take apart. Read only.
var latinStrokes = strings.NewReplacer("ø", "o", "ł", "l", "đ", "d", "ħ", "h", "ı", "i")

// validTag reports whether a tag (without '#') can be written as a hashtag.
func validTag(tag string) bool {
	if tag == "" || utf8.RuneCountInString(tag) > 100 || digitsOnly(tag) {
		return false
	}
	for _, r := range tag {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '_' && r != '·' {
			return false
		}
	}
	return true
}

// truncate cuts a text from outside to at most n runes that can be stored.
func truncate(s string, n int) string {
	s = storable(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// Slug makes the readable part of an address: letters and digits of any script, lower case, the rest as single dashes.
func Slug(title string) string {
	var out strings.Builder
	dash := false
	for _, r := range strings.ToLower(norm.NFKC.String(title)) {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
			if dash && out.Len() > 0 {
				out.WriteByte('-')
			}
			dash = false
			out.WriteRune(r)
		} else {
			dash = true
		}
		if utf8.RuneCountInString(out.String()) >= 60 {
			break
		}
	}
	return out.String()
}
