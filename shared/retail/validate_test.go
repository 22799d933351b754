package retail

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

var now = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)

// full is an exchange with a line of every kind, paid in three ways.
func full() Ticket {
	usd := func(minor int64) money.Amount { return money.Of(minor, "USD") }
	return Ticket{Key: Key{System: "tillpost", Record: "ticket", ID: "t1"}, Number: "1", Location: "S1", Till: "T1", At: now, Kind: Exchange, Currency: "USD", Parent: "t0", Revision: 2,
		Lines: []Line{{Kind: Item, Category: "Books", Amount: usd(2000)}, {Kind: Item, Category: "Books", Amount: usd(-1000)}, {Kind: Tax, Code: "State", Amount: usd(83)},
			{Kind: Discount, Code: "SPRING", Amount: usd(-100)}, {Kind: Shipping, Amount: usd(500)}, {Kind: GiftCard, Amount: usd(2500)}, {Kind: Tip, Amount: usd(200)},
			{Kind: Fee, Code: "BAG", Amount: usd(10)}, {Kind: Deposit, Amount: usd(-300)}, {Kind: Account, Amount: usd(1000)}, {Kind: Rounding, Amount: usd(2)}},
		Tenders: []Tender{{Type: "cash", Amount: usd(5000)}, {Type: "cash", Amount: usd(-605)}, {Type: "visa", Amount: usd(500)}}}
}

func TestEveryKindOfLineCounts(t *testing.T) {
	x := full()
	if err := x.Validate(now); err != nil {
		t.Fatal(err)
	}
	kinds := map[LineKind]bool{}
	for i, l := range x.Lines {
		kinds[l.Kind] = true
		less := full()
		less.Lines = append(less.Lines[:i:i], less.Lines[i+1:]...)
		if err := less.Validate(now); !errors.Is(err, ErrUnbalanced) {
			t.Errorf("without its %s line: %v, want it out of balance", l.Kind, err)
		}
	}
	if len(kinds) != len(lineKinds) {
		t.Errorf("%d kinds of %d are in the sample", len(kinds), len(lineKinds))
	}
	if tax, err := x.TaxTotal(); err != nil || tax != money.Of(83, "USD") {
		t.Errorf("tax %s %v", tax, err)
	}
}

func TestValidateNamesEachFault(t *testing.T) {
	for words, spoil := range map[string]func(x *Ticket){
		"no usable id":     func(x *Ticket) { x.Key.ID = "" },
		"no location":      func(x *Ticket) { x.Location = "" },
		"not an ISO code":  func(x *Ticket) { x.Currency = "usd" },
		"not a date":       func(x *Ticket) { x.Day = "2026-02-30" },
		"no time":          func(x *Ticket) { x.At = time.Time{} },
		"in the future":    func(x *Ticket) { x.At = now.AddDate(0, 0, 3) },
		"days ago":         func(x *Ticket) { x.At = time.Unix(0, 0) },
		"44 days away":     func(x *Ticket) { x.Day = "2026-10-07" },
		"3 days away":      func(x *Ticket) { x.Day = "2026-11-23" },
		"unknown kind":     func(x *Ticket) { x.Lines[0].Kind = "goods" },
		"its kind":         func(x *Ticket) { x.Kind = "gift" },
		"has no type":      func(x *Ticket) { x.Tenders[0].Type = "" },
		"beyond any":       func(x *Ticket) { x.Lines[0].Amount.Minor = MaxMinor + 1 },
		"is in CAD":        func(x *Ticket) { x.Tenders[0].Amount.Currency = "CAD" },
		"neither lines":    func(x *Ticket) { x.Lines, x.Tenders = nil, nil },
		"its lines come":   func(x *Ticket) { x.Tenders[2].Amount.Minor++ },
		"has 20001 lines,": func(x *Ticket) { x.Lines = make([]Line, MaxLines+1) },
	} {
		x := full()
		spoil(&x)
		if err := x.Validate(now); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), words) {
			t.Errorf("want %q, got %v", words, err)
		}
	}
	x := full()
	x.Key.ID, x.Location, x.Tenders[0].Type = "", "", ""
	if err := x.Validate(now); strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("three faults are told as %v", err)
	}
}

// A void posts nothing, so its sums need not meet; everything else of it must be readable.
func TestVoidNeedsNoBalance(t *testing.T) {
	x := full()
	x.Kind, x.Tenders = Void, nil
	if err := x.Validate(now); err != nil {
		t.Error(err)
	}
	if x.Lines[0].Kind = "goods"; x.Validate(now) == nil {
		t.Error("a line of no kind was taken")
	}
}

func TestDrawerValidate(t *testing.T) {
	for kind := range drawerKinds {
		d := Drawer{Key: Key{ID: "d1"}, Location: "S1", At: now, Kind: kind, Currency: "USD", Amount: money.Of(500, "USD")}
		if err := d.Validate(now); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		for words, spoil := range map[string]func(d *Drawer){
			"no usable id": func(d *Drawer) { d.Key.ID = "" }, "no location": func(d *Drawer) { d.Location = "" }, "no time": func(d *Drawer) { d.At = time.Time{} },
			"beyond any": func(d *Drawer) { d.Amount.Minor = -1 }, "is not in": func(d *Drawer) { d.Counted = money.Of(1, "CAD") }, "is unknown": func(d *Drawer) { d.Kind = "lost" },
			"in the future": func(d *Drawer) { d.At = now.AddDate(73, 0, 0) }, "days ago": func(d *Drawer) { d.At = time.Unix(0, 0) }, "days away": func(d *Drawer) { d.Day = "1999-01-01" },
		} {
			bad := d
			spoil(&bad)
			if err := bad.Validate(now); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: want %q, got %v", kind, words, err)
			}
		}
	}
}

// TestACostNeverKeepsASaleFromTheBooks: what goods had cost is told by few tills, and in their own way.
func TestACostNeverKeepsASaleFromTheBooks(t *testing.T) {
	for cost, want := range map[string]string{`"3.255"`: "3.26", `1.5`: "1.50", `"0"`: "0.00", `"three"`: "", `"1e9"`: "", `"99999999999"`: ""} {
		body := fmt.Sprintf(`{"id":"1","location":"S1","at":"2026-11-20T10:00:00Z","currency":"USD","lines":[{"kind":"item","category":"A","amount":"-10.00","cost":%s}],"tenders":[{"type":"cash","amount":"-10.00"}]}`, cost)
		got, err := DecodeTicket([]byte(body))
		if err != nil {
			t.Errorf("a cost of %s refuses the ticket: %v", cost, err)
			continue
		}
		c := got.Lines[0].Cost
		if want != "" && want != "0.00" {
			want = "-" + want // it came back
		}
		if (c.Currency != "") != (want != "") || want != "" && c.Decimal() != want {
			t.Errorf("a cost of %s is read as %+v", cost, c)
		}
	}
}
