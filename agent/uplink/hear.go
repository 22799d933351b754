package uplink

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/topic"
)

// downQoS is that of what an agent hears. Heads are sent with QoS 0 anyway, and all else is retained state: what a broken line loses, the next
// one brings, because each connection is a clean session; what a broker drops on a line that holds comes when it is asked for again. A
// subscription with QoS 1 costs the embedded broker a queue of its own on its disk and a good part of a megabyte for each PC (measured,
// test/crowd).
const downQoS = 0

// soon is when what is kept is asked for a second time on a new connection: nats-server, the embedded broker, looks at what it keeps before it
// begins to deliver, and keeps a word a moment after it has delivered it, so that one that is said in this very moment reaches nobody. 5,000 PCs that
// come back at once ask at moments of their own.
func soon() time.Duration { return askSoon/2 + rand.N(askSoon) }

// kept are the topics on which the broker keeps the hub's last word for this device.
func (u *Uplink) kept() map[string]byte {
	topics := map[string]byte{topic.Hub(): downQoS}
	if len(u.o.Polls) > 0 {
		topics[topic.Poll(u.o.Device)] = downQoS
	}
	if u.o.Desired != nil {
		topics[topic.Desired(u.o.Device)] = downQoS
	}
	return topics
}

// ears are what was heard on one connection. They are touched by paho's one receiving goroutine only.
type ears struct {
	since time.Time            // of the hub
	live  map[string]time.Time // by topic: when the hub last spoke itself
}

// stale says that a word which the broker kept is the one before what was heard just now: a broker keeps a word a moment after it has delivered it,
// and whoever asks in this moment gets the old one. It is asked for again later.
func (e *ears) stale(m mqtt.Message) bool {
	last, spoke := e.live[m.Topic()]
	if !m.Retained() {
		e.live[m.Topic()] = time.Now()
		return false
	}
	return spoke && time.Since(last) < askSoon
}

// deliver hands a message on.
func (u *Uplink) deliver(ctx context.Context, m mqtt.Message, l *link, e *ears) {
	if e.stale(m) {
		return
	}
	if m.Topic() == topic.Hub() {
		var h envelope.HubState
		if json.Unmarshal(m.Payload(), &h) == nil && h.Online && !h.Since.Equal(e.since) {
			e.since = h.Since
			u.ev.Connected(l) // the hub is back behind a broker that stayed up: ask at once where we are
		}
		return
	}
	kind, d, s, ok := topic.Parse(m.Topic())
	if ok && kind == "poll" && d == u.o.Device && u.o.Polled != nil {
		var p envelope.Polls
		if json.Unmarshal(m.Payload(), &p) == nil {
			u.o.Polled(p)
		}
		return
	}
	if ok && kind == "desired" && d == u.o.Device && u.o.Desired != nil {
		if len(m.Payload()) > 0 { // else the hub has cleared it
			u.o.Desired(m.Payload())
		}
		return
	}
	var h envelope.Head
	if !ok || kind != "head" || d != u.o.Device {
		return
	}
	if err := json.Unmarshal(m.Payload(), &h); err != nil || h.Stream != s {
		u.o.Log.WarnContext(ctx, "a word of the hub is not readable", "stream", s, "err", err)
		return
	}
	u.ev.Head(h)
}
