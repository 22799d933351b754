//go:build failpoint

// Package failpoint names the places at which a test may pull the plug: just before and just after each commit boundary. In this build
// two environment variables decide:
//
//	TILLPOST_FAILPOINT=name:n     the n-th Hit(name) kills the process as kill −9 does
//	TILLPOST_FAILPOINT_LOG=file   every Hit appends its name to file, so that a harness can count how often each stage was reached
package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

var state = struct {
	sync.Mutex
	name string
	left int
	log  *os.File
}{}

func init() {
	name, n, _ := strings.Cut(os.Getenv("TILLPOST_FAILPOINT"), ":")
	state.name = name
	state.left, _ = strconv.Atoi(n)
	if path := os.Getenv("TILLPOST_FAILPOINT_LOG"); path != "" {
		state.log, _ = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	}
}

// Hit counts a boundary and may not return.
func Hit(name string) {
	state.Lock()
	defer state.Unlock()
	if state.log != nil {
		state.log.WriteString(name + "\n") //nolint:errcheck // a count lost is a count too low, never too high
	}
	if name != state.name {
		return
	}
	if state.left--; state.left == 0 {
		kill()
	}
}

// kill ends the process without any deferred work: SIGKILL on Unix, TerminateProcess on Windows.
func kill() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		_ = p.Kill()
	}
	select {}
}
