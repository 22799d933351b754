// Package bank is a merchant bank with a memory: it takes seeded card payments, closes them in batches, pays them out as processors really
// do, and writes the statement lines. It knows the truth about each. It shares nothing with the code that is to find it out again.
package bank

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"time"
)

// Payment is one card payment.
type Payment struct {
	ID       string
	Batch    string // the truth; Known says whether the gateway tells it
	Known    bool
	Merchant string
	Brand    string // visa, mastercard, discover, debit, amex
	Cents    int64
	At       time.Time
}

// Batch is one closed batch of a merchant, per payer.
type Batch struct {
	ID       string
	Merchant string
	Payer    string // "cards" or "amex"
	Day      string // YYYY-MM-DD
	Cents    int64
	Count    int
}

// Line is what stands on the statement.
type Line struct {
	Key   string
	Day   string
	Cents int64
	Text  string
}

// Merchant is one merchant id.
type Merchant struct {
	ID      string
	Account string
	Net     bool // the discount is kept back each day
	OwnAmex bool // Amex pays by itself
}

// World is everything with its truth.
type World struct {
	Merchants []Merchant
	Payments  []Payment
	Batches   []Batch
	Lines     map[string][]Line   // by account
	Paid      map[string][]string // line → the batches it pays, or has a part of
	Lost      map[string]bool     // batches whose money never came
	Backs     map[string]string   // chargeback line → payment
	Noise     map[string]int      // how much of what there is
}

// Options of a world.
type Options struct {
	Seed     uint64
	Deposits int  // about so many
	Netting  bool // merchants are on daily netbilling
}

// New makes a world.
func New(o Options) *World {
	m := &maker{dice: rand.New(rand.NewPCG(o.Seed, 77)), w: &World{Lines: map[string][]Line{}, Paid: map[string][]string{}, Lost: map[string]bool{}, Backs: map[string]string{}, Noise: map[string]int{}}}
	const shops = 4
	days := o.Deposits/shops + 3
	for i := range shops {
		m.w.Merchants = append(m.w.Merchants, Merchant{ID: fmt.Sprintf("6500000%08d", 10_000_019*(i+1)), Account: fmt.Sprintf("acct-%d", i/2), Net: o.Netting, OwnAmex: i%2 == 1})
	}
	for _, shop := range m.w.Merchants {
		m.trade(shop, days)
	}
	for a := range m.w.Lines {
		l := m.w.Lines[a]
		sort.Slice(l, func(i, j int) bool { return l[i].Day < l[j].Day || l[i].Day == l[j].Day && l[i].Key < l[j].Key })
	}
	return m.w
}

type maker struct {
	dice *rand.Rand
	w    *World
	n    int
}

// chance comes true so many times in a thousand.
func (m *maker) chance(thousandths int) bool { return m.dice.IntN(1000) < thousandths }

func (m *maker) id(kind string) string { m.n++; return fmt.Sprintf("%s%06d", kind, m.n) }

// prices are what a shop's shelf labels say: many payments of a day are of the same amount.
var prices = []int64{499, 999, 1299, 1499, 1999, 2499, 2999, 3999, 4999, 7999}

// trade runs one shop: its days, its batches, and what its bank then shows.
func (m *maker) trade(shop Merchant, days int) {
	day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	var cards, amex []Batch
	for range days {
		for day.Weekday() == time.Sunday { // closed
			day = day.AddDate(0, 0, 1)
		}
		c, x := m.batch(shop, "cards", day), m.batch(shop, "amex", day)
		count := 16 + m.dice.IntN(9)
		for range count {
			p := m.payment(shop, day)
			if p.Brand == "amex" && shop.OwnAmex {
				m.put(&x, p)
			} else {
				m.put(&c, p)
			}
		}
		cards = append(cards, c)
		if x.Count > 0 {
			amex = append(amex, x)
		}
		day = day.AddDate(0, 0, 1)
	}
	m.w.Batches = append(append(m.w.Batches, cards...), amex...)
	m.pay(shop, cards)
	m.pay(shop, amex)
	m.backs(shop)
	m.bills(shop, days)
}

func (m *maker) batch(shop Merchant, payer string, day time.Time) Batch {
	return Batch{ID: m.id("B"), Merchant: shop.ID, Payer: payer, Day: day.Format(time.DateOnly)}
}

func (m *maker) payment(shop Merchant, day time.Time) Payment {
	brands := []string{"visa", "visa", "visa", "mastercard", "mastercard", "debit", "discover", "amex"}
	p := Payment{ID: m.id("P"), Merchant: shop.ID, Brand: brands[m.dice.IntN(len(brands))], At: day.Add(9*time.Hour + time.Duration(m.dice.IntN(12*3600))*time.Second), Known: !m.chance(40)}
	if m.chance(450) {
		p.Cents = prices[m.dice.IntN(len(prices))] * 108875 / 100000
	} else {
		p.Cents = 300 + m.dice.Int64N(15_000)
	}
	if m.chance(30) {
		p.Cents = -p.Cents // a refund
	}
	return p
}

func (m *maker) put(b *Batch, p Payment) {
	p.Batch = b.ID
	b.Cents += p.Cents
	b.Count++
	m.w.Payments = append(m.w.Payments, p)
}

// bankDay is the n-th banking day after day: money moves from Monday to Friday, and not on the holidays below.
func bankDay(day time.Time, n int) time.Time {
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if Open(day.Format(time.DateOnly)) {
			n--
		}
	}
	return day
}

var holidays = map[string]bool{"2026-01-19": true, "2026-02-16": true, "2026-05-25": true, "2026-06-19": true, "2026-07-03": true}

// Open tells a banking day.
func Open(day string) bool {
	t, err := time.Parse(time.DateOnly, day)
	return err == nil && t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && !holidays[day]
}

// pay pays batches out, with all that goes wrong on the way.
func (m *maker) pay(shop Merchant, batches []Batch) {
	for i := 0; i < len(batches); {
		group := batches[i : i+1]
		if m.chance(100) && i+1 < len(batches) {
			group = batches[i:min(i+2+m.dice.IntN(3), len(batches))]
			m.w.Noise["several batches"]++
		}
		i += len(group)
		m.w.Noise["deposits"]++
		if m.chance(10) {
			m.w.Noise["missing"]++
			for _, b := range group {
				m.w.Lost[b.ID] = true
			}
			continue
		}
		wait := 1
		if m.chance(30) {
			wait += 1 + m.dice.IntN(5)
			m.w.Noise["late"]++
		}
		sum, last := int64(0), group[len(group)-1]
		for _, b := range group {
			sum += b.Cents
		}
		closed, _ := time.Parse(time.DateOnly, last.Day)
		m.book(shop, group, bankDay(closed, wait), m.kept(shop, sum, last.Payer))
	}
}

// kept is what arrives of a sum: the discount may be kept back.
func (m *maker) kept(shop Merchant, sum int64, payer string) int64 {
	if sum <= 0 || !shop.Net && !m.chance(50) { // nothing is earned on what is given back
		return sum
	}
	m.w.Noise["net"]++
	millionths := 19_500 + m.dice.Int64N(5_000) // the mix of cards differs by day
	if payer == "amex" {
		millionths = 24_500 + m.dice.Int64N(3_000)
	}
	return sum - (sum*millionths+500_000)/1_000_000
}

func (m *maker) book(shop Merchant, group []Batch, day time.Time, cents int64) {
	parts := []int64{cents}
	if len(group) == 1 && m.chance(50) && cents > 2000 {
		m.w.Noise["split"]++
		first := cents/3 + m.dice.Int64N(cents/3)
		parts = []int64{first, cents - first}
	}
	for n, c := range parts {
		if c == 0 {
			continue // no bank books it
		}
		l := Line{Key: m.id("L"), Day: bankDay(day.AddDate(0, 0, -1), 1).Format(time.DateOnly), Cents: c, Text: m.text(shop, group[0].Payer)}
		if n == 1 && m.chance(500) {
			l.Day = bankDay(day, 1).Format(time.DateOnly)
		}
		m.w.Lines[shop.Account] = append(m.w.Lines[shop.Account], l)
		for _, b := range group {
			m.w.Paid[l.Key] = append(m.w.Paid[l.Key], b.ID)
		}
	}
}

// text is a descriptor as one of many banks would print it.
func (m *maker) text(shop Merchant, payer string) string {
	tail := shop.ID[len(shop.ID)-10:]
	if payer == "amex" {
		return "AMERICAN EXPRESS SETTLEMENT " + shop.ID
	}
	forms := []string{"HRTLAND PMT SYS TXNS/FEES " + shop.ID, "HRTLAND PMT SYST TXNS " + shop.ID, "Corporate ACH Txns/Fees | Hrtland Pmt Sys " + shop.ID, "HRTI-AND PMT SYS/TXNS " + tail,
		"BANKCARD MTOT DEP " + shop.ID, "MERCHANT BNKCD DES:DEPOSIT ID:" + shop.ID + " INDN:SHOP CO ID:99 CCD"}
	return forms[m.dice.IntN(len(forms))]
}

// backs are payments that were taken back, with a fee of their own.
func (m *maker) backs(shop Merchant) {
	for _, p := range m.w.Payments {
		if p.Merchant != shop.ID || p.Cents <= 0 || !m.chance(1) {
			continue
		}
		m.w.Noise["chargebacks"]++
		l := Line{Key: m.id("L"), Day: bankDay(p.At, 12+m.dice.IntN(20)).Format(time.DateOnly), Cents: -p.Cents, Text: "HRTLAND PMT SYS CHARGEBACK " + shop.ID}
		m.w.Lines[shop.Account] = append(m.w.Lines[shop.Account], l)
		m.w.Backs[l.Key] = p.ID
	}
}

// bills are the month's fees, the rent and what else goes through an account.
func (m *maker) bills(shop Merchant, days int) {
	for month := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC); month.Before(time.Date(2026, 1, 5+days, 0, 0, 0, 0, time.UTC)); month = month.AddDate(0, 1, 0) {
		for _, l := range []Line{{Cents: -int64(20_000 + m.dice.IntN(60_000)), Text: "HRTLAND PMT SYS TXNS/FEES " + shop.ID}, {Cents: -250_000, Text: "RENT MAIN ST LLC"}, {Cents: 120_000 + m.dice.Int64N(9999), Text: "WIRE IN FROM HEAD OFFICE"}} {
			l.Key, l.Day = m.id("L"), bankDay(month, 2).Format(time.DateOnly)
			m.w.Lines[shop.Account] = append(m.w.Lines[shop.Account], l)
		}
	}
}
