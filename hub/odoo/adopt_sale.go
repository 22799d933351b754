package odoo

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
)

// record is one of a document's records as it was found in Odoo.
type record struct {
	*found
	document      rollup.Document // with this record's own lines
	part          string
	move, payment int64 // payment 0 = it is none
	kind, journal string
}

// adopted puts the records of each document together again.
func (r reverse) adopted(ch *chart, records []record, begun map[string]bool) (out []Adopted) {
	at := map[string]int{}
	var groups [][]record
	for _, x := range records {
		i, there := at[x.document.ID()]
		if !there {
			i = len(groups)
			at[x.document.ID()], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], x)
	}
	sold := map[chain]bool{} // tickets of which something else than payments stands there
	for _, x := range records {
		if !isPayment(x.part) {
			sold[chainOf(x.document)] = true
		}
	}
	for _, g := range groups {
		slices.SortFunc(g, func(x, y record) int { return strings.Compare(x.part, y.part) }) // the first record has no part
		if first := g[0]; len(g) == 1 && first.kind == asEntry && first.part == "" {
			first.document.Journal = first.journal
			out = append(out, Adopted{Document: first.document, Move: first.move, Entry: first.name, Posted: first.state == "posted", Home: ch.company})
		} else if x := g[0].document; isPayment(g[0].part) && strings.HasPrefix(x.Series, rollup.TicketSeries) { // sorted, it has no other record
			if a, ok := r.alone(ch, g, sold[chainOf(x)]); ok && !begun[x.ID()] {
				out = append(out, a)
			}
		} else if a, ok := r.together(ch, g); ok && !begun[a.Document.ID()] {
			out = append(out, a)
		}
	}
	return out
}

// together makes one document of a receipt's records. Some that do not balance while nothing is posted are what a kill left of a load: they say
// nothing, and the document is made anew under the same external ids.
func (r reverse) together(ch *chart, g []record) (a Adopted, ok bool) {
	first := g[0]
	a = Adopted{Document: first.document, Posted: true, Home: ch.company, Parts: map[string]int64{}}
	d, owed := &a.Document, receivableOf(ch, g)
	d.Lines = nil
	any, sum := false, int64(0)
	for _, x := range g {
		a.Posted, any = a.Posted && x.state == "posted", any || x.state == "posted"
		if x.part == "" {
			a.Move, a.Entry = x.move, x.name
			d.Mode, d.Sales = modeOf(x), x.journal
			if d.Mode == rollup.ByTicket {
				d.Slip = &rollup.Slip{Key: d.Series} // its ticket says the rest
			}
		} else {
			a.place(x)
		}
		for i, l := range x.document.Lines {
			if x.items[i].account != owed {
				d.Lines = append(d.Lines, l)
				sum += l.Amount.Minor
			}
		}
	}
	if sum != 0 && !any || slices.ContainsFunc(g, record.unnamed) {
		return a, false
	}
	if sum != 0 { // charged to the customer's own account: that is what stays owed
		m := ledger.Of(ledger.Tender, "on_account")
		d.Lines = append(d.Lines, rollup.Line{Measure: m, Label: string(m), Account: r.accounts[owed], Amount: money.Of(-sum, ch.currency)})
	}
	d.Journal = cmp.Or(d.Journal, Journal)
	return a, true
}

// place keeps what a part tells: its id, and the journal in which such parts stand.
func (a *Adopted) place(x record) {
	if !isPayment(x.part) {
		a.Parts[x.part], a.Document.Journal = x.move, x.journal
		return
	}
	a.Parts[x.part], a.Document.Payments = x.payment, x.journal
}

// unnamed tells a payment that a kill kept from its labels and analytic accounts: what Odoo calls it is no measure.
func (x record) unnamed() bool {
	return isPayment(x.part) && slices.ContainsFunc(x.items, func(i item) bool { return i.analytic == "" })
}

// begun lists documents that have a payment which is not in the books yet: the hub was killed on the way, they are made anew under the same external ids,
// and what is there is found.
func (w *Writer) begun(ctx context.Context, ch *chart) (map[string]bool, error) {
	got, err := w.client.search(ctx, "account.payment", []any{[]any{ch.memo(), "=like", refStart(w.Hub) + "%"}, []any{"state", "=", "draft"}, []any{"company_id", "=", ch.company}}, []string{ch.memo()}, ch.in())
	if KindOf(err) == Rights {
		return nil, nil
	}
	out := map[string]bool{}
	for _, m := range got {
		if r, ok := (reverse{}).record(&found{ref: text(m[ch.memo()])}, ch.currency); ok {
			out[r.document.ID()] = true
		}
	}
	return out, err
}

// origin is the field of an entry that names the payment it was made by.
func (ch *chart) origin() string {
	if ch.version.Major < 18 {
		return "payment_id"
	}
	return "origin_payment_id"
}

// receivableOf is the account on which a receipt is owed: its own item of that kind stands there.
func receivableOf(ch *chart, g []record) int64 {
	receivable := map[int64]bool{}
	for _, a := range ch.accounts {
		receivable[a.id] = a.kind == "asset_receivable"
	}
	for _, x := range g {
		for _, i := range x.items {
			if x.part == "" && receivable[i.account] {
				return i.account
			}
		}
	}
	return 0
}

// modeOf is the mode in which a record was made; a credit note is one of a receipt as well as of an invoice, and goes on as either.
func modeOf(x record) rollup.Mode {
	switch {
	case strings.HasPrefix(x.document.Series, rollup.TicketSeries):
		return rollup.ByTicket
	case x.kind == asInvoice:
		return rollup.ByInvoice
	}
	return rollup.ByReceipt
}
