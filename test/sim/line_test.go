package sim

import (
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/shared/envelope"
)

// up carries a message of an agent to the hub, or to both hubs when two listen. The broker took it: that proves nothing.
func (w *world) up(p *pc, m *forward.Message) {
	w.marks["messages up"]++
	w.marks["bytes up"] += len(m.Payload)
	send := func(h *hub) {
		for range w.copies(p.dice) {
			payload := w.damaged(p, m.Payload)
			w.at(w.arrival(p.dice, &p.lastUp), func() { h.take(m.Topic, payload) })
		}
	}
	send(w.hub)
	if w.second != nil {
		send(w.second)
	}
}

// down carries a hub's word to every machine that is online as that device.
func (w *world) down(h *hub, a envelope.Head) {
	if h == w.hub {
		w.marks["verdict "+string(a.Verdict)]++
	} else {
		w.marks["words of the other hub"]++
	}
	payload, err := json.Marshal(a)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	w.trace("%s says %s %s/%s %s seq %d nonce %q %s", h.name, a.Verdict, a.Device, a.Stream, short(a.Epoch), a.Seq, a.Nonce, a.Why)
	for _, p := range w.pcs {
		if p.device != a.Device || !p.online {
			continue
		}
		for range w.copies(p.dice) {
			text := w.damaged(p, payload)
			w.at(w.arrival(p.dice, &p.lastDown), func() { p.hear(text) })
		}
	}
}

// copies is how often a message arrives: lost, once or twice.
func (w *world) copies(r *rand.Rand) int {
	switch roll := r.IntN(100); {
	case w.quiet:
		return 1
	case roll < w.plan.loss:
		w.faults["message lost"]++
		return 0
	case roll < w.plan.loss+w.plan.loss/2:
		w.faults["message twice"]++
		return 2
	}
	return 1
}

// arrival is when a message arrives: in order, unless the line is bad.
func (w *world) arrival(r *rand.Rand, last *time.Time) time.Time {
	at := w.now.Add(time.Duration(5+r.IntN(45)) * time.Millisecond)
	if !w.quiet && r.IntN(200) < w.plan.loss {
		w.faults["message late"]++
		return at.Add(time.Duration(r.IntN(8000)) * time.Millisecond) // it is overtaken
	}
	if at.Before(*last) {
		at = *last
	}
	*last = at
	return at
}

// damaged spoils a message in transit: now and then, and nearly every one where a router is broken.
func (w *world) damaged(p *pc, payload []byte) []byte {
	r, percent := p.dice, 0
	if w.plan.damage {
		percent = 3
	}
	if w.now.Before(p.mangled) {
		percent = 90
	}
	if w.quiet || percent == 0 || r.IntN(100) >= percent {
		return payload
	}
	w.faults["message damaged"]++
	out := append([]byte(nil), payload...)
	at := r.IntN(len(out))
	switch r.IntN(4) {
	case 0:
		return out[:at]
	case 1:
		return append(out, out[:at]...)
	case 2: // in the head, where positions stand
		at = r.IntN(min(len(out), 130))
	}
	out[at] ^= 1 << r.IntN(8)
	return out
}

func short(e envelope.Epoch) string { return e.String()[:8] }
