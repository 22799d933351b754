package odoo_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
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
		rep, err := odoo.Check(t.Context(), s.client(t), again, first.Books.Journal, []odoo.Location{{Code: "S-NY", Currency: "USD"}})
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
		s.audit(t, hub, d)

		// The hub forgot everything (a restore): the same document finds its entry and changes nothing.
		o2 := newOutbox(d)
		w2, _ := s.writer(t, o2, hub)
		step(t, w2)
		want(t, o2.outcome(d), odoo.Done)
		if o2.outcome(d).Read.Move != out.Read.Move {
			t.Errorf("a second entry was made: %d beside %d", o2.outcome(d).Read.Move, out.Read.Move)
		}
		s.audit(t, hub, d)

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

// audit compares what Odoo has under a document's reference with the document: every entry that stands for it, not only the one the
// writer knows.
func (s server) audit(t *testing.T, hub envelope.HubID, d rollup.Document) {
	t.Helper()
	got := s.standing(t, hub, d)
	byLabel := map[string]int64{}
	for _, i := range got {
		byLabel[i.label] += i.cents
		if i.state != "posted" || i.date != string(d.Date) {
			t.Errorf("item %+v, want it posted on %s", i, d.Date)
		}
	}
	if len(got) != len(d.Lines) {
		t.Errorf("Odoo has %d items, the document %d", len(got), len(d.Lines))
	}
	for _, l := range d.Lines {
		if byLabel[l.Label] != l.Amount.Minor {
			t.Errorf("%s: %d cents in Odoo, %d sent", l.Label, byLabel[l.Label], l.Amount.Minor)
		}
	}
}

// standingItem is one journal item that carries a document's reference.
type standingItem struct {
	id, move           int64
	label, state, date string
	cents              int64
}

// standing reads what Odoo has of a document, by its reference: an entry that was made twice has it twice.
func (s server) standing(t *testing.T, hub envelope.HubID, d rollup.Document) (out []standingItem) {
	t.Helper()
	got, err := s.client(t).Call(t.Context(), "account.move.line", "search_read", []any{[]any{[]any{"ref", "=", odoo.Ref(hub, d)}}},
		map[string]any{"fields": []string{"move_id", "name", "balance", "parent_state", "date"}, "load": ""})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got.([]any) {
		m := r.(map[string]any)
		f, _ := m["balance"].(float64)
		i := standingItem{cents: int64(math.Round(f * 100))}
		i.id, _ = m["id"].(int64)
		i.move, _ = m["move_id"].(int64)
		i.label, _ = m["name"].(string)
		i.state, _ = m["parent_state"].(string)
		i.date, _ = m["date"].(string)
		out = append(out, i)
	}
	return out
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
