package odoo_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
)

// taken is what Odoo has of a document in any mode.
type taken struct {
	sums  map[string]int64 // account code → cents, of the location's own items
	kinds map[string]int   // move type → how many
	paid  map[string]bool  // states of payment of what can be paid
	owed  int64            // open on receivable accounts
	total int64            // of receipts, invoices and credit notes
	draft int              // not posted

	payments int // account.payment, in the books
}

// taken reads everything that carries a document's reference, whoever made it and however often.
func (s server) taken(t *testing.T, hub envelope.HubID, ds ...rollup.Document) taken {
	t.Helper()
	out := taken{sums: map[string]int64{}, kinds: map[string]int{}, paid: map[string]bool{}}
	c := s.client(t)
	cents := func(v any) int64 {
		f, ok := v.(float64)
		if n, whole := v.(int64); whole {
			f, ok = float64(n), true
		}
		if !ok {
			t.Fatalf("%v is no amount", v)
		}
		return int64(math.Round(f * 100))
	}
	codes := map[int64][2]string{}
	for _, r := range rowsOf(t, c, "account.account", []any{}, "code", "account_type") {
		code, _ := r["code"].(string)
		kind, _ := r["account_type"].(string)
		codes[r["id"].(int64)] = [2]string{code, kind}
	}
	for _, d := range ds {
		begin, _, _ := cutRef(odoo.Ref(hub, d), d)
		for _, p := range rowsOf(t, c, "account.payment", []any{[]any{s.memo(t), "=like", begin + "%"}}, s.memo(t), "state") {
			if isOf(p[s.memo(t)].(string), begin) && p["state"] != "draft" {
				out.payments++
			}
		}
		for _, m := range rowsOf(t, c, "account.move", []any{[]any{"ref", "=like", begin + "%"}}, "ref", "move_type", "state", "payment_state", "amount_total") {
			if !isOf(m["ref"].(string), begin) {
				continue
			}
			kind := m["move_type"].(string)
			out.kinds[kind]++
			if m["state"] != "posted" {
				out.draft++
			}
			if kind != "entry" {
				out.paid[m["payment_state"].(string)] = true
				out.total += cents(m["amount_total"])
			}
			for _, i := range rowsOf(t, c, "account.move.line", []any{[]any{"move_id", "=", m["id"]}}, "account_id", "balance", "amount_residual") {
				account := codes[i["account_id"].(int64)]
				out.sums[account[0]] += cents(i["balance"])
				if account[1] == "asset_receivable" {
					out.owed += cents(i["amount_residual"])
				}
			}
		}
	}
	maps.DeleteFunc(out.sums, func(_ string, n int64) bool { return n == 0 })
	return out
}

// memo is the field of a payment that becomes its entry's reference.
func (s server) memo(t *testing.T) string {
	if s.version(t) < 18 {
		return "ref"
	}
	return "memo"
}

// cutRef is a reference up to the document's number.
func cutRef(ref string, d rollup.Document) (begin, rest string, ok bool) {
	i := len("Tillpost ") + 9 + len(d.ID())
	return ref[:i], ref[i:], true
}

// isOf keeps /1 and /10 apart.
func isOf(ref, begin string) bool {
	return len(ref) > len(begin) && (ref[len(begin)] == ' ' || ref[len(begin)] == '+')
}

func rowsOf(t *testing.T, c *odoo.Client, model string, domain []any, fields ...string) (out []map[string]any) {
	t.Helper()
	got, err := c.Call(t.Context(), model, "search_read", []any{domain}, map[string]any{"fields": fields, "load": "", "order": "id"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got.([]any) {
		out = append(out, r.(map[string]any))
	}
	return out
}

// refunds is a day that gives back more than it sells.
func refunds() rollup.Totals {
	out := rollup.Totals{}
	for a, m := range dayTotals(0) {
		out[a] = m.Neg()
	}
	return out
}

// The same figures in every mode: what stands on each account is what one entry would bring there, nothing is owed, and a repeated or forgotten
// step makes nothing twice.
func TestAReceiptBringsWhatAnEntryBrings(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		back := time.Duration(0)
		for name, totals := range map[string]rollup.Totals{"sales": dayTotals(0), "refunds": refunds()} {
			hub := newHub()
			entry := documentOf(t, set, b, "S-NY", today, rollup.ByEntry, totals)
			o := newOutbox(entry)
			w, _ := s.writer(t, o, hub)
			step(t, w)
			want(t, o.outcome(entry), odoo.Done)
			plain := s.taken(t, hub, entry)
			for _, mode := range []rollup.Mode{rollup.ByReceipt, rollup.ByInvoice} {
				hub, d := newHub(), documentOf(t, set, b, "S-NY", today, mode, totals)
				o := newOutbox(d)
				w, _ := s.writer(t, o, hub)
				begun := time.Now()
				step(t, w)
				back += time.Since(begun)
				want(t, o.outcome(d), odoo.Done)
				s.asEntry(t, hub, d, plain)
				kind := map[bool]string{true: "out_refund", false: map[rollup.Mode]string{rollup.ByReceipt: "out_receipt", rollup.ByInvoice: "out_invoice"}[mode]}[name == "refunds"]
				if got := s.taken(t, hub, d); got.kinds[kind] != 1 || got.kinds["entry"] != 2 || len(got.kinds) != 2 || got.total != 110719 {
					t.Errorf("%s by %s: %+v", name, mode, got)
				}
				out := o.outcome(d)
				if out.Read == nil || out.Read.Difference != 0 || len(out.Read.Parts) != 2 || len(out.Read.Lines) != len(d.Lines) {
					t.Fatalf("%s by %s: read back %+v", name, mode, out.Read)
				}
				for i, l := range d.Lines {
					if out.Read.Lines[i] != l.Amount.Minor {
						t.Errorf("line %s: Odoo has %d, we sent %d", l.Label, out.Read.Lines[i], l.Amount.Minor)
					}
				}
				o2 := newOutbox(d) // the hub forgot everything
				w2, _ := s.writer(t, o2, hub)
				step(t, w2)
				want(t, o2.outcome(d), odoo.Done)
				if o2.outcome(d).Read.Move != out.Read.Move || !slices.Equal(o2.outcome(d).Read.Parts, out.Read.Parts) {
					t.Errorf("made twice: %+v beside %+v", o2.outcome(d).Read, out.Read)
				}
				s.asEntry(t, hub, d, plain)
			}
		}
		t.Logf("four receipts took %s", back.Round(time.Millisecond))
	})
}

// asEntry holds what Odoo has of a document against what the same document brings as one entry.
func (s server) asEntry(t *testing.T, hub envelope.HubID, d rollup.Document, plain taken) {
	t.Helper()
	got := s.taken(t, hub, d)
	if !maps.Equal(got.sums, plain.sums) {
		t.Errorf("%s by %s brings %v, an entry %v", d.ID(), d.Mode, got.sums, plain.sums)
	}
	if got.owed != 0 || got.draft != 0 || len(got.paid) != 1 || !got.paid["paid"] || got.payments != 2 {
		t.Errorf("%s by %s is not paid: %+v", d.ID(), d.Mode, got)
	}
}

// receiptSteps is what a receipt costs once names are known: lock dates, analytic account, load it, load its payments, read payments, read it, post it, post
// its payments, read payments, their entries and it, find and name the items of each payment, read all again, look what is owed, match, look again.
const receiptSteps = 21

// receiptWrites are those that write: loads, postings, names of the payments' items, and the match.
var receiptWrites = []int{3, 4, 7, 8, 13, 15, 20}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// Whatever answer or call is lost, the receipt is made once, paid once, and matched.
func TestLostAnswersNeverPayAReceiptTwice(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		hub0, e := newHub(), document(t, set, b, "S-NY", today)
		o0 := newOutbox(e)
		w0, _ := s.writer(t, o0, hub0)
		step(t, w0)
		want(t, o0.outcome(e), odoo.Done)
		plain := s.taken(t, hub0, e)
		at, p := s.behind(t)
		day := today
		for name, how := range map[string]spoil{"answer": lose, "call": unsent} {
			for n := 1; n <= receiptSteps; n++ {
				if s.fake == nil && !slices.Contains(receiptWrites, n) { // a real one takes its time: only what writes
					continue
				}
				o, hub := newOutbox(), newHub()
				w, _ := at.writer(t, o, hub)
				p.set(nil)
				warm := documentOf(t, set, b, "S-NY", day.AddDays(-1), rollup.ByEntry, dayTotals(0)) // the writer knows all names
				o.tasks[warm.ID()] = &task{Task: odoo.Task{Document: warm, Date: warm.Date}}
				step(t, w)
				want(t, o.outcome(warm), odoo.Done)
				d := documentOf(t, set, b, "S-NY", day, rollup.ByReceipt, dayTotals(0))
				o.tasks[d.ID()] = &task{Task: odoo.Task{Document: d, Date: d.Date}}
				p.set(nth(n, how))
				step(t, w)
				if got := p.seen(); len(got) < n {
					t.Fatalf("the chain has only %v", got)
				} else if _, method, _ := cutLast(got[n-1], "."); slices.Contains(receiptWrites, n) != slices.Contains([]string{"load", "action_post", "write", "reconcile"}, method) {
					t.Fatalf("call %d is %s: %v", n, got[n-1], got)
				}
				want(t, o.outcome(d), odoo.Wait)
				for i := 0; i < 4 && o.outcome(d).Verdict != odoo.Done; i++ {
					step(t, w)
				}
				if o.outcome(d).Verdict != odoo.Done {
					t.Fatalf("%s %d of %v is lost: %s", name, n, p.seen(), o.outcome(d).Why)
				}
				s.asEntry(t, hub, d, plain)
			}
		}
	})
}

// Ten receipts in one chain; one that Odoo refuses stops nobody, and nothing of it is posted.
func TestABadReceiptStopsNobodyAndIsPostedInNoPart(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		var ds []rollup.Document
		for i := range 5 {
			ds = append(ds, documentOf(t, set, b, "S-NY", today.AddDays(-i), rollup.ByReceipt, dayTotals(int64(i)*100)))
		}
		bad := &ds[2]
		bad.Lines = slices.Clone(bad.Lines)
		bad.Lines[len(bad.Lines)-1].Amount.Minor++ // its payments pay more than is owed
		o, hub := newOutbox(ds...), newHub()
		w, c := s.writer(t, o, hub)
		step(t, w)
		for i, d := range ds {
			if i != 2 {
				want(t, o.outcome(d), odoo.Done)
				continue
			}
			want(t, o.outcome(d), odoo.Park)
			if k := o.outcome(d).Case; k == nil || k.Cause != cases.TotalDiffers {
				t.Errorf("the bad receipt has the case %+v", k)
			}
		}
		t.Logf("five receipts took %d calls", c.Calls())
	})
}

// A payment that somebody deletes or a receipt that somebody puts back to draft is a case, as an entry's is.
func TestADeletedPaymentIsACase(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		gone, back := documentOf(t, set, b, "S-NY", today, rollup.ByReceipt, dayTotals(0)), documentOf(t, set, b, "S-NY", today.AddDays(-1), rollup.ByInvoice, dayTotals(0))
		o, hub := newOutbox(gone, back), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(gone), odoo.Done)
		want(t, o.outcome(back), odoo.Done)
		plain := s.taken(t, hub, gone)
		if n, err := w.Look(t.Context(), time.Time{}); err != nil || n != 2 || o.outcome(gone).Verdict != odoo.Done || o.outcome(back).Verdict != odoo.Done {
			t.Fatalf("looked at %d: %v, %+v", n, err, o.outcome(gone))
		}
		for _, pay := range o.tasks[gone.ID()].Parts {
			p.do("account.payment", "action_draft", []any{[]int64{pay}}, nil)
			p.do("account.payment", "unlink", []any{[]int64{pay}}, nil)
			break
		}
		p.do("account.move", "button_draft", []any{[]int64{o.outcome(back).Read.Move}}, nil)
		if _, err := w.Look(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		for d, cause := range map[string]cases.Cause{gone.ID(): cases.Deleted, back.ID(): cases.ForeignEdit} {
			if c := o.tasks[d].last.Case; c == nil || c.Cause != cause {
				t.Errorf("%s: got %+v, want %s", d, c, cause)
			}
		}
		// On a person's word the ids are forgotten: what is there is found, what is gone is made anew, and it is matched again.
		k := o.tasks[gone.ID()]
		k.done, k.Move, k.Parts = false, 0, nil
		step(t, w)
		want(t, o.outcome(gone), odoo.Done)
		s.asEntry(t, hub, gone, plain)
		// What a person put back to draft is posted again by a retry, and matched. From 18 on Odoo has taken the till's taxes away: such a draft is
		// not posted, and made anew once it is deleted.
		k = o.tasks[back.ID()]
		k.done = false
		step(t, w)
		if p.version >= 18 {
			want(t, o.outcome(back), odoo.Park)
			if c := o.outcome(back).Case; c == nil || c.Cause != cases.TotalDiffers || !strings.Contains(c.Detail, "Delete the draft") {
				t.Errorf("got case %+v", c)
			}
			p.do("account.move", "unlink", []any{[]int64{k.Move}}, nil)
			k.done, k.Move, k.Parts = false, 0, nil
			step(t, w)
		}
		want(t, o.outcome(back), odoo.Done)
		s.asEntry(t, hub, back, plain)
	})
}

// A restored hub puts the records of a receipt together again: nothing is left to post.
func TestARestoredHubFindsItsReceipts(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		hub := newHub()
		first := documentOf(t, set, b, "S 2/ä", today, rollup.ByReceipt, dayTotals(0))
		second := documentOf(t, set, b, "S 2/ä", today, rollup.ByReceipt, dayTotals(1000), first)
		less := documentOf(t, set, b, "S 2/ä", today, rollup.ByReceipt, dayTotals(500), first, second) // less than before: a credit note
		o := newOutbox(first, second, less)
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(less), odoo.Done)
		if got := s.taken(t, hub, less); got.kinds["out_refund"] != 1 || got.owed != 0 {
			t.Errorf("what became less is %+v", got)
		}
		blank, _ := s.writer(t, newOutbox(), hub)
		own, err := blank.Own(t.Context())
		if err != nil || len(own) != 3 {
			t.Fatalf("found %d documents: %v", len(own), err)
		}
		var docs []rollup.Document
		var lines []rollup.Line
		for i, d := range []rollup.Document{first, second, less} {
			got := own[i]
			if got.Document.ID() != d.ID() || !got.Posted || got.Document.Mode != rollup.ByReceipt || got.Document.Sales != d.Sales || got.Document.Journal != d.Journal ||
				got.Move != o.outcome(d).Read.Move || len(got.Parts) != len(o.outcome(d).Read.Parts) {
				t.Errorf("got %+v, want %+v", got, d)
			}
			docs, lines = append(docs, got.Document), append(lines, d.Lines...)
		}
		left, err := rollup.Delta(docs, lines)
		if err != nil || len(left) != 0 {
			t.Errorf("what was adopted differs from what was sent: %v %v", left, err)
		}
	})
}

// What corrects a tender, and sells nothing, is no receipt; nor is a day that comes to nothing.
func TestWhatSellsNothingIsAnEntry(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		usd := func(n int64) money.Amount { return money.Of(n, "USD") }
		d := documentOf(t, set, b, "S-NY", today, rollup.ByReceipt, rollup.Totals{"tender:cash": usd(-500), "tender:visa": usd(500)})
		o, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.audit(t, hub, d)
	})
}

// What takes a receipt's day back leaves matches alone: its payment that a person matched stays.
func TestTheMatchOfAPaymentIsSeen(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		d := documentOf(t, set, b, "S-NY", today, rollup.ByReceipt, dayTotals(0))
		o, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		read := o.outcome(d).Read
		moves := append([]int64{read.Move}, read.Parts...)
		parts := o.tasks[d.ID()].Parts
		kept, err := odoo.Matched(t.Context(), s.client(t), d, 0, read.Move, parts)
		if err != nil || len(kept) != 0 {
			t.Fatalf("nothing is matched but the receipt with its payments: %+v %v", kept, err)
		}
		visa := visaOf(d)
		other := p.pays(s, visa, b.Suspense, 60000)
		mine := int64(0)
		for _, m := range moves {
			if p.count("account.move.line", []any{[]any{"move_id", "=", m}, []any{"account_id.code", "=", visa}}) > 0 {
				mine = p.itemOn(m, visa)
			}
		}
		p.do("account.move.line", "reconcile", []any{[]int64{mine, p.itemOn(other, visa)}}, nil)
		if kept, err = odoo.Matched(t.Context(), s.client(t), d, 0, read.Move, parts); err != nil || len(kept) != 1 || kept[0].Account != visa {
			t.Errorf("matched: %+v %v", kept, err)
		}
	})
}

// A lock over receipts holds the whole document, though its payments stand in a journal that it leaves open; what comes late goes to the first open
// date with all that belongs to it; and a draft that a lock overtook is dated anew, the receipt's own date with it.
func TestAReceiptAndItsPaymentsStandOnOneDate(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		field := "sale_lock_date"
		if p.version == 17 {
			field = p.lockField()
		}
		dates := func(hub envelope.HubID, d rollup.Document) map[string]int {
			out := map[string]int{}
			begin, _, _ := cutRef(odoo.Ref(hub, d), d)
			for _, m := range rowsOf(t, s.client(t), "account.move", []any{[]any{"ref", "=like", begin + "%"}}, "ref", "date", "state", "invoice_date") {
				if isOf(m["ref"].(string), begin) {
					out[fmt.Sprint(m["date"], " ", m["state"])]++
					if v, is := m["invoice_date"].(string); is && v != m["date"] {
						t.Errorf("a receipt of %v is dated %s", m["date"], v)
					}
				}
			}
			return out
		}
		d := documentOf(t, set, b, "S-NY", ancient.AddDays(3), rollup.ByReceipt, dayTotals(0))
		first := documentOf(t, set, b, "S-NY", ancient.AddDays(4), rollup.ByReceipt, dayTotals(0))
		late := documentOf(t, set, b, "S-NY", ancient.AddDays(4), rollup.ByReceipt, dayTotals(500), first)
		overtaken := documentOf(t, set, b, "S-NY", ancient.AddDays(5), rollup.ByReceipt, dayTotals(0))
		at, way := s.behind(t)
		o, hub := newOutbox(overtaken), newHub()
		o.tasks[overtaken.ID()].Period = lockdate.Next
		w, _ := at.writer(t, o, hub)
		way.set(only("account.move.action_post", unsent)) // its drafts are there
		step(t, w)
		way.set(nil)
		want(t, o.outcome(overtaken), odoo.Wait)
		p.lock(field, "2002-06-30")
		for _, x := range []rollup.Document{d, late} {
			o.tasks[x.ID()] = &task{Task: odoo.Task{Document: x, Date: x.Date}}
		}
		for range 3 {
			step(t, w)
		}
		want(t, o.outcome(d), odoo.Wait)
		if c := o.outcome(d).Case; c == nil || c.Cause != cases.LockedPeriod || len(dates(hub, d)) > 0 {
			t.Errorf("the held one has case %+v and %v", c, dates(hub, d))
		}
		want(t, o.outcome(late), odoo.Done)
		if got := dates(hub, late); len(got) != 1 || got["2002-07-01 posted"] != 2 {
			t.Errorf("what came late is %v", got)
		}
		want(t, o.outcome(overtaken), odoo.Done)
		if got := dates(hub, overtaken); len(got) != 1 || got["2002-07-01 posted"] != 3 {
			t.Errorf("what a lock overtook is %v", got)
		}
		for _, x := range []rollup.Document{late, overtaken} {
			if got := s.taken(t, hub, x); got.owed != 0 || !got.paid["paid"] {
				t.Errorf("%s: %+v", x.ID(), got)
			}
		}
		p.set(field, false)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		if got := dates(hub, d); len(got) != 1 || got[string(d.Date)+" posted"] != 3 {
			t.Errorf("the held one is %v", got)
		}
	})
}

// A draft payment that somebody changed is never posted, and nothing else of its receipt is; deleted, it is made anew.
func TestADraftPaymentThatSomebodyChangedIsNotPosted(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		e := document(t, set, b, "S-NY", today)
		o, hub := newOutbox(e), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(e), odoo.Done)
		plain := s.taken(t, hub, e)
		d := documentOf(t, set, b, "S-NY", today.AddDays(-1), rollup.ByReceipt, dayTotals(0))
		at, way := s.behind(t)
		o, hub = newOutbox(d), newHub()
		w, _ = at.writer(t, o, hub)
		way.set(only("account.move.action_post", unsent)) // its drafts are there
		step(t, w)
		way.set(nil)
		want(t, o.outcome(d), odoo.Wait)
		var pay int64
		for _, n := range o.tasks[d.ID()].Parts {
			pay = n
		}
		p.do("account.payment", "write", []any{[]int64{pay}, map[string]any{"amount": 1}}, nil)
		step(t, w)
		want(t, o.outcome(d), odoo.Park)
		if c := o.outcome(d).Case; c == nil || c.Cause != cases.TotalDiffers || !strings.Contains(c.Detail, "Delete the draft") {
			t.Errorf("got case %+v", c)
		}
		if got := s.taken(t, hub, d); got.payments != 0 || got.draft != got.kinds["out_receipt"]+got.kinds["entry"] {
			t.Errorf("something of it was posted: %+v", got)
		}
		p.do("account.payment", "unlink", []any{[]int64{pay}}, nil)
		k := o.tasks[d.ID()]
		k.done, k.Move, k.Parts = false, 0, nil
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		s.asEntry(t, hub, d, plain)
	})
}

// A hub that is put back from a backup while a receipt's payments are on their way takes it for not finished: made anew, it is found and brought to its end.
func TestARestoredHubBringsAReceiptToItsEnd(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		e := document(t, set, b, "S-NY", today)
		o, hub := newOutbox(e), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		plain := s.taken(t, hub, e)
		for _, call := range []string{"account.payment.action_post", "account.move.line.write"} {
			d := documentOf(t, set, b, "S-NY", today.AddDays(-1), rollup.ByReceipt, dayTotals(0))
			at, way := s.behind(t)
			o, hub := newOutbox(d), newHub()
			w, _ := at.writer(t, o, hub)
			way.set(only(call, unsent))
			step(t, w)
			way.set(nil)
			want(t, o.outcome(d), odoo.Wait)
			blank, _ := s.writer(t, newOutbox(), hub)
			if own, err := blank.Own(t.Context()); err != nil || len(own) != 0 {
				t.Fatalf("before %s it adopts %+v: %v", call, own, err)
			}
			again := newOutbox(d)
			w, _ = s.writer(t, again, hub)
			step(t, w)
			want(t, again.outcome(d), odoo.Done)
			s.asEntry(t, hub, d, plain)
		}
	})
}
