package themes

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// L-01, L-03: both languages complete, with the same placeholders, each message described.
func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	words := load(t).Words()
	for _, flaw := range words.Flaws() {
		t.Error(flaw)
	}
	if got := strings.Join(words.Languages(), " "); got != "en zh-Hans" {
		t.Errorf("languages %q", got)
	}
}

var (
	usedMessage = regexp.MustCompile(`\b(?:t|tn) "([a-z_]+\.[a-z_]+)"`)
	usedGroup   = regexp.MustCompile(`\bword "([a-z_]+)"`)
)

// TestMessagesAreUsed fails for a message that a template uses and no file has, and for one that nothing uses.
func TestMessagesAreUsed(t *testing.T) {
	t.Parallel()
	words := load(t).Words()
	used, groups := map[string]bool{}, map[string]bool{}
	err := fs.WalkDir(embedded, "default", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".html") {
			return err
		}
		body, err := fs.ReadFile(embedded, name)
		for _, m := range usedMessage.FindAllStringSubmatch(string(body), -1) {
			used[m[1]] = true
			if !words.Has(m[1]) {
				t.Errorf("%s uses %s, which has no message", name, m[1])
			}
		}
		for _, m := range usedGroup.FindAllStringSubmatch(string(body), -1) {
			groups[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"time.now", "time.minutes", "time.hours", "time.days", ProblemRequired, ProblemReach, ProblemEmail, ProblemPhone,
		ProblemCountry, ProblemQuantity, ProblemVariant, ProblemPayment, ProblemDelivery, ProblemLong, ProblemSoldOut, ProblemFew, ProblemPriceChanged,
		ProblemNumber, ProblemHandle, ProblemUnreachable, ProblemSearch, ProblemTarget} {
		used[id] = true
		if !words.Has(id) {
			t.Errorf("%s has no message", id)
		}
	}
	for _, id := range words.IDs() {
		group, _, _ := strings.Cut(id, ".")
		if !used[id] && !groups[group] {
			t.Errorf("%s is not used", id)
		}
	}
}

func TestMatchLanguage(t *testing.T) {
	t.Parallel()
	words := load(t).Words()
	for in, want := range map[string]string{
		"en": "en", "zh-Hans": "zh-Hans", "zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-SG": "zh-Hans", "en-GB": "en", "": "en", "xx-!!": "en", "de": "en",
		"de, zh;q=0.8, en;q=0.5": "zh-Hans", "zh-CN,zh;q=0.9,en;q=0.8": "zh-Hans",
	} {
		if got := words.Match(in); got != want {
			t.Errorf("Match(%q) = %q, want %q", in, got, want)
		}
	}
}

// L-04: plural forms and figures.
func TestPlurals(t *testing.T) {
	t.Parallel()
	words := load(t).Words()
	for n, want := range map[int]string{0: "0 replies", 1: "1 reply", 2: "2 replies", 11: "11 replies", 1234: "1,234 replies"} {
		if got := words.N("en", "post.replies", n); got != want {
			t.Errorf("N(en, %d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 条回复", 1: "1 条回复", 1234: "1,234 条回复"} {
		if got := words.N("zh", "post.replies", n); got != want {
			t.Errorf("N(zh, %d) = %q, want %q", n, got, want)
		}
	}
}

func TestWordsFindFlaws(t *testing.T) {
	t.Parallel()
	words, err := NewWords(fstest.MapFS{
		"l/en.toml":      {Data: []byte("[a]\nb = { description = \"d\", other = \"Hello {{.Name}}\" }\nc = { description = \"d\", other = \"C\" }\nd = \"undescribed\"\n")},
		"l/zh-Hans.toml": {Data: []byte("[a]\nb = \"你好 {{.Nmae}}\"\nd = \"丁\"\ne = \"戊\"\n")},
	}, "l/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(words.Flaws(), "\n")
	for _, want := range []string{"en: a.d has no description", "zh-Hans: a.b has other placeholders", "zh-Hans: a.c is missing", "zh-Hans: a.e is not in English"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if s := words.T("zh", "a.c"); s != "C" {
		t.Errorf("missing message reads %q, want the English", s)
	}
	if s := words.T("zh", "a.zzz"); s != "a.zzz" {
		t.Errorf("unknown message reads %q, want its id", s)
	}
	if s := words.T("en", "a.b", "Name", "Mira"); s != "Hello Mira" {
		t.Errorf("placeholder: %q", s)
	}
}

// TestWordsOfTheTable keeps the words that design decided, and out those that it decided against.
func TestWordsOfTheTable(t *testing.T) {
	t.Parallel()
	words := load(t).Words()
	for id, want := range map[string][2]string{
		"follow.button": {"Follow", "关注"}, "nav.products": {"Products", "商品"}, "facet.node": {"Node", "节点"}, "foot.console": {"Console", "管理台"},
		"follow.handle": {"Handle", "账号地址"}, "talk.title": {"Conversation", "对话"}, "order_state.paid": {"Paid", "已付款"}, "order_state.shipped": {"Shipped", "已发货"},
	} {
		if en, zh := words.T("en", id), words.T("zh-Hans", id); en != want[0] || zh != want[1] {
			t.Errorf("%s is %q, %q", id, en, zh)
		}
	}
	for _, id := range words.IDs() {
		en, zh := strings.ToLower(words.messages["en"][id].Other), words.messages["zh-Hans"][id].Other
		for _, not := range []string{"subscribe", "retweet", "instance", "server", "username", "comment", "dashboard", "oops", "!"} {
			if strings.Contains(en, not) && !strings.Contains(en, "{{.server}}") {
				t.Errorf("%s says %q: %q", id, not, en)
			}
		}
		for _, not := range []string{"服务器", "实例", "订阅我们", "评论", "后台", "粉丝", "！"} {
			if strings.Contains(zh, not) {
				t.Errorf("%s says %q: %q", id, not, zh)
			}
		}
	}
}
