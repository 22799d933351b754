package store

import (
	"context"
	"database/sql"
	"time"
)

// Figures are counts of what stands in the database; none is of one ticket or one amount.
type Figures struct {
	Days      map[string]uint64 // by state
	Documents map[string]uint64 // by state
	Oldest    time.Time         // when the oldest document that is on its way was made, zero = none is
	Cases     uint64            // open ones
	Devices   uint64
	Online    uint64
}

// Figures counts.
func (s *Store) Figures(ctx context.Context) (f Figures, err error) {
	if f.Days, err = s.countBy(ctx, `SELECT state, count(*) FROM day GROUP BY state`); err != nil {
		return f, err
	}
	if f.Documents, err = s.countBy(ctx, `SELECT state, count(*) FROM document GROUP BY state`); err != nil {
		return f, err
	}
	var oldest int64
	err = s.read.QueryRowContext(ctx, `SELECT (SELECT COALESCE(min(made), 0) FROM document WHERE state IN ('posting', 'posted', 'waiting')),
		(SELECT count(*) FROM kase WHERE state = 'open'), (SELECT count(*) FROM device WHERE disabled = 0), (SELECT count(*) FROM device WHERE disabled = 0 AND online = 1)`).
		Scan(&oldest, &f.Cases, &f.Devices, &f.Online)
	f.Oldest = fromMicros(oldest)
	return f, classify("count figures", err)
}

func (s *Store) countBy(ctx context.Context, query string) (map[string]uint64, error) {
	out := map[string]uint64{}
	err := each(ctx, s.read, func(r *sql.Rows) error {
		var name string
		var n uint64
		err := r.Scan(&name, &n)
		out[name] = n
		return err
	}, query)
	return out, classify("count figures", err)
}
