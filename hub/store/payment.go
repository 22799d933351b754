package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/tillpost/tillpost/hub/match"
	"github.com/tillpost/tillpost/shared/retail"
)

// putPayment keeps what the gateway says of a payment: a later version replaces what it tells, an earlier one that comes late fills gaps. A
// version that tells nothing new leaves no row; the envelope is its trace.
func (tx *Tx) putPayment(ctx context.Context, envelope int64, p retail.Payment) error {
	have, err := tx.payment(ctx, p.Key.String())
	if err != nil {
		return err
	}
	now := p
	if have != nil && p.Revision >= have.Revision {
		now = have.With(p)
	} else if have != nil {
		now = p.With(have.Payment)
		now.Revision = have.Revision
	}
	if have != nil && samePayment(have.Payment, now) {
		return nil
	}
	body, err := json.Marshal(now)
	if err != nil {
		return err
	}
	day := utcDay(now.At)
	var id int64
	if err := tx.QueryRowContext(ctx, `INSERT INTO payment (key, location, day, at, state, currency, amount, batch, number, revision, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET location = excluded.location, day = excluded.day, at = excluded.at, state = excluded.state, currency = excluded.currency, amount = excluded.amount,
		batch = excluded.batch, revision = excluded.revision, body = excluded.body RETURNING id`, p.Key.String(), string(now.Location), string(day), micros(now.At), string(now.State),
		string(now.Amount.Currency), now.Amount.Minor, now.Batch, p.Key.ID, now.Revision, string(body)).Scan(&id); err != nil {
		return err
	}
	if have == nil || have.State != now.State || have.Amount != now.Amount || have.Tip != now.Tip || have.Batch != now.Batch {
		if _, err := tx.ExecContext(ctx, `INSERT INTO payment_version (payment, envelope, state, currency, amount, tip, revision) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			id, envelope, string(now.State), string(now.Amount.Currency), now.Amount.Minor, now.Tip.Minor, now.Revision); err != nil {
			return err
		}
	}
	tx.matchDay(now.Location, day)
	return nil
}

// samePayment compares what is told, not when.
func samePayment(a, b retail.Payment) bool {
	a.Revision, b.Revision = 0, 0
	a.Origin, b.Origin = retail.Origin{}, retail.Origin{}
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// payment reads one by its key; nil when it was never seen.
func (tx *Tx) payment(ctx context.Context, key string) (*match.Payment, error) {
	var p match.Payment
	var body string
	err := tx.QueryRowContext(ctx, `SELECT id, body FROM payment WHERE key = ?`, key).Scan(&p.ID, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &p.Payment)
	}
	return &p, err
}

// putBatch keeps a settlement batch as putPayment keeps a payment.
func (tx *Tx) putBatch(ctx context.Context, b retail.Batch) error {
	var old string
	now := b
	err := tx.QueryRowContext(ctx, `SELECT body FROM batch WHERE key = ?`, b.Key.String()).Scan(&old)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil {
		var have retail.Batch
		if err := json.Unmarshal([]byte(old), &have); err != nil {
			return err
		}
		if b.Revision >= have.Revision {
			now = have.With(b)
		} else {
			now = b.With(have)
		}
	}
	body, err := json.Marshal(now)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO batch (key, number, location, opened, state, revision, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
		location = excluded.location, opened = excluded.opened, state = excluded.state, revision = excluded.revision, body = excluded.body`,
		b.Key.String(), b.Key.ID, string(now.Location), micros(now.Opened), string(now.State), now.Revision, string(body))
	return err
}

// places is how many tenders of a ticket have an id; what pays a ticket in more parts is no customer.
const places = 1000

// putTenders keeps the card tenders of a ticket's version in force, so that payments find them. A drawer event has none.
func (tx *Tx) putTenders(ctx context.Context, ticket int64, r retail.Record, first bool) error {
	t, ok := r.(retail.Ticket)
	if !ok {
		return nil
	}
	kept, day := map[int64]bool{}, utcDay(t.At)
	for i, p := range t.Tenders[:min(len(t.Tenders), places)] {
		if !match.IsCard(p) {
			continue
		}
		id := ticket*places + int64(i)
		kept[id] = true
		if _, err := tx.ExecContext(ctx, `INSERT INTO tender (id, void, type, brand, currency, amount, ref, last4, auth) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
			void = excluded.void, type = excluded.type, brand = excluded.brand, currency = excluded.currency, amount = excluded.amount, ref = excluded.ref, last4 = excluded.last4, auth = excluded.auth`,
			id, t.Kind == retail.Void, p.Type, p.Brand, string(p.Amount.Currency), p.Amount.Minor, p.Ref, p.Last4, p.Auth); err != nil {
			return err
		}
	}
	if !first {
		if err := tx.dropTenders(ctx, ticket, kept); err != nil {
			return err
		}
	}
	if len(kept) > 0 || !first {
		tx.matchDay(t.Location, day)
		tx.matchDay(t.Location, day.AddDays(1)) // a payment that a terminal stored comes later
	}
	return nil
}

// dropTenders removes those that a new version of the ticket has no more.
func (tx *Tx) dropTenders(ctx context.Context, ticket int64, kept map[int64]bool) error {
	var gone []int64
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		if !kept[id] {
			gone = append(gone, id)
		}
		return err
	}, `SELECT id FROM tender WHERE id BETWEEN ? AND ?`, ticket*places, ticket*places+places-1); err != nil {
		return err
	}
	for _, id := range gone {
		if _, err := tx.ExecContext(ctx, `DELETE FROM tender WHERE id = ?`, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE payment SET tender = 0, confidence = '', why = '' WHERE tender > 0 AND tender = ?`, id); err != nil {
			return err
		}
	}
	return nil
}

// matchDay notes that payments or tenders of a day changed; flush writes it once per transaction.
func (tx *Tx) matchDay(l retail.LocationCode, d retail.BusinessDate) {
	if tx.seen.match == nil {
		tx.seen.match = map[dayKey]bool{}
	}
	tx.seen.match[dayKey{l, d}] = true
}

func (tx *Tx) flushMatch(ctx context.Context) error {
	for k := range tx.seen.match {
		if _, err := tx.ExecContext(ctx, `INSERT INTO match_due (location, day) VALUES (?, ?) ON CONFLICT (location, day) DO NOTHING`, string(k.location), string(k.day)); err != nil {
			return err
		}
	}
	return nil
}

// utcDay is the date by which payments and tenders are kept together; "" for a time that is not known.
func utcDay(t time.Time) retail.BusinessDate {
	if t.IsZero() {
		return ""
	}
	return retail.DateOf(t.UTC())
}
