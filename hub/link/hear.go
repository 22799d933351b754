package link

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

// hear sorts a message. It runs in paho's one receiving goroutine and must not block: nothing it calls waits for a disk or a line.
func (l *Link) hear(ctx context.Context, c mqtt.Client, m mqtt.Message, mine envelope.HubState, echo chan<- struct{}) {
	l.Heard.Add(1)
	if m.Topic() == topic.Hub() {
		l.hearHub(ctx, c, m, mine, echo)
		return
	}
	kind, d, s, ok := topic.Parse(m.Topic())
	switch {
	case ok && kind == "up" && len(m.Payload()) <= envelope.MaxPayload+1024:
		l.intake.Batch(ctx, d, s, m.Payload(), l.out.put)
	case ok && kind == "hello":
		var h envelope.Hello
		if json.Unmarshal(m.Payload(), &h) == nil && h.Device == d && h.Stream == s && h.Nonce != "" {
			l.intake.Hello(ctx, h, l.out.put)
			return
		}
		l.strange(ctx, m)
	case ok && kind == "birth":
		var b envelope.Birth
		if len(m.Payload()) == 0 {
			return // a retained state that somebody cleared
		}
		if json.Unmarshal(m.Payload(), &b) == nil {
			l.births.put(d, b, m.Retained())
			return
		}
		l.strange(ctx, m)
	default:
		l.strange(ctx, m)
	}
}

func (l *Link) strange(ctx context.Context, m mqtt.Message) {
	l.Strange.Add(1)
	_, d, s, _ := topic.Parse(m.Topic())
	l.o.Log.DebugContext(ctx, "a message that no agent of ours sends", "device", d, "stream", s, "bytes", len(m.Payload()))
}

// hearHub looks at the state of the hub, which should be our own. The last will of our connection before is corrected. Another hub that says
// it is online is told to people and answered once, so that it notices us too; a retained state alone may be of a hub long gone. Agents obey
// only theirs, so nothing is booked twice, but each of the two wakes the other's stores.
func (l *Link) hearHub(ctx context.Context, c mqtt.Client, m mqtt.Message, mine envelope.HubState, echo chan<- struct{}) {
	var h envelope.HubState
	if err := json.Unmarshal(m.Payload(), &h); err != nil || ctx.Err() != nil {
		return // while we leave, our own farewell must not be contradicted
	}
	again := func() { go c.Publish(topic.Hub(), 1, true, encode(mine)) } // not from here: paho's receiver must not wait for its sender
	st := l.State()
	known := st.Rival.Hub == h.Hub && st.Rival.Since.Equal(h.Since)
	switch {
	case h.Online && h.Hub == mine.Hub && h.Since.Equal(mine.Since):
		select {
		case echo <- struct{}{}:
		default:
		}
	case m.Retained():
	case !h.Online:
		if known {
			st.Rival = envelope.HubState{}
			l.state.Store(&st)
		}
		again()
	case !known:
		l.o.Log.ErrorContext(ctx, "another hub speaks on this broker: stop one of the two, or give each a broker of its own. Each store obeys only its own hub; nothing is booked twice.",
			"rival", h.Hub, "since", h.Since)
		st.Rival = h
		l.state.Store(&st)
		again()
	}
}

// births merges what devices say of themselves until somebody has time for it: 5,000 retained states come at once after each connection.
type births struct {
	mu   sync.Mutex
	came map[retail.DeviceID]envelope.Birth
	live map[retail.DeviceID]bool // who spoke on this connection
	wake chan struct{}
}

// birthsEvery bounds how often the database is asked to note who is there.
const birthsEvery = time.Second

func newBirths() *births {
	return &births{came: map[retail.DeviceID]envelope.Birth{}, live: map[retail.DeviceID]bool{}, wake: make(chan struct{}, 1)}
}

// begin is a new connection: what the broker keeps may be newer than what was heard before.
func (b *births) begin() {
	b.mu.Lock()
	clear(b.live)
	b.mu.Unlock()
}

// put takes a device's word. One that the broker kept is no newer than what the device itself said on this connection: a broker keeps a word a moment
// after it has delivered it, and who asks in this moment gets the one before, such as that a store is away which has just come.
func (b *births) put(d retail.DeviceID, birth envelope.Birth, kept bool) {
	b.mu.Lock()
	if kept && b.live[d] {
		b.mu.Unlock()
		return
	}
	b.came[d], b.live[d] = birth, b.live[d] || !kept
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *births) run(ctx context.Context, to Births, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		}
		b.mu.Lock()
		came := b.came
		b.came = map[retail.DeviceID]envelope.Birth{}
		b.mu.Unlock()
		if err := to.Births(ctx, came); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "cannot note which devices are there; trying again", "err", err)
			b.mu.Lock()
			maps.Copy(came, b.came) // what came meanwhile is newer
			b.came = came
			b.mu.Unlock()
			select {
			case b.wake <- struct{}{}:
			default:
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(birthsEvery):
		}
	}
}
