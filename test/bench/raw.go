package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver

	"github.com/tillpost/tillpost/test/line"
)

// rawSQLite is the limit of everything that must be durable: the same bytes into one table without an index, by one prepared statement,
// with the journal, its length and the synchronous=FULL that the hub has. It is taken in turns with the work, in pieces, so that a disk whose
// speed changes from second to second treats both alike.
type rawSQLite struct {
	db     *sql.DB
	insert *sql.Stmt
	n      int
	took   time.Duration
}

func openRaw(dir string) (*rawSQLite, error) {
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(dir, "raw.db"))+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	r := &rawSQLite{db: db}
	if _, err = db.Exec(`PRAGMA wal_autocheckpoint=8000; CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`); err == nil {
		r.insert, err = db.Prepare(`INSERT INTO raw (body) VALUES (?)`)
	}
	if err != nil {
		db.Close()
	}
	return r, err
}

func (r *rawSQLite) close() { r.db.Close() }

// commit stores bodies, group in a transaction. The context is one that cannot end: with another, the driver starts a goroutine for each
// statement, and the limit would be too low.
func (r *rawSQLite) commit(bodies [][]byte, group int) error {
	ctx, begun := context.Background(), time.Now()
	for len(bodies) > 0 {
		tx, err := r.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		n := min(group, len(bodies))
		st := tx.StmtContext(ctx, r.insert)
		for _, b := range bodies[:n] {
			if _, err := st.ExecContext(ctx, b); err != nil {
				return err
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		bodies, r.n = bodies[n:], r.n+n
	}
	r.took += time.Since(begun)
	return nil
}

// rate is tickets per second.
func (r *rawSQLite) rate() float64 { return float64(r.n) / r.took.Seconds() }

// tickets from…from+n−1.
func tickets(from, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = line.Ticket(from + i)
	}
	return out
}
