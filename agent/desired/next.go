// Package desired is how a PC becomes what its hub wants it to be (DESIGN D15): which word of the hub counts, how settings are tried, proven
// and kept or given back, and what was asked for once. Each step is decided by a function of what stands on the disk, and each file operation
// is whole or not done, so that a power cut anywhere leaves either the settings before or the new ones, and the next start knows which.
// See DESIGN.md.
package desired

import (
	"fmt"
	"slices"
	"strings"
	"time"

	wire "github.com/tillpost/tillpost/shared/desired"
)

// MostStarts is how many times the agent is started with settings that have not proven themselves: the first may have been ended by a power
// cut, the third has no such excuse.
const MostStarts = 3

// How long a trial takes, in seconds that the agent ran: never by the wall clock, which a store's PC may set back.
const (
	Proven   = 10 * time.Second // everything was well for so long: two rounds of every source
	Patience = 30 * time.Second // a source that worked, or is new, may fail for so long
	LineIn   = 90 * time.Second // and the line may take so long to come back: two attempts to connect with their waits
)

// Step is where a word stands.
type Step string

const (
	None       Step = ""
	Trying     Step = "trying" // on trial, or about to be
	Applied    Step = "applied"
	Refused    Step = "refused"
	RolledBack Step = "rolled_back"
)

// Final reports that nothing more will become of it.
func (s Step) Final() bool { return s == Applied || s == Refused || s == RolledBack }

// Marker stands on the disk before each step is taken.
type Marker struct {
	Seen    int64     `json:"seen"` // the newest version that the hub's signature proved; an older one is not obeyed
	Version int64     `json:"version"`
	Hash    string    `json:"hash"` // of the settings that the step is about
	Step    Step      `json:"step"`
	Reason  string    `json:"reason,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
	Starts  int       `json:"starts,omitempty"` // with settings on trial
	Line    bool      `json:"line,omitempty"`   // the line was up before the trial
	Ailing  []string  `json:"ailing,omitempty"` // sources that did not work before the trial: no fault of it
	At      time.Time `json:"at"`               // of the step
	Behind  int64     `json:"behind,omitempty"` // an older version that the hub has said since: it was put back from a backup
}

// Verdict is what a word means to this PC.
type Verdict int

const (
	Known Verdict = iota // nothing new in it
	Older                // it is from before another one: a hub that was put back, or somebody who kept it
	Same                 // a new version with the settings that hold, or that were refused already
	New                  // other settings
)

// Hear decides about a word whose signature was proven. applied is the hash of the settings that hold.
func Hear(m Marker, v int64, hash, applied string) Verdict {
	switch {
	case v < m.Seen:
		return Older
	case v == m.Seen && m.Step.Final():
		return Known
	case m.Step == Trying && hash == m.Hash:
		return Same
	case m.Step.Final() && hash == m.Hash:
		return Same
	case m.Step != Trying && hash == applied:
		return Same
	}
	return New
}

// Do is what is to be done on the disk.
type Do int

const (
	Nothing   Do = iota
	Begin        // count the start, then run with the trial
	Keep         // note that the trial's settings hold
	Give         // note why they do not, then remove the trial
	Sweep        // remove a trial that was given up already
	ForgetNew    // the trial was never written: the hub says it again
)

// Start decides at a start. trial and current are the hashes of the two files, "" = not there.
func Start(m Marker, trial, current string) (Do, string) {
	switch {
	case m.Step != Trying && trial != "":
		return Sweep, ""
	case m.Step != Trying:
		return Nothing, ""
	case trial == "" && current == m.Hash:
		return Keep, ""
	case trial != m.Hash:
		return ForgetNew, ""
	case m.Starts >= MostStarts:
		return Give, fmt.Sprintf("the agent was started %d times with these settings and did not come to run well", m.Starts)
	}
	return Begin, ""
}

// Facts are how the agent runs with settings on trial.
type Facts struct {
	Ran     time.Duration // since this start
	Well    time.Duration // everything, without a break
	Failing map[string]string
	Waiting []string // sources that have not said anything yet
	Line    bool
}

// Watch decides during a trial: Keep, Give with the reason, or Nothing yet.
func Watch(m Marker, f Facts) (Do, string) {
	bad := make([]string, 0, len(f.Failing))
	for name, why := range f.Failing {
		if !slices.Contains(m.Ailing, name) {
			bad = append(bad, name+": "+why)
		}
	}
	slices.Sort(bad)
	switch {
	case len(bad) > 0 && f.Ran >= Patience:
		return Give, "a source cannot be read: " + strings.Join(bad, "; ")
	case m.Line && !f.Line && f.Ran >= LineIn:
		return Give, "the line to the hub was up before and did not come back"
	case f.Well >= Proven && len(bad) == 0 && (f.Line || !m.Line):
		return Keep, ""
	}
	return Nothing, ""
}

// Well reports whether everything is as it should be at this moment. A source that has not had its turn yet is waited for, as long as Patience.
func Well(m Marker, f Facts) bool {
	for name := range f.Failing {
		if !slices.Contains(m.Ailing, name) {
			return false
		}
	}
	for _, name := range f.Waiting {
		if !slices.Contains(m.Ailing, name) && f.Ran < Patience {
			return false
		}
	}
	return f.Line || !m.Line
}

// Report is what the hub is told, once it is final.
func (m Marker) Report() wire.Report {
	return wire.Report{Version: m.Version, Hash: m.Hash, State: wire.State(m.Step), Reason: m.Reason, Notes: m.Notes, Seen: m.Seen, At: m.At}
}
