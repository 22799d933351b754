// Package mapping says which account, tax, journal and analytic account of the books each of the till's codes is, from which date on. It is pure.
package mapping

import (
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/retail"
)

// Target is a place in the books. Names are Odoo's own (account code, tax name, journal code): what finance reads and what survives a
// restore; the writer resolves them to ids.
type Target struct {
	Account   string `json:"account"`       // account code in Odoo's chart, "" = not an account
	Tax       string `json:"tax,omitempty"` // exact name of the Odoo tax whose repartition line takes a tax role
	Label     string `json:"label,omitempty"`
	Journal   string `json:"journal,omitempty"`   // of a tender: the journal of its payments; of a location: the journal of its entries
	Method    string `json:"method,omitempty"`    // of a tender: the payment method in that journal
	Analytic  string `json:"analytic,omitempty"`  // analytic accounts, "DEPT-TOYS; Regions/East": see Names
	Company   string `json:"company,omitempty"`   // of a location: the Odoo company whose books its days go to
	Warehouse string `json:"warehouse,omitempty"` // of a location: code of the Odoo warehouse that its goods come from
}

// String says a place in a few words: "101405, journal CSH1, beside Departments/Toys".
func (t Target) String() string {
	var out []string
	for _, p := range []struct{ name, value string }{{"", t.Account}, {"tax ", t.Tax}, {"journal ", t.Journal}, {"method ", t.Method}, {"beside ", t.Analytic}, {"company ", t.Company}, {"warehouse ", t.Warehouse}} {
		if p.value != "" {
			out = append(out, p.name+p.value)
		}
	}
	return strings.Join(out, ", ")
}

// Roles of what is no measure: who or where something happened. Their rules say what stands beside a line, never its account.
const (
	Location ledger.Role = "location" // code = the location's: analytic accounts in place of its own, journal, company, warehouse
	Station  ledger.Role = "station"  // code = the till's
	Employee ledger.Role = "employee" // code = the cashier's, as the till writes it
	Category ledger.Role = "category" // code = the category's: sold, given back, and what the goods had cost
)

// Rule maps one code from a date on. Code "*" is the role's default; Location "" is every location.
type Rule struct {
	Role     ledger.Role
	Code     string
	Location retail.LocationCode
	From     retail.BusinessDate // "" = always
	Target   Target
}

// Set is the rules in force. The most specific rule wins: code before "*", location before all, later From before earlier.
type Set struct {
	Rules   []Rule
	Version int64 // of the whole set; a document tells by which version it was made
}
