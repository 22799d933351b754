package odoo

import (
	"slices"
	"strconv"

	"github.com/tillpost/tillpost/shared/money"
)

// saleColumns are those of a receipt, invoice or credit note. Every line is given in full, the receivable and the till's own tax lines too, each
// with what it is: with skip_invoice_sync Odoo then computes nothing anew, in 17, 18 and 19 alike.
var saleColumns = []string{"id", "move_type", "journal_id/.id", "partner_id/.id", "date", "invoice_date", "invoice_date_due", "ref", "narration", "payment_reference",
	"line_ids/account_id/.id", "line_ids/name", "line_ids/display_type", "line_ids/quantity", "line_ids/price_unit", "line_ids/debit", "line_ids/credit",
	"line_ids/analytic_distribution", "line_ids/tax_repartition_line_id/.id", "line_ids/tax_tag_ids/.id"}

// salePayload makes the arguments of one load for several receipts, invoices and credit notes.
func salePayload(entries []entry, tags map[int64][]int64) []any {
	head, marked := slices.Clone(saleColumns), entries[0].mark != ""
	var based []string
	for _, e := range entries {
		if e.based != nil {
			based = e.based
		}
	}
	head = append(head, based...)
	if marked {
		head = append(head, ExternalField)
	}
	var table []any
	for _, e := range entries {
		date := string(e.date)
		own := []any{e.external, e.as, strconv.FormatInt(e.journal, 10), strconv.FormatInt(e.partner, 10), date, date, date, e.ref, e.note(), e.payRef}
		for _, i := range e.items {
			row := append(append(append(own, e.saleCells(i)...), i.taxCells(tags)...), i.baseCells(e.currency, based)...)
			if marked {
				row = append(row, firstOnly(e.mark, own[0] != ""))
			}
			table = append(table, row)
			own = []any{"", "", "", "", "", "", "", "", "", ""}
		}
	}
	return []any{head, table}
}

// saleCells are a line's own columns. 17 computes a sold line's balance from quantity and price whatever else is said, so both say the same; and it takes
// out of the price what taxes it contains, so that they are in it.
func (e entry) saleCells(i item) []any {
	kind, quantity, price := e.displayed(i), "1", money.Of(0, e.currency)
	if kind == "product" {
		sold := -i.minor
		if e.as == asRefund {
			sold = i.minor
		}
		if sold < 0 {
			quantity = "-1"
		}
		price = money.Of(containing(abs(i.minor), e.included[i.taxes]), e.currency)
	}
	cells := i.cells(e.currency)
	return append([]any{cells[0], cells[1], kind, quantity, price.Decimal()}, cells[2:]...)
}

// displayed is what a line is to Odoo.
func (e entry) displayed(i item) string {
	switch {
	case i.repartition != 0:
		return "tax"
	case i.account == e.receivable:
		return "payment_term"
	}
	return "product"
}

// alike is an item as it is compared: the label of what is owed is Odoo's own in 17 and 19.
func (e entry) alike(i item) item {
	if e.receivable != 0 && i.account == e.receivable {
		i.label = ""
	}
	return i
}
