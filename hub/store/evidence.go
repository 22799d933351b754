package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// evidence reads what proves a store-day, what speaks against it, and what a person lives with. f.Ends is known.
func (tx *Tx) evidence(ctx context.Context, k rollup.DayKey, f *audit.Facts) error {
	for _, read := range []func(context.Context, rollup.DayKey, *audit.Facts) error{tx.marks, tx.mute, tx.controls, tx.unconfirmed, tx.accepted} {
		if err := read(ctx, k, f); err != nil {
			return err
		}
	}
	if f.Now.Before(f.Ends) && !f.Approved {
		return nil // its numbers still run
	}
	return tx.gaps(ctx, k, f)
}

// marks reads how far each source has read, and what its profile says of its other proofs.
func (tx *Tx) marks(ctx context.Context, k rollup.DayKey, f *audit.Facts) error {
	return each(ctx, tx, func(r *sql.Rows) error {
		var m audit.Mark
		var through int64
		var profile string
		if err := r.Scan(&m.Source, &through, &profile, &m.Former); err != nil {
			return err
		}
		if m.Through = fromMicros(through); imported(m.Source) && m.Through.Before(f.Ends) {
			return nil
		}
		f.Marks = append(f.Marks, m)
		if profile != "" && tx.store.Says != nil && !m.Former {
			f.Says = f.Says.With(tx.store.Says(profile))
		}
		return nil
	}, `SELECT source, through, profile, NOT EXISTS (SELECT 1 FROM assignment a WHERE a.until = 0 AND a.location IN ('*', r.location)
		AND substr(r.source, 1, length(a.device) + 1) = a.device || '/') FROM read_to r WHERE location = ? AND kind = '' ORDER BY source`, string(k.Location))
}

// imported reports whether a source is a file that a person took in once: it proves the days that it holds, and owes none after them.
func imported(source string) bool {
	_, name, _ := strings.Cut(source, "/")
	return strings.HasPrefix(name, "import ")
}

// mute reads which devices spoke for the location alone when the day ended and have never told how far they read. A device of every location
// is not expected to know each.
func (tx *Tx) mute(ctx context.Context, k rollup.DayKey, f *audit.Facts) error {
	return each(ctx, tx, func(r *sql.Rows) error {
		var device string
		err := r.Scan(&device)
		f.Mute = append(f.Mute, device)
		return err
	}, `SELECT DISTINCT device FROM assignment a WHERE location = ? AND until = 0 AND since < ? AND NOT EXISTS (SELECT 1 FROM read_to r
		WHERE r.location = a.location AND substr(r.source, 1, length(a.device) + 1) = a.device || '/') ORDER BY device`, string(k.Location), micros(f.Ends))
}

func (tx *Tx) controls(ctx context.Context, k rollup.DayKey, f *audit.Facts) error {
	return each(ctx, tx, func(r *sql.Rows) error {
		var body string
		var c retail.Control
		if err := r.Scan(&body); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(body), &c)
		f.Controls = append(f.Controls, c)
		return err
	}, `SELECT body FROM control WHERE location = ? AND day = ? ORDER BY source`, string(k.Location), string(k.Day))
}

func (tx *Tx) unconfirmed(ctx context.Context, k rollup.DayKey, f *audit.Facts) error {
	var confirmed bool
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE((SELECT confirmed FROM location WHERE code = ?), 0)`, string(k.Location)).Scan(&confirmed); err != nil {
		return err
	}
	if !confirmed {
		f.Unconfirmed = append(f.Unconfirmed, "location "+string(k.Location))
	}
	return each(ctx, tx, func(r *sql.Rows) error {
		var code string
		err := r.Scan(&code)
		f.Unconfirmed = append(f.Unconfirmed, "till "+code)
		return err
	}, `SELECT code FROM till WHERE location = ? AND confirmed = 0 AND code IN (SELECT till FROM ticket WHERE location = ? AND day = ?) ORDER BY code`,
		string(k.Location), string(k.Location), string(k.Day))
}

func (tx *Tx) accepted(ctx context.Context, k rollup.DayKey, f *audit.Facts) error {
	return each(ctx, tx, func(r *sql.Rows) error {
		var id, body string
		if err := r.Scan(&id, &body); err != nil {
			return err
		}
		c, err := readCase(body)
		f.Accepted[id] = c.Detail
		return err
	}, `SELECT id, body FROM kase WHERE state = 'accepted' AND location = ? AND day = ?`, string(k.Location), string(k.Day))
}

// gapDays is how many days around a day are looked at for its tickets' numbers: a till corrects yesterday, it does not reuse a number of last
// month.
const gapDays = 2

// gaps finds runs of ticket numbers that a till left out on a day, or between the day before and it. A number that the till gave to another
// day is not missing. It is one pass over the days around: a store that numbers all its tills in one row leaves thousands of runs.
func (tx *Tx) gaps(ctx context.Context, k rollup.DayKey, f *audit.Facts) error {
	var till string
	var before int64      // the till's number before this one, on any day
	var holes []audit.Gap // since its last number of this day, or of a day before
	return each(ctx, tx, func(r *sql.Rows) error {
		var t string
		var n int64
		var ours, later int
		if err := r.Scan(&t, &n, &ours, &later); err != nil {
			return err
		}
		if t != till {
			till, before, holes = t, n, nil
		}
		if n > before+1 {
			holes = append(holes, audit.Gap{Till: retail.TillCode(t), From: before + 1, To: n - 1})
		}
		before = n
		switch {
		case ours > 0:
			f.Numbered++
			f.Gaps, holes = append(f.Gaps, holes...), nil
		case later == 0: // a day before: what is missing there is that day's
			holes = nil
		}
		return nil
	}, `SELECT till, sequence, max(CASE WHEN day = ? THEN 1 ELSE 0 END), max(CASE WHEN day > ? THEN 1 ELSE 0 END) FROM ticket
		WHERE location = ? AND day BETWEEN ? AND ? AND sequence > 0 GROUP BY till, sequence ORDER BY till, sequence`,
		string(k.Day), string(k.Day), string(k.Location), string(k.Day.AddDays(-gapDays)), string(k.Day.AddDays(gapDays)))
}
