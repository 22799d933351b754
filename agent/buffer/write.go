package buffer

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/tillpost/tillpost/shared/envelope"
)

// writing is a transaction of the one writer. Rows go to the driver itself: by database/sql each of a row's ten values is a crossing into C of
// its own, and a row costs three times as much (measured). Everything else goes by the embedded Tx.
type writing struct {
	*sql.Tx
	conn  *sql.Conn
	into  map[envelope.Stream]driver.StmtQueryContext
	args  [10]driver.NamedValue
	bytes []byte // room for a sealed body: the driver keeps nothing of it
}

// inTx runs f in a transaction. The caller has the turn, or nobody else writes yet.
func (b *Buffer) inTx(f func(*writing) error) error {
	ctx := context.Background() // one that cannot end: with another, the driver watches it for every statement
	conn, err := b.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	w := &writing{conn: conn, into: map[envelope.Stream]driver.StmtQueryContext{}, bytes: b.sealed}
	if w.Tx, err = conn.BeginTx(ctx, nil); err != nil {
		return err
	}
	defer w.Rollback() //nolint:errcheck // after Commit it does nothing
	defer w.done(b)
	if err := f(w); err != nil {
		return err
	}
	w.done(b)
	b.Count.Commits.Add(1)
	return w.Commit()
}

// insertSQL stores a row. Its columns' order is that of writing.row.
var insertSQL = func() map[envelope.Stream]string {
	m := map[envelope.Stream]string{}
	for _, s := range envelope.Streams {
		m[s] = `INSERT INTO ` + string(s) + ` (seq, location, kind, key, content_type, at, part, parts, sum, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	}
	return m
}()

// row stores an envelope, sealed in box.
func (w *writing) row(e *envelope.Envelope, box *box) error {
	w.bytes = box.seal(w.bytes[:0], e.Body, e.Sum[:])
	return w.conn.Raw(func(c any) error {
		st, err := w.statement(c.(driver.ConnPrepareContext), e.Stream)
		if err != nil {
			return err
		}
		for i, v := range [len(w.args)]driver.Value{int64(e.Pos.Seq), string(e.Location), string(e.Kind), e.Key, e.ContentType, e.At.UnixMicro(), int64(e.Part), int64(e.Parts), e.Sum[:], w.bytes} {
			w.args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
		}
		// A query binds all values and takes the first step, which is the whole of an insert, in one crossing.
		rows, err := st.QueryContext(context.Background(), w.args[:])
		if err != nil {
			return err
		}
		return rows.Close()
	})
}

// statement is the prepared insert of a stream; it is the driver's and stays in its cache.
func (w *writing) statement(c driver.ConnPrepareContext, s envelope.Stream) (driver.StmtQueryContext, error) {
	if st := w.into[s]; st != nil {
		return st, nil
	}
	st, err := c.PrepareContext(context.Background(), insertSQL[s])
	if err != nil {
		return nil, err
	}
	w.into[s] = st.(driver.StmtQueryContext)
	return w.into[s], nil
}

// keptRoom bounds the room that stays for the next transaction's bodies.
const keptRoom = 64 << 10

// done gives the statements back, and the room.
func (w *writing) done(b *Buffer) {
	for s, st := range w.into {
		_ = w.conn.Raw(func(any) error { return st.(driver.Stmt).Close() })
		delete(w.into, s)
	}
	if cap(w.bytes) <= keptRoom {
		b.sealed = w.bytes
	}
}
