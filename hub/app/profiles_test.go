package app

import (
	"testing"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
)

// What the API of Heartland Retail proves is no profile's business: its total must come and agree, its numbers may have gaps (DESIGN D10).
func TestWhatHeartlandRetailProves(t *testing.T) {
	p := &profiles{}
	if got := p.needs(hretail.Proof); got != (audit.Needs{Gaps: audit.Advisory, Control: audit.Required}) {
		t.Errorf("got %+v", got)
	}
}
