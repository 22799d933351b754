package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver

	"github.com/tillpost/tillpost/test/line"
)

// rawSQLite is the limit: the same bytes into one table, synchronous=FULL, group rows in a commit. Tickets per second.
func rawSQLite(ctx context.Context, dir string, tickets, group int) (float64, error) {
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(dir, "raw.db"))+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`); err != nil {
		return 0, err
	}
	bodies := make([][]byte, tickets)
	for i := range bodies {
		bodies[i] = line.Ticket(i)
	}
	begun := time.Now()
	for n := 0; n < tickets; n += group {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return 0, err
		}
		st, err := tx.PrepareContext(ctx, `INSERT INTO raw (body) VALUES (?)`)
		if err != nil {
			return 0, err
		}
		for i := n; i < min(n+group, tickets); i++ {
			if _, err := st.ExecContext(ctx, bodies[i]); err != nil {
				return 0, err
			}
		}
		if err := tx.Commit(); err != nil {
			return 0, err
		}
	}
	return float64(tickets) / time.Since(begun).Seconds(), nil
}
