package mapping

import (
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/retail"
)

// None in place of an analytic account says: from here on, none.
const None = "-"

// Names takes a list of analytic accounts apart: "DEPT-TOYS; Regions/East". Each is an account's code or its name, or "plan/code" or "plan/name"
// where that alone is not clear. None is no name.
func Names(list string) (out []string) {
	for part := range strings.SplitSeq(list, ";") {
		if part = strings.TrimSpace(part); part != "" && part != None && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}

// Join puts lists of analytic accounts together, what is named more closely last: of one plan the last counts.
func Join(lists ...string) string {
	var all []string
	for _, l := range lists {
		for _, n := range Names(l) {
			all = append(slices.DeleteFunc(all, func(have string) bool { return have == n }), n)
		}
	}
	return strings.Join(all, "; ")
}

// At is what a location's own rule says of its days: analytic accounts in place of its own, journal, company, warehouse.
func (s Set) At(l retail.LocationCode, on retail.BusinessDate) Target {
	t, _ := s.Find(Location, string(l), l, on)
	return t
}

// Who is whose work a ticket is.
type Who struct {
	Till    retail.TillCode
	Cashier string
}

// Beside is the analytic accounts that stand beside what a till and a cashier did, "" = none.
func (s Set) Beside(w Who, l retail.LocationCode, on retail.BusinessDate) string {
	till, _ := s.Find(Station, string(w.Till), l, on)
	cashier, _ := s.Find(Employee, w.Cashier, l, on)
	return Join(till.Analytic, cashier.Analytic)
}

// Splits reports whether a rule may set tills or cashiers apart at a location on a day.
func (s Set) Splits(l retail.LocationCode, on retail.BusinessDate) bool {
	return slices.ContainsFunc(s.Rules, func(r Rule) bool {
		return (r.Role == Station || r.Role == Employee) && (r.Location == "" || r.Location == l) && r.From <= on
	})
}

// OfCategory is the analytic accounts of a measure's category, "" = none, or its role has no category.
func (s Set) OfCategory(a ledger.Account, l retail.LocationCode, on retail.BusinessDate) string {
	role, code := a.Split()
	switch role {
	case ledger.Sales, ledger.Returns, ledger.COGS, ledger.Inventory:
		t, _ := s.Find(Category, code, l, on)
		return t.Analytic
	}
	return ""
}

// Calls writes a list of analytic accounts by the names that the rules use: called is every name of each, by the one that stands in the list.
func (s Set) Calls(list string, called map[string][]string) string {
	if list == "" {
		return ""
	}
	used := map[string]bool{}
	for _, r := range s.Rules {
		for _, n := range Names(r.Target.Analytic) {
			used[n] = true
		}
	}
	var out []string
	for _, n := range Names(list) {
		if i := slices.IndexFunc(called[n], func(other string) bool { return used[other] }); i >= 0 {
			n = called[n][i]
		}
		out = append(out, n)
	}
	return strings.Join(out, "; ")
}

// On is the set as it counts on a day: of each rule the one in force then.
func (s Set) On(day retail.BusinessDate) Set {
	out := Set{Version: s.Version}
	for _, r := range s.Rules {
		later := func(o Rule) bool {
			return o.Role == r.Role && o.Code == r.Code && o.Location == r.Location && o.From > r.From && o.From <= day
		}
		if r.From <= day && !slices.ContainsFunc(s.Rules, later) {
			out.Rules = append(out.Rules, r)
		}
	}
	return out
}
