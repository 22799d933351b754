package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

const (
	expectEvery = time.Minute
	// expectBack bounds how far back days are asked for: beyond it a hub that was off is a story that people know.
	expectBack = 60
)

// expect makes the rows of days on which a store says it is open, so that a day of which nothing came is seen as well. It goes on where it
// stopped: days that passed while the hub was off are asked for too.
func (s *Store) expect(ctx context.Context) error {
	now := s.Now()
	s.expected.Lock()
	defer s.expected.Unlock()
	if now.Sub(s.expected.at) < expectEvery && !now.Before(s.expected.at) {
		return nil
	}
	s.expected.at = now
	var all []opening
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		var o opening
		err := r.Scan((*string)(&o.location), &o.days, (*string)(&o.looked))
		all = append(all, o)
		return err
	}, `SELECT code, open_days, expected FROM location WHERE confirmed = 1 AND open_days <> '' AND seen > 0`); err != nil {
		return classify("expect days", err)
	}
	var due []opening
	for _, o := range all {
		c, err := s.Calendar(ctx, o.location)
		if err != nil {
			continue // its days tell so
		}
		if d, ok := c.Day(now); ok && d > o.looked {
			o.today = d
			due = append(due, o)
		}
	}
	if len(due) == 0 {
		return nil
	}
	return s.InTx(ctx, func(tx *Tx) error {
		for _, o := range due {
			if err := tx.expect(ctx, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// opening is when a location is open, and up to which day that was looked at.
type opening struct {
	location      retail.LocationCode
	days          string
	looked, today retail.BusinessDate
}

func (tx *Tx) expect(ctx context.Context, o opening) error {
	first := o.today
	if o.looked != "" {
		first = max(o.looked.AddDays(1), o.today.AddDays(-expectBack))
	}
	for d := first; d <= o.today; d = d.AddDays(1) {
		if !opens(o.days, d) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO day (location, day) VALUES (?, ?) ON CONFLICT (location, day) DO NOTHING`, string(o.location), string(d)); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE location SET expected = ? WHERE code = ?`, string(o.today), string(o.location))
	return err
}

// opens reports whether the list of weekdays ("mon tue") names the date's.
func opens(days string, d retail.BusinessDate) bool {
	t, err := time.Parse(time.DateOnly, string(d))
	return err == nil && strings.Contains(strings.ToLower(days), strings.ToLower(t.Weekday().String()[:3]))
}
