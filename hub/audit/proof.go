package audit

import (
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// marks looks whether every source is past the day's end.
func (v *Verdict) marks(f Facts) (proven bool, behind []string) {
	proven = len(f.Marks) > 0 && len(f.Mute) == 0
	for _, m := range f.Marks {
		good := !m.Through.Before(f.Ends)
		if m.Former && !good {
			continue // a PC that was replaced: who took its place proves the day
		}
		v.Proofs = append(v.Proofs, Proof{Source: m.Source, What: "read to", Required: true, Good: good, Text: "through " + f.clock(m.Through)})
		if !good {
			behind = append(behind, m.Source+" has read to "+f.clock(m.Through)+" only")
		}
	}
	for _, d := range f.Mute {
		v.Proofs = append(v.Proofs, Proof{Source: d, What: "read to", Text: "it does not tell how far it has read"})
	}
	if len(v.Proofs) == 0 {
		v.Proofs = append(v.Proofs, Proof{Source: "all sources", What: "read to", Text: "no source tells how far it has read"})
		proven = false
	}
	return proven && len(behind) == 0, behind
}

// gapsShown is how many missing runs a case names: a store with one row of numbers for all tills leaves thousands.
const gapsShown = 20

func (v *Verdict) gaps(f Facts, r Rules) {
	id := cases.ID(cases.Gap, f.Key.String())
	checked := r.Gaps == Advisory || r.Gaps == Required
	if !checked || len(f.Gaps) == 0 {
		v.Gone = append(v.Gone, id)
		switch {
		case !checked:
		case f.Numbered == 0:
			v.Proofs = append(v.Proofs, Proof{Source: "tills", What: "ticket numbers", Required: r.Gaps == Required, Text: "its tickets carry no running numbers"})
		default:
			v.Proofs = append(v.Proofs, Proof{Source: "tills", What: "ticket numbers", Required: r.Gaps == Required, Good: true, Text: "none is missing"})
		}
		return
	}
	var list []string
	for i, g := range f.Gaps {
		if i == gapsShown {
			list = append(list, fmt.Sprintf("and %d more", len(f.Gaps)-i))
			break
		}
		list = append(list, g.String())
	}
	c := f.newCase(cases.Gap, "missing: "+strings.Join(list, "; "))
	v.Cases = append(v.Cases, c)
	v.Proofs = append(v.Proofs, Proof{Source: "tills", What: "ticket numbers", Required: r.Gaps == Required, Text: c.Detail})
}

// control compares with the tills' or vendor's own totals.
func (v *Verdict) control(f Facts, r Rules) {
	if r.Control == Absent {
		v.Gone = append(v.Gone, cases.ID(cases.ControlTotal, f.Key.String()))
		return
	}
	var wrong []string
	for _, c := range f.Controls {
		text := strings.Join(differences(c, f), "; ")
		good := text == ""
		if good {
			text = "agrees"
		} else {
			wrong = append(wrong, c.Source+": "+text)
		}
		v.Proofs = append(v.Proofs, Proof{Source: c.Source, What: "control total", Required: r.Control == Required, Good: good, Text: text})
	}
	if len(wrong) == 0 {
		v.Gone = append(v.Gone, cases.ID(cases.ControlTotal, f.Key.String()))
		return
	}
	v.Cases = append(v.Cases, f.newCase(cases.ControlTotal, strings.Join(wrong, "; ")))
}

// differences lists where a control total and our figures part.
func differences(c retail.Control, f Facts) (out []string) {
	if c.Tickets >= 0 && c.Tickets != int64(f.Tickets) {
		out = append(out, fmt.Sprintf("tickets %d, ours %d", c.Tickets, f.Tickets))
	}
	for _, m := range []struct {
		name         string
		theirs, ours money.Amount
	}{{"gross", c.Gross, f.Gross}, {"tax", c.Tax, f.Tax}, {"paid", c.Paid, f.Paid}} {
		if m.theirs.Currency != "" && m.theirs.Minor != m.ours.Minor {
			out = append(out, fmt.Sprintf("%s %s, ours %s", m.name, m.theirs, m.ours))
		}
	}
	return out
}

func (v *Verdict) calendar(f Facts) {
	if f.Expected {
		v.Proofs = append(v.Proofs, Proof{Source: "calendar", What: "open day", Good: f.Tickets > 0, Text: fmt.Sprintf("the store is open on this day; %d tickets", f.Tickets)})
	}
}
