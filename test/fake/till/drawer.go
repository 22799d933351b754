package till

import (
	"encoding/json"
	"fmt"
	"time"
)

// key is how the product's own records spell an identity on the wire.
func (b *builder) key(record, id string) map[string]any {
	return map[string]any{"system": "tillpost", "record": record, "id": id}
}

func (b *builder) drawer(at time.Time, till int, kind string, cents, counted int64, reason string) {
	b.n++
	id := fmt.Sprintf("%s-d%06d", b.Code, b.n)
	e := map[string]any{"key": b.key("drawer", id), "location": b.Code, "till": fmt.Sprintf("T%d", till+1), "cashier": "c1",
		"at": at.Format(time.RFC3339), "kind": kind, "currency": "USD", "amount": string(text(cents)) + " USD", "reason": reason, "revision": 1}
	if b.TellsDay {
		e["day"] = b.day
	}
	if kind == "drawer_count" {
		e["counted"] = string(text(counted)) + " USD"
	}
	b.events = append(b.events, Event{At: at, Path: "/v1/drawer", ID: id, Body: must(json.Marshal(e))})
}

// cashMoves are the day's paid-ins, paid-outs and no-sales.
func (b *builder) cashMoves(open time.Time) {
	in, out := int64(500+b.dice.IntN(4000)), int64(300+b.dice.IntN(3000))
	b.drawer(open.Add(2*time.Hour), 0, "paid_in", in, 0, "change fund")
	b.drawer(open.Add(5*time.Hour), 0, "paid_out", out, 0, "window cleaner")
	b.drawer(open.Add(6*time.Hour), 0, "no_sale", 0, 0, "change for a customer")
	b.truth.Measures["paid_in"] += in
	b.truth.Measures["paid_out"] += out
	b.truth.Measures["tender:cash"] += in - out
}

// counts closes each drawer; some are over, some short, some right.
func (b *builder) counts(at time.Time) {
	for till := range b.Tills {
		expected := int64(20000 + b.dice.IntN(50000))
		diff := int64(b.dice.IntN(9)-4) * 25
		b.drawer(at, till, "drawer_count", expected, expected+diff, "")
		b.drawer(at.Add(time.Minute), till, "drawer_close", expected, 0, "")
		b.truth.Measures["tender:cash"] += diff
		if diff > 0 {
			b.truth.Measures["over"] += diff
		} else {
			b.truth.Measures["short"] -= diff
		}
	}
}

// facts are what the store says of itself and its terminals.
func (b *builder) facts(at time.Time) {
	loc := map[string]any{"code": b.Code, "name": b.Name, "zone": b.Zone, "cutoff": fmt.Sprintf("%02d:00", b.Cutoff), "currency": "USD", "at": at.Format(time.RFC3339)}
	b.events = append(b.events, Event{At: at, Path: "/v1/locations", ID: b.Code, Body: must(json.Marshal(loc))})
	for till := range b.Tills {
		for _, kind := range []string{"till", "card"} {
			fact := map[string]any{"location": b.Code, "till": fmt.Sprintf("T%d", till+1), "kind": kind, "model": map[string]string{"till": "Register 9", "card": "PAX A920"}[kind],
				"serial": fmt.Sprintf("%s-%s-%04d", b.Code, kind, till+1), "software": "6.31.2", "status": "ok", "clock": int64(b.skew[till]), "at": at.Format(time.RFC3339)}
			if kind == "card" {
				fact["till"] = fmt.Sprintf("T%d-card", till+1)
			}
			b.events = append(b.events, Event{At: at, Path: "/v1/terminals", ID: fmt.Sprint(fact["serial"]), Body: must(json.Marshal(fact))})
		}
	}
}

func (b *builder) readTo(through time.Time) {
	mark := map[string]any{"source": "till", "location": b.Code, "through": through.UTC().Format(time.RFC3339)}
	b.events = append(b.events, Event{At: through, Path: "/v1/read_to", ID: "read_to " + b.day, Body: must(json.Marshal(mark))})
}
