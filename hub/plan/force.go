package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
)

// inForce lays the rules in force into the plan: they stay as they are, unless what they name is in use no more.
func (d *work) inForce(wants []want) {
	for _, h := range d.Have.Rules {
		if l, ok := d.line(h.Role, h.Code); ok && h.Location == "" && l.Why == "head office says so" && (l.Rule.From == h.From || l.Change == Same) {
			continue // it is among what was told
		}
		l := Line{Rule: h, Sure: Sure, Change: Same, Why: "in force"}
		x := wantOf(wants, h)
		if code := h.Target.Account; code != "" {
			a, ok := d.ch.account(code)
			l.Name = a.Name
			switch {
			case ok && a.Dead:
				d.replace(&l, x)
			case !ok:
				l.New, l.Name, l.Sure = true, x.name, Unsure
				l.Why = fmt.Sprintf("in force, and %s has no account %s: it is made under that code", d.ch.Company, code)
				d.account(x, code, "a rule in force names it: "+named(h))
			default:
				d.take(x, a, Sure, "")
			}
		}
		d.lacks(&l)
		d.p.Lines = append(d.p.Lines, l)
	}
}

// replace gives a rule whose account is in use no more another one.
func (d *work) replace(l *Line, x want) {
	if d.Sure {
		l.Sure, l.Why = Unsure, fmt.Sprintf("in force, and account %s is archived in Odoo", l.Rule.Target.Account)
		d.p.Notes = append(d.p.Notes, fmt.Sprintf("the rule for %s names account %s, which is archived in Odoo: documents with it wait. `hub odoo setup --plan` proposes another", named(l.Rule), l.Rule.Target.Account))
		return
	}
	c := d.choose(x)
	l.Was, l.Change, l.Sure, l.New, l.Name = l.Rule.Target, Changed, Unsure, c.made, c.name
	l.Why = fmt.Sprintf("account %s is archived in Odoo; %s", l.Rule.Target.Account, c.why)
	l.Rule.Target.Account = c.code
	if d.From != "" {
		l.Rule.From = d.From
	}
}

// lacks says what else a rule names that Odoo does not have.
func (d *work) lacks(l *Line) {
	t := l.Rule.Target
	say := func(format string, args ...any) {
		l.Sure = Unsure
		l.Why += "; " + fmt.Sprintf(format, args...)
	}
	if t.Tax != "" {
		switch x, ok := d.ch.tax(t.Tax); {
		case !ok && strings.HasPrefix(t.Tax, "Till "):
			l.New = true
			in := t.Account
			if in == "" { // the rule relies on an account of the tax's own
				in = d.payable()
			}
			d.make(Thing{Kind: TaxThing, Name: t.Tax, Account: in, Why: "a rule in force names it: " + named(l.Rule)})
		case !ok:
			say("Odoo has no sales tax %q", t.Tax)
		case x.Lines != 1:
			say("the tax %q has %d tax lines, and a till's amount needs one with exactly one", t.Tax, x.Lines)
		}
	}
	if _, ok := d.ch.journal(t.Journal); t.Journal != "" && !ok {
		say("Odoo has no journal %s", t.Journal)
	}
	for _, n := range mapping.Names(t.Analytic) {
		if !d.ch.NoAnalytic && !slices.ContainsFunc(d.ch.Analytic, func(a Analytic) bool { return a.is(n) }) {
			say("Odoo has no analytic account %q", n)
		}
	}
	if t.Warehouse != "" && !slices.ContainsFunc(d.ch.Warehouses, func(w Warehouse) bool { return w.Code == t.Warehouse }) {
		say("Odoo has no warehouse %s", t.Warehouse)
	}
}

// is reports whether a rule's name means the account.
func (a Analytic) is(name string) bool {
	return name == a.Code && a.Code != "" || name == a.Name || name == a.Plan+"/"+a.Name || a.Code != "" && name == a.Plan+"/"+a.Code
}

// wantOf is what a rule is for: the want that names just it, else its role, else something of its own.
func wantOf(wants []want, r mapping.Rule) want {
	if home := homeOf(r.Code); home != "" && r.Role == ledger.Tender {
		role, code := home.Split()
		return wantOf(wants, rule(role, code))
	}
	for _, code := range []string{r.Code, mapping.Any, ""} {
		for _, x := range wants {
			if slices.ContainsFunc(x.rules, func(o mapping.Rule) bool { return o.Role == r.Role && o.Code == code }) {
				return x
			}
		}
	}
	x := want{name: "Till " + strings.TrimSpace(string(r.Role)+" "+r.Code), kind: "asset_current", first: "101900", types: asset, rules: []mapping.Rule{r}, clear: r.Role == ledger.Tender || r.Role == ledger.Bank}
	if r.Role == ledger.Tax || r.Role == ledger.TaxRefund {
		x = taxWant
	}
	return x
}
