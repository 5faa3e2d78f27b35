package console

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"souk/themes"
)

func consoleWords(t *testing.T) *themes.Words {
	t.Helper()
	words, err := themes.NewWords(files, "locales/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	return words
}

// L-01, L-03: both languages complete, with the same placeholders, each message described.
func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	words := consoleWords(t)
	for _, flaw := range words.Flaws() {
		t.Error(flaw)
	}
	if got := strings.Join(words.Languages(), " "); got != "en zh-Hans" {
		t.Errorf("languages %q", got)
	}
}

var (
	quotedID  = regexp.MustCompile(`"([a-z_]+\.[a-z_0-9]+)"`)
	calledID  = regexp.MustCompile(`\b(?:t|tn) "([a-z_]+\.[a-z_0-9]+)"|\b(?:v\.t\(|words\.[TN]\([^,"]*, )"([a-z_]+\.[a-z_0-9]*[a-z0-9])"`)
	wordGroup = regexp.MustCompile(`\bword "([a-z_]+)"|"([a-z_]+)\.[a-z_]*" ?\+|word\("([a-z_]+)"`)
)

// TestMessagesAreUsed fails for a message that a page asks for and no file has, and for one that nothing asks for.
func TestMessagesAreUsed(t *testing.T) {
	t.Parallel()
	words := consoleWords(t)
	used, groups := map[string]bool{}, map[string]bool{}
	for _, pattern := range []string{"templates/*.html", "*.go"} {
		names, err := fs.Glob(os.DirFS("."), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range quotedID.FindAllStringSubmatch(string(body), -1) {
				used[m[1]] = true
			}
			for _, m := range calledID.FindAllStringSubmatch(string(body), -1) {
				if id := m[1] + m[2]; !words.Has(id) {
					t.Errorf("%s uses %s, which has no message", name, id)
				}
			}
			for _, m := range wordGroup.FindAllStringSubmatch(string(body), -1) {
				groups[m[1]+m[2]+m[3]] = true
			}
		}
	}
	for _, id := range words.IDs() {
		group, _, _ := strings.Cut(id, ".")
		if !used[id] && !groups[group] {
			t.Errorf("%s is not used", id)
		}
	}
}

var problemCode = regexp.MustCompile(`(?:\.Add|invalid)\([^,]+, "([a-z_]+)"`)

// TestProblemsHaveWords reads the codes that the domain uses: each that a form of the console can meet has a message.
func TestProblemsHaveWords(t *testing.T) {
	t.Parallel()
	words := consoleWords(t)
	sources, err := filepath.Glob("../../*.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	for _, source := range sources {
		// What buyers and other nodes get wrong is told elsewhere.
		switch name := filepath.Base(source); {
		case strings.HasSuffix(name, "_test.go"), strings.HasSuffix(name, "_remote.go"), name == "order_place.go", name == "agreement_order.go":
			continue
		}
		body, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range problemCode.FindAllStringSubmatch(string(body), -1) {
			codes++
			if !words.Has("problem." + m[1]) {
				t.Errorf("%s: the problem %q has no message", filepath.Base(source), m[1])
			}
		}
	}
	if codes < 30 {
		t.Errorf("only %d codes found", codes)
	}
}
