package federation

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// takeGuards makes TestGuards do its work, which takes long: it compiles and tests the tree once for each guard.
var takeGuards = flag.Bool("guards", false, "take the guards against hostile input out of a copy of the tree, one at a time, and print the table of docs/security.md")

// TestGuards proves the suite of attacks: it takes one guard after another out of a copy of the tree and runs the test
// that must go red without it. A test that stays green fails, and so does a guard whose line is no longer there.
//
//	make guards
func TestGuards(t *testing.T) {
	if !*takeGuards {
		return // asked for, not tested: TestGuardsStand checks the list
	}
	copied := t.TempDir()
	copyTree(t, "..", copied)
	fmt.Println("| guard taken out | file | test that goes red | what comes through |\n|---|---|---|---|")
	for _, g := range guards() {
		t.Run(g.name, func(t *testing.T) {
			through, err := g.without(t, copied)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("| %s | `%s` | `%s` | %s |\n", g.name, g.file, g.test, through)
		})
	}
}

// The list is worth nothing when the code has moved on: a guard's line is where it says, once, and its test exists.
func TestGuardsStand(t *testing.T) {
	t.Parallel()
	for _, g := range guards() {
		if _, _, err := g.find(".."); err != nil {
			t.Errorf("%s: %v", g.name, err)
		}
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(g.pkg), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var found bool
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || bytes.Contains(source, []byte("func "+g.test+"(t *testing.T)"))
		}
		if !found {
			t.Errorf("%s: no %s in %q", g.name, g.test, g.pkg)
		}
	}
	if t.Failed() {
		t.Log("make guards takes the guards out by the lines that federation/guards_list_test.go names")
	}
}

// copyTree copies the files that git knows of, as they are now.
func copyTree(t *testing.T, root, to string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.Trim(string(names), "\x00"), "\x00") {
		body, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// find reads the file of the guard and where its line begins.
func (g guard) find(tree string) (source []byte, at int, err error) {
	source, err = os.ReadFile(filepath.Join(tree, filepath.FromSlash(g.file)))
	if err != nil {
		return nil, 0, err
	}
	if n := bytes.Count(source, []byte(g.line)); n != 1 {
		return nil, 0, fmt.Errorf("%q stands %d times in %s", g.line, n, g.file)
	}
	return source, bytes.Index(source, []byte(g.line)), nil
}

// without runs the guard's test in a tree that lacks the guard, and returns the first line that the test says.
func (g guard) without(t *testing.T, tree string) (string, error) {
	source, at, err := g.find(tree)
	if err != nil {
		return "", err
	}
	path := filepath.Join(tree, filepath.FromSlash(g.file))
	lacking := string(source[:at]) + g.instead + string(source[at+len(g.line):])
	if err := os.WriteFile(path, []byte(lacking), 0o600); err != nil {
		return "", err
	}
	defer os.WriteFile(path, source, 0o600)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "./"+g.pkg, "-count=1", "-run", "^"+g.test+"$")
	cmd.Dir = tree
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", fmt.Errorf("%s stays green", g.test)
	}
	if !bytes.Contains(out, []byte("--- FAIL: "+g.test)) {
		return "", fmt.Errorf("%s did not run: %s", g.test, out)
	}
	said := regexp.MustCompile(`(?m)^ +\w+_test\.go:\d+: (.*)$`).FindSubmatch(out)
	if said == nil {
		return "", nil
	}
	line := regexp.MustCompile(`127\.0\.0\.\d+:\d+`).ReplaceAllString(string(said[1]), "host.example")
	if len(line) > 120 {
		line = strings.ToValidUTF8(line[:120], "") + "..."
	}
	return strings.ReplaceAll(line, "|", `\|`), nil
}

// What docs/security.md says of the guards is about those of the list, all of them and in their order.
func TestGuardsAreWrittenDown(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, g := range guards() {
		want = append(want, fmt.Sprintf("| %s | `%s` | `%s` |", g.name, g.file, g.test))
	}
	for _, row := range regexp.MustCompile("(?m)^(\\| [^|]+ \\| `[^`|]+\\.go` \\| `Test[A-Za-z]+` \\|) .+ \\|$").FindAllSubmatch(text, -1) {
		got = append(got, string(row[1]))
	}
	for _, row := range want {
		if !slices.Contains(got, row) {
			t.Errorf("not there, or without what came through: %s (make guards prints it)", row)
		}
	}
	for _, row := range got {
		if !slices.Contains(want, row) {
			t.Errorf("no guard of the list: %s", row)
		}
	}
}

// Every fuzz target of the repository is named in docs/security.md, and has a corpus in testdata/fuzz; and the tests that are named there
// are somewhere.
func TestSecurityNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	found, tests := 0, map[string]bool{}
	err = filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, test := range regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`).FindAllSubmatch(source, -1) {
			tests[string(test[1])] = true
		}
		for _, target := range regexp.MustCompile(`(?m)^func (Fuzz[A-Za-z0-9]+)\(`).FindAllSubmatch(source, -1) {
			found++
			name := string(target[1])
			if inputs, err := filepath.Glob(filepath.Join(filepath.Dir(path), "testdata", "fuzz", name, "*")); err != nil || len(inputs) < 2 {
				t.Errorf("%s has %d inputs in testdata/fuzz, %v", name, len(inputs), err)
			}
			if !bytes.Contains(text, []byte("`"+name+"`")) {
				t.Errorf("docs/security.md says nothing of %s", name)
			}
		}
		return nil
	})
	if err != nil || found < 20 {
		t.Errorf("%d targets, %v", found, err)
	}
	for _, named := range regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllSubmatch(text, -1) {
		if !tests[string(named[1])] {
			t.Errorf("no %s", named[1])
		}
	}
}
