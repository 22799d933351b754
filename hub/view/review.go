package view

import (
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// ReviewFilter names store-days of a span, both ends included.
type ReviewFilter struct {
	Location retail.LocationCode   // "" = every one
	Only     []retail.LocationCode // what the user may see; nil = all
	From, To retail.BusinessDate
}

// ReviewRow is what one location did: on one day, or over a span when Day is "". Amounts read as people say them: what was sold, owed or paid is
// positive, what was returned, discounted or paid out is negative; Over is positive when cash was over.
type ReviewRow struct {
	Location retail.LocationCode
	Name     string
	Day      retail.BusinessDate
	Currency money.Currency
	State    string // of a day
	Days     int
	Unposted int // of them closed and not in the books as they should be
	Running  int // of them not over: in the sums, and in the books when they are
	Tickets  int
	Measures map[ledger.Account]money.Amount // debit positive, summed

	Known      bool         // something of it was read back from Odoo
	Difference money.Amount // over what was
}

// SheetView is a store-day as its document would be.
type SheetView struct {
	Key      rollup.DayKey
	State    string
	Currency money.Currency
	Lines    []rollup.Line
}

// ShadowDay is a store-day beside what the old way posted of it.
type ShadowDay struct {
	Location   retail.LocationCode `json:"location"`
	Day        retail.BusinessDate `json:"day"`
	State      string              `json:"state"`
	Lines      []ShadowLine        `json:"lines"`
	Entries    []string            `json:"entries"`    // of the old way
	Difference money.Amount        `json:"difference"` // sum over the accounts of |ours − theirs|
	Missing    bool                `json:"missing"`    // the old way has no entry of this day
}

// ShadowLine is one account of such a day, debit positive.
type ShadowLine struct {
	Account    string       `json:"account"`
	Label      string       `json:"label"`
	Ours       money.Amount `json:"ours"`
	Theirs     money.Amount `json:"theirs"`
	Difference money.Amount `json:"difference"` // ours minus theirs
}

// ShadowReport is the comparison of a span.
type ShadowReport struct {
	Days []ShadowDay `json:"days"`
	Same int         `json:"same"`           // days that agree to the cent
	Note string      `json:"note,omitempty"` // what could not be told apart
}
