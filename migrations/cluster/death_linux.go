package cluster

import "syscall"

// setDeathSignal makes the kernel send the child a signal when the thread that started it ends.
func setDeathSignal(attr *syscall.SysProcAttr, signal syscall.Signal) { attr.Pdeathsig = signal }
