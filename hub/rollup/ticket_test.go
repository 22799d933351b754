package rollup

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/retail"
)

var salesBooks = Books{Journal: "TPOS", Suspense: "999", Sales: "TPOSR"}

func slip(key string, cents int64, states ...retail.PaymentState) Slipped {
	s := Slipped{Slip: Slip{Key: key, Number: key}, Totals: Totals{"sales:Toys": usd(-cents), "tender:cash": usd(cents)}}
	for _, at := range states {
		s.Tenders = append(s.Tenders, SlipTender{"tender:cash", usd(cents), at})
	}
	return s
}

func tickets(posted []Document, own []Meaning, slips ...Slipped) Tickets {
	t := Tickets{Key: day, Slips: slips, Posted: posted, Books: salesBooks, Set: rules(), Table: Meanings(own), Totals: Totals{}}
	for _, s := range slips {
		for a, m := range s.Totals {
			t.Totals[a], _ = t.Totals[a].Add(m)
		}
	}
	return t
}

func made(t *testing.T, x Tickets) []Document {
	t.Helper()
	out, _, err := NextTickets(x)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEachTicketHasItsOwnDocumentAndTheRestAnEntry(t *testing.T) {
	x := tickets(nil, nil, slip("a", 1000), slip("b", 250))
	x.Totals["tender:cash"], _ = x.Totals["tender:cash"].Add(usd(-30)) // paid out of the drawer
	x.Totals["paidout:stamps"] = usd(30)
	ds := made(t, x)
	if len(ds) != 3 {
		t.Fatalf("%d documents", len(ds))
	}
	for i, d := range ds {
		if d.Mode != ByTicket || d.Sales != "TPOSR" || d.Number != 1 || (d.Slip == nil) != (i == 2) || strings.HasPrefix(d.Series, TicketSeries) != (i < 2) {
			t.Errorf("document %d is %+v", i, d)
		}
	}
	if again := made(t, tickets(ds[:2], nil, slip("a", 1000), slip("b", 250))); len(again) != 0 {
		t.Errorf("nothing changed, and there is %+v", again)
	}
}

// A newer version and a void are documents of their own, which come to what the ticket is now; what went to another day is countered.
func TestANewerVersionIsACounterDocument(t *testing.T) {
	docs := made(t, tickets(nil, nil, slip("a", 1000)))
	newer := made(t, tickets(docs, nil, slip("a", 1200)))
	if len(newer) != 1 || newer[0].Number != 2 || newer[0].Kind != DeltaDocument || newer[0].Slip.Key != "a" {
		t.Fatalf("got %+v", newer)
	}
	docs = append(docs, newer...)
	void := slip("a", 0)
	void.Void, void.Totals = true, nil
	for name, x := range map[string]Tickets{"voided": tickets(docs, nil, void), "gone": tickets(docs, nil)} {
		back := made(t, x)
		if len(back) != 1 || back[0].Number != 3 || back[0].Lines[0].Amount != usd(1200) || back[0].Series != docs[0].Series {
			t.Errorf("%s: got %+v", name, back)
		}
	}
}

func TestTheTableSaysWhatIsBooked(t *testing.T) {
	account := func(d Document) string {
		for _, l := range d.Lines {
			if l.Measure == "tender:cash" {
				return l.Account
			}
		}
		return ""
	}
	for state, want := range map[retail.PaymentState]string{"": "101", retail.PaymentOpen: "101", retail.PaymentClosed: "101", retail.PaymentTimedOut: "101", retail.PaymentVoided: OnCustomer,
		retail.PaymentReversed: OnCustomer, retail.PaymentDeclined: OnCustomer} {
		ds := made(t, tickets(nil, nil, slip("a", 1000, state)))
		if len(ds) != 1 || account(ds[0]) != want {
			t.Errorf("a payment that is %q: got %+v, want it on %s", state, ds, want)
		}
	}
	// Held: no document while it is only approved, and none of its money in the rest; settled, it goes.
	hold := []Meaning{{Status: IsApproved, Move: MoveHeld, Payment: PaymentPaid}}
	x := tickets(nil, hold, slip("a", 1000, retail.PaymentOpen), slip("b", 300))
	out, held, err := NextTickets(x)
	if err != nil || held != 1 || len(out) != 1 || out[0].Slip.Key != "b" {
		t.Errorf("held %d: %+v %v", held, out, err)
	}
	if out = made(t, tickets(out, hold, slip("a", 1000, retail.PaymentClosed), slip("b", 300))); len(out) != 1 || out[0].Slip.Key != "a" {
		t.Errorf("settled: %+v", out)
	}
	// Open until it is settled: then a document brings its money to the clearing account.
	later := []Meaning{{Status: IsApproved, Move: MovePosted, Payment: PaymentOpen}}
	docs := made(t, tickets(nil, later, slip("a", 1000, retail.PaymentOpen)))
	next := made(t, tickets(docs, later, slip("a", 1000, retail.PaymentClosed)))
	if account(docs[0]) != OnCustomer || len(next) != 1 || len(next[0].Lines) != 2 {
		t.Errorf("open, then settled: %+v then %+v", docs, next)
	}
	// Countered: what is posted is taken back.
	counter := []Meaning{{Status: IsReversed, Move: MoveCounter, Payment: PaymentOpen}}
	docs = made(t, tickets(nil, counter, slip("a", 1000)))
	if back := made(t, tickets(docs, counter, slip("a", 1000, retail.PaymentReversed))); len(back) != 1 || back[0].Lines[0].Amount != usd(1000) {
		t.Errorf("countered: %+v", back)
	}
}

// Whatever happens to tickets and in whatever order, the documents of a day come to what the day is.
func TestTicketsAndRestSumToTheDay(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		var docs []Document
		now := map[string]int64{}
		for range 10 {
			key := string(rune('a' + dice.IntN(4)))
			if now[key] = 1 + dice.Int64N(5000); dice.IntN(4) == 0 {
				delete(now, key)
			}
			var slips []Slipped
			for k, n := range now {
				slips = append(slips, slip(k, n))
			}
			x := tickets(docs, nil, slips...)
			drawer := usd(dice.Int64N(500))
			x.Totals["tender:cash"], _ = x.Totals["tender:cash"].Add(drawer)
			x.Totals["paidin:float"] = drawer.Neg()
			want := maps.Clone(x.Totals)
			docs = append(docs, made(t, x)...)
			sum := map[ledger.Account]int64{}
			for _, d := range docs {
				for _, l := range d.Lines {
					sum[l.Measure] += l.Amount.Minor
				}
			}
			for a, m := range want {
				if sum[a] != m.Minor {
					t.Fatalf("%s: the documents come to %d, the day to %d", a, sum[a], m.Minor)
				}
			}
		}
	}
}

func TestAnUnknownStateIsRefused(t *testing.T) {
	for _, m := range []Meaning{{Status: "Lost", Move: MovePosted, Payment: PaymentPaid}, {Status: IsSale, Move: "gone", Payment: PaymentPaid}, {Status: IsSale, Move: MovePosted, Payment: "soon"}} {
		if m.Check() == nil {
			t.Errorf("%+v is taken", m)
		}
	}
	for i, m := range Meanings(nil) {
		if m.Status != Statuses[i] || m.Check() != nil || m.Own {
			t.Errorf("the table's row %d is %+v", i, m)
		}
	}
}

// A tender of a receipt is a payment where a journal of payments is known: its rule's, else that of the books. An entry has none, whatever rules say, and
// neither has what stands in suspense.
func TestATenderIsAPaymentWhereAJournalIsKnown(t *testing.T) {
	set := rules(mapping.Rule{Role: ledger.Tender, Code: "visa", Target: mapping.Target{Account: "102", Journal: "BNK1", Method: "Cards"}})
	totals := Totals{"sales:Toys": usd(-900), "tender:cash": usd(200), "tender:visa": usd(300), "tender:shells": usd(400)}
	for mode, want := range map[Mode]map[string]string{
		ByEntry:   {},
		ByReceipt: {"tender:cash": "TPOSP ", "tender:visa": "BNK1 Cards"},
		ByInvoice: {"tender:cash": "TPOSP ", "tender:visa": "BNK1 Cards"},
	} {
		s, err := Map(day, totals, set, salesBooks)
		if err != nil {
			t.Fatal(err)
		}
		s.Mode = mode
		b := salesBooks
		b.Payments = "TPOSP"
		d, ok, err := Next(day, day.Day, s, nil, b, 1, set, "")
		if err != nil || !ok {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, l := range d.Lines {
			if j := d.PaidIn(l); j != "" {
				got[string(l.Measure)] = j + " " + l.Method
			}
			if mode == ByEntry && l.Journal+l.Method != "" {
				t.Errorf("an entry's line names %s %s", l.Journal, l.Method)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", mode, got, want)
		}
	}
}

// What a rule sets apart of a till or cashier stands on the ticket's own document, and the rest of the day has none of it.
func TestATicketKeepsWhatItsTillSetsApart(t *testing.T) {
	kiosk, counter := slip("a", 1000), slip("b", 250)
	kiosk.Beside = "Kiosk"
	x := tickets(nil, nil, kiosk, counter)
	x.Parts = Parts{"Kiosk": maps.Clone(kiosk.Totals)}
	x.Parts["Kiosk"]["overshort:short"], x.Totals["overshort:short"], x.Totals["tender:cash"] = usd(7), usd(7), usd(1243)
	x.Set = rules(mapping.Rule{Role: ledger.OverShort, Code: mapping.Any, Target: mapping.Target{Account: "600"}})
	ds := made(t, x)
	if len(ds) != 3 {
		t.Fatalf("%d documents", len(ds))
	}
	for i, want := range []map[string]int64{{"sales:Toys Kiosk": -1000, "tender:cash ": 1000}, {"sales:Toys ": -250, "tender:cash ": 250}, {"overshort:short Kiosk": 7, "tender:cash ": -7}} {
		got := map[string]int64{}
		for _, l := range ds[i].Lines {
			got[string(l.Measure)+" "+l.Analytic] += l.Amount.Minor
		}
		if !maps.Equal(got, want) {
			t.Errorf("document %d is %v, want %v", i, got, want)
		}
	}
	if x.Parts["Kiosk"]["sales:Toys"] != usd(-1000) {
		t.Error("the day's own parts were changed")
	}
}
