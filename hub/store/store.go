// Package store is the hub's database: it implements what the deciding packages ask for, and holds every SQL statement of the hub. SQLite
// by default; the SQL keeps to what PostgreSQL knows too (DESIGN D19).
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
	"github.com/pressly/goose/v3"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
)

//go:embed migrate/*.sql
var migrations embed.FS

// Store is safe for concurrent use. SQLite has one writer: every change goes through InTx.
type Store struct {
	write *sql.DB // one connection, BEGIN IMMEDIATE, synchronous=FULL
	read  *sql.DB // query_only
	dir   string
	// copier makes backups: it reads the database and writes another file, which query_only would refuse.
	copier  *sql.DB
	pack    *packer
	last    lastBlock
	senders senders
	marks   sync.Map // modes of which the ledger is known to hold records
	// secret wraps the customers' keys; it stands in its own file, so that a copy of the database alone reads no customer.
	secret []byte
	Now    func() time.Time
	judge  atomic.Pointer[audit.Rules]
	// Says tells what a profile says of its source's proofs; nil = nothing. Set it before use.
	Says func(profile string) audit.Needs
	// Told hears every step of the audit trail once it is committed; nil = nobody. Set it before use.
	Told func(ctx context.Context, s Step)

	expected struct {
		sync.Mutex
		at time.Time // when the calendar was looked at
	}
}

// logPages is how long the write-ahead log may become, in pages of 4 KB, before a commit carries it into the database. A lone ticket with its
// ledger and store-day writes 22 pages: with SQLite's thousand one ticket in forty-five would wait for that, which is more than the p99.
const logPages = 8000

// Open opens or creates the database in dir and brings its schema up to date.
func Open(ctx context.Context, dir string) (*Store, error) {
	path := filepath.ToSlash(filepath.Join(dir, "hub.db"))
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_foreign_keys=on"
	w, err := sql.Open("sqlite3", dsn+"&_txlock=immediate&_secure_delete=on&_cache_size=-32000&_stmt_cache_size=128")
	if err != nil {
		return nil, fault.New(fault.Internal, "open store "+path, err)
	}
	w.SetMaxOpenConns(1)
	if _, err := w.ExecContext(ctx, fmt.Sprintf(`PRAGMA wal_autocheckpoint=%d`, logPages)); err != nil {
		w.Close()
		return nil, fault.New(fault.Internal, "open store "+path, err)
	}
	s := &Store{write: w, dir: dir, pack: newPacker(), Now: time.Now}
	if s.secret, err = loadSecret(filepath.Join(dir, "hub.secret")); err != nil {
		w.Close()
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		w.Close()
		return nil, fault.New(fault.Internal, "open store "+path, err)
	}
	if s.read, err = sql.Open("sqlite3", dsn+"&_query_only=1"); err != nil {
		w.Close()
		return nil, fault.New(fault.Internal, "open store "+path, err)
	}
	s.read.SetMaxOpenConns(4)
	if s.copier, err = sql.Open("sqlite3", dsn); err != nil { // it opens no file before its first use
		return nil, errors.Join(fault.New(fault.Internal, "open store "+path, err), s.read.Close(), w.Close())
	}
	s.copier.SetMaxIdleConns(0)
	return s, nil
}

// Judge makes a store-day's page show what these rules require, and lets the days that still run be looked at anew when other rules held
// before. Safe for concurrent use.
func (s *Store) Judge(ctx context.Context, r audit.Rules) error {
	if old := s.judge.Swap(&r); old == nil || *old == r {
		return nil
	}
	return s.Rejudge(ctx)
}

// Rejudge lets the days that still run be looked at anew: head office's rules are others.
func (s *Store) Rejudge(ctx context.Context) error {
	return s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE voucher SET dirty = 1 WHERE state IN ('shadow', 'waiting')`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE state IN ('open', 'complete', 'audited', 'shadow')`)
		return err
	})
}

func (s *Store) rules() audit.Rules {
	if r := s.judge.Load(); r != nil {
		return *r
	}
	return audit.Rules{}
}

// migrate runs the numbered files forward; a database made by a newer hub is refused by goose.
func (s *Store) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrate")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.write, dir)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database after what is running.
func (s *Store) Close() error {
	rerr := errors.Join(s.copier.Close(), s.read.Close())
	if err := s.write.Close(); err != nil {
		return err
	}
	return rerr
}

// Tx is one write transaction; its methods are spread over the files of this package, a table family each.
type Tx struct {
	*sql.Tx
	Now   time.Time // the one time that the transaction stamps
	store *Store

	lastEntry      int64
	seen           touched
	sendersChanged bool
	marked         mode.Mode // of a record that was taken, not noted before
	refusals       *int      // open cases of refused records, nil = not asked yet
	told           []Step
}

// InTx runs f in one write transaction and commits if it returns nil. Code unavailable when the database is busy or full, else internal.
func (s *Store) InTx(ctx context.Context, f func(*Tx) error) error {
	sqlTx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return classify("begin", err)
	}
	defer sqlTx.Rollback() //nolint:errcheck // after Commit it does nothing
	tx := &Tx{Tx: sqlTx, Now: s.Now().UTC(), store: s}
	if err := f(tx); err != nil {
		return classify("store", err)
	}
	if err := tx.flush(ctx); err != nil {
		return classify("store", err)
	}
	err = sqlTx.Commit()
	if tx.sendersChanged {
		s.senders.forget()
	}
	if err == nil && tx.marked != mode.Unknown {
		s.marks.Store(tx.marked, true)
	}
	if err == nil && s.Told != nil {
		for _, t := range tx.told {
			s.Told(ctx, t)
		}
	}
	return classify("commit", err)
}

// classify gives a database error its code; an error that has one keeps it.
func classify(op string, err error) error {
	if err == nil || fault.CodeOf(err) != fault.Internal {
		return err
	}
	for _, busy := range []string{"database is locked", "database or disk is full", "SQLITE_BUSY", "disk I/O error"} {
		if strings.Contains(err.Error(), busy) {
			return fault.New(fault.Unavailable, op, err)
		}
	}
	return fault.New(fault.Internal, op, fmt.Errorf("%w", err))
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// each runs f over the rows of a query.
func each(ctx context.Context, q querier, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
