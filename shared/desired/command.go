package desired

import (
	"fmt"
	"slices"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// Kind is what a PC can be asked to do once.
type Kind string

const (
	Restart  Kind = "restart"        // close everything and open it again
	Doctor   Kind = "doctor"         // try everything that the settings name
	LogLevel Kind = "log-level"      // log more, or less, for a while
	Bundle   Kind = "support-bundle" // send the support bundle to the hub
)

// Kinds lists all.
var Kinds = []Kind{Restart, Doctor, LogLevel, Bundle}

// Levels are what may be logged.
var Levels = []string{"debug", "info", "warn", "error"}

// MaxFor is the longest while for which a level holds.
const MaxFor = 24 * time.Hour

// Command is done once or never: it is known by its id, and after Expires it is not begun.
type Command struct {
	ID      string        `json:"id"`
	Kind    Kind          `json:"kind"`
	Expires time.Time     `json:"expires"`
	Level   string        `json:"level,omitempty"` // of LogLevel
	For     time.Duration `json:"for,omitempty"`   // of LogLevel, nanoseconds
}

// named reports that its end can be told.
func (c Command) named() bool { return len(c.ID) >= 8 && len(c.ID) <= 64 }

// Check says what is wrong with a command. A hub asks for no such one, and a PC whose program is older than its hub's tells that it refused it.
// Code invalid.
func (c Command) Check() error {
	switch {
	case !c.named():
		return fault.Msg(fault.Invalid, "command", "its id has a wrong length")
	case !slices.Contains(Kinds, c.Kind):
		return fault.Msg(fault.Invalid, "command", fmt.Sprintf("this version knows no command %q", c.Kind))
	case c.Expires.IsZero():
		return fault.Msg(fault.Invalid, "command", "it has no time limit")
	case c.Kind != LogLevel:
		return nil
	case !slices.Contains(Levels, c.Level):
		return fault.Msg(fault.Invalid, "command", fmt.Sprintf("%q is not debug, info, warn or error", c.Level))
	case c.For <= 0 || c.For > MaxFor:
		return fault.Msg(fault.Invalid, "command", "a level holds for 1s to 24h")
	}
	return nil
}

// Outcome is how a command ended, for good.
type Outcome string

const (
	Done    Outcome = "done"
	Failed  Outcome = "failed"
	Expired Outcome = "expired" // it came too late and was not begun
	Unknown Outcome = "refused" // this program is older than its hub's, or the hub asks for what cannot be; it was not begun
)

// Outcomes lists all.
var Outcomes = []Outcome{Done, Failed, Expired, Unknown}

// Result is the one report of a command.
type Result struct {
	ID      string    `json:"id"`
	Kind    Kind      `json:"kind"`
	Outcome Outcome   `json:"outcome"`
	Detail  string    `json:"detail,omitempty"`
	At      time.Time `json:"at"`
}

// MaxDetail bounds what a result says.
const MaxDetail = 16 << 10

// State is what became of settings, for good.
type State string

const (
	Applied    State = "applied"
	Refused    State = "refused"     // never tried: they cannot be used here
	RolledBack State = "rolled_back" // tried, and what held before holds again
)

// Report is what a PC says of the settings that it was given.
type Report struct {
	Version int64     `json:"version"`
	Hash    string    `json:"hash"`
	State   State     `json:"state"`
	Reason  string    `json:"reason,omitempty"`
	Notes   []string  `json:"notes,omitempty"` // what is not wrong but should be looked at
	Seen    int64     `json:"seen"`            // the newest version that it knows; a hub that was put back from a backup knows only older ones
	At      time.Time `json:"at"`
}
