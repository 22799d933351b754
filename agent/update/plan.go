package update

import "time"

// Phase is where an update stands.
type Phase string

// The phases: those of Plan, then those of Watch.
const (
	Idle     Phase = ""
	Waiting  Phase = "waiting"  // for this PC's moment, or for the next try
	Finding  Phase = "finding"  // what is signed is asked for
	Fetching Phase = "fetching" // its bytes come
	Checking Phase = "checking" // it is put beside the one that runs, and tried
	Staged   Phase = "staged"   // it waits for a quiet moment
	Handed   Phase = "handed"   // to the launcher

	Flipping  Phase = "flipping"  // the pointer is being set to it
	Probation Phase = "probation" // it runs and has to show that it is good
	Trial     Phase = "trial"     // it is good, and the one before is kept ready for a day
	Returning Phase = "returning" // the pointer is being set back, and the one before has to come up
)

// Plan is the running agent's part of an update, as its file keeps it.
type Plan struct {
	Phase  Phase         `json:"phase,omitempty"`
	Seq    int           `json:"seq"` // counts hand-overs; the launcher takes each once
	Want   Want          `json:"want"`
	To     Release       `json:"to"`
	From   Release       `json:"from"`
	Before Proof         `json:"before"`           // how the one that ran stood when it handed over
	Waited time.Duration `json:"waited,omitempty"` // accumulated while the agent ran, never by the clock
	Tries  int           `json:"tries,omitempty"`
	Rest   time.Duration `json:"rest,omitempty"` // until the next try, accumulated likewise
	Last   *Outcome      `json:"last,omitempty"`
	Why    string        `json:"why,omitempty"` // why it rests, for a person
}

// Do is one step that somebody has to take.
type Do string

// The steps of a plan.
const (
	Nothing  Do = ""
	Find     Do = "find"  // ask what is signed; then Found or Failed
	Fetch    Do = "fetch" // then Fetched or Failed
	Check    Do = "check" // put it in its slot and try it; then Checked or Failed
	HandOver Do = "hand_over"
	Tidy     Do = "tidy" // delete what no slot needs
)

// Limits of trying.
var (
	firstRest   = at(15*time.Minute, 0)
	longestRest = at(6*time.Hour, 0)
)

const maxTries = 20 // with the rests between them about four days; then head office is told

// Here is what the running agent is and sees.
type Here struct {
	Device  string
	Running Release // the program of this process
	Version string  // its version, also when it is the installed one
	Watch   Watch   // the launcher's file
	Proof   Proof
	Moment  Moment
	Elapsed time.Duration // since the last tick
}

// Tick moves the plan on with time. The plan is kept on the disk before the step is taken.
func (p Plan) Tick(w Want, h Here) (Plan, Do) {
	if p.Phase == Handed {
		if h.Watch.Handled < p.Seq {
			return p, HandOver // what was begun is ended
		}
		p.Phase = Idle
		return p, Tidy
	}
	if h.Watch.busy() {
		return p, Nothing // one after the other
	}
	if !p.wanted(w, h) {
		if p.Phase == Idle {
			return p, Nothing
		}
		p = Plan{Seq: p.Seq, Last: p.Last}
		return p, Tidy
	}
	if p.Phase == Idle || !p.Want.same(w) {
		p = Plan{Phase: Waiting, Seq: max(p.Seq, h.Watch.Handled), Want: w, Last: p.Last}
	}
	p.Want, p.Waited, p.Rest = w, p.Waited+h.Elapsed, max(0, p.Rest-h.Elapsed)
	switch p.Phase {
	case Waiting:
		if p.Rest > 0 || p.Waited < w.delay(h.Device) {
			return p, Nothing
		}
		if w.back(h) {
			p.To, _ = h.Watch.before()
			p.Phase = Staged // it lies there
			return p.Tick(w, h.later())
		}
		p.Phase, p.Why = Finding, ""
		return p, Find
	case Finding, Fetching, Checking:
		p.Phase = Finding // the process ended in between: what lies there is looked at anew
		return p, Find
	case Staged:
		if !w.allows(h.Moment, p.Waited) {
			return p, Nothing
		}
		return p.handOver(h)
	}
	return Plan{Seq: p.Seq, Last: p.Last}, Tidy // a phase of a newer version that was rolled back
}

// wanted tells whether there is anything to do for this wish on this PC.
func (p Plan) wanted(w Want, h Here) bool {
	if Same(w.Version, h.Version) || w.Version == "" && !w.back(h) {
		return false
	}
	return !p.answered(w, h)
}

// back: the version wished is the one before, and it still lies on the disk. Called back to another one, a PC needs it signed and fetched.
func (w Want) back(h Here) bool {
	_, kept := h.Watch.before()
	return w.Back && kept && (w.Version == "" || Same(w.Version, h.Watch.KeptV))
}

// answered: this order has had its final word, and asking for the same again changes nothing.
func (p Plan) answered(w Want, h Here) bool {
	for _, o := range []*Outcome{p.Last, h.Watch.Last} {
		if o != nil && o.Order == w.Order && (w.Back || Same(o.Wish, w.Version)) && (o.Result != Committed || w.Back) {
			return true
		}
	}
	return false
}

func (w Want) same(o Want) bool {
	return w.Version == o.Version && w.Order == o.Order && w.Back == o.Back
}

func (h Here) later() Here { h.Elapsed = 0; return h }

func (p Plan) handOver(h Here) (Plan, Do) {
	p.Phase, p.Seq, p.From, p.Before, p.Why = Handed, max(p.Seq, h.Watch.Handled)+1, h.Running, h.Proof, ""
	return p, HandOver
}

// Found: signed metadata names r as the next step.
func (p Plan) Found(r Release) (Plan, Do) {
	p.Phase, p.To = Fetching, r
	return p, Fetch
}

// Fetched: its bytes lie whole on the disk.
func (p Plan) Fetched() (Plan, Do) {
	p.Phase = Checking
	return p, Check
}

// Checked: it lies in its slot, and it started and said what it is.
func (p Plan) Checked() (Plan, Do) {
	p.Phase = Staged
	return p, Nothing
}

// Failure is why a step could not be done.
type Failure struct {
	Cause  Cause
	Detail string
	Final  bool // trying again changes nothing
}

func (f Failure) Error() string { return string(f.Cause) + ": " + f.Detail }

// Untaken: the agent starts and finds its own plan handed over and not taken.
func (p Plan) Untaken(h Here) (Plan, Do) {
	if p.Phase != Handed || h.Watch.Handled >= p.Seq {
		return p, Nothing
	}
	return p.Failed(Failure{Cause: Store, Detail: "the launcher could not take the update over: its note could not be written, or no launcher started this process"}, h)
}

// Failed rests the plan, or ends it with the final word.
func (p Plan) Failed(f Failure, h Here) (Plan, Do) {
	p.Tries++
	if f.Final || p.Tries >= maxTries || p.Want.Now {
		last := Outcome{Seq: p.Seq, Order: p.Want.Order, Wish: p.Want.Version, Version: p.named(), From: h.Version, Result: Failed, Cause: f.Cause, Detail: f.Detail, At: h.Moment.Local}
		return Plan{Seq: p.Seq, Last: &last}, Tidy
	}
	p.Phase, p.Why = Waiting, f.Detail
	p.Rest = min(longestRest, firstRest<<min(p.Tries-1, 10))
	if f.Cause == NoRoom {
		return p, Tidy
	}
	return p, Nothing // half a download is gone on with
}

// named is the version that was under way: a required one comes before the one wished.
func (p Plan) named() string {
	if p.To.Version != "" {
		return p.To.Version
	}
	return p.Want.Version
}
