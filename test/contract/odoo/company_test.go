package odoo_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// secondName is a company that the tests make once on a real server.
const secondName = "Tillpost Second Company"

// withSecond runs a case on every server with a second company that the user may work in.
func withSecond(t *testing.T, f func(t *testing.T, s server)) {
	for _, v := range []int{17, 18, 19} {
		t.Run(fmt.Sprintf("fake %d", v), func(t *testing.T) { f(t, newFakeSecond(t, v)) })
	}
	t.Run("real", func(t *testing.T) {
		url := os.Getenv("ODOO_URL")
		if url == "" {
			t.Skip("ODOO_URL is not set: no real Odoo to run against")
		}
		s := realServer(url)
		s.person(t).second(s)
		f(t, s)
	})
}

func newFakeSecond(t *testing.T, version int) server {
	return serve(t, fake.Options{Version: version, Second: secondName})
}

// second finds or makes the second company with a chart of its own, and lets the user work in it while the test runs.
func (p person) second(s server) {
	p.t.Helper()
	raw := s.caller(p.t, s.admin, s.adminKey)
	rows, _ := p.do("res.company", "search_read", []any{[]any{[]any{"name", "=", secondName}}}, map[string]any{"fields": []string{"name"}}).([]any)
	var id int64
	if len(rows) > 0 {
		id, _ = rows[0].(map[string]any)["id"].(int64)
	} else {
		mine := p.do("res.company", "read", []any{[]int64{p.company}}, map[string]any{"fields": []string{"currency_id", "country_id"}}).([]any)[0].(map[string]any)
		ref := func(v any) any {
			if l, ok := v.([]any); ok {
				return l[0]
			}
			return false
		}
		made := p.do("res.company", "create", []any{[]any{map[string]any{"name": secondName, "currency_id": ref(mine["currency_id"]), "country_id": ref(mine["country_id"])}}}, nil).([]any)
		id, _ = made[0].(int64)
	}
	journals, _ := p.do("account.journal", "search_read", []any{[]any{[]any{"company_id", "=", id}}}, map[string]any{"fields": []string{"code"}, "context": map[string]any{"allowed_company_ids": []int64{id}}}).([]any)
	if len(journals) == 0 {
		a := raw.call(p.t.Context(), "account.chart.template", "try_loading", []any{[]int64{}, "generic_coa", id}, map[string]any{"install_demo": false})
		if !a.ok() && !strings.Contains(a.words, "cannot marshal None") {
			p.t.Fatalf("no chart for the second company: %s", a)
		}
	}
	uid, _, err := s.client(p.t).Login(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.do("res.users", "write", []any{[]int64{uid}, map[string]any{"company_ids": []any{[]any{4, id}}}}, nil)
	p.t.Cleanup(func() {
		_, _ = p.c.Call(context.Background(), "res.users", "write", []any{[]int64{uid}, map[string]any{"company_ids": []any{[]any{3, id}}}}, nil)
	})
}

func TestDocumentsGoToTheBooksOfTheirLocationsCompany(t *testing.T) {
	withSecond(t, func(t *testing.T, s server) {
		p := s.person(t)
		first, err := s.setup(t)
		if err != nil {
			t.Fatal(err)
		}
		set := mapping.Set{Rules: first.Rules, Version: 1}
		other := s
		other.cfg.Company = secondName
		o := options
		o.Have, o.Books = set, first.Books
		rep, err := odoo.Setup(t.Context(), other.client(t), o)
		if err != nil || rep.Company != secondName || rep.Books != first.Books || len(rep.Rules) > 0 {
			t.Fatalf("the second company is not set up by the rules of the first: %+v %v, want %+v", rep, err, first.Books)
		}
		if c, err := odoo.Check(t.Context(), other.client(t), o, rep.Books.Journal, []odoo.Location{{Code: "S-NY", Currency: "USD", Company: secondName}}); err != nil || !c.Good() {
			t.Errorf("check of the second company: %+v %v", c, err)
		}
		strange := s
		strange.cfg.Company = "No Such Company"
		if c, err := odoo.Check(t.Context(), strange.client(t), o, rep.Books.Journal, nil); err != nil || c.Good() || len(c.Wrong) != 1 || !strings.Contains(c.Wrong[0], "No Such Company") {
			t.Errorf("check of a company that is not there: %+v %v", c, err)
		}

		doc := func(n int) rollup.Document { return document(t, set, first.Books, "S-NY", today.AddDays(-n)) }
		here, there, nowhere := doc(0), doc(1), doc(2)
		box, hub := newOutbox(here, there, nowhere), newHub()
		box.tasks[there.ID()].Company, box.tasks[nowhere.ID()].Company = secondName, "No Such Company"
		w, c := s.writer(t, box, hub)
		step(t, w)
		want(t, box.outcome(here), odoo.Done)
		want(t, box.outcome(there), odoo.Done)
		want(t, box.outcome(nowhere), odoo.Wait)
		if u := box.outcome(nowhere); u.Case == nil || u.Case.Cause != cases.Parked || !strings.Contains(u.Why, "No Such Company") || !strings.Contains(u.Why, "S-NY") {
			t.Errorf("an unknown company says %q %+v", u.Why, u.Case)
		}
		box.tasks[nowhere.ID()].Company = secondName // corrected
		calls := c.Calls()
		step(t, w)
		want(t, box.outcome(nowhere), odoo.Done)
		if n := c.Calls() - calls; n != steady {
			t.Errorf("a store-day of a second company costs %d calls, want %d", n, steady)
		}
		for d, name := range map[string]string{here.ID(): "", there.ID(): secondName, nowhere.ID(): secondName} {
			k := box.tasks[d]
			at := p.do("account.move", "read", []any{[]int64{k.Move}}, map[string]any{"fields": []string{"company_id", "state"}}).([]any)[0].(map[string]any)
			ref, _ := at["company_id"].([]any)
			if ref[0] != k.Home || at["state"] != "posted" || (ref[1] == secondName) != (name == secondName) {
				t.Errorf("%s stands in %v, %v; it is kept as of company %d", d, ref, at["state"], k.Home)
			}
		}

		// Once it stands there a document is known by its company's id, whatever its location says later.
		box.tasks[there.ID()].done, box.tasks[there.ID()].Company = false, ""
		step(t, w)
		want(t, box.outcome(there), odoo.Done)
		again, _ := s.writer(t, box, hub) // with no chart known
		if n, err := again.Look(t.Context(), time.Time{}); err != nil || n != 3 {
			t.Errorf("the later look read %d: %v", n, err)
		}
		for _, d := range []rollup.Document{here, there, nowhere} {
			want(t, box.outcome(d), odoo.Done)
		}

		// A restored hub finds each in its company, and none twice.
		blank, _ := s.writer(t, newOutbox(), hub)
		own, err := blank.Own(t.Context(), secondName)
		homes := map[string]int64{}
		for _, a := range own {
			homes[a.Document.ID()] = a.Home
		}
		if err != nil || len(own) != 3 || homes[here.ID()] != box.tasks[here.ID()].Home || homes[there.ID()] != box.tasks[there.ID()].Home || homes[here.ID()] == homes[there.ID()] {
			t.Errorf("own entries: %v %v", homes, err)
		}

		// Each company has its own lock dates.
		late, open := doc(4), doc(5)
		box.tasks[late.ID()], box.tasks[open.ID()] = &task{Task: odoo.Task{Document: late, Date: late.Date, Company: secondName}}, &task{Task: odoo.Task{Document: open, Date: open.Date}}
		company := []int64{box.tasks[there.ID()].Home}
		p.do("res.company", "write", []any{company, map[string]any{"fiscalyear_lock_date": string(today.AddDays(-3))}}, nil)
		t.Cleanup(func() {
			_, _ = p.c.Call(context.Background(), "res.company", "write", []any{company, map[string]any{"fiscalyear_lock_date": false}}, nil)
		})
		step(t, w)
		want(t, box.outcome(open), odoo.Done)
		want(t, box.outcome(late), odoo.Wait)
		if u := box.outcome(late); u.Case == nil || u.Case.Cause != cases.LockedPeriod {
			t.Errorf("a period closed in the second company alone: %+v", u)
		}
	})
}
