package ledger

import (
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Cash is the tender that the drawer holds: paid-ins, paid-outs and count differences move it.
const Cash = "cash"

// Post turns a record into its entry. A record that moves no money by its nature (a terminal's fact, a mark, a gateway payment) has no
// entry: ok is false. A record that should and cannot is an error with code invalid, worded for the case that lists it. day is the
// store-day it belongs to, worked out by the caller (DESIGN D8). now bounds the dates that are believed.
func Post(r retail.Record, day retail.BusinessDate, now time.Time) (e Entry, ok bool, err error) {
	switch x := r.(type) {
	case retail.Ticket:
		e, err = postTicket(x, day, now)
		return e, err == nil, err
	case retail.Drawer:
		e, err = postDrawer(x, day, now)
		return e, err == nil, err
	}
	return Entry{}, false, nil
}

func postTicket(t retail.Ticket, day retail.BusinessDate, now time.Time) (Entry, error) {
	if err := t.Validate(now); err != nil {
		return Entry{}, err
	}
	e := Entry{Key: t.Key.String(), Kind: "ticket", Location: t.Location, Till: t.Till, Cashier: t.Cashier, Number: t.Number, Sequence: t.Sequence, Day: day,
		Currency: t.Currency, Gross: money.Of(0, t.Currency), Tax: money.Of(0, t.Currency), Rounded: t.Rounded, Lines: t.SourceLines()}
	if t.Kind == retail.Void && !bug.VoidPosts {
		return e, nil
	}
	on := levies(t)
	for i, l := range t.Lines {
		a := lineAccount(l)
		if on != nil {
			a = Levied(a, on[i])
		}
		e.credit(a, l.Amount)
		e.goods(l)
		into := &e.Gross
		if l.Kind == retail.Tax {
			into = &e.Tax
		}
		sum, err := into.Add(l.Amount)
		if err != nil {
			return Entry{}, err
		}
		*into = sum
	}
	for _, p := range t.Tenders {
		e.debit(Of(Tender, p.Type), p.Amount)
	}
	return e, e.Check()
}

// goods posts what goods had cost (T2). It stands beside the sale and in no sum of it.
func (e *Entry) goods(l retail.Line) {
	if l.Kind != retail.Item {
		return
	}
	if l.Cost.Currency != e.Currency {
		e.Uncosted++
		return
	}
	if l.Cost.Minor == 0 {
		return
	}
	out, in, cost := Of(COGS, l.Category), Of(Inventory, l.Category), l.Cost
	if cost.Minor < 0 {
		out, in, cost = in, out, cost.Neg()
	}
	e.Postings = append(e.Postings, Posting{out, in, cost})
}

// Goods reports whether an account is of the goods' cost.
func (a Account) Goods() bool {
	r, _ := a.Split()
	return r == COGS || r == Inventory
}

// lineAccount says what a line measures. Goods and taxes given back stand apart from those sold, as Odoo's own POS closing keeps them.
func lineAccount(l retail.Line) Account {
	back := l.Amount.Minor < 0
	switch l.Kind {
	case retail.Item:
		if back {
			return Of(Returns, l.Category)
		}
		return Of(Sales, l.Category)
	case retail.Tax:
		if back {
			return Of(TaxRefund, l.Code)
		}
		return Of(Tax, l.Code)
	case retail.Discount:
		return Of(Discount, l.Code)
	case retail.Fee:
		return Of(Fee, l.Code)
	}
	return plain[l.Kind]
}

var plain = map[retail.LineKind]Account{retail.Shipping: Account(Shipping), retail.GiftCard: Account(GiftCard), retail.Tip: Account(Tip),
	retail.Deposit: Account(Deposit), retail.Account: Account(House), retail.Rounding: Account(Rounding)}

func postDrawer(d retail.Drawer, day retail.BusinessDate, now time.Time) (Entry, error) {
	if err := d.Validate(now); err != nil {
		return Entry{}, err
	}
	e := Entry{Key: d.Key.String(), Kind: "drawer", Location: d.Location, Till: d.Till, Cashier: d.Cashier, Number: d.Key.ID, Day: day, Currency: d.Currency,
		Gross: money.Of(0, d.Currency), Tax: money.Of(0, d.Currency), Lines: 1}
	switch d.Kind {
	case retail.PaidIn:
		e.credit(Of(PaidIn, d.Reason), d.Amount)
		e.debit(Of(Tender, Cash), d.Amount)
	case retail.PaidOut:
		e.debit(Of(PaidOut, d.Reason), d.Amount)
		e.credit(Of(Tender, Cash), d.Amount)
	case retail.DrawerCount:
		diff, err := d.Counted.Sub(d.Amount)
		if err != nil {
			return Entry{}, err
		}
		code := "over"
		if diff.Minor < 0 {
			code = "short"
		}
		e.credit(Of(OverShort, code), diff)
		e.debit(Of(Tender, Cash), diff)
	}
	return e, e.Check()
}

// debit and credit post a signed amount against Control; zero posts nothing.
func (e *Entry) debit(a Account, m money.Amount) {
	switch {
	case m.Minor > 0:
		e.Postings = append(e.Postings, Posting{a, Account(Control), m})
	case m.Minor < 0:
		e.Postings = append(e.Postings, Posting{Account(Control), a, m.Neg()})
	}
}

func (e *Entry) credit(a Account, m money.Amount) { e.debit(a, m.Neg()) }

// Check proves that e is an entry: amounts above zero, one currency, and Control back at zero. It fails only for a bug in this package.
func (e Entry) Check() error {
	net := money.Of(0, e.Currency)
	for _, p := range e.Postings {
		if p.Amount.Minor <= 0 || p.Debit == p.Credit {
			return fault.New(fault.Internal, "post "+e.Number, fmt.Errorf("bad posting %v", p))
		}
		for _, side := range []struct {
			account Account
			amount  money.Amount
		}{{p.Debit, p.Amount}, {p.Credit, p.Amount.Neg()}} {
			if side.account != Account(Control) {
				continue
			}
			sum, err := net.Add(side.amount)
			if err != nil {
				return err
			}
			net = sum
		}
	}
	if net.Minor != 0 {
		return fault.New(fault.Internal, "post "+e.Number, fmt.Errorf("the entry is %s out of balance", net))
	}
	return nil
}
