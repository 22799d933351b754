package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/view"
	fake "github.com/tillpost/tillpost/test/fake/portico"
	"github.com/tillpost/tillpost/test/fake/till"
)

// bankSide is the stores' bank and processor: it pays batches out as processors do, takes cash bags, and knows the truth of each line. It
// shares nothing with the code that is to find that out again.
type bankSide struct {
	dice  *rand.Rand
	first time.Time
	lines [][]bankLine     // by account
	open  map[string]int64 // location → cents of batches that an open line pays, as judge finds them
	extra map[string]int64 // location → cents that cards were charged beyond what the tills hold
	lost  map[string]int64 // location → cents of batches whose money never came
	n     int
}

// bankLine is a movement with its truth.
type bankLine struct {
	key     string // its text holds it
	day     time.Time
	cents   int64
	text    string
	kind    string   // deposit fees dispute bag other
	batches []string // that it pays
	gross   int64    // of them
	days    []string // whose cash it is

	location string
}

func newBankSide(first time.Time) *bankSide {
	return &bankSide{dice: rand.New(rand.NewPCG(7, 11)), first: first, extra: map[string]int64{}, lost: map[string]int64{}, open: map[string]int64{}}
}

// next is the n-th banking day after a day. The month of the demo has one holiday at most: Columbus Day.
func next(day time.Time, n int) time.Time {
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday && !holiday(day) {
			n--
		}
	}
	return day
}

func holiday(d time.Time) bool {
	fixed := map[string]bool{"01-01": true, "06-19": true, "07-04": true, "11-11": true, "12-25": true}
	nth := (d.Day()-1)/7 + 1
	monday := d.Weekday() == time.Monday
	last := d.AddDate(0, 0, 7).Month() != d.Month()
	sunday := fixed[d.AddDate(0, 0, -1).Format("01-02")] && monday
	return fixed[d.Format("01-02")] || sunday || monday && (d.Month() == time.January && nth == 3 || d.Month() == time.February && nth == 3 || d.Month() == time.May && last ||
		d.Month() == time.September && nth == 1 || d.Month() == time.October && nth == 2) || d.Weekday() == time.Thursday && d.Month() == time.November && nth == 4
}

func (b *bankSide) add(account int, l bankLine) {
	b.n++
	l.key = fmt.Sprintf("R%06d", b.n)
	b.lines[account] = append(b.lines[account], l)
}

// store writes a store's month.
func (b *bankSide) store(i int, s *shop, truths []till.Truth) {
	b.lines = append(b.lines, nil)
	byDay := map[string][]fake.Batch{}
	for _, x := range s.gateway.Batches() {
		day := x.Closed.In(zoneOf(s)).AddDate(0, 0, -1).Format(time.DateOnly)
		byDay[day] = append(byDay[day], x)
	}
	sums := map[int64]map[bool]int64{} // batch → Amex? → cents
	for _, p := range s.gateway.Payments() {
		if p.Status != "A" && p.Status != "C" {
			continue
		}
		cents := p.Settle
		if p.Service == "CreditReturn" {
			cents = -cents
		}
		if sums[p.Batch] == nil {
			sums[p.Batch] = map[bool]int64{}
		}
		sums[p.Batch][p.Brand == "Amex"] += cents
		b.extra[s.Code] += cents
	}
	billed := int64(0)
	var bag []string
	var cash int64
	for day := b.first; day.Month() == b.first.Month(); day = day.AddDate(0, 0, 1) {
		name := day.Format(time.DateOnly)
		billed += b.payOut(i, s, day, byDay[name], sums)
		for _, t := range truths {
			if t.Location == s.Code && t.Day == name {
				cash, bag = cash+t.Measures["tender:cash"], append(bag, name)
				for own := range brands {
					b.extra[s.Code] -= t.Measures["tender:"+own]
				}
			}
		}
		if len(bag) == 1+i || day.AddDate(0, 0, 1).Month() != day.Month() { // one store goes each day, one every second, one every third
			b.add(i, bankLine{day: next(day, 1), cents: cash, text: "BRANCH CASH DEPOSIT " + s.Code, kind: "bag", days: bag})
			cash, bag = 0, nil
		}
	}
	if i != 1 { // not kept back each day: one bill
		b.add(i, bankLine{day: next(b.first.AddDate(0, 1, 1), 1), cents: -(billed*21/1000 + 4995), text: "HRTLAND PMT SYS TXNS/FEES " + merchantID(i), kind: "fees"})
	}
	if i == 0 {
		b.add(i, bankLine{day: next(b.first, 12), cents: -(8500 + 1500), text: "HRTLAND CHARGEBACK " + merchantID(i), kind: "dispute"})
		b.add(i, bankLine{day: next(b.first, 18), cents: 8500, text: "HRTLAND CHARGEBACK REVERSAL " + merchantID(i), kind: "dispute"})
	}
	b.add(i, bankLine{day: next(b.first, 10), cents: -250000, text: "RENT OCTOBER LANDLORD LLC", kind: "other"})
	slices.SortStableFunc(b.lines[i], func(x, y bankLine) int { return x.day.Compare(y.day) })
}

// payOut pays a day's batches out and returns their gross. One deposit of the second store never comes, one comes three days late.
func (b *bankSide) payOut(i int, s *shop, day time.Time, batches []fake.Batch, sums map[int64]map[bool]int64) (gross int64) {
	var cards, amex []string
	var cardCents, amexCents int64
	for _, x := range batches {
		if c, ok := sums[x.ID][false]; ok {
			cards, cardCents = append(cards, fmt.Sprint(x.ID)), cardCents+c
		}
		if c, ok := sums[x.ID][true]; ok && i == 2 {
			amex, amexCents = append(amex, fmt.Sprint(x.ID)+"/amex"), amexCents+c
		} else if ok {
			cardCents += c
			if id := fmt.Sprint(x.ID); !slices.Contains(cards, id) {
				cards = append(cards, id)
			}
		}
	}
	lag := 1
	if i == 1 && day.Day() == 14 {
		lag = 4
	}
	if i == 1 && day.Day() == 21 {
		b.lost[s.Code] += cardCents
		cards = nil
	}
	if len(cards) > 0 && cardCents != 0 {
		net := cardCents
		if i == 1 {
			net -= cardCents * int64(2300+b.dice.IntN(120)) / 100_000
		}
		b.add(i, bankLine{day: next(day, lag), cents: net, text: "HRTLAND PMT SYS TXNS/FEES " + merchantID(i), kind: "deposit", batches: cards, gross: cardCents, location: s.Code})
	}
	if len(amex) > 0 && amexCents != 0 {
		b.add(i, bankLine{day: next(day, 2), cents: amexCents - amexCents*289/10_000, text: "AMERICAN EXPRESS SETTLEMENT " + merchantID(i), kind: "deposit", batches: amex, gross: amexCents, location: s.Code})
	}
	return cardCents
}

func zoneOf(s *shop) *time.Location {
	z, err := time.LoadLocation(s.Zone)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return z
}

// find is the truth of a line that the hub knows by account, day, amount and text.
func (b *bankSide) find(l view.BankLine) *bankLine {
	for i := range b.lines {
		if l.Account != accountNumber(i) {
			continue
		}
		for j, x := range b.lines[i] {
			if x.day.Format(time.DateOnly) == string(l.Booked) && x.cents == l.Amount.Minor && strings.HasPrefix(l.Text, x.text) {
				return &b.lines[i][j]
			}
		}
	}
	return nil
}

// judge says what is wrong with where a line stands; "" = it is right.
func (b *bankSide) judge(l view.BankLine, v view.VoucherView) string {
	x := b.find(l)
	switch {
	case x == nil:
		return fmt.Sprintf("bank line %s of %s %q was never written", l.Key, l.Amount, l.Text)
	case x.kind == "other" && l.Voucher != "":
		return fmt.Sprintf("bank line %q stands in a voucher", l.Text)
	case x.kind == "other":
		return ""
	case l.Voucher == "" && l.Why == "more than one explanation fits": // left open on purpose: a question, and not wrong
		b.open[x.location] += x.gross
		return ""
	case l.Voucher == "":
		return fmt.Sprintf("bank line of %s, %s, %q stands in no voucher: %s", l.Booked, l.Amount, l.Text, l.Why)
	case string(v.Kind) != x.kind:
		return fmt.Sprintf("bank line of %s, %s, %q is a %s and stands in a %s", l.Booked, l.Amount, l.Text, x.kind, v.Kind)
	case !l.Cleared || l.Why != "":
		return fmt.Sprintf("bank line of %s, %s, %q is not reconciled in Odoo: %s", l.Booked, l.Amount, l.Text, l.Why)
	}
	var have []string
	for _, f := range v.From {
		if id, ok := strings.CutPrefix(f, "batch "); ok {
			have = append(have, id)
		}
	}
	slices.Sort(have)
	want := slices.Sorted(slices.Values(x.batches))
	if x.kind == "deposit" && !slices.Equal(have, want) {
		return fmt.Sprintf("bank line of %s, %s, %q pays batches %v and stands for %v", l.Booked, l.Amount, l.Text, want, have)
	}
	if x.kind == "bag" && v.Text != "cash of "+strings.Join(x.days, ", ") {
		return fmt.Sprintf("bank line of %s, %s, %q is the cash of %v and stands for %s", l.Booked, l.Amount, l.Text, x.days, v.Text)
	}
	return ""
}

// takings counts the lines that are a store's money.
func (b *bankSide) takings() (n int) {
	for _, ls := range b.lines {
		for _, l := range ls {
			if l.kind != "other" {
				n++
			}
		}
	}
	return n
}
