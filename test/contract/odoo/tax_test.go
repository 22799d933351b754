package odoo_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
)

// headTax is a tax as an accountant makes it for a tax return: base and tax have tags, of goods sold and of goods taken back.
type headTax struct {
	name string
	id   int64
	tags map[string]int64 // "invoice base", "invoice tax", "refund base", "refund tax"
}

// tax makes one of 8 % on an account that setup made for taxes.
func (p person) tax(account int64) headTax { p.t.Helper(); return p.taxIn(account, false) }

// taxIn makes one whose rate is contained in prices, or not.
func (p person) taxIn(account int64, included bool) headTax {
	p.t.Helper()
	h := headTax{name: "Head tax " + envelope.NewEpoch().String()[:8], tags: map[string]int64{}}
	one := func(v any) int64 {
		n, _ := v.([]any)[0].(int64)
		return n
	}
	country, _ := p.do("res.company", "read", []any{[]int64{p.company}}, map[string]any{"fields": []string{"account_fiscal_country_id"}, "load": ""}).([]any)[0].(map[string]any)["account_fiscal_country_id"].(int64)
	for _, what := range []string{"base", "tax"} {
		for _, side := range []string{"invoice", "refund"} {
			key := side + " " + what
			if p.version >= 19 { // a tag has no sign any more: one for both sides
				if n := h.tags["invoice "+what]; n != 0 {
					h.tags[key] = n
					continue
				}
			}
			v := map[string]any{"name": map[string]string{"invoice": "+", "refund": "-"}[side] + h.name + " " + what, "applicability": "taxes"}
			if country != 0 {
				v["country_id"] = country
			}
			if p.version < 19 {
				v["tax_negate"] = side == "refund"
			}
			h.tags[key] = one(p.do("account.account.tag", "create", []any{[]any{v}}, nil))
		}
	}
	lines := func(side string) []any {
		return []any{[]any{0, 0, map[string]any{"repartition_type": "base", "tag_ids": []any{[]any{6, 0, []int64{h.tags[side+" base"]}}}}},
			[]any{0, 0, map[string]any{"repartition_type": "tax", "account_id": account, "tag_ids": []any{[]any{6, 0, []int64{h.tags[side+" tax"]}}}}}}
	}
	v := map[string]any{"name": h.name, "type_tax_use": "sale", "amount_type": "percent", "amount": 8, "company_id": p.company,
		"invoice_repartition_line_ids": lines("invoice"), "refund_repartition_line_ids": lines("refund")}
	if included && p.version < 18 {
		v["price_include"] = true
	} else if included {
		v["price_include_override"] = "tax_included"
	}
	h.id = one(p.do("account.tax", "create", []any{[]any{v}}, nil))
	return h
}

// taxed are rules with the two jurisdictions on taxes of head office's own.
func (p person) taxed(set mapping.Set) (mapping.Set, headTax, headTax) {
	p.t.Helper()
	return p.taxedBy(set, false)
}

// taxedBy is the same with taxes that are included in prices, or not.
func (p person) taxedBy(set mapping.Set, included bool) (mapping.Set, headTax, headTax) {
	p.t.Helper()
	account := p.do("account.tax.repartition.line", "search_read", []any{[]any{[]any{"company_id", "=", p.company}, []any{"repartition_type", "=", "tax"}, []any{"account_id", "!=", false}}},
		map[string]any{"fields": []string{"account_id"}, "limit": 1, "load": ""}).([]any)[0].(map[string]any)["account_id"].(int64)
	state, city := p.taxIn(account, included), p.taxIn(account, included)
	set.Rules = slices.Clone(set.Rules)
	for i, r := range set.Rules {
		if r.Role != ledger.Tax && r.Role != ledger.TaxRefund {
			continue
		}
		switch r.Code {
		case "NY State":
			set.Rules[i].Target.Tax = state.name
		case "NY City":
			set.Rules[i].Target.Tax = city.name
		}
	}
	return set, state, city
}

// taxedDay is a store-day whose till says what is taxed: all goods by the state, clothes by the city too, food by nobody. A discount lowers what the
// state's tax is on; cents are the till's, and no rate gives them.
func taxedDay() rollup.Totals {
	usd := func(n int64) money.Amount { return money.Of(n, "USD") }
	on := func(role ledger.Role, code string, back bool, taxes ...string) ledger.Account {
		var ls []ledger.Levy
		for _, t := range taxes {
			ls = append(ls, ledger.Levy{Code: t, Back: back})
		}
		return ledger.Levied(ledger.Of(role, code), ls)
	}
	return rollup.Totals{
		on(ledger.Sales, "Apparel", false, "NY State", "NY City"): usd(-100000), on(ledger.Sales, "Books", false, "NY State"): usd(-3000), "sales:Food": usd(-777),
		on(ledger.Discount, "SPRING", false, "NY State", "NY City"): usd(10000), on(ledger.Returns, "Apparel", true, "NY State", "NY City"): usd(2000),
		"tax:NY State": usd(-7441), "tax:NY City": usd(-4051), "taxrefund:NY State": usd(161), "taxrefund:NY City": usd(91),
		"tender:cash": usd(103017),
	}
}

// nextOf is the next document of a store-day.
func nextOf(t *testing.T, set mapping.Set, b rollup.Books, totals rollup.Totals, prior ...rollup.Document) rollup.Document {
	t.Helper()
	key := rollup.DayKey{Location: "S-NY", Day: today}
	sheet, err := rollup.Map(key, totals, set, b)
	if err != nil || len(sheet.Unmapped) > 0 {
		t.Fatalf("map: %v %v", sheet.Unmapped, err)
	}
	d, ok, err := rollup.Next(key, today, sheet, prior, b, 12, set, "")
	if err != nil || !ok {
		t.Fatalf("no document: %v", err)
	}
	return d
}

// taxItem is what a tax return reads of an item.
type taxItem struct {
	label       string
	cents, base int64
	part        int64 // repartition line, 0 = none
	taxes, tags []int64
	company     int64
	invert      bool
}

// taxItems are an entry's items that taxes have to do with.
func (s server) taxItems(t *testing.T, domain []any) (out []taxItem) {
	t.Helper()
	fields := []string{"name", "balance", "tax_base_amount", "tax_repartition_line_id", "tax_ids", "tax_tag_ids", "company_id", "parent_state"}
	if s.version(t) < 19 {
		fields = append(fields, "tax_tag_invert")
	}
	got, err := s.client(t).Call(t.Context(), "account.move.line", "search_read", []any{domain}, map[string]any{"fields": fields, "load": "", "order": "id"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got.([]any) {
		m := r.(map[string]any)
		i := taxItem{cents: inCents(m["balance"]), base: inCents(m["tax_base_amount"]), taxes: idsOf(m["tax_ids"]), tags: idsOf(m["tax_tag_ids"])}
		i.label, _ = m["name"].(string)
		i.part, _ = m["tax_repartition_line_id"].(int64)
		i.company, _ = m["company_id"].(int64)
		i.invert, _ = m["tax_tag_invert"].(bool)
		if i.part != 0 || len(i.taxes) > 0 {
			out = append(out, i)
		}
	}
	return out
}

func inCents(v any) int64 {
	switch n := v.(type) {
	case float64:
		return int64(math.Round(n * 100))
	case int64:
		return n * 100
	}
	return 0
}

func idsOf(v any) (out []int64) {
	l, _ := v.([]any)
	for _, e := range l {
		if n, ok := e.(int64); ok {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// group is items of one repartition line, one set of taxes, one set of tags and one company.
type taxGroup struct{ cents, base int64 }

func groupTax(is []taxItem) map[string]taxGroup {
	out := map[string]taxGroup{}
	for _, i := range is {
		key := fmt.Sprintf("part %d taxes %v tags %v company %d", i.part, i.taxes, i.tags, i.company)
		g := out[key]
		out[key] = taxGroup{g.cents + i.cents, g.base + i.base}
	}
	return out
}

// part is a repartition line of a tax.
func (p person) part(h headTax, side, what string) int64 {
	p.t.Helper()
	n, _ := p.do("account.tax.repartition.line", "search_read", []any{[]any{[]any{"tax_id", "=", h.id}, []any{"document_type", "=", side}, []any{"repartition_type", "=", what}}},
		map[string]any{"fields": []string{"document_type"}}).([]any)[0].(map[string]any)["id"].(int64)
	return n
}

// The proof: posted items grouped by repartition line, tags and company are the till's tax and taxable base, per jurisdiction, sold and taken back.
func TestBaseAndTaxAreTheTillsPerJurisdiction(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		set, state, city := p.taxed(set)
		d := nextOf(t, set, b, taxedDay())
		o, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
		items := s.taxItems(t, []any{[]any{"ref", "=", odoo.Ref(hub, d)}})
		signed := func(debit int64) int64 { // a base as this version signs it
			if p.version >= 19 {
				return debit
			}
			return max(debit, -debit)
		}
		key := func(part int64, taxes, tags []int64) string {
			slices.Sort(taxes)
			slices.Sort(tags)
			return fmt.Sprintf("part %d taxes %v tags %v company %d", part, taxes, slices.Compact(tags), p.company)
		}
		both := func() []int64 { return []int64{state.id, city.id} }
		wantGroups := map[string]taxGroup{
			key(p.part(state, "invoice", "tax"), nil, []int64{state.tags["invoice tax"]}):  {-7441, signed(-93000)},
			key(p.part(city, "invoice", "tax"), nil, []int64{city.tags["invoice tax"]}):    {-4051, signed(-90000)},
			key(p.part(state, "refund", "tax"), nil, []int64{state.tags["refund tax"]}):    {161, signed(2000)},
			key(p.part(city, "refund", "tax"), nil, []int64{city.tags["refund tax"]}):      {91, signed(2000)},
			key(0, []int64{state.id}, []int64{state.tags["invoice base"]}):                 {-3000, 0},
			key(0, both(), []int64{state.tags["invoice base"], city.tags["invoice base"]}): {-90000, 0},
			key(0, both(), []int64{state.tags["refund base"], city.tags["refund base"]}):   {2000, 0},
		}
		if p.version >= 19 { // one tag for both sides: sold and taken back stand in one group
			wantGroups[key(0, both(), []int64{state.tags["invoice base"], city.tags["invoice base"]})] = taxGroup{-88000, 0}
		}
		if got := groupTax(items); !maps.Equal(got, wantGroups) {
			t.Errorf("grouped by repartition line, tags and company:\n got %v\nwant %v", got, wantGroups)
		}
		for _, c := range []struct {
			of        headTax
			base, tax int64
		}{{state, 91000, 7280}, {city, 88000, 3960}} {
			if base, tax := p.reported(items, c.of, "base"), p.reported(items, c.of, "tax"); base != c.base || tax != c.tax {
				t.Errorf("a tax return of %s shows %d of base and %d of tax, the tills have %d and %d", c.of.name, base, tax, c.base, c.tax)
			}
		}
	})
}

// reported is what Odoo's tax report makes of items for a tax's base or tax: the sum by tags, each counted as tag and item say.
func (p person) reported(is []taxItem, h headTax, what string) (sum int64) {
	for _, i := range is {
		for _, side := range []string{"invoice", "refund"} {
			if !slices.Contains(i.tags, h.tags[side+" "+what]) {
				continue
			}
			if p.version >= 19 {
				sum -= i.cents
				break // the same tag
			}
			n := i.cents
			if i.invert {
				n = -n
			}
			if side == "refund" { // its tags count against the figure
				n = -n
			}
			sum += n
		}
	}
	return sum
}

// What Odoo writes itself, when it computes an entry's tax, is what a document says of the same sale: a tax return cannot tell them apart.
func TestADocumentSaysOfATaxWhatOdooWouldSayItself(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		set, state, _ := p.taxed(set)
		l := newLab(t, s)
		for _, back := range []bool{false, true} {
			sign, side, role, levy := int64(-1), ledger.Sales, ledger.Tax, ledger.Levy{Code: "NY State", Back: back}
			if back {
				sign, side, role = 1, ledger.Returns, ledger.TaxRefund
			}
			own := l.entry(l.key(), l.day, line{account: l.cash, amount: fmt.Sprintf("%d.00", -108*sign)}, line{account: l.sales, amount: fmt.Sprintf("%d.00", 100*sign), tax: state.id})
			d := nextOf(t, set, b, rollup.Totals{ledger.Levied(ledger.Of(side, "Apparel"), []ledger.Levy{levy}): money.Of(10000*sign, "USD"), ledger.Of(role, "NY State"): money.Of(800*sign, "USD"),
				"tender:cash": money.Of(-10800*sign, "USD")})
			o, hub := newOutbox(d), newHub()
			w, _ := s.writer(t, o, hub)
			step(t, w)
			want(t, o.outcome(d), odoo.Done)
			a, ours := s.taxItems(t, []any{[]any{"move_id", "=", own}}), s.taxItems(t, []any{[]any{"ref", "=", odoo.Ref(hub, d)}})
			plain := func(is []taxItem) string {
				for i := range is {
					is[i].label = ""
				}
				slices.SortFunc(is, func(a, b taxItem) int { return cmp.Compare(a.part, b.part) })
				return fmt.Sprintf("%+v", is)
			}
			if plain(a) != plain(ours) || len(a) != 2 {
				t.Errorf("back=%v: Odoo computes\n%s\na document has\n%s", back, plain(a), plain(ours))
			}
			if s.fake == nil { // the fake makes no invoices
				kind := map[bool]string{false: "out_invoice", true: "out_refund"}[back]
				if invoice := s.taxItems(t, []any{[]any{"move_id", "=", p.invoice(kind, l.sales, state)}}); plain(invoice) != plain(ours) {
					t.Errorf("%s has\n%s\na document has\n%s", kind, plain(invoice), plain(ours))
				}
			}
		}
	})
}

// invoice makes one of 100.00 with a tax, as a person does.
func (p person) invoice(kind string, account int64, tax headTax) int64 {
	p.t.Helper()
	one := func(v any) int64 {
		n, _ := v.([]any)[0].(int64)
		return n
	}
	partner := one(p.do("res.partner", "create", []any{[]any{map[string]any{"name": "Customer of " + tax.name}}}, nil))
	return one(p.do("account.move", "create", []any{[]any{map[string]any{"move_type": kind, "partner_id": partner, "invoice_date": string(today),
		"invoice_line_ids": []any{[]any{0, 0, map[string]any{"name": "sold", "quantity": 1, "price_unit": 100, "account_id": account, "tax_ids": []any{[]any{6, 0, []int64{tax.id}}}}}}}}}, nil))
}

// What comes later corrects base and tax by its sign, and a hub that was put back knows both again.
func TestALaterDocumentCorrectsTheBase(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		set, state, _ := p.taxed(set)
		first := nextOf(t, set, b, taxedDay())
		less := taxedDay() // a ticket was voided
		books := ledger.Levied("sales:Books", []ledger.Levy{{Code: "NY State"}})
		less[books], less["tax:NY State"], less["tender:cash"] = money.Of(-1000, "USD"), money.Of(-7281, "USD"), money.Of(100857, "USD")
		second := nextOf(t, set, b, less, first)
		o, hub := newOutbox(first, second), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(second), odoo.Done)
		part, base := p.part(state, "invoice", "tax"), int64(-2000)
		if p.version >= 19 {
			base = 2000
		}
		found := false
		for _, i := range s.taxItems(t, []any{[]any{"ref", "=", odoo.Ref(hub, second)}}) {
			if i.part == part {
				found = true
				if i.cents != 160 || i.base != base {
					t.Errorf("the correction has %d of tax on %d, want 160 on %d", i.cents, i.base, base)
				}
			}
		}
		if !found {
			t.Error("the correction has no tax line")
		}
		both := []any{[]any{"ref", "in", []string{odoo.Ref(hub, first), odoo.Ref(hub, second)}}}
		if got := p.reported(s.taxItems(t, both), state, "base"); got != 89000 {
			t.Errorf("a tax return shows a base of %d, want 89000", got)
		}
		blank, _ := s.writer(t, newOutbox(), hub)
		own, err := blank.Own(t.Context())
		if err != nil || len(own) != 2 {
			t.Fatalf("found %d entries: %v", len(own), err)
		}
		sheet, err := rollup.Map(first.Key, less, set, b)
		if err != nil {
			t.Fatal(err)
		}
		left, err := rollup.Delta([]rollup.Document{own[0].Document, own[1].Document}, sheet.Lines)
		if err != nil || len(left) != 0 {
			t.Errorf("the restored hub would post again: %+v %v", left, err)
		}
		for i, l := range own[0].Document.Lines {
			if l.Base != first.Lines[i].Base && l.Base.Minor != first.Lines[i].Base.Minor {
				t.Errorf("%s came back with a base of %s, want %s", l.Label, l.Base, first.Lines[i].Base)
			}
		}
	})
}

// A code that goes to another account takes no tax along, and yet the tax return of a closed quarter would change.
func TestATaxLockHoldsWhatTaxesAreOn(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		set, _, _ = p.taxed(set)
		d := nextOf(t, set, b, taxedDay())
		d.Key.Day, d.Date = ancient, ancient
		d.Lines = slices.Clone(d.Lines)
		n := slices.IndexFunc(d.Lines, func(l rollup.Line) bool { return len(l.Levies) > 0 })
		moved, away := d.Lines[n], d.Lines[n]
		away.Amount = away.Amount.Neg()
		d.Lines = []rollup.Line{moved, away}
		p.lock("tax_lock_date", "2002-06-30")
		o, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if c := o.outcome(d).Case; c == nil || c.Cause != cases.LockedPeriod {
			t.Errorf("got case %+v", c)
		}
		p.set("tax_lock_date", false)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		if i := s.standing(t, hub, d); len(i) != 2 || i[0].date != string(ancient) {
			t.Errorf("got %+v", i)
		}
	})
}

// A draft whose tax somebody took off is not what was sent, to the cent or not.
func TestADraftWithAnotherBaseIsNotPosted(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		set, _, _ = p.taxed(set)
		at, way := s.behind(t)
		d := nextOf(t, set, b, taxedDay())
		o, hub := newOutbox(d), newHub()
		w, _ := at.writer(t, o, hub)
		way.set(only("account.move.load", lose))
		step(t, w)
		way.set(nil)
		for _, i := range s.standing(t, hub, d) {
			if strings.HasPrefix(i.label, "sales:Books") {
				p.do("account.move.line", "write", []any{[]int64{i.id}, map[string]any{"tax_tag_ids": []any{[]any{6, 0, []int64{}}}}}, map[string]any{"context": map[string]any{"skip_invoice_sync": true}})
			}
		}
		step(t, w)
		want(t, o.outcome(d), odoo.Park)
		if c := o.outcome(d).Case; c == nil || c.Cause != cases.TotalDiffers || !strings.Contains(c.Detail, "tags") {
			t.Errorf("got case %+v", c)
		}
	})
}

// The look over what is posted sees a tag, a base and a tax that somebody changed, though no cent moved; a label is nobody's business. What was posted before tills
// told of bases is not asked of them.
func TestALaterLookSeesChangedTaxes(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		set, state, _ := p.taxed(set)
		docs := make([]rollup.Document, 4)
		for i := range docs {
			docs[i] = documentOf(t, set, b, "S-NY", today.AddDays(-i), rollup.ByEntry, taxedDay())
		}
		o, hub := newOutbox(docs...), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		change := func(d rollup.Document, label string, values map[string]any) {
			t.Helper()
			for _, i := range s.standing(t, hub, d) {
				if strings.HasPrefix(i.label, label) {
					p.do("account.move.line", "write", []any{[]int64{i.id}, values}, map[string]any{"context": map[string]any{"skip_invoice_sync": true}})
					return
				}
			}
			t.Fatalf("%s has no item %q", d.ID(), label)
		}
		change(docs[0], "sales:Food", map[string]any{"name": "bread and butter"})
		change(docs[1], "sales:Books", map[string]any{"tax_tag_ids": []any{[]any{6, 0, []int64{}}}})
		change(docs[2], "tax:NY State", map[string]any{"tax_base_amount": 12})
		change(docs[3], "tax:NY State", map[string]any{"tax_tag_ids": []any{[]any{6, 0, []int64{state.tags["invoice base"]}}}})
		if n, err := w.Look(t.Context(), time.Time{}); err != nil || n != len(docs) {
			t.Fatalf("read %d: %v", n, err)
		}
		want(t, o.outcome(docs[0]), odoo.Done)
		for _, d := range docs[1:] {
			want(t, o.outcome(d), odoo.Park)
			if c := o.outcome(d).Case; c == nil || c.Cause != cases.ForeignEdit || !strings.Contains(c.Detail, "changed the taxes") {
				t.Errorf("%s: got case %+v", d.ID(), c)
			}
			if r := o.outcome(d).Read; r == nil {
				t.Errorf("%s: what Odoo has is not kept", d.ID())
			}
		}
	})
}
