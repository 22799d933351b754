package people_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
)

// TestChangedSettingsHoldWithoutARestart, where that cuts no store's line; what cannot is told, and a file with a fault changes nothing.
func TestChangedSettingsHoldWithoutARestart(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML+"auto_approve = false\n[[location]]\ncode = 'S1'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	g.startHub()
	g.startAgent()
	g.hub(0, "odoo", "setup")
	g.sell("A-1", "S1", time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02")+"T10:00:00Z", "cash")
	until(t, "the day that waits for approval", func() bool { return strings.Contains(g.hub(0, "days"), "waits for a person's approval") })
	g.hubSettings("loud", postingTOML)
	until(t, "the fault in the log", func() bool { return g.logHas(g.hubLog, "cannot be used", "loud") })
	hubAt := g.web
	g.web = port.Free(t)
	g.hubSettings("debug", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\n")
	until(t, "the day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	until(t, "the restart that the address needs", func() bool { return g.logHas(g.hubLog, "next start", "web") })
	until(t, "the new name", func() bool { return strings.Contains(g.hub(0, "locations"), "First Street") })
	if !listens(hubAt) {
		t.Error("the pages are gone")
	}
	// The agent: another door for its till.
	old := g.api
	g.agentSettings("nowhere")
	until(t, "the agent's fault", func() bool { return g.logHas(g.agentLog, "cannot be used") })
	if !listens(old) {
		t.Fatal("a fault in the settings closed the till's door")
	}
	g.api = port.Free(t)
	g.agentSettings(g.api)
	until(t, "the till's new door", func() bool { return listens(g.api) && !listens(old) })
	g.sell("A-2", "S1", time.Now().UTC().Format(time.RFC3339), "cash")
	until(t, "the ticket at the hub", func() bool { return strings.Contains(hubWords(g, "ticket", "A-2"), "10.00 USD") })
}
