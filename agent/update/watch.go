package update

import (
	"fmt"
	"slices"
	"time"
)

// Limits of a new version. Times are accumulated while it runs, never by the clock.
var (
	Soak        = at(10*time.Minute, 0)              // of good running, before an update counts
	SoakLongest = at(30*time.Minute, 10*time.Second) // when its proof is not good by then, it is none
	TrialFor    = at(24*time.Hour, 0)                // afterwards a version that ends again and again still goes back by itself
	StartWithin = at(3*time.Minute, 15*time.Second)  // to do its work; a salvage of a damaged disk takes its time
	HungAfter   = at(90*time.Second, 8*time.Second)  // without a sign
)

const (
	endsSoak   = 3         // unexpected ends in probation
	endsTrial  = 3         // and in the trial, after it
	endsBack   = 5         // of the version before, when it comes back: then the service manager takes its turns
	MemoryMost = 512 << 20 // bytes: the agent's usual is a twentieth
	restart    = 2 * time.Second
)

// Watch is the launcher's part of an update, as its file keeps it.
type Watch struct {
	Phase   Phase         `json:"phase,omitempty"`
	Base    string        `json:"base"`    // version of the installed program that was last seen
	Handled int           `json:"handled"` // the last plan that was taken over
	From    Release       `json:"from"`
	FromV   string        `json:"from_version,omitempty"` // From's version, also when it is the installed one
	To      Release       `json:"to"`
	Order   string        `json:"order,omitempty"`
	Wish    string        `json:"wish,omitempty"`
	Up      bool          `json:"up,omitempty"` // a program was started and did not end in order since
	Before  Proof         `json:"before"`
	Ran     time.Duration `json:"ran,omitempty"`
	Ends    int           `json:"ends,omitempty"`
	Cause   Cause         `json:"cause,omitempty"` // why it goes back
	Detail  string        `json:"detail,omitempty"`
	Last    *Outcome      `json:"last,omitempty"`
	Kept    *Release      `json:"kept,omitempty"` // the version before, when it may still be gone back to
	KeptV   string        `json:"kept_version,omitempty"`
}

// busy: an update is between two programs.
func (w Watch) busy() bool {
	return w.Phase == Flipping || w.Phase == Probation || w.Phase == Returning
}

func (w Watch) before() (Release, bool) {
	if w.Kept == nil {
		return Release{}, false
	}
	r := *w.Kept
	return r, true
}

// Needs lists the slots that must stay on the disk.
func Needs(p Plan, w Watch, current Release) (out []Release) {
	out = append(out, current)
	if w.busy() || w.Phase == Trial {
		out = append(out, w.From, w.To)
	}
	if w.Kept != nil {
		out = append(out, *w.Kept)
	}
	if p.Phase == Checking || p.Phase == Staged || p.Phase == Handed {
		out = append(out, p.To)
	}
	return out
}

// Act is what the launcher does next.
type Act string

// The acts.
const (
	Run    Act = "run"     // start Target
	Point  Act = "point"   // set the pointer to Target; then Pointed
	Stay   Act = "stay"    // what runs goes on
	Kill   Act = "kill"    // end what runs; then Ended
	Ask    Act = "ask"     // have the version before look at the buffer and at the line; then Asked
	GiveUp Act = "give_up" // end with the error; the service manager starts everything anew
)

// Order is an act and what it is done to.
type Order struct {
	Act    Act
	Target Release
	After  time.Duration // a moment of rest before it
}

// Disk is what lies there when the launcher looks.
type Disk struct {
	Installed string             // version of the launcher's own program
	Current   Release            // the pointer; zero = none, or not to be read
	Whole     func(Release) bool // its file is there and is what was put there
	Plan      Plan
	Now       time.Time // for words alone
}

// Begin is Resume for a launcher that has just started. Ends that nobody saw, as when the system killed both or the power went, count in
// probation: a version that takes everything down with it must not be started for ever.
func (w Watch) Begin(d Disk) (Watch, Order) {
	if w.Up && w.Phase == Probation {
		if w.Ends++; w.Ends >= endsSoak {
			w = w.back(Crash, "everything ended with it, again and again")
		}
	}
	w.Up = false
	return w.Resume(d)
}

// Resume decides what to run, whenever the launcher or what it ran has ended, whatever cut it off. Each order but Run comes back with Resume
// after it was done.
func (w Watch) Resume(d Disk) (Watch, Order) {
	if w.Base != d.Installed {
		var o Order
		if w, o = w.rebased(d); o.Act != Stay {
			return w, o
		}
	}
	switch w.Phase {
	case Flipping:
		if d.Current != w.To {
			if !d.Whole(w.To) {
				return w.back(Damaged, "its file on the disk is not what was put there").Resume(d)
			}
			return w, Order{Act: Point, Target: w.To}
		}
		w.Phase, w.Ran, w.Ends, w.Up = Probation, 0, 0, true
		return w, Order{Act: Run, Target: w.To}
	case Probation, Trial:
		if !d.Whole(w.To) {
			return w.back(Damaged, "its file on the disk is not what was put there").Resume(d)
		}
		if d.Current != w.To {
			return w, Order{Act: Point, Target: w.To}
		}
		if w.Phase == Trial && w.asked(d.Plan) {
			return w.take(d)
		}
		w.Up = w.Phase == Probation
		return w, Order{Act: Run, Target: w.To}
	case Returning:
		if !d.Whole(w.From) {
			w.From, w.FromV = Release{}, d.Installed
		}
		if d.Current != w.From {
			return w, Order{Act: Point, Target: w.From}
		}
		return w, Order{Act: Run, Target: w.From}
	}
	if w.asked(d.Plan) {
		return w.take(d)
	}
	if !d.Whole(d.Current) {
		return w, Order{Act: Point, Target: Release{}}
	}
	return w, Order{Act: Run, Target: d.Current}
}

// Unpointed: the pointer could not be set, as on a full disk. A store trades on all the same: what was to be pointed to runs without it, and the
// next start tries again; but a new version that cannot be pointed to is given up.
func (w Watch) Unpointed(o Order, why string, d Disk) (Watch, Order) {
	if w.Phase == Flipping {
		return w.back(Store, why).Resume(d)
	}
	return w, Order{Act: Run, Target: o.Target}
}

// rebased: a package or the installer put another program in place since. A newer one runs from now on; what was under way is over.
func (w Watch) rebased(d Disk) (Watch, Order) {
	known := w.Base != ""
	next := Watch{Base: d.Installed, Handled: max(w.Handled, handled(d.Plan)), Last: w.Last}
	if !known {
		next = w
		next.Base = d.Installed
		return next, Order{Act: Stay}
	}
	if Newer(d.Current.Version, d.Installed) {
		w.Base = d.Installed
		return w, Order{Act: Stay}
	}
	if w.busy() {
		next.Last = w.outcome(RolledBack, Superseded, "version "+d.Installed+" was installed meanwhile", d.Now)
	}
	if d.Current == (Release{}) {
		return next, Order{Act: Stay}
	}
	return next, Order{Act: Point, Target: Release{}}
}

func handled(p Plan) int {
	if p.Phase == Handed {
		return p.Seq
	}
	return 0
}

// asked: the running agent has handed over a plan that was not taken yet.
func (w Watch) asked(p Plan) bool { return p.Phase == Handed && p.Seq > w.Handled && !w.busy() }

func (w Watch) take(d Disk) (Watch, Order) {
	p := d.Plan
	if p.To == d.Current {
		w.Handled = p.Seq // it runs already
		return w.Resume(d)
	}
	from := d.Current.Version
	if d.Current.Installed() {
		from = d.Installed
	}
	next := Watch{Phase: Flipping, Base: w.Base, Handled: p.Seq, From: d.Current, FromV: from, To: p.To, Order: p.Want.Order, Wish: p.Want.Version, Before: p.Before, Last: w.Last}
	return next.Resume(d)
}

func (w Watch) outcome(r Result, c Cause, detail string, at time.Time) *Outcome {
	to := w.To.Version
	if w.To.Installed() {
		to = w.Base
	}
	return &Outcome{Seq: w.Handled, Order: w.Order, Wish: w.Wish, Version: to, From: w.FromV, Result: r, Cause: c, Detail: detail, At: at}
}

func (w Watch) back(c Cause, detail string) Watch {
	w.Phase, w.Cause, w.Detail, w.Ends = Returning, c, detail, 0
	return w
}

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
