package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

const settingShadow = "shadow"

// ShadowRule takes over what the settings say now. When shadow ends, the moment is kept for good: the days that had begun by then are never
// posted, however often the hub is started again.
func (s *Store) ShadowRule(ctx context.Context, on bool) (r roll.ShadowRule, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		v, err := setting(ctx, tx, settingShadow)
		if err != nil {
			return err
		}
		if v != "" {
			if err := json.Unmarshal([]byte(v), &r); err != nil {
				return err
			}
		}
		if r.On == on {
			return nil
		}
		if r.On = on; !on {
			r.Ended = tx.Now
		}
		after, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := tx.set(ctx, settingShadow, string(after)); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "books", Who: "settings", What: "shadow", Before: v, After: string(after)})
	})
	return r, classify("keep the shadow rule", err)
}

// keepsShadow refuses to forget a location's first posted day while days before it stand in shadow: forgetting it would post them beside the
// old way's entries. Code conflict.
func (tx *Tx) keepsShadow(ctx context.Context, was, l Location) error {
	if was.Shadow == "" || l.Shadow != "" {
		return nil
	}
	var n int
	var last string
	if err := tx.QueryRowContext(ctx, `SELECT count(*), COALESCE(max(day), '') FROM day WHERE location = ? AND state = ?`, string(l.Code), roll.Shadow).Scan(&n, &last); err != nil || n == 0 {
		return err
	}
	return fault.Msg(fault.Conflict, "set location "+string(l.Code), fmt.Sprintf("%d of its days up to %s ran in shadow; without a first day they would be posted beside the old way's entries. "+
		"Nothing was changed. Name the first day that is posted (shadow_until) instead, such as %s", n, last, retail.BusinessDate(last).AddDays(1)))
}

// ShadowSheets gives the store-days of a span that have no document, with what their document would say by today's mapping; days that are
// open are among them.
func (s *Store) ShadowSheets(ctx context.Context, f view.ReviewFilter) (out []view.SheetView, err error) {
	where, args := only("d.location", f.Only)
	args = append(args, string(f.Location), string(f.Location), string(f.From), string(f.To))
	var keys []rollup.DayKey
	rows, err := s.read.QueryContext(ctx, `SELECT d.location, d.day FROM day d WHERE `+where+` AND (? = '' OR d.location = ?) AND d.day >= ? AND d.day <= ?
		AND NOT EXISTS (SELECT 1 FROM document x WHERE x.location = d.location AND x.day = d.day AND x.own = 1) ORDER BY d.day, d.location`, args...)
	if err != nil {
		return nil, classify("list days in shadow", err)
	}
	if keys, err = scanAll(rows, scanKey); err != nil {
		return nil, classify("list days in shadow", err)
	}
	err = s.readTx(ctx, func(tx *Tx) error {
		for _, k := range keys {
			d, err := tx.rollDay(ctx, k, time.Time{})
			if err != nil {
				return err
			}
			sheet, err := rollup.MapParts(k, d.Totals, d.Parts, d.Set, d.Books)
			if err != nil {
				return err
			}
			out = append(out, view.SheetView{Key: k, State: d.State, Currency: d.Gross.Currency, Lines: sheet.Lines})
		}
		return nil
	})
	return out, classify("read days in shadow", err)
}
