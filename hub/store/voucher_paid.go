package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// paidDays lists the store-days whose takings a deposit brings: those of its payments' tickets; a payment without a ticket is of the day on which it was
// made, and a batch that tells no payments of the day on which it was closed.
func (tx *Tx) paidDays(ctx context.Context, v ledger.Voucher) (out []roll.PaidDay, err error) {
	days := map[rollup.DayKey]bool{}
	for _, from := range v.From {
		if id, isBatch := strings.CutPrefix(from, "batch "); isBatch {
			if err := tx.batchDays(ctx, id, v, days); err != nil {
				return nil, err
			}
		}
	}
	for k := range days {
		d := roll.PaidDay{Key: k}
		calendar, err := tx.store.Calendar(ctx, k.Location)
		if err != nil {
			return nil, err
		}
		if g, ok := calendar.On(k.Day); ok {
			d.Begins = g.Start(k.Day)
		}
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM document WHERE location = ? AND day = ? AND series = ''), COALESCE((SELECT shadow_until FROM location WHERE code = ?), '')`,
			string(k.Location), string(k.Day), string(k.Location)).Scan(&d.Documents, &d.ShadowUntil); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b roll.PaidDay) int {
		return cmp.Or(cmp.Compare(a.Key.Day, b.Key.Day), cmp.Compare(a.Key.Location, b.Key.Location))
	})
	return out, nil
}

func (tx *Tx) batchDays(ctx context.Context, id string, v ledger.Voucher, days map[rollup.DayKey]bool) error {
	number, amexOnly := strings.CutSuffix(id, "/amex")
	found := false
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var at int64
		var k rollup.DayKey
		var own retail.LocationCode
		var body string
		if err := r.Scan(&own, &at, &k.Location, &k.Day, &body); err != nil {
			return err
		}
		if amexOnly {
			var p retail.Payment
			if err := json.Unmarshal([]byte(body), &p); err != nil || !isAmex(p.Brand) {
				return err
			}
		}
		if k.Day == "" {
			if at == 0 {
				return nil
			}
			k.Location = cmp.Or(own, v.Location)
			calendar, err := tx.store.Calendar(ctx, k.Location)
			if err != nil {
				return err
			}
			day, ok := calendar.Day(fromMicros(at))
			if k.Day = day; !ok {
				k.Day = utcDay(fromMicros(at))
			}
		}
		days[k], found = true, true
		return nil
	}, `SELECT p.location, p.at, COALESCE(t.location, ''), COALESCE(t.day, ''), p.body FROM payment p LEFT JOIN ticket t ON p.tender > 0 AND t.id = p.tender / 1000
		WHERE p.batch = ? AND p.state IN ('open', 'closed')`, number); err != nil || found {
		return err
	}
	var body string
	err := tx.QueryRowContext(ctx, `SELECT body FROM used WHERE subject = ?`, "batch "+id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) || err == nil && body == "" {
		return nil
	}
	if err != nil {
		return err
	}
	var b settle.Batch
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return err
	}
	days[rollup.DayKey{Location: v.Location, Day: b.Closed}] = true
	return nil
}

// forceVoucher lets a deposit be posted although it pays store-days of the old way.
func (c Clerk) forceVoucher(ctx context.Context, v view.CaseView, a view.Act) error {
	if strings.TrimSpace(a.Reason) == "" {
		return fault.Msg(fault.Invalid, "post deposit", "it needs a reason: takings that the old way booked are credited once more, and the next controller will ask")
	}
	series := v.Subject[strings.LastIndex(v.Subject, "/")+1:]
	return c.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE voucher SET forced = ?, dirty = 1 WHERE location = ? AND day = ? AND series = ?`, a.Who, string(v.Location), string(v.Day), series); err != nil {
			return err
		}
		if err := tx.PutStep(ctx, Step{Subject: "voucher " + series, Who: a.Who, What: "posted although it pays days of the old way", Reason: a.Reason, Before: v.Detail}); err != nil {
			return err
		}
		return tx.CloseCase(ctx, v.ID, a.Who, "the deposit is posted whole")
	})
}
