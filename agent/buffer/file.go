package buffer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/tillpost/tillpost/shared/envelope"
)

func (b *Buffer) path() string { return filepath.Join(b.opt.Dir, "buffer.db") }

func dsn(path string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}

// logPages is how long the write-ahead log may become, in pages of 4 KB, before an append carries it into the file. A ticket writes three:
// with SQLite's thousand one in three hundred would wait for that.
const logPages = 4000

func (b *Buffer) openFile(ctx context.Context) (err error) {
	common := dsn(b.path()) + "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_cache_size=-1024&_stmt_cache_size=32"
	if b.write, err = sql.Open("sqlite3", common+"&_txlock=immediate"); err != nil {
		return err
	}
	b.write.SetMaxOpenConns(1)
	if _, err := b.write.ExecContext(ctx, fmt.Sprintf(`PRAGMA wal_autocheckpoint=%d`, logPages)); err != nil {
		b.write.Close()
		return err
	}
	if b.read, err = sql.Open("sqlite3", common+"&_query_only=1"); err != nil {
		b.write.Close()
		return err
	}
	b.read.SetMaxOpenConns(2)
	if err = b.load(ctx); err != nil {
		b.closeFile()
	}
	return err
}

// load makes the tables, proves that the file is whole, and reads where the streams stand.
func (b *Buffer) load(ctx context.Context) error {
	if err := b.fits(ctx); err != nil {
		return err
	}
	if _, err := b.write.ExecContext(ctx, schema); err != nil {
		return err
	}
	if err := b.sign(ctx); err != nil {
		return err
	}
	var check string
	if err := b.write.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&check); err != nil || check != "ok" {
		return errors.Join(err, fmt.Errorf("the buffer file is damaged: %s", check))
	}
	if err := b.checkTables(ctx); err != nil {
		return err
	}
	b.streams = map[envelope.Stream]*lane{}
	for _, s := range envelope.Streams {
		l, err := b.loadStream(ctx, s)
		if err != nil {
			return err
		}
		b.streams[s] = l
	}
	return nil
}

// checkTables proves that every column that is written has its name: SQLite checks its pages, not the words in its schema.
func (b *Buffer) checkTables(ctx context.Context) error {
	all := []string{`SELECT name, epoch, last, sum, acked, trimmed, base FROM stream`, `SELECT source, value FROM cursor`, `SELECT name, value FROM meta`}
	for _, s := range envelope.Streams {
		all = append(all, insertSQL[insert{s, 1}], `SELECT `+rowColumns+` FROM `+string(s))
	}
	for _, q := range all {
		st, err := b.write.PrepareContext(ctx, q)
		if err != nil {
			return fmt.Errorf("the buffer's tables are damaged: %w", err)
		}
		st.Close()
	}
	return nil
}

func (b *Buffer) loadStream(ctx context.Context, s envelope.Stream) (*lane, error) {
	var epoch, sum, base []byte
	var last, acked, trimmed int64
	err := b.write.QueryRowContext(ctx, `SELECT epoch, last, sum, acked, trimmed, base FROM stream WHERE name = ?`, string(s)).Scan(&epoch, &last, &sum, &acked, &trimmed, &base)
	if errors.Is(err, sql.ErrNoRows) {
		l := &lane{Epoch: envelope.NewEpoch()}
		if err := b.checkEnd(ctx, s, l); err != nil {
			return nil, err // it had rows: where they ended is what was lost
		}
		_, err := b.write.ExecContext(ctx, `INSERT INTO stream (name, epoch, last, sum, acked, trimmed, base) VALUES (?, ?, 0, ?, 0, 0, ?)`, string(s), l.Epoch[:], l.Sum[:], l.Base[:])
		return l, err
	}
	l := &lane{Last: uint64(last), Acked: uint64(acked), Trimmed: uint64(trimmed)}
	copy(l.Epoch[:], epoch)
	copy(l.Sum[:], sum)
	copy(l.Base[:], base)
	if err != nil {
		return nil, err
	}
	return l, b.checkEnd(ctx, s, l)
}

// checkEnd proves that the last row is the one that the stream ends with: a file whose tail was lost, or whose count is wrong, must not be
// continued.
func (b *Buffer) checkEnd(ctx context.Context, s envelope.Stream, l *lane) error {
	var end int64
	err := b.write.QueryRowContext(ctx, `SELECT COALESCE(max(seq), 0) FROM `+string(s)).Scan(&end)
	if err == nil && (uint64(end) > l.Last || l.Trimmed > l.Last || l.Acked > l.Last || l.Acked < l.Trimmed) {
		err = fmt.Errorf("it counts to %d, %d of it confirmed and %d deleted, and the rows end at %d", l.Last, l.Acked, l.Trimmed, end)
	}
	if err != nil {
		return fmt.Errorf("stream %s does not fit its rows: %w", s, err)
	}
	if l.Last == l.Trimmed {
		return nil
	}
	var sum []byte
	err = b.write.QueryRowContext(ctx, `SELECT sum FROM `+string(s)+` WHERE seq = ?`, int64(l.Last)).Scan(&sum)
	if err == nil && string(sum) != string(l.Sum[:]) {
		err = errors.New("its checksum is another")
	}
	if err != nil {
		return fmt.Errorf("the last row of stream %s is not there: %w", s, err)
	}
	return nil
}

func (b *Buffer) closeFile() error { return errors.Join(b.read.Close(), b.write.Close()) }
