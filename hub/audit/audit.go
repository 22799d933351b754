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

// Mark is how far a source has read, by its own word.
type Mark struct {
	Source  string // device/source
	Through time.Time
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
	Marks       []Mark    // of every source that speaks for the location
	Gaps        []Gap
	Controls    []retail.Control
	Expected    bool // the calendar says that the store was open
	Tickets     int
	Gross, Tax  money.Amount
	Paid        money.Amount
	Approved    bool            // a person has approved the day as it is
	Accepted    map[string]bool // ids of cases that a person has accepted
	Now         time.Time
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
	Why      string
	Proofs   []Proof
	Cases    []cases.Case
	Gone     []string  // ids of cases whose cause is no more
	Next     time.Time // when time alone changes the verdict, zero = never
}

// Judge is the verdict on f under r.
func Judge(f Facts, r Rules) Verdict {
	v := Verdict{}
	switch {
	case f.Ends.IsZero():
		v.Why = "the location's time zone is not known: confirm the location"
		return v
	case len(f.Unconfirmed) > 0:
		v.Why = "not confirmed yet: " + strings.Join(f.Unconfirmed, ", ")
		return v
	}
	proven := v.marks(f, r)
	v.gaps(f, r)
	v.control(f, r)
	v.calendar(f)
	switch {
	case f.Now.Before(f.Ends) && !f.Approved:
		v.Why, v.Next = "the day ends at "+f.Ends.UTC().Format("2006-01-02 15:04")+" UTC", f.Ends
		v.Cases, v.Gone = nil, nil // an open day's numbers still run: nothing is missing yet
		return v
	case f.Approved:
		v.Complete, v.Audited, v.Unproven = true, true, !proven
		return v
	}
	v.Complete = v.complete(f, r, proven)
	v.Audited = v.Complete && v.agrees(f, r)
	return v
}

// marks looks whether every source is past the day's end.
func (v *Verdict) marks(f Facts, r Rules) (proven bool) {
	proven = len(f.Marks) > 0
	id := cases.ID(cases.MissingProof, f.Key.String())
	var behind []string
	for _, m := range f.Marks {
		good := !m.Through.Before(f.Ends)
		v.Proofs = append(v.Proofs, Proof{Source: m.Source, What: "read to", Required: true, Good: good, Text: "through " + m.Through.UTC().Format("2006-01-02 15:04") + " UTC"})
		if !good {
			proven = false
			behind = append(behind, m.Source+" has read to "+m.Through.UTC().Format("2006-01-02 15:04")+" UTC only")
		}
	}
	if len(behind) > 0 && !f.Now.Before(f.Ends.Add(r.Grace)) {
		c := cases.New(cases.MissingProof, f.Key.String(), f.Now)
		c.Location, c.Day, c.Detail = f.Key.Location, f.Key.Day, strings.Join(behind, "; ")
		v.Cases = append(v.Cases, c)
	} else {
		v.Gone = append(v.Gone, id)
	}
	if len(f.Marks) == 0 {
		v.Proofs = append(v.Proofs, Proof{Source: "all sources", What: "read to", Text: "no source tells how far it has read"})
	}
	return proven
}

func (v *Verdict) gaps(f Facts, r Rules) {
	id := cases.ID(cases.Gap, f.Key.String())
	if r.Gaps == Absent || len(f.Gaps) == 0 {
		v.Gone = append(v.Gone, id)
		if r.Gaps != Absent {
			v.Proofs = append(v.Proofs, Proof{Source: "tills", What: "ticket numbers", Required: r.Gaps == Required, Good: true, Text: "none is missing"})
		}
		return
	}
	var list []string
	for i, g := range f.Gaps {
		if i == 20 {
			list = append(list, fmt.Sprintf("and %d more", len(f.Gaps)-i))
			break
		}
		list = append(list, g.String())
	}
	c := cases.New(cases.Gap, f.Key.String(), f.Now)
	c.Location, c.Day, c.Detail = f.Key.Location, f.Key.Day, "missing: "+strings.Join(list, "; ")
	v.Cases = append(v.Cases, c)
	v.Proofs = append(v.Proofs, Proof{Source: "tills", What: "ticket numbers", Required: r.Gaps == Required, Text: c.Detail})
}

// control compares with the tills' or vendor's own totals.
func (v *Verdict) control(f Facts, r Rules) {
	id := cases.ID(cases.ControlTotal, f.Key.String())
	var wrong []string
	for _, c := range f.Controls {
		var diff []string
		if c.Tickets >= 0 && c.Tickets != int64(f.Tickets) {
			diff = append(diff, fmt.Sprintf("tickets %d, ours %d", c.Tickets, f.Tickets))
		}
		for _, m := range []struct {
			name         string
			theirs, ours money.Amount
		}{{"gross", c.Gross, f.Gross}, {"tax", c.Tax, f.Tax}, {"paid", c.Paid, f.Paid}} {
			if m.theirs.Currency != "" && m.theirs.Minor != m.ours.Minor {
				diff = append(diff, fmt.Sprintf("%s %s, ours %s", m.name, m.theirs, m.ours))
			}
		}
		text := "agrees"
		if len(diff) > 0 {
			text = strings.Join(diff, "; ")
			wrong = append(wrong, c.Source+": "+text)
		}
		v.Proofs = append(v.Proofs, Proof{Source: c.Source, What: "control total", Required: r.Control == Required, Good: len(diff) == 0, Text: text})
	}
	if len(wrong) == 0 {
		v.Gone = append(v.Gone, id)
		return
	}
	c := cases.New(cases.ControlTotal, f.Key.String(), f.Now)
	c.Location, c.Day, c.Detail = f.Key.Location, f.Key.Day, strings.Join(wrong, "; ")
	v.Cases = append(v.Cases, c)
}

func (v *Verdict) calendar(f Facts) {
	if f.Expected {
		v.Proofs = append(v.Proofs, Proof{Source: "calendar", What: "open day", Good: f.Tickets > 0, Text: fmt.Sprintf("the store is open on this day; %d tickets", f.Tickets)})
	}
}

// complete decides whether every ticket is in.
func (v *Verdict) complete(f Facts, r Rules, proven bool) bool {
	late := f.Ends.Add(r.Grace)
	accepted := f.Accepted[cases.ID(cases.MissingProof, f.Key.String())]
	switch {
	case proven && f.Expected && f.Tickets == 0 && f.Now.Before(late):
		v.Why, v.Next = "the calendar says the store was open, and nothing has come", late
		return false
	case proven:
		return true
	case accepted:
		v.Unproven = true
		return true
	case len(f.Marks) == 0 && !f.Now.Before(late):
		v.Unproven = true // nobody can prove it: it goes, marked
		return true
	case len(f.Marks) == 0:
		v.Why, v.Next = "no source proves that the day is complete; it goes at "+late.UTC().Format("2006-01-02 15:04")+" UTC, marked unproven", late
		return false
	}
	v.Why, v.Next = "a source has not read past the day's end", late
	if !f.Now.Before(late) {
		v.Next = time.Time{}
	}
	return false
}

// agrees decides whether the figures pass.
func (v *Verdict) agrees(f Facts, r Rules) bool {
	for _, c := range v.Cases {
		if f.Accepted[c.ID] {
			continue
		}
		if c.Cause == cases.ControlTotal {
			v.Why = "a control total differs: " + c.Detail
			return false
		}
		if c.Cause == cases.Gap && r.Gaps == Required {
			v.Why = c.Detail
			return false
		}
	}
	if r.Control != Required || len(f.Controls) > 0 {
		return true
	}
	until := f.Ends.Add(r.ControlWait)
	c := cases.New(cases.MissingProof, f.Key.String(), f.Now)
	if f.Accepted[c.ID] {
		return true
	}
	v.Why, v.Next = "the control total that its source must give is missing", until
	if !f.Now.Before(until) {
		c.Location, c.Day, c.Detail = f.Key.Location, f.Key.Day, v.Why
		v.Cases, v.Next = append(v.Cases, c), time.Time{}
		v.Gone = nil
	}
	return false
}
