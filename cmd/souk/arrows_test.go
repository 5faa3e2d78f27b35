package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The arrows of the tree, as doc.go and architecture tell them:
//
//	cmd -> server -> { federation, search } -> souk;   server -> themes;   cmd -> migrations
//
// An arrow includes those behind it: cmd may import all. themes and migrations import nothing of ours.

const module = "souk"

// layers are the top-level directories that hold Go, with the layers that each may import. "" is the root package.
func layers() map[string][]string {
	return map[string][]string{
		"cmd":        {"server", "federation", "search", "", "themes", "migrations"},
		"server":     {"federation", "search", "", "themes"},
		"federation": {""},
		"search":     {""},
		"":           {},
		"themes":     {},
		"migrations": {},
	}
}

// testsMayAdd is what tests of every layer may import besides.
const testsMayAdd = module + "/migrations/pgtest"

// onlyIn keeps foreign packages in the layers that they belong to. A name ending in "/" stands for all below it.
// Tests are free: they play clients and other servers.
func onlyIn() map[string][]string {
	return map[string][]string{
		"net/http":                         {"cmd", "server", "federation", "search", "themes"},
		"html/template":                    {"server", "themes"},
		"github.com/labstack/echo/":        {"server"},
		"github.com/go-fed/":               {"federation"},
		"github.com/dunglas/httpsfv":       {"federation"},
		"github.com/meilisearch/":          {"search"},
		"github.com/chromedp/":             {},
		"github.com/caddyserver/certmagic": {"server", "cmd"},
		"golang.org/x/crypto/acme/":        {"server", "cmd"},
		"github.com/spf13/cobra":           {"cmd"},
	}
}

// goPackage is what go list -json tells of one package.
type goPackage struct {
	ImportPath, ForTest                string
	Module                             *struct{ Path string }
	Imports, TestImports, XTestImports []string
}

// layerOf is the top-level directory of one of our packages, "" for the root; ours tells whether it is one.
func layerOf(path string) (layer string, ours bool) {
	if path == module {
		return "", true
	}
	rest, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return "", false
	}
	layer, _, _ = strings.Cut(rest, "/")
	return layer, true
}

// brokenArrows lists every import that goes against the arrows. packages are the packages of the module; every
// package imported by them directly is judged, so that a chain of imports is judged link by link.
func brokenArrows(packages []goPackage) (broken []string) {
	for _, p := range packages {
		from, ours := layerOf(p.ImportPath)
		if !ours {
			continue
		}
		if _, known := layers()[from]; !known {
			broken = append(broken, fmt.Sprintf("%s: no Go belongs into the top-level folder %s", p.ImportPath, from))
			continue
		}
		for _, to := range p.Imports {
			if why := cmp.Or(brokenArrow(from, to), strayImport(from, to)); why != "" {
				broken = append(broken, p.ImportPath+" imports "+to+": "+why)
			}
		}
		for _, to := range slices.Concat(p.TestImports, p.XTestImports) {
			if why := brokenArrow(from, to); why != "" && to != testsMayAdd {
				broken = append(broken, "tests of "+p.ImportPath+" import "+to+": "+why)
			}
		}
	}
	slices.Sort(broken)
	return slices.Compact(broken)
}

// brokenArrow says why a package of the layer from may not import to, if that is one of ours, or "".
func brokenArrow(from, to string) string {
	layer, ours := layerOf(to)
	switch {
	case !ours || layer == from:
		return ""
	case to == testsMayAdd:
		return "pgtest is for tests"
	case !slices.Contains(layers()[from], layer):
		return "against the arrows"
	}
	return ""
}

// strayImport says why no code of the layer from may import the foreign package to, or "".
func strayImport(from, to string) string {
	for name, home := range onlyIn() {
		if (to == name || strings.HasSuffix(name, "/") && strings.HasPrefix(to, name)) && !slices.Contains(home, from) {
			return "belongs into " + cmp.Or(strings.Join(home, ", "), "tests")
		}
	}
	return ""
}

// ownPackages lists the packages of the module with the imports of their code and of their tests.
func ownPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test", "-json=ImportPath,ForTest,Module,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		// "souk.test" and "souk [souk.test]" are the same sources again, as linked for a test.
		if p.Module != nil && p.Module.Path == module && p.ForTest == "" && !strings.HasSuffix(p.ImportPath, ".test") {
			packages = append(packages, p)
		}
	}
}

func TestArrows(t *testing.T) {
	t.Parallel()
	packages := ownPackages(t)
	for _, must := range []string{module, module + "/cmd/souk"} {
		if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.ImportPath == must }) {
			t.Fatalf("go list did not list %s: nothing was checked", must)
		}
	}
	for _, line := range brokenArrows(packages) {
		t.Error(line)
	}
}

// Go outside the layers would not be listed under a layer's name, and a module of its own not at all.
func TestTopLevelFolders(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		_, layer := layers()[e.Name()]
		// tools is the module of the linter: its go.mod holds versions, and there is no Go in it.
		if !e.IsDir() || layer || e.Name() == ".git" {
			continue
		}
		err := filepath.WalkDir(filepath.Join(root, e.Name()), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") {
				t.Errorf("%s: no Go belongs into the top-level folder %s", path, e.Name())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestBrokenArrowsAreFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p    goPackage
		want string
	}{
		{goPackage{ImportPath: "souk/cmd/souk", Imports: []string{"souk/server", "souk", "souk/migrations/cluster", "souk/themes"}}, ""},
		{goPackage{ImportPath: "souk/server/web", Imports: []string{"souk/server/middleware", "souk/themes", "souk/search", "github.com/labstack/echo/v4"}}, ""},
		{goPackage{ImportPath: "souk/migrations/pgtest", Imports: []string{"souk/migrations", "souk/migrations/cluster"}}, ""},
		{goPackage{ImportPath: "souk", TestImports: []string{"souk/migrations/pgtest"}, XTestImports: []string{"souk/migrations/pgtest", "souk"}}, ""},

		{goPackage{ImportPath: "souk", Imports: []string{"souk/federation"}}, "souk imports souk/federation: against the arrows"},
		{goPackage{ImportPath: "souk", Imports: []string{"net/http"}}, "souk imports net/http: belongs into "},
		{goPackage{ImportPath: "souk", Imports: []string{"github.com/go-fed/activity/streams"}}, "souk imports github.com/go-fed/activity/streams: belongs into federation"},
		{goPackage{ImportPath: "souk/federation", Imports: []string{"souk/search"}}, "souk/federation imports souk/search: against the arrows"},
		{goPackage{ImportPath: "souk/search", Imports: []string{"souk/server/api"}}, "souk/search imports souk/server/api: against the arrows"},
		{goPackage{ImportPath: "souk/themes", Imports: []string{"souk"}}, "souk/themes imports souk: against the arrows"},
		{goPackage{ImportPath: "souk/migrations", Imports: []string{"souk"}}, "souk/migrations imports souk: against the arrows"},
		{goPackage{ImportPath: "souk/server", Imports: []string{"souk/migrations"}}, "souk/server imports souk/migrations: against the arrows"},
		{goPackage{ImportPath: "souk/server", Imports: []string{"souk/cmd/souk"}}, "souk/server imports souk/cmd/souk: against the arrows"},
		{goPackage{ImportPath: "souk/server", Imports: []string{"souk/migrations/pgtest"}}, "souk/server imports souk/migrations/pgtest: pgtest is for tests"},
		{goPackage{ImportPath: "souk/cmd/souk", Imports: []string{"github.com/labstack/echo/v4"}}, "souk/cmd/souk imports github.com/labstack/echo/v4: belongs into server"},
		{goPackage{ImportPath: "souk/server/web", Imports: []string{"github.com/chromedp/chromedp"}}, "souk/server/web imports github.com/chromedp/chromedp: belongs into tests"},
		{goPackage{ImportPath: "souk/federation", TestImports: []string{"souk/server"}}, "tests of souk/federation import souk/server: against the arrows"},
		{goPackage{ImportPath: "souk/themes", XTestImports: []string{"souk"}}, "tests of souk/themes import souk: against the arrows"},
		{goPackage{ImportPath: "souk/internal/helper"}, "souk/internal/helper: no Go belongs into the top-level folder internal"},
	} {
		got := strings.Join(brokenArrows([]goPackage{tt.p}), "\n")
		if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%+v: found %q, want %q", tt.p, got, tt.want)
		}
	}
}
