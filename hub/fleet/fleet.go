// Package fleet decides which device shall run which release. A rollout walks through rings; it goes on when what was updated has proven
// itself in trade, and stops by itself when it has not. It is pure: devices, rollout and time in, rollout and tells out.
package fleet

import (
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// Step is how far a device is with the release that it was told to run, in its own words.
type Step string

// Steps. Kept, Back and Refused are final: a device says them only when nothing can change them any more.
const (
	Waiting Step = ""        // it has not taken it up: its window, a sale, no line
	Working Step = "working" // it downloads, checks, or is in its probation
	Kept    Step = "kept"    // it runs it and has proven it
	Back    Step = "back"    // it went back to what it ran before, by itself
	Refused Step = "refused" // it did not take it: a full disk, a signature
)

// Device is what the hub knows of one.
type Device struct {
	ID       string
	Location retail.LocationCode
	Platform string // "windows/amd64"
	Sources  string // kinds of what it reads, sorted: "filedrop localapi". Releases break by these and by platform.
	Channel  string // of candidates that it may be given, "" = none
	Group    string // "test" for the stores that go first, "" = any other
	Running  string // version, as it says itself
	Told     string // version it was told to run last, "" = none yet
	Before   string // what it ran when it was told that
	ToldAt   time.Time
	Step     Step // of Told
	Why      string
	Since    time.Time // of Step
	Seen     time.Time // its last word
	Traded   time.Time // its newest ticket
	Cases    int       // opened since it was told, of kinds that a release can cause
	Pin      string    // version that a person holds it at; a rollout leaves it alone
	Excluded bool      // no rollout touches it
	Deaf     bool      // it cannot be told anything: it has no certificate, or was never enrolled
}

// State is where a rollout stands.
type State string

// States.
const (
	Running State = "running"
	Paused  State = "paused"  // by a person: nobody new is told
	Stopped State = "stopped" // by itself: too many failed
	Aborted State = "aborted" // by a person; who runs it goes on with it
	Reverse State = "reverse" // by a person: who runs it is told to go back
	Done    State = "done"    // through its last ring; newcomers are told it too
)

// Ring is a part of the fleet that goes together. Exactly one of Group, Count and Percent says which.
type Ring struct {
	Name    string        `json:"name"`
	Group   string        `json:"group,omitempty"`
	Count   int           `json:"count,omitempty"`   // devices, drawn so that each kind of PC is among them
	Percent int           `json:"percent,omitempty"` // of the fleet, those of earlier rings included
	Soak    time.Duration `json:"soak"`              // how long enough of it must have run before the next ring begins
	Success int           `json:"success"`           // percent of those heard that must have kept it, rounded down; 0 = 98
	Heard   int           `json:"heard"`             // percent of the ring that must have said something final; 0 = 80
	Traded  int           `json:"traded"`            // percent of those that keep it which must have sold something since; 0 = 50
}

// Rollout is one release on its way through the fleet.
type Rollout struct {
	ID       string
	Version  string
	Previous string // what a stopped or reversed one goes back to
	Rings    []Ring
	InFlight int           // told and not final at a time; 0 = 50
	Failures int           // so many that failed stop it, together with Failing; 0 = 1 before the ring of percents, 3 from there on
	Failing  int           // percent of those that said something final which stops it; 0 = 2
	Silent   time.Duration // a device that took it up and says nothing for so long counts as lost; 0 = 12 h
	Size     int64         // bytes of a download
	Rate     int64         // bytes per second for all downloads together; 0 = no limit

	State    State
	Why      string
	Ring     int       // the one that is being told
	Since    time.Time // of Ring
	Next     time.Time // when the next download may begin, under Rate
	Forgiven time.Time // what failed before it, a person has seen: it was resumed after that
}

// Tell is a device to be told a version. It does not begin before NotBefore.
type Tell struct {
	Device    string
	Version   string
	NotBefore time.Time
	Back      bool // to what it ran before, which still lies on its disk
}
