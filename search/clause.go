package search

import (
	"slices"
	"unicode/utf8"
)

const (
	maxQueryBytes = 4096 // of what somebody typed; the rest is not looked at
	maxClauses    = 16
	maxRun        = 32 // characters of a run in a query
)

// clause is one thing that a query asks for: a word, or a run of a script without spaces.
type clause struct {
	word       string   // a folded word; empty for a run
	stems      []string // of all languages, without stemMark, as the reader's is unknown
	run        []rune   // folded
	start, end int      // bytes of the query
}

// parse reads what somebody typed. There is no query language: everything but words parts words.
func parse(text string) []clause {
	if len(text) > maxQueryBytes {
		cut := maxQueryBytes
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut]
	}
	var list []clause
	runs(text, func(run []glyph) bool {
		c := clause{start: run[0].start, end: run[len(run)-1].end}
		if dense(run[0].r) {
			for _, g := range run[:min(len(run), maxRun)] {
				c.run = append(c.run, g.r)
			}
		} else {
			c.word = letters(run)
			c.stems = stems(c.word, "")
		}
		if !slices.ContainsFunc(list, func(o clause) bool { return o.word == c.word && slices.Equal(o.run, c.run) }) {
			list = append(list, c)
		}
		return len(list) < maxClauses
	})
	return list
}

// pairs returns the terms of a run of two characters or more, in order.
func (c clause) pairs() []string {
	var list []string
	for i := 0; i+2 <= len(c.run); i++ {
		list = append(list, string(c.run[i:i+2]))
	}
	return list
}
