package line_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

// TestShadowReadsALocationsOwnDatabase: S1 posts to a second Odoo, and so does its old way. What stands there is compared, and not the first one.
func TestShadowReadsALocationsOwnDatabase(t *testing.T) {
	first, second := odoos(t), odoos(t)
	c := line.BooksConfig(t.TempDir())
	c.Posting.Grace, c.Posting.Settle, c.Posting.Shadow = config.Duration(1000*time.Hour), 0, true
	var err error
	if c.Odoo, err = first.Config(c.DataDir); err != nil {
		t.Fatal(err)
	}
	west, err := second.Config(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	west.Locations = []retail.LocationCode{"S1"}
	c.Odoo.Also = map[string]app.OdooConfig{"west": west}
	h, err := line.StartBooks(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Stop()
	a := agent(t, t.TempDir(), h.Broker.URL())
	defer a.Stop()
	day := retail.DateOf(time.Now().AddDate(0, 0, -6))
	if err := a.Buffer.Append(t.Context(), "till", "", storeDay(t, day, 0, 4)); err != nil {
		t.Fatal(err)
	}
	report := func() view.ShadowReport {
		t.Helper()
		rep, err := h.ShadowReport(t.Context(), view.ReviewFilter{From: day, To: day})
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	var rep view.ShadowReport
	until(t, "the day in shadow", func() bool {
		rep = report()
		return len(rep.Days) == 1 && len(rep.Days[0].Lines) > 1 && rep.Days[0].State == "shadow"
	})
	if !rep.Days[0].Missing {
		t.Fatalf("before anybody has posted: %+v", rep)
	}
	old(t, west, string(day), rep.Days[0].Lines)
	if rep = report(); rep.Same != 1 || !rep.Days[0].Difference.IsZero() || len(rep.Days[0].Entries) != 1 {
		t.Errorf("the old way has posted the same in the location's own database: %+v", rep)
	}
	second.Close()
	if _, err := h.ShadowReport(t.Context(), view.ReviewFilter{From: day, To: day}); err == nil || !strings.Contains(err.Error(), "old way") {
		t.Errorf("the location's own database is away, and the report says %v", err)
	}
}

// old posts lines in one entry, as the way before Tillpost did.
func old(t *testing.T, o app.OdooConfig, date string, lines []view.ShadowLine) {
	t.Helper()
	c, err := odoo.New(odoo.Config{URL: o.URL, Database: o.Database, User: "admin", Key: func() (string, error) { return "admin", nil }})
	if err != nil {
		t.Fatal(err)
	}
	call := func(model, method string, args []any, kw map[string]any) any {
		t.Helper()
		v, err := c.Call(t.Context(), model, method, args, kw)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	find := func(model, code string) int64 {
		t.Helper()
		rows, _ := call(model, "search_read", []any{[]any{[]any{"code", "=", code}}}, map[string]any{"fields": []string{"code"}}).([]any)
		if len(rows) == 0 {
			t.Fatalf("there is no %s %s", model, code)
		}
		id, _ := rows[0].(map[string]any)["id"].(int64)
		return id
	}
	var rows []any
	for i, l := range lines {
		head := []string{"", "", "", ""}
		if i == 0 {
			head = []string{"byhand.z", "entry", strconv.FormatInt(find("account.journal", "MISC"), 10), date}
		}
		debit, credit := l.Ours.Decimal(), "0"
		if l.Ours.Minor < 0 {
			debit, credit = "0", l.Ours.Neg().Decimal()
		}
		rows = append(rows, append(head, strconv.FormatInt(find("account.account", l.Account), 10), "Z report", debit, credit, fmt.Sprintf(`{"%d":100}`, find("account.analytic.account", "S1"))))
	}
	made, _ := call("account.move", "load", []any{[]string{"id", "move_type", "journal_id/.id", "date", "line_ids/account_id/.id", "line_ids/name", "line_ids/debit", "line_ids/credit", "line_ids/analytic_distribution"}, rows}, nil).(map[string]any)
	ids, _ := made["ids"].([]any)
	if len(ids) != 1 {
		t.Fatalf("the old way's entry was refused: %v", made)
	}
	move := ids[0]
	call("account.move", "action_post", []any{[]int64{move.(int64)}}, nil)
}
