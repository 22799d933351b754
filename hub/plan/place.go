package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/retail"
)

// Locations is the analytic plan that is made for them.
const Locations = "Locations"

// named offers rules of their own to codes that the chart has an account for: a category's sales, a reason's expense.
func (d *work) named() {
	if d.Sure {
		return
	}
	for _, by := range []struct {
		role  ledger.Role
		types []string
		with  string
	}{{ledger.Sales, []string{"income"}, "sale"}, {ledger.PaidOut, []string{"expense"}, ""}, {ledger.PaidIn, []string{"income", "income_other"}, ""}} {
		rest, _ := d.line(by.role, mapping.Any)
		for _, code := range d.Codes[by.role] {
			if _, own := d.exact(rule(by.role, code)); own || words(code) == "" {
				continue
			}
			var fit []Account
			for _, a := range d.ch.Accounts {
				if !a.Dead && slices.Contains(by.types, a.Type) && a.Code != rest.Rule.Target.Account && holds(words(a.Name), words(code+" "+by.with)) {
					fit = append(fit, a)
				}
			}
			if len(fit) != 1 {
				continue
			}
			r := rule(by.role, code)
			r.Target.Account = fit[0].Code
			if _, told := d.line(by.role, code); !told {
				d.p.Lines = append(d.p.Lines, Line{Rule: r, Name: fit[0].Name, Sure: Likely, Change: Added, Why: fmt.Sprintf("of type %s, and it is named like the till's %q", fit[0].Type, code)})
			}
		}
	}
}

// places finds what stands beside lines: an analytic account per location, warehouses, and other plans' accounts named like a category or till.
func (d *work) places() {
	for _, l := range slices.Sorted(maps.Keys(d.Locations)) {
		d.location(l, d.Locations[l])
	}
	if d.Sure { // what is only named alike is no certainty
		return
	}
	d.beside(mapping.Category, d.Codes[ledger.Sales])
	d.beside(mapping.Station, d.Stations)
}

func (d *work) location(l retail.LocationCode, name string) {
	if _, own := d.exact(rule(mapping.Location, string(l))); own {
		return
	}
	r := rule(mapping.Location, string(l))
	line := Line{Sure: Likely, Change: Added}
	var why []string
	switch fit := d.analyticOf(l, name); {
	case slices.ContainsFunc(d.ch.Analytic, func(a Analytic) bool { return a.Code == string(l) }):
	case len(fit) == 1 && !d.Sure:
		r.Target.Analytic = fit[0].Plan + "/" + fit[0].Name
		why = append(why, fmt.Sprintf("the analytic account %q is named like the location", fit[0].Name))
	default:
		in := d.planOf()
		if !slices.Contains(d.ch.Plans, in) {
			d.make(Thing{Kind: PlanThing, Name: in, Why: "each location gets an analytic account in it"})
		}
		if name == "" {
			name = string(l)
		}
		d.make(Thing{Kind: AnalyticAccount, Code: string(l), Name: name, Plan: in, Why: "no analytic account has the location's code, or just its name"})
	}
	if w, ok := d.warehouseOf(l, name); ok && !d.Sure {
		r.Target.Warehouse = w.Code
		why = append(why, fmt.Sprintf("the warehouse %q is named like the location", w.Name))
	}
	if r.Target != (mapping.Target{}) {
		r.From = d.From
		line.Rule, line.Why = r, strings.Join(why, "; ")
		d.p.Lines = append(d.p.Lines, line)
	}
}

// planOf is the plan that holds the locations' accounts, or is to.
func (d *work) planOf() string {
	for _, a := range d.ch.Analytic {
		if _, ok := d.Locations[retail.LocationCode(a.Code)]; ok && a.Code != "" {
			return a.Plan
		}
	}
	return Locations
}

// analyticOf are the analytic accounts without a code that are named like a location.
func (d *work) analyticOf(l retail.LocationCode, name string) (fit []Analytic) {
	for _, a := range d.ch.Analytic {
		if own := words(a.Name); own != "" && (own == words(name) || own == words(string(l))) {
			fit = append(fit, a)
		}
	}
	return fit
}

func (d *work) warehouseOf(l retail.LocationCode, name string) (Warehouse, bool) {
	var fit []Warehouse
	for _, w := range d.ch.Warehouses {
		if w.Code == string(l) || name != "" && words(w.Name) == words(name) {
			fit = append(fit, w)
		}
	}
	if len(fit) == 1 {
		return fit[0], true
	}
	return Warehouse{}, false
}

// beside offers analytic accounts of other plans than the locations' that are named like a code.
func (d *work) beside(role ledger.Role, codes []string) {
	places := d.planOf()
	for _, code := range codes {
		r := rule(role, code)
		if _, own := d.Have.Find(role, code, "", everAfter); own || words(code) == "" {
			continue
		}
		var fit []Analytic
		for _, a := range d.ch.Analytic {
			if a.Plan != places && a.Plan != Locations && (words(a.Code) == words(code) || words(a.Name) == words(code)) {
				fit = append(fit, a)
			}
		}
		if len(fit) != 1 {
			continue
		}
		r.From, r.Target.Analytic = d.From, fit[0].Plan+"/"+fit[0].Name
		d.p.Lines = append(d.p.Lines, Line{Rule: r, Sure: Likely, Change: Added, Why: fmt.Sprintf("the analytic plan %q has an account named like it", fit[0].Plan)})
	}
}
