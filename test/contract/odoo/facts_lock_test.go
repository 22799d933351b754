package odoo_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
)

// lock writes the company's lock dates as a person does, and takes them back when the test is over.
func (l *lab) lock(field, date string) answer {
	l.t.Helper()
	l.t.Cleanup(func() {
		if a := l.admin.call(context2(), "res.company", "write", []any{[]int64{l.company}, map[string]any{field: false}}, nil); !a.ok() {
			l.t.Errorf("the lock date %s could not be taken back: %s", field, a)
		}
	})
	return l.admin.call(l.t.Context(), "res.company", "write", []any{[]int64{l.company}, map[string]any{field: any(date)}}, nil)
}

// old is far before anything else in the books: other entries do not meet these locks.
const (
	old    = "2001-06-15"
	locked = "2001-06-30"
	moved  = "2001-07-31"
)

// shifted posts an entry of old with a lock in force, and tells where it went.
func shifted(field string, lines func(*lab) []line) func(l *lab) string {
	return func(l *lab) string {
		l.must(l.post(l.entry(l.key(), "2001-01-01", l.pair("1.00")...))) // the journal has its numbers' form
		l.must(l.lock(field, locked))
		n := l.entryIn(quiet, l.key(), old, lines(l)...)
		was := l.date(n)
		a := l.post(n)
		return fmt.Sprintf("draft %s, %s, %s %s", was, a, l.state(n), l.date(n))
	}
}

// inSales lets a fact happen in a journal of type sale.
func inSales(run func(*lab) string) func(*lab) string {
	return func(l *lab) string {
		made := l.must(l.call("account.journal", "create", []any{map[string]any{"name": "Sales " + l.key(), "code": "S" + strings.ToUpper(envelope.NewEpoch().String()[:4]), "type": "sale", "company_id": l.company}}, nil))
		in := *l
		in.journal, _ = made.v.(int64)
		return run(&in)
	}
}

// except makes an exception to a lock date until the test ends. A lock date that is set later makes the exception anew, under another id.
func (l *lab) except(v map[string]any) {
	v["company_id"], v["reason"], v["end_datetime"] = l.company, "fact", time.Now().UTC().Add(time.Hour).Format(time.DateTime)
	id, _ := l.must(l.admin.call(l.t.Context(), "account.lock_exception", "create", []any{v}, nil)).v.(int64)
	l.t.Cleanup(func() {
		l.admin.call(context2(), "account.lock_exception", "action_revoke", []any{[]int64{id}}, nil)
	})
}

// balance is an entry's item on an account, in whole dollars.
func (l *lab) balance(move, account int64) float64 {
	l.t.Helper()
	a := l.must(l.call("account.move.line", "read", []any{[]int64{l.itemID(move, account)}}, map[string]any{"fields": []string{"balance"}}))
	f, _ := a.v.([]any)[0].(map[string]any)["balance"].(float64)
	return f
}

func plain(l *lab) []line { return l.pair("10.00") }
func taxed(l *lab) []line {
	return []line{{account: l.cash, amount: "14.00"}, {account: l.payable, amount: "-14.00", rep: l.taxLine}}
}

func TestFactsOfLocks(t *testing.T) {
	stays, goes := "draft "+old+", false, posted "+old, "draft "+old+", false, posted "+moved
	yearEnd := "draft " + old + ", false, posted 2001-12-31"
	check(t, []fact{
		{name: "posting into a closed year does not fail: the date moves", admin: true, want: same(goes), run: shifted("fiscalyear_lock_date", plain)},
		{name: "the tax lock does not touch an entry without taxes", admin: true, want: same(stays), run: shifted("tax_lock_date", plain)},
		{name: "and moves one with a tax line", admin: true, want: same(goes), run: shifted("tax_lock_date", taxed)},
		{name: "the sales lock does not touch an entry", admin: true, want: per{18: stays, 19: stays}, run: shifted("sale_lock_date", plain)},
		{name: "nor one with a sales tax line", admin: true, want: per{18: stays, 19: stays}, run: shifted("sale_lock_date", taxed)},
		{name: "the purchase lock does not touch it either", admin: true, want: per{18: stays, 19: stays}, run: shifted("purchase_lock_date", taxed)},
		{name: "the sales lock moves an entry of a sales journal, which counts by year", admin: true, want: per{18: yearEnd, 19: yearEnd}, run: inSales(shifted("sale_lock_date", plain))},
		{name: "the purchase lock does not", admin: true, want: per{18: stays, 19: stays}, run: inSales(shifted("purchase_lock_date", plain))},
		{name: "an exception to the sales lock for everybody lifts it", admin: true, want: per{18: "posted " + old, 19: "posted " + old}, run: inSales(func(l *lab) string {
			l.must(l.lock("sale_lock_date", locked))
			l.except(map[string]any{"user_id": false, "sale_lock_date": "2001-05-31"})
			n := l.entryIn(quiet, l.key(), old, plain(l)...)
			l.must(l.post(n))
			return l.state(n) + " " + l.date(n)
		})},
		{name: "17's tax date knows its own company's", admin: true, want: per{17: "1-01-01 then " + locked}, run: func(l *lab) string {
			was := l.companyDate("max_tax_lock_date")
			l.must(l.lock("tax_lock_date", locked))
			return fmt.Sprint(was, " then ", l.companyDate("max_tax_lock_date"))
		}},
		{name: "a draft in a closed period can be given another date, and keeps its cents", admin: true, want: per{18: "true 2001-07-05 -14 true 2001-07-05 -14", 19: "true 2001-07-05 -14 true 2001-07-05 -14"}, run: func(l *lab) string {
			n := l.entryIn(quiet, l.key(), old, taxed(l)...)
			l.must(l.lock("fiscalyear_lock_date", locked))
			say := func(a answer) string { return fmt.Sprint(a, " ", l.date(n), " ", l.balance(n, l.payable)) }
			first := say(l.call("account.move", "write", []any{[]int64{n}, map[string]any{"date": "2001-07-05", "narration": "why"}}, map[string]any{"context": quiet}))
			l.must(l.post(n))
			return first + " " + say(answer{v: true})
		}},
		{name: "17's lock for non-advisers does not bind an adviser", admin: true, want: per{17: stays}, run: shifted("period_lock_date", plain)},
		{name: "17 does not close a period with drafts in it, 18 and 19 do", admin: true, want: since(18, "fault 2 unposted entries", "true"), run: func(l *lab) string {
			n := l.entry(l.key(), old, l.pair("10.00")...)
			defer l.call("account.move", "unlink", []any{[]int64{n}}, nil)
			return l.lock("fiscalyear_lock_date", locked).kind("unposted entries")
		}},
		{name: "a draft that is overtaken by a lock moves when it is posted", admin: true, want: per{18: moved, 19: moved}, run: func(l *lab) string {
			n := l.entry(l.key(), old, l.pair("10.00")...)
			l.must(l.lock("fiscalyear_lock_date", locked))
			l.must(l.post(n))
			return l.date(n)
		}},
		{name: "a posted entry in a closed period cannot be put back", admin: true, want: same("fault 2 prior to and inclusive of, posted"), run: func(l *lab) string {
			n := l.entry(l.key(), old, l.pair("10.00")...)
			l.must(l.post(n))
			l.must(l.lock("fiscalyear_lock_date", locked))
			a := l.call("account.move", "button_draft", []any{[]int64{n}}, nil)
			return fmt.Sprintf("%s, %s", a.kind("prior to and inclusive of"), l.state(n))
		}},
		{name: "its reference, labels and analytics can still be written", admin: true, want: same("true true true"), run: func(l *lab) string {
			n := l.entry(l.key(), old, l.pair("10.00")...)
			l.must(l.post(n))
			l.must(l.lock("fiscalyear_lock_date", locked))
			i := []int64{l.itemID(n, l.sales)}
			return fmt.Sprint(l.call("account.move", "write", []any{[]int64{n}, map[string]any{"ref": "relabelled"}}, nil), " ",
				l.call("account.move.line", "write", []any{i, map[string]any{"name": "relabelled"}}, nil), " ",
				l.call("account.move.line", "write", []any{i, map[string]any{"analytic_distribution": map[string]any{fmt.Sprint(l.location): 100.0}}}, nil))
		}},
		{name: "the user's own dates tell the lock from 18 on; 1-01-01, Python's first day without its zeros, is none", admin: true, want: per{18: "1-01-01 then " + locked, 19: "1-01-01 then " + locked}, run: func(l *lab) string {
			was := l.companyDate("user_fiscalyear_lock_date")
			l.must(l.lock("fiscalyear_lock_date", locked))
			return fmt.Sprint(was, " then ", l.companyDate("user_fiscalyear_lock_date"))
		}},
		{name: "17 shows the company's date, false is none", admin: true, want: per{17: "false then " + locked}, run: func(l *lab) string {
			was := l.companyDate("fiscalyear_lock_date")
			l.must(l.lock("fiscalyear_lock_date", locked))
			return fmt.Sprint(was, " then ", l.companyDate("fiscalyear_lock_date"))
		}},
		{name: "an exception lifts the lock for one user", admin: true, want: per{18: "1-01-01, " + old, 19: "1-01-01, " + old}, run: func(l *lab) string {
			l.must(l.lock("fiscalyear_lock_date", locked))
			a := l.must(l.admin.call(l.t.Context(), "account.lock_exception", "create", []any{map[string]any{"company_id": l.company, "user_id": l.me.uid,
				"fiscalyear_lock_date": false, "end_datetime": time.Now().UTC().Add(time.Hour).Format(time.DateTime), "reason": "fact"}}, nil))
			id, _ := a.v.(int64)
			l.t.Cleanup(func() { l.admin.call(context2(), "account.lock_exception", "action_revoke", []any{[]int64{id}}, nil) })
			seen := l.companyDate("user_fiscalyear_lock_date")
			n := l.entry(l.key(), old, l.pair("10.00")...)
			l.must(l.post(n))
			return fmt.Sprint(seen, ", ", l.date(n))
		}},
		{name: "a hard lock moves the date too and cannot be taken back", admin: true, want: per{18: "posted 1990-02-28, fault 2", 19: "posted 1990-02-28, fault 2"}, run: hardLock},
		{name: "lock dates are no business of an ordinary user", want: same("fault 4"), run: func(l *lab) string {
			return fmt.Sprintf("fault %d", l.call("res.company", "write", []any{[]int64{l.company}, map[string]any{"tax_lock_date": "1999-01-31"}}, nil).code)
		}},
	})
}

// hardLock stays for ever, so a real server needs one more word.
func hardLock(l *lab) string {
	if os.Getenv("ODOO_HARD_LOCK") == "" && l.fake == nil {
		l.t.Skip("ODOO_HARD_LOCK is not set: a hard lock cannot be taken back")
	}
	l.must(l.post(l.entry(l.key(), "1991-01-01", l.pair("1.00")...)))
	l.must(l.admin.call(l.t.Context(), "res.company", "write", []any{[]int64{l.company}, map[string]any{"hard_lock_date": "1990-01-31"}}, nil))
	n := l.entry(l.key(), "1990-01-15", l.pair("10.00")...)
	l.must(l.post(n))
	back := l.admin.call(l.t.Context(), "res.company", "write", []any{[]int64{l.company}, map[string]any{"hard_lock_date": false}}, nil)
	return fmt.Sprintf("%s %s, fault %d", l.state(n), l.date(n), back.code)
}

func (l *lab) companyDate(field string) any {
	a := l.must(l.call("res.company", "read", []any{[]int64{l.company}}, map[string]any{"fields": []string{field}}))
	return a.v.([]any)[0].(map[string]any)[field]
}
