// Guards proves the suite of attacks: it takes one guard after another out of a copy of the tree and runs the test that
// must go red without it. A test that stays green, or a guard whose line is no longer there, is an error. It writes the
// table of docs/security.md.
//
//	go run ./guards [-run REGEXP] ROOT
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	only := flag.String("run", "", "only guards whose name matches")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: guards [-run REGEXP] ROOT")
		os.Exit(2)
	}
	if err := prove(flag.Arg(0), *only); err != nil {
		fmt.Fprintln(os.Stderr, "guards:", err)
		os.Exit(1)
	}
}

func prove(root, only string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	copied, err := os.MkdirTemp("", "guards")
	if err != nil {
		return err
	}
	defer os.RemoveAll(copied)
	if err := copyTree(root, copied); err != nil {
		return err
	}
	fmt.Println("| guard taken out | file | test that goes red | what comes through |\n|---|---|---|---|")
	var failed error
	for _, g := range guards {
		if !match.MatchString(g.name) {
			continue
		}
		through, err := g.without(copied)
		if err != nil {
			fmt.Fprintf(os.Stderr, "guards: %s: %v\n", g.name, err)
			failed = errors.New("not every guard is proved")
			continue
		}
		fmt.Printf("| %s | `%s` | `%s` | %s |\n", g.name, g.file, g.test, through)
	}
	return failed
}

// copyTree copies the files that git knows of, as they are now.
func copyTree(root, to string) error {
	list, err := output(root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for _, name := range strings.Split(strings.Trim(string(list), "\x00"), "\x00") {
		body, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, body, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// without runs the guard's test in a tree that lacks the guard, and returns the first line that the test says.
func (g guard) without(tree string) (string, error) {
	path := filepath.Join(tree, g.file)
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := bytes.Count(source, []byte(g.line)); n != 1 {
		return "", fmt.Errorf("%q stands %d times in %s", g.line, n, g.file)
	}
	if err := os.WriteFile(path, bytes.Replace(source, []byte(g.line), []byte(g.instead), 1), 0o644); err != nil {
		return "", err
	}
	defer os.WriteFile(path, source, 0o644)
	pkg := g.pkg
	if pkg == "" {
		pkg = "./federation"
	}
	out, err := output(tree, "go", "test", "-vet=off", pkg, "-count=1", "-run", "^"+g.test+"$")
	if err == nil {
		return "", fmt.Errorf("%s stays green", g.test)
	}
	if !bytes.Contains(out, []byte("--- FAIL: "+g.test)) {
		return "", fmt.Errorf("%s did not run: %s", g.test, out)
	}
	said := regexp.MustCompile(`(?m)^ +(\w+_test\.go:\d+: .*)$`).FindSubmatch(out)
	if said == nil {
		return "", nil
	}
	line := strings.ReplaceAll(string(said[1]), "|", `\|`)
	line = regexp.MustCompile(`^\w+_test\.go:\d+: `).ReplaceAllString(line, "")
	line = regexp.MustCompile(`127\.0\.0\.\d+:\d+`).ReplaceAllString(line, "host.example")
	if len(line) > 120 {
		line = line[:120] + "..."
	}
	return line, nil
}

func output(dir string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stderr = nil
	return cmd.Output()
}
