package federation

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// FEDERATION.md names a test for everything that it says works, and each of them exists.
func TestChecklist(t *testing.T) {
	t.Parallel()
	tests := testNames(t, "..")
	page, err := os.ReadFile("../FEDERATION.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "## What works, and the test that shows it")
	if !found {
		t.Fatal("FEDERATION.md has no table of what works")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	rows := regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \| (.+?) \| (.+?) \|(.*)\|$`).FindAllStringSubmatch(table, -1)
	if len(rows) < 40 {
		t.Errorf("the table has %d rows that can be read", len(rows))
	}
	for _, row := range rows {
		id, state := row[1], row[3]
		named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(row[4], -1)
		works := state == "works"
		if !works && state != "not yet" && !strings.HasPrefix(state, "partly: ") {
			t.Errorf("%s: the state is %q, not works, partly: ..., or not yet", id, state)
		}
		if works && len(named) == 0 {
			t.Errorf("%s works, and no test shows it", id)
		}
		for _, name := range named {
			if !tests[name[1]] {
				t.Errorf("%s: there is no test %s", id, name[1])
			}
		}
	}
}

// testNames are the names of all tests and fuzz targets below a folder.
func testNames(t *testing.T, root string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range function.FindAllSubmatch(source, -1) {
			names[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
