package rollup

import (
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Status is where a ticket and its payments stand: the till says sale, refund or voided, the gateway the rest.
type Status string

const (
	IsSale     Status = "Sale"
	IsRefund   Status = "Refund"
	IsApproved Status = "Approved" // at the gateway, in no closed batch yet
	IsSettled  Status = "Settled"  // in a batch that was closed
	IsVoided   Status = "Voided"
	IsReversed Status = "Reversed"
	IsDeclined Status = "Declined"
)

// Statuses are all of them, in the order of a payment's life.
var Statuses = []Status{IsSale, IsRefund, IsApproved, IsSettled, IsVoided, IsReversed, IsDeclined}

// MoveState is what becomes of a ticket's document in Odoo.
type MoveState string

// PaymentState is what becomes of a tender's payment there.
type PaymentState string

const (
	MovePosted  MoveState = "posted"  // a receipt, invoice or credit note in the books
	MoveHeld    MoveState = "held"    // none yet: it waits for another status, and so does its money
	MoveCounter MoveState = "counter" // none any more: what is posted is taken back by a counter-document

	PaymentPaid PaymentState = "paid" // booked on the tender's clearing account and matched with the document
	PaymentOpen PaymentState = "open" // not booked: the document stays unpaid on its customer's account
)

// Meaning says what a status means in Odoo.
type Meaning struct {
	Status  Status
	Move    MoveState
	Payment PaymentState
	Own     bool // head office said so; else it is how Tillpost begins
}

// Standing is the table that holds before anybody changes it. A ticket that the till voided has no money left: its document is countered whatever
// the table says. A payment that a gateway voided, reversed or declined while the till goes on to call it paid is not booked: no money will come.
var Standing = []Meaning{
	{Status: IsSale, Move: MovePosted, Payment: PaymentPaid}, {Status: IsRefund, Move: MovePosted, Payment: PaymentPaid},
	{Status: IsApproved, Move: MovePosted, Payment: PaymentPaid}, {Status: IsSettled, Move: MovePosted, Payment: PaymentPaid},
	{Status: IsVoided, Move: MovePosted, Payment: PaymentOpen}, {Status: IsReversed, Move: MovePosted, Payment: PaymentOpen},
	{Status: IsDeclined, Move: MovePosted, Payment: PaymentOpen},
}

// Meanings is the whole table: head office's own rows in the place of those that hold before.
func Meanings(own []Meaning) []Meaning {
	out := slices.Clone(Standing)
	for _, m := range own {
		if i := slices.Index(Statuses, m.Status); i >= 0 {
			m.Own = true
			out[i] = m
		}
	}
	return out
}

// Check says what is wrong with a row. Code invalid.
func (m Meaning) Check() error {
	switch {
	case !slices.Contains(Statuses, m.Status):
		return fault.Msg(fault.Invalid, "set status", fmt.Sprintf("the status %q is none of %v; nothing was changed", m.Status, Statuses))
	case m.Move != MovePosted && m.Move != MoveHeld && m.Move != MoveCounter:
		return fault.Msg(fault.Invalid, "set status", fmt.Sprintf("the state %q of a document is none of posted, held and counter; nothing was changed", m.Move))
	case m.Payment != PaymentPaid && m.Payment != PaymentOpen:
		return fault.Msg(fault.Invalid, "set status", fmt.Sprintf("the state %q of a payment is none of paid and open; nothing was changed", m.Payment))
	}
	return nil
}

// StatusOf is the status of a payment by the gateway's word; "" = it says nothing that counts.
func StatusOf(s retail.PaymentState) Status {
	switch s {
	case retail.PaymentOpen:
		return IsApproved
	case retail.PaymentClosed:
		return IsSettled
	case retail.PaymentVoided, retail.PaymentInactive:
		return IsVoided
	case retail.PaymentReversed:
		return IsReversed
	case retail.PaymentDeclined:
		return IsDeclined
	}
	return ""
}

// meaning finds a status's row; the table is whole.
func meaning(table []Meaning, s Status) Meaning {
	if i := slices.Index(Statuses, s); i >= 0 && i < len(table) {
		return table[i]
	}
	return Meaning{Status: s, Move: MovePosted, Payment: PaymentPaid}
}
