package souk

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/text/unicode/norm"
)

func TestRenderMarkdown(t *testing.T) {
	t.Parallel()
	links := Links{BaseURL: "https://shop.example", Mentions: map[string]string{"anna": "https://shop.example/@anna", "ben@far.example": "https://far.example/@ben"}}
	r := RenderMarkdown("Hi @anna and @Ben@far.example, see #Mugs and #杯子 & `#code` <script>alert(1)</script> https://far.example/@anna #2024", links)
	page, err := goquery.NewDocumentFromReader(strings.NewReader(r.HTML))
	if err != nil {
		t.Fatal(err)
	}
	if n := page.Find("a.u-url.mention").Length(); n != 2 {
		t.Errorf("%d mentions in %s", n, r.HTML)
	}
	if !slices.Equal(r.Tags, []string{"Mugs", "杯子"}) {
		t.Errorf("tags %v", r.Tags)
	}
	if page.Find("script").Length() != 0 || page.Find("code").Text() != "#code" {
		t.Errorf("%s", r.HTML)
	}
	page.Find("a").Each(func(_ int, a *goquery.Selection) {
		if !strings.Contains(a.AttrOr("rel", ""), "nofollow") {
			t.Errorf("a link without nofollow: %s", a.AttrOr("href", ""))
		}
	})
}

func TestHandlesAreNotTakenFromLinksAndCode(t *testing.T) {
	t.Parallel()
	got := Handles("@anna, @anna and (@Ben@Far.example). Not https://far.example/@owner, not [this](https://far.example/@seller), not `@code`, not mail@far.example")
	if want := [][2]string{{"anna", ""}, {"ben", "far.example"}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestSanitiseKeepsToItself(t *testing.T) {
	t.Parallel()
	for _, fragment := range []string{
		`text</ul></blockquote>`, `<a href="https://far.example/">never closed`, `<ul><li><pre><h1>open`, `</p></a><b>`,
		`<p>one<p>two`, `<b><i>crossed</b></i>`, strings.Repeat("<blockquote>", 2000) + "deep",
	} {
		got := Sanitise(fragment)
		if !balanced(got) {
			t.Errorf("%.60q became %.200q", fragment, got)
		}
		page, err := goquery.NewDocumentFromReader(strings.NewReader(`<ul id=around>` + got + `</ul><p id=after>after</p>`))
		if err != nil {
			t.Fatal(err)
		}
		if page.Find("#around #after, a #after, b #after, pre #after").Length() != 0 || page.Find("#after").Length() != 1 {
			t.Errorf("%.60q reaches what stands after it: %.200q", fragment, got)
		}
	}
	if got, want := Sanitise(`<p>It's <br>"fine"</p>`), `<p>It&#39;s <br>&#34;fine&#34;</p>`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTextsCanBeStored(t *testing.T) {
	t.Parallel()
	for name, got := range map[string]string{"sanitise": Sanitise("a\x00b\xffc"), "plain": Plain("a\x00b\xffc"), "truncate": truncate("a\x00b\xffc", 10)} {
		if strings.ContainsRune(got, 0) || !utf8.ValidString(got) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestParseMoney(t *testing.T) {
	t.Parallel()
	for _, good := range []struct {
		text, currency string
		amount         int64
	}{{"24", "EUR", 2400}, {"24,5", "EUR", 2450}, {" 24.50 ", "EUR", 2450}, {"２４．５０", "EUR", 2450}, {"168", "JPY", 168}, {"1.234", "KWD", 1234}, {"0", "EUR", 0}, {"007", "EUR", 700}} {
		if m, err := ParseMoney(good.text, good.currency); err != nil || m.Amount != good.amount {
			t.Errorf("%q %s: %v %v", good.text, good.currency, m, err)
		}
	}
	for _, bad := range [][2]string{{"", "EUR"}, {".5", "EUR"}, {"5.", "EUR"}, {"1.234", "EUR"}, {"1,234", "EUR"}, {"1.2.3", "EUR"}, {"-1", "EUR"}, {"+1", "EUR"},
		{"1e3", "EUR"}, {"168.0", "JPY"}, {"9999999999999", "EUR"}, {"1", "eur"}, {"1", "EURO"}, {"1", ""}, {"1,234", "KWD"}} {
		var wrong *Invalid
		if m, err := ParseMoney(bad[0], bad[1]); !errors.As(err, &wrong) {
			t.Errorf("%q %s: %v %v", bad[0], bad[1], m, err)
		}
	}
}

func TestFoldTag(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"#Töpfe": "topfe", "ＴＥＡ": "tea", "＃Café": "cafe", "Łódź": "lodz", "Ǿre": "ore", "ﾏｸﾞ": "マグ", "がま": "がま", "чай": "чай", "한국": "한국",
		"İstanbul": "istanbul", "ไทย": "ไทย", "हिंदी": "हिंदी"} {
		if got := FoldTag(tag); got != norm.NFKC.String(want) || FoldTag(got) != got {
			t.Errorf("%s folds to %q, and that to %q", tag, got, FoldTag(got))
		}
	}
}

func TestSanitiseKeepsWhatMastodonKeeps(t *testing.T) {
	t.Parallel()
	for _, kept := range []string{`<ruby>窯<rp>(</rp><rt>かま</rt><rp>)</rp></ruby>`, `<ol start="3" reversed=""><li value="5">x</li></ol>`, `<blockquote><p>q</p></blockquote><pre><code>c</code></pre>`,
		`<p><del>d</del><s>s</s><b>b</b><i>i</i><em>e</em><strong>s</strong><u>u</u><br/></p>`, `<span class="invisible">https://</span><span class="ellipsis" translate="no">a.example/long</span>`,
		`<p class="quote-inline">RE: x</p>`} {
		if got := Sanitise(kept); got != kept {
			t.Errorf("%s became %s", kept, got)
		}
	}
	for given, want := range map[string]string{`<a href="gemini://a.example">text</a>`: "text", `<table><tr><td>a</td></tr></table>`: "a", `<p class="evil mention">x</p>`: "<p>x</p>",
		`<span style="color:red" onclick="x()">x</span>`: "<span>x</span>", `<h1 class="x">Mugs</h1><p>x</p><H6>less</H6>`: "<p><strong>Mugs</strong></p><p>x</p><p><strong>less</strong></p>",
		`<h2>never closed`: "<p><strong>never closed</strong></p>"} {
		if got := Sanitise(given); strings.TrimSpace(got) != want {
			t.Errorf("%s became %s", given, got)
		}
	}
}

func FuzzRenderMarkdown(f *testing.F) {
	for _, seed := range []string{"# Hi *there* @anna #tag", "[a](javascript:x) ![b](c) <b>", "`@anna`\n\n> #q\n\n1. x", "&#0;\x00\xff", "<a href=x>#t</a>", "＃全角 @a@b.c"} {
		f.Add(seed)
	}
	links := Links{BaseURL: "https://shop.example", Mentions: map[string]string{"anna": "https://shop.example/@anna"}}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 4*MaxPost {
			return
		}
		r := RenderMarkdown(source, links)
		safe(t, source, r.HTML)
		for _, tag := range r.Tags {
			if FoldTag(FoldTag(tag)) != FoldTag(tag) {
				t.Errorf("tag %q folds to %q, and that to %q", tag, FoldTag(tag), FoldTag(FoldTag(tag)))
			}
		}
		Handles(source)
	})
}

func FuzzSanitise(f *testing.F) {
	for _, seed := range []string{`<p>a<b>b</p>`, `</ul><a href="https://x">`, `<a href="javascript:x" onclick=x>y</a>`, "<\x00b>", `<svg><script>x</script></svg>`, `<p class="mention x">`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, fragment string) {
		if len(fragment) > maxRemotePost {
			return
		}
		got := Sanitise(fragment)
		safe(t, fragment, got)
		if headingTag.MatchString(got) {
			t.Errorf("%q became %q, with a heading", fragment, got)
		}
	})
}

// safe fails where HTML that is about to be stored could harm a page.
func safe(t *testing.T, from, got string) {
	t.Helper()
	if !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
		t.Errorf("%q became %q, which cannot be stored", from, got)
	}
	if !balanced(got) {
		t.Errorf("%q became %q, which is not closed in itself", from, got)
	}
	page, err := goquery.NewDocumentFromReader(strings.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	if page.Find("script, style, iframe, svg, img, form, input, [onclick], [style]").Length() != 0 {
		t.Errorf("%q became %q", from, got)
	}
	page.Find("[href]").Each(func(_ int, a *goquery.Selection) {
		href := strings.ToLower(strings.TrimSpace(a.AttrOr("href", "")))
		if strings.HasPrefix(href, "javascript:") || strings.HasPrefix(href, "data:") || strings.HasPrefix(href, "vbscript:") {
			t.Errorf("%q became %q", from, got)
		}
	})
}

func FuzzParseMoney(f *testing.F) {
	f.Add("24.50", "EUR")
	f.Add("１２，５", "KWD")
	f.Add("9999999999", "JPY")
	f.Fuzz(func(t *testing.T, text, currency string) {
		m, err := ParseMoney(text, currency)
		if err != nil {
			return
		}
		if m.Amount < 0 || m.Amount > MaxAmount {
			t.Errorf("%q is %d", text, m.Amount)
		}
		if again, err := ParseMoney(m.Decimal(), currency); err != nil || again != m {
			t.Errorf("%q is %v, written %q, read %v %v", text, m, m.Decimal(), again, err)
		}
	})
}

func FuzzSlug(f *testing.F) {
	for _, seed := range []string{"Blue Mug", "手工 陶瓷杯", "ﷺﷺﷺ", "../..", "a\u0301", "İstanbul", "\x00\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, title string) {
		slug := Slug(title)
		if n := utf8.RuneCountInString(slug); n > 61 || strings.ContainsAny(slug, "/?#%. \x00") || !utf8.ValidString(slug) || strings.HasPrefix(slug, "-") {
			t.Errorf("%q became %q", title, slug)
		}
		if again := Slug(slug); again != slug && utf8.RuneCountInString(slug) < 60 {
			t.Errorf("%q became %q and then %q", title, slug, again)
		}
	})
}
