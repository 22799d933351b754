package odoo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kolo/xmlrpc"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/shared/envelope"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// A fact is one behaviour of Odoo that the writer stands on, asked for in the raw and worded as one line. The wording must be the same on
// the fake and on the real server of the same version: so the fake cannot drift. Where the two disagree, the real server is right.
type fact struct {
	name  string
	run   func(l *lab) string
	want  per
	admin bool // needs an administrator: skipped on a real server without ODOO_ADMIN
}

// per is what each version answers.
type per map[int]string

func same(s string) per { return per{17: s, 18: s, 19: s} }
func since(v int, old, now string) per { // now from version v on
	p := per{}
	for _, n := range []int{17, 18, 19} {
		if p[n] = old; n >= v {
			p[n] = now
		}
	}
	return p
}

// check runs facts on every server there is. A version without an entry does not know the thing asked for.
func check(t *testing.T, facts []fact) {
	eachOver(t, odoo.XMLRPC, func(t *testing.T, s server) { // the facts are of Odoo; what JSON-2 does otherwise is in facts_json2_test.go
		l := newLab(t, s)
		for _, f := range facts {
			want, ok := f.want[l.version]
			if !ok {
				continue
			}
			t.Run(f.name, func(t *testing.T) {
				l := l.in(t)
				if f.admin {
					s.boss(t)
				}
				if got := f.run(l); got != want {
					t.Errorf("Odoo %d\n got %s\nwant %s", l.version, got, want)
				}
			})
		}
	})
}

// caller is one login, seen as the wire shows it.
type caller struct {
	url, db, user, key string
	uid                int64
}

// answer is a value or a fault.
type answer struct {
	v      any
	code   int // 0 = no fault
	words  string
	status int
	header http.Header
}

func (a answer) ok() bool { return a.code == 0 }

// last is the last line of a fault: what a traceback is about.
func (a answer) last() string {
	s := strings.TrimSpace(a.words)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// String words an answer: the value, or the fault's code and last line.
func (a answer) String() string {
	if a.ok() {
		return fmt.Sprint(a.v)
	}
	return fmt.Sprintf("fault %d %s", a.code, a.last())
}

// kind words a fault by what must hold of it: its code and whether the words are in it. Odoo's texts differ by version and language.
func (a answer) kind(words ...string) string {
	if a.ok() {
		return fmt.Sprint(a.v)
	}
	for _, w := range words {
		if strings.Contains(a.words, w) {
			return fmt.Sprintf("fault %d %s", a.code, w)
		}
	}
	return a.String()
}

// raw posts a body.
func raw(ctx context.Context, url, body string) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return answer{code: -1, words: err.Error()}
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{code: -1, words: err.Error()}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, header: resp.Header}
	if err != nil {
		return answer{code: -1, words: err.Error()}
	}
	r := xmlrpc.Response(bytes.ReplaceAll(b, []byte("<nil/>"), []byte("<boolean>0</boolean>")))
	var f xmlrpc.FaultError
	if err := r.Err(); errors.As(err, &f) {
		a.code, a.words = f.Code, f.String
	} else if err != nil {
		a.code, a.words = -1, err.Error()
	} else if err := r.Unmarshal(&a.v); err != nil {
		a.code, a.words = -1, err.Error()
	}
	return a
}

func send(ctx context.Context, url, method string, args ...any) answer {
	body, err := xmlrpc.EncodeMethodCall(method, args...)
	if err != nil {
		return answer{code: -1, words: err.Error()}
	}
	return raw(ctx, url, string(body))
}

func (c caller) call(ctx context.Context, model, method string, args []any, kw map[string]any) answer {
	if kw == nil {
		kw = map[string]any{}
	}
	return send(ctx, c.url+"/xmlrpc/2/object", "execute_kw", c.db, c.uid, c.key, model, method, args, kw)
}

// lab is one server with a journal of its own, so that runs do not meet.
type lab struct {
	t                       *testing.T
	version                 int
	me, admin               caller
	company, journal        int64
	cash, sales, payable    int64
	tax, taxLine, taxRefund int64
	location                int64 // an analytic account
	run                     string
	n                       *int
	day                     string
	fake                    *fake.Server // nil for a real one
}

func (s server) caller(t *testing.T, user, key string) caller {
	t.Helper()
	c := caller{url: s.cfg.URL, db: s.cfg.Database, user: user, key: key}
	a := send(t.Context(), c.url+"/xmlrpc/2/common", "authenticate", c.db, user, key, map[string]any{})
	uid, ok := a.v.(int64)
	if !ok {
		t.Fatalf("%s cannot log in: %s", user, a)
	}
	c.uid = uid
	return c
}

func newLab(t *testing.T, s server) *lab {
	key, _ := s.cfg.Key()
	s.set(t) // analytic accounting and the locations' accounts are there afterwards
	l := &lab{t: t, version: s.version(t), me: s.caller(t, s.cfg.User, key), run: envelope.NewEpoch().String()[:10], n: new(int), day: string(today), fake: s.fake}
	if s.adminKey != "" {
		l.admin = s.caller(t, s.admin, s.adminKey)
	}
	l.company = l.one("res.users", []any{[]any{"id", "=", l.me.uid}}, "company_id")
	first := func(kind string) int64 {
		return l.one("account.account", []any{[]any{"account_type", "=", kind}, []any{"name", "not like", "Till "}, []any{"reconcile", "=", false}}, "id")
	}
	l.cash, l.sales = first("asset_current"), first("income")
	l.tax = l.one("account.tax", []any{[]any{"type_tax_use", "=", "sale"}, []any{"amount", "=", 15.0}, []any{"company_id", "=", l.company}}, "id")
	part := func(doc string) []any {
		return []any{[]any{"tax_id", "=", l.tax}, []any{"document_type", "=", doc}, []any{"repartition_type", "=", "tax"}}
	}
	l.taxLine, l.taxRefund = l.one("account.tax.repartition.line", part("invoice"), "id"), l.one("account.tax.repartition.line", part("refund"), "id")
	l.payable = l.one("account.tax.repartition.line", part("invoice"), "account_id")
	l.location = l.one("account.analytic.account", []any{[]any{"code", "=", "S-NY"}}, "id")
	code := "F" + strings.ToUpper(l.run[:4])
	made := l.call("account.journal", "create", []any{map[string]any{"name": "Facts " + l.run, "code": code, "type": "general", "company_id": l.company}}, nil)
	l.journal, _ = made.v.(int64)
	if l.journal == 0 {
		t.Fatalf("no journal: %s", made)
	}
	return l
}

func (l *lab) in(t *testing.T) *lab { c := *l; c.t = t; return &c }

func (l *lab) call(model, method string, args []any, kw map[string]any) answer {
	l.t.Helper()
	return l.me.call(l.t.Context(), model, method, args, kw)
}

// must is a call that is no part of the fact and has to work.
func (l *lab) must(a answer) answer {
	l.t.Helper()
	if !a.ok() {
		l.t.Fatalf("not the fact, but the way to it: %s", a)
	}
	return a
}

// one is a field of the first record of a domain: an id or a reference's id.
func (l *lab) one(model string, domain []any, field string) int64 {
	l.t.Helper()
	a := l.must(l.call(model, "search_read", []any{domain}, map[string]any{"fields": []string{field}, "limit": 1, "order": "id", "load": ""}))
	rows, _ := a.v.([]any)
	if len(rows) == 0 {
		l.t.Fatalf("%s %v: there is none", model, domain)
	}
	n, _ := rows[0].(map[string]any)[field].(int64)
	return n
}

// key is a new external id.
func (l *lab) key() string { *l.n++; return fmt.Sprintf("tillpost.f%s_%d", l.run, *l.n) }

// line is one item of an entry to be loaded.
type line struct {
	account  int64
	amount   string // "12.50" debit, "-12.50" credit
	tax      int64
	rep      int64
	id       string // external id of its own
	analytic string
}

var safe = map[string]any{"mode": "update", "noupdate": true}

// rows lays an entry out for load.
func (l *lab) rows(key, date string, lines ...line) (head []string, rows []any) {
	head = []string{"id", "move_type", "journal_id/.id", "date", "ref", "line_ids/id", "line_ids/account_id/.id", "line_ids/name", "line_ids/debit", "line_ids/credit",
		"line_ids/tax_ids/.id", "line_ids/tax_repartition_line_id/.id", "line_ids/analytic_distribution"}
	if !slices.ContainsFunc(lines, func(i line) bool { return i.id != "" }) {
		head = slices.Delete(head, 5, 6)
	}
	own := []any{key, "entry", fmt.Sprint(l.journal), date, "fact " + key}
	for _, i := range lines {
		debit, credit := i.amount, "0"
		if c, ok := strings.CutPrefix(i.amount, "-"); ok {
			debit, credit = "0", c
		}
		row := slices.Clone(own)
		if len(head) == 13 {
			row = append(row, i.id)
		}
		rows = append(rows, append(row, fmt.Sprint(i.account), l.role(i.account), debit, credit, number(i.tax), number(i.rep), i.analytic))
		own = []any{"", "", "", "", ""}
	}
	return head, rows
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// load sends entries laid out by rows.
func (l *lab) load(in map[string]any, head []string, rows []any) answer {
	return l.call("account.move", "load", []any{head, rows}, map[string]any{"context": in})
}

// entry loads one entry in the safe way and returns its id.
func (l *lab) entry(key, date string, lines ...line) int64 {
	l.t.Helper()
	return l.entryIn(safe, key, date, lines...)
}

func (l *lab) entryIn(in map[string]any, key, date string, lines ...line) int64 {
	l.t.Helper()
	head, rows := l.rows(key, date, lines...)
	a := l.load(in, head, rows)
	if n := loaded(a); len(n) == 1 {
		return n[0]
	}
	l.t.Fatalf("load: %s", a)
	return 0
}

func (l *lab) pair(amount string) []line {
	return []line{{account: l.cash, amount: amount}, {account: l.sales, amount: "-" + amount}}
}

func (l *lab) post(moves ...int64) answer {
	return l.call("account.move", "action_post", []any{moves}, nil)
}

// loaded are the ids of a load, none when it says false.
func loaded(a answer) (out []int64) {
	m, _ := a.v.(map[string]any)
	list, _ := m["ids"].([]any)
	for _, v := range list {
		n, _ := v.(int64)
		out = append(out, n)
	}
	return out
}

// refusal words a load that gave no ids: what its messages say of words.
func refusal(a answer, words ...string) string {
	m, _ := a.v.(map[string]any)
	if !a.ok() || m["ids"] != false {
		return a.kind(words...)
	}
	said := fmt.Sprint(m["messages"])
	for _, w := range words {
		if strings.Contains(said, w) {
			return "ids=false " + w
		}
	}
	return "ids=false " + said
}

func (l *lab) role(account int64) string {
	switch account {
	case l.cash:
		return "cash"
	case l.sales:
		return "sales"
	case l.payable:
		return "payable"
	}
	return "other"
}

// items words an entry: its state and, by account, the amounts of its items.
func (l *lab) items(move int64) string {
	l.t.Helper()
	a := l.must(l.call("account.move.line", "search_read", []any{[]any{[]any{"move_id", "=", move}}}, map[string]any{"fields": []string{"account_id", "balance", "name"}, "load": ""}))
	var out []string
	for _, r := range a.v.([]any) {
		m := r.(map[string]any)
		id, _ := m["account_id"].(int64)
		role := l.role(id)
		if name, _ := m["name"].(string); role == "other" {
			role = name
		}
		out = append(out, fmt.Sprintf("%s %.2f", role, m["balance"]))
	}
	slices.Sort(out)
	return l.state(move) + ": " + strings.Join(out, ", ")
}

func (l *lab) state(move int64) string { return fmt.Sprint(l.field(move, "state")) }
func (l *lab) date(move int64) string  { return fmt.Sprint(l.field(move, "date")) }
func (l *lab) field(move int64, name string) any {
	l.t.Helper()
	a := l.must(l.call("account.move", "read", []any{[]int64{move}}, map[string]any{"fields": []string{name}}))
	rows, _ := a.v.([]any)
	if len(rows) == 0 {
		return "gone"
	}
	return rows[0].(map[string]any)[name]
}

func isSame(a, b any) string {
	if fmt.Sprint(a) == fmt.Sprint(b) {
		return "same"
	}
	return "other"
}

func ago(days int) string { return time.Now().AddDate(0, 0, -days).Format(time.DateOnly) }
