package odoo

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
)

// alone makes a document of payments alone of them. Their other side stands on the customer's account: for a tender whose status was another one before where
// something of the ticket was sold, else for what is received on a house account. One that a kill kept from its labels says nothing: it is made anew under the same ids.
func (r reverse) alone(ch *chart, g []record, sold bool) (a Adopted, ok bool) {
	first := g[0]
	a = Adopted{Document: first.document, Move: first.move, Entry: first.name, Posted: true, Home: ch.company, Parts: map[string]int64{}}
	d, receivable := &a.Document, map[int64]bool{}
	for _, x := range ch.accounts {
		receivable[x.id] = x.kind == "asset_receivable"
	}
	d.Mode, d.Slip, d.Settles, d.Lines = rollup.ByTicket, &rollup.Slip{Key: d.Series}, true, nil
	var owed []rollup.Line
	paid := map[int]rollup.Line{}
	for _, x := range g {
		if x.unnamed() {
			return a, false
		}
		a.Posted = a.Posted && x.state == "posted"
		a.place(x)
		for i, l := range x.document.Lines {
			if !receivable[x.items[i].account] {
				paid[x.line()] = l
				continue
			}
			if l.Account = rollup.OnCustomer; !sold {
				l.Measure, l.Label, l.Account = ledger.Account(ledger.House), string(ledger.House), r.accounts[x.items[i].account]
			}
			owed = merged(owed, l)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(paid)) { // each at the place by which its payment is named
		for len(owed) > 0 && len(d.Lines) < n-1 {
			d.Lines, owed = append(d.Lines, owed[0]), owed[1:]
		}
		d.Lines = append(d.Lines, paid[n])
	}
	d.Lines = append(d.Lines, owed...)
	d.Currency, d.Journal = ch.currency, cmp.Or(d.Journal, Journal)
	return a, true
}

// line is the number of a document's line by which a payment of it is named.
func (x record) line() int {
	n, _ := strconv.Atoi(strings.TrimPrefix(x.part, partPayment))
	return n
}

// merged adds a line to those of its measure.
func merged(lines []rollup.Line, l rollup.Line) []rollup.Line {
	i := slices.IndexFunc(lines, func(o rollup.Line) bool { return o.Measure == l.Measure && o.Account == l.Account })
	if i < 0 {
		return append(lines, l)
	}
	lines[i].Amount = money.Of(lines[i].Amount.Minor+l.Amount.Minor, l.Amount.Currency)
	return lines
}
