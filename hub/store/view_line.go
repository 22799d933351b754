package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
)

// span is the entries that a document holds of its day: those after one, up to another. A document is the difference to what was sent before
// it, so that its figures open to exactly these.
type span struct{ after, to int64 }

// spanOf finds a document's span; ok = false when nobody knows, as for one that was adopted from Odoo after a restore.
func (s *Store) spanOf(ctx context.Context, k rollup.DayKey, number int) (p span, ok bool, err error) {
	if number == 0 || number == view.ByTicket {
		return p, false, nil
	}
	entries, err := s.documentEntries(ctx, k)
	if err != nil {
		return p, false, err
	}
	p.to = math.MaxInt64
	for n, e := range entries { // in the order of their numbers, which begin at 1
		switch {
		case number == view.Pending || n+1 < number:
			p.after = e
		case n+1 == number:
			p.to = e
		}
		if e == 0 && (number == view.Pending || n < number) {
			return span{}, false, nil
		}
	}
	return p, true, nil
}

// documentEntries is up to which entry each document of a day goes.
func (s *Store) documentEntries(ctx context.Context, k rollup.DayKey) (out []int64, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var e int64
		err := r.Scan(&e)
		out = append(out, e)
		return err
	}, `SELECT entry FROM document WHERE location = ? AND day = ? AND series = '' ORDER BY number`, string(k.Location), string(k.Day))
	return out, classify("read documents", err)
}

// LineTickets lists the tickets behind a figure: those that touch its measure on the day. Of a document these are what came since the one
// before it, new versions with what they took back; else the versions in force.
func (s *Store) LineTickets(ctx context.Context, k view.LineKey) (p view.TicketPage, err error) {
	key := rollup.DayKey{Location: k.Location, Day: k.Day}
	p.Zone = s.zone(ctx, k.Location, k.Day)
	in, known, err := s.spanOf(ctx, key, k.Document)
	if err != nil {
		return p, err
	}
	var rows []ticketRow
	if known {
		rows, err = s.spanTickets(ctx, key, in)
	} else {
		rows, err = s.dayTickets(ctx, key)
	}
	if err != nil {
		return p, classify("list tickets", err)
	}
	return p, classify("list tickets", page(&p, rows, k))
}

// page keeps what touches the measure, sums it up, and cuts the page out.
func page(p *view.TicketPage, rows []ticketRow, k view.LineKey) (err error) {
	for _, t := range rows {
		if k.Measure != "" {
			n, touched := part(t.postings, k.Measure)
			if !touched || n == 0 {
				continue
			}
			t.Amount = money.Of(n, t.Total.Currency)
		}
		if p.Sum, err = p.Sum.Add(t.Amount); err != nil {
			return err
		}
		if p.Count >= k.Offset && (k.Limit == 0 || len(p.Rows) < k.Limit) {
			p.Rows = append(p.Rows, t.TicketRow)
		}
		p.Count++
	}
	return nil
}

// dayTickets are the versions in force.
func (s *Store) dayTickets(ctx context.Context, k rollup.DayKey) ([]ticketRow, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+ticketColumns+` FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = ? AND t.day = ? ORDER BY t.at, t.id`,
		string(k.Location), string(k.Day))
	if err != nil {
		return nil, err
	}
	return scanAll(rows, scanTicket)
}

// spanTickets are the tickets that entries of a span touch, each with what it added and what it took back.
func (s *Store) spanTickets(ctx context.Context, k rollup.DayKey, in span) (out []ticketRow, err error) {
	at := map[int64]int{}
	add := func(sign int64, query string) error {
		return each(ctx, s.read, func(r *sql.Rows) error {
			t, err := scanTicket(r)
			if err != nil {
				return err
			}
			i, have := at[t.ID]
			if !have {
				i, at[t.ID] = len(out), len(out)
				out = append(out, ticketRow{TicketRow: t.TicketRow})
				out[i].Total, out[i].Amount = money.Of(0, t.Total.Currency), money.Of(0, t.Total.Currency)
			}
			out[i].Total.Minor += sign * t.Total.Minor
			out[i].Amount = out[i].Total
			for _, p := range t.postings {
				p.Amount.Minor *= sign
				out[i].postings = append(out[i].postings, p)
			}
			return nil
		}, query, string(k.Location), in.after, in.to, string(k.Day), string(ledger.First), string(ledger.Replaces))
	}
	err = errors.Join(
		add(1, `SELECT `+ticketColumns+` FROM entry e JOIN ticket t ON t.id = e.ticket WHERE e.location = ? AND e.id > ? AND e.id <= ? AND e.day = ? AND e.outcome IN (?, ?) ORDER BY e.id`),
		add(-1, `SELECT `+ticketColumns+` FROM entry n JOIN entry e ON e.id = n.undo JOIN ticket t ON t.id = e.ticket
			WHERE n.location = ? AND n.id > ? AND n.id <= ? AND n.undo > 0 AND e.day = ? AND n.outcome IN (?, ?) ORDER BY n.id`))
	slices.SortFunc(out, func(a, b ticketRow) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out, err
}

// posted is what one entry of a ticket did: it added itself, and took the one before out.
type posted struct {
	id       int64
	key      rollup.DayKey
	postings []ledger.Posting
}

// places finds the lines of documents that hold a part of the ticket: what each of its versions added, and took back, in the document that
// was made next.
func (s *Store) places(ctx context.Context, v *view.TicketView) error {
	if v.Key == "" {
		if err := s.read.QueryRowContext(ctx, `SELECT key FROM ticket WHERE id = ?`, v.ID).Scan(&v.Key); err != nil {
			return err
		}
	}
	var all []posted // a taken-back part has its postings turned round
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		var id int64
		var e, u half
		if err := r.Scan(&id, &e.location, &e.day, &e.currency, &e.postings, &u.location, &u.day, &u.currency, &u.postings); err != nil {
			return err
		}
		for i, h := range []half{e, u} {
			if h.currency == "" {
				continue
			}
			l, err := h.leg(1)
			if err != nil {
				return err
			}
			ps := l.entry.Postings
			for n := range ps {
				if i == 1 {
					ps[n].Amount.Minor = -ps[n].Amount.Minor
				}
			}
			all = append(all, posted{id, l.key, ps})
		}
		return nil
	}, `SELECT e.id, e.location, e.day, e.currency, e.postings, COALESCE(u.location, ''), COALESCE(u.day, ''), COALESCE(u.currency, ''), COALESCE(u.postings, '')
		FROM entry e LEFT JOIN entry u ON e.undo > 0 AND u.id = e.undo WHERE e.ticket = ? AND e.outcome IN (?, ?) ORDER BY e.id`, v.ID, string(ledger.First), string(ledger.Replaces)); err != nil {
		return err
	}
	in := map[rollup.DayKey][]posted{}
	for _, p := range all {
		in[p.key] = append(in[p.key], p)
	}
	days := map[rollup.DayKey]bool{}
	for _, p := range all {
		if days[p.key] {
			continue
		}
		days[p.key] = true
		if err := s.placesOn(ctx, v, p.key, in[p.key]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) placesOn(ctx context.Context, v *view.TicketView, k rollup.DayKey, parts []posted) error {
	if own, err := s.ownPlaces(ctx, v, k); err != nil || own {
		return err
	}
	ds, err := s.documentViewsOf(ctx, k, "")
	if err != nil {
		return err
	}
	entries, err := s.documentEntries(ctx, k)
	if err != nil {
		return err
	}
	for n, d := range ds {
		var ps []ledger.Posting
		for _, p := range parts {
			if documentOf(entries, p.id) == n {
				ps = append(ps, p.postings...)
			}
		}
		for _, l := range d.Lines {
			if m, touched := part(ps, l.Measure); touched && m != 0 {
				v.Places = append(v.Places, view.PlaceView{Document: d.ID, Number: d.Number, Location: k.Location, Day: k.Day, State: d.State, Measure: l.Measure, Label: l.Label,
					Account: l.Account, Amount: money.Of(m, l.Amount.Currency), Line: l.Amount, Odoo: d.Odoo})
			}
		}
	}
	return nil
}

// documentOf is the document that holds an entry: the first that was made after it; −1 = none yet. What was adopted tells no entry and is
// taken for the whole day.
func documentOf(entries []int64, id int64) int {
	return slices.IndexFunc(entries, func(e int64) bool { return e == 0 || e >= id })
}
