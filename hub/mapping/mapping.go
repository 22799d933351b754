// Package mapping says which account, tax or journal of the books each of the till's codes is, from which date on. It is pure.
package mapping

import (
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/retail"
)

// Target is a place in the books. Names are Odoo's own (account code, tax name, journal code): what finance reads and what survives a
// restore; the writer resolves them to ids.
type Target struct {
	Account string `json:"account"`       // account code in Odoo's chart, "" = not an account
	Tax     string `json:"tax,omitempty"` // exact name of the Odoo tax whose repartition line takes a tax role
	Label   string `json:"label,omitempty"`
}

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
