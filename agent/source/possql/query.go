package possql

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
)

// wall is how moments go to the database and come from it: the clock of the tills, which needs no zone there.
const wall = "2006-01-02T15:04:05"

// table is what one look found.
type table struct {
	header []string
	rows   [][]string
}

// query runs the profile's query for tickets of [from, to). It runs in a transaction that is always rolled back: whatever the profile says,
// nothing of it stays.
func (d *Database) query(ctx context.Context, from, to time.Time) (t table, err error) {
	ctx, cancel := context.WithTimeout(ctx, queryWait)
	defer cancel()
	db, err := d.server.open(d.o.Profile.SQL.Driver)
	if err != nil {
		return t, classify(err)
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return t, classify(err)
	}
	defer conn.Close()
	if words := prepare[d.o.Profile.SQL.Driver]; words != "" {
		if _, err := conn.ExecContext(ctx, words); err != nil {
			return t, classify(err)
		}
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return t, classify(err)
	}
	defer tx.Rollback() //nolint:errcheck // that is all it is for
	rows, err := tx.QueryContext(ctx, d.o.Profile.SQL.Rows, sql.Named("from", from.In(d.zone).Format(wall)), sql.Named("to", to.In(d.zone).Format(wall)))
	if err != nil {
		return t, classify(err)
	}
	defer rows.Close()
	if t.header, err = rows.Columns(); err != nil {
		return t, classify(err)
	}
	if missing := d.o.Profile.Missing(t.header); len(missing) > 0 {
		return t, breaker.Refuse(fault.Msg(fault.Invalid, "read the till's database", "the profile's query does not give the columns "+strings.Join(missing, ", ")))
	}
	for rows.Next() {
		if len(t.rows) == maxRows {
			return t, fault.Msg(fault.Unavailable, "read the till's database", fmt.Sprintf("there are more than %d rows from %s to %s; set recent_days lower in an own profile", maxRows, from.Format(wall), to.Format(wall)))
		}
		cells, err := scan(rows, t.header)
		if err != nil {
			return t, err
		}
		t.rows = append(t.rows, cells)
	}
	return t, classify(rows.Err())
}

// scan reads a row as texts. Numbers must not come as floating point: their cents would be guesses.
func scan(rows *sql.Rows, header []string) ([]string, error) {
	values := make([]any, len(header))
	for i := range values {
		values[i] = new(any)
	}
	if err := rows.Scan(values...); err != nil {
		return nil, classify(err)
	}
	cells := make([]string, len(header))
	for i, v := range values {
		s, ok := text(*v.(*any))
		if !ok {
			return nil, breaker.Refuse(fault.Msg(fault.Invalid, "read the till's database", fmt.Sprintf("the column %s comes as %T: let the profile's query cast it to a decimal or a text", header[i], *v.(*any))))
		}
		if len(s) > maxCell {
			return nil, breaker.Refuse(fault.Msg(fault.Invalid, "read the till's database", fmt.Sprintf("the column %s holds %d bytes: that is no part of a ticket", header[i], len(s))))
		}
		cells[i] = s
	}
	return cells, nil
}

func text(v any) (string, bool) {
	switch x := v.(type) {
	case nil:
		return "", true
	case string:
		return strings.TrimSpace(x), true
	case []byte:
		return strings.TrimSpace(string(x)), true
	case int64:
		return strconv.FormatInt(x, 10), true
	case bool:
		return strconv.FormatBool(x), true
	case time.Time: // a database without zones gives the wall clock as UTC
		return x.Format(wall), true
	}
	return "", false
}

// ticket is one ticket's rows as they stand in the database.
type ticket struct {
	id   string // with its scope
	rows []profile.Row
	hash string
}
