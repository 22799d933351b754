package odoo

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var update = flag.Bool("update", false, "write the golden files anew")

// testChart is a company with two taxes, whose tags are of both sides before 19 and one for both from then on.
func testChart(version int) *chart {
	ch := &chart{version: Version{Major: version}, currency: "USD", journals: map[string]journal{"TPOS": {id: 9, kind: "general"}}, accounts: map[string]account{}, taxes: map[string]tax{}}
	for i, code := range []string{"101", "251", "400", "401", "402"} {
		ch.accounts[code] = account{id: int64(i + 20)}
	}
	for i, name := range []string{"City", "State"} {
		n := int64(100 * (i + 1))
		t := tax{id: n, name: name, parts: 1, invoice: repartition{id: n + 1, account: 21, tags: []int64{n + 3}, base: []int64{n + 2}}, refund: repartition{id: n + 4, account: 21, tags: []int64{n + 6}, base: []int64{n + 5}}}
		if version >= 19 {
			t.refund.tags, t.refund.base = t.invoice.tags, t.invoice.base
		}
		ch.taxes[name] = t
	}
	ch.analytics = []analytic{{id: 7, root: 1, plan: "Locations", code: "S1", name: "One"}}
	ch.analytic = map[retail.LocationCode]int64{"S1": 7}
	return ch
}

// testDay is a day of sales with a discount and of goods taken back, food under the state's tax alone, and a line that nothing taxes.
func testDay(t *testing.T, told bool) rollup.Document {
	t.Helper()
	usd := func(n int64) money.Amount { return money.Of(n, "USD") }
	on := func(a ledger.Account, back bool, taxes ...string) ledger.Account {
		var ls []ledger.Levy
		for _, x := range taxes {
			ls = append(ls, ledger.Levy{Code: x, Back: back})
		}
		if !told {
			return a
		}
		return ledger.Levied(a, ls)
	}
	rule := func(r ledger.Role, code, account, tax string) mapping.Rule {
		return mapping.Rule{Role: r, Code: code, Target: mapping.Target{Account: account, Tax: tax}}
	}
	set := mapping.Set{Version: 1}
	for _, r := range []ledger.Role{ledger.Tax, ledger.TaxRefund} {
		set.Rules = append(set.Rules, rule(r, "NY", "251", "State"), rule(r, "NYC", "251", "City"))
	}
	set.Rules = append(set.Rules, rule(ledger.Sales, "*", "400", ""), rule(ledger.Returns, "*", "401", ""), rule(ledger.Discount, "*", "402", ""), rule(ledger.Tender, "*", "101", ""))
	k := rollup.DayKey{Location: "S1", Day: "2026-11-20"}
	s, err := rollup.Map(k, rollup.Totals{on("sales:Toys", false, "NY", "NYC"): usd(-10000), on("sales:Food", false, "NY"): usd(-500), "sales:Gift wrap": usd(-300),
		on("discount:VIP", false, "NY", "NYC"): usd(1000), on("returns:Toys", true, "NY", "NYC"): usd(2000), "tax:NY": usd(-760), "tax:NYC": usd(-405), "taxrefund:NY": usd(160), "taxrefund:NYC": usd(90),
		"tender:cash": usd(8715)}, set, rollup.Books{Journal: "TPOS", Suspense: "999"})
	if err != nil {
		t.Fatal(err)
	}
	d, ok, err := rollup.Next(k, k.Day, s, nil, rollup.Books{Journal: "TPOS", Suspense: "999"}, 3, set, "")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return d
}

// What is sent of taxes, as 17 and 18, and as 19 take it; and of a day whose tills do not say what is taxed.
func TestWhatALoadSaysOfTaxes(t *testing.T) {
	for _, c := range []struct {
		version int
		told    bool
	}{{17, true}, {18, true}, {19, true}, {17, false}, {19, false}} {
		name := fmt.Sprintf("load-taxes-%d-%t", c.version, c.told)
		t.Run(name, func(t *testing.T) {
			e, tags, err := testChart(c.version).resolve("hub1", testDay(t, c.told), "2026-11-20")
			if err != nil {
				t.Fatal(err)
			}
			args := payload([]entry{e}, tags)
			var b bytes.Buffer
			for _, row := range append([]any{args[0]}, args[1].([]any)...) {
				line, err := json.Marshal(row)
				if err != nil {
					t.Fatal(err)
				}
				b.Write(append(line, '\n'))
			}
			path := "testdata/" + name + ".golden"
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(want, b.Bytes()) {
				t.Errorf("got\n%s\nwant\n%s %v", b.Bytes(), want, err)
			}
		})
	}
}

func TestReadingBackSeesAnotherBaseTagOrTax(t *testing.T) {
	e, _, err := testChart(18).resolve("hub1", testDay(t, true), "2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*item){
		"":                func(*item) {},
		"tags":            func(i *item) { i.tags = "" },
		"base of taxes":   func(i *item) { i.taxes = "100" },
		"tax base":        func(i *item) { i.base++ },
		"inverted":        func(i *item) { i.invert = !i.invert },
		"tax line 123456": func(i *item) { i.repartition = 123456 },
	} {
		f := &found{items: append([]item(nil), e.items...)}
		for n := range f.items {
			if f.items[n].repartition != 0 && (name == "tags" || name == "tax base" || strings.HasPrefix(name, "tax line")) || f.items[n].taxes != "" && name != "tax base" {
				spoil(&f.items[n])
				break
			}
		}
		got := strings.Join(e.differences(f), "; ")
		if name == "" != (got == "") || !strings.Contains(got, name) {
			t.Errorf("%q: the read-back says %q", name, got)
		}
	}
}
