package souk

import (
	"strings"

	"golang.org/x/text/language"
)

// Text is what a post says in one language.
type Text struct {
	Lang    string `json:"lang"` // BCP 47
	HTML    string `json:"html"`
	Summary string `json:"summary,omitempty"` // content warning, plain text
}

// MaxTexts bounds in how many languages besides its own a post is kept; all of them together have maxRemotePost.
const MaxTexts = 10

// keptTexts are the texts made safe, as many as are kept; a language counts once, and that of the post not again.
func keptTexts(texts []Text, lang string) []Text {
	kept := []Text{}
	seen, room := map[string]bool{lang: true}, maxRemotePost
	for _, t := range texts[:min(len(texts), MaxTexts+1)] { // one may be that of the post
		t.Lang, t.HTML, t.Summary = truncate(t.Lang, maxLang), Sanitise(truncate(t.HTML, maxRemotePost)), truncate(Plain(t.Summary), 500)
		if seen[t.Lang] || t.Lang == "" || t.HTML == "" || len(t.HTML) > room || len(kept) == MaxTexts {
			continue
		}
		seen[t.Lang] = true
		room -= len(t.HTML)
		kept = append(kept, t)
	}
	return kept
}

// In is the post for a reader of the language: in that, where the post has it, else as it is. Texts are then those in the
// other languages.
func (p *Post) In(lang string) *Post {
	best := -1
	if len(p.Texts) > 0 && nearness(p.Lang, lang) < 2 {
		for i, t := range p.Texts {
			if n := nearness(t.Lang, lang); n > nearness(p.Lang, lang) && (best < 0 || n > nearness(p.Texts[best].Lang, lang)) {
				best = i
			}
		}
	}
	if best < 0 {
		return p
	}
	read, first := *p, p.Texts[best]
	read.Texts = append(append([]Text{{Lang: p.Lang, HTML: p.HTML, Summary: p.Summary}}, p.Texts[:best]...), p.Texts[best+1:]...)
	read.Lang, read.HTML, read.Summary = first.Lang, first.HTML, first.Summary
	return &read
}

// nearness is how well a text reads to whom wants a language: 2 in its script too (that of zh is the one of zh-Hans), 1 in
// another one or in another region's form, 0 not at all.
func nearness(has, want string) int {
	if a, b := strings.SplitN(has, "-", 2)[0], strings.SplitN(want, "-", 2)[0]; a == "" || !strings.EqualFold(a, b) {
		return 0
	}
	h, _ := language.Make(has).Script()
	w, _ := language.Make(want).Script()
	if h != w {
		return 1
	}
	return 2
}
