package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// longest is how many bytes the path of a unix socket may have (sun_path, with its closing zero, is 108).
const longest = 107

// socketName is the name that PostgreSQL gives its socket.
const socketName = ".s.PGSQL.5432"

// socketDir makes the folder of the socket: beside the data, or, where that path is too long or odd, in a short one that other
// users can no more enter than the first.
func socketDir(cfg Config, p place, o owner) (string, error) {
	dirs := []string{filepath.Join(p.base, "run")}
	name := nameOf(p.home)
	if o.drop {
		dirs = append(dirs, filepath.Join(cfg.SystemDir, name+".run"))
	} else if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "souk-"+name))
	}
	// Another user may have made one of these to annoy us: then the next.
	for n := range 9 {
		dirs = append(dirs, fmt.Sprintf("/tmp/souk-%d-%s-%d", o.uid, name, n))
	}
	var last error
	for _, dir := range dirs {
		if len(dir)+1+len(socketName) > longest || strings.Contains(dir, ",") { // clients take a comma for a list of hosts
			continue
		}
		if dir == filepath.Join(cfg.SystemDir, name+".run") {
			if last = os.MkdirAll(cfg.SystemDir, 0o755); last != nil {
				continue
			}
		}
		if last = o.makePrivate(dir); last == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("make a folder for the socket of PostgreSQL: %w", last)
}

// removeSockets clears what a dead postmaster left in the folder. Its lock file names a process, and where another
// process of the same user has that number by now, PostgreSQL would not start.
func removeSockets(dir string) error {
	for _, name := range []string{socketName, socketName + ".lock"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
