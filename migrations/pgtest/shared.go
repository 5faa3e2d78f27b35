package pgtest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"souk/migrations/cluster"
)

// The shared cluster lives in a folder per user, with these files:
//
//	users    a shared lock on it is held by every test process
//	start    locked by the test process that looks whether there is a cluster, and starts it
//	holder   locked by the process that holds the cluster (package run) as long as it does, with its number
//	url      the address, complete as soon as it is there
//
// The holder ends the cluster when nobody has locked users for a while.

// Idle is that while: "go test ./..." has pauses between packages.
const Idle = 15 * time.Second

// settings make a cluster quick that nobody will miss.
func settings() map[string]string {
	return map[string]string{
		"fsync":                  "off",
		"synchronous_commit":     "off",
		"full_page_writes":       "off",
		"wal_level":              "minimal",
		"max_wal_senders":        "0",
		"max_wal_size":           "4GB",
		"checkpoint_timeout":     "1h",
		"max_connections":        "300",
		"shared_buffers":         "256MB",
		"log_min_messages":       "fatal",
		"autovacuum_naptime":     "5min",
		"autovacuum_max_workers": "1",
	}
}

// sharedDir makes and returns the folder. Its name tells users apart, and clusters with other settings, so that two
// versions of this package do not meet.
func sharedDir() (string, error) {
	sum := sha256.Sum256(fmt.Append(nil, "1", settings()))
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("souk-pgtest-%d-%s", os.Getuid(), hex.EncodeToString(sum[:4])))
	// PostgreSQL, which runs as another user where we are root, passes through it.
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || int(info.Sys().(*syscall.Stat_t).Uid) != os.Getuid() {
		return "", fmt.Errorf("%s belongs to another user", dir)
	}
	return dir, nil
}

// joinShared returns the address of the shared cluster, which it starts when there is none, and the file whose lock
// keeps the cluster until this process ends.
func joinShared(ctx context.Context) (address string, use *os.File, err error) {
	dir, err := sharedDir()
	if err != nil {
		return "", nil, err
	}
	if use, err = await(ctx, filepath.Join(dir, "users"), syscall.LOCK_SH); err != nil {
		return "", nil, err
	}
	start, err := await(ctx, filepath.Join(dir, "start"), syscall.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	defer start.Close()
	holder, err := tryLock(filepath.Join(dir, "holder"), syscall.LOCK_EX)
	switch {
	case err == nil:
		holder.Close()
		if err := startHolder(ctx, dir); err != nil {
			return "", nil, err
		}
	case !errors.Is(err, syscall.EWOULDBLOCK):
		return "", nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil {
		return "", nil, err
	}
	return string(text), use, nil
}

// startHolder builds and starts the process that holds the cluster, and returns when the cluster is ready. It has
// nothing of ours: "go test" waits for whoever has its output.
func startHolder(ctx context.Context, dir string) error {
	program := filepath.Join(dir, "hold")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "souk/migrations/pgtest/run")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the holder of the test cluster (or name a server with %s): %w: %s", variable, err, out)
	}
	log, err := os.Create(filepath.Join(dir, "hold.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program, "-hold", dir)
	cmd.Dir, cmd.Stderr = dir, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(ready).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "ready" {
		said, readErr := os.ReadFile(log.Name())
		return fmt.Errorf("the test cluster did not start: %w: %s", errors.Join(err, readErr, cmd.Wait()), said)
	}
	return cmd.Process.Release()
}

// Hold runs the shared cluster of dir until no test process has used it for as long as idle, or ctx ends, then deletes
// it. It calls ready when the cluster takes connections. syscall.EWOULDBLOCK when another process holds it.
func Hold(ctx context.Context, dir string, idle time.Duration, ready func()) (err error) {
	// At the end this lock is let go after everything else, the holder's too: whoever comes meanwhile waits until all of
	// the cluster is gone, and then starts another.
	var users *os.File
	defer func() {
		if users != nil {
			err = errors.Join(err, users.Close())
		}
	}()
	holder, err := tryLock(filepath.Join(dir, "holder"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer holder.Close()
	if _, err := holder.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0); err != nil {
		return err
	}
	// What a holder left that was killed.
	if err := cluster.Remove(cluster.Config{Dir: filepath.Join(dir, "node")}); err != nil {
		return err
	}
	address, stop, err := Throwaway(ctx, filepath.Join(dir, "node"))
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "url")
	defer func() { err = errors.Join(err, os.Remove(file), stop()) }()
	if err := os.WriteFile(file+".new", []byte(address), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	ready()
	tick := min(500*time.Millisecond, idle)
	for unused := time.Duration(0); ; unused += tick {
		alone, err := tryLock(filepath.Join(dir, "users"), syscall.LOCK_EX)
		switch {
		case err == nil && unused >= idle:
			users = alone
			return nil
		case err == nil:
			alone.Close()
		case errors.Is(err, syscall.EWOULDBLOCK):
			unused = 0
		default:
			return err
		}
		if pause(ctx, tick) != nil {
			return nil
		}
	}
}

// Throwaway starts a quick cluster in dir; stop deletes it.
func Throwaway(ctx context.Context, dir string) (address string, stop func() error, err error) {
	cfg := cluster.Config{Dir: dir, Settings: settings(), Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	c, err := cluster.Start(ctx, cfg)
	if err != nil {
		return "", nil, errors.Join(err, cluster.Remove(cfg))
	}
	return c.URL("postgres"), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return errors.Join(c.Stop(ctx), cluster.Remove(cfg))
	}, nil
}

// await polls for a lock, so that ctx can end the wait.
func await(ctx context.Context, path string, how int) (*os.File, error) {
	for {
		f, err := tryLock(path, how)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return f, err
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return nil, fmt.Errorf("wait for %s: %w", path, ctx.Err())
		}
	}
}

// tryLock opens and locks a file: EWOULDBLOCK where another process has it. Closing the file gives it back.
func tryLock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
