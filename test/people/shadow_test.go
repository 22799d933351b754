package people_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
)

// TestGoingLive runs beside the old way: nothing is posted, the old way's entry is compared to the cent, and when the location goes over, only its
// days from the date named on are posted, whatever else happens.
func TestGoingLive(t *testing.T) {
	g := newRig(t)
	location := "[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n"
	g.hubSettings("info", postingTOML+"shadow = true\n"+location)
	g.startHub()
	g.startAgent()
	g.hub(0, "odoo", "setup")
	first, second := day(-3), day(-2)
	g.sell("A-1", "S1", first+"T10:00:00Z", "cash")
	g.sell("A-2", "S1", second+"T10:00:00Z", "cash")
	until(t, "two days in shadow", func() bool { return strings.Count(g.hub(0, "days"), "nothing is posted while") == 2 })
	rep := g.shadow("S1", "--from", first, "--to", second)
	if len(rep.Days) != 2 || !rep.Days[0].Missing || len(rep.Days[0].Lines) != 2 || rep.Same != 0 {
		t.Fatalf("before the old way has posted: %+v", rep)
	}
	g.old(first, rep.Days[0].Lines, 0)
	g.old(second, rep.Days[1].Lines, 1)
	rep = g.shadow("S1", "--from", first, "--to", second)
	if a, b := rep.Days[0], rep.Days[1]; rep.Same != 1 || a.Missing || !a.Difference.IsZero() || b.Difference.String() != "2.00 USD" || len(b.Entries) != 1 {
		t.Fatalf("after it: %+v", rep)
	}
	if out := g.hub(0, "shadow", "S1", "--from", second, "--to", second, "--csv"); strings.Count(out, second+",S1,shadow,") != 2 || !strings.Contains(out, ",1.00,") {
		t.Errorf("as CSV: %s", out)
	}
	g.hubSettings("info", postingTOML+location) // shadow is over; both days and today had begun
	until(t, "the end of shadow", func() bool { return strings.Count(g.hub(0, "days"), "before shadow ended") == 2 })
	g.hub(0, "day", "approve", "S1", first, "--reason", "tried")
	g.hub(0, "location", "set", "S1", "--shadow-until", second)
	until(t, "the day from which it is posted", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	if out := g.hub(0, "days"); strings.Count(out, "verified") != 1 || !strings.Contains(out, "this location is posted from "+second) {
		t.Errorf("the days: %s", out)
	}
	if out := g.hub(1, "location", "set", "S1", "--shadow-until", ""); strings.Contains(out, "confirmed") {
		t.Errorf("the first day was forgotten: %s", out)
	}
}

func day(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }

func (g *rig) shadow(args ...string) (rep view.ShadowReport) {
	g.t.Helper()
	g.ok(json.Unmarshal([]byte(g.hub(0, append([]string{"shadow", "--json"}, args...)...)), &rep))
	return rep
}

// old posts a day by hand, as the way before Tillpost did, with so many dollars less.
func (g *rig) old(date string, lines []view.ShadowLine, less int64) {
	g.t.Helper()
	c, err := odoo.New(odoo.Config{URL: "http://" + g.odoo, Database: "odoo", User: "admin", Key: func() (string, error) { return "admin", nil }})
	g.ok(err)
	find := func(model, code string) int64 {
		rows, err := c.Call(g.t.Context(), model, "search_read", []any{[]any{[]any{"code", "=", code}}}, map[string]any{"fields": []string{"code"}})
		g.ok(err)
		list, _ := rows.([]any)
		if len(list) == 0 {
			g.t.Fatalf("no %s %s", model, code)
		}
		id, _ := list[0].(map[string]any)["id"].(int64)
		return id
	}
	of := map[string]any{strconv.FormatInt(find("account.analytic.account", "S1"), 10): 100}
	var items []any
	for _, l := range lines {
		n := l.Ours.Minor / 100
		item := map[string]any{"account_id": find("account.account", l.Account), "name": "Z report", "debit": max(n-less, 0), "credit": max(-n-less, 0), "analytic_distribution": of}
		items = append(items, []any{0, 0, item})
	}
	move, err := c.Call(g.t.Context(), "account.move", "create", []any{map[string]any{"move_type": "entry", "journal_id": find("account.journal", "MISC"), "date": date, "line_ids": items}}, nil)
	g.ok(err)
	_, err = c.Call(g.t.Context(), "account.move", "action_post", []any{[]int64{move.(int64)}}, nil)
	g.ok(err)
}
