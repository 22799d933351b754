package retailapi

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/mattn/go-sqlite3" // the index's file

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// index remembers what was captured: which version of which record, and what it comes to. It is a hint and no more: it is written after the
// buffer has stored the records, so it may know less and never more than the buffer; without it everything is read again, and the hub knows
// it by its identity.
type index struct{ db *sql.DB }

// seen is one record that was captured.
type seen struct {
	kind     envelope.Kind
	id       int64
	updated  int64 // Unix microseconds
	location retail.LocationCode
	day      retail.BusinessDate
	tax      int64 // minor units
	paid     int64
}

const schema = `
CREATE TABLE IF NOT EXISTS seen (kind TEXT NOT NULL, id INTEGER NOT NULL, updated INTEGER NOT NULL, location TEXT NOT NULL, day TEXT NOT NULL, tax INTEGER NOT NULL, paid INTEGER NOT NULL,
	PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_day ON seen (day, location, tax, paid);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`

// openIndex opens the file, and begins a new one when it cannot be read: nothing in it is the only copy.
func openIndex(ctx context.Context, file string) (*index, error) {
	x, err := tryIndex(ctx, file)
	if err == nil {
		return x, nil
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(file + end)
	}
	return tryIndex(ctx, file)
}

func tryIndex(ctx context.Context, file string) (*index, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fault.New(fault.Unavailable, "open index", err)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(file)+"?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000&_txlock=immediate")
	if err != nil {
		return nil, fault.New(fault.Internal, "open index", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, fault.New(fault.Unavailable, "open index", errors.Join(err, db.Close()))
	}
	return &index{db}, nil
}

func (x *index) close() error { return x.db.Close() }

// versions returns which version of each id is known.
func (x *index) versions(ctx context.Context, kind envelope.Kind, ids []int64) (map[int64]int64, error) {
	out := make(map[int64]int64, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), 500) // of SQLite's variables
		args := []any{string(kind)}
		for _, id := range ids[:n] {
			args = append(args, id)
		}
		rows, err := x.db.QueryContext(ctx, `SELECT id, updated FROM seen WHERE kind = ? AND id IN (?`+strings.Repeat(",?", n-1)+`)`, args...)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "read index", err)
		}
		for rows.Next() {
			var id, updated int64
			if err := rows.Scan(&id, &updated); err != nil {
				return nil, fault.New(fault.Unavailable, "read index", errors.Join(err, rows.Close()))
			}
			out[id] = updated
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, fault.New(fault.Unavailable, "read index", err)
		}
		ids = ids[n:]
	}
	return out, nil
}

// effects is what becomes true once the drafts that it belongs to are durable.
type effects struct {
	seen  []seen
	facts map[string]string
}

func (x *index) apply(ctx context.Context, e effects) error {
	if len(e.seen) == 0 && len(e.facts) == 0 {
		return nil
	}
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return fault.New(fault.Unavailable, "write index", err)
	}
	defer tx.Rollback()
	put, err := tx.PrepareContext(ctx, `INSERT INTO seen (kind, id, updated, location, day, tax, paid) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (kind, id) DO UPDATE SET updated = excluded.updated, location = excluded.location, day = excluded.day, tax = excluded.tax, paid = excluded.paid WHERE excluded.updated >= updated`)
	if err != nil {
		return fault.New(fault.Unavailable, "write index", err)
	}
	defer put.Close()
	for _, s := range e.seen {
		if _, err := put.ExecContext(ctx, string(s.kind), s.id, s.updated, string(s.location), string(s.day), s.tax, s.paid); err != nil {
			return fault.New(fault.Unavailable, "write index", err)
		}
	}
	for name, value := range e.facts {
		if _, err := tx.ExecContext(ctx, `INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value); err != nil {
			return fault.New(fault.Unavailable, "write index", err)
		}
	}
	return fault.New(fault.Unavailable, "write index", tx.Commit())
}

// sums is what was captured of a location and day.
type sums struct{ tax, paid int64 }

type place struct {
	location retail.LocationCode
	day      retail.BusinessDate
}

// totals adds up what was captured of each location and day from…to.
func (x *index) totals(ctx context.Context, from, to retail.BusinessDate) (map[place]sums, error) {
	rows, err := x.db.QueryContext(ctx, `SELECT location, day, sum(tax), sum(paid) FROM seen WHERE day BETWEEN ? AND ? GROUP BY day, location`, string(from), string(to))
	if err != nil {
		return nil, fault.New(fault.Unavailable, "read index", err)
	}
	defer rows.Close()
	out := map[place]sums{}
	for rows.Next() {
		var p place
		var s sums
		if err := rows.Scan(&p.location, &p.day, &s.tax, &s.paid); err != nil {
			return nil, fault.New(fault.Unavailable, "read index", err)
		}
		out[p] = s
	}
	return out, fault.New(fault.Unavailable, "read index", rows.Err())
}

// forget drops what lies before a day: nobody looks back so far.
func (x *index) forget(ctx context.Context, before retail.BusinessDate) error {
	_, err := x.db.ExecContext(ctx, `DELETE FROM seen WHERE day < ? AND day <> ''`, string(before))
	return fault.New(fault.Unavailable, "tidy index", err)
}

// facts returns what is remembered under names that begin with prefix, without it.
func (x *index) facts(ctx context.Context, prefix string) (map[string]string, error) {
	rows, err := x.db.QueryContext(ctx, `SELECT name, value FROM fact WHERE name >= ? AND name < ?`, prefix, prefix+"\U0010ffff")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "read index", err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, fault.New(fault.Unavailable, "read index", err)
		}
		out[strings.TrimPrefix(name, prefix)] = value
	}
	return out, fault.New(fault.Unavailable, "read index", rows.Err())
}

// counted tells how many records are remembered.
func (x *index) counted(ctx context.Context) (n int64, err error) {
	err = x.db.QueryRowContext(ctx, `SELECT count(*) FROM seen`).Scan(&n)
	return n, fault.New(fault.Unavailable, fmt.Sprintf("read index"), err)
}
