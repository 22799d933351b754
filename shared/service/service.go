// Package service is how agent and hub live under Windows' service manager, under systemd, or in a console: one life for all of them, and the
// installing, starting and stopping of it. What kardianos/service lacks is done beside it; DESIGN.md says what and why.
package service

import (
	"context"
	"errors"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// Spec says what a service is. The zero values of Exe and Root are this program and this system.
type Spec struct {
	Name        string // in the system's list; also the name of its account
	Display     string // a person's name for it
	Description string // one line, without a % sign or a backslash
	Exe         string
	Args        []string // the command line that runs it
	State       string   // its data folder: the account's alone
	Reads       []string // files and folders that it must be able to read
	Owns        []string // files with secrets: the account's alone
	LowPorts    bool     // it may listen below port 1024
	Root        string   // another system's root folder: an image that is being made, or a test
}

// Times of a life. A stop is told on and on while it lasts; after these, the process ends anyway: nothing is lost then, the next start only
// has more to check.
const (
	stopWithin     = 20 * time.Second // a person or an upgrade waits for it
	shutdownWithin = 4 * time.Second  // Windows kills what is left after 5 s
	preshutdown    = 20 * time.Second // asked for at Windows when installed
	hungAfter      = 90 * time.Second // no sign of life for so long: it is started anew
	startWithin    = 2 * time.Minute  // a salvage of a damaged disk may take its time; each sign prolongs it
	tellEvery      = time.Second      // while it starts or stops
	hint           = 10 * time.Second // the next sign comes within
)

// Up is told by the running service that it does its work.
type Up struct{ ready chan func() error }

// Ready says that the work has begun. alive is then asked now and again whether it still goes on; it must answer at once. Ready may be called
// again, after the settings changed.
func (u *Up) Ready(alive func() error) {
	for {
		select {
		case u.ready <- alive:
			return
		default:
		}
		select {
		case <-u.ready: // one that was not looked at yet
		default:
		}
	}
}

// Work is what a service does until ctx ends.
type Work func(ctx context.Context, up *Up) error

// Run does the work under whatever has started this process, and tells that how it stands. asService says that the command line has it that
// Windows' service manager did; elsewhere the environment tells. An error is a reason for the manager to start the process anew.
func Run(ctx context.Context, s Spec, asService bool, work Work) error {
	return run(ctx, s, asService, work)
}

var (
	errHung  = fault.Msg(fault.Internal, "run", "nothing has moved for too long; the process ends so that it is started anew. Nothing is lost")
	errEnded = errors.New("the service ended by itself")
)
