package app

import (
	"testing"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/health"
)

// A script that asks `hub status` is woken by what needs somebody, not by a page whose port is taken.
func TestWhatIsOnlyToldIsNoTrouble(t *testing.T) {
	for want, d := range map[int][]view.DeviceView{
		0: {{Health: []health.Status{{Code: "page_shut", Severity: "low"}}}},
		1: {{Health: []health.Status{{Severity: "low"}, {Severity: "medium"}}}},
		2: {{Stopped: "fork"}, {Health: []health.Status{{Severity: "high"}}}, {Health: []health.Status{{Severity: "low"}}}},
	} {
		if got := (Status{Stores: d}).troubled(); got != want {
			t.Errorf("%d of %+v need somebody, want %d", got, d, want)
		}
	}
}
