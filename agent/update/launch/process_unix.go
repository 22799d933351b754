//go:build !windows

package launch

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

// alone: a signal to the launcher's terminal is not for the agent, which hears from the launcher.
func alone() *syscall.SysProcAttr { return deadly(&syscall.SysProcAttr{Setpgid: true}) }

// bound keeps the goroutine on its thread until its end.
func bound() func() {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

// cage has nothing to hold here: the child dies with its parent by the kernel's doing.
type cage struct{}

func encage(*os.Process) (*cage, error) { return &cage{}, nil }

func (*cage) open() {}

// memory is what the process has in the PC's memory, in bytes.
func (*cage) memory(pid int) uint64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	f := bytes.Fields(b)
	if err != nil || len(f) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(string(f[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
