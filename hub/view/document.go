package view

import (
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// DocumentView is one journal entry for Odoo, sent or about to be.
type DocumentView struct {
	ID      string // rollup.Document.ID(), "" = a preview that is not numbered yet
	Number  int    // 0 = preview
	Kind    string // day delta reverse ticket
	Date    retail.BusinessDate
	Dated   retail.BusinessDate // the accounting date it goes with, or went; Date unless its period is closed or a person says otherwise
	Moved   string              // why Dated is not Date, "" = it is
	Journal string
	State   string // "" = preview; posting posted verified parked waiting
	Why     string
	Note    string
	Tickets int
	Mapping int64
	Hash    string
	Made    time.Time
	Odoo    Odoo
	Lines   []LineView
}

// LineView is one line of a document.
type LineView struct {
	Measure  ledger.Account
	Label    string
	Account  string
	Tax      string       // name of the Odoo tax, "" = not a tax line
	Analytic string       // analytic accounts beside the location's, or in its place, "" = none
	Amount   money.Amount // debit positive
	Odoo     money.Amount // what Odoo's item says
	Known    bool         // Odoo was read back
	Suspense bool
}

// Pending as a LineKey's Document names what came since the last document.
const Pending = -1

// ByTicket as a document's number names all documents of a day's tickets together.
const ByTicket = -2

// LineKey names the tickets behind a figure: all that touch Measure on the day, in one document; Document 0 = whatever document they are in.
type LineKey struct {
	Location      retail.LocationCode
	Day           retail.BusinessDate
	Document      int
	Measure       ledger.Account // "" = every ticket of the day
	Limit, Offset int
}

// TicketPage is one page of them. Count and Sum are over all pages, so that a person can compare Sum with the line.
type TicketPage struct {
	Zone  string // the location's
	Rows  []TicketRow
	Count int
	Sum   money.Amount
}

// TicketRow is a ticket in a list.
type TicketRow struct {
	ID       int64
	Number   string
	Kind     string // sale return exchange void; or the drawer event's
	Location retail.LocationCode
	Till     retail.TillCode
	Day      retail.BusinessDate
	At       time.Time
	Total    money.Amount // tax included
	Amount   money.Amount // its part in the measure asked for, debit positive; Total when none was
	Versions int
}
