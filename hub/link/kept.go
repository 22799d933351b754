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

// kept is what each device is to read and to be, by topic, until the line has told it. It is state: only the last word of each is kept, and
// all of them are said again on each connection.
type kept struct {
	mu    sync.Mutex
	said  map[string][]byte
	dirty map[string]bool
	wake  chan struct{}
}

func newKept() *kept {
	return &kept{said: map[string][]byte{}, dirty: map[string]bool{}, wake: make(chan struct{}, 1)}
}

// put never blocks; the same word again is not repeated.
func (k *kept) put(topic string, body []byte) {
	k.mu.Lock()
	if string(k.said[topic]) != string(body) {
		k.said[topic], k.dirty[topic] = body, true
	}
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Assign tells a device which accounts it reads. It never blocks; the same word again is not repeated.
func (l *Link) Assign(d retail.DeviceID, accounts map[string]envelope.Duty) {
	l.kept.put(topic.Poll(d), encode(envelope.Polls{Hub: l.o.Hub, Accounts: accounts}))
}

// Desire tells a device what it shall be: a sealed word. It never blocks; the same word again is not repeated.
func (l *Link) Desire(d retail.DeviceID, sealed []byte) { l.kept.put(topic.Desired(d), sealed) }

// assign says every word on a new connection, then each that changes, until the session ends.
func (l *Link) assign(ctx context.Context, c mqtt.Client, lost chan<- error) {
	p := l.kept
	p.mu.Lock()
	for t := range p.said {
		p.dirty[t] = true
	}
	p.mu.Unlock()
	for {
		p.mu.Lock()
		due := slices.Sorted(maps.Keys(p.dirty))
		words := make([][]byte, len(due))
		for i, t := range due {
			words[i] = p.said[t]
		}
		clear(p.dirty)
		p.mu.Unlock()
		for i, t := range due {
			if err := await(ctx, c.Publish(t, 1, true, words[i])); err != nil {
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
