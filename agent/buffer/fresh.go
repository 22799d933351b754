package buffer

import (
	"bytes"

	"github.com/tillpost/tillpost/shared/envelope"
)

// freshMost bounds, for each stream, what is remembered of the last commit, in bytes.
const freshMost = 16 << 10

// fresh is what the last commit added to a stream, if it is little: a lone ticket goes on to the hub as it was sealed, and need not be read
// back, opened and proven first (a sixth of its way, measured). What was not forwarded by the next commit is read from the file.
type fresh struct {
	rows []envelope.Envelope
	size int
}

// add remembers a row that is about to be committed. Its body stays the caller's.
func (f *fresh) add(e envelope.Envelope) {
	const row = 256 // what a row takes beside its body
	if f.size += row + len(e.Body); f.size > freshMost {
		f.rows = nil
		return
	}
	e.Body = bytes.Clone(e.Body)
	f.rows = append(f.rows, e)
}

// after returns the rows from behind seq to the stream's end, if they are all remembered and within the bounds.
func (l *lane) after(seq uint64, max, maxBytes int) envelope.Batch {
	rows := l.fresh.rows
	if len(rows) == 0 || len(rows) > max || maxBytes < freshMost || (rows[0].Pos != envelope.Position{Epoch: l.Epoch, Seq: seq + 1}) {
		return nil
	}
	return append(envelope.Batch(nil), rows...)
}
