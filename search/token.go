package search

import (
	"strings"
)

// Token is a term of a text. Words come with their light stems; scripts without spaces give one Token for each pair
// of neighbouring characters and one for the last character of a run alone, so that every substring can be found.
type Token struct {
	Text       string   // folded
	Stems      []string // as in the index, with ~ before; only those that differ from Text
	Pos        int      // from 1, one step a token
	Start, End int      // bytes of the original
	Dense      bool     // a pair (or the single last character) of a script without spaces
}

const (
	maxWord = 64 // characters of a word; the rest is not looked at
	// stemMark sets stems apart from words: no word begins with it.
	stemMark = "~"
)

// Tokenize splits text into at most limit tokens. lang is its language (BCP 47), or empty.
func Tokenize(text, lang string, limit int) []Token {
	var list []Token
	runs(text, func(run []glyph) bool {
		if dense(run[0].r) {
			list = appendPairs(list, run, limit)
		} else {
			list = append(list, wordToken(run, lang, len(list)+1))
		}
		return len(list) < limit
	})
	return list
}

func wordToken(run []glyph, lang string, pos int) Token {
	t := Token{Text: letters(run), Pos: pos, Start: run[0].start, End: run[len(run)-1].end}
	for _, s := range stems(t.Text, lang) {
		t.Stems = append(t.Stems, stemMark+s)
	}
	return t
}

func appendPairs(list []Token, run []glyph, limit int) []Token {
	for i := range run {
		if len(list) >= limit {
			break
		}
		pair := run[i:min(i+2, len(run))]
		list = append(list, Token{Text: letters(pair), Pos: len(list) + 1, Start: pair[0].start,
			End: pair[len(pair)-1].end, Dense: true})
	}
	return list
}

func letters(run []glyph) string {
	var b strings.Builder
	for _, g := range run {
		b.WriteRune(g.r)
	}
	return b.String()
}

// runs calls yield for every word, and every unbroken run of a script without spaces, until it returns false. The
// slice is only valid during the call.
func runs(text string, yield func(run []glyph) bool) {
	var run []glyph
	stopped := false
	flush := func() bool {
		if len(run) > 0 && !yield(run) {
			stopped = true
		}
		run = run[:0]
		return !stopped
	}
	glyphs(text, func(g glyph) bool {
		if g.r == ' ' {
			return flush()
		}
		isDense := dense(g.r)
		if len(run) > 0 && isDense != dense(run[0].r) && !flush() {
			return false
		}
		if isDense || len(run) < maxWord {
			run = append(run, g)
		}
		return true
	})
	if !stopped {
		flush()
	}
}

// quote writes a lexeme as PostgreSQL's text forms of tsvector and tsquery want it (PostgreSQL 8.11): in single
// quotes, with quotes and backslashes doubled. NUL, which no text of PostgreSQL can hold, is left out.
func quote(lexeme string) string {
	var b strings.Builder
	b.Grow(len(lexeme) + 2)
	b.WriteByte('\'')
	for i := range len(lexeme) {
		switch c := lexeme[i]; c {
		case 0:
		case '\'', '\\':
			b.WriteByte(c)
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
