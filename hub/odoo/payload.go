package odoo

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// entry is a document with every name resolved: what is sent, and what must be read back.
type entry struct {
	external  string
	ref       string
	part      string // "" = the document's first record, else one that belongs to it
	first     bool   // its document is known by it: the record without a part, or of a document of payments alone the first of them
	as        string // Odoo's move_type
	partner   int64  // 0 = none
	about     string // for people who search, as payRef is
	payRef    string
	link      string // address of its day at the hub, "" = not known
	mark      string // the vendor's id, where Odoo has a field for it, else ""
	method    int64  // of a payment: the line of its journal that says on which account it is booked
	journal   int64
	kind      string // Odoo's type of the journal
	date      retail.BusinessDate
	currency  money.Currency
	taxed     bool     // its items are taxes, or what taxes are on: tax locks bind it
	based     []string // columns of what taxes are on, nil = nothing is known of that
	analytics []int64  // all analytic accounts of its items
	items     []item

	narration  string                     // why it does not stand on its own day, "" = it does
	included   map[string]decimal.Decimal // 17, by an item's taxes: percent of them that its price is taken to contain
	receivable int64                      // account on which the partner owes it until it is paid, 0 = nobody owes
}

// concern is what says which lock dates bind it.
func (e entry) concern() lockdate.Entry { return lockdate.Entry{Taxed: e.taxed, Journal: e.kind} }

// item is one journal item. Two items are the same when all of it is: that is what the read-back compares.
type item struct {
	account     int64
	label       string
	minor       int64 // debit positive
	analytic    string
	repartition int64 // of the tax whose line it is, 0 = none
	levied
}

// lack is a name that Odoo does not have: the document waits with a case and goes by itself once somebody has made it.
type lack struct{ what string }

func (l *lack) Error() string { return l.what }

// note is the narration as Odoo keeps it: HTML.
func (e entry) note() string {
	var parts []string
	for _, s := range []string{e.about, e.narration} {
		if s != "" {
			parts = append(parts, html.EscapeString(s))
		}
	}
	if e.link != "" {
		parts = append(parts, fmt.Sprintf(`<a href="%[1]s">%[1]s</a>`, html.EscapeString(e.link)))
	}
	return strings.Join(parts, ". ")
}

// resolve names Odoo's ids for a document. The error is a *lack, or code invalid for what can never go.
func (ch *chart) resolve(hub envelope.HubID, d rollup.Document, date retail.BusinessDate) (e entry, tags map[int64][]int64, err error) {
	if d.Currency != ch.currency {
		return e, nil, &lack{fmt.Sprintf("the document is in %s, company %s keeps its books in %s", d.Currency, ch.name, ch.currency)}
	}
	j, ok := ch.journals[d.Journal]
	if !ok {
		return e, nil, &lack{fmt.Sprintf("Odoo has no journal with the code %q: run `hub odoo setup`", d.Journal)}
	}
	e = entry{mark: ch.markOf(d), as: asEntry, external: ExternalID(hub, d.ID()), ref: Ref(hub, d), journal: j.id, kind: j.kind, date: date, currency: d.Currency}
	tags = map[int64][]int64{}
	for _, l := range d.Lines {
		at, err := ch.analyticsOf(d.Key.Location, l)
		if err != nil {
			return e, nil, err
		}
		for _, n := range at {
			if !slices.Contains(e.analytics, n) {
				e.analytics = append(e.analytics, n)
			}
		}
		i := item{label: label(l.Label), minor: l.Amount.Minor, analytic: distributed(at)}
		if i.label == "" {
			i.label = label(string(l.Measure))
		}
		if l.Tax != "" {
			r, err := ch.taxLine(l)
			if err != nil {
				return e, nil, err
			}
			i.repartition, i.account, e.taxed = r.id, r.account, true
			tags[r.id] = r.tags
			i.levied = ch.taxOf(l, r)
		}
		if len(l.Levies) > 0 {
			if i.levied, err = ch.baseOf(l); err != nil {
				return e, nil, err
			}
			e.taxed = true
		}
		if i.taxes != "" || i.base != 0 {
			e.based = ch.baseColumns()
		}
		if l.Account != "" || i.account == 0 {
			a, ok := ch.accounts[l.Account]
			if l.Account == rollup.OnCustomer {
				c, err := ch.customerOf(d)
				if err != nil {
					return e, nil, err
				}
				a, ok = account{id: c.receivable, kind: "asset_receivable"}, true
			}
			if !ok || a.dead {
				return e, nil, &lack{fmt.Sprintf("Odoo has no account %q in use, for %s: make it there, or map the code to another", l.Account, l.Measure)}
			}
			i.account = a.id
		}
		e.items = append(e.items, i)
	}
	return e, tags, nil
}

// taxLine finds the repartition line that makes an item a tax line of its tax. Odoo keeps such a line as it is given, to the cent, instead
// of computing the tax anew.
func (ch *chart) taxLine(l rollup.Line) (repartition, error) {
	t, err := ch.taxNamed(l.Tax, l.Measure)
	if err != nil {
		return repartition{}, err
	}
	if l.Refund {
		return t.refund, nil
	}
	return t.invoice, nil
}

// taxNamed is a tax as documents can be booked on it. The error is a *lack.
func (ch *chart) taxNamed(name string, of ledger.Account) (tax, error) {
	t, ok := ch.taxes[name]
	if !ok {
		return tax{}, &lack{fmt.Sprintf("Odoo has no sales tax %q, for %s: make it there, run `hub odoo setup`, or map the code to another", name, of)}
	}
	if t.parts != 1 {
		return tax{}, &lack{fmt.Sprintf("the Odoo tax %q has %d tax lines; the till gives one amount, so map %s to a tax with one", name, t.parts, of)}
	}
	return t, nil
}

// columns of a load. Ids go as database ids: names can be ambiguous.
var columns = []string{"id", "move_type", "journal_id/.id", "date", "ref", "line_ids/account_id/.id", "line_ids/name", "line_ids/debit",
	"line_ids/credit", "line_ids/analytic_distribution"}

// taxColumns are added when a document of the load has tax lines.
var taxColumns = []string{"line_ids/tax_repartition_line_id/.id", "line_ids/tax_tag_ids/.id"}

// payload makes the arguments of one load for several entries: a row per item, the entry's own fields on its first.
func payload(entries []entry, tags map[int64][]int64) []any {
	head := slices.Clone(columns)
	taxed, told := false, false
	var based []string
	for _, e := range entries {
		taxed, told = taxed || e.taxed, told || e.note() != ""
		if e.based != nil {
			based = e.based
		}
	}
	partnered := slices.ContainsFunc(entries, func(e entry) bool { return e.partner != 0 })
	if taxed {
		head = append(append(head, taxColumns...), based...)
	}
	if partnered {
		head = append(head, "partner_id/.id")
	}
	if told {
		head = append(head, "narration")
	}
	marked := entries[0].mark != ""
	if marked {
		head = append(head, ExternalField)
	}
	var table []any
	for _, e := range entries {
		narration := e.note()
		own := []any{e.external, "entry", strconv.FormatInt(e.journal, 10), string(e.date), e.ref}
		for _, i := range e.items {
			row := append(own, i.cells(e.currency)...)
			if taxed {
				row = append(append(row, i.taxCells(tags)...), i.baseCells(e.currency, based)...)
			}
			if partnered {
				row = append(row, partnerCell(e, own[0] != ""))
			}
			if told {
				row = append(row, narration)
				narration = ""
			}
			if marked {
				row = append(row, firstOnly(e.mark, own[0] != ""))
			}
			table = append(table, row)
			own = []any{"", "", "", "", ""}
		}
	}
	return []any{head, table}
}

// markOf is what a document's records carry in the field for the vendor's ids.
func (ch *chart) markOf(d rollup.Document) string {
	switch {
	case !ch.marks["account.move"]:
		return ""
	case d.Slip != nil && strings.Contains(d.Slip.Key, "|"):
		return label(vendorID(d.Slip.Key))
	}
	return d.ID()
}

// firstOnly is a cell of an entry's own fields: on its first row.
func firstOnly(s string, first bool) string {
	if first {
		return s
	}
	return ""
}

// partnerCell names an entry's partner on its first row.
func partnerCell(e entry, first bool) string {
	if !first || e.partner == 0 {
		return ""
	}
	return strconv.FormatInt(e.partner, 10)
}

// cells are an item's own columns. Money goes as decimal text: no double is ever sent.
func (i item) cells(c money.Currency) []any {
	debit, credit := money.Of(max(i.minor, 0), c), money.Of(max(-i.minor, 0), c)
	return []any{strconv.FormatInt(i.account, 10), i.label, debit.Decimal(), credit.Decimal(), `{"` + i.analytic + `": 100}`}
}

func (i item) taxCells(tags map[int64][]int64) []any {
	if i.repartition == 0 {
		return []any{"", i.tags}
	}
	return []any{strconv.FormatInt(i.repartition, 10), idList(tags[i.repartition])}
}
