// Package settle finds which settlement batches a bank's deposit paid out. It is pure. It answers only what holds in every good explanation
// of the bank's lines: a match that could as well be another one is left open with its reason, for a person or for next week's lines.
//
// What makes it hard is real (finance.md, portico-upa.md §6): a deposit may cover several batches, a batch may come in two deposits, a
// processor keeps its discount back on some days or on all, Amex pays on its own, and money comes late or never.
package settle

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Funds says who pays a batch's money out: card brands that an acquirer settles itself come apart from the rest.
type Funds string

const (
	Cards Funds = "cards"
	Amex  Funds = "amex"
)

// Batch is one closed batch of one merchant id, as far as one payer pays it: its Amex payments are a Batch of their own where Amex pays.
type Batch struct {
	ID       string
	Merchant string
	Funds    Funds
	Closed   retail.BusinessDate // the processor's day in which it was handed in
	Amount   money.Amount        // sales less refunds
}

// Deposit is a line of the bank that may pay batches out.
type Deposit struct {
	Key      string
	Merchant string // as its text names it; "" = the account's, see Terms
	Account  string
	Funds    Funds // as its text says; "" = either
	Booked   retail.BusinessDate
	Amount   money.Amount
}

// Terms are what is agreed for a merchant id.
type Terms struct {
	Merchant string
	Account  string // where its money goes
	Net      bool   // Daily Netbilling: discount and interchange are kept back each day
	MostFee  int64  // basis points of the gross that can be kept back at most
	Lag      int    // banking days from closing to booking, as a rule
}

// Limits of one question.
const (
	maxLag     = 7  // banking days after which a deposit is missing and not late
	maxBatches = 4  // that one deposit covers
	reach      = 16 // batches that are looked at for a deposit
)

// Match is a deposit, or two that share a batch, with the batches they pay.
type Match struct {
	Deposits []string
	Batches  []string
	Gross    money.Amount // of the batches
	Net      money.Amount // of the deposits
	Fee      money.Amount // Gross − Net: what was kept back
	How      How
}

// How says by which rule a match was found. A fee that was kept back is in Fee.
type How string

const (
	Single How = "single" // one deposit, one batch
	Sum    How = "sum"    // one deposit, several batches
	Split  How = "split"  // two deposits, one batch
)

// Open is what found no match, and why.
type Open struct {
	Deposit string // one of the two is set
	Batch   string
	Amount  money.Amount
	Day     retail.BusinessDate
	Why     string
}

// Why something is open.
const (
	WhyAmbiguous = "more than one explanation fits"
	WhyNoBatch   = "no batches come to this amount"
	WhyNoDeposit = "no deposit pays this batch"
)

// Result is the answer for all lines.
type Result struct {
	Matches []Match
	Open    []Open
}

// Calendar tells banking days. Money moves on no others.
type Calendar func(retail.BusinessDate) bool

// maxMinor keeps every sum of a search far from the end of 64 bits.
const maxMinor = 1_000_000_000_000_000

// Pair answers for batches and deposits of any number of merchants, in one currency. The order of its input does not matter. Code invalid:
// mixed currencies, or an amount that no bank moves.
func Pair(batches []Batch, deposits []Deposit, terms []Terms, banking Calendar) (r Result, err error) {
	if err := check(batches, deposits); err != nil {
		return r, err
	}
	bs, ds := slices.Clone(batches), slices.Clone(deposits)
	slices.SortFunc(bs, func(a, b Batch) int { return cmp.Or(cmp.Compare(a.Closed, b.Closed), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(ds, func(a, b Deposit) int {
		return cmp.Or(cmp.Compare(a.Booked, b.Booked), cmp.Compare(a.Key, b.Key))
	})
	q := &question{batches: bs, deposits: ds, days: newDays(bs, ds, banking)}
	q.solve(terms)
	return q.result(), nil
}

func check(bs []Batch, ds []Deposit) error {
	var c money.Currency
	see := func(a money.Amount, what string) error {
		c = cmp.Or(c, a.Currency)
		if a.Currency != c || a.Minor > maxMinor || a.Minor < -maxMinor {
			return fault.Msg(fault.Invalid, "match deposits", fmt.Sprintf("%s of %s does not belong with amounts in %s", what, a, c))
		}
		return nil
	}
	for _, b := range bs {
		if err := see(b.Amount, "batch "+b.ID); err != nil {
			return err
		}
	}
	for _, d := range ds {
		if err := see(d.Amount, "deposit "+d.Key); err != nil {
			return err
		}
	}
	return nil
}
