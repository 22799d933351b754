package link

import (
	"context"
	"maps"
	"slices"
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

// polls is what each device reads, until the line has told it. It is state: only the last word of each is kept, and all of them are said
// again on each connection.
type polls struct {
	mu    sync.Mutex
	said  map[retail.DeviceID][]byte
	dirty map[retail.DeviceID]bool
	wake  chan struct{}
}

func newPolls() *polls {
	return &polls{said: map[retail.DeviceID][]byte{}, dirty: map[retail.DeviceID]bool{}, wake: make(chan struct{}, 1)}
}

// Assign tells a device which accounts it reads. It never blocks; the same word again is not repeated.
func (l *Link) Assign(d retail.DeviceID, accounts map[string]envelope.Duty) {
	body := encode(envelope.Polls{Hub: l.o.Hub, Accounts: accounts})
	p := l.polls
	p.mu.Lock()
	if string(p.said[d]) != string(body) {
		p.said[d], p.dirty[d] = body, true
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// assign says every word on a new connection, then each that changes, until the session ends.
func (l *Link) assign(ctx context.Context, c mqtt.Client, lost chan<- error) {
	p := l.polls
	p.mu.Lock()
	for d := range p.said {
		p.dirty[d] = true
	}
	p.mu.Unlock()
	for {
		p.mu.Lock()
		due := slices.Sorted(maps.Keys(p.dirty))
		words := make([][]byte, len(due))
		for i, d := range due {
			words[i] = p.said[d]
		}
		clear(p.dirty)
		p.mu.Unlock()
		for i, d := range due {
			if err := await(ctx, c.Publish(topic.Poll(d), 1, true, words[i])); err != nil {
				if ctx.Err() == nil {
					tell(lost, err)
				}
				return // the next connection says all of them again
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
	}
}
