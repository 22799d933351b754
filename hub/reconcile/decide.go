package reconcile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// round is one decision in the making.
type round struct {
	Facts
	dec       Decision
	names     map[string]string // account number → short name
	merchants map[string]Merchant
	batches   map[string]Batch
	lines     map[string]Line
	reading   map[string]settle.Reading
	used      map[string]bool // line keys with a voucher, old or new
	unsure    map[string]bool // batches that an open line may pay
}

// Decide says which vouchers the facts make and what stays open. It is pure: the same facts make the same vouchers under the same series.
// Code invalid: amounts of several currencies.
func Decide(f Facts) (Decision, error) {
	r := newRound(f)
	if err := r.deposits(); err != nil {
		return Decision{}, err
	}
	for _, step := range []func() error{r.bills, r.disputes, r.bags} {
		if err := step(); err != nil {
			return Decision{}, err
		}
	}
	r.remain()
	return r.dec, nil
}

func newRound(f Facts) *round {
	r := &round{Facts: f, names: map[string]string{}, merchants: map[string]Merchant{}, batches: map[string]Batch{}, lines: map[string]Line{},
		reading: map[string]settle.Reading{}, used: map[string]bool{}, unsure: map[string]bool{}}
	r.dec.Open = map[string]string{}
	for _, a := range f.Accounts {
		r.names[a.Number] = a.Name
	}
	var terms []settle.Terms
	for _, m := range f.Merchants {
		r.merchants[m.Merchant] = m
		terms = append(terms, m.Terms)
	}
	for _, b := range f.Batches {
		r.batches[b.ID] = b
	}
	for _, l := range f.Lines {
		r.lines[l.Key], r.used[l.Key] = l, l.Voucher != ""
		r.reading[l.Key] = settle.Classify(l.Text, l.Amount.Minor > 0, terms)
	}
	return r
}

// series names a voucher by what it rests on.
func series(k ledger.VoucherKind, subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return string(k) + "-" + hex.EncodeToString(sum[:6])
}

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

// payOut divides a match by line and location: gross by what each line brought, net by each location's gross, both to the cent.
func (r *round) payOut(m settle.Match, parts []Part) (out []ledger.Voucher, err error) {
	from := []string{}
	for _, k := range m.Deposits {
		from = append(from, "line "+k)
	}
	for _, b := range m.Batches {
		from = append(from, "batch "+b)
	}
	name := series(ledger.DepositVoucher, fmt.Sprint(m.Deposits))
	weights := make([]int64, len(m.Deposits))
	for i, k := range m.Deposits {
		weights[i] = abs(r.lines[k].Amount.Minor)
	}
	merchant := r.merchants[r.batches[m.Batches[0]].Merchant]
	charge := "processing"
	if r.batches[m.Batches[0]].Funds == settle.Amex {
		charge = "amex"
	}
	for i, k := range m.Deposits {
		l := r.lines[k]
		share, err := lineShare(parts, weights, i)
		if err != nil {
			return nil, err
		}
		nets, locations, err := byLocation(l, share)
		if err != nil {
			return nil, err
		}
		for _, loc := range locations {
			ps, err := ledger.PayOut(ledger.Paid{Account: r.names[l.Account], Net: nets[loc], Shares: sharesOf(share, loc), Charge: charge})
			if err != nil {
				return nil, err
			}
			v := ledger.Voucher{Series: name, Kind: ledger.DepositVoucher, Location: cmp.Or(loc, merchant.Location), Day: l.Booked, Currency: l.Amount.Currency, Postings: ps, From: from,
				Text: fmt.Sprintf("%s of batches %s", l.Amount, join(m.Batches))}
			if i > 0 {
				v.Series = fmt.Sprintf("%s-%d", name, i+1)
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// lineShare is the part of a match's gross that line i brought.
func lineShare(parts []Part, weights []int64, i int) ([]Part, error) {
	if len(weights) == 1 {
		return parts, nil
	}
	out := slices.Clone(parts)
	for j := range out {
		cut, err := out[j].Amount.Split(weights...)
		if err != nil {
			return nil, err
		}
		out[j].Amount = cut[i]
	}
	return out, nil
}

// byLocation divides a line's amount by each location's gross.
func byLocation(l Line, parts []Part) (map[retail.LocationCode]money.Amount, []retail.LocationCode, error) {
	gross := map[retail.LocationCode]int64{}
	for _, p := range parts {
		gross[p.Location] += p.Amount.Minor
	}
	var locations []retail.LocationCode
	for loc := range gross {
		locations = append(locations, loc)
	}
	slices.Sort(locations)
	weights := make([]int64, len(locations))
	total := int64(0)
	for i, loc := range locations {
		weights[i] = abs(gross[loc])
		total += weights[i]
	}
	if total == 0 {
		weights[0] = 1
	}
	cut, err := l.Amount.Split(weights...)
	out := map[retail.LocationCode]money.Amount{}
	for i, loc := range locations {
		if err == nil {
			out[loc] = cut[i]
		}
	}
	return out, locations, err
}

func sharesOf(parts []Part, loc retail.LocationCode) (out []ledger.Share) {
	sum := map[string]ledger.Share{}
	for _, p := range parts {
		if p.Location != loc {
			continue
		}
		s := sum[p.Tender]
		s.Tender, s.Amount.Currency, s.Amount.Minor = p.Tender, p.Amount.Currency, s.Amount.Minor+p.Amount.Minor
		sum[p.Tender] = s
	}
	for _, s := range sum {
		out = append(out, s)
	}
	return out
}

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
