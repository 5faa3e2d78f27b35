package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// initialise makes the files of a new cluster. They are made beside their place and moved there when complete: a start
// that was killed in the middle leaves nothing that looks like a cluster, and the next one begins again.
func initialise(ctx context.Context, cfg Config, p place, o owner, bin binaries) error {
	halves, err := filepath.Glob(filepath.Join(p.base, "new-*"))
	if err != nil {
		return err
	}
	for _, half := range halves {
		// Never served: what was served lies in data. The lock says that nobody is making it now.
		if err := os.RemoveAll(half); err != nil {
			return err
		}
	}
	cfg.Log.Info("making the private PostgreSQL", "dir", p.base, "version", bin.major)
	fresh, err := os.MkdirTemp(p.base, "new-")
	if err != nil {
		return err
	}
	if err := o.makePrivate(fresh); err != nil {
		return err
	}
	out, err := o.initdb(ctx, cfg, bin, fresh, "C.UTF-8")
	if err != nil && strings.Contains(out, "locale name") {
		// Systems without C.UTF-8 have no other locale that all of them have.
		out, err = o.initdb(ctx, cfg, bin, fresh, "C")
	}
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	// An empty folder may be there already; version made sure that it is not more.
	if err := os.Remove(p.data()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, p.data()); err != nil {
		return err
	}
	if p.moved {
		if err := writeMarker(p, "ready"); err != nil {
			return err
		}
	}
	return syncDir(p.base)
}

// initdb returns what the program said, which is the explanation when it failed.
func (o owner) initdb(ctx context.Context, cfg Config, bin binaries, dir, locale string) (string, error) {
	args := []string{
		"-D", dir, "-U", Role, "-E", "UTF8", "--locale=" + locale,
		"--auth-local=trust", "--auth-host=reject", "--data-checksums",
	}
	if cfg.Settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, bin.initdb(), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = filepath.Dir(dir), environment(), o.attributes(syscall.SIGTERM)
	cmd.Stdout, cmd.Stderr = &out, &out
	done := onOneThread(cmd)
	err := <-done
	if err == nil {
		err = <-done
	}
	return strings.TrimSpace(out.String()), err
}
