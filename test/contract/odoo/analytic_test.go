package odoo_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// analyticPlan makes a plan with accounts of these names, and returns the plan's name and id.
func (s server) analyticPlan(t *testing.T, accounts ...string) (name string, id int64) {
	t.Helper()
	name = "Plan " + envelope.NewEpoch().String()[:8]
	id = s.make(t, "account.analytic.plan", map[string]any{"name": name})
	for _, a := range accounts {
		s.make(t, "account.analytic.account", map[string]any{"name": a, "plan_id": id})
	}
	return name, id
}

func (s server) make(t *testing.T, model string, values map[string]any) int64 {
	t.Helper()
	got, err := s.client(t).Call(t.Context(), model, "create", []any{[]any{values}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l, ok := got.([]any); ok && len(l) == 1 {
		got = l[0]
	}
	n, _ := got.(int64)
	return n
}

// beside reads what stands beside each item of a document: how many analytic accounts, by label, sorted.
func (s server) beside(t *testing.T, hub envelope.HubID, d rollup.Document) map[string][]int {
	t.Helper()
	got, err := s.client(t).Call(t.Context(), "account.move.line", "search_read", []any{[]any{[]any{"ref", "=", odoo.Ref(hub, d)}}}, map[string]any{"fields": []string{"name", "analytic_distribution"}})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]int{}
	for _, r := range got.([]any) {
		m := r.(map[string]any)
		name, _ := m["name"].(string)
		shares, _ := m["analytic_distribution"].(map[string]any)
		for key := range shares {
			out[name] = append(out[name], strings.Count(key, ",")+1)
		}
		slices.Sort(out[name])
	}
	return out
}

func TestSeveralPlansStandBesideALineAndComeBackTheSame(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		departments, _ := s.analyticPlan(t, "Apparel", "Books")
		channels, _ := s.analyticPlan(t, "Kiosk")
		set.Rules = append(slices.Clone(set.Rules), mapping.Rule{Role: mapping.Category, Code: "Apparel", Target: mapping.Target{Analytic: departments + "/Apparel"}},
			mapping.Rule{Role: mapping.Station, Code: "K1", Target: mapping.Target{Analytic: channels + "/Kiosk"}})
		usd := func(n int64) money.Amount { return money.Of(n, "USD") }
		key := rollup.DayKey{Location: "S-NY", Day: today}
		totals := rollup.Totals{"sales:Apparel": usd(-10000), "sales:Books": usd(-2999), "returns:Apparel": usd(1000), "tax:NY State": usd(-480), "tender:cash": usd(12479)}
		kiosk := rollup.Parts{channels + "/Kiosk": {"sales:Apparel": usd(-4000), "tender:cash": usd(4000)}}
		made := func(posted ...rollup.Document) (rollup.Document, bool) {
			sheet, err := rollup.MapParts(key, totals, kiosk, set, b)
			if err != nil {
				t.Fatal(err)
			}
			d, ok, err := rollup.Next(key, today, sheet, posted, b, 12, set, "")
			if err != nil {
				t.Fatal(err)
			}
			return d, ok
		}
		d, _ := made()
		o, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		if o.outcome(d).Read.Difference != 0 {
			t.Errorf("read back: %+v", o.outcome(d).Read)
		}
		got := s.beside(t, hub, d)
		for label, n := range map[string][]int{"sales:Apparel": {2, 3}, "returns:Apparel": {2}, "sales:Books": {1}, "tax:NY State": {1}, "tender:cash": {1}} {
			if !slices.Equal(got[label], n) {
				t.Errorf("%s: analytic accounts %v, want %v", label, got[label], n)
			}
		}

		// A restored hub knows what stood beside, by the names that its rules use: nothing is left to say.
		blank, _ := s.writer(t, newOutbox(), hub)
		own, err := blank.Own(t.Context())
		if err != nil || len(own) != 1 {
			t.Fatalf("found %d entries: %v", len(own), err)
		}
		back := own[0].Document
		for i := range back.Lines {
			back.Lines[i].Analytic = set.Calls(back.Lines[i].Analytic, own[0].Called)
		}
		if next, again := made(back); again {
			t.Errorf("what was adopted differs from what was sent: %+v", next.Lines)
		}
	})
}

func TestWhatStandsBesideALineAndIsNotInOdooWaits(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		_, plan := s.analyticPlan(t)
		name := "Dept " + envelope.NewEpoch().String()[:8]
		beside := func(names string) rollup.Document {
			more := mapping.Set{Version: 2, Rules: append(slices.Clone(set.Rules), mapping.Rule{Role: mapping.Category, Code: "Apparel", Target: mapping.Target{Analytic: names}})}
			return document(t, more, b, "S-NY", today.AddDays(-1))
		}
		d, o, hub := beside(name), (*outbox)(nil), newHub()
		o = newOutbox(d)
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if why := o.outcome(d).Why; !strings.Contains(why, name) || !strings.Contains(why, "change the rule") {
			t.Errorf("it says %q", why)
		}
		s.make(t, "account.analytic.account", map[string]any{"name": name, "plan_id": plan})
		w, _ = s.writer(t, o, hub) // it reads names anew, as one does that has known them for a minute
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)

		// Of the plan in which the locations stand there is no place for another.
		clash := beside("S 2/ä")
		o = newOutbox(clash)
		w, _ = s.writer(t, o, newHub())
		step(t, w)
		want(t, o.outcome(clash), odoo.Wait)
		if why := o.outcome(clash).Why; !strings.Contains(why, "an item has one of each plan") || !strings.Contains(why, "Apparel") {
			t.Errorf("it says %q", why)
		}
		// Check says both before any document does.
		rep, err := odoo.Check(t.Context(), s.client(t), odoo.SetupOptions{Locations: options.Locations, Have: mapping.Set{Rules: []mapping.Rule{
			{Role: mapping.Category, Code: "Apparel", Target: mapping.Target{Analytic: "nothing like it"}},
			{Role: ledger.Sales, Code: "Books", Target: mapping.Target{Account: b.Suspense, Analytic: "S 2/ä"}},
			{Role: mapping.Location, Code: "S-NY", Target: mapping.Target{Journal: "NOPE", Warehouse: "NO"}},
			{Role: ledger.Tender, Code: "cash", Target: mapping.Target{Account: b.Suspense, Journal: "NOPE2"}},
		}}}, b.Journal, nil)
		if err != nil {
			t.Fatal(err)
		}
		said := strings.Join(append(rep.Lacks, rep.Wrong...), "\n")
		for _, words := range []string{"nothing like it", "S 2/ä", "journal NOPE for location:S-NY", "journal NOPE2 for tender:cash", "warehouse NO for location:S-NY"} {
			if !strings.Contains(said, words) {
				t.Errorf("check does not say %q: %s", words, said)
			}
		}
	})
}

func TestALocationsRuleStandsInPlaceOfItsOwnAccount(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		regions, _ := s.analyticPlan(t, "East")
		set.Rules = append(slices.Clone(set.Rules), mapping.Rule{Role: mapping.Location, Code: "S-NY", Target: mapping.Target{Analytic: "S 2/ä; " + regions + "/East"}})
		d := document(t, set, b, "S-NY", today.AddDays(-2))
		o, hub := newOutbox(d), newHub()
		w, c := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
		for label, n := range s.beside(t, hub, d) {
			if !slices.Equal(n, []int{2}) {
				t.Errorf("%s: analytic accounts %v", label, n)
			}
		}
		got, err := c.Call(t.Context(), "account.move.line", "search_read", []any{[]any{[]any{"ref", "=", odoo.Ref(hub, d)}}}, map[string]any{"fields": []string{"analytic_distribution"}, "limit": 1})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := c.Call(t.Context(), "account.analytic.account", "search_read", []any{[]any{[]any{"code", "=", "S 2/ä"}}}, map[string]any{"fields": []string{"code"}})
		if err != nil || len(rows.([]any)) == 0 {
			t.Fatal(err)
		}
		var codes []retail.LocationCode
		for key := range got.([]any)[0].(map[string]any)["analytic_distribution"].(map[string]any) {
			for _, r := range rows.([]any) {
				m := r.(map[string]any)
				if n, _ := m["id"].(int64); slices.Contains(strings.Split(key, ","), strconv.FormatInt(n, 10)) {
					code, _ := m["code"].(string)
					codes = append(codes, retail.LocationCode(code))
				}
			}
		}
		if !slices.Equal(codes, []retail.LocationCode{"S 2/ä"}) {
			t.Errorf("the other location's account is not beside it: %v", codes)
		}
	})
}
