package sim

import (
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// mean is the hub's own reading of an envelope, by the registry of this world.
func (t *truth) mean(e *envelope.Envelope) ingest.Meaning {
	r := meaning.Reader{Calendar: func(l retail.LocationCode) retail.Calendar {
		if g, ok := t.trading[l]; ok {
			return retail.Calendar{{Trading: g}}
		}
		return nil
	}}
	return r.Mean(e)
}
