package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// OldestVersion is the oldest major version of PostgreSQL that a node works with.
const OldestVersion = 14

// ErrNoBinaries says that no PostgreSQL is installed; its text says how to install one.
var ErrNoBinaries = errors.New("PostgreSQL is not installed (Debian, Ubuntu: apt install postgresql; Fedora: dnf install postgresql-server; " +
	"Alpine: apk add postgresql; macOS: brew install postgresql; or name a database with SOUK_DATABASE_URL)")

// ErrVersion says that the data was written by another major version of PostgreSQL than the installed ones, or that
// those are too old.
type ErrVersion struct {
	Dir  string // the data, "" where none was made yet
	Need int    // the major version that it needs; without data, the oldest that will do
	Have []int  // the major versions that are installed
}

func (e *ErrVersion) Error() string {
	if e.Dir == "" {
		return fmt.Sprintf("PostgreSQL %d or later is needed, and the installed versions are %v", e.Need, e.Have)
	}
	return fmt.Sprintf("the database in %s was made by PostgreSQL %d, and the installed versions are %v: install version %d "+
		"(Debian, Ubuntu: apt install postgresql-%d), or move the data to another one with pg_upgrade; nothing was changed", e.Dir, e.Need, e.Have, e.Need, e.Need)
}

// binaries are the programs of one installed PostgreSQL.
type binaries struct {
	dir   string
	major int
}

func (b binaries) postgres() string { return filepath.Join(b.dir, "postgres") }
func (b binaries) initdb() string   { return filepath.Join(b.dir, "initdb") }

// places are the folders in which distributions put the programs of PostgreSQL.
var places = [...]string{
	"/usr/lib/postgresql/*/bin",      // Debian, Ubuntu
	"/usr/pgsql-*/bin",               // the packages of postgresql.org for Fedora and its like
	"/usr/libexec/postgresql*",       // Alpine
	"/usr/local/pgsql/bin",           // from source
	"/usr/local/opt/postgresql*/bin", // Homebrew on Intel
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/lib/postgresql*/bin",
	"/usr/bin", "/usr/local/bin",
}

// findBinaries returns the programs of major version need, or of the newest version installed when need is 0. A named
// folder is the only one looked at. Errors: ErrNoBinaries, *ErrVersion.
func findBinaries(ctx context.Context, named string, need int) (binaries, error) {
	found, err := installed(ctx, named)
	if err != nil {
		return binaries{}, err
	}
	if len(found) == 0 {
		if named != "" {
			return binaries{}, fmt.Errorf("there are no postgres and initdb in %s: %w", named, ErrNoBinaries)
		}
		return binaries{}, ErrNoBinaries
	}
	best := slices.MaxFunc(found, func(a, b binaries) int { return a.major - b.major })
	if need == 0 && best.major >= OldestVersion {
		return best, nil
	}
	var have []int
	for _, b := range found {
		if b.major == need {
			return b, nil
		}
		have = append(have, b.major)
	}
	slices.Sort(have)
	if need == 0 {
		need = OldestVersion
	}
	return binaries{}, &ErrVersion{Need: need, Have: slices.Compact(have)}
}

// FindTool returns the path of a program of PostgreSQL, such as pg_dump, from the newest version installed that has it.
func FindTool(ctx context.Context, named, name string) (string, error) {
	found, err := installed(ctx, named)
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return b.major - a.major })
	for _, b := range found {
		if path := filepath.Join(b.dir, name); executable(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, ErrNoBinaries)
}

// installed lists what is installed: in the named folder, or in PATH first, then where distributions put it.
func installed(ctx context.Context, named string) ([]binaries, error) {
	var dirs []string
	if named != "" {
		dirs = []string{named}
	} else {
		if path, err := exec.LookPath("initdb"); err == nil {
			if path, err = filepath.EvalSymlinks(path); err == nil {
				dirs = append(dirs, filepath.Dir(path))
			}
		}
		for _, pattern := range places {
			matches, err := filepath.Glob(pattern)
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, matches...)
		}
	}
	var found []binaries
	for _, dir := range dirs {
		b := binaries{dir: dir}
		if !executable(b.postgres()) || !executable(b.initdb()) {
			continue
		}
		var err error
		if b.major, err = majorOf(ctx, b.postgres()); err != nil {
			return nil, err
		}
		found = append(found, b)
	}
	return found, nil
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// majorOf asks a program of PostgreSQL for its major version ("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)").
func majorOf(ctx context.Context, path string) (int, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("%s --version: %w", path, err)
	}
	match := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("%s --version says %q, which is no version of PostgreSQL", path, out)
	}
	return strconv.Atoi(string(match[1]))
}
