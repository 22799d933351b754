package people_test

import (
	"os"
	"path/filepath"
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
	if said := g.hub(0, "mapping", "export"); !strings.HasPrefix(said, "role,code,location,from,account,tax,label,journal,method,analytic,company,warehouse\n") || !strings.Contains(said, "tender,cash,,,") {
		t.Errorf("the rules are %s", said)
	}
	rules := filepath.Join(t.TempDir(), "rules.csv")
	for text, want := range map[string]struct {
		code int
		says string
	}{"role,code,account\ntender,cash,999999\n": {1, "nothing was changed"}, "role,code,account,from\ntender,cash,999999,2099-01-01\n": {0, "1 rules would hold, and these lines would move: 0"},
		"role,code,account\nfee,bag,400000\n": {0, "1 rules would hold"}} {
		if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if said := g.hub(want.code, "mapping", "import", rules, "--dry-run"); !strings.Contains(said, want.says) {
			t.Errorf("%q: %s", text, said)
		}
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
	until(t, "the day booked anew", func() bool {
		return strings.Count(g.hub(0, "day", "S1", day), "/3") > 0 && strings.Contains(g.hub(0, "days"), "verified")
	})
}
