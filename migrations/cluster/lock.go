package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A lock is a flock: the kernel gives it back when its process ends, however that ends.
type lock struct {
	f    *os.File
	once sync.Once
}

// A heldError says who has a lock; it is an ErrInUse.
type heldError struct{ path, holder string }

func (e *heldError) Error() string {
	return fmt.Sprintf("%s: it is held by the %s", ErrInUse, e.holder)
}
func (e *heldError) Is(target error) bool { return target == ErrInUse }

// lockOf is the file that guards the cluster of a data directory, and guestsOf the one whose shared lock says that
// somebody works with a cluster that a command started.
func lockOf(home string) string   { return filepath.Join(home, "postgres.lock") }
func guestsOf(home string) string { return filepath.Join(home, "postgres.guests") }

// tryLock takes the lock at path or returns an ErrInUse that names its holder. The holder of an exclusive lock leaves
// its kind ("node", "command") and its process in the file.
func tryLock(path string, exclusive bool, kind string) (*lock, error) {
	// The folder may belong to the user of PostgreSQL, who must not lead root elsewhere by a link.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: run this as root, or as the user who runs the node", err)
	}
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	if err := flock(f, how|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		text, err := io.ReadAll(io.LimitReader(f, 100))
		if err != nil {
			return nil, err
		}
		return nil, &heldError{path: path, holder: strings.TrimSpace(string(text))}
	}
	l := &lock{f: f}
	if exclusive {
		err := f.Truncate(0)
		if err == nil {
			_, err = f.WriteAt(fmt.Appendf(nil, "%s with process id %d\n", kind, os.Getpid()), 0)
		}
		if err != nil {
			l.release()
			return nil, err
		}
	}
	return l, nil
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func (l *lock) release() { l.once.Do(func() { l.f.Close() }) }

// lockForNode takes the lock of a data directory for a node. Another node refuses it at once; a command that works with
// the cluster for a moment is waited for, half a minute long.
func lockForNode(ctx context.Context, home string, log *slog.Logger) (*lock, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for said := false; ; said = true {
		l, err := tryLock(lockOf(home), true, "node")
		var held *heldError
		if err == nil || !errors.As(err, &held) || strings.HasPrefix(held.holder, "node") {
			return l, err
		}
		if !said {
			log.Info("waiting for a command that uses the database", "holder", held.holder)
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return nil, err
		}
	}
}

// waitForGuests returns when nobody has a shared lock on path any more, and nobody can get one before the lock that it
// returns is released. It returns nil when ctx ends first.
func waitForGuests(ctx context.Context, path string) *lock {
	for {
		l, err := tryLock(path, true, "command")
		if err == nil {
			return l
		}
		if !errors.Is(err, ErrInUse) || pause(ctx, 50*time.Millisecond) != nil {
			return nil
		}
	}
}

// pause waits for d, or for the end of ctx, whose error it returns then.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
