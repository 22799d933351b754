package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
)

// findPayments finds card payments by the gateway's number, and tickets whose till noted it although nobody reads the gateway.
func (s *Store) findPayments(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	ps, err := s.PaymentViews(ctx, view.PaymentFilter{Number: f.Find, Only: f.Only, Limit: f.Limit})
	if err != nil {
		return nil, err
	}
	for _, p := range ps {
		x := view.FoundThing{Kind: "payment", ID: p.Gateway, Text: fmt.Sprintf("%s %s %s, %s", p.Brand, p.Last4, p.Amount, p.State), Location: p.Location}
		if x.Tickets, x.Count, err = s.paidTickets(ctx, f, `p.id = ?`, p.ID); err != nil {
			return nil, err
		}
		if x.Documents, err = s.documentsOf(ctx, f, x.Tickets...); err != nil {
			return nil, err
		}
		if p.Batch != "" {
			x.Rests = []string{"batch " + p.Batch}
			paid, err := s.vouchersOf(ctx, f, "batch "+p.Batch, "batch "+p.Batch+"/amex")
			if err != nil {
				return nil, err
			}
			x.Documents = append(x.Documents, paid...)
		}
		out = append(out, x)
	}
	if len(out) > 0 {
		return out, nil
	}
	return s.findTenders(ctx, f)
}

func (s *Store) findTenders(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	where, own := only("t.location", f.Only)
	var rows []view.TicketRow
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		t, err := scanTicket(r)
		rows = append(rows, t.TicketRow)
		return err
	}, `SELECT `+ticketColumns+` FROM tender d JOIN ticket t ON t.id = d.id / 1000 JOIN entry e ON e.id = t.entry WHERE d.ref <> '' AND d.ref = ? AND `+where+` ORDER BY t.at LIMIT ?`,
		slices.Concat([]any{f.Find}, own, []any{limit(f.Limit)})...); err != nil {
		return nil, err
	}
	for _, t := range rows {
		x := view.FoundThing{Kind: "payment", ID: f.Find, Text: "noted by the till on ticket " + t.Number + "; the gateway has not told of it", Location: t.Location, Day: t.Day,
			Tickets: []view.TicketRow{t}, Count: 1}
		if x.Documents, err = s.documentsOf(ctx, f, t); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// findBatches finds settlement batches, with the vouchers that paid them out and the tickets in them.
func (s *Store) findBatches(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	bs, err := s.BatchViews(ctx, view.PaymentFilter{Number: f.Find, Only: f.Only, Limit: f.Limit})
	for _, b := range bs {
		x := view.FoundThing{Kind: "batch", ID: b.ID, Text: fmt.Sprintf("%s, %d payments, %s", b.State, b.Count, b.Total), Location: b.Location}
		if x.Tickets, x.Count, err = s.paidTickets(ctx, f, `p.batch = ? AND p.location = ?`, b.ID, string(b.Location)); err != nil {
			return nil, err
		}
		if x.Documents, err = s.vouchersOf(ctx, f, "batch "+b.ID, "batch "+b.ID+"/amex"); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, err
}

// findSettlement finds deposits, disputes and settled payments by the processor's id.
func (s *Store) findSettlement(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	where, own := only("location", f.Only)
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		var x view.FoundThing
		var merchant, body string
		if err := r.Scan(&x.Kind, &x.Location, &x.Day, &merchant, &body); err != nil {
			return err
		}
		var record struct {
			Amount money.Amount `json:"amount"`
		}
		err := json.Unmarshal([]byte(body), &record)
		x.ID, x.Text = f.Find, fmt.Sprintf("of merchant %s, %s", merchant, record.Amount)
		out = append(out, x)
		return err
	}, `SELECT kind, location, day, merchant, body FROM settlement WHERE number = ? AND `+where+` ORDER BY day DESC, id LIMIT ?`, slices.Concat([]any{f.Find}, own, []any{limit(f.Limit)})...); err != nil {
		return nil, err
	}
	for i := range out {
		x := &out[i]
		if x.Documents, err = s.vouchersOf(ctx, f, x.Kind+" "+f.Find); err != nil {
			return nil, err
		}
		if x.Kind == "deposit" {
			x.Tickets, x.Count, err = s.paidTickets(ctx, f, `p.number IN (SELECT number FROM settlement WHERE kind = 'settled' AND deposit = ?)`, f.Find)
		} else {
			x.Tickets, x.Count, err = s.paidTickets(ctx, f, `p.number = ?`, f.Find)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// findCustomers finds the tickets that name a customer. The hub keeps no customer's id, only its hash under each vendor's account that tickets
// came from; one that was erased is not put together again.
func (s *Store) findCustomers(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	accounts, err := s.vendorAccounts(ctx)
	if err != nil {
		return nil, err
	}
	where, own := only("t.location", f.Only)
	for _, a := range accounts {
		var person, erased int64
		err := s.read.QueryRowContext(ctx, `SELECT id, erased FROM person WHERE name = ?`, s.personName(a+"|"+f.Find)).Scan(&person, &erased)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		x := view.FoundThing{Kind: "customer", ID: f.Find, Text: "of " + strings.Trim(strings.ReplaceAll(a, "|", " "), " ")}
		if erased != 0 {
			if f.Only == nil { // nobody but head office learns that there was one
				x.Text += ", erased on " + fromMicros(erased).Format("2006-01-02")
				out = append(out, x)
			}
			continue
		}
		from := ` FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.id IN (SELECT n.ticket FROM body b JOIN entry n ON n.envelope = b.envelope WHERE b.person > 0 AND b.person = ?) AND ` + where
		args := append([]any{person}, own...)
		if err := s.read.QueryRowContext(ctx, `SELECT count(*)`+from, args...).Scan(&x.Count); err != nil {
			return nil, err
		}
		if err := each(ctx, s.read, func(r *sql.Rows) error {
			t, err := scanTicket(r)
			x.Tickets = append(x.Tickets, t.TicketRow)
			return err
		}, `SELECT `+ticketColumns+from+` ORDER BY t.at DESC, t.id DESC LIMIT ?`, append(args, limit(f.Limit))...); err != nil {
			return nil, err
		}
		if x.Count == 0 {
			continue
		}
		if x.Documents, err = s.documentsOf(ctx, f, x.Tickets...); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// vendorAccounts are the accounts, tenant and system, that tickets came from, each by one step along the index of keys.
func (s *Store) vendorAccounts(ctx context.Context) (out []string, err error) {
	plain := strings.NewReplacer("%7C", "|", "%0A", "\n", "%25", "%")
	for after := ""; ; {
		var key string
		err := s.read.QueryRowContext(ctx, `SELECT key FROM ticket WHERE key >= ? ORDER BY key LIMIT 1`, after).Scan(&key)
		if errors.Is(err, sql.ErrNoRows) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		parts := strings.SplitN(key, "|", 3)
		if len(parts) < 3 {
			return out, nil
		}
		out = append(out, plain.Replace(parts[0])+"|"+plain.Replace(parts[1]))
		after = parts[0] + "|" + parts[1] + "}" // the sign after '|'
	}
}

// findBankLines finds a line of a bank statement by its id in Odoo. They belong to no store.
func (s *Store) findBankLines(ctx context.Context, f view.FindFilter) (out []view.FoundThing, err error) {
	model, id, ok := odoo.ParseRecord(f.Find)
	if !ok || model != odoo.StatementLines || f.Only != nil {
		return nil, nil
	}
	var series []string
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		x := view.FoundThing{Kind: "bank line", Records: []view.OdooRecord{{Model: odoo.StatementLines, ID: id}}}
		var minor int64
		var currency, text, voucher string
		err := r.Scan(&x.ID, (*string)(&x.Day), &minor, &currency, &text, &voucher)
		x.Text, series = fmt.Sprintf("%s: %s", money.Of(minor, money.Currency(currency)), text), append(series, voucher)
		out = append(out, x)
		return err
	}, `SELECT key, booked, minor, currency, text, voucher FROM bank_line WHERE odoo = ? ORDER BY key`, id); err != nil {
		return nil, err
	}
	for i, v := range series {
		if v == "" {
			continue
		}
		if out[i].Documents, err = s.foundDocuments(ctx, f, `d.series <> '' AND d.series = ?`, v); err != nil {
			return nil, err
		}
		text := out[i].Text
		if err := s.behindVoucher(ctx, f, v, &out[i]); err != nil {
			return nil, err
		}
		out[i].Text = text + "; " + out[i].Text
	}
	return out, nil
}
