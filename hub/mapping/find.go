package mapping

import (
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/retail"
)

// Any is the code of a rule that takes every code of its role which has no rule of its own.
const Any = "*"

// Find returns the rule's target in force for a code at a location on a day.
func (s Set) Find(role ledger.Role, code string, at retail.LocationCode, on retail.BusinessDate) (Target, bool) {
	best := -1
	for i, r := range s.Rules {
		if r.Role != role || r.Code != code && r.Code != Any || r.Location != "" && r.Location != at || r.From > on {
			continue
		}
		if best < 0 || s.Rules[best].weaker(r) {
			best = i
		}
	}
	if best < 0 {
		return Target{}, false
	}
	return s.Rules[best].Target, true
}

// weaker reports whether r gives way to o: the code itself before "*", then the location itself, then the later date.
func (r Rule) weaker(o Rule) bool {
	if (r.Code == Any) != (o.Code == Any) {
		return r.Code == Any
	}
	if (r.Location == "") != (o.Location == "") {
		return r.Location == ""
	}
	return r.From <= o.From
}
