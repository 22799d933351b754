package store

import (
	"context"
	"encoding/json"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/retail"
)

// disputeDays is how long before that a dispute may have begun (networks allow 120 days).
const disputeDays = 120

// learnDays is how far back decided lines and batches take part, so that usual fees are known.
const learnDays = 70

// Reconcile reads what a decision about bank lines needs, asks, and writes the answer: vouchers, what stands in them, cases. f comes with what
// the settings know.
func (s *Store) Reconcile(ctx context.Context, f reconcile.Facts, decide func(reconcile.Facts) (reconcile.Decision, error)) (made int, err error) {
	if at, err := s.Restored(ctx); err != nil || !at.IsZero() {
		return 0, err // the statement files of the time since must be read again first
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		if err := tx.facts(ctx, &f); err != nil {
			return err
		}
		dec, err := decide(f)
		if err != nil {
			return err
		}
		made = len(dec.Vouchers)
		return tx.settled(ctx, f, dec)
	})
	return made, err
}

// settled writes a decision.
func (tx *Tx) settled(ctx context.Context, f reconcile.Facts, dec reconcile.Decision) error {
	batches := map[string]settle.Batch{}
	for _, b := range f.Batches {
		batches[b.ID] = b.Batch
	}
	for _, v := range dec.Vouchers {
		if _, err := tx.putVoucher(ctx, v); err != nil {
			return err
		}
	}
	for _, u := range dec.Used {
		if err := tx.use(ctx, u, batches, f.Today); err != nil {
			return err
		}
	}
	for key, why := range dec.Open {
		if _, err := tx.ExecContext(ctx, `UPDATE bank_line SET why = ? WHERE key = ? AND why <> ?`, why, key, why); err != nil {
			return err
		}
	}
	for _, c := range dec.Cases {
		if err := tx.ask(ctx, c); err != nil {
			return err
		}
	}
	for _, cause := range []cases.Cause{cases.DepositMissing, cases.DepositOpen} {
		if err := tx.closeRest(ctx, cause, dec.Still); err != nil {
			return err
		}
	}
	for _, id := range dec.Gone {
		if err := tx.CloseCase(ctx, id, "hub", "the cause is gone"); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) use(ctx context.Context, u reconcile.Used, batches map[string]settle.Batch, today retail.BusinessDate) error {
	put := func(subject string, day retail.BusinessDate, body string) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO used (subject, voucher, day, body) VALUES (?, ?, ?, ?)`, subject, u.Series, string(day), body) // twice is a bug, and refused
		return err
	}
	for _, l := range u.Lines {
		if _, err := tx.ExecContext(ctx, `UPDATE bank_line SET voucher = ?, why = '' WHERE key = ?`, u.Series, l); err != nil {
			return err
		}
	}
	for _, id := range u.Batches {
		b := batches[id]
		body, err := json.Marshal(b)
		if err == nil {
			err = put("batch "+id, b.Closed, string(body))
		}
		if err != nil {
			return err
		}
	}
	for _, b := range u.Bags {
		if err := put(bagSubject(b), b.Day, ""); err != nil {
			return err
		}
	}
	for _, o := range u.Others {
		if err := put(o, today, ""); err != nil {
			return err
		}
	}
	return nil
}
