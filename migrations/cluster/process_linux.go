package cluster

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// lookAt reads /proc, of which these files are open to everybody.
func lookAt(pid int) (process, error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	info, err := os.Stat(dir)
	if err != nil {
		return process{}, err
	}
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return process{}, err
	}
	line, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return process{}, err
	}
	p := process{uid: info.Sys().(*syscall.Stat_t).Uid}
	// proc(5): the state follows the name, which is in parentheses and may contain some.
	if i := bytes.LastIndexByte(stat, ')'); i >= 0 && i+2 < len(stat) {
		p.zombie = stat[i+2] == 'Z' || stat[i+2] == 'X'
	}
	if text := strings.TrimRight(string(line), "\x00"); text != "" {
		p.args = strings.Split(text, "\x00")
	}
	return p, nil
}
