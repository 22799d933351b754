package people_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a tax return reads of Odoo is what the tills told: where they say what is taxed with its base, where they do not without, and the day says so.
func TestTaxesAreProvenPerJurisdiction(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	g.startHub()
	g.startAgent()
	g.hub(0, "odoo", "setup", "--tax", "NY", "--tax", "NYC")
	day := time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02")
	sell := func(id, toys, food string) {
		t.Helper()
		g.ok(g.push(g.api, "/v1/tickets", strings.NewReplacer("ID", id, "DAY", day, "TOYS", toys, "FOOD", food).Replace(`{"id":"ID","number":"ID","location":"S1","till":"T1","at":"DAYT10:00:00Z","currency":"USD","kind":"sale",
			"lines":[{"kind":"item","category":"Toys","amount":"10.00"TOYS},{"kind":"item","category":"Food","amount":"4.00"FOOD},{"kind":"tax","code":"NY","amount":"1.12"},{"kind":"tax","code":"NYC","amount":"0.45"}],
			"tenders":[{"type":"cash","amount":"15.57"}]}`)))
	}
	sell("A-1", `,"taxes":["NY","NYC"]`, `,"taxes":["NY"]`)
	sell("A-2", "", "")
	until(t, "the day in Odoo", func() bool {
		said := g.hub(0, "days")
		return strings.Contains(said, "verified") && strings.Contains(said, "28.00")
	})
	said := g.hub(0, "books", "verify", "--json")
	for _, want := range []string{`"tax": "Till NY"`, `"sold": "2.24 USD"`, `"sold_base": "14.00 USD"`, `"tax": "Till NYC"`, `"sold_base": "10.00 USD"`, `"good": true`} {
		if !strings.Contains(said, want) {
			t.Errorf("%s is missing in %s", want, said)
		}
	}
	if said := g.hub(0, "day", "S1", day); !strings.Contains(said, "1.12 USD of tax NY have no base") || !strings.Contains(said, "0.45 USD of tax NYC") {
		t.Errorf("the day says %s", said)
	}
}

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
	}{"role,code,account\ntender,cash,999999\n": {1, "nothing was changed"}, "role,code,account,from\ntender,cash,999999,2099-01-01\n": {1, `Odoo has no account "999999" in use`},
		"role,code,account,from\ntender,cash,400000,2099-01-01\n": {0, "1 rules would hold, and these lines would move: 0"},
		"role,code,account\nfee,bag,400000\n":                     {0, "1 rules would hold"}} {
		if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if said := g.hub(want.code, "mapping", "import", rules, "--dry-run"); !strings.Contains(said, want.says) {
			t.Errorf("%q: %s", text, said)
		}
	}
	g.hub(1, "day", "S1", day, "revers", "--reason", "a slip")
	g.hub(1, "day", "reverse", "S1", day) // without a reason
	g.hub(1, "day", "S1", day, "reverse")
	g.hub(0, "day", "S1", day, "reverse", "--reason", "the store counted a wrong till")
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
