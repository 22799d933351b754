package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/settle"
)

// remain lists what has waited for too long. Lines of one payer that could be explained in several ways are one question.
func (r *round) remain() {
	r.dec.Still = map[string]bool{}
	unsure := map[string]*cases.Case{}
	for _, l := range r.Lines {
		why, open := r.dec.Open[l.Key]
		if r.used[l.Key] || !open || r.bankingDays(l.Booked) <= waitForBatch {
			continue
		}
		said := fmt.Sprintf("%s of %s, %q", l.Amount, l.Booked, l.Text)
		subject := "line " + l.Key
		if why == settle.WhyAmbiguous {
			read := r.reading[l.Key]
			subject = "lines of " + cmp.Or(read.Merchant, l.Account) + " " + string(read.Funds)
			if c := unsure[subject]; c != nil {
				c.Amount.Minor += l.Amount.Minor
				c.Detail += "; " + said
				continue
			}
		}
		c := cases.New(cases.DepositOpen, subject, noTime)
		c.Location, c.Day, c.Amount = r.locationOf(l), l.Booked, l.Amount
		c.Detail = why + ": " + said
		unsure[subject] = &c
	}
	for _, subject := range slices.Sorted(maps.Keys(unsure)) {
		c := unsure[subject]
		r.dec.Cases, r.dec.Still[c.ID] = append(r.dec.Cases, *c), true
	}
	r.missing()
}

// missing lists days of a merchant that no deposit has paid in time: one decision, however many terminals handed in. A batch that might be
// what an open line pays is that line's question.
func (r *round) missing() {
	paid := r.paid()
	type day struct {
		id  string
		sum cases.Case
		ids []string
	}
	var late []*day
	at := map[string]*day{}
	for _, b := range r.Batches {
		subject := b.Merchant + " " + string(b.Closed) + " " + string(b.Funds)
		c := cases.New(cases.DepositMissing, subject, noTime)
		if b.Voucher != "" || paid[b.ID] || b.Amount.IsZero() || r.unsure[b.ID] || r.bankingDays(b.Closed) <= waitForDeposit {
			continue
		}
		d := at[subject]
		if d == nil {
			c.Location, c.Day = r.merchants[b.Merchant].Location, b.Closed
			c.Amount.Currency = b.Amount.Currency
			d = &day{id: c.ID, sum: c}
			at[subject], late = d, append(late, d)
		}
		d.sum.Amount.Minor += b.Amount.Minor
		d.ids = append(d.ids, b.ID)
		d.sum.Detail = fmt.Sprintf("%s of batches %s, merchant %s, closed on %s", d.sum.Amount, join(d.ids), b.Merchant, b.Closed)
	}
	for _, d := range late {
		r.dec.Cases, r.dec.Still[d.id] = append(r.dec.Cases, d.sum), true
	}
}

const (
	waitForBatch   = 5 // banking days: a batch that comes late is read within days
	waitForDeposit = 4 // banking days after closing (finance.md A20)
)
