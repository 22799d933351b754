package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// putSlip keeps whom a ticket names, where its location's tickets go as documents of their own. Elsewhere no name leaves the sealed record.
func (tx *Tx) putSlip(ctx context.Context, ticket int64, r retail.Record) error {
	t, ok := r.(retail.Ticket)
	if !ok || t.Customer == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO slip (ticket, customer, person) SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM posting_mode WHERE location = ? AND mode = ?)
		ON CONFLICT (ticket) DO UPDATE SET customer = excluded.customer, person = excluded.person`,
		ticket, t.Customer, []byte(tx.store.personName(customer(r))), string(t.Location), string(rollup.ByTicket))
	return err
}

// slips reads a day's tickets in the versions that its totals hold, with what gateways say of their payments.
func (tx *Tx) slips(ctx context.Context, d *roll.Day) (err error) {
	at := map[int64]int{}
	if err = each(ctx, tx, func(r *sql.Rows) error {
		var id int64
		var currency, postings string
		var s rollup.Slipped
		var who mapping.Who
		if err := r.Scan(&id, &s.Key, &s.Number, &currency, &s.Void, &postings, &s.Customer, &who.Till, &who.Cashier); err != nil {
			return err
		}
		ps, err := decodePostings(postings, money.Currency(currency))
		if err != nil {
			return err
		}
		s.Totals = rollup.Totals{}
		if err := s.Totals.Add(ledger.Entry{Postings: ps}, 1); err != nil {
			return err
		}
		maps.DeleteFunc(s.Totals, func(a ledger.Account, _ money.Amount) bool { return a.Goods() }) // the day's cost of goods is a voucher of its own
		s.Beside = d.Set.Beside(who, d.Key.Location, d.Key.Day)
		s.House = houses(s.Totals)
		at[id], d.Slips = len(d.Slips), append(d.Slips, s)
		return nil
	}, `SELECT t.id, t.key, t.number, e.currency, e.void, e.postings, COALESCE(s.customer, ''), t.till, e.cashier FROM ticket t
		JOIN entry e ON e.id = (SELECT max(x.id) FROM entry x WHERE x.ticket = t.id AND x.outcome IN (?, ?) AND x.id <= (SELECT COALESCE(max(entry), 0) FROM cursor))
		LEFT JOIN slip s ON s.ticket = t.id WHERE t.location = ? AND t.day = ? AND t.kind = 'ticket' AND e.location = t.location AND e.day = t.day AND e.currency = ? ORDER BY t.key`,
		string(ledger.First), string(ledger.Replaces), string(d.Key.Location), string(d.Key.Day), string(d.Gross.Currency)); err != nil {
		return err
	}
	return each(ctx, tx, func(r *sql.Rows) error {
		var ticket, amount int64
		var kind, currency, ref, state, key string
		if err := r.Scan(&ticket, &kind, &currency, &amount, &ref, &state, &key); err != nil {
			return err
		}
		i, there := at[ticket]
		if !there {
			return nil
		}
		s := &d.Slips[i]
		for _, id := range []string{ref, key[strings.LastIndexByte(key, '|')+1:]} {
			if id != "" && !slices.Contains(s.Refs, id) {
				s.Refs = append(s.Refs, id)
			}
		}
		if state != "" {
			s.Tenders = append(s.Tenders, rollup.SlipTender{Measure: ledger.Of(ledger.Tender, kind), Amount: money.Of(amount, money.Currency(currency)), State: retail.PaymentState(state)})
		}
		return nil
	}, `SELECT t.id, d.type, d.currency, d.amount, d.ref, COALESCE(p.state, ''), COALESCE(p.key, '') FROM ticket t JOIN tender d ON d.id BETWEEN t.id * 1000 AND t.id * 1000 + 999
		LEFT JOIN payment p ON p.tender > 0 AND p.tender = d.id WHERE t.location = ? AND t.day = ? AND d.void = 0 ORDER BY d.id, p.id`, string(d.Key.Location), string(d.Key.Day))
}

// houses tells tickets that are charged to a house account, or on which one was paid.
func houses(t rollup.Totals) bool {
	for a, m := range t {
		if role, code := a.Split(); !m.IsZero() && (role == ledger.House || role == ledger.Tender && code == "on_account") {
			return true
		}
	}
	return false
}

// ticketsChanged lets days be looked at again whose tickets go as documents of their own: a gateway said something of their payments.
func (tx *Tx) ticketsChanged(ctx context.Context, k rollup.DayKey) error {
	if k.Day == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE location = ? AND day BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM posting_mode m WHERE m.location = day.location AND m.mode = ?)`,
		string(k.Location), string(k.Day.AddDays(-3)), string(k.Day.AddDays(1)), string(rollup.ByTicket))
	return err
}
