package odoo_test

import (
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

func target(rs []mapping.Rule, r ledger.Role, code string) mapping.Target {
	for _, m := range rs {
		if m.Role == r && m.Code == code {
			return m.Target
		}
	}
	return mapping.Target{}
}

func TestSetupUsesWhatItIsToldToInsteadOfMakingIt(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		c := s.client(t)
		first := func(model, field string, domain ...any) string {
			got, err := c.Call(t.Context(), model, "search_read", []any{domain}, map[string]any{"fields": []string{field}, "limit": 1, "order": "id"})
			if err != nil || len(got.([]any)) == 0 {
				t.Fatalf("%s: %v %v", model, got, err)
			}
			v, _ := got.([]any)[0].(map[string]any)[field].(string)
			return v
		}
		cash := first("account.account", "code", []any{"account_type", "=", "asset_current"}, []any{"name", "not like", "Till "})
		income := first("account.account", "code", []any{"account_type", "=", "income"}, []any{"name", "not like", "Till "})
		tax := first("account.tax", "name", []any{"type_tax_use", "=", "sale"}, []any{"amount", "=", 15})
		o := options
		o.Journal, o.TaxNames = "MISC", map[string]string{"NY State": tax}
		o.Accounts = map[string]string{"tender:cash": cash, "sales:*": income, "suspense": cash}
		rep, err := odoo.Setup(t.Context(), c, o)
		if err != nil {
			t.Fatal(err)
		}
		if rep.Books.Journal != "MISC" || rep.Books.Suspense != cash {
			t.Errorf("books %+v", rep.Books)
		}
		if got := target(rep.Rules, ledger.Tender, "cash").Account; got != cash {
			t.Errorf("cash goes to %q, want %q", got, cash)
		}
		if got := target(rep.Rules, ledger.Sales, mapping.Any).Account; got != income {
			t.Errorf("sales go to %q, want %q", got, income)
		}
		if got := target(rep.Rules, ledger.Fee, mapping.Any).Account; got == income || got == "" {
			t.Errorf("fees go to %q: only sales were told", got)
		}
		if got := target(rep.Rules, ledger.TaxRefund, "NY State"); got != (mapping.Target{Tax: tax}) {
			t.Errorf("the tax goes to %+v", got)
		}

		// A store-day goes there, with the tax's own account.
		set := mapping.Set{Rules: rep.Rules, Version: 1}
		d := document(t, set, rep.Books, "S-NY", today)
		box, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, box, hub)
		step(t, w)
		want(t, box.outcome(d), odoo.Done)
		s.audit(t, hub, d)
		blank, _ := s.writer(t, newOutbox(), hub)
		if own, err := blank.Own(t.Context()); err != nil || len(own) != 1 || own[0].Document.Journal != "MISC" {
			t.Errorf("found again: %+v %v", own, err)
		}

		for name, bad := range map[string]odoo.SetupOptions{
			"no journal":    {Journal: "NOPE"},
			"a bank's":      {Journal: "BNK1"},
			"no account":    {Accounts: map[string]string{"tender:cash": "nope"}, Tenders: options.Tenders},
			"no such thing": {Accounts: map[string]string{"tender:shells": cash}, Tenders: options.Tenders},
			"no tax":        {Taxes: []string{"NY State"}, TaxNames: map[string]string{"NY State": "nope"}},
			"mapped already": {Accounts: map[string]string{"tender:cash": income}, Tenders: options.Tenders,
				Have: mapping.Set{Rules: []mapping.Rule{{Role: ledger.Tender, Code: "cash", Target: mapping.Target{Account: cash}}}}},
		} {
			if rep, err := odoo.Setup(t.Context(), c, bad); err == nil {
				t.Errorf("%s: it was taken: %+v", name, rep.Books)
			}
		}
	})
}

func TestSetupTurnsAnalyticAccountingOnOrSaysWhoCan(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		s := serve(t, fake.Options{Version: v, NoAnalytic: true})
		rep, err := odoo.Setup(t.Context(), s.client(t), options)
		if err == nil || len(rep.Missing) != 1 || !strings.Contains(rep.Missing[0], "switched off") || !strings.Contains(rep.Missing[0], "administrator") {
			t.Errorf("%d: an ordinary user is told %q %v", v, rep.Missing, err)
		}
		if rep, err = odoo.Setup(t.Context(), s.boss(t), options); err != nil {
			t.Errorf("%d: an administrator: %v", v, err)
		}
		if rep, err = odoo.Setup(t.Context(), s.client(t), options); err != nil || len(rep.Missing) > 0 {
			t.Errorf("%d: afterwards: %q %v", v, rep.Missing, err)
		}
	}
}

func TestADryRunMakesNothingAndSaysWhatWouldBe(t *testing.T) {
	s := newFake(t, 19)
	o := options
	o.DryRun = true
	rep, err := odoo.Setup(t.Context(), s.client(t), o)
	if err != nil || len(rep.Steps) == 0 {
		t.Fatalf("%+v %v", rep, err)
	}
	again, err := odoo.Setup(t.Context(), s.client(t), o)
	if err != nil || len(again.Steps) != len(rep.Steps) {
		t.Errorf("the second dry run says %d things, the first %d: %v", len(again.Steps), len(rep.Steps), err)
	}
	for _, st := range again.Steps {
		if st.Done == "made" {
			t.Errorf("%s was made", st.What)
		}
	}
}

func TestCheckNamesALocationWhoseMoneyOrCompanyIsNotTheBooks(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		if _, err := s.setup(t); err != nil {
			t.Fatal(err)
		}
		rep, err := odoo.Check(t.Context(), s.client(t), options, odoo.Journal, []odoo.Location{{Code: "S-NY", Currency: "USD"}, {Code: "S-TOR", Currency: "CAD"}, {Code: "S-BOS", Currency: "USD", Company: "Another Inc."}})
		if err != nil || rep.Good() || len(rep.Wrong) != 2 {
			t.Fatalf("%+v %v", rep, err)
		}
		for i, words := range [][]string{{"S-TOR", "CAD", "USD"}, {"S-BOS", "Another Inc.", rep.Company}} {
			for _, w := range words {
				if !strings.Contains(rep.Wrong[i], w) {
					t.Errorf("it does not name %s: %s", w, rep.Wrong[i])
				}
			}
		}
		set, b := s.set(t)
		d := document(t, set, b, "S-NY", today)
		d.Currency = "CAD"
		o := newOutbox(d)
		w, _ := s.writer(t, o, newHub())
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if why := o.outcome(d).Why; !strings.Contains(why, "CAD") || !strings.Contains(why, "USD") {
			t.Errorf("it says %q", why)
		}
		rep, err = odoo.Check(t.Context(), s.client(t), options, "INV", nil)
		if err != nil || len(rep.Wrong) != 1 || !strings.Contains(rep.Wrong[0], "sale") {
			t.Errorf("a sales journal: %+v %v", rep, err)
		}
	})
}

// The field for the vendor's ids is made by an administrator, told to whoever may not, and filled from then on.
func TestTheFieldForVendorIDsIsMadeAndFilled(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		o := options
		o.Fields = true
		if !p.marked("account.move") {
			if _, err := odoo.Setup(t.Context(), s.client(t), o); err == nil || !strings.Contains(err.Error(), "create fields") || p.marked("account.move") {
				t.Errorf("a user without the right made it, or was not told: %v", err)
			}
		}
		admin := s.over(odoo.XMLRPC)
		admin.cfg.User, admin.cfg.Key = s.admin, func() (string, error) { return s.adminKey, nil }
		if _, err := odoo.Setup(t.Context(), admin.client(t), o); err != nil {
			t.Fatal(err)
		}
		again, err := odoo.Setup(t.Context(), s.client(t), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range again.Steps {
			if strings.HasPrefix(st.What, "field ") && st.Done != "there" && st.Done != "not installed" {
				t.Errorf("the second run: %s was %s", st.What, st.Done)
			}
		}
		hub := newHub()
		tag := string(hub)[:8]
		x := &slips{t: t, set: set, b: b, key: rollup.DayKey{Location: "S-NY", Day: today}, now: map[string]rollup.Slipped{}}
		box := newOutbox()
		w, c := s.writer(t, box, hub)
		x.put(tag+"-1", "cash", 1000, 80, func(k *rollup.Slipped) { k.Customer = "C-" + tag })
		day := document(t, set, b, "S 2/ä", today)
		box.tasks[day.ID()] = &task{Task: odoo.Task{Document: day, Date: day.Date}}
		x.book(box, w, x.next())
		want(t, box.outcome(day), odoo.Done)
		for id, model := range map[string]string{tag + "-1": "account.move", "C-" + tag: "res.partner"} {
			if rows := rowsOf(t, c, model, []any{[]any{odoo.ExternalField, "=", id}}, "id"); len(rows) != 1 && model == "account.move" || len(rows) != 1 && model == "res.partner" {
				t.Errorf("%s finds %v in %s", id, rows, model)
			}
		}
		if rows := rowsOf(t, c, "account.move", []any{[]any{"id", "=", box.outcome(day).Read.Move}}, odoo.ExternalField); len(rows) != 1 || rows[0][odoo.ExternalField] != day.ID() {
			t.Errorf("the day's entry carries %v", rows)
		}
		x.own = []rollup.Meaning{{Status: rollup.IsReversed, Move: rollup.MovePosted, Payment: rollup.PaymentOpen}}
		for _, at := range []retail.PaymentState{retail.PaymentClosed, retail.PaymentReversed} { // the payment the other way has no receipt that says whose it is
			x.put(tag+"-2", "visa", 1000, 80, atGateway("2002-"+tag, at))
			x.book(box, w, x.next())
		}
		if rows := rowsOf(t, c, "account.move", []any{[]any{odoo.ExternalField, "=", tag + "-2"}}, "move_type"); len(rows) != 2 || rows[1]["move_type"] != "entry" {
			t.Errorf("a receipt and the payment that took its own back carry the ticket's id: %v", rows)
		}
	})
}

func (p person) marked(model string) bool {
	got, _ := p.do(model, "fields_get", []any{[]string{odoo.ExternalField}}, map[string]any{"attributes": []string{"type"}}).(map[string]any)
	return got[odoo.ExternalField] != nil
}
