package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticksPerSecond is the unit of times in /proc/PID/stat: USER_HZ, 100 on every architecture that Go runs Linux on.
const ticksPerSecond = 100

// processStat is what is read of /proc/PID/stat (proc(5)).
type processStat struct {
	parent   int
	own      time.Duration // user and system
	children time.Duration // of those that ended and were waited for
}

func readStat(pid int) (processStat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return processStat{}, err
	}
	return parseStat(text)
}

func parseStat(text []byte) (s processStat, err error) {
	// The name of the program, in brackets, may hold anything.
	end := bytes.LastIndexByte(text, ')')
	fields := bytes.Fields(text[end+1:])
	if end < 0 || len(fields) < 15 {
		return s, fmt.Errorf("cannot read %q", text)
	}
	var numbers [5]int64
	for i, at := range []int{1, 11, 12, 13, 14} { // ppid, utime, stime, cutime, cstime
		if numbers[i], err = strconv.ParseInt(string(fields[at]), 10, 64); err != nil {
			return s, fmt.Errorf("cannot read %q: %w", text, err)
		}
	}
	ticks := func(n int64) time.Duration { return time.Duration(n) * time.Second / ticksPerSecond }
	return processStat{parent: int(numbers[0]), own: ticks(numbers[1] + numbers[2]), children: ticks(numbers[3] + numbers[4])}, nil
}

// processorTime is what a process has used, to 10 ms, without its children.
func processorTime(pid int) (time.Duration, error) {
	s, err := readStat(pid)
	return s.own, err
}

// familyTime is what a process and its children have used, those that ended too: of the postmaster, all of PostgreSQL.
func familyTime(pid int) (time.Duration, error) {
	s, err := readStat(pid)
	if err != nil {
		return 0, err
	}
	total := s.own + s.children
	children, err := childrenOf(pid)
	if err != nil {
		return 0, err
	}
	for _, c := range children {
		stat, err := readStat(c)
		if gone(err) {
			continue // its time is the parent's now, and is missed this once
		}
		if err != nil {
			return 0, err
		}
		total += stat.own + stat.children
	}
	return total, nil
}

// gone reports whether a file of /proc could not be read because the process has ended.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// childrenOf are the living children of a process.
func childrenOf(pid int) (list []int, err error) {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		n, err := strconv.Atoi(filepath.Base(e))
		if err != nil {
			return nil, err
		}
		s, err := readStat(n)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if s.parent == pid {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, nil
}

// ownTime is what this process has used, to the microsecond.
func ownTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// memoryUse is in bytes.
type memoryUse struct {
	node     int64 // proportional share (PSS)
	highest  int64 // the most that the node ever had resident
	postgres int64 // PSS of all its processes: what they share is counted once
}

// readMemory reads the memory of the node and of PostgreSQL.
func readMemory(node, postmaster int) (m memoryUse, err error) {
	if m.node, err = kilobytes(node, "smaps_rollup", "Pss:"); err != nil {
		return m, err
	}
	if m.highest, err = kilobytes(node, "status", "VmHWM:"); err != nil {
		return m, err
	}
	children, err := childrenOf(postmaster)
	if err != nil {
		return m, err
	}
	for _, pid := range append(children, postmaster) {
		share, err := kilobytes(pid, "smaps_rollup", "Pss:")
		if gone(err) {
			continue
		}
		if err != nil {
			return m, err
		}
		m.postgres += share
	}
	return m, nil
}

// kilobytes reads a line of a file in /proc/PID and returns bytes.
func kilobytes(pid int, file, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	return parseKilobytes(string(text), name)
}

func parseKilobytes(text, name string) (int64, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == name && fields[2] == "kB" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("no line %s in %q", name, text[:min(len(text), 200)])
}
