// Package plan proposes a complete mapping set from Odoo's own chart, by type and name, says of each line why, and lays it beside the rules in
// force. It is pure: who read the chart shows the plan, and writes it when a person says so.
package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Wish is what head office has: its places, what its tills say, the rules in force, and what it wants used.
type Wish struct {
	Locations map[retail.LocationCode]string // code → name
	Codes     map[ledger.Role][]string       // what tills have said, and what they are expected to
	Stations  []string                       // tills' codes
	Banks     []string                       // short names of the bank accounts in the settings
	Receipts  []retail.LocationCode          // whose days go as receipts, invoices or ticket by ticket
	Have      mapping.Set
	Books     rollup.Books        // found or made before, empty = never
	From      retail.BusinessDate // from when a changed rule holds, "" = from the beginning
	Sure      bool                // only what is sure: what merely fits is made anew, and no rule in force is changed

	Journal  string            // code of a general journal that head office wants used
	Accounts map[string]string // "tender:cash", "sales:*", "suspense" → account code
	TaxNames map[string]string // jurisdiction → name of the Odoo tax
}

// Certainty says how far a person can trust a line without looking.
type Certainty string

const (
	Sure   Certainty = "sure"   // told, in force, or the chart's own name for just this
	Likely Certainty = "likely" // the name fits, and so does the type
	Unsure Certainty = "unsure" // a person should look: several fit, or something is amiss
)

// Change lays a line beside the rules in force.
type Change string

const (
	Added   Change = "added"
	Changed Change = "changed"
	Same    Change = "same"
)

// Line is one rule of the set.
type Line struct {
	Rule   mapping.Rule   `json:"rule"`
	Name   string         `json:"name,omitempty"` // of its account
	Why    string         `json:"why"`
	Sure   Certainty      `json:"certainty"`
	Change Change         `json:"change"`
	Was    mapping.Target `json:"was,omitzero"`
	New    bool           `json:"new"` // its account or tax must be created
}

// Kind says what a thing in Odoo is.
type Kind string

// Kinds of things, in the order in which they are made.
const (
	AnalyticOn      Kind = "analytic accounting"
	JournalThing    Kind = "journal"
	AccountThing    Kind = "account"
	ReconcileThing  Kind = "reconcile"
	TaxThing        Kind = "tax"
	PlanThing       Kind = "analytic plan"
	AnalyticAccount Kind = "analytic account"
	CustomerThing   Kind = "customer"
	MethodThing     Kind = "payment method"
)

// Thing is what must be created or changed in Odoo.
type Thing struct {
	Kind    Kind   `json:"kind"`
	Code    string `json:"code,omitempty"` // of a payment method: its journal's; of a customer: the location's
	Name    string `json:"name,omitempty"`
	Type    string `json:"type,omitempty"`    // of an account or journal; of a payment method: inbound or outbound
	Account string `json:"account,omitempty"` // of a tax: the account of its tax lines; of a payment method: where it books
	Plan    string `json:"plan,omitempty"`    // of an analytic account
	Clear   bool   `json:"reconcile,omitempty"`
	Why     string `json:"why"`
}

// Plan is a whole proposal for one company.
type Plan struct {
	Version string       `json:"odoo"`
	Company string       `json:"company"`
	Books   rollup.Books `json:"books"`
	Lines   []Line       `json:"lines"`
	Create  []Thing      `json:"create,omitempty"`
	Notes   []string     `json:"notes,omitempty"`
	Mapping int64        `json:"mapping"` // version of the rules that it was laid beside
	Hash    string       `json:"hash"`    // of all of the above: the same plan, and nothing has changed
}

// Rules are those that would be written.
func (p Plan) Rules() (out []mapping.Rule) {
	for _, l := range p.Lines {
		if l.Change != Same {
			out = append(out, l.Rule)
		}
	}
	return out
}

// Count tells how many lines are of a change.
func (p Plan) Count(c Change) (n int) {
	for _, l := range p.Lines {
		if l.Change == c {
			n++
		}
	}
	return n
}

// Unsure are the lines that a person should look at.
func (p Plan) Unsure() (out []Line) {
	for _, l := range p.Lines {
		if l.Sure == Unsure {
			out = append(out, l)
		}
	}
	return out
}

// hashLength is enough to tell a plan from any other that a person will see.
const hashLength = 12

// seal orders a plan and gives it its hash.
func (p *Plan) seal() error {
	slices.SortStableFunc(p.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(rank(a.Rule.Role), rank(b.Rule.Role)), cmp.Compare(a.Rule.Code, b.Rule.Code), cmp.Compare(a.Rule.Location, b.Rule.Location), cmp.Compare(a.Rule.From, b.Rule.From))
	})
	slices.SortStableFunc(p.Create, func(a, b Thing) int {
		return cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind))
	})
	p.Hash = ""
	body, err := json.Marshal(p)
	sum := sha256.Sum256(body)
	p.Hash = hex.EncodeToString(sum[:])[:hashLength]
	return fault.New(fault.Internal, "hash plan", err)
}

var kinds = []Kind{AnalyticOn, JournalThing, AccountThing, ReconcileThing, TaxThing, PlanThing, AnalyticAccount, CustomerThing, MethodThing}

// rank is the order in which people read a set: what comes in, how it is paid, what becomes of it, who and where.
func rank(r ledger.Role) int { return slices.Index(order, r) }

var order = []ledger.Role{ledger.Sales, ledger.Returns, ledger.Discount, ledger.Shipping, ledger.Fee, ledger.Tax, ledger.TaxRefund, ledger.GiftCard, ledger.Deposit, ledger.House, ledger.Tip,
	ledger.Rounding, ledger.PaidIn, ledger.PaidOut, ledger.OverShort, ledger.Tender, ledger.Bank, ledger.Charge, ledger.Dispute, ledger.Loss, ledger.COGS, ledger.Inventory, ledger.DueTo,
	ledger.DueFrom, ledger.Unclaimed, ledger.Breakage, ledger.Cancelling, mapping.Location, mapping.Station, mapping.Employee, mapping.Category}
