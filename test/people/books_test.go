package people_test

import (
	"strings"
	"testing"
	"time"
)

// A controller proves the books, takes a day back and lets it go again: with the built commands, and Odoo asked each time.
func TestADayIsTakenBackAndTheBooksAreProven(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	g.startHub()
	g.startAgent()
	g.hub(0, "odoo", "setup")
	day := time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02")
	g.sell("A-1", "S1", day+"T10:00:00Z", "cash")
	until(t, "the day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	if said := g.hub(0, "books", "verify"); !strings.Contains(said, "Every document stands in Odoo as it was sent") || !strings.Contains(said, "S1") {
		t.Errorf("the proof says %s", said)
	}
	g.hub(1, "day", "reverse", "S1", day) // without a reason
	g.hub(0, "day", "reverse", "S1", day, "--reason", "the store counted a wrong till")
	until(t, "the counter-entry in Odoo", func() bool {
		said := g.hub(0, "day", "S1", day)
		return strings.Contains(said, "taken back") && strings.Count(said, "verified") > 1
	})
	if said := g.hub(0, "books", "verify"); !strings.Contains(said, "Every document stands in Odoo as it was sent") {
		t.Errorf("the proof says %s", said)
	}
	g.hub(0, "day", "release", "S1", day, "--reason", "counted again")
	until(t, "the day booked anew", func() bool { return strings.Count(g.hub(0, "day", "S1", day), "/3") > 0 && strings.Contains(g.hub(0, "days"), "verified") })
}
