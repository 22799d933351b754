package buffer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
)

// Salvage tells what was found when the buffer's file was damaged.
type Salvage struct {
	Why   string                  `json:"why"`
	Aside string                  `json:"aside"` // folder in which the damaged files stand, untouched
	Saved map[envelope.Stream]int `json:"saved"`
	Lost  map[envelope.Stream]int `json:"lost"` // rows that should be there and could not be read; those before an ack are at the hub
}

// Text is the salvage in one sentence for a person.
func (s *Salvage) Text() string {
	saved, lost := 0, 0
	for _, st := range envelope.Streams {
		saved, lost = saved+s.Saved[st], lost+s.Lost[st]
	}
	return fmt.Sprintf("%d records were saved, %d could not be read; the damaged files are kept in %s (%s)", saved, lost, s.Aside, s.Why)
}

// setAside moves the damaged files into a folder of their own.
func setAside(dir string, now time.Time) (string, error) {
	aside := filepath.Join(dir, "damaged-"+now.UTC().Format("20060102T150405.000000"))
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return "", err
	}
	for _, name := range []string{"buffer.db", "buffer.db-wal", "buffer.db-shm"} {
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(aside, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

// maxHole is how many rows in a row may be unreadable before the rest of a table is given up: a page holds fewer.
const maxHole = 5000

// salvage copies whatever can be read of the damaged file into the new epochs, and the cursors and the hub's id with it.
func (b *Buffer) salvage(ctx context.Context, aside string, why error) (*Salvage, error) {
	report := &Salvage{Why: why.Error(), Aside: aside, Saved: map[envelope.Stream]int{}, Lost: map[envelope.Stream]int{}}
	// A copy is read, so that SQLite's recovery of the log leaves the evidence as it is.
	tmp, err := os.MkdirTemp(b.opt.Dir, "salvage-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	for _, name := range []string{"buffer.db", "buffer.db-wal"} {
		if body, err := os.ReadFile(filepath.Join(aside, name)); err == nil {
			if err := os.WriteFile(filepath.Join(tmp, name), body, 0o600); err != nil {
				return nil, err
			}
		}
	}
	old, err := sql.Open("sqlite3", dsn(filepath.Join(tmp, "buffer.db"))+"?_busy_timeout=1000")
	if err != nil {
		return nil, err
	}
	defer old.Close()
	err = b.inTx(func(tx *writing) error {
		whole := true
		for _, s := range envelope.Streams {
			missing, err := b.salvageStream(ctx, tx, old, s, report)
			if err != nil {
				return err
			}
			whole = whole && !missing
		}
		// Else every source reads again from the beginning: what is missing comes again, doubles are known by identity. That holds for rows
		// that the hub has confirmed as well: a hub that is put back asks for them.
		if whole {
			copyPairs(ctx, tx, old, "cursor", "source")
		}
		copyPairs(ctx, tx, old, "meta", "name")
		return nil
	})
	return report, err
}

// salvageStream reports whether a row is missing. Those that only this PC had are told in the epoch's first row; a stream whose end cannot
// be read counts as one.
func (b *Buffer) salvageStream(ctx context.Context, tx *writing, old *sql.DB, s envelope.Stream, report *Salvage) (missing bool, err error) {
	was, known := laneOf(ctx, old, s)
	l := lane{Epoch: b.streams[s].Epoch}
	g := groups{drop: map[uint64]bool{}}
	var rows envelope.Batch
	_ = b.readable(ctx, old, s, was, was.Epoch == envelope.Epoch{}, func(e envelope.Envelope) error {
		rows = append(rows, e)
		return g.see(e)
	})
	lost := was.Last - min(was.Last, was.Acked+g.done(was.Acked))
	missing = g.done(was.Trimmed) < was.Last-was.Trimmed
	if !known {
		lost, missing = 1, true
	}
	if bug.SalvageDrops {
		rows, lost, missing = nil, 0, false
	}
	if !bug.SalvageSilent {
		if err := b.insert(tx, &l, epochEnd(b.opt, s, "the buffer file was damaged: "+report.Why, &was, lost)); err != nil {
			return true, err
		}
	}
	for _, e := range rows {
		if g.drop[e.Pos.Seq] {
			continue
		}
		if err := b.insert(tx, &l, e); err != nil {
			return true, err
		}
	}
	report.Saved[s] = len(rows)
	if held := int(was.Last - was.Trimmed); held > len(rows) {
		report.Lost[s] = held - len(rows)
	}
	b.streams[s] = &l
	return missing, putLane(tx, s, &l)
}

// laneOf reads where a stream of another file stood; known is false when that cannot be read or contradicts itself.
func laneOf(ctx context.Context, old *sql.DB, s envelope.Stream) (was lane, known bool) {
	var epoch, base []byte
	var last, acked, trimmed int64
	known = old.QueryRowContext(ctx, `SELECT epoch, last, acked, trimmed, base FROM stream WHERE name = ?`, string(s)).Scan(&epoch, &last, &acked, &trimmed, &base) == nil &&
		trimmed <= acked && acked <= last
	if known {
		copy(was.Epoch[:], epoch)
		copy(was.Base[:], base)
		was.Last, was.Acked, was.Trimmed = uint64(last), uint64(acked), uint64(trimmed)
	}
	return was, known
}

// readable hands over the rows that still open, stepping over holes one sequence at a time. It fails only when f does.
func (b *Buffer) readable(ctx context.Context, old *sql.DB, s envelope.Stream, was lane, blind bool, f func(envelope.Envelope) error) error {
	conn, err := old.Conn(ctx)
	if err != nil {
		return nil // it is no database any more: every further look would say so again
	}
	defer conn.Close()
	at, hole, before := was.Trimmed, 0, chain{seq: was.Trimmed, sum: was.Base, known: true, blind: blind}
	var failed error
	for hole < maxHole && failed == nil {
		n := 0
		rows, err := conn.QueryContext(ctx, `SELECT `+rowColumns+` FROM `+string(s)+` WHERE seq > ? ORDER BY seq LIMIT ?`, int64(at), pageFor(hole))
		if err == nil {
			for rows.Next() {
				var e envelope.Envelope
				if e, err = b.scan(rows, s, was.Epoch); e.Pos.Seq > at {
					at = e.Pos.Seq
				}
				if err == nil {
					err = before.next(&e)
				}
				if err == nil {
					n++
					if failed = f(e); failed != nil {
						break
					}
				}
			}
			err = errors.Join(err, rows.Err())
			rows.Close()
		}
		switch {
		case n > 0:
			hole = 0
		case err == nil || (was.Last > 0 && at >= was.Last):
			return failed
		default:
			at++
			hole++
		}
	}
	return failed
}

// pageFor reads single rows while it steps through a hole.
func pageFor(hole int) int {
	if hole > 0 {
		return 1
	}
	return 500
}

func copyPairs(ctx context.Context, tx *writing, old *sql.DB, table, key string) {
	rows, err := old.QueryContext(ctx, `SELECT `+key+`, value FROM `+table)
	if err != nil {
		return // a source then reads again from the beginning: doubles are known by identity
	}
	defer rows.Close()
	for rows.Next() {
		var k, v string
		if rows.Scan(&k, &v) == nil {
			_, _ = tx.Exec(`INSERT OR REPLACE INTO `+table+` (`+key+`, value) VALUES (?, ?)`, k, v)
		}
	}
}

// epochEnd is the first row of an epoch that follows old; lost counts the rows that only this PC had and that cannot be read.
func epochEnd(o Options, s envelope.Stream, why string, old *lane, lost uint64) envelope.Envelope {
	body, err := json.Marshal(envelope.End{Epoch: old.Epoch, Last: old.Last, Acked: old.Acked, Lost: lost, Why: strings.ToValidUTF8(why, "?")})
	if err != nil {
		panic("BUG: epoch end: " + err.Error())
	}
	return envelope.Envelope{Device: o.Device, Stream: s, Kind: decode.EpochEnd, Key: old.Epoch.String(), ContentType: "application/json", At: o.Now(), Body: body}
}
