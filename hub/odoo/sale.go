package odoo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Odoo's move types, as far as documents are any.
const (
	asEntry   = "entry"
	asReceipt = "out_receipt"
	asInvoice = "out_invoice"
	asRefund  = "out_refund" // receipts have no refund: what gives back more than it sells is a credit note in every mode
)

// partPaid begins the parts that are entries of a tender's money.
const partPaid = "pay"

// records are what a document is in Odoo: one journal entry; or a receipt, invoice or credit note of what was sold, and for each tender a payment, or an
// entry where no journal of payments is named, that brings its money from the customer's account to the clearing account. The figures are the document's own either way. tags are those of
// tax lines; whole is the document as one entry, which all records together must come to. The error is that of resolve.
func (ch *chart) records(hub envelope.HubID, d rollup.Document, date retail.BusinessDate) (es []entry, whole entry, tags map[int64][]int64, err error) {
	whole, tags, err = ch.resolve(hub, d, date)
	if err != nil {
		return nil, whole, nil, err
	}
	whole.first = true
	if d.Mode == "" || d.Mode == rollup.ByTicket && d.Slip == nil { // what belongs to no ticket is no receipt
		return []entry{whole}, whole, tags, nil
	}
	c, err := ch.customerOf(d)
	if err != nil {
		return nil, whole, nil, err
	}
	sale, err := ch.sale(hub, d, whole, c)
	if err != nil || sale.as == asEntry {
		if es, err := ch.settling(hub, d, whole, c); err != nil || es != nil {
			return es, whole, tags, err
		}
		if d.Slip != nil && d.Slip.House { // whose account it is, wherever that stands
			whole.partner = c.id
		}
		if whole.owes(ch, d, c) { // matched with the earlier documents of its ticket
			whole.partner, whole.receivable = c.id, c.receivable
		}
		return []entry{whole}, whole, tags, err
	}
	pays, err := ch.paying(hub, d, whole, c)
	return append([]entry{sale}, pays...), whole, tags, err
}

// paying are the records of a document's tenders.
func (ch *chart) paying(hub envelope.HubID, d rollup.Document, whole entry, c customer) (es []entry, err error) {
	for i, l := range d.Lines {
		it := whole.items[i]
		if !ch.pays(l) || it.account == c.receivable { // what stays owed on the customer's account is no payment
			continue
		}
		p := whole.belonging(hub, d, fmt.Sprintf("%s%d", partPaid, i+1), c, []item{it, {account: c.receivable, label: it.label, minor: -it.minor, analytic: it.analytic}})
		if code := d.PaidIn(l); code != "" {
			if p, err = ch.payment(hub, d, p, i, code, l.Method); err != nil {
				return nil, err
			}
		}
		es = append(es, p)
	}
	return es, nil
}

// settling are the records of a document that only pays, or takes a payment back: nothing but payments, of which the first stands for it. nil = something of
// it is neither a payment nor on its customer's account, and it goes as one entry.
func (ch *chart) settling(hub envelope.HubID, d rollup.Document, whole entry, c customer) ([]entry, error) {
	if !d.Settles || slices.ContainsFunc(d.Lines, func(l rollup.Line) bool { return !ch.pays(l) }) || !whole.owes(ch, d, c) {
		return nil, nil
	}
	es, err := ch.paying(hub, d, whole, c)
	if err != nil || slices.ContainsFunc(es, func(e entry) bool { return e.as != asPayment }) {
		return nil, err
	}
	es[0].first, es[0].about, es[0].mark = true, slipNote(d), whole.mark
	return es, nil
}

// sale is the receipt, invoice or credit note of a document. Where nothing is owed either way the document stays one entry: tenders that were
// corrected, a code that was mapped since.
func (ch *chart) sale(hub envelope.HubID, d rollup.Document, whole entry, c customer) (entry, error) {
	e := whole
	e.items, e.included = nil, map[string]decimal.Decimal{}
	owed := int64(0)
	for i, l := range d.Lines {
		if it := whole.items[i]; !ch.pays(l) {
			var err error
			if e.included[it.taxes], err = ch.containedIn(l); err != nil {
				return e, err
			}
			e.items = append(e.items, it)
			owed -= it.minor
		}
	}
	if owed == 0 {
		return whole, nil
	}
	j, ok := ch.journals[d.Sales]
	if !ok || j.kind != "sale" {
		return e, &lack{fmt.Sprintf("Odoo has no sales journal with the code %q: run `hub odoo setup`", d.Sales)}
	}
	e.journal, e.kind, e.partner, e.receivable = j.id, j.kind, c.id, c.receivable
	e.items = append(e.items, item{account: c.receivable, minor: owed, analytic: whole.items[0].analytic})
	e.about, e.payRef = slipNote(d), slipRef(d)
	switch e.as = asReceipt; {
	case owed < 0:
		e.as = asRefund
	case d.Mode == rollup.ByInvoice, d.Slip != nil && (d.Slip.Customer != "" || d.Slip.House):
		e.as = asInvoice
	}
	return e, nil
}

// owes tells documents of which something stands on their customer's account.
func (whole entry) owes(ch *chart, d rollup.Document, c customer) bool {
	for i, l := range d.Lines {
		if l.Account == rollup.OnCustomer || d.Slip != nil && ch.pays(l) && whole.items[i].account == c.receivable {
			return true
		}
	}
	return false
}

// belonging is a record that belongs to a document's first one.
func (whole entry) belonging(hub envelope.HubID, d rollup.Document, part string, c customer, items []item) entry {
	e := whole
	e.part, e.first, e.items, e.kind = part, false, items, "sale" // dated as the receipt it belongs to, whose lock dates count
	e.external, e.ref = ExternalID(hub, d.ID()+"/"+part), partRef(hub, d, part)
	e.partner, e.receivable = c.id, c.receivable
	return e
}

// pays tells lines that settle what is owed: tenders, and what is charged to a customer's own account.
func (ch *chart) pays(l rollup.Line) bool {
	role, _ := l.Measure.Split()
	kind := ch.accounts[l.Account].kind
	return role == ledger.Tender || l.Account == rollup.OnCustomer || l.Tax == "" && (kind == "asset_receivable" || kind == "liability_payable")
}

// slipNote and slipRef are what people search a ticket's own document by.
func slipNote(d rollup.Document) string {
	if d.Slip == nil {
		return ""
	}
	words := append([]string{"Ticket " + d.Slip.Number, d.Slip.Key}, d.Slip.Refs...)
	return label(strings.Join(words, " "))
}

func slipRef(d rollup.Document) string {
	if d.Slip == nil {
		return d.ID()
	}
	return label(strings.Join(append([]string{d.Slip.Number}, d.Slip.Refs...), " "))
}

// money words minor units of the company's currency.
func (ch *chart) money(minor int64) money.Amount { return money.Of(minor, ch.currency) }
