package sim

import (
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// mean is the hub's own reading of an envelope, by the registry of this world.
func (t *truth) mean(e *envelope.Envelope) ingest.Meaning {
	r := meaning.Reader{Trading: func(l retail.LocationCode, _ time.Time) (retail.Trading, bool) {
		g, ok := t.trading[l]
		return g, ok
	}}
	return r.Mean(e)
}
