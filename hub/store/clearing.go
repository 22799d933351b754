package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Clearings tells what stands open on clearing accounts, by location and measure: payments out are taken from the oldest takings.
func (s *Store) Clearings(ctx context.Context, today retail.BusinessDate, banking func(retail.BusinessDate) bool) (out []view.Clearing, err error) {
	sums, err := s.clearing(ctx)
	if err != nil {
		return nil, classify("age clearing accounts", err)
	}
	set, err := rules(ctx, s.read)
	if err != nil {
		return nil, classify("read mapping", err)
	}
	for k, days := range sums {
		if paysItself(set, k, today) {
			continue
		}
		if c := aged(k, days); !c.Open.IsZero() {
			for d := c.Oldest; d != "" && d < today; d = d.AddDays(1) {
				if banking(d.AddDays(1)) {
					c.Days++
				}
			}
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b view.Clearing) int {
		return cmp.Or(cmp.Compare(a.Location, b.Location), cmp.Compare(a.Measure, b.Measure))
	})
	return out, nil
}

// paysItself tells a tender that nobody pays out: it stands where what customers hold or owe stands, as a redeemed gift card does.
func paysItself(set mapping.Set, k clearingKey, day retail.BusinessDate) bool {
	role, code := ledger.Account(k.measure).Split()
	at, ok := set.Find(role, code, k.location, day)
	for _, owed := range []ledger.Role{ledger.GiftCard, ledger.Deposit, ledger.House} {
		if to, known := set.Find(owed, "", k.location, day); ok && known && at.Account != "" && to.Account == at.Account {
			return true
		}
	}
	return false
}

// aged takes what was paid out from the oldest days and tells what is left.
func aged(k clearingKey, days map[retail.BusinessDate]int64) view.Clearing {
	currency := money.Currency(k.currency)
	c := view.Clearing{Location: k.location, Measure: ledger.Account(k.measure)}
	var order []retail.BusinessDate
	sum, out := int64(0), int64(0) // out: what left, beside what came in
	for d, n := range days {
		order = append(order, d)
		if sum += n; n < 0 {
			out -= n
		}
	}
	slices.Sort(order)
	c.Open = money.Of(sum, currency)
	c.PaidOut = out > 0
	if sum < 0 { // paid out, and never taken: a card that was charged for a voided ticket, or a ticket that never came
		for _, d := range slices.Backward(order) {
			if days[d] < 0 {
				c.Oldest = d
				return c
			}
		}
	}
	for _, d := range order {
		n := days[d]
		if n <= 0 {
			continue
		}
		paid := min(n, out)
		if out -= paid; n > paid {
			c.Oldest = retail.BusinessDate(cmp.Or(string(c.Oldest), string(d)))
			c.Parts = append(c.Parts, view.ClearingPart{Day: d, Amount: money.Of(n-paid, currency)})
		}
	}
	return c
}

// feeShare is what a deposit may lack of the takings that it pays, in thousandths: what is open beyond that is not explained by it.
const feeShare = 35

// AgeClearings keeps a case per location on whose clearing accounts old says that something stands for too long. What the open questions
// about its deposits name already is no question of its own.
func (s *Store) AgeClearings(ctx context.Context, all []view.Clearing, old func(view.Clearing) bool) error {
	return s.InTx(ctx, func(tx *Tx) error {
		named, err := tx.namedOpen(ctx)
		if err != nil {
			return err
		}
		by := map[retail.LocationCode]*cases.Case{}
		for _, c := range all {
			if !old(c) {
				continue
			}
			k := by[c.Location]
			if k == nil {
				n := cases.New(cases.ClearingAge, string(c.Location), tx.Now)
				k = &n
				k.Location, k.Day, k.Amount.Currency = c.Location, c.Oldest, c.Open.Currency
				by[c.Location] = k
			}
			k.Day = min(k.Day, c.Oldest)
			k.Amount.Minor += max(c.Open.Minor, -c.Open.Minor)
			what := "are open"
			if c.Open.Minor < 0 {
				what = "were paid out beyond what the tills took: a card charged for a voided ticket, or a ticket that never came,"
			}
			k.Detail += fmt.Sprintf("%s of %s %s since %s; ", c.Open, c.Measure, what, c.Oldest)
		}
		still := map[string]bool{}
		for _, l := range slices.Sorted(maps.Keys(by)) {
			k := by[l]
			if beyond := k.Amount.Minor - named[l]; beyond*1000 <= k.Amount.Minor*feeShare {
				continue
			}
			if err := tx.ask(ctx, *k); err != nil {
				return err
			}
			still[k.ID] = true
		}
		return tx.closeRest(ctx, cases.ClearingAge, still)
	})
}

// namedOpen sums what open questions about deposits say is on its way, by location.
func (tx *Tx) namedOpen(ctx context.Context) (map[retail.LocationCode]int64, error) {
	out := map[retail.LocationCode]int64{}
	return out, each(ctx, tx, func(r *sql.Rows) error {
		var body string
		if err := r.Scan(&body); err != nil {
			return err
		}
		c, err := readCase(body)
		if err != nil {
			return err
		}
		out[c.Location] += c.Amount.Minor
		return nil
	}, `SELECT body FROM kase WHERE cause IN (?, ?) AND state = 'open'`, string(cases.DepositMissing), string(cases.DepositOpen))
}

// closeRest closes the cases of a cause that are not among those that still are.
func (tx *Tx) closeRest(ctx context.Context, cause cases.Cause, still map[string]bool) error {
	var gone []string
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		if !still[id] {
			gone = append(gone, id)
		}
		return err
	}, `SELECT id FROM kase WHERE cause = ? AND state <> 'closed'`, string(cause)); err != nil {
		return err
	}
	for _, id := range gone {
		if err := tx.CloseCase(ctx, id, "hub", "the cause is gone"); err != nil {
			return err
		}
	}
	return nil
}

// clearing sums a measure's open amount by location and day: what the tills took less what vouchers paid. Only what is posted counts.
func (s *Store) clearing(ctx context.Context) (map[clearingKey]map[retail.BusinessDate]int64, error) {
	out := map[clearingKey]map[retail.BusinessDate]int64{}
	add := func(k clearingKey, day retail.BusinessDate, n int64) {
		if out[k] == nil {
			out[k] = map[retail.BusinessDate]int64{}
		}
		out[k][day] += n
	}
	err := each(ctx, s.read, func(r *sql.Rows) error {
		var k clearingKey
		var day retail.BusinessDate
		var minor int64
		err := r.Scan(&k.location, &day, &k.measure, &minor, &k.currency)
		add(k, day, minor)
		return err
	}, `SELECT t.location, t.day, t.measure, t.minor, t.currency FROM total t WHERE substr(t.measure, 1, 7) = 'tender:' AND EXISTS (SELECT 1 FROM document d WHERE d.location = t.location AND d.day = t.day AND d.own = 1)`)
	if err != nil {
		return nil, err
	}
	vs, err := s.Vouchers(ctx, view.VoucherFilter{})
	for _, v := range vs {
		for a, m := range v.Totals {
			if role, _ := a.Split(); role != ledger.Tender {
				continue
			}
			add(clearingKey{v.Location, string(a), string(m.Currency)}, v.Day, m.Minor)
		}
	}
	return out, err
}

type clearingKey struct {
	location retail.LocationCode
	measure  string
	currency string
}
