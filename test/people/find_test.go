package people_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// A controller has a number in the hand: of a receipt, a customer, an entry in Odoo. One command says what it is and where it stands, from
// either side, and asks Odoo how it stands now.
func TestAnyNumberIsFoundByOneCommand(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML+"[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	g.startHub()
	g.startAgent()
	g.hub(0, "odoo", "setup")
	day := daysAgo(2)
	g.sell("A-1", "S1", day+"T10:00:00Z", "cash")
	until(t, "the day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	said := g.hub(0, "find", "A-1")
	m := regexp.MustCompile(`document (\S+), verified: account\.move/(\d+)  (\S+)  posted  `).FindStringSubmatch(said)
	if m == nil || m[1] != "S1/"+day+"/1" || !strings.Contains(said, "ticket  A-1  S1  "+day) || !strings.Contains(said, "http://"+g.odoo) {
		t.Fatalf("the ticket says %s", said)
	}
	for _, what := range []string{m[1], "account.move/" + m[2], m[3], "S1 " + day} {
		if said := g.hub(0, "find", what); !strings.Contains(said, "document  S1/"+day+"/1") || !strings.Contains(said, "ticket A-1 ") || !strings.Contains(said, m[3]) {
			t.Errorf("%s says %s", what, said)
		}
	}
	if said := g.hub(0, "find", "C7"); !strings.Contains(said, "customer  C7") || !strings.Contains(said, "ticket A-1 ") {
		t.Errorf("the customer says %s", said)
	}
	if said := g.hub(1, "find", "Z-9"); !strings.Contains(said, "card payments") || !strings.Contains(said, "entries in Odoo at http://"+g.odoo) {
		t.Errorf("what is not there says %s", said)
	}
	var found struct {
		Found []struct {
			Kind      string
			Documents []struct {
				Odoo struct {
					Model, State string
					ID           int64
				}
			}
		}
	}
	g.ok(json.Unmarshal([]byte(g.hub(0, "find", "A-1", "--json")), &found))
	if len(found.Found) != 1 || found.Found[0].Kind != "ticket" || len(found.Found[0].Documents) != 1 || fmt.Sprint(found.Found[0].Documents[0].Odoo) != "{account.move posted "+m[2]+"}" {
		t.Errorf("in JSON it is %+v", found)
	}
	// Odoo goes away: what was read back last is shown, and said to be that.
	g.stopOdoo()
	if said := g.hub(0, "find", "A-1"); !strings.Contains(said, "read back last") || !strings.Contains(said, "account.move/"+m[2]) {
		t.Errorf("without Odoo it says %s", said)
	}
}
