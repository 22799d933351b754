// Package view is what the hub's pages and commands show: plain values, read by store and drawn by web. It decides nothing.
package view

import (
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// DayFilter narrows the list of store-days. The zero filter is every day.
type DayFilter struct {
	Location retail.LocationCode   // "" = every one
	Only     []retail.LocationCode // what the user may see; nil = all
	From, To retail.BusinessDate   // both included, "" = no bound
	State    string                // "" = every one
	Unposted bool                  // only closed days that are not in the books as they should be
	Unproven bool                  // only those that went, or stand, without proof
	Limit    int                   // 0 = no limit
	Offset   int
}

// DayView is one row of the list: the newest day first, then by location.
type DayView struct {
	Key      rollup.DayKey
	Name     string // the location's
	Currency money.Currency
	Tickets  int
	Gross    money.Amount // lines without tax, returns deducted
	Tax      money.Amount
	Tenders  []Figure // by amount, the largest first
	State    string   // open complete audited approved posting posted verified parked waiting
	Unproven bool     // no source proved that the day is complete
	Hold     bool
	Reversed bool   // a person took it back
	Approved string // who, "auto", "" = nobody yet
	Why      string // what it waits for, for a person
	Odoo     Odoo   // over all documents of the day
	Cases    int    // open ones that name this day
}

// Figure is an amount under a name.
type Figure struct {
	Measure ledger.Account // "tender:cash"
	Label   string         // "cash"
	Amount  money.Amount
}

// Odoo is what was read back from Odoo.
type Odoo struct {
	Entry      string // the entry's number there, "" = none yet; several are joined by ", "
	URL        string // opens it there, "" = not known
	Date       retail.BusinessDate
	Checked    time.Time
	Known      bool         // it was read back: Difference means something
	Difference money.Amount // sum over the lines of |ours − Odoo's|: 0.00 or a case
}

// DayDetail is a store-day with all that led to its figures.
type DayDetail struct {
	DayView
	Costed    bool   `json:",omitempty"` // its cost of goods is posted
	Uncosted  int    `json:",omitempty"` // lines of goods whose cost no till told: they are not in it
	Zone      string // the location's
	Opens     time.Time
	Ends      time.Time
	Unbased   []Figure // taxes of which no till says what they are on, by their code
	Proofs    []Proof
	Documents []DocumentView // oldest first; a day without any has one preview with Number 0
	Pending   []LineView     // what changed since the last document and goes with the next
	Cases     []CaseView     // open ones
	Steps     []StepView     // oldest first
}

// Proof is one piece of evidence that the day is complete.
type Proof struct {
	Source   string // device/source, "tills", "calendar"
	What     string // "read to", "ticket numbers", "control total", "open day"
	Required bool
	Good     bool
	Text     string // "through 2026-11-24 04:00, past the day's end"
}
