package link

import (
	"context"
	"sync"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// outbox holds at most two words per stream: the answer to its last hello and the newest ack after it. An older ack says nothing that the
// newer one does not, so a slow line sends fewer, never later ones; its size is bounded by the number of streams.
type outbox struct {
	mu    sync.Mutex
	words map[lane]*words
	order []lane // streams that have something to say, each once, oldest first
	wake  chan struct{}
}

type lane struct {
	device retail.DeviceID
	stream envelope.Stream
}

type words struct {
	answer, ack *envelope.Head
}

func newOutbox() *outbox { return &outbox{words: map[lane]*words{}, wake: make(chan struct{}, 1)} }

// put never blocks.
func (o *outbox) put(h envelope.Head) {
	k := lane{h.Device, h.Stream}
	o.mu.Lock()
	w := o.words[k]
	if w == nil {
		w = &words{}
		o.words[k] = w
		o.order = append(o.order, k)
	}
	if h.Nonce != "" {
		w.answer, w.ack = &h, nil // it was made later than the ack and tells the same head
	} else {
		w.ack = &h
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// next waits for a word; ok is false when ctx ended.
func (o *outbox) next(ctx context.Context) (h envelope.Head, ok bool) {
	for ctx.Err() == nil {
		if h, ok = o.take(); ok {
			return h, true
		}
		select {
		case <-ctx.Done():
		case <-o.wake:
		}
	}
	return envelope.Head{}, false
}

func (o *outbox) take() (envelope.Head, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.order) == 0 {
		return envelope.Head{}, false
	}
	k := o.order[0]
	w := o.words[k]
	var h envelope.Head
	if w.answer != nil {
		h, w.answer = *w.answer, nil
	} else {
		h, w.ack = *w.ack, nil
	}
	o.order = o.order[1:]
	if w.ack != nil {
		o.order = append(o.order, k)
	} else {
		delete(o.words, k)
	}
	return h, true
}

// clear forgets what was meant for an earlier connection: its agents ask again.
func (o *outbox) clear() {
	o.mu.Lock()
	o.words, o.order = map[lane]*words{}, nil
	o.mu.Unlock()
}
