package rollup

import (
	"cmp"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
)

// Mode says as what a location's store-days go to the books. The figures are the same in all of them.
type Mode string

const (
	ByEntry   Mode = "entry"   // one journal entry a day; "" means the same
	ByReceipt Mode = "receipt" // one sales receipt a day, with a payment per tender
	ByInvoice Mode = "invoice" // one customer invoice a day, with a payment per tender
	ByTicket  Mode = "ticket"  // a receipt or invoice per ticket, with its payments
)

// Modes are all of them, as people choose.
var Modes = []Mode{ByEntry, ByReceipt, ByInvoice, ByTicket}

// Valid reports whether m is a mode, or "".
func (m Mode) Valid() bool { return m == "" || slices.Contains(Modes, m) }

// kept is the mode as a document keeps it: those made before there were modes say nothing, and mean an entry.
func (m Mode) kept() Mode {
	if m == ByEntry {
		return ""
	}
	return m
}

// Or is m, or an entry when m says nothing.
func (m Mode) Or() Mode {
	if m == "" {
		return ByEntry
	}
	return m
}

// ModeOf is the mode of a store-day: that of its first document, whatever was switched since, else the one in force. What is posted is never
// posted another way.
func ModeOf(posted []Document, inForce Mode) Mode {
	if len(posted) > 0 {
		return posted[0].Mode.Or()
	}
	return inForce.Or()
}

// ModeRule is a mode that holds from a day on.
type ModeRule struct {
	Since string // business date, "" = always
	Mode  Mode
}

// as is d for a mode: its receipts and invoices stand in the sales journal, what belongs to them in the document's own.
func (d Document) as(m Mode, b Books) Document {
	if d.Mode = m.kept(); d.Mode != "" {
		d.Sales, d.Payments = b.Sales, b.Payments
	}
	return d
}

// payable leaves the journals and methods of payments on lines that can be payments: an entry has none, and no method books on suspense.
func (d Document) payable(lines []Line) []Line {
	for i, l := range lines {
		if d.Mode == "" || l.Suspense || l.Account == OnCustomer {
			lines[i].Journal, lines[i].Method = "", ""
		}
	}
	return lines
}

// settles tells a ticket's document that sells nothing and only pays what its customer owes, or takes that back: what a status says later of a payment, and
// what is paid on a house account. All of its tenders are payments then.
func (d Document) settles() bool {
	owed, paid := false, false
	for _, l := range d.Lines {
		switch role, code := l.Measure.Split(); {
		case l.Account == OnCustomer, role == ledger.House, role == ledger.Tender && code == onAccount:
			owed = true
		case d.PaidIn(l) == "":
			return false
		default:
			paid = true
		}
	}
	return d.Mode == ByTicket && d.Slip != nil && owed && paid
}

// onAccount is the tender of what is charged to a house account.
const onAccount = "on_account"

// PaidIn is the code of the journal in which a line is a payment of its own, "" = it is none.
func (d Document) PaidIn(l Line) string {
	if role, _ := l.Measure.Split(); d.Mode == "" || role != ledger.Tender || l.Suspense || l.Account == OnCustomer {
		return ""
	}
	return cmp.Or(l.Journal, d.Payments)
}
