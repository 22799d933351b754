package buffer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// The rule of the buffer's schema: a version and the one before it work on the same file, in either order, because an update may be taken back
// at any moment. So a change only adds: tables, and columns with a default. What can no longer be left in is taken out one version after the
// last that reads it. testdata/schema has what each number looked like; a test runs the statements of the number before on today's file.
const (
	// Schema is what this program makes; it grows with each change.
	Schema = 1
	// Least is the lowest number whose programs can work with what this one makes.
	Least = 1
)

// errNewer: a newer version's file is whole, and must never be taken for damaged.
var errNewer = errors.New("a newer version of Tillpost has changed the buffer so that this one cannot work with it. Nothing is lost: start the newer version, or install the newest")

// number is what stands in the file: its schema, and the least that its writer allows. A file from before the numbers is of schema 1.
func number(ctx context.Context, db *sql.DB) (is, least int, err error) {
	if err = db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&is); err != nil {
		return 0, 0, err
	}
	var text string
	err = db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'schema_least'`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return is, 1, nil
	}
	if err == nil {
		least, err = strconv.Atoi(text)
	}
	return is, least, err
}

// fits refuses a file that this program must not write to, before anything is changed in it.
func (b *Buffer) fits(ctx context.Context) error {
	var tables int
	if err := b.write.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'meta'`).Scan(&tables); err != nil || tables == 0 {
		return err
	}
	_, least, err := number(ctx, b.write)
	if err == nil && least > Schema {
		err = errNewer
	}
	return err
}

// sign notes this program's number in a file of an older one.
func (b *Buffer) sign(ctx context.Context) error {
	mine, least := Schema, Least
	if bug.ReleaseSchema {
		mine, least = Schema+98, Schema+98
	}
	is, _, err := number(ctx, b.write)
	if err != nil || is >= mine {
		return err
	}
	tx, err := b.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to take back
	if _, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('schema_least', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, strconv.Itoa(least)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, mine)); err != nil {
		return err
	}
	return tx.Commit()
}

// Look proves that this program could work with the buffer in dir, while another version does. It changes nothing. Code conflict: it could not.
func Look(ctx context.Context, dir string) error {
	db, err := sql.Open("sqlite3", dsn(filepath.Join(dir, "buffer.db"))+"?mode=rw&_query_only=1&_busy_timeout=10000")
	if err != nil {
		return fault.New(fault.Internal, "look at the buffer", err)
	}
	defer db.Close()
	_, least, err := number(ctx, db)
	if err == nil && least > Schema {
		err = errNewer
	}
	if err == nil {
		b := &Buffer{write: db}
		err = b.checkTables(ctx)
	}
	for _, s := range envelope.Streams {
		var n int64
		if err == nil {
			err = db.QueryRowContext(ctx, `SELECT COALESCE(max(seq), 0) FROM `+string(s)).Scan(&n)
		}
	}
	return fault.New(fault.Conflict, "look at the buffer", err)
}
