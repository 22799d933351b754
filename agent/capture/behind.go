package capture

import (
	"context"

	"github.com/tillpost/tillpost/agent/source"
)

// Behind is a Sink in front of another one: a batch is made durable while its caller makes the next. So an Append says nothing of its own
// batch, only of the one before, and only Wait tells that everything is durable. It is for a caller who reports at the end, as an import
// does; a till is never told anything by it. One goroutine uses it; after an error it takes nothing more.
type Behind struct {
	sink source.Sink
	last chan error // of the batch that is on its way, nil = none
	err  error
}

// NewBehind returns a Behind in front of s.
func NewBehind(s source.Sink) *Behind { return &Behind{sink: s} }

// Append waits for the batch before and sends this one on its way. The error is the earlier batch's.
func (b *Behind) Append(ctx context.Context, name string, c source.Cursor, ds []source.Draft) error {
	if err := b.Wait(); err != nil {
		return err
	}
	last := make(chan error, 1)
	b.last = last
	go func() { last <- b.sink.Append(ctx, name, c, ds) }()
	return nil
}

// Wait returns when everything is durable, or with the first error; nothing after a batch that failed was handed on.
func (b *Behind) Wait() error {
	if b.last != nil {
		b.err = <-b.last
		b.last = nil
	}
	return b.err
}
