package odoo

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Adopted is an entry of this hub that stands in Odoo, as the document that it was.
type Adopted struct {
	Document rollup.Document
	Move     int64
	Parts    map[string]int64 // what belongs to it
	Entry    string
	Posted   bool
	Book     string   // which of the settings' databases it was read from; the caller fills it in
	Read     *Reading // what Odoo says of it, nil = it is several records
	Home     int64    // id of the company whose books it stands in
	// Called is every name of the analytic accounts beside its lines, by the one that the lines use: a rule may use another.
	Called map[string][]string
}

// refForm takes a reference of Ref apart; a location's code is free text.
var refForm = regexp.MustCompile(`^Tillpost \S+ (.+)/(\d{4}-\d{2}-\d{2})/(?:([a-z]+(?:-[0-9a-f-]+)?)/)?(\d+)(?:\+(\w+))? ([0-9a-f]*)(?: (.*))?$`)

// Own reads every entry of this hub back from Odoo, from the settings' company and those named. A hub that was put back from a backup does not know what it posted since; without
// that, it would post it again.
func (w *Writer) Own(ctx context.Context, companies ...string) (out []Adopted, err error) {
	defer func() { w.Met(err) }()
	seen := map[int64]bool{}
	for _, name := range append([]string{""}, companies...) {
		ch, err := w.charts.get(ctx, books{name: name}, false)
		if err != nil {
			return nil, err
		}
		if seen[ch.company] {
			continue
		}
		seen[ch.company] = true
		part, err := w.own(ctx, ch)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}

func (w *Writer) own(ctx context.Context, ch *chart) (out []Adopted, err error) {
	moves, err := w.client.search(ctx, "account.move", []any{[]any{"ref", "=like", refStart(w.Hub) + "%"}, []any{"company_id", "=", ch.company}}, []string{"ref", "journal_id", "move_type", ch.origin()}, ch.in())
	if err != nil {
		return nil, err
	}
	which, journals, kinds, payments := make([]int64, len(moves)), map[int64]int64{}, map[int64]string{}, map[int64]int64{}
	for i, m := range moves {
		which[i] = id(m["id"])
		journals[which[i]], kinds[which[i]], payments[which[i]] = id(m["journal_id"]), text(m["move_type"]), id(m[ch.origin()])
	}
	got, err := ch.readBack(ctx, w.client, which)
	if err != nil {
		return nil, err
	}
	names := ch.reversed()
	var records []record
	for _, n := range which {
		if f := got[n]; f != nil {
			if r, ok := names.record(f, ch.currency); ok {
				r.move, r.kind, r.journal, r.payment = n, kinds[n], names.journals[journals[n]], payments[n]
				for i := range r.document.Lines {
					r.document.Lines[i].At, r.document.Lines[i].Analytic = ch.adopted(r.document.Key.Location, f.items[i].analytic)
				}
				records = append(records, r)
			}
		}
	}
	begun, err := w.begun(ctx, ch)
	out = names.adopted(ch, records, begun)
	for i := range out {
		out[i].told(w.client.cfg.URL, ch)
	}
	return out, err
}

// told fills in what the screens show of an adopted entry: it was made from what Odoo says, so that nothing differs. One of several records is not
// the document; the later look reads it.
func (a *Adopted) told(url string, ch *chart) {
	d := a.Document
	if !a.Posted || a.Move == 0 || len(a.Parts) > 0 || d.Mode.Or() != rollup.ByEntry {
		return
	}
	r := Reading{Move: a.Move, Name: a.Entry, Date: d.Date, URL: recordURL(url, ch.version.Major, Entries, a.Move), Lines: make([]int64, len(d.Lines))}
	for i, l := range d.Lines {
		r.Lines[i] = l.Amount.Minor
	}
	a.Read, a.Entry = &r, fmt.Sprintf("%s (id %d)", a.Entry, a.Move)
}

// reverse finds names by Odoo's ids.
type reverse struct {
	accounts map[int64]string
	journals map[int64]string
	taxes    map[int64]taxSide
	names    map[string]string // of taxes, by their ids as text
	signed   bool              // the base of a tax line is signed as the tax is
}

type taxSide struct {
	name   string
	refund bool
}

func (ch *chart) reversed() reverse {
	r := reverse{accounts: map[int64]string{}, journals: map[int64]string{}, taxes: map[int64]taxSide{}, names: map[string]string{}, signed: ch.signed()}
	for code, a := range ch.accounts {
		r.accounts[a.id] = code
	}
	for code, j := range ch.journals {
		r.journals[j.id] = code
	}
	for name, t := range ch.taxes {
		r.taxes[t.invoice.id], r.taxes[t.refund.id] = taxSide{name, false}, taxSide{name, true}
		r.names[strconv.FormatInt(t.id, 10)] = name
	}
	return r
}

// record is what one of a document's records was made from: its reference names it, its items' labels name the measures.
func (r reverse) record(f *found, c money.Currency) (rec record, ok bool) {
	m := refForm.FindStringSubmatch(f.ref)
	if m == nil {
		return rec, false
	}
	n, err := strconv.Atoi(m[4])
	if err != nil || n < 1 {
		return rec, false
	}
	d := rollup.Document{Key: rollup.DayKey{Location: retail.LocationCode(m[1]), Day: retail.BusinessDate(m[2])}, Series: m[3], Number: n, Kind: rollup.DayDocument, Date: f.date,
		Currency: c, Hash: m[6], Note: m[7]}
	if d.Series != "" {
		d.Kind = rollup.VoucherDocument
	}
	if n > 1 {
		d.Kind = rollup.DeltaDocument
	}
	for _, i := range f.items {
		l := rollup.Line{Measure: ledger.Account(i.label), Label: i.label, Account: r.accounts[i.account], Amount: money.Of(i.minor, c)}
		if t, taxed := r.taxes[i.repartition]; taxed && i.repartition != 0 {
			l.Tax, l.Refund = t.name, t.refund
			l.Base = money.Of(natural(i.base, t.refund, r.signed), c)
		}
		r.levies(&l, i)
		d.Lines = append(d.Lines, l)
	}
	return record{found: f, document: d, part: m[5]}, true
}
