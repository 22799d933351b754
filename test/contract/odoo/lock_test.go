package odoo_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

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
