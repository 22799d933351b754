package odoo_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/envelope"
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

// lock closes the books up to a date and opens them again when the test ends. Drafts stand in the way in 17, where the lock for
// non-advisers is used: the writer takes it for closed too.
func (p person) lock(field, date string) {
	p.t.Helper()
	p.t.Cleanup(func() {
		if _, err := p.c.Call(context.Background(), "res.company", "write", []any{[]int64{p.company}, map[string]any{field: false}}, nil); err != nil {
			p.t.Errorf("the lock date %s could not be taken back: %v", field, err)
		}
	})
	p.set(field, date)
}

func (p person) set(field string, date any) {
	p.t.Helper()
	p.do("res.company", "write", []any{[]int64{p.company}, map[string]any{field: date}}, nil)
}

// lockField is a lock that can be set over drafts.
func (p person) lockField() string {
	if p.version == 17 {
		return "period_lock_date"
	}
	return "fiscalyear_lock_date"
}

// ancient is before every other entry of the books, so that a lock over it meets nobody else's.
const ancient = retail.BusinessDate("2002-06-15")

func TestAClosedPeriodHoldsTheDayAndSendsLateDataToTheFirstOpenDate(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		d := document(t, set, b, "S-NY", ancient)
		first := document(t, set, b, "S-NY", ancient.AddDays(-1))
		late := document(t, set, b, "S-NY", ancient.AddDays(-1), first)
		p.lock("fiscalyear_lock_date", "2002-06-30")
		o, hub := newOutbox(d, late), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if c := o.outcome(d).Case; c == nil || c.Cause != cases.LockedPeriod || !strings.Contains(c.Detail, "2002-06-30") {
			t.Errorf("got case %+v", c)
		}
		if n := s.standing(t, hub, d); len(n) > 0 {
			t.Errorf("a draft was left in a closed period: %v", n)
		}
		want(t, o.outcome(late), odoo.Done)
		if got := o.outcome(late).Read.Date; got != "2002-07-01" {
			t.Errorf("late data went to %s", got)
		}
		p.set("fiscalyear_lock_date", false)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
	})
}

func TestATaxLockHoldsADayWithTaxesOnly(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		d := document(t, set, b, "S-NY", ancient)
		plain := document(t, set, b, "S-NY", ancient.AddDays(-1))
		plain.Lines = untaxed(plain.Lines)
		p.lock("tax_lock_date", "2002-06-30")
		o, hub := newOutbox(d, plain), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		want(t, o.outcome(plain), odoo.Done)
		s.audit(t, hub, plain)
		p.set("tax_lock_date", false)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
	})
}

func untaxed(lines []rollup.Line) (out []rollup.Line) {
	for _, l := range lines {
		l.Tax = ""
		out = append(out, l)
	}
	return out
}

// The lock comes when the draft is in Odoo and before it is posted. At the writer's next look it is seen.
func TestALockSetBetweenLoadAndPostIsSeen(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		at, way := s.behind(t)
		d := document(t, set, b, "S-NY", ancient)
		o, hub := newOutbox(d), newHub()
		w, _ := at.writer(t, o, hub)
		way.set(only("account.move.load", lose)) // the draft is there and the outbox does not know
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		way.set(nil)
		p.lock(p.lockField(), "2002-06-30")
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if c := o.outcome(d).Case; c == nil || c.Cause != cases.LockedPeriod {
			t.Errorf("got case %+v", c)
		}
		for _, i := range s.standing(t, hub, d) {
			if i.state != "draft" || i.date != string(ancient) {
				t.Fatalf("the entry was posted into another period: %+v", i)
			}
		}
		p.set(p.lockField(), false)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
	})
}

// The lock comes in the moment between the writer's last look and the posting: nobody can hinder that, but it is not unseen. In 17 such a
// lock cannot be set over a draft.
func TestALockInTheLastMomentIsACase(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		if p.version == 17 {
			t.Skip("17 sets no lock that binds an adviser over a draft")
		}
		set, b := s.set(t)
		at, way := s.behind(t)
		d := document(t, set, b, "S-NY", ancient)
		o, hub := newOutbox(d), newHub()
		w, _ := at.writer(t, o, hub)
		way.set(func(call string) spoil {
			if call == "account.move.action_post" {
				p.lock("fiscalyear_lock_date", "2002-06-30")
			}
			return pass
		})
		step(t, w)
		want(t, o.outcome(d), odoo.Park)
		if c := o.outcome(d).Case; c == nil || c.Cause != cases.DateShift || !o.outcome(d).Posted || !strings.Contains(c.Detail, "2002-07-31") || !strings.Contains(c.Detail, string(ancient)) {
			t.Errorf("got %+v, case %+v", o.outcome(d), c)
		}
		if n := len(s.standing(t, hub, d)); n != len(d.Lines) {
			t.Errorf("Odoo has %d items, want %d", n, len(d.Lines))
		}
	})
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

// clerk makes a second user with only what an ordinary employee has.
func (p person) clerk(s server) (at server, uid int64) {
	p.t.Helper()
	name := "tillpost-test-" + envelope.NewEpoch().String()[:8]
	uid, _ = p.do("res.users", "create", []any{map[string]any{"name": name, "login": name, "password": name, p.groups(): []any{[]any{6, 0, []any{p.group("base.group_user")}}}}}, nil).(int64)
	p.t.Cleanup(func() {
		_, _ = p.c.Call(context.Background(), "res.users", "write", []any{[]int64{uid}, map[string]any{"active": false}}, nil)
	})
	s.cfg.User, s.cfg.Key = name, func() (string, error) { return name, nil }
	return s, uid
}

func (p person) groups() string {
	if p.version >= 19 {
		return "group_ids"
	}
	return "groups_id"
}

func (p person) group(full string) int64 {
	p.t.Helper()
	module, name, _ := strings.Cut(full, ".")
	pair, _ := p.do("ir.model.data", "check_object_reference", []any{module, name}, nil).([]any)
	if len(pair) != 2 {
		p.t.Fatalf("no group %s", full)
	}
	id, _ := pair[1].(int64)
	return id
}

func (p person) grant(uid int64, group string) {
	p.t.Helper()
	p.do("res.users", "write", []any{[]int64{uid}, map[string]any{p.groups(): []any{[]any{4, p.group(group)}}}}, nil)
}

func (p person) withdraw(uid int64, group string) {
	p.t.Helper()
	p.do("res.users", "write", []any{[]int64{uid}, map[string]any{p.groups(): []any{[]any{3, p.group(group)}}}}, nil)
}

func TestAUserWithoutRightsWaitsAndGoesOnceHeHasThem(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		poor, uid := p.clerk(s)
		d := document(t, set, b, "S-NY", today)
		o, hub := newOutbox(d), newHub()
		w, _ := poor.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if why := o.outcome(d).Why; !strings.Contains(why, "lacks a right") || !strings.Contains(why, "Nothing is lost") {
			t.Errorf("it says %q", why)
		}
		if st := w.Status(); st.State != breaker.Refused {
			t.Errorf("the lane is %+v", st)
		}
		missing, err := odoo.MissingRights(t.Context(), poor.client(t))
		if err != nil || len(missing) != 1 || !strings.Contains(missing[0], poor.cfg.User) || !strings.Contains(missing[0], "create journal entries") {
			t.Errorf("check says %q %v", missing, err)
		}
		t.Logf("check says: %s", missing)
		p.grant(uid, "account.group_account_invoice")
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
		if missing, err := odoo.MissingRights(t.Context(), poor.client(t)); err != nil || len(missing) > 0 {
			t.Errorf("with the group it still lacks %q %v", missing, err)
		}

		// The right is taken away in the middle of a chain.
		at, way := poor.behind(t)
		e := document(t, set, b, "S-NY", today.AddDays(-1))
		o.tasks[e.ID()] = &task{Task: odoo.Task{Document: e, Date: e.Date}}
		w, _ = at.writer(t, o, hub)
		way.set(func(call string) spoil {
			if call == "account.move.action_post" {
				p.withdraw(uid, "account.group_account_invoice")
			}
			return pass
		})
		step(t, w)
		want(t, o.outcome(e), odoo.Wait)
		way.set(nil)
		p.grant(uid, "account.group_account_invoice")
		step(t, w)
		want(t, o.outcome(e), odoo.Done)
		s.audit(t, hub, e)
	})
}

func TestSetupOfAPoorUserNamesWhatHeLacksAndChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		if _, err := s.setup(t); err != nil {
			t.Fatal(err)
		}
		poor, uid := p.clerk(s)
		rep, err := odoo.Setup(t.Context(), poor.client(t), options)
		if err == nil || len(rep.Missing) == 0 || !strings.Contains(err.Error(), "nothing was changed") {
			t.Fatalf("setup: %+v %v", rep, err)
		}
		t.Log(err)
		// A biller may run it where everything is there already, and is told the manager's group where it is not.
		p.grant(uid, "account.group_account_invoice")
		if rep, err = odoo.Setup(t.Context(), poor.client(t), options); err != nil || len(rep.Missing) > 0 {
			t.Errorf("everything is there, and a biller is refused: %+v %v", rep.Missing, err)
		}
		more := options
		more.Tenders = append([]string{"new" + envelope.NewEpoch().String()[:6]}, options.Tenders...)
		rep, err = odoo.Setup(t.Context(), poor.client(t), more)
		if err == nil || len(rep.Missing) != 1 || !strings.Contains(rep.Missing[0], "create accounts") || strings.Contains(rep.Missing[0], "journal") {
			t.Errorf("setup: %q %v", rep.Missing, err)
		}
		t.Log(err)
		p.grant(uid, "account.group_account_manager")
		if rep, err = odoo.Setup(t.Context(), poor.client(t), more); err != nil {
			t.Errorf("with the group: %v", err)
		}
		made := 0
		for _, st := range rep.Steps {
			if st.Done == "made" {
				made++
			}
		}
		if made != 1 {
			t.Errorf("one account was wanted: %+v", rep.Steps)
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
