package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// giftWait is how many days after a month's end its gift cards are booked: by then its tickets are here, and what comes later makes a document of the difference.
const giftWait = 3

// GiftPolicies lists what becomes of unredeemed gift cards, by pool and day.
func (s *Store) GiftPolicies(ctx context.Context) ([]ledger.GiftPolicy, error) {
	out, err := giftPolicies(ctx, s.read)
	return out, classify("read gift card policies", err)
}

func giftPolicies(ctx context.Context, q querier) (out []ledger.GiftPolicy, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var p ledger.GiftPolicy
		var rate string
		if err := r.Scan(&p.Location, &p.Company, &p.Since, &rate, &p.Dormancy, &p.Tender, &p.At); err != nil {
			return err
		}
		var err error
		p.Rate, err = decimal.NewFromString(rate)
		out = append(out, p)
		return err
	}, `SELECT location, company, since, rate, dormancy, tender, at FROM gift_policy ORDER BY company, location, since`)
	return out, err
}

// SetGiftPolicy makes a policy hold from its day on, audited; own is the company of locations that name none. Code invalid; conflict: the month of that day is booked, of its pool or of the one that a location
// belonged to: what is booked keeps its policy.
func (s *Store) SetGiftPolicy(ctx context.Context, p ledger.GiftPolicy, own, who, reason string) error {
	if err := p.Check(); err != nil {
		return err
	}
	if who == "" || strings.TrimSpace(reason) == "" {
		return fault.Msg(fault.Invalid, "gift card policy", "say why (--reason): whoever audits it will ask. Nothing was changed")
	}
	return s.InTx(ctx, func(tx *Tx) error {
		l := cmp.Or(p.Location, p.At)
		company, err := companyOf(ctx, tx, l, own)
		if err != nil {
			return err
		}
		if p.Location != "" {
			p.Company, p.At = "", ""
		} else if p.Company == own {
			p.Company = ""
		}
		if p.Location == "" && p.Company != company {
			return fault.Msg(fault.Invalid, "gift card policy", fmt.Sprintf("location %s is not of %s. Nothing was changed", l, p.GiftPool))
		}
		pools := []string{p.GiftPool.String(), ledger.GiftPool{Company: company}.String()}
		var was string
		if err := each(ctx, tx, func(r *sql.Rows) error {
			var series, body string
			var v ledger.Voucher
			if err := r.Scan(&series, &body); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(body), &v); err != nil {
				return err
			}
			if len(v.From) > 0 && slices.Contains(pools, strings.TrimPrefix(v.From[0], "gift cards of ")) {
				was = series
			}
			return nil
		}, `SELECT series, body FROM voucher WHERE kind = ? AND day >= ?`, string(ledger.GiftVoucher), string(p.Since)); err != nil {
			return err
		}
		if was != "" {
			return fault.Msg(fault.Conflict, "gift card policy", fmt.Sprintf("%s is booked by the policy in force until now: say a later day than that month's end. Nothing was changed", was))
		}
		old, err := giftPolicies(ctx, tx)
		if err != nil {
			return err
		}
		before := ""
		for _, o := range old {
			if o.GiftPool == p.GiftPool && o.Since <= p.Since {
				before = policyText(o)
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO gift_policy (location, company, since, rate, dormancy, tender, at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (location, company, since) DO UPDATE SET rate = excluded.rate, dormancy = excluded.dormancy, tender = excluded.tender, at = excluded.at`,
			string(p.Location), p.Company, string(p.Since), p.Rate.String(), p.Dormancy, p.Tender, string(p.At)); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "gift card policy", Who: who, What: "set", Reason: reason, Before: before, After: policyText(p)})
	})
}

// companyOf is the company of a confirmed location, "" = the settings' own. Code not_found.
func companyOf(ctx context.Context, q querier, l retail.LocationCode, own string) (company string, err error) {
	found := false
	err = each(ctx, q, func(r *sql.Rows) error { found = true; return r.Scan(&company) }, `SELECT company FROM location WHERE code = ? AND confirmed = 1`, string(l))
	if err == nil && !found {
		err = fault.Msg(fault.NotFound, "gift card policy", fmt.Sprintf("there is no confirmed location %q. Nothing was changed", l))
	}
	if company == own {
		company = ""
	}
	return company, err
}

func policyText(p ledger.GiftPolicy) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic("BUG: a gift card policy cannot be written: " + err.Error())
	}
	return string(b)
}

// CloseGiftCards books, by the policies, what becomes of gift cards in every month that was over three days ago: one voucher for each pool and month. What is booked
// already and still says the same stays, so that it may be asked at any time; tickets that came since make documents of the difference. own is the company
// of locations that name none. It tells how many vouchers were made or changed. Code invalid: a pool whose locations sell in several currencies.
func (s *Store) CloseGiftCards(ctx context.Context, own string) (made int, err error) {
	if at, err := s.Restored(ctx); err != nil || !at.IsZero() {
		return 0, err // what was booked since the backup is not known yet
	}
	cards, err := s.giftCards(ctx, own)
	if err != nil {
		return 0, classify("sum gift cards", err)
	}
	today, err := time.Parse(time.DateOnly, string(retail.DateOf(s.Now())))
	if err != nil {
		return 0, err
	}
	through := today.AddDate(0, 0, -giftWait)
	through = time.Date(through.Year(), through.Month(), 0, 0, 0, 0, 0, time.UTC) // the month before that day's
	var vs []ledger.Voucher
	for _, g := range cards {
		if g.Currency == "" {
			return 0, fault.Msg(fault.Invalid, "gift cards of "+g.Pool.String(), "its locations sell in several currencies, or there is none: give each location a policy of its own. Nothing was booked")
		}
		more, err := g.Close(through.Format("2006-01"))
		if err != nil {
			return 0, err
		}
		vs = append(vs, more...)
	}
	if len(vs) == 0 {
		return 0, nil
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		made = 0
		for _, v := range vs {
			changed, err := tx.putChanging(ctx, v)
			if err != nil {
				return err
			}
			if changed {
				made++
			}
		}
		return nil
	})
	return made, err
}

// giftCards reads what decides each pool's documents. Which pool a location is in is told by its policies, then by its company.
func (s *Store) giftCards(ctx context.Context, own string) ([]ledger.GiftCards, error) {
	ps, err := giftPolicies(ctx, s.read)
	if err != nil || len(ps) == 0 {
		return nil, err
	}
	pools := newGiftPools(ps)
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		var code retail.LocationCode
		var currency money.Currency
		var company string
		if err := r.Scan(&code, &currency, &company); err != nil {
			return err
		}
		if company == own {
			company = ""
		}
		pools.place(code, currency, company)
		return nil
	}, `SELECT code, currency, company FROM location WHERE confirmed = 1`); err != nil {
		return nil, err
	}
	if err := s.giftSums(ctx, pools.till); err != nil {
		return nil, err
	}
	if err := s.giftHand(ctx, pools.hand); err != nil {
		return nil, err
	}
	return pools.all(), nil
}

// giftSums tells what every location's tills sold of gift cards and took of every tender, by month.
func (s *Store) giftSums(ctx context.Context, tell func(retail.LocationCode, string, ledger.Account, int64)) error {
	return each(ctx, s.read, func(r *sql.Rows) error {
		var l retail.LocationCode
		var m string
		var a ledger.Account
		var minor int64
		if err := r.Scan(&l, &m, &a, &minor); err != nil {
			return err
		}
		tell(l, m, a, minor)
		return nil
	}, `SELECT location, substr(day, 1, 7), measure, sum(minor) FROM total WHERE measure = ? OR measure IN (SELECT ? || ':' || tender FROM gift_policy) GROUP BY 1, 2, 3`,
		string(ledger.GiftCard), string(ledger.Tender))
}

// giftHand tells every voucher that a person booked.
func (s *Store) giftHand(ctx context.Context, tell func(ledger.Voucher)) error {
	return each(ctx, s.read, func(r *sql.Rows) error {
		var body string
		var v ledger.Voucher
		if err := r.Scan(&body); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			return err
		}
		tell(v)
		return nil
	}, `SELECT body FROM voucher WHERE kind = ?`, string(ledger.ManualVoucher))
}
