package people_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// A controller lets a location's days go as receipts, as invoices, and ticket by ticket: each is set up, proven, taken back, released, and the day that is posted
// keeps its mode when the location goes another way.
func TestDaysGoAsReceiptsInvoicesAndTickets(t *testing.T) {
	for mode, next := range map[string]string{"receipt": "entry", "invoice": "receipt", "ticket": "invoice"} {
		t.Run(mode, func(t *testing.T) {
			g := newRig(t)
			g.hubSettings("info", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
			g.startHub()
			g.startAgent()
			g.hub(0, "location", "set", "S1", "--posting", mode)
			shown := g.hub(0, "odoo", "setup", "--plan")
			for _, words := range []string{"create journal TPOSR", "create journal TPOSP", "create customer S1", "create payment method TPOSP Till cash (in)", "receipts and invoices in TPOSR"} {
				if !strings.Contains(shown, words) {
					t.Errorf("the plan does not say %q:\n%s", words, shown)
				}
			}
			g.hub(0, "odoo", "setup", "--apply")
			if said := g.hub(0, "odoo", "check"); !strings.Contains(said, "can be posted") {
				t.Errorf("check says %s", said)
			}
			day := time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02")
			g.sell("A-1", "S1", day+"T10:00:00Z", "cash")
			until(t, "the day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
			proven := func(when string) {
				t.Helper()
				if said := g.hub(0, "books", "verify"); !strings.Contains(said, "Every document stands in Odoo as it was sent") {
					t.Errorf("%s the proof says %s", when, said)
				}
			}
			proven("posted,")
			g.hub(0, "location", "set", "S1", "--posting", next) // what is posted is not posted again
			g.sell("A-2", "S1", day+"T11:00:00Z", "cash")
			stands := func(what string, words ...string) {
				t.Helper()
				until(t, what, func() bool {
					said := g.hub(0, "day", "S1", day)
					for _, w := range append(words, "verified") {
						if !strings.Contains(said, w) {
							return false
						}
					}
					return strings.Contains(g.hub(0, "days"), "verified") && !strings.Contains(said, "posting")
				})
			}
			late, back, anew := "/2 delta", "/3 reverse", "/4 delta"
			if mode == "ticket" { // tickets are shown together; what takes them back is the day's own
				late, back, anew = "2 of its tickets", "/1 reverse", "/2 delta"
			}
			stands("the late ticket in Odoo", late)
			if said := g.hub(0, "location", "list"); !strings.Contains(said, "as "+next) {
				t.Errorf("the location says %s", said)
			}
			proven("with a late ticket,")
			g.hub(0, "day", "reverse", "S1", day, "--reason", "the store counted a wrong till")
			stands("the counter-document in Odoo", back, "taken back")
			proven("taken back,")
			g.hub(0, "day", "release", "S1", day, "--reason", "counted again")
			stands("the day booked anew", anew)
			proven("booked anew,")
		})
	}
}

// What statuses mean is shown, changed with a reason, and refused without.
func TestStatusesAreShownAndChanged(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML)
	g.startHub()
	if said := g.hub(0, "odoo", "states"); !strings.Contains(said, "Declined  posted    open") {
		t.Errorf("it says %s", said)
	}
	g.hub(1, "odoo", "states", "set", "Approved", "--payment", "open")
	g.hub(1, "odoo", "states", "set", "Approved", "--payment", "maybe", "--reason", "why not")
	g.hub(0, "odoo", "states", "set", "Approved", "--payment", "open", "--reason", "only settled money is money")
	if said := g.hub(0, "odoo", "states"); !strings.Contains(said, "Approved  posted    open     changed") {
		t.Errorf("it says %s", said)
	}
}

// A status that says otherwise than before moves a ticket's payment in Odoo by a payment of its own, which any of its numbers finds; the receipt stays.
func TestAStatusThatChangesMovesThePayment(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	g.startHub()
	g.startAgent()
	g.hub(0, "location", "set", "S1", "--posting", "ticket")
	g.hub(0, "odoo", "setup", "--plan")
	g.hub(0, "odoo", "setup", "--apply")
	g.hub(0, "odoo", "states", "set", "Sale", "--payment", "open", "--reason", "cash counts once it is counted")
	day := daysAgo(2)
	g.sell("A-1", "S1", day+"T10:00:00Z", "cash")
	until(t, "the unpaid receipt", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	found := func() string { return g.hub(0, "find", "A-1") }
	documents := regexp.MustCompile(`document (\S+), verified: account\.move/(\d+)  (\S+)  posted`)
	if m := documents.FindAllStringSubmatch(found(), -1); len(m) != 1 || !strings.HasPrefix(m[0][3], "TPOSR/") {
		t.Fatalf("at first it says %s", found())
	}
	g.hub(0, "odoo", "states", "set", "Sale", "--payment", "paid", "--reason", "it is counted")
	until(t, "the payment", func() bool { return len(documents.FindAllString(found(), -1)) == 2 })
	m := documents.FindAllStringSubmatch(found(), -1)[1]
	if !strings.HasPrefix(m[3], "PTPOSP/") || !strings.HasSuffix(m[1], "/2") {
		t.Errorf("paid, it says %s", found())
	}
	for _, what := range []string{m[1], m[3], "account.move/" + m[2]} {
		if said := g.hub(0, "find", what); !strings.Contains(said, "document  "+m[1]) || !strings.Contains(said, m[3]) || !strings.Contains(said, "ticket A-1 ") {
			t.Errorf("%s says %s", what, said)
		}
	}
	if said := g.hub(0, "books", "verify"); !strings.Contains(said, "Every document stands in Odoo as it was sent") {
		t.Errorf("the proof says %s", said)
	}
	g.hub(0, "odoo", "states", "set", "Sale", "--payment", "open", "--reason", "it was miscounted")
	until(t, "the payment taken back", func() bool { return len(documents.FindAllString(found(), -1)) == 3 })
	if said := g.hub(0, "books", "verify"); !strings.Contains(said, "Every document stands in Odoo as it was sent") {
		t.Errorf("taken back, the proof says %s", said)
	}
}
