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

// Mean is what e means. A record that cannot be understood or posted comes back refused, worded for its case.
func (r Reader) Mean(e *envelope.Envelope) ingest.Meaning {
	rec, share, err := r.read(e)
	if err != nil {
		return ingest.Meaning{Refused: err, Identity: share.identity()}
	}
	if r.Books != nil && !state[e.Kind] {
		if err := mode.Check(mode.Marked(e.ContentType), r.Books()); err != nil {
			return ingest.Meaning{Record: rec, Refused: fault.New(fault.Invalid, "book record", err)}
		}
	}
	if share.spread(e) {
		return r.gather(share, e.At)
	}
	return r.post(rec, e.At)
}

// rows are what a file has of a ticket, nil of anything else.
type rows struct {
	profile.Rows
	by *profile.Profile
}

func (s *rows) identity() string {
	if s == nil {
		return ""
	}
	return s.by.KeyOf(s.Rows).String()
}

// spread reports whether other files may have more of its ticket.
func (s *rows) spread(e *envelope.Envelope) bool {
	return s != nil && s.by.Spread != "" && s.Note == "" && len(s.Rows.Rows) > 0 && e.Key != ""
}

// read decodes a record. Rows of a ticket that others may have more of mean nothing yet.
func (r Reader) read(e *envelope.Envelope) (rec retail.Record, of *rows, err error) {
	if e.Kind != decode.Rows {
		rec, err = r.Decoder.Decode(e.Kind, e.ContentType, e.Body)
		return rec, nil, err
	}
	p, file, err := r.Decoder.File(e.Body)
	if err != nil {
		return nil, nil, err
	}
	if of = (&rows{file, p}); !of.spread(e) {
		rec, err = p.Decode(file)
	}
	return rec, of, err
}

// gather is the meaning of rows of a ticket of which other files may have more. Of all bodies under its key those of other tickets are left
// out: another vendor's, another register's.
func (r Reader) gather(own *rows, captured time.Time) ingest.Meaning {
	p, ticket := own.by, own.by.TicketOf(own.Rows)
	return ingest.Meaning{Identity: own.identity(), Place: p.Place(own.Rows), Gather: func(bodies [][]byte) ingest.Meaning {
		var parts []profile.Rows
		var took []int
		for i, b := range bodies {
			if q, other, err := r.Decoder.File(b); err == nil && q.Name == p.Name && p.TicketOf(other) == ticket {
				parts, took = append(parts, other), append(took, i)
			}
		}
		rec, err := p.Gather(parts)
		if err != nil {
			return ingest.Meaning{Refused: err, Identity: own.identity()}
		}
		m := r.post(rec, captured)
		m.Took = took
		return m
	}}
}

// post is what a record means to the books. When it was captured bounds the dates that are believed: one that waited for a year is not new.
func (r Reader) post(rec retail.Record, captured time.Time) ingest.Meaning {
	var location retail.LocationCode
	var own retail.BusinessDate
	var at time.Time
	var key retail.Key
	switch x := rec.(type) {
	case retail.Ticket:
		location, own, at, key = x.Location, x.Day, x.At, x.Key
	case retail.Drawer:
		location, own, at, key = x.Location, x.Day, x.At, x.Key
	default:
		return ingest.Meaning{Record: rec}
	}
	m := ingest.Meaning{Record: rec}
	day, err := r.day(location, own, at, &m)
	if err == nil {
		var entry ledger.Entry
		var posts bool
		if entry, posts, err = ledger.Post(rec, day, captured); posts {
			m.Entry, m.Identity = &entry, entry.Key
			m.Version, err = ledger.VersionOf(rec, day)
		}
	}
	if m.Refused = err; err != nil {
		m.Identity = key.String()
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
