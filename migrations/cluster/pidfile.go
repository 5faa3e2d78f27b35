package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A pidFile is what a postmaster writes to postmaster.pid in its data directory, a line each.
type pidFile struct {
	pid     int
	data    string
	sockets string
	ready   bool
}

func pidFileOf(data string) string { return filepath.Join(data, "postmaster.pid") }

// readPidFile returns fs.ErrNotExist where there is none, and a zero pid for one that is being written.
func readPidFile(data string) (pidFile, error) {
	text, err := os.ReadFile(pidFileOf(data))
	if err != nil {
		return pidFile{}, err
	}
	// Line 1 process, 2 data directory, 3 start time, 4 port, 5 socket directory, 6 address, 7 memory, 8 status.
	lines := append(strings.Split(string(text), "\n"), make([]string, 8)...)
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		pid = 0
	}
	// A standalone postgres writes its number negative.
	return pidFile{pid: max(pid, -pid), data: lines[1], sockets: lines[4], ready: strings.TrimSpace(lines[7]) == "ready"}, nil
}

// A fate is what became of the process that a pid file names.
type fate int

const (
	gone     fate = iota // there is no such process
	zombie               // dead, but its parent has not asked for it yet
	running              // a postmaster of these very data
	stranger             // another program, which got the number after the postmaster died
	unknown              // alive, but hidden from us
)

// fateOf compares a living process with what a postmaster of data looks like, by its own command line and its user:
// a number alone says nothing.
func fateOf(pid int, data string) (fate, error) {
	if pid <= 0 {
		return gone, nil
	}
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return gone, nil
	}
	info, err := os.Stat(data)
	if err != nil {
		return unknown, err
	}
	p, err := lookAt(pid)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return gone, nil
		}
		return unknown, nil
	case err != nil:
		return unknown, err
	case p.zombie:
		return zombie, nil
	case p.uid == info.Sys().(*syscall.Stat_t).Uid && p.serves(data):
		return running, nil
	}
	return stranger, nil
}

// A process is what the system tells about one.
type process struct {
	zombie bool
	uid    uint32
	args   []string
}

// serves tells whether the command line is that of a postmaster of data.
func (p process) serves(data string) bool {
	if len(p.args) == 0 {
		return false
	}
	if name := filepath.Base(p.args[0]); name != "postgres" && name != "postmaster" {
		return false
	}
	for i, arg := range p.args {
		dir := strings.TrimPrefix(arg, "-D")
		if arg == "-D" && i+1 < len(p.args) {
			dir = p.args[i+1]
		}
		if dir == data || sameFile(dir, data) {
			return true
		}
	}
	return false
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// clearTheWay deals with the postmaster of an earlier node, before a new one starts. The caller holds the lock of the
// data directory: a postmaster that runs nevertheless belongs to nobody. It may be on its way out (it got its signal
// when its node was killed), else it is asked to stop. The pid file of one that is dead is left to PostgreSQL, which
// knows whether it may be ignored, but where it would not start for it: its number belongs to a zombie that nobody
// reaps, or to another program.
func clearTheWay(ctx context.Context, p place, sockets string, log *slog.Logger) error {
	var asked bool
	began := time.Now()
	for {
		file, err := readPidFile(p.data())
		if errors.Is(err, fs.ErrNotExist) {
			return removeSockets(sockets)
		}
		if err != nil {
			return err
		}
		state, err := fateOf(file.pid, p.data())
		if err != nil {
			return err
		}
		waited := time.Since(began)
		switch {
		case state == gone:
			return removeSockets(sockets)
		case state == stranger, state == zombie && waited > 2*time.Second:
			log.Warn("removing the pid file of a PostgreSQL that is dead", "file", pidFileOf(p.data()), "pid", file.pid)
			if err := os.Remove(pidFileOf(p.data())); err != nil {
				return err
			}
			return removeSockets(sockets)
		case state == running && waited > 2*time.Second && !asked:
			log.Warn("stopping a PostgreSQL that an earlier node left behind", "pid", file.pid)
			if err := syscall.Kill(file.pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
			asked = true
		case waited > time.Minute:
			return fmt.Errorf("process %d, named by %s, does not end: stop it first", file.pid, pidFileOf(p.data()))
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
