//go:build unix && !linux

package cluster

import "syscall"

// setDeathSignal does nothing: only Linux has it. Elsewhere a postmaster outlives a node that was killed, and the next
// start takes it over.
func setDeathSignal(*syscall.SysProcAttr, syscall.Signal) {}
