package terminal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/upa"
	"github.com/tillpost/tillpost/shared/retail"
)

// closed is the state of a batch that does not change any more.
const closed = "closed"

// batch makes records of a batch and its payments, and says how it stands: "closed", or a hash of what it is while it is open.
func (t *Terminal) batch(now time.Time, as []upa.Answer) (state string, out []source.Draft, err error) {
	h := sha256.New()
	var b retail.Batch
	for _, a := range as {
		one, ps, err := upa.BatchAndPayments(a, t.o.Place)
		if err != nil {
			return "", nil, err
		}
		b = one
		for _, p := range ps {
			d, err := t.draft(envelope.Sales, decode.Payment, p.Key.ID, now, p)
			if err != nil {
				return "", nil, err
			}
			h.Write(d.Body)
			out = append(out, d)
		}
	}
	d, err := t.draft(envelope.Sales, decode.Batch, b.Key.ID, now, b)
	if err != nil {
		return "", nil, err
	}
	h.Write(d.Body)
	if state = closed; b.Closed.IsZero() {
		state = hex.EncodeToString(h.Sum(nil)[:8])
	}
	return state, append(out, d), nil
}

// tell hands over what is new: the terminal's state when it changed or was not told for a day, and batches.
func (t *Terminal) tell(now time.Time, after source.Cursor, c cursor, seen look, most int) ([]source.Draft, source.Cursor, error) {
	next := cursor{Told: c.Told, At: c.At, Batches: seen.batches}
	if seen.terminal.Status != upa.StatusOK {
		next.Batches = c.Batches
		seen.drafts = nil
	}
	x := seen.terminal
	x.Location, x.Till, x.Kind, x.At = t.o.Place.Location, t.o.Place.Till, "card", now
	if !same(x, c.Told) || now.Sub(c.At) >= tellAgain {
		d, err := t.draft(envelope.State, decode.Terminal, string(x.Till), now, x)
		if err != nil {
			return nil, after, err
		}
		seen.drafts = append(seen.drafts, d)
		next.Told, next.At = x, now
	}
	if len(seen.drafts) == 0 {
		return nil, after, nil
	}
	last, err := json.Marshal(next)
	if err != nil {
		return nil, after, fault.New(fault.Internal, "write cursor of "+t.name, err)
	}
	t.pieces.Put(after, seen.drafts, source.Cursor(last))
	ds, nextCursor, _ := t.pieces.Next(after, most)
	return ds, nextCursor, nil
}

func (t *Terminal) draft(s envelope.Stream, kind envelope.Kind, key string, now time.Time, v any) (source.Draft, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return source.Draft{}, fault.New(fault.Internal, "write record of "+t.name, err)
	}
	return source.Draft{Stream: s, Location: t.o.Place.Location, Kind: kind, Key: key, ContentType: "application/json", At: now, Body: body}, nil
}

// same compares what a person would see; when it was seen is no difference.
func same(a, b retail.Terminal) bool {
	a.At, b.At = time.Time{}, time.Time{}
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
