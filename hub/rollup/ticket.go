package rollup

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// TicketSeries begins the series of a ticket's own documents.
const TicketSeries = "ticket-"

// SeriesOf is the series of a ticket's documents.
func SeriesOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return TicketSeries + hex.EncodeToString(sum[:8])
}

// OnCustomer stands in the place of an account code for the account on which a document's customer owes.
const OnCustomer = "@customer"

// Slipped is a ticket of a store-day in the version in force, for a document of its own.
type Slipped struct {
	Slip
	Void    bool   // the till took it back: no money is left of it
	Beside  string // analytic accounts beside what its till and cashier did
	Totals  Totals
	Tenders []SlipTender // of which the gateway knows something
}

// SlipTender is a tender whose payment a gateway knows.
type SlipTender struct {
	Measure ledger.Account
	Amount  money.Amount // as the entry has it, debit positive
	State   retail.PaymentState
}

// severity is the order in which one payment's status speaks for its ticket.
var severity = []Status{IsSettled, IsApproved, IsVoided, IsReversed, IsDeclined}

// Status is where a ticket stands: voided by the till, else the worst that a gateway says of its payments, else what the till says.
func (s Slipped) Status() Status {
	worst := -1
	for _, t := range s.Tenders {
		worst = max(worst, slices.Index(severity, StatusOf(t.State)))
	}
	switch {
	case s.Void:
		return IsVoided
	case worst >= 0:
		return severity[worst]
	}
	return s.told()
}

// told is what the till says of a ticket that stands.
func (s Slipped) told() Status {
	paid := int64(0)
	for a, m := range s.Totals {
		if role, _ := a.Split(); role == ledger.Tender {
			paid += m.Minor
		}
	}
	if paid < 0 {
		return IsRefund
	}
	return IsSale
}

// Tickets is what NextTickets needs.
type Tickets struct {
	Key     DayKey
	Totals  Totals // of the whole day
	Parts   Parts  // of the whole day
	Slips   []Slipped
	Posted  []Document // all documents of the day, its tickets' too
	Books   Books
	Set     mapping.Set
	Table   []Meaning // whole
	Tickets int
	Note    string
}

// NextTickets makes the next documents of a store-day that goes ticket by ticket: one for each ticket of which the books do not say what they
// should, and an entry for what belongs to no ticket, such as what happens at the drawer. held tells how many tickets wait for another status.
func NextTickets(t Tickets) (out []Document, held int, err error) {
	by := map[string][]Document{}
	for _, d := range t.Posted {
		by[d.Series] = append(by[d.Series], d)
	}
	rest, parts, seen := maps.Clone(t.Totals), t.Parts.clone(), map[string]bool{"": true}
	slices.SortFunc(t.Slips, func(a, b Slipped) int { return cmp.Compare(a.Key, b.Key) })
	for _, s := range t.Slips {
		series := SeriesOf(s.Key)
		seen[series] = true
		if err := errors.Join(rest.take(s.Totals), parts.take(s)); err != nil {
			return nil, held, err
		}
		sheet, waits, err := s.sheet(t, by[series])
		if err != nil {
			return nil, held, err
		}
		if waits {
			held++
		}
		if out, err = t.next(out, series, s.Slip, sheet, by[series]); err != nil {
			return nil, held, err
		}
	}
	for _, series := range slices.Sorted(maps.Keys(by)) { // a ticket that went to another day, or whose entry was taken back
		if ds := by[series]; !seen[series] {
			if out, err = t.next(out, series, slipOf(ds), Sheet{}, ds); err != nil {
				return nil, held, err
			}
		}
	}
	sheet, err := MapParts(t.Key, rest, parts, t.Set, t.Books)
	if err != nil {
		return nil, held, err
	}
	d := Document{Key: t.Key, Kind: DayDocument, Date: t.Key.Day, Journal: t.Books.Journal, Tickets: t.Tickets, Mapping: t.Set.Version, Note: t.Note}
	doc, ok, err := complete(d.as(ByTicket, t.Books), sheet, by[""])
	if err == nil && ok {
		out = append(out, doc)
	}
	return out, held, err
}

// next adds a series' next document, if it has one.
func (t Tickets) next(out []Document, series string, slip Slip, sheet Sheet, posted []Document) ([]Document, error) {
	d := Document{Key: t.Key, Series: series, Kind: TicketDocument, Date: t.Key.Day, Journal: t.Books.Journal, Tickets: 1, Mapping: t.Set.Version, Slip: &slip}
	doc, ok, err := complete(d.as(ByTicket, t.Books), sheet, posted)
	if err == nil && ok {
		out = append(out, doc)
	}
	return out, err
}

// sheet is a ticket as the books should show it by its status; waits = it has no document and gets none yet.
func (s Slipped) sheet(t Tickets, posted []Document) (sheet Sheet, waits bool, err error) {
	switch move := meaning(t.Table, s.Status()).Move; {
	case s.Void, move == MoveCounter:
		return Sheet{}, false, nil
	case move == MoveHeld:
		for _, d := range posted { // what is posted stays
			sheet.Lines = append(sheet.Lines, d.Lines...)
		}
		return sheet, len(posted) == 0, nil
	}
	if sheet, err = MapParts(t.Key, s.Totals, s.parts(), t.Set, t.Books); err != nil {
		return sheet, false, err
	}
	for _, x := range s.open(t.Table) {
		sheet.Lines = unpaid(sheet.Lines, x)
	}
	return sheet, false, nil
}

// open lists what of a ticket's tenders is not booked as paid.
func (s Slipped) open(table []Meaning) (out []SlipTender) {
	known := map[ledger.Account]int64{}
	for _, x := range s.Tenders {
		known[x.Measure] += x.Amount.Minor
		if status := StatusOf(x.State); status != "" && meaning(table, status).Payment == PaymentOpen {
			out = append(out, x)
		}
	}
	if meaning(table, s.told()).Payment != PaymentOpen {
		return out
	}
	for a, m := range s.Totals {
		if role, _ := a.Split(); role == ledger.Tender && m.Minor != known[a] {
			out = append(out, SlipTender{Measure: a, Amount: money.Of(m.Minor-known[a], m.Currency)})
		}
	}
	slices.SortFunc(out, func(a, b SlipTender) int { return cmp.Compare(a.Measure, b.Measure) })
	return out
}

// unpaid moves a tender's money from its own account to its customer's: no payment is booked.
func unpaid(lines []Line, x SlipTender) []Line {
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Measure == x.Measure && l.Account != OnCustomer })
	if i < 0 {
		return lines
	}
	open := lines[i]
	open.Account, open.Suspense, open.Amount = OnCustomer, false, x.Amount
	if lines[i].Amount.Minor -= x.Amount.Minor; lines[i].Amount.Minor == 0 {
		lines = slices.Delete(lines, i, i+1)
	}
	for j, l := range lines {
		if l.Measure == open.Measure && l.Account == OnCustomer {
			lines[j].Amount.Minor += open.Amount.Minor
			return lines
		}
	}
	return append(lines, open)
}

// slipOf is what the last document of a ticket says of it.
func slipOf(ds []Document) Slip {
	for _, d := range slices.Backward(ds) {
		if d.Slip != nil {
			return *d.Slip
		}
	}
	return Slip{Key: ds[0].Series}
}

// parts are a ticket's own: one till and one cashier made all of it.
func (s Slipped) parts() Parts {
	if s.Beside == "" {
		return nil
	}
	return Parts{s.Beside: s.Totals}
}

func (p Parts) clone() Parts {
	out := Parts{}
	for beside, t := range p {
		out[beside] = maps.Clone(t)
	}
	return out
}

// take is what is left of a day's parts without a ticket's.
func (p Parts) take(s Slipped) error {
	if p[s.Beside] == nil {
		return nil
	}
	return p[s.Beside].take(s.Totals)
}

// take is what is left of a day's sums without a ticket's.
func (t Totals) take(s Totals) error {
	for a, m := range s {
		left, err := t[a].Add(m.Neg())
		if err != nil {
			return err
		}
		t[a] = left
	}
	return nil
}
