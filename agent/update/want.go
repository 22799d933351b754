package update

import (
	"hash/fnv"
	"time"
)

// Want is the wish for a version: head office's, or a person's at this PC. The zero value wishes nothing.
type Want struct {
	Version string        `json:"version,omitempty"`
	Order   string        `json:"order,omitempty"`  // which wish this is: a version that failed here is tried again for another order only
	From    int           `json:"from,omitempty"`   // minutes of the store's day between which the program may be changed; equal = at any hour
	Until   int           `json:"until,omitempty"`  // may be before From: past midnight
	Zone    string        `json:"zone,omitempty"`   // the store's, when the PC's may be another
	Quiet   time.Duration `json:"quiet,omitempty"`  // no ticket for so long; 0 = QuietUsual
	Jitter  time.Duration `json:"jitter,omitempty"` // each PC begins at its own moment within it
	MaxWait time.Duration `json:"max_wait,omitempty"`
	Back    bool          `json:"back,omitempty"` // to the version before, which still lies on the disk
	Now     bool          `json:"now,omitempty"`  // a person at this PC waits: no window and no jitter, and only the shortest quiet
}

// Limits of waiting.
var (
	QuietUsual   = at(5*time.Minute, 0)
	QuietLeast   = at(time.Minute, 0) // never during a sale, whoever is in a hurry
	MaxWaitUsual = at(7*24*time.Hour, 0)
	JitterUsual  = at(2*time.Hour, 0) // the stores' PCs begin over the first part of their night
)

// Moment is how the store stands at this minute.
type Moment struct {
	Local time.Time     // the PC's time, for the window alone
	Quiet time.Duration // since the last ticket came in
}

// allows reports whether the program may be changed now, after waiting so long. Beyond the longest wait any hour is good; a sale is never cut.
func (w Want) allows(m Moment, waited time.Duration) bool {
	quiet, window := w.Quiet, w.in(m.Local)
	if quiet <= 0 {
		quiet = QuietUsual
	}
	longest := w.MaxWait
	if longest <= 0 {
		longest = MaxWaitUsual
	}
	if waited >= longest {
		window, quiet = true, min(quiet, QuietLeast)
	}
	if w.Now {
		window, quiet = true, min(quiet, QuietLeast)
	}
	return window && m.Quiet >= quiet
}

func (w Want) in(local time.Time) bool {
	if w.Zone != "" {
		if z, err := time.LoadLocation(w.Zone); err == nil { // else the PC's own, which is the store's nearly everywhere
			local = local.In(z)
		}
	}
	at := local.Hour()*60 + local.Minute()
	switch {
	case w.From == w.Until:
		return true
	case w.From < w.Until:
		return w.From <= at && at < w.Until
	default:
		return at >= w.From || at < w.Until
	}
}

// delay is this PC's own part of the jitter: the same each time it is asked.
func (w Want) delay(device string) time.Duration {
	if w.Jitter <= 0 || w.Now {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(device + "\x00" + w.Version)) // a hash refuses nothing
	return time.Duration(h.Sum64() % uint64(w.Jitter))
}
