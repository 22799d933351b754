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
	"github.com/tillpost/tillpost/shared/profile"
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
	rec, one, err := r.read(e)
	if err != nil {
		return ingest.Meaning{Refused: err}
	}
	if r.Books != nil && !state[e.Kind] {
		if err := mode.Check(mode.Marked(e.ContentType), r.Books()); err != nil {
			return ingest.Meaning{Record: rec, Refused: fault.New(fault.Invalid, "book record", err)}
		}
	}
	if one != nil {
		return r.gather(one, e)
	}
	return r.post(rec, e)
}

// share is what one file has of a ticket of which others may have more.
type share struct {
	profile *profile.Profile
	rows    profile.Rows
}

// read decodes a record. A share means nothing yet.
func (r Reader) read(e *envelope.Envelope) (rec retail.Record, one *share, err error) {
	if e.Kind != decode.Rows {
		rec, err = r.Decoder.Decode(e.Kind, e.ContentType, e.Body)
		return rec, nil, err
	}
	p, rows, err := r.Decoder.File(e.Body)
	if err != nil {
		return nil, nil, err
	}
	if p.Spread != "" && rows.Note == "" && len(rows.Rows) > 0 && e.Key != "" {
		return nil, &share{p, rows}, nil
	}
	rec, err = p.Decode(rows)
	return rec, nil, err
}

// gather is the meaning of a share. Of all bodies under its key those of other tickets are left out: another vendor's, another register's.
func (r Reader) gather(own *share, e *envelope.Envelope) ingest.Meaning {
	p := own.profile
	key, place := p.Whose(own.rows)
	return ingest.Meaning{Key: key, Place: place, Gather: func(bodies [][]byte) ingest.Meaning {
		var parts []profile.Part
		var took []int
		for i, b := range bodies {
			q, other, err := r.Decoder.File(b)
			if err != nil || q.Name != p.Name { // rows whose version of the profile has not come count from when it comes
				continue
			}
			if k, l := p.Whose(other); k == key && l == place {
				parts, took = append(parts, profile.Part{By: q, Rows: other}), append(took, i)
			}
		}
		rec, err := profile.Gather(parts)
		if err != nil {
			return ingest.Meaning{Key: key, Refused: err}
		}
		m := r.post(rec, e)
		m.Key, m.Took = key, took
		return m
	}}
}

// post is what a record means to the books. What the envelope was captured at bounds the dates that are believed: a record that waited for a
// year is not new.
func (r Reader) post(rec retail.Record, e *envelope.Envelope) ingest.Meaning {
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
	m.Day = day
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
