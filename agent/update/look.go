package update

import (
	"fmt"
	"slices"
	"time"
)

// Sign is what the launcher sees of the program that runs.
type Sign struct {
	Elapsed time.Duration // since the last look
	Up      time.Duration // since it was started
	Ready   bool          // it says that it does its work
	Silent  time.Duration // since its last sign
	Memory  uint64        // bytes; 0 = not known
	Proof   Proof
	Now     time.Time // for words alone
}

// Look moves the watch on with time.
func (w Watch) Look(s Sign) (Watch, Order) {
	switch {
	case !s.Ready && s.Up > StartWithin:
		return w.cut(Hang, fmt.Sprintf("it did not begin its work within %s", StartWithin))
	case s.Ready && s.Silent > HungAfter:
		return w.cut(Hang, fmt.Sprintf("nothing moved in it for %s", HungAfter))
	case s.Memory > MemoryMost && (w.Phase == Probation || w.Phase == Trial):
		return w.cut(Memory, fmt.Sprintf("it took %d MB of memory", s.Memory>>20))
	case !s.Ready:
		return w, Order{Act: Stay}
	}
	switch w.Phase {
	case Probation:
		w.Ran += s.Elapsed
		return w.soaked(s)
	case Trial:
		if w.Ran += s.Elapsed; w.Ran >= TrialFor {
			w.Phase, w.From, w.To, w.Before, w.Ran, w.Ends = Idle, Release{}, Release{}, Proof{}, 0, 0
		}
	case Returning:
		w.Last = w.outcome(RolledBack, w.Cause, w.Detail, s.Now)
		w = Watch{Base: w.Base, Handled: w.Handled, Last: w.Last}
	}
	return w, Order{Act: Stay}
}

// cut ends what runs; in probation and trial the cause stays known for the final word.
func (w Watch) cut(c Cause, detail string) (Watch, Order) {
	if w.Phase == Probation || w.Phase == Trial {
		w.Cause, w.Detail = c, detail
	}
	return w, Order{Act: Kill}
}

// soaked judges a version that has run its time. Offline is not unhealthy, and what did not work before is no fault of the new one.
func (w Watch) soaked(s Sign) (Watch, Order) {
	if w.Ran < Soak {
		return w, Order{Act: Stay}
	}
	cause, detail := w.lacks(s.Proof)
	if cause == "" {
		return w, Order{Act: Ask, Target: w.From}
	}
	if w.Ran < SoakLongest {
		return w, Order{Act: Stay}
	}
	w.Cause, w.Detail = cause, detail
	return w, Order{Act: Kill}
}

func (w Watch) lacks(p Proof) (Cause, string) {
	if !p.Database {
		return Schema, "its buffer does not answer"
	}
	for _, name := range p.Down {
		if !slices.Contains(w.Before.Down, name) {
			return Sources, name + " cannot be read any more"
		}
	}
	if p.Connected && p.Waiting && p.Head <= w.Before.Head && w.Before.Connected {
		return Line, "it is connected, and head office confirms nothing"
	}
	return "", ""
}

// Answer is what the version before found when it looked beside the new one.
type Answer struct {
	Failed bool   // it could not be asked
	Buffer string // why it could not open the buffer; empty: it could
	Line   bool   // it reached head office
}

// Asked commits, or goes back, on the word of the version before: its own schema can still be opened, and head office is really away when the
// new one does not reach it.
func (w Watch) Asked(a Answer, s Sign) (Watch, Order) {
	switch {
	case w.Phase != Probation:
		return w, Order{Act: Stay}
	case a.Failed && w.Ran < SoakLongest:
		return w, Order{Act: Stay} // asked again; one that does not even start is nothing to go back to
	case a.Buffer != "":
		w.Cause, w.Detail = Schema, "version "+w.FromV+" cannot open the buffer any more: "+a.Buffer
		return w, Order{Act: Kill}
	case a.Line && !s.Proof.Connected:
		if w.Ran < SoakLongest {
			return w, Order{Act: Stay}
		}
		w.Cause, w.Detail = Line, "version "+w.FromV+" reaches head office from this PC, and it does not"
		return w, Order{Act: Kill}
	}
	w.Last = w.outcome(Committed, "", "", s.Now)
	kept := w.From
	w.Phase, w.Ran, w.Ends, w.Cause, w.Detail, w.Kept, w.KeptV = Trial, 0, 0, "", "", &kept, w.FromV
	return w, Order{Act: Stay}
}

// End is how a program that ran came to its end.
type End struct {
	Asked  bool   // the service was stopped
	Detail string // what it said
}

// Ended decides what follows. The next order comes from Resume, unless it is to give up.
func (w Watch) Ended(e End, d Disk) (Watch, Order) {
	if w.Up = false; e.Asked {
		return w, Order{Act: GiveUp}
	}
	if w.asked(d.Plan) {
		return w.Resume(d)
	}
	switch w.Phase {
	case Probation, Trial:
		w.Ends++
		most := endsSoak
		if w.Phase == Trial {
			most = endsTrial
		}
		grave := w.Phase == Probation && w.Cause == Hang || w.Cause == Memory || w.Cause == Schema || w.Cause == Sources || w.Cause == Line
		if w.Ends >= most || grave {
			c, detail := w.Cause, w.Detail
			if c == "" {
				c, detail = Crash, fmt.Sprintf("it ended by itself %d times: %s", w.Ends, e.Detail)
			}
			return w.back(c, detail).Resume(d)
		}
		next, o := w.Resume(d)
		o.After = restart
		return next, o
	case Returning:
		if w.Ends++; w.Ends >= endsBack {
			w.Last = w.outcome(RolledBack, w.Cause, w.Detail+"; and it ends, too: "+e.Detail, d.Now)
			return Watch{Base: w.Base, Handled: w.Handled, Last: w.Last}, Order{Act: GiveUp}
		}
		next, o := w.Resume(d)
		o.After = restart
		return next, o
	}
	return w, Order{Act: GiveUp}
}
