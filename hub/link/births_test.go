package link

import (
	"context"
	"log/slog"
	"testing"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

type noted chan map[retail.DeviceID]envelope.Birth

// Births implements Births.
func (n noted) Births(_ context.Context, came map[retail.DeviceID]envelope.Birth) error {
	n <- came
	return nil
}

// TestAKeptWordIsNoNewerThanALiveOne: a store comes in the moment in which the hub asks once more for what the broker keeps, and that is still the
// word before. On the next connection the broker is believed again.
func TestAKeptWordIsNoNewerThanALiveOne(t *testing.T) {
	b := newBirths()
	b.put("pc", envelope.Birth{Online: false}, true) // as the hub comes
	b.put("pc", envelope.Birth{Online: true}, false) // the store comes
	b.put("pc", envelope.Birth{Online: false}, true) // as the hub asks once more
	b.put("late", envelope.Birth{Online: true}, true)
	to := make(noted)
	go b.run(t.Context(), to, slog.New(slog.DiscardHandler))
	if came := <-to; !came["pc"].Online || !came["late"].Online {
		t.Errorf("stores that are there are noted as %+v", came)
	}
	b.begin()
	b.put("pc", envelope.Birth{Online: false}, true)
	if came := <-to; came["pc"].Online || len(came) != 1 {
		t.Errorf("a store that left while the hub was away is noted as %+v", came)
	}
}
