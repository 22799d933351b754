package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// foundDocuments reads documents that the user may see, with what was read back of them last.
func (s *Store) foundDocuments(ctx context.Context, f view.FindFilter, cond string, args ...any) (out []view.FoundDocument, err error) {
	where, own := only("d.location", f.Only)
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var d view.FoundDocument
		var move, checked int64
		var name, readback, dated, body string
		if err := r.Scan(&d.ID, &d.Location, &d.Day, &d.Series, &d.State, &d.Why, &d.Book, &move, &name, &checked, &readback, &dated, &body); err != nil {
			return err
		}
		if move > 0 {
			d.Odoo = view.OdooRecord{Model: odoo.Entries, ID: move, State: "draft", Date: retail.BusinessDate(dated), Seen: fromMicros(checked)}
			d.Odoo.Name, _, _ = strings.Cut(name, " (id ")
			var doc rollup.Document
			if err := json.Unmarshal([]byte(body), &doc); err != nil {
				return err
			}
			hub, err := s.HubID(ctx)
			if err != nil {
				return err
			}
			d.Odoo.Ref = odoo.Ref(hub, doc)
		}
		if readback != "" && move > 0 {
			var read odoo.Reading
			if err := json.Unmarshal([]byte(readback), &read); err != nil {
				return err
			}
			d.Odoo.Name, d.Odoo.URL, d.Odoo.State, d.Odoo.Date = cmp.Or(read.Name, d.Odoo.Name), read.URL, "posted", read.Date
		}
		out = append(out, d)
		return nil
	}, `SELECT d.id, d.location, d.day, d.series, d.state, d.why, d.book, d.move, d.odoo, d.checked, d.readback, d.date, d.body FROM document d WHERE (`+cond+`) AND `+where+
		` ORDER BY d.day, d.location, d.series, d.number LIMIT ?`, slices.Concat(args, own, []any{limit(f.Limit)})...)
	return out, err
}

// behindTicket fills in the ticket whose own document it is: the document names it, or one that was adopted after a restore its day does.
func (s *Store) behindTicket(ctx context.Context, f view.FindFilter, d view.FoundDocument, x *view.FoundThing) error {
	doc, err := getDocument(ctx, s.read, d.ID)
	if err != nil {
		return err
	}
	x.Text = "ticket of " + x.Text
	key := ""
	if doc.Slip != nil && rollup.SeriesOf(doc.Slip.Key) == d.Series {
		key = doc.Slip.Key
	} else if err := each(ctx, s.read, func(r *sql.Rows) error {
		var k string
		err := r.Scan(&k)
		if rollup.SeriesOf(k) == d.Series {
			key = k
		}
		return err
	}, `SELECT key FROM ticket WHERE location = ? AND day = ?`, string(d.Location), string(d.Day)); err != nil {
		return err
	}
	if key == "" {
		return nil
	}
	x.Tickets, err = s.FindTickets(ctx, view.TicketFilter{Find: key, Only: f.Only, Limit: 1})
	x.Count = len(x.Tickets)
	return err
}

// behind fills in the tickets that a document rests on: those of its part of the store-day, or of the batches of its voucher.
func (s *Store) behind(ctx context.Context, f view.FindFilter, d view.FoundDocument, x *view.FoundThing) error {
	if strings.HasPrefix(d.Series, rollup.TicketSeries) {
		return s.behindTicket(ctx, f, d, x)
	}
	if d.Series != "" {
		return s.behindVoucher(ctx, f, d.Series, x)
	}
	doc, err := getDocument(ctx, s.read, d.ID)
	if err != nil {
		return err
	}
	p, err := s.LineTickets(ctx, view.LineKey{Location: d.Location, Day: d.Day, Document: doc.Number, Limit: f.Limit})
	x.Tickets, x.Count = p.Rows, p.Count
	return err
}

func (s *Store) behindVoucher(ctx context.Context, f view.FindFilter, series string, x *view.FoundThing) error {
	x.Text = "voucher " + series
	vs, err := s.Vouchers(ctx, view.VoucherFilter{Series: series, Limit: 1})
	if err != nil {
		return err
	}
	for _, v := range vs {
		x.Text += ": " + v.Text
	}
	var batches []any
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var subject string
		err := r.Scan(&subject)
		x.Rests = append(x.Rests, subject)
		if id, ok := strings.CutPrefix(subject, "batch "); ok {
			id, _ = strings.CutSuffix(id, "/amex")
			batches = append(batches, id)
		}
		return err
	}, `SELECT subject FROM used WHERE voucher = ? ORDER BY subject`, series)
	if err != nil || len(batches) == 0 {
		return err
	}
	x.Tickets, x.Count, err = s.paidTickets(ctx, f, `p.batch IN (?`+strings.Repeat(`, ?`, len(batches)-1)+`)`, batches...)
	return err
}

// paidTickets are the tickets whose card payments meet a condition.
func (s *Store) paidTickets(ctx context.Context, f view.FindFilter, cond string, args ...any) (rows []view.TicketRow, n int, err error) {
	where, own := only("t.location", f.Only)
	from := ` FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.id IN (SELECT p.tender / 1000 FROM payment p WHERE p.tender > 0 AND ` + cond + `) AND ` + where
	args = slices.Concat(args, own)
	if err := s.read.QueryRowContext(ctx, `SELECT count(*)`+from, args...).Scan(&n); err != nil {
		return nil, 0, err
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		t, err := scanTicket(r)
		rows = append(rows, t.TicketRow)
		return err
	}, `SELECT `+ticketColumns+from+` ORDER BY t.at, t.id LIMIT ?`, append(args, limit(f.Limit))...)
	return rows, n, err
}

// vouchersOf are the documents of the vouchers in which subjects stand: "batch 41", "dispute 7".
func (s *Store) vouchersOf(ctx context.Context, f view.FindFilter, subjects ...any) ([]view.FoundDocument, error) {
	return s.foundDocuments(ctx, f, `d.series <> '' AND d.series IN (SELECT voucher FROM used WHERE subject IN (?`+strings.Repeat(`, ?`, len(subjects)-1)+`))`, subjects...)
}
