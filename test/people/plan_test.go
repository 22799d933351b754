package people_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A controller lets the hub propose the mapping, looks, writes just that, sets a station apart from a day on, and reads who changed what.
func TestAPlanIsShownWrittenAndKeptInTheHistory(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	g.startHub()
	g.startAgent()
	day := time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02")
	g.sell("A-1", "S1", day+"T10:00:00Z", "cash")
	until(t, "the ticket", func() bool { return strings.Contains(g.hub(0, "days"), day) })

	shown := g.hub(0, "odoo", "setup", "--plan")
	for _, words := range []string{"+ sales:*", "400000 Product Sales", "its name has \"product sale\"", "create account", "Nothing was written"} {
		if !strings.Contains(shown, words) {
			t.Errorf("the plan does not say %q:\n%s", words, shown)
		}
	}
	if rules := g.hub(0, "mapping", "list"); strings.Contains(rules, "sales") {
		t.Errorf("showing the plan wrote rules: %s", rules)
	}
	var p struct{ Hash string }
	g.ok(json.Unmarshal([]byte(g.hub(0, "odoo", "setup", "--plan", "--json")), &p))
	if !strings.Contains(shown, "--apply="+p.Hash) {
		t.Errorf("the plan shown is another than %s", p.Hash)
	}

	// Between looking and writing somebody makes a rule: the plan is another, and is shown instead of written.
	g.hub(0, "mapping", "set", "discount", "*", "--account", "600000", "--reason", "as ever")
	if said := g.hub(1, "odoo", "setup", "--apply="+p.Hash); !strings.Contains(said, "have changed since plan "+p.Hash) || !strings.Contains(said, "= discount:*") {
		t.Errorf("a plan that is old says %s", said)
	}
	g.ok(json.Unmarshal([]byte(g.hub(0, "odoo", "setup", "--plan", "--json")), &p))
	if said := g.hub(0, "odoo", "setup", "--apply="+p.Hash); !strings.Contains(said, "Plan "+p.Hash+" was written") {
		t.Errorf("it says %s", said)
	}
	until(t, "the day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	if said := g.hub(0, "odoo", "check"); !strings.Contains(said, "can be posted") {
		t.Errorf("check says %s", said)
	}
	if said := g.hub(0, "odoo", "setup", "--plan"); !strings.Contains(said, "0 rules added, 0 changed") || !strings.Contains(said, "0 things to create") {
		t.Errorf("written, it still wants %s", said)
	}

	// What a rule would move is told before; a posted day is not moved unseen.
	if said := g.hub(1, "mapping", "set", "station", "T1", "--analytic", "S1"); !strings.Contains(said, "Give it the date from which it holds") {
		t.Errorf("a rule without a date says %s", said)
	}
	if said := g.hub(0, "mapping", "set", "station", "T1", "--analytic", "Kiosk", "--from", day, "--dry-run"); !strings.Contains(said, "sales:Toys") || !strings.Contains(said, "beside Kiosk") || !strings.Contains(said, "would move: 1") {
		t.Errorf("the dry run says %s", said)
	}
	if said := g.hub(0, "mapping", "set", "sales", "Toys", "--account", "400000", "--from", "2099-01-01", "--dry-run"); !strings.Contains(said, "would move: 0") {
		t.Errorf("the dry run says %s", said)
	}
	g.hub(0, "mapping", "set", "sales", "Toys", "--account", "400000", "--from", "2099-01-01")
	if now, then := g.hub(0, "mapping", "list", "--on", day), g.hub(0, "mapping", "list", "--on", "2099-01-02"); strings.Contains(now, "Toys") || !strings.Contains(then, "Toys") {
		t.Errorf("on %s: %s\nin 2099: %s", day, now, then)
	}
	history := g.hub(0, "mapping", "history")
	for _, words := range []string{"discount:*", "as ever", "plan " + p.Hash, "sales:Toys from 2099-01-01", "new"} {
		if !strings.Contains(history, words) {
			t.Errorf("the history does not say %q:\n%s", words, history)
		}
	}
	if some := g.hub(0, "mapping", "history", "--role", "discount"); strings.Count(some, "\n") != 1 {
		t.Errorf("of discounts: %s", some)
	}
}
