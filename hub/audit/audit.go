// Package audit judges whether a store-day is complete and its figures can be believed (DESIGN D10). It is pure: proof, not hope, closes a
// day, and what a required proof lacks is a case that names it.
package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Need says how much a proof counts.
type Need string

const (
	Absent   Need = "absent"   // the source does not give it
	Advisory Need = "advisory" // its failure is listed; the day goes
	Required Need = "required" // its failure holds the day
)

// Rules are what a location's sources must prove, and how long is waited for it.
type Rules struct {
	Gaps        Need
	Control     Need
	Grace       time.Duration // after the day's end, for a day that nothing proves
	ControlWait time.Duration // for a required control total
}

// Needs is what the profiles of a location's sources say of their proofs; "" = nothing, then the Rules decide.
type Needs struct{ Gaps, Control Need }

var weight = map[Need]int{Absent: 1, Advisory: 2, Required: 3}

// With takes the stronger word where two sources differ.
func (n Needs) With(o Needs) Needs {
	if weight[o.Gaps] > weight[n.Gaps] {
		n.Gaps = o.Gaps
	}
	if weight[o.Control] > weight[n.Control] {
		n.Control = o.Control
	}
	return n
}

// under puts what the sources' profiles say in the place of the general rule.
func (r Rules) under(n Needs) Rules {
	if n.Gaps != "" {
		r.Gaps = n.Gaps
	}
	if n.Control != "" {
		r.Control = n.Control
	}
	return r
}

// Mark is how far a source has read, by its own word.
type Mark struct {
	Source  string // device/source
	Through time.Time
	Former  bool // its device does not speak for the location any more: it will not read on
}

// Gap is a run of ticket numbers that a till left out.
type Gap struct {
	Till     retail.TillCode
	From, To int64 // both missing
}

func (g Gap) String() string {
	if g.From == g.To {
		return fmt.Sprintf("till %s: %d", g.Till, g.From)
	}
	return fmt.Sprintf("till %s: %d to %d", g.Till, g.From, g.To)
}

// Facts is what is known of a store-day.
type Facts struct {
	Key         rollup.DayKey
	Ends        time.Time // zero = the location's time zone is not known
	Unconfirmed []string  // the location, or tills of it, that nobody has confirmed
	Marks       []Mark    // of every source that speaks, or spoke, for the location
	Mute        []string  // devices that speak for the location and have never told how far they read
	Says        Needs
	Gaps        []Gap // of a day that has ended
	Numbered    int   // running numbers that its tickets carry
	Controls    []retail.Control
	Expected    bool // the calendar says that the store was open
	Tickets     int
	Gross, Tax  money.Amount
	Paid        money.Amount
	Approved    bool              // a person has approved the day as it is
	Accepted    map[string]string // cases that a person lives with: id and what it said then
	Now         time.Time
}

// Accepts reports whether a person lives with c as it stands.
func (f Facts) Accepts(c cases.Case) bool {
	detail, ok := f.Accepted[c.ID]
	return ok && (!c.Cause.Exact() || detail == c.Detail)
}

func (f Facts) newCase(cause cases.Cause, detail string) cases.Case {
	c := cases.New(cause, f.Key.String(), f.Now)
	c.Location, c.Day, c.Detail = f.Key.Location, f.Key.Day, detail
	return c
}

// Proof is one piece of evidence, as the day's page shows it.
type Proof struct {
	Source, What string
	Required     bool
	Good         bool
	Text         string
}

// Verdict is what becomes of the day.
type Verdict struct {
	Complete bool // every ticket is in, as far as can be proven or was waited for
	Audited  bool // and the figures agree with what they were compared with
	Unproven bool // nothing proved it
	Blocked  bool // nothing may be posted, not even what came late: a person must confirm location or till first
	Why      string
	Proofs   []Proof
	Cases    []cases.Case
	Gone     []string  // ids of cases whose cause is no more
	Next     time.Time // when time alone changes the verdict, zero = never
}

// Judge is the verdict on f under r.
func Judge(f Facts, r Rules) Verdict {
	r = r.under(f.Says)
	v := Verdict{}
	switch {
	case f.Ends.IsZero():
		v.Blocked, v.Why = true, "the location's time zone is not known: confirm the location"
		return v
	}
	proven, behind := v.marks(f)
	v.calendar(f)
	if len(f.Unconfirmed) > 0 {
		v.Blocked, v.Why = true, "not confirmed yet: "+strings.Join(f.Unconfirmed, ", ")
		if v.Unproven = !proven && !f.Now.Before(f.Ends); f.Now.Before(f.Ends) {
			v.Next = f.Ends // until then it runs, from then on it waits
		}
		return v
	}
	if f.Now.Before(f.Ends) && !f.Approved { // its numbers still run: nothing is missing yet
		v.Why, v.Next = "the day ends at "+f.clock(f.Ends), f.Ends
		return v
	}
	v.gaps(f, r)
	v.control(f, r)
	if f.Approved {
		v.Complete, v.Audited, v.Unproven = true, true, !proven
		v.settle(f)
		return v
	}
	lacks := v.complete(f, r, proven, behind)
	if v.Complete {
		lacks = append(lacks, v.agrees(f, r)...)
	}
	if id := cases.ID(cases.MissingProof, f.Key.String()); len(lacks) > 0 {
		v.Cases = append(v.Cases, f.newCase(cases.MissingProof, strings.Join(lacks, "; ")))
	} else {
		v.Gone = append(v.Gone, id)
	}
	return v
}

// settle takes back every question: a person has approved the day as it is.
func (v *Verdict) settle(f Facts) {
	v.Cases, v.Gone = nil, nil
	for _, c := range []cases.Cause{cases.MissingProof, cases.Gap, cases.ControlTotal} {
		v.Gone = append(v.Gone, cases.ID(c, f.Key.String()))
	}
}

// clock writes a time as the store reads it: in the zone in which its day ends.
func (f Facts) clock(t time.Time) string {
	return t.In(f.Ends.Location()).Format("2 Jan 2006 15:04 MST")
}

// complete decides whether every ticket is in; lacks are proofs that have not come in their time.
func (v *Verdict) complete(f Facts, r Rules, proven bool, behind []string) (lacks []string) {
	late := f.Ends.Add(r.Grace)
	inTime := f.Now.Before(late)
	if !inTime {
		lacks = behind
	}
	if f.Expected && f.Tickets == 0 {
		v.Why = "the calendar says the store was open, and nothing has come"
		if !inTime {
			lacks = append(lacks, v.Why)
		}
	}
	_, accepted := f.Accepted[cases.ID(cases.MissingProof, f.Key.String())]
	switch {
	case accepted:
		v.Complete, v.Unproven, v.Why = true, !proven, ""
	case v.Why != "":
	case proven:
		v.Complete = true
	case len(behind) > 0:
		v.Why = "a source has not read past the day's end"
	case inTime:
		v.Why = "no source proves that the day is complete; it goes at " + f.clock(late) + ", marked unproven"
	default:
		v.Complete, v.Unproven = true, true // nobody can prove it
	}
	if !v.Complete && inTime {
		v.Next = late
	}
	return lacks
}

// agrees decides whether the figures pass.
func (v *Verdict) agrees(f Facts, r Rules) (lacks []string) {
	for _, c := range v.Cases {
		holds := c.Cause == cases.ControlTotal && r.Control != Absent || c.Cause == cases.Gap && r.Gaps == Required
		if holds && !f.Accepts(c) {
			v.Why = c.Title + ": " + c.Detail
			return nil
		}
	}
	_, accepted := f.Accepted[cases.ID(cases.MissingProof, f.Key.String())]
	if r.Gaps == Required && f.Tickets > 0 && f.Numbered == 0 && !accepted {
		v.Why = "its tickets carry no running numbers, which their source must give"
		return []string{v.Why}
	}
	if v.Audited = r.Control != Required || len(f.Controls) > 0 || accepted; v.Audited {
		return nil
	}
	until := f.Ends.Add(r.ControlWait)
	v.Why = "the control total that its source must give is missing"
	if f.Now.Before(until) {
		v.Next = until
		return nil
	}
	return []string{v.Why}
}
