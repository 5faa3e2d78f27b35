package search

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func textTests() map[string]func(*testing.T, Index) {
	return map[string]func(*testing.T, Index){
		"words are all wanted": func(t *testing.T, x Index) {
			put(t, x, doc("one", "red leather bag"), doc("two", "red bag", body("with leather straps")), doc("three", "red hat"))
			expect(t, x, Query{Text: "leather RED"}, "one two")
			expect(t, x, Query{Text: "red"}, "one two three")
		},
		"title before body, exact title first": func(t *testing.T, x Index) {
			put(t, x, doc("body", "nice thing", body("lantern lantern lantern lantern lantern lantern")),
				doc("long", "a lantern of copper for the garden and the house"), doc("exact", "Lantern", aged(300)), doc("other", "hat"))
			expectOrder(t, x, Query{Text: "lantern"}, "exact long body")
		},
		"words side by side come first": func(t *testing.T, x Index) {
			put(t, x, doc("far", "x", body("green paint and much else that was said of this and of that before tea")),
				doc("near", "x", body("said much else of this and of that before paint and then some green tea")))
			expectOrder(t, x, Query{Text: "green tea"}, "near far")
		},
		"rare words weigh more": func(t *testing.T, x Index) {
			docs := []Document{doc("rare", "x", body("common words and a zither")), doc("usual", "x", body("common common words"))}
			for i := range 20 {
				docs = append(docs, doc(fmt.Sprint("n", i), "common", body("words")))
			}
			put(t, x, docs...)
			r := find(t, x, Query{Text: "common zither"})
			if names(r) != "rare" {
				t.Errorf("found %s", names(r))
			}
		},
		"stems": func(t *testing.T, x Index) {
			put(t, x, doc("one", "leather bags"), doc("two", "Taschen", lang("de")), doc("three", "hiking boots"))
			for text, want := range map[string]string{"bag": "one", "bags": "one", "leathers": "one", "tasche": "two", "hike": "three", "boot": "three"} {
				expect(t, x, Query{Text: text}, want)
			}
		},
		"prefix while typing": func(t *testing.T, x Index) {
			put(t, x, doc("one", "leather bag"), doc("two", "leaf"), doc("three", "hat"))
			expect(t, x, Query{Text: "lea", Typing: true}, "one two")
			expect(t, x, Query{Text: "bag lea", Typing: true}, "one")
			expect(t, x, Query{Text: "lea"}, "")
			expect(t, x, Query{Text: "lea ", Typing: true}, "")
		},
		"one mistake from five letters": func(t *testing.T, x Index) {
			put(t, x, doc("one", "leather wallet"), doc("two", "hand bag"), doc("three", "lamp x4512"))
			for _, text := range []string{"lether", "leathr", "laether", "leatther", "leatger", "leather walket"} {
				expect(t, x, Query{Text: text}, "one")
			}
			for _, text := range []string{"hanf", "x4513", "4512x", "zzzzz"} {
				expect(t, x, Query{Text: text}, "")
			}
			if r := find(t, x, Query{Text: "Nice, LETHER"}); r.Corrected != "" && names(r) == "" {
				t.Errorf("corrected to %q without a hit", r.Corrected)
			}
			if r := find(t, x, Query{Text: "lether WALLET"}); r.Corrected != "leather WALLET" {
				t.Errorf("corrected to %q", r.Corrected)
			}
			if r := find(t, x, Query{Text: "leather"}); r.Corrected != "" {
				t.Errorf("a good query is corrected to %q", r.Corrected)
			}
		},
		"exact before misspelt": func(t *testing.T, x Index) {
			docs := []Document{doc("exact", "x", body("the lether store"), aged(900))}
			for i := range 20 {
				docs = append(docs, doc(fmt.Sprint("n", i), "leather"))
			}
			put(t, x, docs...)
			r := find(t, x, Query{Text: "lether"})
			if len(r.Hits) < 2 || r.Hits[0].URI != "https://a.example/exact" {
				t.Errorf("found %s", names(r))
			}
		},
		"the last word is dropped before nothing is found": func(t *testing.T, x Index) {
			put(t, x, doc("one", "leather bag"), doc("two", "hat"))
			expect(t, x, Query{Text: "leather bag qqqq"}, "one")
		},
		"accents, ß, Arabic forms, widths, digits": testFolding,
		"names": func(t *testing.T, x Index) {
			put(t, x, doc("one", "x", tags("HandMade", "皮具")), doc("two", "x", within("fashion", "fashion/bags")),
				doc("three", "x", func(d *Document) { d.SellerName = "Ann's Workshop" }))
			expect(t, x, Query{Text: "handmade"}, "one")
			expect(t, x, Query{Text: "皮具"}, "one")
			expect(t, x, Query{Text: "bags"}, "two")
			expect(t, x, Query{Text: "workshop"}, "three")
		},
		"a hit explains its place": func(t *testing.T, x Index) {
			put(t, x, doc("one", "red bag", body("a bag"), lang("en-GB")))
			h := find(t, x, Query{Text: "bag", Locales: []string{"en"}}).Hits[0]
			product := 1.0
			var parts []string
			for _, p := range h.Parts {
				product *= p.Value
				parts = append(parts, p.Name)
			}
			if h.Score <= 0 || product < h.Score*0.999 || product > h.Score*1.001 {
				t.Errorf("score %g, product of its parts %g", h.Score, product)
			}
			if !slices.Contains(parts, "text") {
				t.Errorf("parts %v", parts)
			}
			if !slices.Equal(h.Matched, []Field{FieldTitle, FieldBody}) {
				t.Errorf("matched %v", h.Matched)
			}
		},
		"the reader's language is preferred": func(t *testing.T, x Index) {
			put(t, x, doc("de", "sofa", lang("de")), doc("zh", "sofa", lang("zh-Hans")), doc("fr", "sofa", lang("fr")))
			for locale, want := range map[string]string{"de-AT": "de", "zh": "zh", "fr": "fr"} {
				if got := names(find(t, x, Query{Text: "sofa", Locales: []string{locale}})); !strings.HasPrefix(got, want) {
					t.Errorf("a reader of %s is shown %s", locale, got)
				}
			}
		},
		"the new comes before the old": func(t *testing.T, x Index) {
			put(t, x, doc("a", "sofa", aged(700)), doc("b", "sofa", aged(1)), doc("c", "sofa", aged(90)))
			expectOrder(t, x, Query{Text: "sofa"}, "b c a")
		},
		"least score": func(t *testing.T, x Index) {
			put(t, x, doc("title", "sofa"), doc("body", "x", body("a sofa among many other things that stand about")))
			hits := find(t, x, Query{Text: "sofa"}).Hits
			between := (hits[0].Score + hits[1].Score) / 2
			expectOrder(t, x, Query{Text: "sofa", MinScore: between}, "title")
		},
		"suggest": func(t *testing.T, x Index) {
			put(t, x, doc("one", "leather bag", tags("手工皮具")), doc("two", "leather leaf"))
			for text, want := range map[string]string{"lea": "leather", "red LEA": "red leather", "手工": "手工皮具"} {
				list, err := x.Suggest(t.Context(), SuggestQuery{Text: text})
				if err != nil || len(list) == 0 || list[0].Text != want {
					t.Errorf("Suggest(%q) = %v, %v; want %q first", text, list, err, want)
				}
			}
			for _, text := range []string{"", "l", "'\\\x00", "zz"} {
				if list, err := x.Suggest(t.Context(), SuggestQuery{Text: text}); err != nil || len(list) != 0 {
					t.Errorf("Suggest(%q) = %v, %v", text, list, err)
				}
			}
		},
	}
}

func testFolding(t *testing.T, x Index) {
	put(t, x, doc("de", "Große Stößel für Öl", lang("de")), doc("fr", "thé à l'été"), doc("ar", "كتاب أحمد في المدينة", lang("ar")),
		doc("wide", "ＡＢＣ １２３"), doc("zh", "繁體中文書", lang("zh-TW")), doc("el", "Οδός"))
	for text, want := range map[string]string{
		"grosse": "de", "GROẞE": "de", "stößel": "de", "stossel": "de", "öl": "de", "ol": "de", "the": "fr", "ete": "fr", "été": "fr",
		"e\u0301te\u0301": "fr", "احمد": "ar", "كتـــاب": "ar", "المدينه": "ar", "abc": "wide", "123": "wide", "１２３": "wide", "١٢٣": "wide",
		"繁体": "zh", "中文书": "zh", "繁體中文書": "zh", "οδοσ": "el", "ΟΔΟΣ": "el",
	} {
		expect(t, x, Query{Text: text}, want)
	}
}

func denseTests() map[string]func(*testing.T, Index) {
	return map[string]func(*testing.T, Index){
		"substrings of runs": func(t *testing.T, x Index) {
			put(t, x, doc("zh", "全新手工真皮双肩包", lang("zh")), doc("ja", "新品レザーバッグ", lang("ja")), doc("ko", "새가죽손가방", lang("ko")),
				doc("th", "กระเป๋าหนังแท้", lang("th")), doc("en", "plain bag"))
			for want, run := range map[string]string{"zh": "全新手工真皮双肩包", "ja": "新品レザーバッグ", "ko": "새가죽손가방", "th": "กระเป๋าหนังแท้"} {
				letters := []rune(run)
				for _, n := range []int{1, 2, 3, 4, len(letters)} {
					for i := 0; i+n <= len(letters); i++ {
						part := string(letters[i : i+n])
						if part == "新" || n == 1 && want == "th" {
							continue // also elsewhere; a lone Thai mark is no letter to look for
						}
						expect(t, x, Query{Text: part}, want)
					}
				}
			}
			expect(t, x, Query{Text: "新"}, "zh ja")
			expect(t, x, Query{Text: "手真"}, "")
		},
		"mixed with Latin": func(t *testing.T, x Index) {
			put(t, x, doc("one", "iPhone15手机壳 防摔"), doc("two", "新款T恤XL码"), doc("three", "手机"))
			expect(t, x, Query{Text: "iphone15 手机壳"}, "one")
			expect(t, x, Query{Text: "手机壳iPhone15"}, "one")
			expect(t, x, Query{Text: "T恤"}, "two")
			expect(t, x, Query{Text: "恤 xl"}, "two")
			expect(t, x, Query{Text: "手机"}, "one three")
		},
		"a run may stand for several words": func(t *testing.T, x Index) {
			put(t, x, doc("one", "手工真皮包，男士"), doc("two", "塑料盒"))
			expect(t, x, Query{Text: "手工皮包"}, "one")
		},
		"title before body in Chinese": func(t *testing.T, x Index) {
			put(t, x, doc("body", "好物", body("这里也有手机壳，手机壳，手机壳"), lang("zh")), doc("title", "透明手机壳 送挂绳", lang("zh")))
			expectOrder(t, x, Query{Text: "手机壳"}, "title body")
		},
	}
}
