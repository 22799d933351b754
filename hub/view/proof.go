package view

import (
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// BooksProof is what a location's ledger, documents and Odoo say of a span, beside each other. Sums are of debits.
type BooksProof struct {
	Location   retail.LocationCode `json:"location"`
	Documents  int                 `json:"documents"`
	Unsettled  int                 `json:"unsettled"` // not verified: on their way, parked, accepted
	Sent       money.Amount        `json:"documents_debit"`
	Odoo       money.Amount        `json:"odoo_debit"`
	Difference money.Amount        `json:"difference"` // Σ |ours − Odoo's| over the lines
	Pending    money.Amount        `json:"pending"`    // in the ledger and in no document yet, Σ |…| over the measures
}
