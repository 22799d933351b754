package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

const dayColumns = `d.location, d.day, COALESCE(l.name, ''), d.currency, d.tickets, d.gross, d.tax, d.state, d.unproven, d.hold, d.reversed <> '', d.approved, d.why,
	(SELECT count(*) FROM kase k WHERE k.state = 'open' AND k.location = d.location AND k.day = d.day)`

func scanDay(r *sql.Rows) (v view.DayView, err error) {
	var gross, tax int64
	err = r.Scan(&v.Key.Location, &v.Key.Day, &v.Name, &v.Currency, &v.Tickets, &gross, &tax, &v.State, &v.Unproven, &v.Hold, &v.Reversed, &v.Approved, &v.Why, &v.Cases)
	v.Gross, v.Tax = money.Of(gross, v.Currency), money.Of(tax, v.Currency)
	return v, err
}

// only is a condition on a location column that keeps a user to what they may see.
func only(column string, codes []retail.LocationCode) (where string, args []any) {
	if codes == nil {
		return "1 = 1", nil
	}
	marks := make([]string, len(codes))
	for i, c := range codes {
		marks[i] = "?"
		args = append(args, string(c))
	}
	return column + " IN (" + strings.Join(marks, ", ") + ")", args
}

// limit is what a query takes for "no limit": PostgreSQL knows no −1.
func limit(n int) int64 {
	if n == 0 {
		return math.MaxInt64
	}
	return int64(n)
}

// flag is a condition's switch as both databases compare it.
func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

// unposted is the condition on day d that it is over and not in the books as it should be: its four marks are the states of days that are, or that run. A
// day that is open and that no hour is set for waits for a person.
const unposted = `(d.state NOT IN (?, ?, ?, ?) OR d.state = 'open' AND d.due = 0 AND d.dirty = 0)`

func unpostedArgs() []any { return []any{roll.Open, roll.Verified, roll.Accepted, roll.Shadow} }

// dayWhere is a filter as a condition on day d.
func dayWhere(f view.DayFilter) (where string, args []any) {
	where, args = only("d.location", f.Only)
	where += ` AND (? = '' OR d.location = ?) AND d.day >= ? AND (? = '' OR d.day <= ?) AND (? = '' OR d.state = ?)
		AND (? = 0 OR ` + unposted + `) AND (? = 0 OR d.unproven = 1)`
	return where, slices.Concat(args, []any{string(f.Location), string(f.Location), string(f.From), string(f.To), string(f.To), f.State, f.State,
		flag(f.Unposted)}, unpostedArgs(), []any{flag(f.Unproven)})
}

// CountDays counts the store-days that a filter lets through, whatever its limit.
func (s *Store) CountDays(ctx context.Context, f view.DayFilter) (n int, err error) {
	where, args := dayWhere(f)
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM day d WHERE `+where, args...).Scan(&n)
	return n, classify("count days", err)
}

// DayViews lists store-days, the newest first, then by location.
func (s *Store) DayViews(ctx context.Context, f view.DayFilter) (out []view.DayView, err error) {
	where, args := dayWhere(f)
	rows, err := s.read.QueryContext(ctx, `SELECT `+dayColumns+` FROM day d LEFT JOIN location l ON l.code = d.location WHERE `+where+` ORDER BY d.day DESC, d.location LIMIT ? OFFSET ?`,
		append(args, limit(f.Limit), f.Offset)...)
	if err != nil {
		return nil, classify("list days", err)
	}
	if out, err = scanAll(rows, scanDay); err != nil {
		return nil, classify("list days", err)
	}
	for i := range out {
		if err := s.fillDay(ctx, &out[i], nil); err != nil {
			return nil, classify("list days", err)
		}
	}
	return out, nil
}

// fillDay adds tenders and what Odoo says.
func (s *Store) fillDay(ctx context.Context, v *view.DayView, ds []view.DocumentView) error {
	t, err := totals(ctx, s.read, v.Key)
	if err != nil {
		return err
	}
	for a, m := range t {
		if role, code := a.Split(); role == ledger.Tender && !m.IsZero() {
			v.Tenders = append(v.Tenders, view.Figure{Measure: a, Label: code, Amount: m})
		}
	}
	sortFigures(v.Tenders)
	if ds == nil {
		if ds, err = s.documentViews(ctx, v.Key); err != nil {
			return err
		}
	}
	v.Odoo = allOf(ds, v.Currency)
	for _, d := range ds {
		if v.Why == "" && d.State == v.State { // what its document waits for, it waits for
			v.Why = d.Why
		}
	}
	return nil
}

// sortFigures puts the largest first.
func sortFigures(fs []view.Figure) []view.Figure {
	slices.SortFunc(fs, func(a, b view.Figure) int {
		return cmp.Or(cmp.Compare(b.Amount.Minor, a.Amount.Minor), cmp.Compare(a.Label, b.Label))
	})
	return fs
}

// DayDetail reads a store-day with all that led to its figures. Code not_found.
func (s *Store) DayDetail(ctx context.Context, k rollup.DayKey) (v view.DayDetail, err error) {
	var d roll.Day
	calendar, err := s.Calendar(ctx, k.Location)
	if err != nil {
		return v, err
	}
	if g, ok := calendar.On(k.Day); ok {
		v.Zone, v.Opens = g.Zone.String(), g.Start(k.Day)
	}
	v.Ends, _ = calendar.End(k.Day)
	err = s.readTx(ctx, func(tx *Tx) (err error) {
		d, err = tx.rollDay(ctx, k, v.Ends)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return v, fault.Msg(fault.NotFound, "read store-day", "there is no store-day "+k.String())
	}
	if err != nil {
		return v, classify("read store-day", err)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+dayColumns+` FROM day d LEFT JOIN location l ON l.code = d.location WHERE d.location = ? AND d.day = ?`, string(k.Location), string(k.Day))
	if err != nil {
		return v, classify("read store-day", err)
	}
	one, err := scanAll(rows, scanDay)
	if err != nil || len(one) != 1 {
		return v, classify("read store-day", err)
	}
	v.DayView = one[0]
	if v.Costed = d.CostsFrom != "" && k.Day >= d.CostsFrom; v.Costed {
		if err := s.read.QueryRowContext(ctx, `SELECT uncosted FROM day WHERE location = ? AND day = ?`, string(k.Location), string(k.Day)).Scan(&v.Uncosted); err != nil {
			return v, classify("read store-day", err)
		}
	}
	if v.Documents, err = s.documentViews(ctx, k); err != nil {
		return v, classify("read store-day", err)
	}
	if err := s.fillDay(ctx, &v.DayView, v.Documents); err != nil {
		return v, classify("read store-day", err)
	}
	if v.Unbased, err = s.untold(ctx, k); err != nil {
		return v, classify("read store-day", err)
	}
	for _, p := range audit.Judge(d.Facts, s.rules()).Proofs {
		v.Proofs = append(v.Proofs, view.Proof(p))
	}
	if err := preview(&v, d); err != nil {
		return v, err
	}
	if v.Cases, err = s.CaseViews(ctx, view.CaseFilter{Location: k.Location, Day: k.Day}); err != nil {
		return v, err
	}
	v.Steps, err = s.steps(ctx, "day "+k.String(), "document "+string(k.Location)+"/"+string(k.Day)+"/")
	return v, err
}

// readTx runs f on one snapshot without taking the writer.
func (s *Store) readTx(ctx context.Context, f func(*Tx) error) error {
	sqlTx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer sqlTx.Rollback() //nolint:errcheck // nothing was written
	return f(&Tx{Tx: sqlTx, Now: s.Now().UTC(), store: s})
}

// steps reads the audit lines of a subject, and of those that begin with prefix.
func (s *Store) steps(ctx context.Context, subject, prefix string) (out []view.StepView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.StepView
		var at int64
		err := r.Scan(&at, &v.Subject, &v.Who, &v.What, &v.Reason, &v.Before, &v.After)
		v.At = fromMicros(at)
		out = append(out, v)
		return err
	}, `SELECT at, subject, who, what, reason, before, after FROM step WHERE subject = ? OR (? <> '' AND substr(subject, 1, length(?)) = ?) ORDER BY id LIMIT 500`, subject, prefix, prefix, prefix)
	return out, classify("read steps", err)
}

// Hold, Release and Approve decide a store-day for a person.
func (s *Store) Hold(ctx context.Context, k rollup.DayKey, who, reason string) error {
	return s.HoldDay(ctx, k, true, who, reason)
}

// Release lets a held day go on.
func (s *Store) Release(ctx context.Context, k rollup.DayKey, who, reason string) error {
	return s.HoldDay(ctx, k, false, who, reason)
}

// Approve lets a day be posted as it is.
func (s *Store) Approve(ctx context.Context, k rollup.DayKey, who, reason string) error {
	return s.ApproveDay(ctx, k, who, reason)
}
