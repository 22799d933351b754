package odoo_test

import (
	"fmt"
	"testing"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
)

// A store-day that is taken back by a counter-document loses nothing that an accountant matched: the ids of the matches are the same before
// and after, also after a late ticket's delta, and the day's items come to zero but for what is matched.
func TestACounterDocumentLeavesMatchesAlone(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		if _, err := odoo.Setup(t.Context(), s.client(t), options); err != nil { // clearing accounts can be reconciled
			t.Fatal(err)
		}
		day := document(t, set, b, "S-NY", today)
		box, hub := newOutbox(day), newHub()
		w, _ := s.writer(t, box, hub)
		step(t, w)
		want(t, box.outcome(day), odoo.Done)
		move := box.outcome(day).Read.Move

		visa := visaOf(day)
		amount := int64(0)
		for _, l := range day.Lines {
			if l.Account == visa {
				amount = l.Amount.Minor
			}
		}
		other := p.pays(s, visa, b.Suspense, amount)
		mine, theirs := p.itemOn(move, visa), p.itemOn(other, visa)
		p.do("account.move.line", "reconcile", []any{[]int64{mine, theirs}}, nil)
		number := p.matching(mine)
		if number == "" {
			t.Fatal("the person's match did not come about")
		}

		late := document(t, set, b, "S-NY", today, day)
		box.tasks[late.ID()] = &task{Task: odoo.Task{Document: late, Date: late.Date}}
		step(t, w)
		want(t, box.outcome(late), odoo.Done)
		if now := p.matching(mine); now != number {
			t.Errorf("after a delta the match %s is %q", number, now)
		}

		kept, err := odoo.Matched(t.Context(), s.client(t), day, 0, move, nil)
		if err != nil || len(kept) != 1 || kept[0].Account != visa {
			t.Fatalf("matched: %+v %v", kept, err)
		}
		sheet, err := rollup.Reverse(kept, b)
		if err != nil {
			t.Fatal(err)
		}
		back, ok, err := rollup.NextReverse(rollup.Document{Key: day.Key, Date: day.Date, Journal: b.Journal, Note: "taken back"}, sheet, []rollup.Document{day, late}, b)
		if err != nil || !ok || back.Kind != rollup.ReverseDocument {
			t.Fatalf("%+v %v %v", back, ok, err)
		}
		box.tasks[back.ID()] = &task{Task: odoo.Task{Document: back, Date: back.Date}}
		step(t, w)
		want(t, box.outcome(back), odoo.Done)
		if now := p.matching(mine); now != number {
			t.Errorf("after the counter-document the match %s is %q", number, now)
		}
		sum := map[string]int64{}
		for _, d := range []rollup.Document{day, late, back} {
			s.audit(t, hub, d)
			for _, l := range d.Lines {
				sum[l.Account] += l.Amount.Minor
			}
		}
		for account, n := range sum {
			if account == visa && n != amount || account == b.Suspense && n != -amount || account != visa && account != b.Suspense && n != 0 {
				t.Errorf("account %s is left at %d", account, n)
			}
		}
	})
}

// pays makes an entry as an accountant does: it pays out what stands on a clearing account.
func (p person) pays(s server, account, against string, minor int64) int64 {
	p.t.Helper()
	find := func(model string, domain []any) int64 {
		rows, _ := p.do(model, "search_read", []any{domain}, p.with("id")).([]any)
		if len(rows) == 0 {
			p.t.Fatalf("no %s of %v", model, domain)
		}
		id, _ := rows[0].(map[string]any)["id"].(int64)
		return id
	}
	amount := fmt.Sprintf("%d.%02d", minor/100, minor%100)
	head := []string{"id", "move_type", "journal_id/.id", "date", "line_ids/account_id/.id", "line_ids/debit", "line_ids/credit"}
	journal := find("account.journal", []any{[]any{"type", "=", "general"}, []any{"company_id", "=", p.company}})
	rows := []any{[]any{"person." + string(newHub()), "entry", fmt.Sprint(journal), string(today), fmt.Sprint(find("account.account", []any{[]any{"code", "=", account}})), "0.00", amount},
		[]any{"", "", "", "", fmt.Sprint(find("account.account", []any{[]any{"code", "=", against}})), amount, "0.00"}}
	kw := p.in()
	kw["context"].(map[string]any)["skip_invoice_sync"] = true
	got, _ := p.do("account.move", "load", []any{head, rows}, kw).(map[string]any)
	list, _ := got["ids"].([]any)
	if len(list) != 1 {
		p.t.Fatalf("load: %v", got)
	}
	id, _ := list[0].(int64)
	p.do("account.move", "action_post", []any{[]int64{id}}, nil)
	return id
}

func (p person) itemOn(move int64, account string) int64 {
	p.t.Helper()
	rows, _ := p.do("account.move.line", "search_read", []any{[]any{[]any{"move_id", "=", move}, []any{"account_id.code", "=", account}}}, p.with("id")).([]any)
	if len(rows) != 1 {
		p.t.Fatalf("entry %d has %d items on %s", move, len(rows), account)
	}
	id, _ := rows[0].(map[string]any)["id"].(int64)
	return id
}

func (p person) matching(item int64) string {
	p.t.Helper()
	rows, _ := p.do("account.move.line", "read", []any{[]int64{item}}, map[string]any{"fields": []string{"matching_number"}}).([]any)
	number, _ := rows[0].(map[string]any)["matching_number"].(string)
	return number
}

// with asks for fields in the company under test.
func (p person) with(fields ...string) map[string]any {
	kw := p.in()
	kw["fields"] = fields
	return kw
}

// As receipts, as invoices and ticket by ticket a day is taken back like one that goes as an entry: what is matched stays with its match, all else comes to
// zero, nothing is left owed; and released, it stands in the books again.
func TestADayIsTakenBackInEveryMode(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		for _, mode := range []rollup.Mode{rollup.ByReceipt, rollup.ByInvoice, rollup.ByTicket} {
			hub := newHub()
			tag := string(hub)[:8]
			x := &slips{t: t, set: set, b: b, key: rollup.DayKey{Location: "S-NY", Day: today}, now: map[string]rollup.Slipped{}}
			x.put(tag+"-1", "cash", 10000, 812)
			x.put(tag+"-2", "visa", 2599, 211)
			next := func() []rollup.Document {
				if mode == rollup.ByTicket {
					return x.next()
				}
				d := documentOf(t, set, b, x.key.Location, x.key.Day, mode, x.totals(), x.docs...)
				x.docs = append(x.docs, d)
				return []rollup.Document{d}
			}
			o := newOutbox()
			w, c := s.writer(t, o, hub)
			x.book(o, w, next())
			visa, mine := visaAccount(set), int64(0)
			for _, d := range x.docs {
				for _, n := range o.outcome(d).Read.Parts {
					if rows := rowsOf(t, c, "account.move.line", []any{[]any{"move_id", "=", n}, []any{"account_id.code", "=", visa}}, "id"); len(rows) == 1 {
						mine = rows[0]["id"].(int64)
					}
				}
			}
			p.do("account.move.line", "reconcile", []any{[]int64{mine, p.itemOn(p.pays(s, visa, b.Suspense, 2810), visa)}}, nil)
			number := p.matching(mine)
			if number == "" {
				t.Fatalf("%s: the person's match did not come about", mode)
			}
			x.put(tag+"-3", "cash", 500, 41) // late, as documents of their own
			x.put(tag+"-1", "cash", 9000, 731)
			x.book(o, w, next())
			if now := p.matching(mine); now != number {
				t.Errorf("%s: after a delta the match %s is %q", mode, number, now)
			}
			var kept []rollup.Line
			for _, d := range x.docs {
				ls, err := odoo.Matched(t.Context(), c, d, 0, o.tasks[d.ID()].Move, o.tasks[d.ID()].Parts)
				if err != nil {
					t.Fatal(err)
				}
				kept = append(kept, ls...)
			}
			if len(kept) != 1 || kept[0].Account != visa {
				t.Fatalf("%s: matched is %+v", mode, kept)
			}
			sheet, err := rollup.Reverse(kept, b)
			if err != nil {
				t.Fatal(err)
			}
			sheet.Mode = mode
			back, ok, err := rollup.NextReverse(rollup.Document{Key: x.key, Date: x.key.Day, Journal: b.Journal, Note: "taken back"}, sheet, x.docs, b)
			if err != nil || !ok || back.Mode != mode {
				t.Fatalf("%s: %+v %v %v", mode, back, ok, err)
			}
			x.docs = append(x.docs, back)
			x.book(o, w, []rollup.Document{back})
			if now := p.matching(mine); now != number {
				t.Errorf("%s: after the counter-document the match %s is %q", mode, number, now)
			}
			got := s.taken(t, hub, x.docs...)
			if len(got.sums) != 2 || got.sums[visa] != 2810 || got.sums[b.Suspense] != -2810 || got.owed != 0 || got.draft != 0 {
				t.Errorf("%s: taken back, the books have %+v", mode, got)
			}
			x.book(o, w, next()) // released
			s.sameSums(t, x, s.taken(t, hub, x.docs...))
		}
	})
}
