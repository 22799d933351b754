// Package envelope is the wire unit between agent and hub: one captured record, its place in its device's stream, and a checksum chained
// to the one before it (DESIGN D2). The body is opaque bytes: what they mean is decided elsewhere (package decode).
package envelope

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Epoch is a random id made with the buffer file. Epochs are never ordered: two of them say only "not the same file".
type Epoch [16]byte

// NewEpoch draws an epoch.
func NewEpoch() (e Epoch) { _, _ = rand.Read(e[:]); return e } // crypto/rand.Read never fails since Go 1.24

func (e Epoch) String() string { return hex.EncodeToString(e[:]) }

// MarshalText is the hexadecimal form.
func (e Epoch) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads the hexadecimal form. Code invalid.
func (e *Epoch) UnmarshalText(b []byte) error { return unhex(e[:], b, "epoch") }

// Sum is an envelope's SHA-256, chained: it covers the Sum before it.
type Sum [32]byte

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText is the hexadecimal form.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the hexadecimal form. Code invalid.
func (s *Sum) UnmarshalText(b []byte) error { return unhex(s[:], b, "sum") }

func unhex(into, text []byte, what string) error {
	if hex.DecodedLen(len(text)) != len(into) {
		return fault.Msg(fault.Invalid, "envelope", fmt.Sprintf("%s of %d characters, want %d", what, len(text), 2*len(into)))
	}
	if _, err := hex.Decode(into, text); err != nil {
		return fault.New(fault.Invalid, "envelope: read "+what, err)
	}
	return nil
}

// Position is a place in a stream. Sequence starts at 1 and has no gaps within an epoch; the zero Position is before every first row.
type Position struct {
	Epoch Epoch  `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

func (p Position) String() string { return fmt.Sprintf("%s/%d", p.Epoch.String()[:8], p.Seq) }

// Stream is one of the ordered lines of a device.
type Stream string

const (
	Sales   Stream = "sales"   // live
	History Stream = "history" // backfill, so that fresh sales never wait behind old ones
	State   Stream = "state"   // terminals, locations, health
)

// Streams lists all of them in the order in which they are served.
var Streams = []Stream{Sales, State, History}

// Kind names the schema of a body; package decode knows them all.
type Kind string

// Envelope is immutable once sealed.
type Envelope struct {
	Device      retail.DeviceID
	Stream      Stream
	Pos         Position
	Location    retail.LocationCode // "" when the record is not of one location
	Kind        Kind
	Key         string    // the vendor's id as the source saw it, for lists and logs; may be ""
	ContentType string    // "application/json", "text/csv", …
	At          time.Time // when it was captured, microseconds, UTC
	Part, Parts uint16    // 1 of 1 unless a large record travels in consecutive envelopes
	Body        []byte    // as the source gave it, after the card-data guard
	Prev, Sum   Sum
}

// Seal fills Prev and Sum; At is cut to microseconds and Parts defaulted first, so that what is written is what was summed.
func (e Envelope) Seal(prev Sum) Envelope {
	e.At = time.UnixMicro(e.At.UnixMicro()).UTC()
	if e.Parts == 0 {
		e.Part, e.Parts = 1, 1
	}
	e.Prev = prev
	h := hashers.Get().(*hasher)
	e.Sum = h.sum(&e)
	hashers.Put(h)
	return e
}

// ErrSum: an envelope's content and its checksum disagree: it was damaged on the way.
var ErrSum = errors.New("checksum mismatch")

// Verify recomputes the checksum. Code invalid.
func (e Envelope) Verify() error {
	h := hashers.Get().(*hasher)
	sum := h.sum(&e)
	hashers.Put(h)
	if e.Sum != sum {
		return fault.New(fault.Invalid, "envelope "+e.Pos.String(), ErrSum)
	}
	return nil
}

// hasher makes Sums, one after the other, in the same room.
type hasher struct {
	h    hash.Hash
	head []byte
}

var hashers = sync.Pool{New: func() any { return &hasher{h: sha256.New()} }}

// sum covers every field but Sum itself, each with its length, so that no two envelopes share a text.
func (x *hasher) sum(e *Envelope) (s Sum) {
	x.h.Reset()
	x.head = appendHead(x.head[:0], e)
	x.h.Write(x.head)
	x.h.Write(e.Body)
	x.head = append(x.head[:0], e.Prev[:]...)
	x.h.Write(x.head)
	copy(s[:], x.h.Sum(x.head[:0]))
	return s
}

// appendHead is the part of an envelope before its body, as summed.
func appendHead(b []byte, e *Envelope) []byte {
	b = append(b, e.Pos.Epoch[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Pos.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	b = binary.BigEndian.AppendUint16(b, e.Part)
	b = binary.BigEndian.AppendUint16(b, e.Parts)
	for _, s := range [...]string{string(e.Device), string(e.Stream), string(e.Location), string(e.Kind), e.Key, e.ContentType} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return binary.BigEndian.AppendUint64(b, uint64(len(e.Body)))
}
