package odoo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/demo/books"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// today keeps real runs inside an open year.
var today = retail.DateOf(time.Now().AddDate(0, 0, -1))

func TestSetupMakesOnceAndFindsAgain(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		first, err := odoo.Setup(t.Context(), s.client(t), options)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []struct {
			role ledger.Role
			code string
		}{{ledger.Tender, "cash"}, {ledger.Tax, "NY State"}, {ledger.TaxRefund, "NY City"}, {ledger.Sales, "*"}} {
			if !mapped(first.Rules, w.role, w.code) {
				t.Errorf("setup offers no rule for %s %s", w.role, w.code)
			}
		}
		again := options
		again.Have.Rules = first.Rules
		second, err := odoo.Setup(t.Context(), s.client(t), again)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range second.Steps {
			if st.Done != "there" {
				t.Errorf("the second run: %s was %s", st.What, st.Done)
			}
		}
		if len(second.Rules) > 0 || second.Books != first.Books {
			t.Errorf("the second run offers %v, books %v then %v", second.Rules, first.Books, second.Books)
		}
		third, err := odoo.Setup(t.Context(), s.client(t), options) // the rules were lost: the accounts are found by name
		if err != nil || third.Books != first.Books || len(third.Rules) != len(first.Rules) {
			t.Errorf("found again: %v %v, want %v (%v)", third.Books, len(third.Rules), first.Books, err)
		}
		rep, err := odoo.Check(t.Context(), s.client(t), again, first.Books.Journal, []string{"USD"})
		if err != nil || !rep.Good() {
			t.Errorf("check: %+v %v", rep, err)
		}
	})
}

func TestStoreDayIsPostedOnceVerifiedAndReadBack(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		d := document(t, set, b, "S-NY", today)
		o, hub := newOutbox(d), newHub()
		w, c := s.writer(t, o, hub)
		step(t, w)
		out := o.outcome(d)
		want(t, out, odoo.Done)
		if out.Read == nil || out.Read.Difference != 0 || out.Read.Date != today || len(out.Read.Lines) != len(d.Lines) {
			t.Fatalf("read back: %+v", out.Read)
		}
		for i, l := range d.Lines {
			if out.Read.Lines[i] != l.Amount.Minor {
				t.Errorf("line %s: Odoo has %d, we sent %d", l.Label, out.Read.Lines[i], l.Amount.Minor)
			}
		}
		s.audit(t, out.Read.Move, d)

		// The hub forgot everything (a restore): the same document finds its entry and changes nothing.
		o2 := newOutbox(d)
		w2, _ := s.writer(t, o2, hub)
		step(t, w2)
		want(t, o2.outcome(d), odoo.Done)
		if o2.outcome(d).Read.Move != out.Read.Move {
			t.Errorf("a second entry was made: %d beside %d", o2.outcome(d).Read.Move, out.Read.Move)
		}
		s.audit(t, out.Read.Move, d)

		before := c.Calls()
		next := document(t, set, b, "S 2/ä", today)
		o.tasks[next.ID()] = &task{Task: odoo.Task{Document: next, Date: next.Date}}
		step(t, w)
		want(t, o.outcome(next), odoo.Done)
		if n := c.Calls() - before; n > 8 {
			t.Errorf("a store-day took %d calls, want at most 8", n)
		}
	})
}

// audit compares the entry with the document through the reader that shares no code with the writer.
func (s server) audit(t *testing.T, move int64, d rollup.Document) {
	t.Helper()
	byLabel, n := map[string]int64{}, 0
	for _, i := range s.items(t) {
		if int64(i.Move) == move {
			n++
			byLabel[i.Label] += i.Cents
			if i.State != "posted" || i.Date != string(d.Date) || i.Day != string(d.Key.Day) {
				t.Errorf("item %+v", i)
			}
		}
	}
	if n != len(d.Lines) {
		t.Errorf("Odoo has %d items, the document %d", n, len(d.Lines))
	}
	for _, l := range d.Lines {
		if byLabel[l.Label] != l.Amount.Minor {
			t.Errorf("%s: %d cents in Odoo, %d sent", l.Label, byLabel[l.Label], l.Amount.Minor)
		}
	}
}

func TestManyDocumentsGoInOneChainAndABadOneStopsNobody(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		var ds []rollup.Document
		for i := range 7 {
			ds = append(ds, document(t, set, b, "S-NY", today.AddDays(-i)))
		}
		bad := &ds[3]
		bad.Lines = append([]rollup.Line(nil), bad.Lines...)
		bad.Lines[0].Amount.Minor++ // out of balance: Odoo refuses the whole load
		o := newOutbox(ds...)
		w, _ := s.writer(t, o, newHub())
		step(t, w)
		for i, d := range ds {
			if i == 3 {
				want(t, o.outcome(d), odoo.Park)
				if c := o.outcome(d).Case; c == nil || c.Cause != cases.Parked {
					t.Errorf("the bad document has the case %+v", c)
				}
				continue
			}
			want(t, o.outcome(d), odoo.Done)
		}
	})
}

func TestAMissingNameWaitsWithACaseAndGoesByItself(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		d := document(t, set, b, "S-NY", today)
		d.Lines = append([]rollup.Line(nil), d.Lines...)
		account := d.Lines[0].Account
		d.Lines[0].Account = "999999x"
		o := newOutbox(d)
		w, _ := s.writer(t, o, newHub())
		step(t, w)
		want(t, o.outcome(d), odoo.Wait)
		if !strings.Contains(o.outcome(d).Why, "999999x") || o.outcome(d).Case == nil {
			t.Errorf("it does not name the account: %q", o.outcome(d).Why)
		}
		d.Lines[0].Account = account
		o.tasks[d.ID()].Document = d
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
	})
}

func TestAClosedPeriodHoldsTheDayAndSendsLateDataToTheFirstOpenDate(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		t.Run(fmt.Sprintf("fake %d", v), func(t *testing.T) {
			s := newFake(t, v)
			set, b := s.set(t)
			d := document(t, set, b, "S-NY", "2026-06-15")
			late := document(t, set, b, "S-NY", "2026-06-14", document(t, set, b, "S-NY", "2026-06-14"))
			s.fake.Lock("2026-06-30", "")
			o := newOutbox(d, late)
			w, _ := s.writer(t, o, newHub())
			step(t, w)
			want(t, o.outcome(d), odoo.Wait)
			if c := o.outcome(d).Case; c == nil || c.Cause != cases.LockedPeriod {
				t.Errorf("got case %+v", c)
			}
			want(t, o.outcome(late), odoo.Done)
			if got := o.outcome(late).Read.Date; got != "2026-07-01" {
				t.Errorf("late data went to %s", got)
			}
			s.fake.Lock("", "")
			step(t, w)
			want(t, o.outcome(d), odoo.Done)
			if got := o.outcome(d).Read.Date; got != "2026-06-15" {
				t.Errorf("the day went to %s", got)
			}
		})
	}
}

func TestALockSetBetweenLoadAndPostIsSeen(t *testing.T) {
	s := newFake(t, 18)
	set, b := s.set(t)
	d := document(t, set, b, "S-NY", "2026-06-15")
	o := newOutbox(d)
	w, _ := s.writer(t, o, newHub())
	s.fake.Make(fake.Trouble{Cut: 0, Break: "never"})
	// The draft is in Odoo and the answer was lost; then the period is closed.
	s.loadOnly(t, o, d, w)
	s.fake.Lock("2026-06-30", "")
	step(t, w)
	want(t, o.outcome(d), odoo.Wait)
	if items := s.items(t); len(items) == 0 || items[0].State != "draft" {
		t.Fatalf("the entry was posted into another period: %+v", items)
	}
	s.fake.Lock("", "")
	step(t, w)
	want(t, o.outcome(d), odoo.Done)
}

// loadOnly brings a document as far as a draft in Odoo whose answer never came.
func (s server) loadOnly(t *testing.T, o *outbox, d rollup.Document, w *odoo.Writer) {
	t.Helper()
	step(t, w)
	if o.outcome(d).Verdict == odoo.Done {
		// put it back to what a kill after load leaves: a draft, unknown to the outbox
		c := s.client(t)
		if _, err := c.Call(t.Context(), "account.move", "button_draft", []any{[]int64{o.outcome(d).Read.Move}}, nil); err != nil {
			t.Fatal(err)
		}
		o.tasks[d.ID()].done, o.tasks[d.ID()].Move = false, 0
	}
}

func (s server) items(t *testing.T) []books.Item {
	t.Helper()
	key, _ := s.cfg.Key()
	items, err := books.Read(t.Context(), books.Odoo{URL: s.cfg.URL, DB: s.cfg.Database, User: s.cfg.User, Key: key}, odoo.Journal)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestLostAnswersNeverDouble(t *testing.T) {
	for cut := 1; cut <= 6; cut++ {
		t.Run(fmt.Sprintf("answer %d is lost", cut), func(t *testing.T) {
			s := newFake(t, 18)
			set, b := s.set(t)
			d := document(t, set, b, "S-NY", today)
			o := newOutbox(d)
			w, _ := s.writer(t, o, newHub())
			// Each try loses one answer more than the one before: at some point it is the load's, at some the post's.
			for i := 0; i < cut; i++ {
				s.fake.Make(fake.Trouble{Cut: 1})
				step(t, w)
			}
			s.fake.Make(fake.Trouble{})
			for range 3 {
				step(t, w)
			}
			want(t, o.outcome(d), odoo.Done)
			if n := len(s.items(t)); n != len(d.Lines) {
				t.Errorf("Odoo has %d items, want %d", n, len(d.Lines))
			}
		})
	}
}

func TestTroubleMakesDocumentsWaitSayWhyAndGoByThemselves(t *testing.T) {
	for name, c := range map[string]struct {
		trouble fake.Trouble
		says    string
	}{
		"a web page":          {fake.Trouble{HTML: true}, "web page"},
		"maintenance":         {fake.Trouble{HTML: true, Status: 503}, "503"},
		"expired key":         {fake.Trouble{Denied: true}, "API key"},
		"no rights":           {fake.Trouble{NoRights: true}, "right"},
		"two transactions":    {fake.Trouble{Serialize: 1}, "busy"},
		"no answer":           {fake.Trouble{Cut: 100}, "does not answer"},
		"Odoo breaks on load": {fake.Trouble{Break: "S-NY"}, "ZeroDivisionError"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFake(t, 19)
			set, b := s.set(t)
			d := document(t, set, b, "S-NY", today)
			o := newOutbox(d)
			w, _ := s.writer(t, o, newHub())
			s.fake.Make(c.trouble)
			step(t, w)
			want(t, o.outcome(d), odoo.Wait)
			if !strings.Contains(o.outcome(d).Why, c.says) {
				t.Errorf("it says %q, which does not tell %q", o.outcome(d).Why, c.says)
			}
			s.fake.Make(fake.Trouble{})
			step(t, w)
			want(t, o.outcome(d), odoo.Done)
		})
	}
}

func TestADeletedOrEditedEntryIsACase(t *testing.T) {
	s := newFake(t, 17)
	set, b := s.set(t)
	gone, edited := document(t, set, b, "S-NY", today), document(t, set, b, "S-NY", today.AddDays(-1))
	o := newOutbox(gone, edited)
	w, c := s.writer(t, o, newHub())
	step(t, w)
	s.fake.Delete(o.outcome(gone).Read.Move)
	items := s.items(t)
	// Odoo 17 lets anybody change a posted entry.
	rows, err := c.Call(t.Context(), "account.move.line", "search_read", []any{[]any{[]any{"move_id", "=", o.outcome(edited).Read.Move}}}, map[string]any{"fields": []string{"balance"}})
	if err != nil || len(items) == 0 {
		t.Fatal(err)
	}
	line := rows.([]any)[0].(map[string]any)["id"]
	if _, err := c.Call(t.Context(), "account.move.line", "write", []any{[]any{line}, map[string]any{"name": "relabelled", "account_id": 20}}, nil); err != nil {
		t.Fatal(err)
	}
	n, err := w.Look(t.Context(), time.Time{})
	if err != nil || n != 2 {
		t.Fatalf("looked at %d: %v", n, err)
	}
	for d, cause := range map[string]cases.Cause{gone.ID(): cases.Deleted, edited.ID(): cases.ForeignEdit} {
		if c := o.tasks[d].last.Case; c == nil || c.Cause != cause {
			t.Errorf("%s: got %+v, want %s", d, c, cause)
		}
	}
}

func TestARestoredHubFindsItsOwnEntries(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		first := document(t, set, b, "S 2/ä", today)
		second := document(t, set, b, "S 2/ä", today, first)
		hub := newHub()
		o := newOutbox(first, second)
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(second), odoo.Done)
		blank, _ := s.writer(t, newOutbox(), hub)
		own, err := blank.Own(t.Context())
		if err != nil || len(own) != 2 {
			t.Fatalf("found %d entries: %v", len(own), err)
		}
		for i, d := range []rollup.Document{first, second} {
			got := own[i].Document
			if got.ID() != d.ID() || !own[i].Posted || got.Date != d.Date {
				t.Errorf("got %s on %s, want %s on %s", got.ID(), got.Date, d.ID(), d.Date)
			}
		}
		docs := []rollup.Document{own[0].Document, own[1].Document}
		left, err := rollup.Delta(docs, append(append([]rollup.Line{}, first.Lines...), second.Lines...))
		if err != nil || len(left) != 0 {
			t.Errorf("what was adopted differs from what was sent: %v %v", left, err)
		}
	})
}
