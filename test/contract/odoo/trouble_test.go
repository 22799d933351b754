package odoo_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/breaker"
)

// steady is what a store-day costs once names are known: lock dates, analytic account, load, read, post, read.
const steady = 6

func TestLostAnswersAndLostCallsNeverDouble(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		at, p := s.behind(t)
		o, hub := newOutbox(), newHub()
		w, _ := at.writer(t, o, hub)
		day := today
		next := func() rollup.Document {
			d := document(t, set, b, "S-NY", day)
			day = day.AddDays(-1)
			o.tasks[d.ID()] = &task{Task: odoo.Task{Document: d, Date: d.Date}}
			return d
		}
		for name, how := range map[string]spoil{"answer": lose, "call": unsent, "second half of the answer": half} {
			for n := 1; n <= steady; n++ {
				p.set(nil)
				warm := next() // the writer knows all names again
				step(t, w)
				want(t, o.outcome(warm), odoo.Done)
				d := next()
				p.set(nth(n, how))
				step(t, w)
				if len(p.seen()) < n {
					t.Fatalf("the chain has only %v", p.seen())
				}
				want(t, o.outcome(d), odoo.Wait)
				for i := 0; i < 3 && o.outcome(d).Verdict != odoo.Done; i++ {
					step(t, w)
				}
				if o.outcome(d).Verdict != odoo.Done {
					t.Fatalf("%s %d of %v is lost: %s", name, n, p.seen(), o.outcome(d).Why)
				}
				s.audit(t, hub, d)
			}
		}
	})
}

func TestSlowAnswersAreReplayedAndTheNextChainIsShorter(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		for _, method := range []string{"account.move.load", "account.move.action_post", "account.move.line.search_read"} {
			at, p := s.behind(t)
			at.cfg.Timeout = time.Second
			if s.fake == nil {
				at.cfg.Timeout = 15 * time.Second // a busy real server needs its time
			}
			d, e := document(t, set, b, "S-NY", today), document(t, set, b, "S-NY", today.AddDays(-1))
			o, hub := newOutbox(d, e), newHub()
			w, _ := at.writer(t, o, hub)
			p.set(only(method, hang))
			step(t, w)
			want(t, o.outcome(d), odoo.Wait)
			if st := w.Status(); st.State != breaker.Open || !strings.Contains(st.Reason, "does not answer") || st.Next.IsZero() {
				t.Errorf("the lane is %+v", st)
			}
			p.set(nil)
			for range 4 {
				step(t, w)
			}
			for _, x := range []odoo.Outcome{o.outcome(d), o.outcome(e)} {
				want(t, x, odoo.Done)
			}
			s.audit(t, hub, d)
			s.audit(t, hub, e)
			if st := w.Status(); st.State != breaker.Closed || st.Reason != "" {
				t.Errorf("afterwards the lane is %+v", st)
			}
		}
	})
}

func TestTroubleMakesDocumentsWaitSayWhyAndGoByThemselves(t *testing.T) {
	troubles := map[string]struct {
		rule func(string) spoil
		says []string
		lane breaker.State
	}{
		"a web page":        {always(page), []string{"web page", "We will be back soon", "nothing is posted twice"}, breaker.Open},
		"maintenance":       {always(down), []string{"503", "go by themselves"}, breaker.Open},
		"a bare gateway":    {always(gateway), []string{"502"}, breaker.Open},
		"a redirect":        {always(elsewhere), []string{"redirects", "www.example.com", "settings"}, breaker.Open},
		"no connection":     {always(unsent), []string{"does not answer"}, breaker.Open},
		"broken answers":    {always(half), []string{"cannot be read"}, breaker.Open},
		"two transactions":  {only("account.move.load", busy), []string{"busy", "tried again"}, breaker.Closed},
		"Odoo breaks":       {only("account.move.load", crash), []string{"ZeroDivisionError", "booked nothing"}, breaker.Closed},
		"breaks at posting": {only("account.move.action_post", crash), []string{"ZeroDivisionError"}, breaker.Closed},
	}
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		for name, c := range troubles {
			t.Run(name, func(t *testing.T) {
				at, p := s.behind(t)
				d := document(t, set, b, "S-NY", today)
				o, hub := newOutbox(d), newHub()
				w, _ := at.writer(t, o, hub)
				p.set(c.rule)
				step(t, w)
				want(t, o.outcome(d), odoo.Wait)
				for _, says := range c.says {
					if !strings.Contains(o.outcome(d).Why, says) {
						t.Errorf("it says %q, which does not tell %q", o.outcome(d).Why, says)
					}
				}
				if st := w.Status(); st.State != c.lane {
					t.Errorf("the lane is %+v, want %s", st, c.lane)
				}
				p.set(nil)
				step(t, w)
				want(t, o.outcome(d), odoo.Done)
				s.audit(t, hub, d)
			})
		}
	})
}

// dueOutbox gives what is due only, the oldest first, as the store does.
type dueOutbox struct {
	*outbox
	now func() time.Time
}

func (o dueOutbox) Claim(ctx context.Context, most int) (out []odoo.Task, err error) {
	all, err := o.outbox.Claim(ctx, len(o.tasks))
	for _, t := range all {
		if len(out) < most && !o.outcome(t.Document).Again.After(o.now()) {
			out = append(out, t)
		}
	}
	return out, err
}

func TestADocumentThatNothingAnswersForHoldsNobody(t *testing.T) {
	s := newFake(t, 18)
	set, b := s.set(t)
	at, p := s.behind(t)
	var ds []rollup.Document
	for n := range 12 {
		ds = append(ds, document(t, set, b, "S-NY", today.AddDays(n-20)))
	}
	o, hub := newOutbox(ds...), newHub()
	w, _ := at.writer(t, o, hub)
	now := w.Now()
	w.Now = func() time.Time { return now }
	w.Tasks = dueOutbox{o, w.Now}
	p.wall = ds[0].ID()
	for range 400 { // half an hour
		if worked, err := w.Step(t.Context()); err != nil {
			t.Fatal(err)
		} else if !worked {
			now = now.Add(5 * time.Second)
		}
		if o.open() == 1 {
			break
		}
	}
	for _, d := range ds[1:] {
		if got := o.outcome(d); got.Verdict != odoo.Done {
			t.Errorf("%s waits behind it: %s", d.ID(), got.Why)
		}
	}
	if got := o.outcome(ds[0]); got.Verdict != odoo.Wait || !strings.Contains(got.Why, "403") {
		t.Errorf("%s: %q %s", ds[0].ID(), got.Verdict, got.Why)
	}
	p.wall = ""
	now = now.Add(10 * time.Minute)
	if _, err := w.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, o.outcome(ds[0]), odoo.Done)
}

func TestARestingLaneIsNotAskedAndSaysWhenItWillBe(t *testing.T) {
	s := newFake(t, 18)
	set, b := s.set(t)
	at, p := s.behind(t)
	d, later := document(t, set, b, "S-NY", today), document(t, set, b, "S-NY", today.AddDays(-1))
	o := newOutbox(d)
	w, _ := at.writer(t, o, newHub())
	p.set(always(unsent))
	step(t, w)
	o.tasks[later.ID()] = &task{Task: odoo.Task{Document: later, Date: later.Date}}
	p.set(nil)
	if _, err := w.Step(t.Context()); err != nil { // no time has passed
		t.Fatal(err)
	}
	if n := p.seen(); len(n) > 0 {
		t.Errorf("a resting lane was asked: %v", n)
	}
	if got := o.outcome(later); got.Verdict != odoo.Wait || !got.Again.Equal(w.Status().Next) || !strings.Contains(got.Why, "does not answer") {
		t.Errorf("a document that came meanwhile: %+v", got)
	}
	step(t, w)
	want(t, o.outcome(d), odoo.Done)
}

func TestABrokenDocumentIsParkedAfterSomeTries(t *testing.T) {
	s := newFake(t, 18)
	set, b := s.set(t)
	at, p := s.behind(t)
	d := document(t, set, b, "S-NY", today)
	o := newOutbox(d)
	w, _ := at.writer(t, o, newHub())
	p.set(only("account.move.load", crash))
	for n := 1; n <= 6; n++ {
		if v := o.outcome(d).Verdict; v == odoo.Park {
			t.Fatalf("parked after %d tries", n-1)
		}
		step(t, w)
	}
	want(t, o.outcome(d), odoo.Park)
	if c := o.outcome(d).Case; c == nil || !strings.Contains(c.Detail, "ZeroDivisionError") {
		t.Errorf("the case is %+v", c)
	}
}

func TestAnExpiredKeyIsReadAgainAtEachTry(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		good, _ := s.cfg.Key()
		key := good
		s.cfg.Key = func() (string, error) { return key, nil }
		d := document(t, set, b, "S-NY", today)
		o, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, o, hub)
		for _, bad := range []string{"expired", "still expired"} { // refused at the login
			key = bad
			step(t, w)
			want(t, o.outcome(d), odoo.Wait)
			if why := o.outcome(d).Why; !strings.Contains(why, "API key") || !strings.Contains(why, s.cfg.User) || strings.Contains(why, key+" ") && key != "expired" {
				t.Errorf("it says %q", why)
			}
			if st := w.Status(); st.State != breaker.Refused || st.Next.IsZero() {
				t.Errorf("the lane is %+v", st)
			}
		}
		key = good
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		if st := w.Status(); st.State != breaker.Closed {
			t.Errorf("the lane is %+v", st)
		}
		s.audit(t, hub, d)
	})
}
