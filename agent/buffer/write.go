package buffer

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"github.com/tillpost/tillpost/shared/envelope"
)

// writing is a transaction of the one writer. Rows go to the driver itself, several in a statement: by database/sql each of a row's ten
// values is a crossing into C of its own, and a row costs four times as much (measured). Everything else goes by Exec, Query and QueryRow.
//
// It is begun and ended by statements: sql.Tx starts a goroutine that watches its context and ends it again, which wakes a second thread twice
// for each ticket and is a fifth of what a lone append costs beside its sync (measured: 71 to 94 against 60 µs).
type writing struct {
	conn  *sql.Conn
	into  map[insert]driver.StmtQueryContext
	rows  []envelope.Envelope // that wait for their statement, of one stream
	ends  [together]int       // of each one's sealed body in bytes
	args  []driver.NamedValue
	bytes []byte // room for sealed bodies: the driver keeps nothing of it
}

const (
	together      = 16       // rows in a statement
	togetherBytes = 64 << 10 // beyond which no further row joins
	columns       = 10       // of a row
)

// insert is a statement that stores so many rows.
type insert struct {
	stream envelope.Stream
	rows   int
}

// inTx runs f in a transaction. The caller has the turn, or nobody else writes yet.
func (b *Buffer) inTx(f func(*writing) error) error {
	conn, err := b.write.Conn(unwatched)
	if err != nil {
		return err
	}
	defer conn.Close()
	w := &writing{conn: conn, into: map[insert]driver.StmtQueryContext{}, bytes: b.sealed[:0]}
	if _, err := w.Exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			_, _ = w.Exec(`ROLLBACK`) // SQLite may have done it itself: on a full disk it does
		}
	}()
	defer w.done(b)
	if err := f(w); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.done(b)
	b.Count.Commits.Add(1)
	_, err = w.Exec(`COMMIT`)
	committed = err == nil
	return err
}

// unwatched is a context that cannot end: with another, the driver watches it for every statement.
var unwatched = context.Background()

func (w *writing) Exec(query string, args ...any) (sql.Result, error) {
	return w.conn.ExecContext(unwatched, query, args...)
}

func (w *writing) Query(query string, args ...any) (*sql.Rows, error) {
	return w.conn.QueryContext(unwatched, query, args...)
}

func (w *writing) QueryRow(query string, args ...any) *sql.Row {
	return w.conn.QueryRowContext(unwatched, query, args...)
}

// insertSQL stores rows. Their columns' order is that of writing.flush.
var insertSQL = func() map[insert]string {
	m := map[insert]string{}
	for _, s := range envelope.Streams {
		one := `INSERT INTO ` + string(s) + ` (seq, location, kind, key, content_type, at, part, parts, sum, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
		m[insert{s, 1}] = one
		m[insert{s, together}] = one + strings.Repeat(`, (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, together-1)
	}
	return m
}()

// row stores an envelope, sealed in box, at the latest with flush.
func (w *writing) row(e *envelope.Envelope, box *box) error {
	if n := len(w.rows); n == together || n > 0 && (w.rows[0].Stream != e.Stream || len(w.bytes) > togetherBytes) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.bytes = box.seal(w.bytes, e.Body, e.Sum[:])
	w.ends[len(w.rows)] = len(w.bytes)
	w.rows = append(w.rows, *e)
	return nil
}

// flush stores the rows that wait.
func (w *writing) flush() error {
	defer func() { w.rows, w.bytes = w.rows[:0], w.bytes[:0] }()
	if len(w.rows) == 0 {
		return nil
	}
	if len(w.rows) == 1 && len(w.into) == 0 {
		// A ticket alone goes by database/sql: to prepare its statement here costs more than the ten crossings (73 against 57 µs, measured).
		e := &w.rows[0]
		_, err := w.Exec(insertSQL[insert{e.Stream, 1}], int64(e.Pos.Seq), string(e.Location), string(e.Kind), e.Key, e.ContentType, e.At.UnixMicro(), e.Part, e.Parts, e.Sum[:], w.bytes)
		return err
	}
	if n := columns * len(w.rows); cap(w.args) < n {
		w.args = make([]driver.NamedValue, n)
	}
	w.args = w.args[:columns*len(w.rows)]
	from := 0
	for i := range w.rows {
		e := &w.rows[i]
		for k, v := range [columns]driver.Value{int64(e.Pos.Seq), string(e.Location), string(e.Kind), e.Key, e.ContentType, e.At.UnixMicro(), int64(e.Part), int64(e.Parts), e.Sum[:], w.bytes[from:w.ends[i]]} {
			w.args[i*columns+k].Value = v
		}
		from = w.ends[i]
	}
	return w.conn.Raw(func(c any) error {
		if len(w.rows) == together {
			return w.store(c.(driver.ConnPrepareContext), together, w.args)
		}
		for i := range w.rows {
			if err := w.store(c.(driver.ConnPrepareContext), 1, w.args[i*columns:(i+1)*columns]); err != nil {
				return err
			}
		}
		return nil
	})
}

// store runs the statement for n rows. A query binds all values and takes the first step, which is the whole of an insert, in one crossing.
func (w *writing) store(c driver.ConnPrepareContext, n int, args []driver.NamedValue) error {
	kind := insert{w.rows[0].Stream, n}
	st := w.into[kind]
	if st == nil {
		made, err := c.PrepareContext(unwatched, insertSQL[kind]) // it is the driver's and stays in its cache
		if err != nil {
			return err
		}
		st = made.(driver.StmtQueryContext)
		w.into[kind] = st
	}
	for i := range args {
		args[i].Ordinal = i + 1
	}
	rows, err := st.QueryContext(unwatched, args)
	if err != nil {
		return err
	}
	return rows.Close()
}

// keptRoom bounds the room that stays for the next transaction's bodies.
const keptRoom = 64 << 10

// done gives the statements back, and the room.
func (w *writing) done(b *Buffer) {
	for kind, st := range w.into {
		_ = w.conn.Raw(func(any) error { return st.(driver.Stmt).Close() })
		delete(w.into, kind)
	}
	if cap(w.bytes) <= keptRoom {
		b.sealed = w.bytes
	}
}
