package update

import (
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
