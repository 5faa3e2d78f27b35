package themes

import (
	"html/template"
	"strings"
	"testing"
	"time"
)

func helper(t *testing.T, lang string) *helpers {
	t.Helper()
	return load(t).helpers(lang, nil)
}

// L-05: CLDR signs and digits; goldens after CLDR 46.
func TestFormatMoney(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang     string
		amount   int64
		currency string
		narrow   bool
		want     string
	}{
		{"en", 2400, "EUR", false, "€24.00"}, {"zh-Hans", 2400, "EUR", false, "€24.00"},
		{"en", 16800, "CNY", false, "CN¥168"}, {"en", 16800, "CNY", true, "¥168"}, {"zh-Hans", 16800, "CNY", false, "¥168"}, {"zh", 16850, "CNY", false, "¥168.50"},
		{"en", 1200, "JPY", false, "¥1,200"}, {"zh", 1200, "JPY", false, "JP¥1,200"}, {"zh", 1200, "JPY", true, "¥1,200"},
		{"en", 1250, "KWD", false, "KWD\u00a01.250"}, {"en", 5, "KWD", false, "KWD\u00a00.005"},
		{"en", 123456789, "USD", false, "$1,234,567.89"}, {"zh", 123456789, "USD", false, "US$1,234,567.89"},
		{"en", -500, "EUR", false, "-€5.00"}, {"en", 0, "EUR", false, "€0.00"}, {"en", 7, "EUR", false, "€0.07"},
		{"en", 9900, "SEK", false, "SEK\u00a099.00"}, {"en", 9900, "SEK", true, "kr\u00a099.00"}, {"en", 9900, "CHF", true, "CHF\u00a099.00"},
		{"en", 100000, "TWD", false, "NT$1,000.00"}, {"en", 100000, "CAD", false, "CA$1,000.00"},
		{"en", -9223372036854775808, "JPY", false, "-¥9,223,372,036,854,775,808"},
	} {
		if got := FormatMoney(c.lang, c.amount, c.currency, c.narrow); got != c.want {
			t.Errorf("FormatMoney(%s, %d %s, %v) = %q, want %q", c.lang, c.amount, c.currency, c.narrow, got, c.want)
		}
	}
}

// L-06: relative up to seven days, then the day in the zone of the time.
func TestRelativeTime(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("CST", 8*3600)
	for _, c := range []struct {
		lang string
		at   time.Time
		want string
	}{
		{"en", noon, "just now"}, {"en", noon.Add(time.Minute), "just now"}, {"en", noon.Add(-time.Minute), "1 minute ago"}, {"en", noon.Add(-59 * time.Minute), "59 minutes ago"},
		{"zh-Hans", noon.Add(-2 * time.Hour), "2 小时前"}, {"en", noon.Add(-167 * time.Hour), "6 days ago"},
		{"en", noon.Add(-168 * time.Hour), "November 16, 2026"}, {"zh-Hans", noon.Add(-168 * time.Hour), "2026年11月16日"},
		{"en", time.Date(2026, 1, 1, 20, 0, 0, 0, time.UTC).In(shanghai), "January 2, 2026"}, {"en", noon.Add(time.Hour), "November 23, 2026"},
	} {
		got := string(helper(t, c.lang).relTime(c.at))
		if want := `<time datetime="` + c.at.Format(time.RFC3339) + `">` + c.want + `</time>`; got != want {
			t.Errorf("%s %v: %s, want %s", c.lang, c.at, got, want)
		}
	}
	if got := helper(t, "en").relTime(time.Time{}); got != "" {
		t.Errorf("no time is %q", got)
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	family, flag, accent := "👩‍👩‍👧", "🇨🇳", "e\u0301"
	for _, c := range []struct {
		n        int
		in, want string
	}{
		{5, "short", "short"}, {5, "", ""}, {0, "x", "…"}, {12, "Celadon tea cup", "Celadon tea…"}, {4, "青瓷茶杯，好", "青瓷茶杯…"}, {5, "青瓷茶杯，好", "青瓷茶杯…"},
		{1, family + family, family + "…"}, {1, flag + flag, flag + "…"}, {2, accent + accent + accent, accent + accent + "…"}, {2, "👍🏽👍🏽", "👍🏽👍🏽"},
		{3, "aaaaaa", "aaa…"}, {2, "\u200d\u200d", "\u200d\u200d"},
	} {
		if got := truncate(c.n, c.in); got != c.want {
			t.Errorf("truncate(%d, %q) = %q, want %q", c.n, c.in, got, c.want)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	in := RichText{HTML: template.HTML("<p>One &amp; <b>two</b></p><p>three<br>four <a href='x'>#fi<span>ve</span></a></p>")}
	if got, want := plain(in), "One &amp; two three four #five"; got != strings.ReplaceAll(want, "&amp;", "&") {
		t.Errorf("plain = %q", got)
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	h := helper(t, "en")
	p := Picture{URL: "/media/a.webp", Sizes: []PictureSize{{"/media/a-320.webp", 320}, {"javascript:x", 640}}, Width: 4, Height: 5, Alt: `a "cup"`, FocalX: -1, FocalY: 1, Colour: "#ff8000"}
	got, err := h.img(&p, "card", "unused", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`src="/media/a.webp"`, `srcset="/media/a-320.webp 320w"`, `sizes="`, `width="4" height="5"`, `alt="a &#34;cup&#34;"`, `class="fx0 fy0 tone21"`, `loading="lazy"`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	first, err := h.img(Picture{URL: "/x.jpg"}, "shot", `"cup`, true)
	if err != nil || strings.Contains(string(first), "lazy") || !strings.Contains(string(first), `fetchpriority="high"`) || !strings.Contains(string(first), `alt="&#34;cup"`) {
		t.Errorf("first picture: %s, %v", first, err)
	}
	for _, bad := range []string{"javascript:alert(1)", "data:image/svg+xml,<svg/>", "", ":"} {
		if got, err := h.img(Picture{URL: bad}, "card", "", false); got != "" || err != nil {
			t.Errorf("%q gives %q, %v", bad, got, err)
		}
	}
	if _, err := h.img(p, "nowhere", "", false); err == nil {
		t.Error("an unknown place is no error")
	}
	if got, err := h.img((*Picture)(nil), "card", "", false); got != "" || err != nil {
		t.Errorf("no picture gives %q, %v", got, err)
	}
}

func TestToneAndFocusHaveClasses(t *testing.T) {
	t.Parallel()
	css := toneCSS()
	for _, c := range []string{"#000000", "#ffffff", "#7f7f7f", "#ff0080"} {
		if class := toneClass(c); class == "" || !strings.Contains(css, "."+class+"{") {
			t.Errorf("%s has class %q without a rule", c, class)
		}
	}
	for _, c := range []string{"", "red", "#12345", "#gggggg", "1234567"} {
		if class := toneClass(c); class != "" {
			t.Errorf("%q has class %q", c, class)
		}
	}
	for _, v := range []float64{-5, -1, -0.4, 0.1, 1, 5} {
		for _, class := range strings.Fields(focalClass(Picture{FocalX: v, FocalY: -v})) {
			if !strings.Contains(css, "."+class+"{") {
				t.Errorf("focal point %v has class %q without a rule", v, class)
			}
		}
	}
}

func TestSmallHelpers(t *testing.T) {
	t.Parallel()
	en, zh := helper(t, "en"), helper(t, "zh-Hans")
	for _, c := range []struct{ got, want any }{
		{handle("@a@<b>.example"), template.HTML(`<bdi dir="ltr">@a@&lt;b&gt;.example</bdi>`)},
		{en.langAttr("zh-Hant"), template.HTMLAttr(`lang="zh-Hant" dir="auto"`)}, {en.langAttr("en"), template.HTMLAttr("")}, {en.langAttr(`x" on`), template.HTMLAttr("")},
		{en.country("DE"), "Germany"}, {zh.country("DE"), "德国"}, {en.country("??"), "??"},
		{hostOf("@a@b.example"), "b.example"}, {en.word("spec", "weight"), "Weight"}, {zh.word("spec", "glaze"), "glaze"},
		{absolute("https://a.example", "/b"), "https://a.example/b"}, {absolute("https://a.example", "https://c.example/b"), "https://c.example/b"}, {absolute("https://a.example", "//c.example"), "//c.example"},
		{paragraphs("a\r\n<b>\n"), template.HTML("a<br>&lt;b&gt;")},
		{(&helpers{lang: "ar"}).dir(), "rtl"}, {en.dir(), "ltr"},
	} {
		if c.got != c.want {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	code, err := qr("https://qingshan.example/@qingshan", `<Follow>`)
	if err != nil || !strings.Contains(string(code), "<title>&lt;Follow&gt;</title>") || !strings.Contains(string(code), `fill="#000" d="M4 4h7v1h-7z`) {
		t.Errorf("qr: %.300s, %v", code, err)
	}
	if _, err := qr(strings.Repeat("x", 5000), ""); err == nil {
		t.Error("a text too long for a code is no error")
	}
}
