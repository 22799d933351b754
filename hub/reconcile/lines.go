package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// noTime leaves it to the store to say when a case began.
var noTime time.Time

func abs(n int64) int64 { return max(n, -n) }

func join(list []string) string { return strings.Join(list, ", ") }

// open are lines of known accounts without a voucher, in a fixed order. Those of unknown accounts are a case per account.
func (r *round) open() (out []Line) {
	for _, l := range r.Lines {
		if r.used[l.Key] {
			continue
		}
		if r.names[l.Account] == "" {
			c := cases.New(cases.BankAccount, l.Account, noTime)
			c.Detail, c.Day = "account "+l.Account, l.Booked
			if !slices.ContainsFunc(r.dec.Cases, func(o cases.Case) bool { return o.ID == c.ID }) {
				r.dec.Cases = append(r.dec.Cases, c)
			}
			continue
		}
		out = append(out, l)
	}
	return out
}

// merchantOf is the one that a line's text names, or the only one of its account.
func (r *round) merchantOf(l Line) (Merchant, bool) {
	if m, ok := r.merchants[r.reading[l.Key].Merchant]; ok {
		return m, true
	}
	var found []Merchant
	for _, m := range r.Merchants {
		if m.Account == l.Account {
			found = append(found, m)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return Merchant{}, false
}

func (r *round) locationOf(l Line) retail.LocationCode {
	m, _ := r.merchantOf(l)
	return m.Location
}

// voucher books one line alone.
func (r *round) voucher(k ledger.VoucherKind, l Line, loc retail.LocationCode, ps []ledger.Posting, text string, u Used) {
	v := ledger.Voucher{Series: series(k, l.Key), Kind: k, Location: loc, Day: l.Booked, Currency: l.Amount.Currency, Postings: ps, Text: text, From: []string{"line " + l.Key}}
	for _, o := range u.Others {
		v.From = append(v.From, o)
	}
	u.Series, u.Lines = v.Series, []string{l.Key}
	r.used[l.Key] = true
	delete(r.dec.Open, l.Key)
	r.dec.Vouchers, r.dec.Used = append(r.dec.Vouchers, v), append(r.dec.Used, u)
}

// settled is how long a debit in a processor's words waits for a batch of refunds that explains it, before it is its bill.
const settled = 3 // banking days

// bills books what processors take for themselves.
func (r *round) bills() error {
	for _, l := range r.open() {
		if r.reading[l.Key].Kind != settle.Fees || r.bankingDays(l.Booked) < settled {
			continue
		}
		m, ok := r.merchantOf(l)
		if !ok {
			r.dec.Open[l.Key] = "the text names no merchant id, and the account has several"
			continue
		}
		ps, u, err := r.bill(l, m)
		if err != nil {
			return err
		}
		r.voucher(ledger.FeesVoucher, l, m.Location, ps, "processing fees of merchant "+m.Merchant, u)
	}
	return nil
}

// bill divides a debit as the processor's own bill does, where there is one of exactly this amount.
func (r *round) bill(l Line, m Merchant) (ps []ledger.Posting, u Used, err error) {
	took := l.Amount.Neg()
	for _, b := range r.Bills {
		if b.Merchant != m.Merchant || b.Amount != took || r.Taken["bill "+b.ID] {
			continue
		}
		left := took
		for _, code := range sorted(b.Parts) {
			if b.Parts[code].IsZero() {
				continue
			}
			p, err := ledger.Take(r.names[l.Account], code, b.Parts[code])
			if err != nil {
				return nil, u, err
			}
			if left, err = left.Sub(b.Parts[code]); err != nil {
				return nil, u, err
			}
			ps = append(ps, p...)
		}
		if !left.IsZero() { // the parts tell not all of it
			p, err := ledger.Take(r.names[l.Account], "monthly", left)
			return append(ps, p...), Used{Others: []string{"bill " + b.ID}}, err
		}
		return ps, Used{Others: []string{"bill " + b.ID}}, nil
	}
	ps, err = ledger.Take(r.names[l.Account], "monthly", took)
	return ps, u, err
}

func sorted(m map[string]money.Amount) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// disputes books chargebacks and money that comes back, and what the processor says is lost.
func (r *round) disputes() error {
	for _, l := range r.open() {
		if r.reading[l.Key].Kind != settle.Chargeback {
			continue
		}
		m, ok := r.merchantOf(l)
		if !ok {
			r.dec.Open[l.Key] = "the text names no merchant id, and the account has several"
			continue
		}
		if err := r.dispute(l, m); err != nil {
			return err
		}
	}
	for _, d := range r.Disputes {
		m, known := r.merchants[d.Merchant]
		if !known || !d.Lost || r.Taken["lost "+d.ID] || !r.Taken["dispute "+d.ID] || d.Amount.IsZero() {
			continue
		}
		ps, err := ledger.LoseDispute(d.Amount)
		if err != nil {
			return err
		}
		v := ledger.Voucher{Series: series(ledger.DisputeVoucher, "lost "+d.ID), Kind: ledger.DisputeVoucher, Location: m.Location, Day: r.Today, Currency: d.Amount.Currency, Postings: ps,
			Text: "dispute " + d.ID + " is lost", From: []string{"dispute " + d.ID}}
		r.dec.Vouchers = append(r.dec.Vouchers, v)
		r.dec.Used = append(r.dec.Used, Used{Series: v.Series, Others: []string{"lost " + d.ID}})
	}
	return nil
}

func (r *round) dispute(l Line, m Merchant) error {
	if l.Amount.Minor > 0 {
		return r.win(l, m)
	}
	took := l.Amount.Neg()
	amount, fee, u := took, money.Of(0, took.Currency), Used{}
	if m.BackFee.Currency == took.Currency && took.Minor > m.BackFee.Minor { // agreed to be taken with it, unless the processor tells other figures
		amount, fee = money.Of(took.Minor-m.BackFee.Minor, took.Currency), m.BackFee
	}
	for _, d := range r.Disputes {
		over, err := took.Sub(d.Amount)
		if err != nil || d.Merchant != m.Merchant || r.Taken["dispute "+d.ID] || !over.IsZero() && over != m.BackFee {
			continue
		}
		amount, fee, u.Others = d.Amount, over, []string{"dispute " + d.ID}
		r.Taken["dispute "+d.ID] = true
		break
	}
	ps, err := ledger.TakeBack(r.names[l.Account], amount, fee)
	if err != nil {
		return err
	}
	r.voucher(ledger.DisputeVoucher, l, m.Location, ps, "chargeback", u)
	if r.won(l, m, amount) {
		return nil
	}
	c := cases.New(cases.Disputed, "line "+l.Key, noTime)
	c.Location, c.Day, c.Amount, c.Detail = m.Location, l.Booked, amount, fmt.Sprintf("%s on %s, %q", took, l.Booked, l.Text)
	r.dec.Cases = append(r.dec.Cases, c)
	return nil
}

// win books a reversal, and the question about the payment that was taken back is answered.
func (r *round) win(l Line, m Merchant) error {
	ps, err := ledger.WinDispute(r.names[l.Account], l.Amount)
	if err != nil {
		return err
	}
	r.voucher(ledger.DisputeVoucher, l, m.Location, ps, "chargeback reversed", Used{})
	for _, o := range r.Lines {
		took := o.Amount.Neg()
		if mo, ok := r.merchantOf(o); ok && mo.Merchant == m.Merchant && r.reading[o.Key].Kind == settle.Chargeback && o.Booked <= l.Booked && (took == l.Amount || took.Minor-m.BackFee.Minor == l.Amount.Minor) {
			r.dec.Gone = append(r.dec.Gone, cases.ID(cases.Disputed, "line "+o.Key))
		}
	}
	return nil
}

// won reports whether the statements show already that a chargeback came back.
func (r *round) won(l Line, m Merchant, amount money.Amount) bool {
	for _, o := range r.Lines {
		if mo, ok := r.merchantOf(o); ok && mo.Merchant == m.Merchant && r.reading[o.Key].Kind == settle.Chargeback && o.Booked >= l.Booked && o.Amount == amount {
			return true
		}
	}
	return false
}
