package reconcile

import (
	"github.com/tillpost/tillpost/hub/settle"
)

// deposits matches batches with the lines that pay them. Everything known takes part, so that usual fees are learned from what was decided;
// only what is open makes a voucher. A processor pays out what was handed in on a day, whichever terminals closed their batches then
// (finance.md N31): so days are matched first, and batch by batch only what that leaves over.
func (r *round) deposits() error {
	days, members := r.byDay()
	left, err := r.pair(days, func(m settle.Match) settle.Match {
		var all []string
		for _, d := range m.Batches {
			all = append(all, members[d]...)
		}
		m.Batches = all
		return m
	}, nil)
	if err != nil || len(left) == 0 {
		return err
	}
	paid := r.paid()
	var single []settle.Batch
	for _, b := range r.Batches {
		if b.Voucher == "" && !paid[b.ID] {
			single = append(single, b.Batch)
		}
	}
	_, err = r.pair(single, func(m settle.Match) settle.Match { return m }, left)
	return err
}

// byDay puts the batches of a merchant, payer and day together. Where some of a day's are decided, its others stand alone.
func (r *round) byDay() (days []settle.Batch, members map[string][]string) {
	members = map[string][]string{}
	at, mixed := map[string]int{}, map[string]bool{}
	vouchers := map[string]string{}
	key := func(b Batch) string { return b.Merchant + " " + string(b.Closed) + " " + string(b.Funds) }
	for _, b := range r.Batches {
		k := key(b)
		if v, seen := vouchers[k]; seen && v != b.Voucher {
			mixed[k] = true
		}
		vouchers[k] = b.Voucher
	}
	for _, b := range r.Batches {
		k := key(b)
		if mixed[k] {
			k += " " + b.ID
		}
		if i, known := at[k]; known {
			days[i].Amount.Minor += b.Amount.Minor
		} else {
			at[k] = len(days)
			day := b.Batch
			day.ID = k
			days = append(days, day)
		}
		members[k] = append(members[k], b.ID)
	}
	return days, members
}

// pair asks for matches of batches with the processors' lines, only those when there are any named, and books them. left are lines that
// found none.
func (r *round) pair(bs []settle.Batch, whole func(settle.Match) settle.Match, only map[string]bool) (left map[string]bool, err error) {
	var terms []settle.Terms
	for _, m := range r.Merchants {
		terms = append(terms, m.Terms)
	}
	var ds []settle.Deposit
	for _, l := range r.Lines {
		read := r.reading[l.Key]
		if r.names[l.Account] == "" || read.Kind != settle.Takings && read.Kind != settle.Fees || only != nil && !only[l.Key] {
			continue // a batch with more refunds than sales is debited as a bill is
		}
		ds = append(ds, settle.Deposit{Key: l.Key, Merchant: read.Merchant, Account: l.Account, Funds: read.Funds, Booked: l.Booked, Amount: l.Amount})
	}
	if len(bs) == 0 || len(ds) == 0 {
		return nil, nil
	}
	got, err := settle.Pair(bs, ds, terms, r.Banking)
	if err != nil {
		return nil, err
	}
	for _, m := range got.Matches {
		if err := r.deposit(whole(m)); err != nil {
			return nil, err
		}
	}
	left = map[string]bool{}
	for _, o := range got.Open {
		if o.Deposit != "" && !r.used[o.Deposit] {
			if left[o.Deposit] = true; r.dec.Open[o.Deposit] != settle.WhyAmbiguous { // a day that might be it says more than no single batch
				r.dec.Open[o.Deposit] = o.Why
			}
		}
		if o.Batch != "" && o.Why == settle.WhyAmbiguous {
			for _, id := range whole(settle.Match{Batches: []string{o.Batch}}).Batches {
				r.unsure[id] = true
			}
		}
	}
	return left, nil
}

// paid are batches that this round has booked.
func (r *round) paid() map[string]bool {
	paid := map[string]bool{}
	for _, u := range r.dec.Used {
		for _, b := range u.Batches {
			paid[b] = true
		}
	}
	return paid
}

// deposit makes the vouchers of one match: one per line and location, since an entry in the books belongs to one location.
func (r *round) deposit(m settle.Match) error {
	for _, k := range m.Deposits {
		if r.used[k] {
			return nil // it was decided before
		}
	}
	var parts []Part
	for _, id := range m.Batches {
		b := r.batches[id]
		if b.Voucher != "" {
			return nil
		}
		parts = append(parts, b.Parts...)
	}
	vs, err := r.payOut(m, parts)
	if err != nil {
		return err
	}
	for _, k := range m.Deposits {
		r.used[k] = true
		delete(r.dec.Open, k)
	}
	r.dec.Vouchers = append(r.dec.Vouchers, vs...)
	r.dec.Used = append(r.dec.Used, Used{Series: vs[0].Series, Lines: m.Deposits, Batches: m.Batches})
	return nil
}
