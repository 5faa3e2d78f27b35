package main

import "syscall"

// childAttributes put a child in a process group of its own, so that Ctrl-C reaches this process alone, which then stops
// its children in order, and end it when this process dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
