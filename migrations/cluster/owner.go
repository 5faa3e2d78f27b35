package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// An owner is the user that PostgreSQL runs as. PostgreSQL refuses to run as root, so root drops to another one.
type owner struct {
	name     string
	uid, gid uint32
	drop     bool // this process is root and gives its rights up for its children
}

// findOwner chooses the user: whoever has the data already, else the configured one, else the first that exists of
// souk, postgres and nobody. Only root can choose.
func findOwner(cfg Config, p place) (owner, error) {
	if os.Geteuid() != 0 {
		return owner{name: "of this process", uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}, nil
	}
	info, err := os.Stat(p.data())
	if err == nil && info.Sys().(*syscall.Stat_t).Uid != 0 {
		stat := info.Sys().(*syscall.Stat_t)
		return owner{name: strconv.Itoa(int(stat.Uid)), uid: stat.Uid, gid: stat.Gid, drop: true}, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return owner{}, err
	}
	names := []string{"souk", "postgres", "nobody"}
	if cfg.User != "" {
		names = []string{cfg.User}
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if _, unknown := errors.AsType[user.UnknownUserError](err); unknown {
			continue
		}
		if err != nil {
			return owner{}, err
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return owner{}, err
		}
		if uid == 0 {
			return owner{}, fmt.Errorf("user %s is root, as which PostgreSQL does not run", name)
		}
		return owner{name: name, uid: uint32(uid), gid: uint32(gid), drop: true}, nil
	}
	return owner{}, fmt.Errorf("PostgreSQL does not run as root, and there is no other user to run it as (looked for %v)", names)
}

// attributes are those of a child that runs as the owner, in a process group of its own (so that Ctrl-C reaches this
// process alone, which then ends its children in order), and that gets a signal when this process dies.
func (o owner) attributes(death syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if o.drop {
		attr.Credential = &syscall.Credential{Uid: o.uid, Gid: o.gid}
	}
	setDeathSignal(attr, death)
	return attr
}

// runs tries whether the owner can run PostgreSQL in dir: the child changes into dir after it gave up root, so that
// the kernel itself answers, access lists and all. fs.ErrPermission when it may not.
func (o owner) runs(ctx context.Context, bin binaries, dir string) error {
	cmd := exec.CommandContext(ctx, bin.postgres(), "--version")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, environment(), o.attributes(0)
	return cmd.Run()
}

// makePrivate makes a folder that only the owner (and root) can enter, or makes sure that it is one.
func (o owner) makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder", dir)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid != o.uid {
		if !o.drop || uid != 0 {
			return fmt.Errorf("%s belongs to user %d, not to user %d, whom PostgreSQL runs as", dir, uid, o.uid)
		}
		if err := os.Lchown(dir, int(o.uid), int(o.gid)); err != nil {
			return err
		}
	}
	if info.Mode().Perm() != 0o700 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// environment is what the programs of PostgreSQL get: nothing of PGDATA, PGPORT and their like, and messages in English,
// since some are compared.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
