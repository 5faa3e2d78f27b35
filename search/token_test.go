package search

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func texts(tokens []Token) []string {
	var list []string
	for _, t := range tokens {
		list = append(list, t.Text)
	}
	return list
}

func TestTokenizeFolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"Hand-made LEATHER bags, 3.5mm", "hand made leather bags 3 5mm"},
		{"Stößen Größe Ærø Łódź İstanbul ǘ", "stossen grosse aero lodz istanbul u"},
		{"e\u0301te\u0301 naïve", "ete naive"},
		{"ＡＢＣ １２３ ﬁne", "abc 123 fine"},
		{"٣ كتابــة أحمد إلى مُحَمَّد", "3 كتابه احمد الي محمد"},
		{"Ёлка ΤΈΛΟΣ", "елка τελοσ"},
		{"don't soft\u00adhyphen zero\u200bwidth", "don t softhyphen zerowidth"},
		{"手机壳", "手机 机壳 壳"},
		{"手機殼", "手机 机壳 壳"},
		{"新T恤XL", "新 t 恤 xl"},
		{"ｱｲﾌｫﾝ ケース", "アイ イフ フォ ォン ン ケー ース ス"},
		{"손가방을", "손가 가방 방을 을"},
		{"㍿", "株式 式会 会社 社"},
		{"กระเป๋า", "กร ระ ะเ เป ป๋ ๋า า"},
		{"हिन्दी", "हिन्दी"},
		{"🛍️ & \x00 | ! '\\", ""},
	} {
		if got := strings.Join(texts(Tokenize(c.text, "", 100)), " "); got != c.want {
			t.Errorf("Tokenize(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestTokenizeKeepsPlaces(t *testing.T) {
	t.Parallel()
	const text = "Große 手機殼"
	tokens := Tokenize(text, "de", 100)
	want := []string{"Große", "手機", "機殼", "殼"}
	for i, tok := range tokens {
		if got := text[tok.Start:tok.End]; got != want[i] {
			t.Errorf("token %d covers %q, want %q", i, got, want[i])
		}
		if tok.Pos != i+1 {
			t.Errorf("token %d is at %d", i, tok.Pos)
		}
	}
	if len(tokens) != len(want) {
		t.Errorf("%d tokens, want %d", len(tokens), len(want))
	}
}

func TestTokenizeCaps(t *testing.T) {
	t.Parallel()
	if n := len(Tokenize(strings.Repeat("a b 中文字 ", 100), "", 33)); n != 33 {
		t.Errorf("%d tokens, want 33", n)
	}
	long := Tokenize(strings.Repeat("x", 5000), "", 5)
	if len(long) != 1 || len(long[0].Text) != maxWord {
		t.Errorf("a word of 5000 letters became %d tokens, the first of %d letters", len(long), len(long[0].Text))
	}
	if n := len(parse(strings.Repeat("word ", 1) + strings.Repeat("é", 50_000))); n != 2 {
		t.Errorf("a query of 100 kB has %d clauses, want 2", n)
	}
}

func TestStems(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"hike", "hikes", "hiked", "hiking"}, {"bag", "bags"}, {"battery", "batteries"}, {"wedding", "weddings"},
		{"box", "boxes"}, {"dress", "dresses"}, {"glass", "glasses"}, {"watch", "watches"}, {"house", "houses"},
		{"stopping", "stopped", "stops", "stop"},
	} {
		for _, w := range same[1:] {
			if stemEnglish(w) != stemEnglish(same[0]) {
				t.Errorf("%s -> %s, %s -> %s", w, stemEnglish(w), same[0], stemEnglish(same[0]))
			}
		}
	}
	for _, w := range []string{"ring", "string", "red", "need", "speed", "this", "bus"} {
		if s := stemEnglish(w); s != w {
			t.Errorf("%s -> %s, want it unchanged", w, s)
		}
	}
	if stemGerman("taschen") != stemGerman("tasche") {
		t.Error("Taschen and Tasche have different stems")
	}
	if s := stems("ab12s", ""); s != nil {
		t.Errorf("an article code has stems: %v", s)
	}
}

func TestHanPairsAreSorted(t *testing.T) {
	t.Parallel()
	if len(hanPairs)%6 != 0 {
		t.Fatalf("%d bytes", len(hanPairs))
	}
	for i := 6; i < len(hanPairs); i += 6 {
		if hanPairs[i-6:i-3] >= hanPairs[i:i+3] {
			t.Errorf("%s is not after %s", hanPairs[i:i+3], hanPairs[i-6:i-3])
		}
	}
	for _, r := range hanPairs {
		if simplify(simplify(r)) != simplify(r) {
			t.Errorf("%c is not folded in one step", r)
		}
	}
	for _, c := range []string{"髮发", "發发", "裏里", "龜龟", "皮皮", "東东"} {
		if r := []rune(c); simplify(r[0]) != r[1] {
			t.Errorf("simplify(%c) = %c", r[0], simplify(r[0]))
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	if got := quote("o'b\\a\x00z"); got != `'o''b\\az'` {
		t.Errorf("quote = %s", got)
	}
}

func TestHighlight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, query, want string }{
		{"Leather bags & a leather belt", "LEATHER", "[Leather] bags & a [leather] belt"},
		{"Two bags, one bagpipe", "bag", "Two [bags], one bagpipe"},
		{"bagpipes", "bag", "[bag]pipes"},
		{"Große Stöße", "stosse gross", "[Große] [Stöße]"},
		{"真皮手機殼，防摔", "手机壳", "真皮[手機殼]，防摔"},
		{"手工真皮包", "手工皮包", "[手工]真[皮包]"},
		{"ｉＰｈｏｎｅ手机壳", "iphone 壳", "[ｉＰｈｏｎｅ]手机[壳]"},
		{"cafe\u0301 noir", "café", "[cafe\u0301] noir"},
		{"nothing here", "zebra", "nothing here"},
		{"<b>bag</b>", "bag", "<b>[bag]</b>"},
	} {
		if got := marked(c.text, Highlight(c.text, c.query)); got != c.want {
			t.Errorf("Highlight(%q, %q) = %q, want %q", c.text, c.query, got, c.want)
		}
	}
}

func marked(text string, spans []Span) string {
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.Start] + "[" + text[s.Start:s.End] + "]")
		at = s.End
	}
	return b.String() + text[at:]
}

func FuzzTokenize(f *testing.F) {
	for _, seed := range []string{"", "Große Stöße", "手機殼 iPhone15", "e\u0301\u0301", "㍿ﷺ", "\xff\xfe\x00'\\", "กระเป๋า", "가\u1100\u1161\u11a8", "ab\u200d\u0301"} {
		f.Add(seed, "en")
	}
	f.Fuzz(func(t *testing.T, text, lang string) {
		const limit = 200
		tokens := Tokenize(text, lang, limit)
		if len(tokens) > limit {
			t.Fatalf("%d tokens", len(tokens))
		}
		for i, tok := range tokens {
			if tok.Pos != i+1 || tok.Text == "" || tok.Start < 0 || tok.Start >= tok.End || tok.End > len(text) {
				t.Fatalf("token %d: %+v", i, tok)
			}
			if strings.ContainsAny(tok.Text, "'\\ &|!():*<~#\x00") {
				t.Fatalf("token %q has a character of the query language", tok.Text)
			}
			if !utf8.ValidString(tok.Text) {
				t.Fatalf("token %q is not UTF-8", tok.Text)
			}
		}
		for i, word := range texts(tokens) { // folding is stable: what the index holds finds itself
			again := Tokenize(word, lang, limit)
			if !tokens[i].Dense && (len(again) != 1 || again[0].Text != word) {
				t.Fatalf("%q folds again to %v", word, texts(again))
			}
		}
	})
}

func FuzzHighlight(f *testing.F) {
	f.Add("Große 手機殼 bags", "gross 手机 bag")
	f.Add("e\u0301", "e")
	f.Fuzz(func(t *testing.T, text, query string) {
		at := 0
		for _, s := range Highlight(text, query) {
			if s.Start < at || s.End <= s.Start || s.End > len(text) {
				t.Fatalf("span %v after %d in %d bytes", s, at, len(text))
			}
			if utf8.ValidString(text) && (!utf8.RuneStart(text[s.Start]) || s.End < len(text) && !utf8.RuneStart(text[s.End])) {
				t.Fatalf("span %v cuts a character of %q", s, text)
			}
			at = s.End
		}
	})
}

func FuzzQuote(f *testing.F) {
	f.Add("o'b\\a\x00")
	f.Fuzz(func(t *testing.T, lexeme string) {
		q := quote(lexeme)
		if q[0] != '\'' || q[len(q)-1] != '\'' || strings.Contains(q, "\x00") {
			t.Fatalf("quote(%q) = %q", lexeme, q)
		}
		inner := q[1 : len(q)-1]
		for _, c := range []string{"'", "\\"} { // every one is doubled, so none ends the lexeme
			if strings.Contains(strings.ReplaceAll(inner, c+c, ""), c) {
				t.Fatalf("quote(%q) = %q", lexeme, q)
			}
		}
		back := strings.NewReplacer("''", "'", `\\`, `\`).Replace(inner)
		if back != strings.ReplaceAll(lexeme, "\x00", "") {
			t.Fatalf("quote(%q) reads back as %q", lexeme, back)
		}
	})
}

func TestParseDropsRepeats(t *testing.T) {
	t.Parallel()
	clauses := parse("bag BAG 手机 手機")
	if len(clauses) != 2 || clauses[0].word != "bag" || !slices.Equal(clauses[1].pairs(), []string{"手机"}) {
		t.Errorf("parse = %+v", clauses)
	}
}
