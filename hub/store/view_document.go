package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// allOf is what Odoo says over all documents of a day.
func allOf(ds []view.DocumentView, c money.Currency) view.Odoo {
	o := view.Odoo{Known: len(ds) > 0, Difference: money.Of(0, c)}
	var entries []string
	for _, d := range ds {
		o.Known = o.Known && d.Odoo.Known
		o.Difference.Minor += d.Odoo.Difference.Minor
		if d.Odoo.Entry != "" {
			entries = append(entries, d.Odoo.Entry)
			o.URL, o.Date, o.Checked = d.Odoo.URL, d.Odoo.Date, d.Odoo.Checked
		}
	}
	o.Entry = strings.Join(entries, ", ")
	return o
}

// documentViews reads a day's documents beside what Odoo says; those of its tickets are the last, as one.
func (s *Store) documentViews(ctx context.Context, k rollup.DayKey) ([]view.DocumentView, error) {
	out, err := s.documentViewsOf(ctx, k, "")
	if err != nil {
		return nil, err
	}
	tickets, err := s.documentViewsOf(ctx, k, rollup.TicketSeries+"*")
	if all, ok := together(k, tickets); ok {
		out = append(out, all)
	}
	return out, err
}

// documentViewsOf reads those of a series, which may end in * for all that begin so.
func (s *Store) documentViewsOf(ctx context.Context, k rollup.DayKey, series string) (out []view.DocumentView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var body, state, why, readback, dated, moved string
		var made, checked int64
		if err := r.Scan(&body, &state, &why, &made, &checked, &readback, &dated, &moved); err != nil {
			return err
		}
		var d rollup.Document
		if err := json.Unmarshal([]byte(body), &d); err != nil {
			return err
		}
		v := view.DocumentView{ID: d.ID(), Number: d.Number, Kind: string(d.Kind), Date: d.Date, Journal: d.Journal, State: state, Why: why, Note: d.Note, Tickets: d.Tickets,
			Mapping: d.Mapping, Hash: d.Hash, Made: fromMicros(made), Dated: cmp.Or(retail.BusinessDate(dated), d.Date), Moved: moved}
		var read *odoo.Reading
		if readback != "" {
			read = &odoo.Reading{}
			if err := json.Unmarshal([]byte(readback), read); err != nil {
				return err
			}
			v.Odoo = view.Odoo{Entry: read.Name, URL: read.URL, Date: read.Date, Checked: fromMicros(checked), Known: true, Difference: money.Of(read.Difference, d.Currency)}
		}
		v.Lines = lineViews(d.Lines, read)
		out = append(out, v)
		return nil
	}, `SELECT body, state, why, made, checked, readback, date, moved FROM document WHERE location = ? AND day = ? AND series GLOB ? ORDER BY series, number`, string(k.Location), string(k.Day), series)
	return out, err
}

func lineViews(ls []rollup.Line, read *odoo.Reading) []view.LineView {
	out := make([]view.LineView, len(ls))
	for i, l := range ls {
		out[i] = view.LineView{Measure: l.Measure, Label: l.Label, Account: l.Account, Tax: l.Tax, Analytic: mapping.Join(l.At, l.Analytic), Amount: l.Amount, Suspense: l.Suspense}
		if read != nil && i < len(read.Lines) {
			out[i].Odoo, out[i].Known = money.Of(read.Lines[i], l.Amount.Currency), true
		}
	}
	return out
}

// pending is what a day's documents still lack.
func pending(d roll.Day, sheet rollup.Sheet, b rollup.Books) (lines []rollup.Line, err error) {
	if d.By() != rollup.ByTicket || len(d.Documents) == 0 {
		return rollup.Delta(d.Documents, sheet.Lines)
	}
	docs, _, err := d.NextTickets(b, "")
	for _, doc := range docs {
		lines = append(lines, doc.Lines...)
	}
	if err != nil {
		return nil, err
	}
	return rollup.Delta(nil, lines) // the same places together
}

// preview shows what a day without a document would send, and what a posted day still lacks.
func preview(v *view.DayDetail, d roll.Day) error {
	if d.Reversed != nil {
		return nil // nothing is posted until it is released
	}
	b := d.Books
	if own := d.Set.At(d.Key.Location, d.Key.Day).Journal; own != "" {
		b.Journal = own
	}
	sheet, err := rollup.MapParts(d.Key, d.Totals, d.Parts, d.Set, b)
	if err != nil {
		return err
	}
	lines, err := pending(d, sheet, b)
	if err != nil || len(lines) == 0 {
		return err
	}
	if len(d.Documents) == 0 {
		v.Documents = []view.DocumentView{{Kind: string(rollup.DayDocument), Date: d.Key.Day, Dated: d.Key.Day, Journal: b.Journal, Tickets: d.Tickets, Lines: lineViews(lines, nil)}}
		return nil
	}
	v.Pending = lineViews(lines, nil)
	return nil
}
