//go:build unix && !linux

package cluster

import (
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"
)

// lookAt asks ps, which prints the arguments of a process in one line: what stands between the options that we give
// is one argument, blanks and all.
func lookAt(pid int) (process, error) {
	out, err := exec.Command("ps", "-ww", "-o", "stat=,uid=,args=", "-p", strconv.Itoa(pid)).Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) < 2 {
		return process{}, fs.ErrNotExist
	}
	uid, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		return process{}, fmt.Errorf("ps says %q", out)
	}
	p := process{zombie: strings.HasPrefix(fields[0], "Z"), uid: uint32(uid)}
	if len(fields) > 2 {
		args := string(out[strings.Index(string(out), fields[2]):])
		program, rest, _ := strings.Cut(strings.TrimSpace(args), " -D ")
		data, _, _ := strings.Cut(rest, " -c ")
		p.args = []string{program, "-D", data}
	}
	return p, nil
}
