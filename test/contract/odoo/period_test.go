package odoo_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	closedUpTo = retail.BusinessDate("2002-06-30")
	firstOpen  = retail.BusinessDate("2002-07-01")
)

// salesBooks are books whose documents go to a journal of type sale.
func (p person) salesBooks(b rollup.Books) rollup.Books {
	p.t.Helper()
	b.Journal = "S" + strings.ToUpper(envelope.NewEpoch().String()[:4])
	p.do("account.journal", "create", []any{map[string]any{"name": "Sales " + b.Journal, "code": b.Journal, "type": "sale", "company_id": p.company}}, nil)
	return b
}

// closing is a lock, what it binds, and what people are told of it.
type closing struct {
	field  string
	sales  bool // the document goes to a journal of type sale
	plain  bool // it has no tax lines
	binds  bool
	by     string
	since  int // version
	never  bool
	before int
}

var closings = []closing{
	{field: "fiscalyear_lock_date", binds: true, by: "global lock"},
	{field: "fiscalyear_lock_date", plain: true, binds: true, by: "global lock"},
	{field: "fiscalyear_lock_date", sales: true, binds: true, by: "global lock"},
	{field: "period_lock_date", binds: true, by: "global lock", before: 18},
	{field: "tax_lock_date", binds: true, by: "tax lock"},
	{field: "tax_lock_date", plain: true},
	{field: "sale_lock_date", sales: true, binds: true, by: "sales lock", since: 18},
	{field: "sale_lock_date", since: 18},
	{field: "purchase_lock_date", sales: true, since: 18},
	{field: "hard_lock_date", binds: true, by: "hard lock", since: 18, never: true},
}

func (c closing) String() string {
	return fmt.Sprintf("%s sales=%v plain=%v", c.field, c.sales, c.plain)
}

// Each policy under each lock: what is bound waits, asks or goes to the first open date; what is not bound stays on its day under all.
func TestAPolicySaysWhereADayOfAClosedPeriodGoes(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		sales := p.salesBooks(b)
		for _, c := range closings {
			if p.version < c.since || c.before > 0 && p.version >= c.before || c.never && s.fake == nil && os.Getenv("ODOO_HARD_LOCK") == "" {
				continue
			}
			t.Run(c.String(), func(t *testing.T) {
				p := p
				p.t = t
				if c.never {
					p.set(c.field, string(closedUpTo))
				} else {
					p.lock(c.field, string(closedUpTo))
				}
				for i, policy := range []lockdate.Policy{lockdate.ByDefault, lockdate.Hold, lockdate.Ask, lockdate.Next} {
					books := b
					if c.sales {
						books = sales
					}
					d := document(t, set, books, "S-NY", ancient.AddDays(-i))
					if c.plain {
						d.Lines = untaxed(d.Lines)
					}
					o, hub := newOutbox(d), newHub()
					o.tasks[d.ID()].Period = policy
					w, _ := s.writer(t, o, hub)
					step(t, w)
					c.judge(t, s, o, hub, d, policy)
				}
			})
		}
	})
}

// judge compares what became of a document with what its policy says.
func (c closing) judge(t *testing.T, s server, o *outbox, hub envelope.HubID, d rollup.Document, policy lockdate.Policy) {
	t.Helper()
	out := o.outcome(d)
	switch {
	case !c.binds:
		want(t, out, odoo.Done)
		if out.Read.Date != d.Date || out.Note != nil {
			t.Errorf("%s: an open day went to %s, note %+v", policy, out.Read.Date, out.Note)
		}
	case policy == lockdate.Next:
		want(t, out, odoo.Done)
		if k := o.tasks[d.ID()]; out.Read.Date != firstOpen || k.Date != firstOpen || !strings.Contains(k.Moved, string(closedUpTo)) || !strings.Contains(k.Moved, c.by) {
			t.Errorf("it stands on %s, is kept with %s because %q", out.Read.Date, k.Date, k.Moved)
		}
		if n := out.Note; n == nil || n.Cause != cases.PeriodNext || !strings.Contains(n.Detail, string(d.Date)) || !strings.Contains(n.Detail, string(firstOpen)) {
			t.Errorf("the note is %+v", n)
		}
		if n := s.narration(t, hub, d); !strings.Contains(n, string(d.Date)) || !strings.Contains(n, string(firstOpen)) || !strings.Contains(n, c.by) {
			t.Errorf("the narration says %q", n)
		}
	default:
		want(t, out, odoo.Wait)
		if n := s.standing(t, hub, d); len(n) > 0 {
			t.Errorf("%s: a draft was left in a closed period: %v", policy, n)
		}
		k := out.Case
		if k == nil || k.Cause != cases.LockedPeriod || !out.Held || !strings.Contains(k.Detail, string(closedUpTo)) || !strings.Contains(k.Detail, c.by) {
			t.Fatalf("%s: held %v, case %+v", policy, out.Held, k)
		}
		if offered := k.Proposed; policy == lockdate.Ask && offered != firstOpen || policy != lockdate.Ask && offered != "" {
			t.Errorf("%s: the case offers %q", policy, offered)
		}
	}
}

// narration is what Odoo keeps of a document's.
func (s server) narration(t *testing.T, hub envelope.HubID, d rollup.Document) string {
	t.Helper()
	got, err := s.client(t).Call(t.Context(), "account.move", "search_read", []any{[]any{[]any{"ref", "=", odoo.Ref(hub, d)}}}, map[string]any{"fields": []string{"narration"}})
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := got.([]any)
	if len(rows) != 1 {
		t.Fatalf("%d entries of %s", len(rows), d.ID())
	}
	n, _ := rows[0].(map[string]any)["narration"].(string)
	return n
}

// except makes an exception to a lock until the test ends; user 0 is everybody.
func (p person) except(user int64, field string, until any) (revoke func()) {
	p.t.Helper()
	v := map[string]any{"company_id": p.company, "user_id": any(user), field: until, "end_datetime": time.Now().UTC().Add(time.Hour).Format(time.DateTime), "reason": "contract"}
	if user == 0 {
		v["user_id"] = false
	}
	id, _ := p.do("account.lock_exception", "create", []any{v}, nil).(int64)
	done := false
	revoke = func() {
		if !done {
			_, _ = p.c.Call(context.Background(), "account.lock_exception", "action_revoke", []any{[]int64{id}}, nil)
		}
		done = true
	}
	p.t.Cleanup(revoke)
	return revoke
}

// An exception opens the period for whom it is made, and only while it lasts.
func TestAnExceptionOpensThePeriodForWhomItIsMade(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		if p.version < 18 {
			t.Skip("exceptions came with 18")
		}
		set, b := s.set(t)
		sales := p.salesBooks(b)
		me, _, err := s.client(t).Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		other, _, err := p.c.Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []closing{{field: "fiscalyear_lock_date"}, {field: "tax_lock_date"}, {field: "sale_lock_date", sales: true}} {
			t.Run(c.field, func(t *testing.T) {
				p := p
				p.t = t
				p.lock(c.field, string(closedUpTo))
				books := b
				if c.sales {
					books = sales
				}
				n := 0
				try := func(verdict odoo.Verdict) {
					t.Helper()
					n++
					d := document(t, set, books, "S-NY", ancient.AddDays(-n))
					o, hub := newOutbox(d), newHub()
					w, _ := s.writer(t, o, hub)
					step(t, w)
					want(t, o.outcome(d), verdict)
					if verdict == odoo.Done {
						s.audit(t, hub, d) // on its own day
					}
				}
				try(odoo.Wait)
				revoke := p.except(other, c.field, false)
				try(odoo.Wait)
				revoke()
				revoke = p.except(me, c.field, false)
				try(odoo.Done)
				revoke()
				try(odoo.Wait)
				revoke = p.except(0, c.field, string(ancient.AddDays(-30)))
				try(odoo.Done)
				revoke()
				revoke = p.except(me, c.field, string(ancient)) // lifts the lock for less than the day
				try(odoo.Wait)
				revoke()
			})
		}
	})
}

// A parent company's lock binds its branches. The fake alone: a real server's company cannot be given another parent.
func TestALockOfTheParentCompanyBinds(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		t.Run(fmt.Sprintf("fake %d", v), func(t *testing.T) {
			s := newFakeSecond(t, v)
			p := s.person(t)
			first, err := s.setup(t)
			if err != nil {
				t.Fatal(err)
			}
			other := s
			other.cfg.Company = secondName
			o := options
			o.Have, o.Books = mapping.Set{Rules: first.Rules, Version: 1}, first.Books
			if _, err := odoo.Setup(t.Context(), other.client(t), o); err != nil {
				t.Fatal(err)
			}
			p.do("res.company", "write", []any{[]int64{2}, map[string]any{"parent_id": int64(1)}}, nil)
			for i, field := range []string{"fiscalyear_lock_date", "tax_lock_date"} {
				p.set(field, string(closedUpTo))
				d := document(t, o.Have, first.Books, "S-NY", ancient.AddDays(-i))
				box := newOutbox(d)
				box.tasks[d.ID()].Company = secondName
				w, _ := s.writer(t, box, newHub())
				step(t, w)
				want(t, box.outcome(d), odoo.Wait)
				if c := box.outcome(d).Case; c == nil || c.Cause != cases.LockedPeriod {
					t.Errorf("%s of the parent: %+v", field, box.outcome(d))
				}
				p.set(field, false)
				step(t, w)
				want(t, box.outcome(d), odoo.Done)
			}
			c, err := odoo.Check(t.Context(), other.client(t), o, first.Books.Journal, nil)
			if err != nil || !c.Good() {
				t.Fatalf("check: %+v %v", c, err)
			}
			// Out of sight, 17 does not tell the parent's date of the year.
			p.do("res.company", "write", []any{[]int64{1}, map[string]any{"user_ids": []any{}}}, nil)
			if c, err = odoo.Check(t.Context(), other.client(t), o, first.Books.Journal, nil); err != nil || c.Good() != (v >= 18) {
				t.Errorf("check with the parent out of sight: %+v %v", c, err)
			}
		})
	}
}

// What comes late of a day that waits goes with it: never before it, and to the date that a person gives the day.
func TestWhatComesLateFollowsItsDay(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		d := document(t, set, b, "S-NY", ancient)
		late := document(t, set, b, "S-NY", ancient, d)
		later := document(t, set, b, "S-NY", ancient, d, late)
		later.Lines = untaxed(later.Lines)
		p.lock("tax_lock_date", string(closedUpTo))
		o, hub := newOutbox(d, late), newHub()
		o.tasks[d.ID()].Period = lockdate.Ask
		w, _ := s.writer(t, o, hub)
		for range 2 { // together, and again when the first is known to wait
			step(t, w)
			want(t, o.outcome(d), odoo.Wait)
			want(t, o.outcome(late), odoo.Wait)
			if c := o.outcome(late).Case; c != nil || !o.outcome(late).Held {
				t.Errorf("the later document asks for itself: %+v", c)
			}
		}
		o.tasks[later.ID()] = &task{Task: odoo.Task{Document: later, Date: later.Date}}
		step(t, w)
		want(t, o.outcome(later), odoo.Wait) // no tax, so that its date is open; it waits for its day all the same

		chosen := firstOpen.AddDays(4) // a person says so
		o.tasks[d.ID()].Date = chosen
		o.tasks[d.ID()].last = odoo.Outcome{}
		step(t, w)
		for _, x := range []rollup.Document{d, late, later} {
			want(t, o.outcome(x), odoo.Done)
			if got := o.outcome(x).Read.Date; got != chosen {
				t.Errorf("%s stands on %s, its day on %s", x.ID(), got, chosen)
			}
		}
		p.set("tax_lock_date", false) // opened again: what was posted stays, and the day is not split
		last := document(t, set, b, "S-NY", ancient, d, late, later)
		o.tasks[last.ID()] = &task{Task: odoo.Task{Document: last, Date: last.Date}}
		step(t, w)
		want(t, o.outcome(last), odoo.Done)
		if got := o.outcome(last).Read.Date; got != chosen {
			t.Errorf("what came last stands on %s, its day on %s", got, chosen)
		}
	})
}

// A draft that is overtaken by a lock is given its new date before it is posted, with every cent as it was.
func TestADraftThatALockOvertookIsDatedAnew(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		at, way := s.behind(t)
		next, ask, foreign := document(t, set, b, "S-NY", ancient), document(t, set, b, "S-NY", ancient.AddDays(-1)), document(t, set, b, "S-NY", ancient.AddDays(-2))
		o, hub := newOutbox(next, ask, foreign), newHub()
		for d, policy := range map[string]lockdate.Policy{next.ID(): lockdate.Next, ask.ID(): lockdate.Ask, foreign.ID(): lockdate.Next} {
			o.tasks[d].Period = policy
		}
		w, _ := at.writer(t, o, hub)
		way.set(only("account.move.action_post", unsent)) // all are loaded, none is posted
		step(t, w)
		way.set(nil)
		p.do("account.move", "write", []any{[]int64{o.tasks[foreign.ID()].Move}, map[string]any{"date": string(ancient.AddDays(-7))}}, nil)
		p.lock(p.lockField(), string(closedUpTo))
		step(t, w)
		want(t, o.outcome(next), odoo.Done)
		want(t, o.outcome(ask), odoo.Wait)
		want(t, o.outcome(foreign), odoo.Park) // somebody else gave it that date
		if c := o.outcome(foreign).Case; c == nil || c.Cause != cases.TotalDiffers {
			t.Errorf("a draft that somebody dated: %+v", c)
		}
		if c := o.outcome(ask).Case; c == nil || c.Proposed != firstOpen {
			t.Fatalf("the case is %+v", c)
		}
		o.tasks[ask.ID()].Date = firstOpen // confirmed
		step(t, w)
		want(t, o.outcome(ask), odoo.Done)
		for _, d := range []rollup.Document{next, ask} {
			moved := d
			moved.Date = firstOpen
			s.audit(t, hub, moved)
			if n := s.narration(t, hub, d); !strings.Contains(n, string(d.Key.Day)) {
				t.Errorf("the narration says %q", n)
			}
		}
	})
}

// Books that are closed for decades are a typing error: nothing goes there by itself, and nobody is asked to confirm it.
func TestALockFarAheadMovesNothing(t *testing.T) {
	for _, v := range []int{17, 18, 19} { // the fake alone: a real company's other entries would meet this lock
		t.Run(fmt.Sprintf("fake %d", v), func(t *testing.T) {
			s := newFake(t, v)
			p := s.person(t)
			set, b := s.set(t)
			p.set(p.lockField(), "2062-12-31")
			for i, policy := range []lockdate.Policy{lockdate.Next, lockdate.Ask} {
				d := document(t, set, b, "S-NY", today.AddDays(-i))
				o := newOutbox(d)
				o.tasks[d.ID()].Period = policy
				w, _ := s.writer(t, o, newHub())
				step(t, w)
				want(t, o.outcome(d), odoo.Wait)
				if c := o.outcome(d).Case; c == nil || c.Proposed != "" || !strings.Contains(c.Detail, "2063-01-01") {
					t.Errorf("%s: %+v", policy, c)
				}
			}
		})
	}
}
