package people_test

import (
	"strings"
	"testing"
	"time"
)

// Head office says once what becomes of gift cards; the month's document is made by the hub, stands in Odoo, and is made once.
func TestAMonthsGiftCardsAreBookedByThePolicy(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	g.startHub()
	g.startAgent()
	if said := g.hub(0, "giftcard", "policy"); !strings.Contains(said, "There is none") {
		t.Errorf("before there is one: %s", said)
	}
	month := time.Now().UTC().AddDate(0, 0, -4).AddDate(0, 0, 1-time.Now().UTC().AddDate(0, 0, -4).Day()).AddDate(0, -1, 0) // the last that was over four days ago
	g.sell("G-1", "S1", month.Format("2006-01")+"-15T10:00:00Z", "gift_card")
	g.hub(0, "odoo", "setup")
	until(t, "the day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	set := []string{"giftcard", "policy", "set", "--at", "S1", "--from", month.Format("2006-01-02"), "--rate", "50"}
	if said := g.hub(1, set...); !strings.Contains(said, "say why") {
		t.Errorf("without a reason: %s", said)
	}
	if said := g.hub(1, append(set, "--dormancy", "36", "--reason", "both")...); !strings.Contains(said, "Nothing was changed") {
		t.Errorf("breakage and escheat: %s", said)
	}
	g.hub(0, append(set, "--reason", "a study")...)
	if said := g.hub(0, "giftcard", "policy"); !strings.Contains(said, "50 percent") || !strings.Contains(said, month.Format("2006-01-02")) {
		t.Errorf("the policy: %s", said)
	}
	if said := g.hub(0, "giftcard", "close"); !strings.Contains(said, "1 months") {
		t.Errorf("closing says %s", said)
	}
	name := "giftcards-breakage-" + month.Format("2006-01")
	until(t, "the month's document in Odoo", func() bool {
		said, ok := g.try(0, "find", name)
		return ok && strings.Contains(said, "verified: account.move/")
	})
	if said := g.hub(0, "giftcard", "close"); !strings.Contains(said, "Nothing was to do") {
		t.Errorf("closing again says %s", said)
	}
	if said := g.hub(1, append(set, "--reason", "another study")...); !strings.Contains(said, name+" is booked") {
		t.Errorf("a policy under what is booked: %s", said)
	}
}
