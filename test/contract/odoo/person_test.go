package odoo_test

import (
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
	"github.com/tillpost/tillpost/shared/retail"
)

// person is somebody at head office with administrator's rights: what he does between two steps of the writer must be seen.
type person struct {
	t       *testing.T
	c       *odoo.Client
	version int
	company int64
}

func (s server) person(t *testing.T) person {
	t.Helper()
	p := person{t: t, c: s.boss(t), version: s.version(t)}
	uid, _, err := s.client(t).Login(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := p.do("res.users", "read", []any{[]int64{uid}}, map[string]any{"fields": []string{"company_id"}}).([]any)
	p.company, _ = rows[0].(map[string]any)["company_id"].([]any)[0].(int64)
	return p
}

func (p person) do(model, method string, args []any, kw map[string]any) any {
	p.t.Helper()
	got, err := p.c.Call(p.t.Context(), model, method, args, kw)
	if err != nil {
		p.t.Fatalf("%s.%s: %v", model, method, err)
	}
	return got
}

func TestADeletedOrEditedEntryIsACase(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		gone, edited, relabelled, back := document(t, set, b, "S-NY", today), document(t, set, b, "S-NY", today.AddDays(-1)), document(t, set, b, "S-NY", today.AddDays(-2)),
			document(t, set, b, "S-NY", today.AddDays(-3))
		o, hub := newOutbox(gone, edited, relabelled, back), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		for _, d := range []rollup.Document{gone, edited, relabelled, back} {
			want(t, o.outcome(d), odoo.Done)
		}
		for _, d := range []rollup.Document{gone, back} {
			p.do("account.move", "button_draft", []any{[]int64{o.outcome(d).Read.Move}}, nil)
		}
		p.do("account.move", "unlink", []any{[]int64{o.outcome(gone).Read.Move}}, nil)
		p.edit(s, hub, edited, o.outcome(edited).Read.Move)
		for _, i := range s.standing(t, hub, relabelled) { // accountants may do that
			p.do("account.move.line", "write", []any{[]int64{i.id}, map[string]any{"name": "relabelled"}}, nil)
		}
		n, err := w.Look(t.Context(), time.Time{})
		if err != nil || n != 4 {
			t.Fatalf("looked at %d: %v", n, err)
		}
		for d, cause := range map[string]cases.Cause{gone.ID(): cases.Deleted, edited.ID(): cases.ForeignEdit, back.ID(): cases.ForeignEdit} {
			if c := o.tasks[d].last.Case; c == nil || c.Cause != cause {
				t.Errorf("%s: got %+v, want %s", d, c, cause)
			}
		}
		want(t, o.outcome(relabelled), odoo.Done)

		// A retry of the deleted one looks again and makes nothing anew.
		o.tasks[gone.ID()].done = false
		step(t, w)
		want(t, o.outcome(gone), odoo.Park)
		if i := s.standing(t, hub, gone); len(i) > 0 {
			t.Errorf("a deleted entry came back: %v", i)
		}
		// On a person's word the outbox forgets the id, and it is made anew, once.
		o.tasks[gone.ID()].done, o.tasks[gone.ID()].Move = false, 0
		step(t, w)
		want(t, o.outcome(gone), odoo.Done)
		s.audit(t, hub, gone)
	})
}

// edit changes the money of a posted entry as far as a version lets a person: 17 at once, 18 and 19 by way of a draft.
func (p person) edit(s server, hub envelope.HubID, d rollup.Document, move int64) {
	p.t.Helper()
	if p.version >= 18 {
		p.do("account.move", "button_draft", []any{[]int64{move}}, nil)
	}
	var commands []any
	for _, i := range s.standing(p.t, hub, d) { // two items of whole dollars, each one dollar more
		switch i.label {
		case "sales:Apparel":
			commands = append(commands, []any{1, i.id, map[string]any{"credit": -i.cents/100 + 1}})
		case "tender:visa":
			commands = append(commands, []any{1, i.id, map[string]any{"debit": i.cents/100 + 1}})
		}
	}
	if len(commands) != 2 {
		p.t.Fatalf("no items to edit: %v", commands)
	}
	p.do("account.move", "write", []any{[]int64{move}, map[string]any{"line_ids": commands}}, map[string]any{"context": map[string]any{"skip_invoice_sync": true}})
	if p.version >= 18 {
		p.do("account.move", "write", []any{[]int64{move}, map[string]any{"state": "posted"}}, nil)
	}
}

func TestADraftThatSomebodyChangedIsNotPosted(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		at, way := s.behind(t)
		d, cancelled := document(t, set, b, "S-NY", today), document(t, set, b, "S-NY", today.AddDays(-1))
		o, hub := newOutbox(d, cancelled), newHub()
		w, _ := at.writer(t, o, hub)
		way.set(only("account.move.load", lose))
		step(t, w)
		way.set(nil)
		items := s.standing(t, hub, d)
		p.do("account.move.line", "write", []any{[]int64{items[0].id}, map[string]any{"name": "somebody was here"}}, nil)
		p.do("account.move", "button_cancel", []any{[]int64{s.standing(t, hub, cancelled)[0].move}}, nil)
		for range 3 {
			step(t, w)
		}
		want(t, o.outcome(d), odoo.Park)
		if c := o.outcome(d).Case; c == nil || c.Cause != cases.TotalDiffers || !strings.Contains(c.Detail, "not in the books") || !strings.Contains(c.Detail, "somebody was here") {
			t.Errorf("got case %+v", c)
		}
		want(t, o.outcome(cancelled), odoo.Park)
		if c := o.outcome(cancelled).Case; c == nil || c.Cause != cases.ForeignEdit {
			t.Errorf("got case %+v", c)
		}
		for _, i := range append(s.standing(t, hub, d), s.standing(t, hub, cancelled)...) {
			if i.state == "posted" {
				t.Errorf("it was posted: %+v", i)
			}
		}
	})
}

func TestADeletedAnalyticAccountIsNotBookedOn(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		code := retail.LocationCode("S-" + envelope.NewEpoch().String()[:6])
		o2 := options
		o2.Locations = map[retail.LocationCode]string{code: "A store that closes", "S-NY": "New York"}
		if _, err := odoo.Setup(t.Context(), s.client(t), o2); err != nil {
			t.Fatal(err)
		}
		set, b := s.set(t)
		warm, d := document(t, set, b, code, today), document(t, set, b, code, today.AddDays(-1))
		o, hub := newOutbox(warm), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w) // the writer knows the account now
		want(t, o.outcome(warm), odoo.Done)
		rows := p.do("account.analytic.account", "search_read", []any{[]any{[]any{"code", "=", string(code)}}}, map[string]any{"fields": []string{"code"}}).([]any)
		id := rows[0].(map[string]any)["id"]
		p.do("account.analytic.account", "write", []any{[]any{id}, map[string]any{"active": false}}, nil)
		o.tasks[d.ID()] = &task{Task: odoo.Task{Document: d, Date: d.Date}}
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if why := o.outcome(d).Why; !strings.Contains(why, string(code)) || !strings.Contains(why, "archived") {
			t.Errorf("it says %q", why)
		}
		p.do("account.analytic.account", "write", []any{[]any{id}, map[string]any{"active": true}}, nil)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
	})
}

// TestAnAccountThatGoesOutOfUseHoldsItsOwnDocumentAlone: Odoo refuses it at the load or at the posting, by its build; the document waits for a person
// either way, says why, and is posted once, under the id that it had, when the account is back.
func TestAnAccountThatGoesOutOfUseHoldsItsOwnDocumentAlone(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		run := envelope.NewEpoch().String()[:6]
		id := p.do("account.account", "create", []any{map[string]any{"name": "Vouchers " + run, "code": "9" + run, "account_type": "asset_current"}}, nil)
		use := func(on bool) {
			values := map[string]any{"deprecated": !on}
			if p.version >= 19 {
				values = map[string]any{"active": on}
			}
			p.do("account.account", "write", []any{[]any{id}, values}, nil)
		}
		set, b := s.set(t)
		set.Rules = append(slices.Clone(set.Rules), mapping.Rule{Role: ledger.Tender, Code: "voucher-" + run, Target: mapping.Target{Account: "9" + run}})
		totals := dayTotals(0)
		totals["tender:cash"] = money.Of(40719, "USD")
		totals[ledger.Account("tender:voucher-"+run)] = money.Of(10000, "USD")
		on := func(before int) rollup.Document {
			return documentOf(t, set, b, "S-NY", today.AddDays(-before), rollup.ByEntry, totals)
		}
		warm, d, other := on(0), on(1), document(t, set, b, "S-NY", today.AddDays(-2))
		o, hub := newOutbox(warm), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w) // the writer knows the account now
		want(t, o.outcome(warm), odoo.Done)
		use(false)
		for _, one := range []rollup.Document{d, other} {
			o.tasks[one.ID()] = &task{Task: odoo.Task{Document: one, Date: one.Date}}
		}
		step(t, w)
		want(t, o.outcome(other), odoo.Done)
		was := o.outcome(d)
		if was.Verdict == odoo.Done || was.Posted || was.Case == nil || !strings.Contains(was.Why, "9"+run) && !strings.Contains(was.Why, "Vouchers "+run) {
			t.Fatalf("with its account out of use it is %+v", was)
		}
		use(true)
		o.tasks[d.ID()] = &task{Task: odoo.Task{Document: d, Date: d.Date}}
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		for _, one := range []rollup.Document{warm, d, other} {
			s.audit(t, hub, one)
		}
	})
}
