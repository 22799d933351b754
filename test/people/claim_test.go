package people_test

import (
	"strings"
	"testing"
)

// A person says by name which company's books this hub is to take over, and it is the one that Odoo's user works in although the settings name none: the word
// reaches the settings' own claim.
func TestTheClaimIsTakenOverByTheCompanysName(t *testing.T) {
	g := newRig(t)
	const own = "My Company"
	g.hubSettings("info", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ncompany = '"+own+"'\ntills = ['T1']\n")
	g.startHub()
	g.hub(0, "odoo", "setup")
	until(t, "the claim", func() bool {
		return strings.Contains(g.hub(0, "odoo", "claim"), "this hub saw it last as this hub's")
	})
	stop(g.hubProc, g.hubEnded)
	if said := g.hub(1, "odoo", "claim", "--take-over", "--company", "Nobody's", "--reason", "the other one is a copy"); !strings.Contains(said, "no location posts") {
		t.Errorf("a company that nobody has: %s", said)
	}
	g.hub(0, "odoo", "claim", "--take-over", "--company", own, "--reason", "the other one is a copy")
	if said := g.hub(0, "odoo", "claim"); strings.Count(said, "to be taken over") == 0 {
		t.Fatalf("nothing is ordered: %s", said)
	}
	g.startHub()
	until(t, "the order is carried out", func() bool { return !strings.Contains(g.hub(0, "odoo", "claim"), "to be taken over") })
	g.stopOdoo()
	if said := g.hub(1, "odoo", "claim", "--take-over", "--company", own, "--reason", "again"); !strings.Contains(said, "Nothing was ordered") {
		t.Errorf("while Odoo is away: %s", said)
	}
}
