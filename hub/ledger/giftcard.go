package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Broken is what of gift cards counts as never to be redeemed (T8, ASC 606): in proportion to what was redeemed in a month, redeemed × rate ÷ (100 − rate),
// rate in percent of what is sold. There is one for each location and month, on the month's last day; day is any day of it. Code invalid: a rate that is none.
func Broken(l retail.LocationCode, day retail.BusinessDate, redeemed money.Amount, rate decimal.Decimal) (Voucher, error) {
	hundred := decimal.NewFromInt(100)
	if !rate.IsPositive() || rate.GreaterThanOrEqual(hundred) {
		return Voucher{}, fault.Msg(fault.Invalid, "gift card breakage", fmt.Sprintf("a rate of %s percent is none: it is above 0 and below 100, in percent of what is sold", rate))
	}
	part, err := money.Round(redeemed.DecimalOf().Mul(rate).Div(hundred.Sub(rate)), redeemed.Currency)
	if err != nil {
		return Voucher{}, fault.New(fault.Invalid, "gift card breakage", err)
	}
	ps, err := Move(Account(GiftCard), Account(Breakage), part)
	return Voucher{Series: "breakage-" + string(day[:7]), Kind: ManualVoucher, Location: l, Day: monthEnd(day), Currency: part.Currency, Postings: ps,
		Text: fmt.Sprintf("gift card breakage of %s: %s redeemed × %s%% ÷ (100%% − %s%%)", day[:7], redeemed, rate, rate)}, err
}

// Escheated is an amount of unredeemed gift cards that a state is owed (T8): it leaves what is owed to customers. One for each location and day.
func Escheated(l retail.LocationCode, day retail.BusinessDate, amount money.Amount) (Voucher, error) {
	ps, err := Move(Account(GiftCard), Account(Unclaimed), amount)
	return Voucher{Series: "escheat-" + string(day), Kind: ManualVoucher, Location: l, Day: day, Currency: amount.Currency, Postings: ps, Text: "unredeemed gift cards owed to the state"}, err
}

// Holder is a location with the company in whose books it stands.
type Holder struct {
	Location retail.LocationCode
	Company  string
}

// Across is a gift card that one company sold and another took in payment (T10), in both companies' books: the seller owes the other instead of the
// customer, the other is owed by the seller instead of having a card's money. ref names the redemption for good. Code invalid: one company on both sides.
func Across(sold, took Holder, day retail.BusinessDate, amount money.Amount, tender, ref string) ([]Voucher, error) {
	if sold.Company == took.Company {
		return nil, fault.Msg(fault.Invalid, "gift card across companies", fmt.Sprintf("locations %s and %s are of one company: nothing is owed between them", sold.Location, took.Location))
	}
	owes, err := Move(Account(GiftCard), Of(DueTo, took.Company), amount)
	if err != nil {
		return nil, err
	}
	owed, err := Move(Of(DueFrom, sold.Company), Of(Tender, tender), amount)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(ref))
	series := "across-" + hex.EncodeToString(sum[:6])
	text := fmt.Sprintf("gift card of %s redeemed at %s, %s", sold.Location, took.Location, ref)
	return []Voucher{{Series: series, Kind: ManualVoucher, Location: sold.Location, Day: day, Currency: amount.Currency, Postings: owes, Text: text, From: []string{"redemption " + ref}},
		{Series: series, Kind: ManualVoucher, Location: took.Location, Day: day, Currency: amount.Currency, Postings: owed, Text: text, From: []string{"redemption " + ref}}}, nil
}

func monthEnd(d retail.BusinessDate) retail.BusinessDate {
	first := retail.BusinessDate(string(d[:7]) + "-01")
	return retail.BusinessDate(string(first.AddDays(31)[:7]) + "-01").AddDays(-1)
}
