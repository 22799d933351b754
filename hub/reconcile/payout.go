package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

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
