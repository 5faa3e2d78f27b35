package search

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// How much of a document is indexed, in tokens. Positions stay below 16384, the most a tsvector can hold.
const (
	maxTitle    = 256
	maxNames    = 512
	maxBody     = 4000
	fieldGap    = 10  // between fields, so that no phrase matches across them
	maxPerTerm  = 255 // positions of one lexeme that a tsvector keeps
	maxTagRun   = 128 // bytes of a tag after which no run is added, and characters of a run: far below 2 kB, the most of a lexeme
	tagMark     = "#" // sets whole tags apart from words: no word begins with it
	weightTitle = 'A'
	weightNames = 'B'
	weightBody  = 'D'
)

// vector is the searchable form of a document.
type vector struct {
	text                        string              // of a tsvector
	lexemes                     map[string]struct{} // all of them
	curated                     map[string]struct{} // words of title and names: offered as corrections even when rare
	titleLen, namesLen, bodyLen int
	places                      map[string][]string // lexeme to its positions with weights
	next                        int                 // first free position
}

func vectorOf(d Document) vector {
	v := vector{lexemes: map[string]struct{}{}, curated: map[string]struct{}{}, places: map[string][]string{}, next: 1}
	v.titleLen = v.add(Tokenize(d.Title, d.Lang, maxTitle), weightTitle)
	for _, name := range slices.Concat(d.Tags, d.Categories, []string{d.SellerName}) {
		v.namesLen += v.add(Tokenize(name, d.Lang, maxNames-v.namesLen), weightNames)
		if v.namesLen >= maxNames {
			break
		}
	}
	v.bodyLen = v.add(Tokenize(d.Body, d.Lang, maxBody), weightBody)
	for _, tag := range d.Tags {
		if term := tagTerm(tag); term != "" {
			v.lexemes[term] = struct{}{}
			v.places[term] = nil
		}
	}
	v.text = v.write()
	v.places = nil
	return v
}

// tagTerm is the lexeme of a whole tag: its folded letters without what parts words. Empty if there are none.
func tagTerm(tag string) string {
	var b strings.Builder
	runs(tag, func(run []glyph) bool {
		b.WriteString(letters(run[:min(len(run), maxTagRun)]))
		return b.Len() < maxTagRun
	})
	if b.Len() == 0 {
		return ""
	}
	return tagMark + b.String()
}

func (v *vector) add(tokens []Token, weight rune) int {
	for _, t := range tokens {
		place := strconv.Itoa(v.next+t.Pos-1) + string(weight)
		v.put(t.Text, place)
		for _, s := range t.Stems {
			v.put(s, place)
		}
		if weight != weightBody && !t.Dense {
			v.curated[t.Text] = struct{}{}
		}
	}
	if len(tokens) > 0 {
		v.next += len(tokens) + fieldGap
	}
	return len(tokens)
}

func (v *vector) put(lexeme, place string) {
	v.lexemes[lexeme] = struct{}{}
	if len(v.places[lexeme]) < maxPerTerm {
		v.places[lexeme] = append(v.places[lexeme], place)
	}
}

func (v *vector) write() string {
	var b strings.Builder
	for _, lexeme := range slices.Sorted(maps.Keys(v.places)) {
		b.WriteString(quote(lexeme))
		for i, place := range v.places[lexeme] {
			if i == 0 {
				b.WriteByte(':')
			} else {
				b.WriteByte(',')
			}
			b.WriteString(place)
		}
		b.WriteByte(' ')
	}
	return b.String()
}
