package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/retail"
)

// Codes of the journals that are made for receipts and invoices, and for their payments where a tender's rule names no other.
const (
	OwnSales    = "TPOSR"
	OwnPayments = "TPOSP"
)

// Method is a payment method of a journal, one way.
type Method struct {
	Journal, Account string // codes; "" = it says no account
	Name             string
	In               bool // money comes in
}

// receipts plans what days need that go as receipts, invoices or ticket by ticket: two journals, a customer per location for all who give no name, and a
// payment method each way for each account on which tenders stand.
func (d *work) receipts() {
	if len(d.Receipts) == 0 && d.Books.Sales == "" {
		return
	}
	d.p.Books.Sales, d.p.Books.Payments = OwnSales, OwnPayments
	d.journalOf(OwnSales, "Tillpost receipts", "sale", "days of some locations go as receipts or invoices")
	d.journalOf(OwnPayments, "Tillpost payments", "cash", "payments of receipts stand in it, on the tenders' own accounts")
	for _, l := range slices.Sorted(slices.Values(d.Receipts)) {
		if !slices.Contains(d.ch.WalkIns, l) {
			d.make(Thing{Kind: CustomerThing, Code: string(l), Name: "Walk-in customer, " + cmp.Or(d.Locations[l], string(l)), Why: "receipts of the location stand on its account until they are paid"})
		}
	}
	for _, r := range d.tenderRules() {
		d.methods(r)
	}
}

func (d *work) journalOf(code, name, kind, why string) {
	switch j, ok := d.ch.journal(code); {
	case !ok:
		d.make(Thing{Kind: JournalThing, Code: code, Name: name, Type: kind, Why: why})
	case j.Type != kind:
		d.p.Notes = append(d.p.Notes, fmt.Sprintf("journal %s is of type %s and must be of type %s: give that journal another code in Odoo, then plan again", code, j.Type, kind))
	}
}

// tenderRules are those in force and those of the plan, in an order of their own.
func (d *work) tenderRules() (out []mapping.Rule) {
	for _, l := range d.p.Lines {
		out = append(out, l.Rule)
	}
	out = append(out, d.Have.Rules...)
	out = slices.DeleteFunc(out, func(r mapping.Rule) bool { return r.Role != ledger.Tender || r.Target.Account == "" })
	slices.SortStableFunc(out, func(a, b mapping.Rule) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

// methods plans the payment methods of a tender's account, unless some book there already.
func (d *work) methods(r mapping.Rule) {
	journal := cmp.Or(r.Target.Journal, OwnPayments)
	for _, way := range []string{"inbound", "outbound"} {
		fits := func(m Method) bool {
			return m.Journal == journal && m.Account == r.Target.Account && m.In == (way == "inbound") && (r.Target.Method == "" || m.Name == r.Target.Method)
		}
		made := func(t Thing) bool {
			return t.Kind == MethodThing && t.Code == journal && t.Account == r.Target.Account && t.Type == way && (r.Target.Method == "" || t.Name == r.Target.Method)
		}
		if slices.ContainsFunc(d.ch.Methods, fits) || slices.ContainsFunc(d.p.Create, made) {
			continue
		}
		name := cmp.Or(r.Target.Method, "Till "+r.Code)
		if slices.ContainsFunc(d.ch.Methods, func(m Method) bool { return m.Journal == journal && m.Name == name && m.In == (way == "inbound") }) { // names are unique in a journal
			name += " " + r.Target.Account
		}
		d.make(Thing{Kind: MethodThing, Code: journal, Name: name, Type: way, Account: r.Target.Account, Why: fmt.Sprintf("payments with %s stand on account %s", r.Code, r.Target.Account)})
	}
}

// WalkIn names a location's customer for all who give no name, in Odoo by its reference.
func WalkIn(l retail.LocationCode) string { return WalkInStart + string(l) }

// WalkInStart begins the references of all of them.
const WalkInStart = "tillpost/walk-in/"
