// Package meaning says what an envelope means to the books: it decodes the record, finds its business day and posts it. It is pure; the
// intake calls it for every record, and a later reprocess calls the same.
package meaning

import (
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
)

// Reader reads envelopes. It is safe for concurrent use if Calendar and Decoder are.
type Reader struct {
	Decoder decode.Decoder
	// Calendar is how a location counts its days; empty when nobody has said yet.
	Calendar func(l retail.LocationCode) retail.Calendar
	// Books says what the books are, test or production; nil = nobody knows.
	Books func() mode.Mode
}

// state are the kinds that say how things stand. They bring no money into the books, so test and real may meet in them.
var state = map[envelope.Kind]bool{decode.Terminal: true, decode.Location: true, decode.Health: true, decode.Connections: true, decode.Desired: true, decode.Command: true, decode.Release: true, decode.Profile: true,
	decode.EpochEnd: true, decode.Stub: true}

// told are the kinds that a till or its files tell in our own words. What a vendor says is as its own package reads it.
var told = map[envelope.Kind]bool{decode.Rows: true, decode.ReadTo: true, decode.Control: true, decode.Payment: true, decode.Batch: true, decode.Terminal: true, decode.Location: true}

// Mean is what e means. A record that cannot be understood or posted comes back refused, worded for its case.
func (r Reader) Mean(e *envelope.Envelope) ingest.Meaning {
	m := r.mean(e)
	switch x := m.Record.(type) {
	case retail.Ticket:
		m.Key = x.Key
	case retail.Drawer:
		m.Key = x.Key
	case nil:
		if m.Refused != nil {
			m.Key = r.Decoder.Key(e.Kind, e.Body)
		}
	}
	return m
}

func (r Reader) mean(e *envelope.Envelope) ingest.Meaning {
	rec, err := r.Decoder.Decode(e.Kind, e.ContentType, e.Body)
	if err != nil {
		return ingest.Meaning{Refused: err}
	}
	if r.Books != nil && !state[e.Kind] {
		if err := mode.Check(mode.Marked(e.ContentType), r.Books()); err != nil {
			return ingest.Meaning{Record: rec, Refused: fault.New(fault.Invalid, "book record", err)}
		}
	}
	var location retail.LocationCode
	var own retail.BusinessDate
	var at time.Time
	switch x := rec.(type) {
	case retail.Ticket:
		location, own, at = x.Location, x.Day, x.At
	case retail.Drawer:
		location, own, at = x.Location, x.Day, x.At
	default:
		m := ingest.Meaning{Record: rec}
		if v, ok := rec.(interface{ Validate(now time.Time) error }); ok && told[e.Kind] {
			m.Refused = v.Validate(e.At)
		}
		return m
	}
	m := ingest.Meaning{Record: rec}
	day, err := r.day(location, own, at, &m)
	if err != nil {
		m.Refused = err
		return m
	}
	// What the envelope was captured at bounds the dates that are believed: a record that waited for a year is not new.
	entry, posts, err := ledger.Post(rec, day, e.At)
	if err != nil {
		m.Refused = err
		return m
	}
	if posts {
		m.Entry = &entry
		m.Version, m.Refused = ledger.VersionOf(rec, day)
	}
	return m
}

// day is the till's own business day if it gives one, else the day that the location's clock says (DESIGN D8).
func (r Reader) day(l retail.LocationCode, own retail.BusinessDate, at time.Time, m *ingest.Meaning) (retail.BusinessDate, error) {
	ours, ok := r.Calendar(l).Day(at)
	switch {
	case own != "" && ok && !at.IsZero() && ours != own:
		m.Warning = fmt.Sprintf("the till says business day %s, by its clock and the location's cutoff it is %s; it is booked on the till's day", own, ours)
		return own, nil
	case own != "":
		return own, nil
	case !ok:
		return "", fault.New(fault.Invalid, "find business day", fmt.Errorf("%w: confirm location %q and it is booked by itself", ingest.ErrUnplaced, l))
	}
	return ours, nil
}
