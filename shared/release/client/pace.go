package client

import (
	"context"
	"io"
	"sync/atomic"
	"time"
)

// paced reads from a source and gives it up where too little comes: a line that lets one byte through a minute would hold an update for years
// and look like one that is just slow.
type paced struct {
	io.ReadCloser
	n    atomic.Int64
	stop context.CancelCauseFunc
}

// pace opens a file so that fewer than min bytes in a window cancel it.
func pace(ctx context.Context, s Source, name string, offset int64, l Limits) (*paced, context.Context, error) {
	ctx, stop := context.WithCancelCause(ctx)
	p := &paced{stop: stop}
	go p.watch(ctx, l)
	r, err := s.Open(ctx, name, offset)
	if err != nil {
		stop(nil)
		return nil, ctx, err
	}
	p.ReadCloser = r
	return p, ctx, nil
}

func (p *paced) watch(ctx context.Context, l Limits) {
	tick := time.NewTicker(l.Window)
	defer tick.Stop()
	for last := int64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n := p.n.Load()
			if n-last < l.MinBytes {
				p.stop(errSlow)
				return
			}
			last = n
		}
	}
}

// Read counts what comes.
func (p *paced) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.n.Add(int64(n))
	return n, err
}

// Close ends the watch, too.
func (p *paced) Close() error {
	err := p.ReadCloser.Close()
	p.stop(nil)
	return err
}
