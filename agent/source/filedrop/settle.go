package filedrop

import (
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
)

// settle is how long a file must stand still unless the settings say otherwise: a till writes a sheet within a second.
const settle = 3 * time.Second

// patience times as long a file stands still before what is missing is taken for missing: an empty file, and a row that is only begun. Many programs
// make a file first and write when they have all of it, or write whatever fits into their own memory, row or not.
const patience = 20

// tellAfter is how long a file may be locked before the store manager is told: a till may hold its file for a while.
const tellAfter = 10 * time.Minute

// sight is how a file stood at the last scan, and since when; moving tells since when it was never still for long enough.
type sight struct {
	stamp
	since, moving time.Time
}

// restless is an error when a file was written to for so long without a pause that somebody should know.
func (f *Folder) restless(name string) error {
	at := f.seen[name]
	since := time.Since(at.moving)
	if at.Size == 0 || since < max(tellAfter, 2*f.Settle) {
		return nil
	}
	return fault.Msg(fault.Unavailable, "read "+guard.Text(name), fmt.Sprintf("it is written to again and again, for %d minutes now, and never stands still for %s: its sales wait here. Give the folder a shorter settle in the settings, or let the till write less often", since/time.Minute, f.Settle))
}

// rested reports whether a file stood still for so long that its writer is not about to go on.
func (f *Folder) rested(name string) bool {
	at, known := f.seen[name]
	return known && time.Since(at.since) >= patience*f.Settle
}

// settled reports whether a file stood still for long enough, by our own eyes: a file's times are its writer's.
func (f *Folder) settled(name string, s stamp) bool {
	now, still := time.Now(), f.Settle
	if s.Size == 0 {
		still *= patience
	}
	at := f.seen[name]
	if at.stamp != s {
		at.stamp, at.since = s, now
		if at.moving.IsZero() {
			at.moving = now
		}
		time.AfterFunc(still, f.rouse)
	}
	settled := now.Sub(at.since) >= still
	if settled {
		at.moving = time.Time{}
	}
	f.seen[name] = at
	return settled
}
