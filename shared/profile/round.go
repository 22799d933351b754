package profile

import (
	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// finish rounds the ticket at its total and makes lines and tenders add up to it.
func (b *build) finish(t retail.Ticket) (rec retail.Record, err error) {
	if len(b.lines) == 0 {
		b.lines, b.idle = b.idle, b.lines // each keeps its room
		b.exact = make([]value, len(b.lines))
	}
	amounts, booked, whole := whole(b.amounts[:0], b.exact, t.Currency)
	if b.amounts = amounts; !whole {
		total := sum(b.exact).decimal()
		if booked, err = money.Round(total, t.Currency); err != nil {
			return nil, invalid("ticket %s: the total %s is beyond all bounds", t.Number, total)
		}
		if amounts, err = apportion(b.exact, booked); err != nil {
			return nil, invalid("ticket %s: %v", t.Number, err)
		}
		if diff := booked.DecimalOf().Sub(total); !diff.IsZero() {
			t.Rounded = diff.String()
		}
	}
	for i := range b.lines {
		b.lines[i].Amount = amounts[i]
	}
	t.Lines = b.lines
	if t.Tenders, err = b.settle(booked); err != nil {
		return nil, invalid("ticket %s: %v", t.Number, err)
	}
	switch {
	case t.Kind != "":
	case b.void && len(t.Lines) == 0 && len(t.Tenders) == 0:
		t.Kind = retail.Void // nothing of it is left
	default:
		if t.Kind = retail.Sale; booked.Minor < 0 {
			t.Kind = retail.Return
		}
	}
	return t, nil
}

// settle gives tenders their amounts: what the file says, rounded together with the total when it says the same, or what the lines come to.
func (b *build) settle(booked money.Amount) (out []retail.Tender, err error) {
	amounts, paid, whole := whole(nil, b.paid, booked.Currency)
	if !whole {
		if paid, err = money.Round(sum(b.paid).decimal(), booked.Currency); err != nil {
			return nil, err
		}
		if amounts, err = apportion(b.paid, paid); err != nil {
			return nil, err
		}
	}
	for i, t := range b.tenders {
		t.Amount = amounts[i]
		if b.open[i] {
			if t.Amount, err = booked.Sub(paid); err != nil {
				return nil, err
			}
		}
		if !t.Amount.IsZero() {
			out = append(out, t)
		}
	}
	return out, nil
}

// whole are exact amounts that are minor units already, put into out, and their sum: nothing is rounded then, and nothing needs decimals.
func whole(out []money.Amount, exact []value, c money.Currency) (_ []money.Amount, total money.Amount, ok bool) {
	total = money.Of(0, c)
	for _, v := range exact {
		a := money.Of(0, c)
		if !v.isZero() {
			if a, ok = v.exact(c); !ok {
				return out, total, false
			}
		}
		var err error
		if total, err = total.Add(a); err != nil {
			return out, total, false
		}
		out = append(out, a)
	}
	return out, total, true
}

// apportion rounds exact amounts so that they add up to total: each is cut off towards zero, and what is left goes, a minor unit each, to
// those that lost most.
func apportion(exact []value, total money.Amount) ([]money.Amount, error) {
	out, lost := make([]money.Amount, len(exact)), make([]decimal.Decimal, len(exact))
	left := total.Minor
	for i, v := range exact {
		d := v.decimal()
		scaled := d.Shift(int32(total.Currency.Digits()))
		cut := scaled.Truncate(0)
		if !cut.BigInt().IsInt64() {
			return nil, invalid("the amount %s is beyond all bounds", d)
		}
		out[i], lost[i] = money.Of(cut.IntPart(), total.Currency), scaled.Sub(cut)
		left -= out[i].Minor
	}
	for ; left != 0; left -= sign(left) {
		best := -1
		for i := range lost {
			if gain := lost[i].Mul(decimal.NewFromInt(sign(left))); best < 0 || gain.GreaterThan(lost[best].Mul(decimal.NewFromInt(sign(left)))) {
				best = i
			}
		}
		if best < 0 {
			return nil, invalid("%d minor units are left over and there is no line to take them", left)
		}
		out[best].Minor += sign(left)
		lost[best] = lost[best].Sub(decimal.NewFromInt(sign(left)))
	}
	return out, nil
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}
