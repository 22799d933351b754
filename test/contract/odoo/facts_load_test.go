package odoo_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

func TestFactsOfLoad(t *testing.T) {
	check(t, []fact{
		{name: "load in the safe way creates a draft once; a replay with other amounts changes nothing", want: same("[same] draft: cash 10.00, sales -10.00"), run: func(l *lab) string {
			k := l.key()
			n := l.entry(k, l.day, l.pair("10.00")...)
			head, rows := l.rows(k, l.day, l.pair("12.00")...)
			return fmt.Sprintf("[%s] %s", isSame(loaded(l.load(safe, head, rows)), []int64{n}), l.items(n))
		}},
		{name: "a safe replay of a posted entry is as idle", want: same("[same] posted: cash 10.00, sales -10.00"), run: func(l *lab) string {
			k := l.key()
			n := l.entry(k, l.day, l.pair("10.00")...)
			l.must(l.post(n))
			head, rows := l.rows(k, l.day, l.pair("12.00")...)
			return fmt.Sprintf("[%s] %s", isSame(loaded(l.load(safe, head, rows)), []int64{n}), l.items(n))
		}},
		{name: "without the context a replay appends the lines once more", want: same("[same] draft: cash 10.00, cash 10.00, sales -10.00, sales -10.00"), run: func(l *lab) string {
			k := l.key()
			n := l.entry(k, l.day, l.pair("10.00")...)
			head, rows := l.rows(k, l.day, l.pair("10.00")...)
			return fmt.Sprintf("[%s] %s", isSame(loaded(l.load(map[string]any{}, head, rows)), []int64{n}), l.items(n))
		}},
		{name: "without the context, lines with ids of their own are changed in place", want: same("draft: cash 12.00, sales -12.00"), run: func(l *lab) string {
			k := l.key()
			both := func(amount string) []line {
				p := l.pair(amount)
				p[0].id, p[1].id = k+"a", k+"b"
				return p
			}
			n := l.entryIn(map[string]any{}, k, l.day, both("10.00")...)
			l.entryIn(map[string]any{}, k, l.day, both("12.00")...)
			return l.items(n)
		}},
		{name: "without the context a posted entry is changed by 17 and protected by 18 and 19",
			want: since(18, "map posted: cash 12.00, sales -12.00", "ids=false readonly fields posted: cash 10.00, sales -10.00"), run: func(l *lab) string {
				k := l.key()
				both := func(amount string) []line {
					p := l.pair(amount)
					p[0].id, p[1].id = k+"a", k+"b"
					return p
				}
				n := l.entryIn(map[string]any{}, k, l.day, both("10.00")...)
				l.must(l.post(n))
				head, rows := l.rows(k, l.day, both("12.00")...)
				said := refusal(l.load(map[string]any{}, head, rows), "readonly fields")
				if !strings.HasPrefix(said, "ids=false") {
					said = said[:3]
				}
				return said + " " + l.items(n)
			}},
		{name: "an unbalanced entry is refused in the result, not by a fault", want: same("ids=false not balanced"), run: func(l *lab) string {
			head, rows := l.rows(l.key(), l.day, line{account: l.cash, amount: "10.00"}, line{account: l.sales, amount: "-9.99"})
			return refusal(l.load(safe, head, rows), "not balanced")
		}},
		{name: "one bad entry undoes the whole call", want: same("ids=false not balanced; not there"), run: func(l *lab) string {
			good := l.key()
			head, rows := l.rows(good, l.day, l.pair("10.00")...)
			_, more := l.rows(l.key(), l.day, line{account: l.cash, amount: "10.00"}, line{account: l.sales, amount: "-9.99"})
			return refusal(l.load(safe, head, append(rows, more...)), "not balanced") + "; " + l.lookup(good)
		}},
		{name: "an id that stands twice in one call is one record", want: same("2 ids, same"), run: func(l *lab) string {
			k := l.key()
			head, rows := l.rows(k, l.day, l.pair("10.00")...)
			_, again := l.rows(k, l.day, l.pair("10.00")...)
			n := loaded(l.load(safe, head, append(rows, again...)))
			if len(n) != 2 {
				return fmt.Sprint(n)
			}
			return "2 ids, " + isSame(n[0], n[1])
		}},
		{name: "an id that another model holds is refused", want: same("ids=false found record of different model"), run: func(l *lab) string {
			k := l.key()
			l.must(l.call("res.partner", "load", []any{[]string{"id", "name"}, []any{[]any{k, "Fact " + l.run}}}, map[string]any{"context": safe}))
			head, rows := l.rows(k, l.day, l.pair("10.00")...)
			return refusal(l.load(safe, head, rows), "found record of different model")
		}},
		{name: "numbers may come as numbers", want: same("draft: cash 10.50, sales -10.50"), run: func(l *lab) string {
			head, rows := l.rows(l.key(), l.day, l.pair("10.50")...)
			rows[0].([]any)[7], rows[1].([]any)[8] = 10.5, 10.5
			n := loaded(l.load(safe, head, rows))
			if len(n) != 1 {
				return fmt.Sprint(n)
			}
			return l.items(n[0])
		}},
		{name: "a comma in a number is refused", want: same("ids=false does not seem to be a number"), run: func(l *lab) string {
			head, rows := l.rows(l.key(), l.day, l.pair("1,234.50")...)
			return refusal(l.load(safe, head, rows), "does not seem to be a number")
		}},
		{name: "an American date is refused", want: same("ids=false does not seem to be a valid date"), run: func(l *lab) string {
			head, rows := l.rows(l.key(), "11/23/2026", l.pair("10.00")...)
			return refusal(l.load(safe, head, rows), "does not seem to be a valid date")
		}},
		{name: "the state cannot be loaded", want: same("ids=false You cannot create a move already in the posted state"), run: func(l *lab) string {
			head, rows := l.rows(l.key(), l.day, l.pair("10.00")...)
			head = append(head, "state")
			for i := range rows {
				rows[i] = append(rows[i].([]any), []any{"Posted", ""}[i])
			}
			return refusal(l.load(safe, head, rows), "You cannot create a move already in the posted state")
		}},
		{name: "a load of nothing but an unknown id makes an empty draft: load is no look-up", want: same("draft: "), run: func(l *lab) string {
			n := loaded(l.load(safe, []string{"id"}, []any{[]any{l.key()}}))
			if len(n) != 1 {
				return fmt.Sprint(n)
			}
			defer l.call("account.move", "unlink", []any{n}, nil)
			return l.items(n[0])
		}},
		{name: "check_object_reference is the look-up", want: same("account.move same"), run: func(l *lab) string {
			k := l.key()
			n := l.entry(k, l.day, l.pair("10.00")...)
			_, name, _ := strings.Cut(k, ".")
			a := l.call("ir.model.data", "check_object_reference", []any{"tillpost", name}, nil)
			got, _ := a.v.([]any)
			if len(got) != 2 {
				return a.String()
			}
			return fmt.Sprint(got[0], " ", isSame(got[1], n))
		}},
		{name: "an unknown external id is a fault 1", want: same("fault 1 External ID not found"), run: func(l *lab) string {
			_, name, _ := strings.Cut(l.key(), ".")
			return l.call("ir.model.data", "check_object_reference", []any{"tillpost", name}, nil).kind("External ID not found")
		}},
		{name: "external ids themselves are for administrators", want: same("fault 4 ir.model.data"), run: func(l *lab) string {
			return l.call("ir.model.data", "search_read", []any{[]any{}}, map[string]any{"fields": []string{"name"}, "limit": 1}).kind("ir.model.data")
		}},
		{name: "an external id is unique", admin: true, want: same("fault 2 ir_model_data_module_name_uniq_index"), run: func(l *lab) string {
			k := l.key()
			n := l.entry(k, l.day, l.pair("10.00")...)
			_, name, _ := strings.Cut(k, ".")
			return l.admin.call(l.t.Context(), "ir.model.data", "create", []any{map[string]any{"module": "tillpost", "name": name, "model": "account.move", "res_id": n}}, nil).
				kind("ir_model_data_module_name_uniq_index")
		}},
		{name: "an id with a space is refused", want: same("refused"), run: func(l *lab) string {
			head, rows := l.rows("tillpost.a b "+l.run, l.day, l.pair("10.00")...)
			if a := l.load(safe, head, rows); len(loaded(a)) > 0 {
				return a.String()
			}
			return "refused"
		}},
		{name: "deleting an entry deletes its id: the same load makes it anew", want: same("gone, other, draft"), run: func(l *lab) string {
			k := l.key()
			n := l.entry(k, l.day, l.pair("10.00")...)
			l.must(l.call("account.move", "unlink", []any{[]int64{n}}, nil))
			was := l.state(n)
			m := l.entry(k, l.day, l.pair("10.00")...)
			return fmt.Sprintf("%s, %s, %s", was, isSame(n, m), l.state(m))
		}},
		{name: "a cancelled entry keeps its id and cannot be posted, in the words of a posted one", want: same("same, fault 2 must be in draft, cancel"), run: func(l *lab) string {
			k := l.key()
			n := l.entry(k, l.day, l.pair("10.00")...)
			l.call("account.move", "button_cancel", []any{[]int64{n}}, nil)
			m := l.entry(k, l.day, l.pair("10.00")...)
			return fmt.Sprintf("%s, %s, %s", isSame(n, m), l.post(n).kind("must be in draft"), l.state(n))
		}},
		{name: "loads of one id that meet make one record; the losers are told in the result and get it at the next try", want: same("1 record, losers serialize"), run: meet},
		{name: "an unknown field is a fault 1", want: per{17: "fault 1 no_such", 18: "fault 1 no_such", 19: "fault 1 no_such"}, run: func(l *lab) string {
			return l.load(safe, []string{"id", "no_such"}, []any{[]any{l.key(), "x"}}).kind("no_such")
		}},
		{name: "an account that does not exist is refused in the result", want: same("ids=false No matching record found for database id '99999999'"), run: func(l *lab) string {
			head, rows := l.rows(l.key(), l.day, line{account: 99999999, amount: "10.00"}, line{account: l.sales, amount: "-10.00"})
			return refusal(l.load(safe, head, rows), "No matching record found for database id '99999999'")
		}},
		{name: "an analytic account that does not exist is taken without a word", want: same("posted"), run: func(l *lab) string {
			p := l.pair("10.00")
			p[0].analytic = `{"99999999": 100}`
			n := l.entry(l.key(), l.day, p...)
			if a := l.post(n); !a.ok() {
				return a.String()
			}
			return l.state(n)
		}},
		{name: "an analytic distribution comes back as a struct of doubles", want: same("same 100"), run: func(l *lab) string {
			p := l.pair("10.00")
			p[1].analytic = fmt.Sprintf(`{"%d": 100}`, l.location)
			n := l.entry(l.key(), l.day, p...)
			a := l.must(l.call("account.move.line", "search_read", []any{[]any{[]any{"move_id", "=", n}, []any{"account_id", "=", l.sales}}}, map[string]any{"fields": []string{"analytic_distribution"}}))
			m, _ := a.v.([]any)[0].(map[string]any)["analytic_distribution"].(map[string]any)
			for k, v := range m {
				return fmt.Sprint(isSame(k, l.location), " ", v.(float64))
			}
			return fmt.Sprint(a)
		}},
	})
}

// lookup asks for an external id. After a load that was undone the real server still finds it in its cache, without a record: that is
// false where the id would stand, and no fault.
func (l *lab) lookup(key string) string {
	_, name, _ := strings.Cut(key, ".")
	a := l.call("ir.model.data", "check_object_reference", []any{"tillpost", name}, nil)
	if pair, ok := a.v.([]any); ok && len(pair) == 2 && pair[1] == false || !a.ok() && strings.Contains(a.words, "External ID not found") {
		return "not there"
	}
	return a.String()
}

// meet lets four callers load the same id at once, eight times.
func meet(l *lab) string {
	if l.fake != nil { // its loads are too quick to meet
		l.fake.Make(fake.Trouble{Slow: 20 * time.Millisecond})
		defer l.fake.Make(fake.Trouble{})
	}
	var lost []string
	records := map[int64]bool{}
	const races = 8
	for range races {
		k := l.key()
		head, rows := l.rows(k, l.day, l.pair("10.00")...)
		got := make([]answer, 4)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() { got[i] = l.load(safe, head, slices.Clone(rows)) })
		}
		wg.Wait()
		for _, a := range got {
			if n := loaded(a); len(n) == 1 {
				records[n[0]] = true
			} else {
				lost = append(lost, refusal(a, "could not serialize access"))
			}
		}
		records[l.entry(k, l.day, l.pair("10.00")...)] = true
	}
	for _, s := range lost {
		if s != "ids=false could not serialize access" {
			return s
		}
	}
	if len(lost) == 0 {
		return fmt.Sprintf("%d records, nobody lost", len(records))
	}
	return fmt.Sprintf("%d record, losers serialize", len(records)/races)
}
