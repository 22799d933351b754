package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/match"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// MatchPayments matches the payments of days that changed, at most so many days, in one transaction. It returns how many days it matched.
func (s *Store) MatchPayments(ctx context.Context, most int) (n int, err error) {
	var any bool
	if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM match_due)`).Scan(&any); err != nil || !any {
		return 0, classify("list days to match", err)
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		// Most tickets are of stores whose payments nobody reads.
		if _, err := tx.ExecContext(ctx, `DELETE FROM match_due WHERE NOT EXISTS (SELECT 1 FROM payment p WHERE p.location = match_due.location AND p.day = match_due.day)`); err != nil {
			return err
		}
		var due []rollup.DayKey
		if err := each(ctx, tx, func(r *sql.Rows) error {
			var k rollup.DayKey
			err := r.Scan(&k.Location, &k.Day)
			due = append(due, k)
			return err
		}, `SELECT location, day FROM match_due ORDER BY day DESC, location LIMIT ?`, most); err != nil {
			return err
		}
		n = len(due)
		for _, k := range due {
			if err := tx.matchPayments(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// pairing is how a payment stands now.
type pairing struct {
	match.Payment
	tender     int64
	confidence string
	why        string
}

func (tx *Tx) matchPayments(ctx context.Context, k rollup.DayKey) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM match_due WHERE location = ? AND day = ?`, string(k.Location), string(k.Day)); err != nil {
		return err
	}
	ps, err := tx.pairings(ctx, k)
	if err != nil || len(ps) == 0 {
		return err
	}
	ts, err := tx.cardTenders(ctx, k, ps)
	if err != nil {
		return err
	}
	plain := make([]match.Payment, len(ps))
	for i, p := range ps {
		plain[i] = p.Payment
	}
	found := map[int64]match.Pair{}
	for _, p := range match.Match(plain, ts) {
		found[p.Payment] = p
	}
	if err := tx.ticketsChanged(ctx, k); err != nil {
		return err
	}
	for _, p := range ps {
		f := found[p.ID]
		if p.tender == f.Tender && p.confidence == string(f.Confidence) && p.why == f.Why {
			continue
		}
		if f.Tender != 0 { // another day's payment had only looked like it
			if err := tx.steal(ctx, f.Tender, p.ID); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE payment SET tender = ?, confidence = ?, why = ? WHERE id = ?`, f.Tender, string(f.Confidence), f.Why, p.ID); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) steal(ctx context.Context, tender, by int64) error {
	var l, d string
	err := each(ctx, tx, func(r *sql.Rows) error { return r.Scan(&l, &d) }, `SELECT location, day FROM payment WHERE tender > 0 AND tender = ? AND id <> ?`, tender, by)
	if err != nil || l == "" {
		return err
	}
	tx.matchDay(retail.LocationCode(l), retail.BusinessDate(d))
	_, err = tx.ExecContext(ctx, `UPDATE payment SET tender = 0, confidence = '', why = '' WHERE tender > 0 AND tender = ? AND id <> ?`, tender, by)
	return err
}

func (tx *Tx) pairings(ctx context.Context, k rollup.DayKey) (out []pairing, err error) {
	err = each(ctx, tx, func(r *sql.Rows) error {
		var p pairing
		var body string
		if err := r.Scan(&p.ID, &body, &p.tender, &p.confidence, &p.why); err != nil {
			return err
		}
		out = append(out, p)
		return json.Unmarshal([]byte(body), &out[len(out)-1].Payment.Payment)
	}, `SELECT id, body, tender, confidence, why FROM payment WHERE location = ? AND day = ? ORDER BY id`, string(k.Location), string(k.Day))
	return out, err
}

// cardTenders reads what the day's payments may belong to: tenders of the business days around (a UTC day begins in one and ends in
// another), and those that carry one of their ids from any day.
// What belongs to another day's payment is left out, unless it carries an id of ours.
func (tx *Tx) cardTenders(ctx context.Context, k rollup.DayKey, ps []pairing) (out []match.Tender, err error) {
	ids := map[string]bool{}
	for _, p := range ps {
		for _, id := range []string{p.Key.ID, p.Client, p.Reference} {
			if id != "" {
				ids[id] = true
			}
		}
	}
	seen := map[int64]bool{}
	take := func(r *sql.Rows) error {
		t, other, err := scanTender(r)
		if err == nil && !seen[t.ID] && (other == 0 || ids[t.Ref]) {
			seen[t.ID] = true
			out = append(out, t)
		}
		return err
	}
	const columns = `SELECT d.id, t.number, t.key, t.till, t.at, d.void, d.type, d.brand, d.currency, d.amount, d.ref, d.last4, d.auth,
		COALESCE((SELECT p.id FROM payment p WHERE p.tender > 0 AND p.tender = d.id AND (p.location <> ?1 OR p.day <> ?2) LIMIT 1), 0) FROM `
	if k.Day != "" {
		if err := each(ctx, tx, take, columns+`ticket t JOIN tender d ON d.id BETWEEN t.id * 1000 AND t.id * 1000 + 999
			WHERE t.location = ?1 AND t.day BETWEEN ?3 AND ?4`, string(k.Location), string(k.Day), string(k.Day.AddDays(-3)), string(k.Day.AddDays(1))); err != nil {
			return nil, err
		}
	}
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	for len(list) > 0 { // SQLite takes so many parameters in a statement
		n := min(len(list), 500)
		args := []any{string(k.Location), string(k.Day)}
		for _, id := range list[:n] {
			args = append(args, id)
		}
		if err := each(ctx, tx, take, columns+`tender d JOIN ticket t ON t.id = d.id / 1000 WHERE t.location = ?1 AND d.ref IN (?`+strings.Repeat(", ?", n-1)+`)`, args...); err != nil {
			return nil, err
		}
		list = list[n:]
	}
	return out, nil
}

func scanTender(r *sql.Rows) (t match.Tender, other int64, err error) {
	var at, amount int64
	var currency string
	err = r.Scan(&t.ID, &t.Number, &t.Key, &t.Till, &at, &t.Void, &t.Type, &t.Brand, &currency, &amount, &t.Ref, &t.Last4, &t.Auth, &other)
	t.At, t.Amount = fromMicros(at), money.Of(amount, money.Currency(currency))
	if i := strings.LastIndexByte(t.Key, '|'); i >= 0 {
		t.Key = t.Key[i+1:]
	}
	if err != nil {
		err = fmt.Errorf("read tender: %w", err)
	}
	return t, other, err
}
