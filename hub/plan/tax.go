package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
)

var taxWant = want{name: "Till sales tax payable", kind: "liability_current", first: "251900", types: liability,
	hints: append(sure("sale tax payable", "sale tax collected", "tax received", "tax collected"), likely("sale tax", "tax payable")...), not: []string{"payroll", "income", "paid", "employee", "employer"}}

// taxes finds or makes an Odoo tax per jurisdiction. One that is made has rate zero: the till's cents are booked as they are.
func (d *work) taxes() {
	names := slices.Clone(d.Codes[ledger.Tax])
	for _, n := range d.Codes[ledger.TaxRefund] {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		for _, role := range []ledger.Role{ledger.Tax, ledger.TaxRefund} {
			r := rule(role, name)
			if d.answered(r) {
				continue
			}
			l := d.taxLine(name)
			if other, ok := d.Have.Find(sister(role), name, "", everAfter); ok { // sold and given back are one tax
				l = Line{Why: "as " + named(rule(sister(role), name)) + " in force", Sure: Sure, Name: other.Tax, Rule: mapping.Rule{Target: other}}
			}
			l.Rule.Role, l.Rule.Code, l.Change = role, name, Added
			d.p.Lines = append(d.p.Lines, l)
		}
	}
}

func sister(r ledger.Role) ledger.Role {
	if r == ledger.Tax {
		return ledger.TaxRefund
	}
	return ledger.Tax
}

// percent is a rate that stands in a jurisdiction's name: "NY 8.875%".
var percent = regexp.MustCompile(`(\d+(?:\.\d+)?)\s*%`)

// taxLine finds the tax by what head office says, by its name, by its rate; else makes one.
func (d *work) taxLine(name string) Line {
	if told := d.TaxNames[name]; told != "" {
		t, _ := d.ch.tax(told)
		return d.onTax(t, Sure, "head office says so")
	}
	if t, ok := d.ch.tax("Till " + name); ok && t.Lines == 1 {
		l := d.onTax(t, Sure, "an earlier setup made it for this")
		if l.Rule.Target.Account = t.Account; t.Account == "" { // named even so: a company that lacks this tax gets one on the same account
			l.Rule.Target.Account = d.payable()
		}
		return l
	}
	if fit, why, certain := d.fitTax(name); len(fit) > 0 && (!d.Sure || certain == Sure && len(fit) == 1) {
		if len(fit) > 1 {
			certain = Unsure
			why += fmt.Sprintf("; so has %q", fit[1].Name)
		}
		return d.onTax(fit[0], certain, why)
	}
	own := "Till " + name
	payable := d.payable()
	d.make(Thing{Kind: TaxThing, Name: own, Account: payable, Why: "no sales tax with one tax line is named like " + name})
	return Line{Name: own, Sure: Sure, New: true, Why: "no sales tax with one tax line is named like it: a new one of rate zero, since the till's cents are booked as they are",
		Rule: mapping.Rule{Target: mapping.Target{Account: payable, Tax: own}}}
}

// fitTax are the taxes that fit best.
func (d *work) fitTax(name string) (fit []Tax, why string, certain Certainty) {
	own := words(name)
	rate := percent.FindStringSubmatch(name)
	for _, by := range []struct {
		why  string
		sure Certainty
		fits func(Tax) bool
	}{
		{"it has the same name", Sure, func(t Tax) bool { return words(t.Name) == own }},
		{"its name holds the till's", Likely, func(t Tax) bool { return holds(words(t.Name), own) }},
		{"it has the rate that stands in the till's name", Likely, func(t Tax) bool { return rate != nil && t.Rate == trim(rate[1]) }},
	} {
		for _, t := range d.ch.Taxes {
			if t.Lines == 1 && by.fits(t) {
				fit = append(fit, t)
			}
		}
		if len(fit) > 0 {
			return fit, by.why, by.sure
		}
	}
	return nil, "", ""
}

// trim writes a rate as Odoo's is written: "8.50" as "8.5".
func trim(rate string) string {
	if strings.Contains(rate, ".") {
		rate = strings.TrimRight(strings.TrimRight(rate, "0"), ".")
	}
	return rate
}

// onTax is a line to a tax: on the tax's own account where it has one.
func (d *work) onTax(t Tax, s Certainty, why string) Line {
	target := mapping.Target{Tax: t.Name}
	if t.Account == "" || t.Refund == "" {
		target.Account = d.payable()
	}
	return Line{Name: t.Name, Sure: s, Why: why, Rule: mapping.Rule{Target: target}}
}

// payable is the account of taxes that have none: where the chart's own sales taxes go, else by name.
func (d *work) payable() string {
	if d.tax != "" {
		return d.tax
	}
	for _, t := range d.ch.Taxes {
		if a, ok := d.ch.account(t.Account); ok && !a.Dead && a.Type == "liability_current" {
			d.tax = a.Code
			return d.tax
		}
	}
	d.tax = d.choose(taxWant).code
	return d.tax
}
