package roll

import (
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// ShadowRule keeps days out of the books while the old way still posts them.
type ShadowRule struct {
	On    bool      // nothing at all is posted
	Ended time.Time // it was on until then, zero = never: a day that had begun by then was posted the old way and is not posted again
}

// keeps says why a day, or a voucher dated in it, is not posted, "" = it may be. A location's own first day goes before when the rule ended. What
// has a document is Tillpost's own: its corrections wait only while the rule is on.
func (r ShadowRule) keeps(d shadowed) string {
	switch {
	case r.On:
		return "shadow: it is compared with what the old way posts; nothing is posted while [posting] shadow is on"
	case d.documents > 0:
		return ""
	case d.until != "" && d.day < d.until:
		return fmt.Sprintf("shadow: this location is posted from %s on; the days before are the old way's and stay so", d.until)
	case d.until == "" && !r.Ended.IsZero() && !d.begins.After(r.Ended):
		return "shadow: it began before shadow ended at " + r.Ended.UTC().Format("2 Jan 2006 15:04 MST") + ", so that it is the old way's and stays so"
	}
	return ""
}

// paid parts the store-days that a deposit pays into those that Tillpost posts, or has posted, and those that are the old way's.
func (r ShadowRule) paid(days []PaidDay) (ours, theirs []string) {
	for _, d := range days {
		if r.keeps(shadowed{d.Key.Day, d.Documents, d.ShadowUntil, d.Begins}) == "" {
			ours = append(ours, d.Key.String())
		} else {
			theirs = append(theirs, d.Key.String())
		}
	}
	return ours, theirs
}

// PaidDay is a store-day that a deposit pays, as far as the shadow rule needs it.
type PaidDay struct {
	Key         rollup.DayKey
	Documents   int
	ShadowUntil retail.BusinessDate
	Begins      time.Time
}

// shadowed is what the rule needs to know.
type shadowed struct {
	day       retail.BusinessDate
	documents int
	until     retail.BusinessDate // the location's first day that is posted
	begins    time.Time
}
