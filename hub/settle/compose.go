package settle

import (
	"cmp"
	"slices"
	"time"

	"github.com/tillpost/tillpost/shared/money"
)

// Payment is a card payment whose batch may not be told: the till's own record, seen before the gateway's.
type Payment struct {
	ID       string
	Batch    string // "" = not told
	Merchant string
	Funds    Funds
	At       time.Time
	Amount   money.Amount // negative for a refund
}

// Close is what the gateway says of a closed batch.
type Close struct {
	Batch
	At    time.Time // when it was closed
	Since time.Time // when the one before it was
	Count int       // payments in it
}

// mostMissing is how many payments of one batch are looked for. More missing than this is a source that does not work.
const mostMissing = 6

// Compose finds the batch of payments that name none: those that lie between two closings and make up exactly what a batch lacks in count
// and in cents. Where several sets would, payments stay open. It returns payment → batch.
func Compose(closes []Close, payments []Payment) map[string]string {
	found := map[string]string{}
	have, count := map[string]int64{}, map[string]int{}
	var loose []Payment
	for _, p := range payments {
		if p.Batch == "" {
			loose = append(loose, p)
			continue
		}
		have[p.Batch] += p.Amount.Minor
		count[p.Batch]++
	}
	slices.SortFunc(loose, func(a, b Payment) int { return cmp.Compare(a.ID, b.ID) })
	for _, c := range closes {
		missing := c.Count - count[c.ID]
		if missing <= 0 || missing > mostMissing {
			continue
		}
		var near []Payment
		for _, p := range loose {
			if found[p.ID] == "" && p.Merchant == c.Merchant && p.Funds == c.Funds && p.At.After(c.Since) && !p.At.After(c.At) {
				near = append(near, p)
			}
		}
		if set, only := onlySet(near, missing, c.Amount.Minor-have[c.ID]); only {
			for _, p := range set {
				found[p.ID] = c.ID
			}
		}
	}
	return found
}

// mostSets bounds the search; a shop of a hundred loose payments between two closings is not settled by arithmetic.
const mostSets = 200_000

// onlySet finds the one set of n payments that comes to sum; only is false when there is none, or more than one.
func onlySet(near []Payment, n int, sum int64) (set []Payment, only bool) {
	var picked []Payment
	found, steps := 0, 0
	var walk func(from int, left int64)
	walk = func(from int, left int64) {
		if steps++; steps > mostSets || found > 1 {
			return
		}
		if len(picked) == n {
			if left == 0 {
				found++
				set = slices.Clone(picked)
			}
			return
		}
		for i := from; i < len(near); i++ {
			picked = append(picked, near[i])
			walk(i+1, left-near[i].Amount.Minor)
			picked = picked[:len(picked)-1]
		}
	}
	walk(0, sum)
	return set, found == 1 && steps <= mostSets
}
