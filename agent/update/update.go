// Package update decides how a PC goes from one version of the agent to another and back (DESIGN D18): it is told what is and what happened,
// and names the next step. It touches nothing: slots has the disk, carry the steps of the running agent, launch the process beside it. Two
// deciders share the work, each with a file of its own, so that each file has one writer: Plan is the running agent's, from a wish to a
// checked program that waits for a quiet moment; Watch is the launcher's, from there to the final word.
package update

import (
	"strings"
	"time"
)

// Release names a program. The zero value is the program that a package or the installer laid down, which no update touches.
type Release struct {
	Version string `json:"version,omitempty"`
	SHA256  string `json:"sha256,omitempty"` // in hex, of the whole file
	Size    int64  `json:"size,omitempty"`
}

// Installed reports that r is the program of the package.
func (r Release) Installed() bool { return r.SHA256 == "" }

// Result is how an update ended.
type Result string

// The results. Nothing else is ever reported of an update: what is under way may still end either way.
const (
	Committed  Result = "committed"
	RolledBack Result = "rolled_back"
	Failed     Result = "failed" // the version before never stopped running
)

// Cause is why an update did not end well, for head office's counts.
type Cause string

// The causes.
const (
	NoRelease  Cause = "no_release"  // nothing that is signed and for this PC can be had
	NoDownload Cause = "no_download" // it was named and could not be fetched
	NoRoom     Cause = "no_room"     // the disk has no room for it
	NoStart    Cause = "no_start"    // it did not start, or did not say what it is, within the time
	Wrong      Cause = "wrong"       // it is another program than was named
	Schema     Cause = "schema"      // it leaves a buffer that the version before cannot open
	Crash      Cause = "crash"       // it ended by itself, again and again
	Hang       Cause = "hang"        // it stopped to move, or never began
	Memory     Cause = "memory"      // it took more memory than a store's PC can give
	Sources    Cause = "sources"     // it cannot read what the version before could
	Line       Cause = "line"        // head office can be reached, and it does not
	Store      Cause = "store"       // the service folder cannot be written
	Damaged    Cause = "damaged"     // its file on the disk is not what was put there
	Superseded Cause = "superseded"  // a package or a person put another program in place
)

// Outcome is the final word about one update; there is none before it is final.
type Outcome struct {
	Seq     int       `json:"seq"`
	Order   string    `json:"order,omitempty"`
	Wish    string    `json:"wish,omitempty"` // the version that was wished; Version is a step towards it
	Version string    `json:"version"`
	From    string    `json:"from"`
	Result  Result    `json:"result"`
	Cause   Cause     `json:"cause,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	At      time.Time `json:"at"` // by this PC's clock; nothing is decided by it
}

// Proof is what the running agent says of itself.
type Proof struct {
	Database  bool     `json:"database"`          // the buffer is open and answers
	Connected bool     `json:"connected"`         // to head office
	Waiting   bool     `json:"waiting,omitempty"` // records that head office has not confirmed
	Head      uint64   `json:"head"`              // what it confirmed of all streams
	Down      []string `json:"down,omitempty"`    // sources that cannot be read
}

// Newer reports that version a comes after b. What is no version of a release, as a developer's build, is newer than nothing.
func Newer(a, b string) bool {
	x, okX := numbers(a)
	y, okY := numbers(b)
	if !okX || !okY {
		return false
	}
	for i := range x.n {
		if x.n[i] != y.n[i] {
			return x.n[i] > y.n[i]
		}
	}
	if x.pre == "" || y.pre == "" {
		return x.pre == "" && y.pre != ""
	}
	return later(strings.Split(x.pre, "."), strings.Split(y.pre, "."))
}

type version struct {
	n   [3]int
	pre string
}

func numbers(s string) (v version, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "+")
	s, v.pre, _ = strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if len(parts) != len(v.n) {
		return v, false
	}
	for i, p := range parts {
		if v.n[i], ok = number(p); !ok {
			return v, false
		}
	}
	return v, true
}

func number(s string) (n int, ok bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// later compares the words of pre-releases, as semantic versions do: numbers by their value and before words, more words after fewer.
func later(a, b []string) bool {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		x, isX := number(a[i])
		y, isY := number(b[i])
		switch {
		case isX && isY:
			return x > y
		case isX != isY:
			return isY
		default:
			return a[i] > b[i]
		}
	}
	return len(a) > len(b)
}

// Same reports that two names mean one version, with or without the v in front.
func Same(a, b string) bool { return strings.TrimPrefix(a, "v") == strings.TrimPrefix(b, "v") }

// pace divides every time of an update. Only programs of tests are built with another (-ldflags -X): nothing that runs can be told to hurry.
var pace = "1"

// at is a time of an update, in programs of tests shorter, but never shorter than least: a busy machine is no hanging agent.
func at(d, least time.Duration) time.Duration {
	n, ok := number(pace)
	if !ok || n < 1 {
		return d
	}
	return max(d/time.Duration(n), min(d, least))
}

// Pulse is how often an agent says that it is alive and how it stands, and looks at its plan.
var Pulse = at(10*time.Second, 200*time.Millisecond)
