package reconcile

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/settle"
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
