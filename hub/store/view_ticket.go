package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

const ticketColumns = `t.id, t.number, t.kind, t.location, t.till, t.day, t.at, e.currency, e.gross, e.tax, e.void, e.postings, (SELECT count(*) FROM entry v WHERE v.ticket = t.id)`

// ticketRow is a row with its entry's postings.
type ticketRow struct {
	view.TicketRow
	postings []ledger.Posting
}

func scanTicket(r *sql.Rows) (t ticketRow, err error) {
	var at, gross, tax int64
	var currency, postings string
	var void bool
	if err = r.Scan(&t.ID, &t.Number, &t.Kind, &t.Location, &t.Till, &t.Day, &at, &currency, &gross, &tax, &void, &postings, &t.Versions); err != nil {
		return t, err
	}
	t.At, t.Total = fromMicros(at), money.Of(gross+tax, money.Currency(currency))
	if void {
		t.Kind = "void"
	}
	t.Amount = t.Total
	t.postings, err = decodePostings(postings, money.Currency(currency))
	return t, err
}

// part is what a ticket's entry adds to a measure, debit positive.
func part(ps []ledger.Posting, m ledger.Account) (n int64, touched bool) {
	for _, p := range ps {
		if p.Debit == m {
			n, touched = n+p.Amount.Minor, true
		}
		if p.Credit == m {
			n, touched = n-p.Amount.Minor, true
		}
	}
	return n, touched
}

// FindTickets finds tickets by receipt number or key; when there is none, by the vendor's own id at the end of the key.
func (s *Store) FindTickets(ctx context.Context, f view.TicketFilter) (out []view.TicketRow, err error) {
	where, args := only("t.location", f.Only)
	find := func(condition string, by ...any) error {
		return each(ctx, s.read, func(r *sql.Rows) error {
			t, err := scanTicket(r)
			out = append(out, t.TicketRow)
			return err
		}, `SELECT `+ticketColumns+` FROM ticket t JOIN entry e ON e.id = t.entry WHERE (`+condition+`) AND `+where+` ORDER BY t.at DESC LIMIT ?`, append(append(by, args...), limit(f.Limit))...)
	}
	if err = find(`t.number = ? OR t.key = ?`, f.Find, f.Find); err == nil && len(out) == 0 {
		err = find(`substr(t.key, length(t.key) - length(?)) = ?`, f.Find, "|"+f.Find) // a look at every ticket, for who knows no more than this
	}
	return out, classify("find tickets", err)
}

// TicketView reads a ticket with its raw record, its entry and its place in Odoo; what the record says in words is the Clerk's to read. Code
// not_found.
func (s *Store) TicketView(ctx context.Context, id int64) (v view.TicketView, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+ticketColumns+` FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.id = ?`, id)
	if err != nil {
		return v, classify("read ticket", err)
	}
	got, err := scanAll(rows, scanTicket)
	if err != nil {
		return v, classify("read ticket", err)
	}
	if len(got) != 1 {
		return v, fault.Msg(fault.NotFound, "read ticket", fmt.Sprintf("there is no ticket %d", id))
	}
	v.TicketRow, v.Postings = got[0].TicketRow, got[0].postings
	v.Zone = s.zone(ctx, v.Location, v.Day)
	current := int64(0)
	var gross, tax int64
	if err := s.read.QueryRowContext(ctx, `SELECT t.key, t.entry, e.gross, e.tax, e.rounded FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.id = ?`, id).Scan(&v.Key, &current, &gross, &tax, &v.Rounded); err != nil {
		return v, classify("read ticket", err)
	}
	v.Gross, v.Tax = money.Of(gross, v.Total.Currency), money.Of(tax, v.Total.Currency)
	if err := s.history(ctx, &v, current); err != nil {
		return v, classify("read ticket", err)
	}
	for _, h := range v.History {
		if h.Current {
			if v.Raw, err = s.Raw(ctx, h.Envelope); err != nil {
				return v, err
			}
		}
	}
	if err := s.places(ctx, &v); err != nil {
		return v, classify("read ticket", err)
	}
	if v.Payments, err = s.PaymentViews(ctx, view.PaymentFilter{Ticket: v.ID}); err != nil {
		return v, err
	}
	v.Steps, err = s.steps(ctx, "ticket "+v.Key, "")
	return v, err
}

func (s *Store) history(ctx context.Context, v *view.TicketView, current int64) error {
	return each(ctx, s.read, func(r *sql.Rows) error {
		var h view.VersionView
		var gross, tax, received int64
		var c string
		err := r.Scan(&h.Entry, &h.Outcome, &h.Revision, &h.Void, &c, &gross, &tax, &h.Envelope, &received)
		h.Gross, h.Tax, h.Received, h.Current = money.Of(gross, money.Currency(c)), money.Of(tax, money.Currency(c)), fromMicros(received), h.Entry == current
		v.History = append(v.History, h)
		return err
	}, `SELECT e.id, e.outcome, e.revision, e.void, e.currency, e.gross, e.tax, e.envelope, COALESCE(n.received, 0) FROM entry e LEFT JOIN envelope n ON n.id = e.envelope WHERE e.ticket = ? ORDER BY e.id`, v.ID)
}

// Raw reads a record as it came. An erased customer's body is gone; everything else is there.
func (s *Store) Raw(ctx context.Context, envelope int64) (raw view.Raw, err error) {
	var at, received, seq int64
	var epoch, sum []byte
	err = s.read.QueryRowContext(ctx, `SELECT e.id, l.device, l.stream, l.epoch, e.seq, e.kind, e.content_type, e.at, e.received, e.sum FROM envelope e JOIN lane l ON l.id = e.lane WHERE e.id = ?`, envelope).
		Scan(&raw.Envelope, &raw.Device, &raw.Stream, &epoch, &seq, &raw.Kind, &raw.ContentType, &at, &received, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return raw, fault.Msg(fault.NotFound, "read record", fmt.Sprintf("there is no record %d", envelope))
	}
	if err != nil {
		return raw, classify("read record", err)
	}
	raw.Captured, raw.Received, raw.Sum = fromMicros(at), fromMicros(received), hex.EncodeToString(sum)
	raw.Position = fmt.Sprintf("%x:%d", epoch, seq)
	raw.Body, err = s.Body(ctx, envelope)
	if errors.Is(err, ErrErased) {
		raw.Erased, err = true, nil
	}
	var rows struct {
		Profile, File, SHA256 string
		Rows                  []struct{ N int }
	}
	if raw.Kind == "rows.v1" && json.Unmarshal(raw.Body, &rows) == nil {
		raw.Profile, raw.File, raw.SHA256 = rows.Profile, rows.File, rows.SHA256
		for _, r := range rows.Rows {
			raw.Rows = append(raw.Rows, r.N)
		}
	}
	return raw, err
}
