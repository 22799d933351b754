// Package rollup folds entries into one document for a location's business day, and works out what a document must still say once an
// earlier one is posted. It is pure; store commits the document and its outbox task together.
package rollup

import (
	"fmt"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// DayKey names a store-day.
type DayKey struct {
	Location retail.LocationCode
	Day      retail.BusinessDate
}

func (k DayKey) String() string { return string(k.Location) + " " + string(k.Day) }

// DocumentKind says how a document came about.
type DocumentKind string

const (
	DayDocument     DocumentKind = "day"     // the first of a store-day
	DeltaDocument   DocumentKind = "delta"   // what changed since: late, changed and remapped
	ReverseDocument DocumentKind = "reverse" // a counter-document on a person's order
	TicketDocument  DocumentKind = "ticket"  // the first of a ticket that goes as a document of its own
	VoucherDocument DocumentKind = "voucher" // the first of a series that is no store-day: a deposit, a bill, a dispute, a bag of cash
)

// Document is what goes to Odoo: one journal entry. It never changes once it has a number; what changes later is the next document.
type Document struct {
	Key      DayKey
	Series   string `json:",omitempty"` // "" = the store-day itself, else a ledger.Voucher's
	Number   int    // 1, 2, … within the series
	Kind     DocumentKind
	Date     retail.BusinessDate // the accounting date wanted; Odoo's is read back and must be this one
	Currency money.Currency
	Journal  string // journal code in Odoo
	Mode     Mode   `json:",omitempty"` // as what it goes there, "" = a journal entry
	Sales    string `json:",omitempty"` // code of the sales journal, in which receipts and invoices stand
	Payments string `json:",omitempty"` // code of the journal of their payments, where a line names none; "" = none: payments are plain entries
	Slip     *Slip  `json:",omitempty"` // of a ticket's own document, nil = of many tickets
	Settles  bool   `json:",omitempty"` // it sells nothing: each tender is a payment to or from its ticket's customer
	Lines    []Line // sorted; they sum to zero
	Tickets  int    // current tickets of the store-day when it was made
	Mapping  int64  // mapping.Set.Version
	Hash     string // hexadecimal SHA-256 of all of the above
	Note     string // why, for a delta or reverse: "late: ticket 1004"
}

// ID is unique at this hub: "S1/2026-11-23/1" of a store-day, "S1/2026-11-25/deposit-1f0c/1" of a voucher.
func (d Document) ID() string {
	if d.Series != "" {
		return fmt.Sprintf("%s/%s/%s/%d", d.Key.Location, d.Key.Day, d.Series, d.Number)
	}
	return fmt.Sprintf("%s/%s/%d", d.Key.Location, d.Key.Day, d.Number)
}

// Line is one journal item.
type Line struct {
	Measure  ledger.Account
	Label    string
	Account  string       // account code in Odoo
	Tax      string       // Odoo tax name when the item is a tax line of that tax, else ""
	Refund   bool         // which side of the tax: its refund repartition lines
	Amount   money.Amount // debit positive, credit negative, never zero
	Suspense bool         // the measure has no mapping: the account is the suspense account
	At       string       `json:",omitempty"` // analytic accounts in place of the location's own, as mapping.Names
	Analytic string       `json:",omitempty"` // analytic accounts beside the location's, as mapping.Names
	Levies   []Levy       `json:",omitempty"` // taxes of the books that the item is the base of
	Base     money.Amount `json:",omitzero"`  // of a tax line: what it is the tax of, in this document; signed as Amount
	Journal  string       `json:",omitempty"` // of a tender that is a payment of its own: the journal that its rule names, "" = the document's
	Method   string       `json:",omitempty"` // and the payment method in it, "" = the one that books on its account
}

// Levy is an Odoo tax that an item is the base of.
type Levy struct {
	Tax    string // its name
	Refund bool   // which side of it
}

// Slip is what a ticket's own document says of its ticket besides the money.
type Slip struct {
	Key      string   // retail.Key as text
	Number   string   // on the receipt
	Customer string   `json:",omitempty"` // vendor's customer id, "" = nobody named
	House    bool     `json:",omitempty"` // charged to, or received on, a house account
	Refs     []string `json:",omitempty"` // gateway transaction ids
}
