package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// Find lists everything that an id names, each with its documents and what is known of them in Odoo. It does not ask Odoo. Nothing found is
// no error: Looked says where it was looked.
func (s *Store) Find(ctx context.Context, f view.FindFilter) (out view.Found, err error) {
	f.Find = strings.TrimSpace(f.Find)
	if out.Find = f.Find; f.Find == "" {
		return out, nil
	}
	for _, in := range []struct {
		where string
		find  func(context.Context, view.FindFilter) ([]view.FoundThing, error)
	}{
		{"documents, by id, store-day, voucher, and number, id or reference of their entry in Odoo", s.findDocuments},
		{"tickets, by receipt number and vendor's id", s.findTickets},
		{"records that wait in a case and are not booked, by the vendor's id of their ticket", s.findKept},
		{"card payments, by the gateway's number", s.findPayments},
		{"settlement batches, by id", s.findBatches},
		{"deposits, disputes and settled payments, by the processor's id", s.findSettlement},
		{"customers, by the vendor's id", s.findCustomers},
		{"lines of bank statements, by their id in Odoo", s.findBankLines},
	} {
		things, err := in.find(ctx, f)
		if err != nil {
			return out, classify("find "+f.Find, err)
		}
		out.Things, out.Looked = append(out.Things, things...), append(out.Looked, in.where)
	}
	return out, nil
}

// findTickets finds them as FindTickets does, each with the documents that hold a part of it.
func (s *Store) findTickets(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	if _, _, ok := odoo.ParseRecord(f.Find); ok {
		return nil, nil // no till writes that, and a look at every ticket is dear
	}
	rows, err := s.FindTickets(ctx, view.TicketFilter(f))
	for _, t := range rows {
		x := view.FoundThing{Kind: "ticket", ID: t.Number, Text: ticketText(t), Location: t.Location, Day: t.Day, Tickets: []view.TicketRow{t}, Count: 1}
		if x.Documents, err = s.documentsOf(ctx, f, t); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, err
}

// findKept finds open cases that keep a record of this ticket out of the books.
func (s *Store) findKept(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	ks, err := s.Kept(ctx, f.Find, f.Only)
	for _, k := range ks {
		out = append(out, view.FoundThing{Kind: "case", ID: k.ID, Text: k.Title + ". " + k.Means + " " + k.Detail, Location: k.Location, Day: k.Day})
	}
	return out, err
}

// Kept lists the open cases that keep a record out of the books, by the key or the vendor's id of its ticket. Only is what the user may see; nil = all.
func (s *Store) Kept(ctx context.Context, ticket string, codes []retail.LocationCode) (out []cases.Case, err error) {
	where, args := only("location", codes)
	args = append(args, string(cases.Refused), string(cases.Unbalanced))
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var body string
		if err := r.Scan(&body); err != nil {
			return err
		}
		k, err := readCase(body)
		if err == nil && (k.Record == ticket || strings.HasSuffix(k.Record, "|"+ticket)) {
			out = append(out, k)
		}
		return err
	}, `SELECT body FROM kase WHERE `+where+` AND state = 'open' AND cause IN (?, ?) ORDER BY opened, id`, args...)
	return out, classify("find records kept in cases", err)
}

func ticketText(t view.TicketRow) string {
	return t.Kind + " at till " + string(t.Till) + ", " + t.Total.String()
}

// documentsOf are the documents that hold a part of any of the tickets.
func (s *Store) documentsOf(ctx context.Context, f view.FindFilter, ts ...view.TicketRow) ([]view.FoundDocument, error) {
	var ids []any
	for _, t := range ts {
		v := view.TicketView{TicketRow: t}
		if err := s.places(ctx, &v); err != nil {
			return nil, err
		}
		for _, p := range v.Places {
			ids = append(ids, p.Document)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return s.foundDocuments(ctx, f, `d.id IN (?`+strings.Repeat(`, ?`, len(ids)-1)+`)`, ids...)
}

// findDocuments finds those that an id, a day, a voucher or a record of Odoo names, each with what is behind it.
func (s *Store) findDocuments(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	hub, err := s.HubID(ctx)
	if err != nil {
		return nil, err
	}
	cond, args := `d.id = ? OR d.series <> '' AND d.series = ? OR d.odoo >= ? AND d.odoo < ?`, []any{f.Find, f.Find, f.Find + " (id ", f.Find + " (id :"}
	if model, id, ok := odoo.ParseRecord(f.Find); ok && model == odoo.Entries {
		cond, args = `d.move > 0 AND d.move = ? OR d.id IN (SELECT document FROM part WHERE move = ? AND substr(name, 1, ?) <> ?)`, []any{id, id, len(odoo.PaymentParts), odoo.PaymentParts}
	} else if ok && model == odoo.Payments {
		cond, args = `d.id IN (SELECT document FROM part WHERE move = ? AND substr(name, 1, ?) = ?)`, []any{id, len(odoo.PaymentParts), odoo.PaymentParts}
	} else if doc, own, ok := odoo.DocumentOf(hub, f.Find); ok && own {
		cond, args = `d.id = ?`, []any{doc}
	} else if location, day, ok := storeDay(f.Find); ok {
		cond, args = `d.location = ? AND d.day = ?`, []any{location, day}
	}
	ds, err := s.foundDocuments(ctx, f, cond, args...)
	for _, d := range ds {
		x := view.FoundThing{Kind: "document", ID: d.ID, Text: "store-day " + string(d.Location) + " " + string(d.Day), Location: d.Location, Day: d.Day, Documents: []view.FoundDocument{d}}
		if err := s.behind(ctx, f, d, &x); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, err
}

// storeDay reads "S1/2026-11-20" or "S1 2026-11-20"; a location's code may hold both signs itself.
func storeDay(s string) (location, day string, ok bool) {
	i := strings.LastIndexAny(s, "/ ")
	if i < 1 || len(s)-i-1 != len("2006-01-02") || strings.Count(s[i:], "-") != 2 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}
