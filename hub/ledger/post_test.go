package ledger

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var now = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)

func usd(minor int64) money.Amount { return money.Of(minor, "USD") }

func ticket(lines []retail.Line, tenders []retail.Tender) retail.Ticket {
	return retail.Ticket{Key: retail.Key{System: "tillpost", Record: "ticket", ID: "1"}, Number: "1", Location: "S1", Till: "T1", At: now,
		Kind: retail.Sale, Currency: "USD", Lines: lines, Tenders: tenders}
}

// net is what an entry leaves on each account, debit positive.
func net(e Entry) map[Account]int64 {
	out := map[Account]int64{}
	for _, p := range e.Postings {
		out[p.Debit] += p.Amount.Minor
		out[p.Credit] -= p.Amount.Minor
	}
	return out
}

func TestPostKeepsMeasuresApart(t *testing.T) {
	e, ok, err := Post(ticket(
		[]retail.Line{{Kind: retail.Item, Category: "Toys", Amount: usd(1000)}, {Kind: retail.Item, Category: "Toys", Amount: usd(-300)},
			{Kind: retail.Discount, Code: "VIP", Amount: usd(-100)}, {Kind: retail.Tax, Code: "NY", Amount: usd(80)}, {Kind: retail.Tax, Code: "NY", Amount: usd(-24)},
			{Kind: retail.GiftCard, Amount: usd(2500)}, {Kind: retail.Tip, Amount: usd(200)}},
		[]retail.Tender{{Type: "cash", Amount: usd(4000)}, {Type: "cash", Amount: usd(-644)}}), "2026-11-20", now)
	if err != nil || !ok {
		t.Fatal(err)
	}
	want := map[Account]int64{"sales:Toys": -1000, "returns:Toys": 300, "discount:VIP": 100, "tax:NY": -80, "taxrefund:NY": 24,
		"giftcard": -2500, "tip": -200, "tender:cash": 3356, "control": 0}
	got := net(e)
	for a, w := range want {
		if got[a] != w {
			t.Errorf("%s: got %d, want %d", a, got[a], w)
		}
	}
	if len(got) != len(want) || e.Gross != usd(3300) || e.Tax != usd(56) {
		t.Errorf("got %v, gross %s, tax %s", got, e.Gross, e.Tax)
	}
}

func TestPostRefuses(t *testing.T) {
	f := func(name string, change func(*retail.Ticket), target error) {
		t.Helper()
		x := ticket([]retail.Line{{Kind: retail.Item, Amount: usd(100)}}, []retail.Tender{{Type: "cash", Amount: usd(100)}})
		change(&x)
		_, ok, err := Post(x, "2026-11-20", now)
		if ok || !fault.Is(err, fault.Invalid) || target != nil && !errors.Is(err, target) {
			t.Errorf("%s: got ok=%v err=%v, want a refusal", name, ok, err)
		}
	}
	f("unbalanced", func(x *retail.Ticket) { x.Tenders[0].Amount = usd(99) }, retail.ErrUnbalanced)
	f("a tender in another currency", func(x *retail.Ticket) { x.Tenders[0].Amount.Currency = "CAD" }, nil)
	f("a line beyond any ticket", func(x *retail.Ticket) { x.Lines[0].Amount = usd(1 << 62) }, nil)
	f("sold in 2099", func(x *retail.Ticket) { x.At = now.AddDate(73, 0, 0) }, nil)
	f("sold in 1970", func(x *retail.Ticket) { x.At = time.Unix(0, 0) }, nil)
	f("no location", func(x *retail.Ticket) { x.Location = "" }, nil)
	f("no id", func(x *retail.Ticket) { x.Key.ID = "" }, nil)
	f("nothing on it", func(x *retail.Ticket) { x.Lines, x.Tenders = nil, nil }, nil)
}

func TestVoidPostsNothing(t *testing.T) {
	x := ticket([]retail.Line{{Kind: retail.Item, Amount: usd(100)}}, []retail.Tender{{Type: "cash", Amount: usd(100)}})
	x.Kind = retail.Void
	if e, ok, err := Post(x, "2026-11-20", now); err != nil || !ok || len(e.Postings) != 0 {
		t.Errorf("got %v %v %v", e.Postings, ok, err)
	}
}

func TestDrawerCount(t *testing.T) {
	d := retail.Drawer{Key: retail.Key{Record: "drawer", ID: "d1"}, Location: "S1", At: now, Kind: retail.DrawerCount, Currency: "USD", Amount: usd(73550), Counted: usd(73150)}
	e, ok, err := Post(d, "2026-11-20", now)
	if got := net(e); err != nil || !ok || got["overshort:short"] != 400 || got["tender:cash"] != -400 {
		t.Errorf("got %v %v", got, err)
	}
}

// Whatever valid ticket comes, its entry balances: the sum over all accounts is zero and tenders equal the total.
func TestPostBalancesAnyTicket(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	kinds := []retail.LineKind{retail.Item, retail.Tax, retail.Discount, retail.Shipping, retail.GiftCard, retail.Tip, retail.Fee, retail.Deposit, retail.Account, retail.Rounding}
	for range 2000 {
		var lines []retail.Line
		var total int64
		for range 1 + dice.IntN(20) {
			a := dice.Int64N(200000) - 100000
			total += a
			lines = append(lines, retail.Line{Kind: kinds[dice.IntN(len(kinds))], Code: "c", Category: "k", Amount: usd(a)})
		}
		part := dice.Int64N(100000) - 50000
		e, ok, err := Post(ticket(lines, []retail.Tender{{Type: "cash", Amount: usd(part)}, {Type: "visa", Amount: usd(total - part)}}), "2026-11-20", now)
		if err != nil || !ok {
			t.Fatal(err)
		}
		var sum int64
		for _, v := range net(e) {
			sum += v
		}
		if got := net(e); sum != 0 || got["tender:cash"]+got["tender:visa"] != total || e.Gross.Minor+e.Tax.Minor != total {
			t.Fatalf("entry %v of a ticket of %d", got, total)
		}
	}
}

func TestSupersede(t *testing.T) {
	cur := &Version{Hash: "a", Revision: 5, Rank: 1, Location: "S1", Till: "T1", Day: "2026-11-20"}
	f := func(want Outcome, current *Version, change func(*Version)) {
		t.Helper()
		next := Version{Hash: "b", Revision: 6, Rank: 1, Location: "S1", Till: "T1", Day: "2026-11-20"}
		change(&next)
		if got := Supersede(current, next); got != want {
			t.Errorf("%+v: got %s, want %s", next, got, want)
		}
	}
	f(First, nil, func(*Version) {})
	f(Duplicate, cur, func(v *Version) { v.Hash = "a" })
	f(Replaces, cur, func(*Version) {})
	f(Replaces, cur, func(v *Version) { v.Revision = 0 })
	f(Older, cur, func(v *Version) { v.Revision = 4 })
	f(Older, cur, func(v *Version) { v.Rank = 0; v.Revision = 9 })
	f(Replaces, cur, func(v *Version) { v.Rank = 2; v.Revision = 4 })
	f(Clash, cur, func(v *Version) { v.Location = "S2" })
	f(Clash, cur, func(v *Version) { v.Till = "T2" })
	f(Replaces, cur, func(v *Version) { v.Till = "" })
	f(Replaces, cur, func(v *Version) { v.Day = "2026-11-23" })
	f(Clash, cur, func(v *Version) { v.Day = "2026-11-24" })
}

// Which of two captures comes first must not decide which is in force: after a restored hub they come in another order.
func TestTheOrderOfCaptureDoesNotDecide(t *testing.T) {
	for n := range 81 {
		a := Version{Hash: "a", Rank: n % 3, Revision: int64(1 + n/3%3), Location: "S1"}
		b := Version{Hash: "b", Rank: n / 9 % 3, Revision: int64(1 + n/27), Location: "S1"}
		if a.Rank == b.Rank && a.Revision == b.Revision {
			continue // nothing else tells them apart
		}
		if (Supersede(&a, b) == Replaces) == (Supersede(&b, a) == Replaces) {
			t.Errorf("%+v and %+v: whichever comes last or first is in force", a, b)
		}
	}
}
