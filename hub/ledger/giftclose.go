package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// GiftPool is whose gift cards are looked at as one: a company's, since a card sold in one of its stores is redeemed in another, or one location's. Of both
// names the location counts; the company's pool is all its locations that have no policy of their own. Company "" is the settings' own.
type GiftPool struct {
	Company  string              `json:"company,omitempty"`
	Location retail.LocationCode `json:"location,omitempty"`
}

// String names a pool for people, and for good: documents tell by it whose they are.
func (p GiftPool) String() string {
	switch {
	case p.Location != "":
		return "location " + string(p.Location)
	case p.Company != "":
		return "company " + p.Company
	}
	return "the settings' own company"
}

// GiftPolicy is what becomes of a pool's unredeemed gift cards from a day on (T8): breakage where the law leaves them to the store, escheat where a state is owed
// them, never both. Neither = from that day on nothing. A month goes by the policy of its last day; the accounts are the mapping's.
type GiftPolicy struct {
	GiftPool
	Since    retail.BusinessDate `json:"since"`
	Rate     decimal.Decimal     `json:"rate"`     // percent of what is sold that is never redeemed, 0 = no breakage
	Dormancy int                 `json:"dormancy"` // months after its sale that a card is the state's, 0 = no escheat
	Tender   string              `json:"tender"`   // the tills' tender for gift cards
	At       retail.LocationCode `json:"at"`       // whose documents a company's are; a location's are its own
}

// Check says what is wrong with a policy. Code invalid.
func (p GiftPolicy) Check() error {
	bad := func(why string) error {
		return fault.Msg(fault.Invalid, "gift card policy", why+". Nothing was changed")
	}
	switch {
	case !p.Since.Valid():
		return bad("say from which day it holds, like 2027-01-01")
	case p.Tender == "":
		return bad("say which tender of the tills is the gift card")
	case p.Rate.IsNegative() || p.Rate.GreaterThanOrEqual(decimal.NewFromInt(100)):
		return bad(fmt.Sprintf("a rate of %s percent is none: it is above 0 and below 100, in percent of what is sold", p.Rate))
	case p.Dormancy < 0 || p.Dormancy > 600:
		return bad(fmt.Sprintf("%d months without a purchase is no dormancy: states say 36 to 60", p.Dormancy))
	case p.Rate.IsPositive() && p.Dormancy > 0:
		return bad("breakage is income only where no state is owed the cards: say a rate or a dormancy")
	case p.Location == "" && p.At == "":
		return bad("say at which location's day a company's documents stand")
	}
	return nil
}

// GiftMonth is what a pool's tills did with gift cards in a month, in minor units.
type GiftMonth struct {
	Month    string // "2026-11"
	Sold     int64  // sold and loaded
	Redeemed int64  // taken in payment, less what was given back onto cards
	Hand     int64  // booked by persons: breakage of the month, escheat on its days
	Broken   int64  // of Hand, the breakage
}

// GiftCards is all that decides a pool's documents.
type GiftCards struct {
	Pool     GiftPool
	Policies []GiftPolicy // the pool's, in any order
	Months   []GiftMonth  // from the first sale on, in any order
	Currency money.Currency
}

// Close says what the pool's monthly documents are, of each month from its first policy up to a month: one voucher for breakage or escheat, named for good by
// its month. It is pure, so that asking again says the same, and after late tickets what it is since. A month for which there is nothing is a voucher without
// postings; what persons booked is taken off. How old a card is no till tells: those sold first count as redeemed first, so never more goes to a state
// than is surely that old. Code invalid.
func (g GiftCards) Close(through string) ([]Voucher, error) {
	ps := slices.SortedFunc(slices.Values(g.Policies), func(a, b GiftPolicy) int { return cmp.Compare(a.Since, b.Since) })
	ms := slices.SortedFunc(slices.Values(g.Months), func(a, b GiftMonth) int { return strings.Compare(a.Month, b.Month) })
	if len(ps) == 0 {
		return nil, nil
	}
	var out []Voucher
	var gone int64 // left the liability in earlier months, by these documents
	for m := string(ps[0].Since[:7]); m <= through; m = monthAfter(m, 1) {
		p, ok := policyOn(ps, monthEnd(retail.BusinessDate(m+"-01")))
		if !ok {
			continue
		}
		now, upTo := GiftMonth{Month: m}, GiftMonth{}
		for _, one := range ms {
			if one.Month == m {
				now = one
			}
			if one.Month <= m {
				upTo.Redeemed += one.Redeemed
				upTo.Hand += one.Hand
			}
			if p.Dormancy > 0 && monthAfter(one.Month, p.Dormancy) <= m {
				upTo.Sold += one.Sold
			}
		}
		v, err := g.month(p, now, upTo, gone)
		if err != nil {
			return nil, err
		}
		for _, post := range v.Postings {
			if post.Debit == Account(GiftCard) {
				gone += post.Amount.Minor
			}
		}
		if v.Series != "" {
			out = append(out, v)
		}
	}
	return out, nil
}

func (g GiftCards) month(p GiftPolicy, now, upTo GiftMonth, gone int64) (v Voucher, err error) {
	v = Voucher{Kind: GiftVoucher, Location: cmp.Or(g.Pool.Location, p.At), Day: monthEnd(retail.BusinessDate(now.Month + "-01")), Currency: g.Currency,
		From: []string{"gift cards of " + g.Pool.String(), "policy from " + string(p.Since)}}
	debit, credit, minor := Account(GiftCard), Account(Breakage), int64(0)
	switch {
	case p.Rate.IsPositive():
		whole, err := Broken(v.Location, v.Day, money.Of(max(0, now.Redeemed), g.Currency), p.Rate)
		if err != nil && now.Redeemed > 0 {
			return v, err
		}
		for _, part := range whole.Postings {
			minor = part.Amount.Minor
		}
		minor -= now.Broken
		v.Series = "giftcards-breakage-" + now.Month
		v.Text = fmt.Sprintf("gift card breakage of %s, %s: %s redeemed × %s%% ÷ (100%% − %s%%)", now.Month, g.Pool, money.Of(now.Redeemed, g.Currency), p.Rate, p.Rate) + byHand(now.Broken, g.Currency)
	case p.Dormancy > 0:
		credit = Account(Unclaimed)
		minor = upTo.Sold - max(0, upTo.Redeemed) - upTo.Hand - gone
		v.Series = "giftcards-escheat-" + now.Month
		v.Text = fmt.Sprintf("gift cards owed to the state at the end of %s, %s: %s sold at least %d months ago, %s redeemed and %s booked away since", now.Month, g.Pool,
			money.Of(upTo.Sold, g.Currency), p.Dormancy, money.Of(upTo.Redeemed, g.Currency), money.Of(upTo.Hand+gone, g.Currency))
	}
	if minor > 0 {
		v.Postings, err = Move(debit, credit, money.Of(minor, g.Currency))
	}
	return v, err
}

func byHand(minor int64, c money.Currency) string {
	if minor == 0 {
		return ""
	}
	return fmt.Sprintf(", less %s that was booked by hand", money.Of(minor, c))
}

// policyOn is the policy in force on a day; ok is false before the first.
func policyOn(sorted []GiftPolicy, d retail.BusinessDate) (p GiftPolicy, ok bool) {
	for _, one := range sorted {
		if one.Since <= d {
			p, ok = one, true
		}
	}
	return p, ok
}

// monthAfter is n months after a month; what is no month stays as it is.
func monthAfter(m string, n int) string {
	t, err := time.Parse("2006-01", m)
	if err != nil {
		return m
	}
	return t.AddDate(0, n, 0).Format("2006-01")
}
