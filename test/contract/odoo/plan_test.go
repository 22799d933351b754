package odoo_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

var wish = plan.Wish{Locations: map[retail.LocationCode]string{"S-NY": "New York", "S 2/ä": "A code with space, slash and umlaut"}, Banks: []string{"main"},
	Codes: map[ledger.Role][]string{ledger.Tender: {"cash", "visa", "gift_card"}, ledger.Tax: {"NY State", "NY City"}, ledger.Sales: {"Apparel", "Books"}}}

// planned reads a server and makes a plan for it.
func planned(t *testing.T, c *odoo.Client, w plan.Wish) (plan.Chart, plan.Plan) {
	t.Helper()
	ch, err := odoo.ReadPlan(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Decide(ch, w)
	if err != nil {
		t.Fatal(err)
	}
	return ch, p
}

// carriedOut makes a plan in Odoo and returns the rules that then hold.
func carriedOut(t *testing.T, c *odoo.Client, w plan.Wish) (mapping.Set, rollup.Books) {
	t.Helper()
	_, p := planned(t, c, w)
	if _, err := odoo.ApplyPlan(t.Context(), c, p); err != nil {
		t.Fatal(err)
	}
	return mapping.Set{Rules: append(slices.Clone(w.Have.Rules), p.Rules()...), Version: 1}, p.Books
}

func TestAPlanReadsTheChartWritesNothingAndIsThenCarriedOut(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		c := s.client(t)
		ch, first := planned(t, c, wish)
		for what, n := range map[string]int{"accounts": len(ch.Accounts), "journals": len(ch.Journals), "taxes": len(ch.Taxes), "plans": len(ch.Plans)} {
			if n == 0 {
				t.Errorf("no %s were read", what)
			}
		}
		if !slices.ContainsFunc(ch.Accounts, func(a plan.Account) bool { return a.Type == "income" && a.Name != "" && a.Code != "" }) {
			t.Errorf("the chart has no income: %+v", ch.Accounts)
		}
		i := slices.IndexFunc(ch.Journals, func(j plan.Journal) bool { return j.Type == "bank" })
		if i < 0 || ch.Journals[i].Account == "" || ch.Journals[i].Suspense == "" {
			t.Errorf("the bank's journal does not name its accounts: %+v", ch.Journals)
		}
		i = slices.IndexFunc(ch.Taxes, func(x plan.Tax) bool { return x.Rate == "15" })
		if i < 0 || ch.Taxes[i].Lines != 1 || ch.Taxes[i].Account == "" || ch.Taxes[i].Refund == "" {
			t.Errorf("taxes %+v", ch.Taxes)
		}
		if _, again := planned(t, c, wish); again.Hash != first.Hash {
			t.Errorf("nothing has changed, and the plan is another: %s, then %s", first.Hash, again.Hash)
		}
		done, err := odoo.ApplyPlan(t.Context(), c, first)
		if err != nil || len(done) != len(first.Create) {
			t.Fatalf("%d of %d things were made: %v", len(done), len(first.Create), err)
		}
		after := wish
		after.Have, after.Books = mapping.Set{Rules: first.Rules(), Version: 1}, first.Books
		if _, p := planned(t, c, after); len(p.Create) > 0 || len(p.Rules()) > 0 || p.Books != first.Books {
			t.Errorf("afterwards it still wants %+v and %+v", p.Create, p.Rules())
		}
		d := document(t, after.Have, first.Books, "S-NY", today)
		o, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
		rep, err := odoo.Check(t.Context(), c, odoo.SetupOptions{Locations: wish.Locations, Have: after.Have}, first.Books.Journal, nil)
		if err != nil || !rep.Good() {
			t.Errorf("check: %+v %v", rep, err)
		}
	})
}

// A plan for locations whose days go as receipts makes the journals, the customers and the payment methods that they need, once.
func TestAPlanMakesWhatReceiptsNeed(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		c := s.client(t)
		w := wish
		w.Receipts = []retail.LocationCode{"S-NY"}
		w.Codes = maps.Clone(wish.Codes)
		fresh := "wallet " + strings.ToLower(envelope.NewEpoch().String()[:6])
		w.Codes[ledger.Tender] = append(slices.Clone(wish.Codes[ledger.Tender]), fresh)
		_, p := planned(t, c, w)
		ways := 0
		for _, x := range p.Create {
			if x.Kind == plan.MethodThing && x.Name == "Till "+fresh && x.Code == plan.OwnPayments && x.Account != "" {
				ways++
			}
		}
		if ways != 2 || p.Books.Sales != plan.OwnSales || p.Books.Payments != plan.OwnPayments {
			t.Fatalf("the plan is %+v with %+v", p.Create, p.Books)
		}
		w.Have.Rules, w.Books = p.Rules(), p.Books
		if _, err := odoo.ApplyPlan(t.Context(), c, p); err != nil {
			t.Fatal(err)
		}
		if _, again := planned(t, c, w); len(again.Create) > 0 || again.Books != p.Books {
			t.Errorf("afterwards it still wants %+v", again.Create)
		}
		rep, err := odoo.Check(t.Context(), c, odoo.SetupOptions{Locations: wish.Locations, Have: w.Have, Receipts: w.Receipts}, p.Books.Journal, nil)
		if err != nil || !rep.Good() {
			t.Errorf("check: %+v %v", rep, err)
		}
		usd := func(n int64) money.Amount { return money.Of(n, "USD") }
		d := documentOf(t, w.Have, p.Books, "S-NY", today, rollup.ByReceipt, rollup.Totals{"sales:Books": usd(-1500), ledger.Of(ledger.Tender, fresh): usd(1500)})
		o, hub := newOutbox(d), newHub()
		wr, _ := s.writer(t, o, hub)
		step(t, wr)
		want(t, o.outcome(d), odoo.Done)
		if got := s.taken(t, hub, d); got.payments != 1 || got.owed != 0 || !got.paid["paid"] {
			t.Errorf("it is %+v", got)
		}
	})
}

func TestAPlanOfAPoorUserSaysWhatIsLacking(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		carriedOut(t, s.client(t), wish)
		poor, uid := p.clerk(s)
		if _, err := odoo.ReadPlan(t.Context(), poor.client(t)); err == nil || !strings.Contains(err.Error(), poor.cfg.User) || !strings.Contains(err.Error(), "give it the group") {
			t.Errorf("reading: %v", err)
		} else {
			t.Log(err)
		}
		// A biller sees the books; what is to be made takes more, and is asked for before anything is made.
		p.grant(uid, "account.group_account_invoice")
		more := wish
		more.Codes = map[ledger.Role][]string{ledger.Tender: {"cash", "new" + envelope.NewEpoch().String()[:6]}, ledger.Tax: {"J" + envelope.NewEpoch().String()[:6]}}
		before, made := planned(t, poor.client(t), more)
		missing, err := odoo.LacksForPlan(t.Context(), poor.client(t), made)
		if err != nil || len(missing) != 1 || !strings.Contains(missing[0], "create accounts") || !strings.Contains(missing[0], "create taxes") {
			t.Errorf("it lacks %q %v", missing, err)
		}
		if _, err := odoo.ApplyPlan(t.Context(), poor.client(t), made); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("applying: %v", err)
		}
		if after, _ := planned(t, poor.client(t), more); len(after.Accounts) != len(before.Accounts) || len(after.Taxes) != len(before.Taxes) {
			t.Error("something was made")
		}
		p.grant(uid, "account.group_account_manager")
		if _, err := odoo.ApplyPlan(t.Context(), poor.client(t), made); err != nil {
			t.Errorf("with the group: %v", err)
		}
	})
}

func TestWarehousesAreReadWhereThereIsStock(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		if s.fake == nil {
			ch, _ := planned(t, s.client(t), wish)
			got, err := s.client(t).Call(t.Context(), "stock.warehouse", "search_read", []any{[]any{}}, map[string]any{"fields": []string{"code"}})
			if rows, _ := got.([]any); err == nil && len(rows) > 0 && len(ch.Warehouses) == 0 {
				t.Errorf("Odoo has %d warehouses, none was read", len(rows))
			} else if err != nil && (odoo.KindOf(err) != odoo.Refused || len(ch.Warehouses) > 0) {
				t.Errorf("no stock: %v %v", err, ch.Warehouses)
			}
			return
		}
		if ch, _ := planned(t, s.client(t), wish); len(ch.Warehouses) > 0 || len(ch.Blind) > 0 {
			t.Errorf("without stock: %+v %q", ch.Warehouses, ch.Blind)
		}
		stocked := serve(t, fake.Options{Version: s.version(t), Stock: true}).over(s.cfg.Transport)
		w := wish
		w.Locations = map[retail.LocationCode]string{"S-1": "My Company"}
		ch, p := planned(t, stocked.client(t), w)
		if !slices.Equal(ch.Warehouses, []plan.Warehouse{{Code: "WH", Name: "My Company"}}) || target(p.Rules(), mapping.Location, "S-1").Warehouse != "WH" {
			t.Errorf("with stock: %+v, rules %+v", ch.Warehouses, p.Rules())
		}
	})
}

func TestAPlanTurnsAnalyticAccountingOnOrSaysWhoCan(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		s := serve(t, fake.Options{Version: v, NoAnalytic: true})
		_, p := planned(t, s.client(t), wish)
		missing, err := odoo.LacksForPlan(t.Context(), s.client(t), p)
		if err != nil || p.Create[0].Kind != plan.AnalyticOn || len(missing) != 1 || !strings.Contains(missing[0], "switched off") {
			t.Errorf("%d: %+v, lacks %q %v", v, p.Create[0], missing, err)
		}
		carriedOut(t, s.boss(t), wish)
		if ch, p := planned(t, s.client(t), wish); ch.NoAnalytic || slices.ContainsFunc(p.Create, func(c plan.Thing) bool { return c.Kind == plan.AnalyticOn || c.Kind == plan.AnalyticAccount }) {
			t.Errorf("%d: afterwards it still wants %+v", v, p.Create)
		}
	}
}
