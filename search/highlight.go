package search

import (
	"slices"
	"strings"
)

// Span is a part of a text, in bytes, on borders of characters.
type Span struct{ Start, End int }

// Highlight returns where the words of query occur in text: sorted, not empty, and apart from each other. Words match
// by their folded form and their stem; where a last word matches nothing, as the beginning of longer words. Runs of a
// script without spaces match anywhere, and in pairs where the whole run is nowhere. It returns no markup: escape the
// text and mark the spans.
func Highlight(text, query string) []Span {
	clauses := parse(query)
	if len(clauses) == 0 {
		return nil
	}
	found := make([][]Span, len(clauses))
	loose := make([][]Span, len(clauses)) // used where found stays empty
	runs(text, func(run []glyph) bool {
		isDense := dense(run[0].r)
		for i, c := range clauses {
			switch {
			case isDense && len(c.run) > 0:
				found[i] = appendRuns(found[i], run, c.run)
				for j := 0; j+2 <= len(c.run) && len(c.run) > 2; j++ {
					loose[i] = appendRuns(loose[i], run, c.run[j:j+2])
				}
			case !isDense && c.word != "":
				word := letters(run)
				if c.matches(word) {
					found[i] = append(found[i], Span{run[0].start, run[len(run)-1].end})
				} else if i == len(clauses)-1 && len(c.word) > 1 && strings.HasPrefix(word, c.word) {
					loose[i] = append(loose[i], Span{run[0].start, run[len([]rune(c.word))-1].end})
				}
			}
		}
		return true
	})
	var all []Span
	for i := range clauses {
		if len(found[i]) > 0 {
			all = append(all, found[i]...)
		} else {
			all = append(all, loose[i]...)
		}
	}
	return merge(all)
}

// matches reports whether a word of a text is the clause's word or shares a stem with it.
func (c clause) matches(word string) bool {
	if word == c.word || slices.Contains(c.stems, word) {
		return true
	}
	for _, s := range stems(word, "") {
		if s == c.word || slices.Contains(c.stems, s) {
			return true
		}
	}
	return false
}

func appendRuns(spans []Span, run []glyph, want []rune) []Span {
	for i := 0; i+len(want) <= len(run); i++ {
		j := 0
		for j < len(want) && run[i+j].r == want[j] {
			j++
		}
		if j == len(want) {
			spans = append(spans, Span{run[i].start, run[i+j-1].end})
		}
	}
	return spans
}

// merge sorts spans and joins those that touch or overlap.
func merge(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.Start - b.Start })
	var list []Span
	for _, s := range spans {
		if n := len(list); n > 0 && s.Start <= list[n-1].End {
			list[n-1].End = max(list[n-1].End, s.End)
		} else if s.End > s.Start {
			list = append(list, s)
		}
	}
	return list
}
