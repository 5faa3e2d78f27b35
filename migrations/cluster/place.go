package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A place is where the cluster of a data directory lies.
type place struct {
	home  string // the data directory, absolute, without links
	base  string // the folder of the cluster
	moved bool   // base is not in home
	fixed bool   // there is a cluster in base, or was one being made
}

func (p place) data() string   { return filepath.Join(p.base, "data") }
func (p place) logs() string   { return filepath.Join(p.base, "logs") }
func (p place) marker() string { return markerOf(p.home) }

// markerOf is the file in a data directory that names the place of a cluster which lies elsewhere: its path, and on a
// second line "ready" once it was made. It goes with the data directory when that is renamed, and away when that is
// deleted: a new data directory never finds an old database.
func markerOf(home string) string { return filepath.Join(home, "postgres.moved") }

// version is the major version in PG_VERSION, 0 where no cluster was made yet.
func (p place) version() (int, error) {
	text, err := os.ReadFile(filepath.Join(p.data(), "PG_VERSION"))
	switch {
	case err == nil:
		major, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return 0, fmt.Errorf("%s names no version of PostgreSQL", filepath.Join(p.data(), "PG_VERSION"))
		}
		return major, nil
	case !errors.Is(err, fs.ErrNotExist):
		return 0, err
	}
	entries, err := os.ReadDir(p.data())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if len(entries) > 0 {
		return 0, fmt.Errorf("%s holds files, but no PG_VERSION: it is no cluster of PostgreSQL, or a damaged one", p.data())
	}
	return 0, nil
}

// locate finds the cluster of home. Where there is none it says where one belongs; settle has the last word.
func locate(cfg Config, home string) (place, error) {
	inside := place{home: home, base: filepath.Join(home, "postgres")}
	_, err := os.Stat(filepath.Join(inside.data(), "PG_VERSION"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return place{}, err
	}
	inside.fixed = err == nil

	text, err := os.ReadFile(markerOf(home))
	if errors.Is(err, fs.ErrNotExist) {
		return inside, nil
	}
	if err != nil {
		return place{}, err
	}
	base, state, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if !filepath.IsAbs(base) {
		return place{}, fmt.Errorf("%s names no absolute path", markerOf(home))
	}
	if inside.fixed {
		return place{}, fmt.Errorf("there are two clusters, %s and %s: keep one, and delete %s to use the first", inside.base, base, markerOf(home))
	}
	outside := place{home: home, base: base, moved: true, fixed: true}
	if state == "ready" {
		if _, err := os.Stat(filepath.Join(outside.data(), "PG_VERSION")); err != nil {
			return place{}, fmt.Errorf("the database of this node is not where %s says: %w", markerOf(home), err)
		}
	}
	return outside, nil
}

// settle makes the folder of the cluster: in the data directory if the user of PostgreSQL can reach it there, else under
// the system directory. A cluster that exists is never left behind for a new one: that is an error.
func settle(ctx context.Context, cfg Config, p place, o owner, bin binaries) (place, error) {
	if err := o.runs(ctx, bin, "/"); err != nil {
		return place{}, fmt.Errorf("run %s as user %s: %w", bin.postgres(), o.name, err)
	}
	if err := makeBase(p, o); err != nil {
		return place{}, err
	}
	err := o.runs(ctx, bin, p.base)
	if err == nil {
		return p, nil
	}
	if p.fixed || !errors.Is(err, fs.ErrPermission) {
		return place{}, fmt.Errorf("user %s, whom PostgreSQL runs as, cannot reach %s (each folder above it must let others pass, mode o+x): %w", o.name, p.base, err)
	}
	if err := os.Remove(p.base); err != nil {
		return place{}, err
	}
	base, err := freeBase(cfg.SystemDir, p.home)
	if err != nil {
		return place{}, err
	}
	p = place{home: p.home, base: base, moved: true, fixed: true}
	if err := writeMarker(p, ""); err != nil {
		return place{}, err
	}
	if err := makeBase(p, o); err != nil {
		return place{}, err
	}
	if err := o.runs(ctx, bin, p.base); err != nil {
		return place{}, fmt.Errorf("user %s, whom PostgreSQL runs as, can reach neither the data directory nor %s: %w", o.name, p.base, err)
	}
	return p, nil
}

// freeBase is a path under the system directory, named after home, where nothing lies: what an earlier data directory of
// the same path left there is neither used nor touched.
func freeBase(systemDir, home string) (string, error) {
	name := filepath.Join(systemDir, nameOf(home))
	for n := 1; n < 1000; n++ {
		base := name
		if n > 1 {
			base = fmt.Sprintf("%s-%d", name, n)
		}
		if _, err := os.Lstat(base); errors.Is(err, fs.ErrNotExist) {
			return base, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s-* is full of old clusters: delete those that no node uses", name)
}

// nameOf is a short name for a data directory.
func nameOf(home string) string {
	sum := sha256.Sum256([]byte(home))
	return hex.EncodeToString(sum[:5])
}

func makeBase(p place, o owner) error {
	if p.moved {
		if err := os.MkdirAll(filepath.Dir(p.base), 0o755); err != nil {
			return err
		}
	}
	return o.makePrivate(p.base)
}

// writeMarker replaces the marker as a whole, so that a crash leaves the old one or the new one.
func writeMarker(p place, state string) error {
	next := p.marker() + ".new"
	if err := writeSynced(next, p.base+"\n"+state+"\n"); err != nil {
		return err
	}
	if err := os.Rename(next, p.marker()); err != nil {
		return err
	}
	return syncDir(p.home)
}

func writeSynced(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes the renames in a folder survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Remove deletes the cluster of cfg.Dir for good, and the data directory with it. It is for clusters that were made to
// be thrown away, as tests and the demonstration make them. ErrInUse when it runs.
func Remove(cfg Config) error {
	cfg = cfg.withDefaults()
	home, err := filepath.EvalSymlinks(cfg.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if home, err = filepath.Abs(home); err != nil {
		return err
	}
	held, err := tryLock(lockOf(home), true, "command")
	if err != nil {
		return fmt.Errorf("remove %s: %w", home, err)
	}
	defer held.release()
	text, err := os.ReadFile(markerOf(home))
	if err == nil {
		base, _, _ := strings.Cut(string(text), "\n")
		if filepath.Dir(base) == filepath.Clean(cfg.SystemDir) {
			err = os.RemoveAll(base)
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(home))
}
