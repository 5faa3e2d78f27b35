package search

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// glyph is one folded character and the bytes of the text it came from. Several glyphs may come from the same bytes
// (ß, ㍿), and one from several characters (e with a combining accent). A break between words is a blank.
type glyph struct {
	r          rune
	start, end int
}

// glyphs calls yield for every folded character of text until it returns false.
func glyphs(text string, yield func(glyph) bool) {
	var runes []rune
	var buf []byte
	for i := 0; i < len(text); {
		b := text[i]
		if b < utf8.RuneSelf && (i+1 == len(text) || text[i+1] < utf8.RuneSelf) {
			if !yield(glyph{foldASCII(b), i, i + 1}) {
				return
			}
			i++
			continue
		}
		n := norm.NFKC.NextBoundaryInString(text[i:], true)
		if n <= 0 {
			n = 1
		}
		buf = norm.NFKC.AppendString(buf[:0], text[i:i+n])
		for j := 0; j < len(buf); {
			r, size := utf8.DecodeRune(buf[j:])
			j += size
			runes = fold(runes[:0], r)
			for _, f := range runes {
				if !yield(glyph{f, i, i + n}) {
					return
				}
			}
		}
		i += n
	}
}

func foldASCII(b byte) rune {
	switch {
	case b >= 'a' && b <= 'z' || b >= '0' && b <= '9':
		return rune(b)
	case b >= 'A' && b <= 'Z':
		return rune(b) + 'a' - 'A'
	}
	return ' '
}

// fold appends what a character of NFKC text becomes: nothing for marks and invisible characters, a blank for what
// parts words, else one or two letters.
func fold(dst []rune, r rune) []rune {
	switch {
	case r < utf8.RuneSelf:
		return append(dst, foldASCII(byte(r)))
	case ignored(r):
		return dst
	case unicode.Is(unicode.Nd, r):
		return append(dst, digit(r))
	case !unicode.IsLetter(r) && !unicode.IsMark(r):
		return append(dst, ' ')
	case r >= 0x3400 && r <= 0x9fff:
		return append(dst, simplify(r))
	}
	r = unicode.ToLower(r)
	if strippable(r) {
		if d := norm.NFD.PropertiesString(string(r)).Decomposition(); len(d) > 0 {
			for r1 := r; r1 >= utf8.RuneSelf && len(d) > 0; { // ǘ decomposes twice
				r1, _ = utf8.DecodeRune(d)
				r = r1
				d = norm.NFD.PropertiesString(string(r1)).Decomposition()
			}
		}
	}
	if two := digraph(r); two != "" {
		for _, c := range two {
			dst = append(dst, c)
		}
		return dst
	}
	return append(dst, foldLetter(r))
}

// strippable reports whether accents only vary the letter in its script: Latin and Greek.
func strippable(r rune) bool {
	return r >= 0xc0 && r < 0x250 || r >= 0x370 && r < 0x400 || r >= 0x1e00 && r < 0x2000
}

// ignored reports marks that are optional in writing (accents left over, Arabic and Hebrew vowels, tatweel) and
// invisible characters. The marks of Indic and South-East Asian scripts and of kana are letters to us.
func ignored(r rune) bool {
	switch {
	case r >= 0x300 && r <= 0x36f, r >= 0x591 && r <= 0x5c7, r >= 0x610 && r <= 0x61a, r >= 0x64b && r <= 0x65f,
		r == 0x640, r == 0x670, r >= 0x6d6 && r <= 0x6ed, r >= 0x1ab0 && r <= 0x1aff, r >= 0x1dc0 && r <= 0x1dff,
		r >= 0x20d0 && r <= 0x20ff, r >= 0xfe00 && r <= 0xfe0f, r >= 0xfe20 && r <= 0xfe2f, r >= 0xe0100 && r <= 0xe01ef:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

func digraph(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'þ':
		return "th"
	}
	return ""
}

func foldLetter(r rune) rune {
	switch r {
	case 'ø':
		return 'o'
	case 'đ', 'ð':
		return 'd'
	case 'ł':
		return 'l'
	case 'ħ':
		return 'h'
	case 'ı':
		return 'i'
	case 'ς':
		return 'σ'
	case 'ё':
		return 'е'
	case 'أ', 'إ', 'آ', 'ٱ':
		return 'ا'
	case 'ى', 'ئ', 'ی':
		return 'ي'
	case 'ؤ':
		return 'و'
	case 'ة', 'ه', 'ہ':
		return 'ه'
	case 'ک':
		return 'ك'
	}
	return r
}

// digit returns the ASCII digit of the same value. Unicode lays out decimal digits in tens (Unicode 4.6).
func digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return ' '
}

// dense reports scripts written without spaces between words, which are indexed by pairs of characters. Hangul is
// among them because Korean puts particles to words without a space.
func dense(r rune) bool {
	if r < 0xe00 {
		return false
	}
	if r == 'ー' || r == '々' {
		return true
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar)
}
