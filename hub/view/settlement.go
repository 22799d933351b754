package view

import (
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// BankFilter picks bank lines; a zero field picks all.
type BankFilter struct {
	From, To retail.BusinessDate
	Open     bool // only those that stand in no voucher
	Limit    int

	Only  []retail.LocationCode                      // nil = all; else lines that stand in a voucher of one of these, and open ones that Place gives to one
	Place func(BankLine) (retail.LocationCode, bool) // whose an open line is, as far as its text says; nil = nobody's
}

// BankLine is a movement on a bank account.
type BankLine struct {
	Key     string              `json:"key"`
	Account string              `json:"account"`
	Booked  retail.BusinessDate `json:"booked"`
	Amount  money.Amount        `json:"amount"`
	Text    string              `json:"text"`
	Voucher string              `json:"voucher,omitempty"` // series, "" = it stands in none
	Why     string              `json:"why,omitempty"`     // why not
	Odoo    int64               `json:"odoo,omitempty"`    // its statement line in Odoo
	Cleared bool                `json:"cleared"`           // reconciled there
	Shared  bool                `json:"shared,omitempty"`  // it brings takings of locations that the reader may not see, too: then its amount is left out
}

// VoucherFilter picks vouchers; a zero field picks all.
type VoucherFilter struct {
	Location retail.LocationCode
	From, To retail.BusinessDate
	Series   string
	Limit    int
}

// VoucherView is a voucher and where it stands.
type VoucherView struct {
	Series   string              `json:"series"`
	Kind     ledger.VoucherKind  `json:"kind"`
	Location retail.LocationCode `json:"location"`
	Day      retail.BusinessDate `json:"day"`
	Text     string              `json:"text"`
	From     []string            `json:"from"`
	State    string              `json:"state"`
	Why      string              `json:"why,omitempty"`
	Entry    string              `json:"odoo_entry,omitempty"`
	Totals   rollup.Totals       `json:"totals"`
}

// Clearing is what stands on a clearing account of a location: taken at the tills and not yet paid out by anybody.
type Clearing struct {
	Location retail.LocationCode `json:"location"`
	Measure  ledger.Account      `json:"measure"`
	Open     money.Amount        `json:"open"`
	Oldest   retail.BusinessDate `json:"oldest,omitempty"` // day of the oldest amount that is open
	Days     int                 `json:"days"`             // banking days since
	PaidOut  bool                `json:"paid_out"`         // something has paid of it before; else it is a liability, or paid by somebody whose statements are not read
	Parts    []ClearingPart      `json:"parts,omitempty"`
}

// ClearingPart is what is open of one day.
type ClearingPart struct {
	Day    retail.BusinessDate `json:"day"`
	Amount money.Amount        `json:"amount"`
}
