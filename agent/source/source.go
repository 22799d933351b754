// Package source says what every way into the agent gives: drafts of records, with a cursor that commits together with them.
package source

import (
	"context"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// Draft is one captured record before it has a place in a stream. Body has passed the card-data guard.
type Draft struct {
	Stream      envelope.Stream
	Location    retail.LocationCode
	Kind        envelope.Kind
	Key         string
	ContentType string
	At          time.Time
	Body        []byte
}

// Cursor is how far a source has read, in its own words. The empty Cursor is the beginning.
type Cursor string

// Source is polled. Read returns what follows after, at most max drafts, and the cursor that covers exactly these; no drafts and an
// unchanged cursor say that there is nothing new. The cursor is committed in the transaction that stores the drafts, so a crash in
// between reads them again. Errors: unavailable is tried again later; the agent shows every other as a health condition and tries again.
type Source interface {
	Name() string
	Read(ctx context.Context, after Cursor, max int) ([]Draft, Cursor, error)
}

// Waker is a Source that can tell when to look again before its interval is over. A wake-up is a hint: it may be missing or false.
type Waker interface {
	Wake() <-chan struct{}
}

// Sink takes the drafts of a source that is pushed to. It returns when they are durable on this PC: only then may a till be told so.
// The cursor may be empty. Errors: unavailable when the disk is full.
type Sink interface {
	Append(ctx context.Context, source string, c Cursor, ds []Draft) error
}
