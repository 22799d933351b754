package odoo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/envelope"
)

// paying is a journal for money with a payment method that books on an account of its own.
func (l *lab) paying() (journal, method int64) {
	l.t.Helper()
	n := func(a answer) int64 { id, _ := l.must(a).v.(int64); return id }
	journal = n(l.call("account.journal", "create", []any{map[string]any{"name": "Payments " + l.run, "code": "P" + strings.ToUpper(envelope.NewEpoch().String()[:4]), "type": "cash", "company_id": l.company}}, nil))
	manual := l.one("account.payment.method", []any{[]any{"code", "=", "manual"}, []any{"payment_type", "=", "inbound"}}, "id")
	return journal, n(l.call("account.payment.method.line", "create", []any{map[string]any{"name": "Fact " + l.run, "journal_id": journal, "payment_method_id": manual, "payment_account_id": l.cash}}, nil))
}

// pay loads a payment of 5.00.
func (l *lab) pay(key, date string, journal, method int64) answer {
	memo := map[bool]string{true: "ref", false: "memo"}[l.version < 18]
	head := []string{"id", "payment_type", "partner_type", "partner_id/.id", "amount", "date", "journal_id/.id", "payment_method_line_id/.id", memo}
	partner := l.one("res.partner", []any{[]any{"ref", "=like", "tillpost/walk-in/%"}}, "id")
	return l.call("account.payment", "load", []any{head, []any{[]any{key, "inbound", "customer", fmt.Sprint(partner), "5.00", date, fmt.Sprint(journal), fmt.Sprint(method), "fact " + key}}}, map[string]any{"context": safe})
}

func (l *lab) payment(n int64, field string) any {
	l.t.Helper()
	a := l.must(l.call("account.payment", "search_read", []any{[]any{[]any{"id", "=", n}}}, map[string]any{"fields": []string{field}, "load": ""}))
	rows, _ := a.v.([]any)
	if len(rows) == 0 {
		return "gone"
	}
	return rows[0].(map[string]any)[field]
}

const noneFault = "fault 1 TypeError: cannot marshal None unless allow_none is enabled"

func TestFactsOfPayments(t *testing.T) {
	made := func(l *lab, date string) int64 {
		j, m := l.paying()
		got := loaded(l.pay(l.key(), date, j, m))
		if len(got) != 1 {
			l.t.Fatal("no payment")
		}
		return got[0]
	}
	post := func(l *lab, n int64) answer { return l.call("account.payment", "action_post", []any{[]int64{n}}, nil) }
	check(t, []fact{
		{name: "a payment loaded again under its external id is the same one", want: same("same, draft"), run: func(l *lab) string {
			j, m := l.paying()
			key := l.key()
			first, again := loaded(l.pay(key, l.day, j, m)), loaded(l.pay(key, l.day, j, m))
			return fmt.Sprintf("%s, %v", isSame(first, again), l.payment(first[0], "state"))
		}},
		{name: "a draft payment has its entry already in 17, and none in 18 and 19", want: since(18, "an entry", "none"), run: func(l *lab) string {
			if move, _ := l.payment(made(l, l.day), "move_id").(int64); move != 0 {
				return "an entry"
			}
			return "none"
		}},
		{name: "action_post of a payment has committed and cannot say None", want: since(18, noneFault+", posted", noneFault+", in_process"), run: func(l *lab) string {
			n := made(l, l.day)
			a := post(l, n)
			return fmt.Sprintf("%s, %v", a, l.payment(n, "state"))
		}},
		{name: "a second one is a fault 2 in 17, and nothing in 18 and 19", want: since(18, "fault 2 must be in draft", noneFault), run: func(l *lab) string {
			n := made(l, l.day)
			post(l, n)
			return post(l, n).kind("must be in draft")
		}},
		{name: "its entry stands on the method's account, and has the memo as its reference", want: same("5.00, fact tillpost.f"), run: func(l *lab) string {
			n := made(l, l.day)
			post(l, n)
			move, _ := l.payment(n, "move_id").(int64)
			a := l.must(l.call("account.move.line", "search_read", []any{[]any{[]any{"move_id", "=", move}, []any{"account_id", "=", l.cash}, []any{"payment_id", "=", n}}}, map[string]any{"fields": []string{"balance", "ref"}, "load": ""}))
			rows, _ := a.v.([]any)
			if len(rows) != 1 {
				return fmt.Sprint(rows)
			}
			r := rows[0].(map[string]any)
			return fmt.Sprintf("%.2f, %.15s", r["balance"], r["ref"])
		}},
		{name: "labels and analytic accounts of its items can be written in a closed period", admin: true, want: same("true, named"), run: func(l *lab) string {
			n := made(l, old)
			post(l, n)
			move, _ := l.payment(n, "move_id").(int64)
			l.must(l.lock("fiscalyear_lock_date", locked))
			item := l.one("account.move.line", []any{[]any{"move_id", "=", move}, []any{"account_id", "=", l.cash}}, "id")
			a := l.call("account.move.line", "write", []any{[]int64{item}, map[string]any{"name": "named", "analytic_distribution": map[string]any{fmt.Sprint(l.location): 100}}}, nil)
			rows, _ := l.must(l.call("account.move.line", "read", []any{[]int64{item}}, map[string]any{"fields": []string{"name"}})).v.([]any)
			return fmt.Sprintf("%s, %v", a, rows[0].(map[string]any)["name"])
		}},
		{name: "a payment in the books is deleted with its entry in 17, and refused in 18 and 19", want: since(18, "true, gone, gone", "fault 2 without having a journal entry, in_process, posted"), run: func(l *lab) string {
			n := made(l, l.day)
			post(l, n)
			move, _ := l.payment(n, "move_id").(int64)
			a := l.call("account.payment", "unlink", []any{[]int64{n}}, nil)
			return fmt.Sprintf("%s, %v, %v", a.kind("without having a journal entry"), l.payment(n, "state"), l.field(move, "state"))
		}},
	})
}
