package people_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A period is closed in Odoo before a store's day comes. The location says what becomes of it, a person confirms the date that the case
// offers, and every screen shows both dates; then the location's days go there by themselves.
func TestADayOfAClosedPeriodByCommands(t *testing.T) {
	g := newRig(t)
	g.hubSettings("info", postingTOML+"closed_period = 'ask'\n[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	if said := g.hub(0, "config", "print"); !strings.Contains(said, `closed_period = 'ask'`) {
		t.Errorf("the settings in force are %s", said)
	}
	g.startHub()
	g.startAgent()
	g.hub(0, "odoo", "setup")
	day, open := daysAgo(4), daysAgo(1)
	g.lock(daysAgo(2))
	g.sell("A-1", "S1", day+"T10:00:00Z", "cash")
	until(t, "the question about the closed period", func() bool { return strings.Contains(g.hub(0, "cases"), "locked_period:S1/"+day+"/1") })
	said := g.hub(0, "cases")
	confirm := regexp.MustCompile(`hub case "([^"]+)" retry --date (\S+)`).FindStringSubmatch(said)
	if confirm == nil || confirm[2] != open || !strings.Contains(said, "global lock") {
		t.Fatalf("the case offers nothing to confirm on %s:\n%s", open, said)
	}
	g.hub(0, "case", confirm[1], "retry", "--date", confirm[2])
	until(t, "the day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	if said := g.hub(0, "day", "S1", day); !strings.Contains(said, "dated "+open+" instead of "+day) {
		t.Errorf("the day says %s", said)
	}

	g.hub(0, "location", "set", "S1", "--closed-period", "next")
	if said := g.hub(0, "locations"); !strings.Contains(said, "closed periods: next") {
		t.Errorf("the location says %s", said)
	}
	if said := g.hub(1, "location", "set", "S1", "--closed-period", "never"); !strings.Contains(said, "hold, next and ask") {
		t.Errorf("a word that is none: %s", said)
	}
	other := daysAgo(3)
	g.sell("A-2", "S1", other+"T10:00:00Z", "cash")
	until(t, "the next day in Odoo", func() bool {
		said, _ := g.try(0, "day", "S1", other) // it is not there before its ticket is
		return strings.Contains(said, "dated "+open+" instead of "+other+" (the books are closed up to "+daysAgo(2)+" (global lock))")
	})
	until(t, "nothing to decide", func() bool { return strings.Contains(g.hub(0, "cases"), "Nothing to decide") })
	if said := g.hub(0, "cases", "--all"); !strings.Contains(said, "period_next:S1/"+other+"/1") {
		t.Errorf("there is no note:\n%s", said)
	}
}

func daysAgo(n int) string { return time.Now().UTC().AddDate(0, 0, -n).Format(time.DateOnly) }

// lock closes the books of the fake Odoo up to a date.
func (g *rig) lock(date string) {
	g.t.Helper()
	resp, err := http.PostForm("http://"+g.odoo+"/fake/lock?all="+date, url.Values{})
	g.ok(err)
	resp.Body.Close()
}
