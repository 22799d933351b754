package sim

import (
	"encoding/json"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// mean is what the hub's wiring does with an envelope: decode it, find its business day, post it.
func (t *truth) mean(e *envelope.Envelope) ingest.Meaning {
	r, err := decode(e)
	if err != nil || r == nil {
		return ingest.Meaning{Refused: err}
	}
	day := t.day(r)
	entry, ok, err := ledger.Post(r, day, t.w.began)
	if err != nil || !ok {
		return ingest.Meaning{Record: r, Refused: err}
	}
	v, err := ledger.VersionOf(r, day)
	return ingest.Meaning{Record: r, Entry: &entry, Version: v, Refused: err}
}

func (t *truth) day(r retail.Record) retail.BusinessDate {
	switch x := r.(type) {
	case retail.Ticket:
		if x.Day != "" {
			return x.Day
		}
		if g, ok := t.trading[x.Location]; ok {
			return g.Day(x.At)
		}
	case retail.Drawer:
		if x.Day != "" {
			return x.Day
		}
		return t.trading[x.Location].Day(x.At)
	}
	return ""
}

func decode(e *envelope.Envelope) (retail.Record, error) {
	switch e.Kind {
	case "ticket.v1":
		x, err := retail.DecodeTicket(e.Body)
		if err != nil {
			return nil, err
		}
		return x, nil
	case "drawer.v1":
		return fromJSON[retail.Drawer](e)
	case "location.v1":
		return fromJSON[retail.Location](e)
	case "terminal.v1":
		return fromJSON[retail.Terminal](e)
	case "read_to.v1":
		return fromJSON[retail.ReadTo](e)
	}
	return nil, nil
}

func fromJSON[T retail.Record](e *envelope.Envelope) (retail.Record, error) {
	var x T
	if err := json.Unmarshal(e.Body, &x); err != nil {
		return nil, fault.New(fault.Invalid, "read "+string(e.Kind), err)
	}
	return x, nil
}
