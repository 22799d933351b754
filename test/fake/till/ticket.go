package till

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// ticket is Tillpost's ticket JSON, spelled here anew so that a change of the product's spelling is noticed.
type ticket struct {
	ID       string   `json:"id"`
	Number   string   `json:"number"`
	Sequence int64    `json:"sequence"`
	Location string   `json:"location"`
	Till     string   `json:"till"`
	Cashier  string   `json:"cashier"`
	Day      string   `json:"business_day,omitempty"`
	At       string   `json:"at"`
	Kind     string   `json:"kind"`
	Currency string   `json:"currency"`
	Lines    []line   `json:"lines"`
	Tenders  []tender `json:"tenders"`
	Parent   string   `json:"parent,omitempty"`
	Customer string   `json:"customer,omitempty"`
	Revision int64    `json:"revision"`

	at time.Time
}

type line struct {
	Kind        string      `json:"kind"`
	Code        string      `json:"code,omitempty"`
	Category    string      `json:"category,omitempty"`
	Description string      `json:"description,omitempty"`
	Quantity    json.Number `json:"quantity,omitempty"`
	Amount      json.Number `json:"amount"`
	Reason      string      `json:"reason,omitempty"`
	Taxes       []string    `json:"taxes,omitempty"`
	cents       int64
}

type tender struct {
	Type   string      `json:"type"`
	Brand  string      `json:"brand,omitempty"`
	Amount json.Number `json:"amount"`
	Ref    string      `json:"ref,omitempty"`
	Last4  string      `json:"last4,omitempty"`
	Auth   string      `json:"auth,omitempty"`
	cents  int64
}

var goods = []struct {
	category string
	names    []string
	from, to int64 // cents
}{
	{"Apparel", []string{"Rain jacket, blue", "Wool socks", "Sun hat", "Fleece vest"}, 900, 18900},
	{"Footwear", []string{"Trail shoe", "Sandal", "Rubber boot"}, 2900, 15900},
	{"Camping", []string{"Tent peg set", "Lantern", "Camp stove", "Sleeping mat"}, 450, 24900},
	{"Books", []string{"Trail guide", "Star chart"}, 995, 3995},
	{"Food", []string{"Oat bar", "Dried mango", "Coffee, ground"}, 195, 1495},
}

var cards = []string{"visa", "mastercard", "amex", "debit"}

func (b *builder) fresh(at time.Time, kind string) *ticket {
	till := b.dice.IntN(b.Tills)
	b.seq[till]++
	b.n++
	t := &ticket{ID: fmt.Sprintf("%s-%06d", b.Code, b.n), Number: fmt.Sprintf("%d-%05d", till+1, b.seq[till]), Sequence: b.seq[till],
		Location: b.Code, Till: fmt.Sprintf("T%d", till+1), Cashier: fmt.Sprintf("c%d", 1+b.dice.IntN(6)), Kind: kind, Currency: "USD",
		Revision: 1, at: at.Add(b.skew[till])}
	t.At = t.at.Format(time.RFC3339)
	if b.TellsDay {
		t.Day = b.day
	}
	if b.dice.IntN(10) == 0 {
		t.Customer = fmt.Sprintf("C%05d", b.dice.IntN(5000))
	}
	return t
}

func (b *builder) sale(at time.Time) *ticket {
	t := b.fresh(at, "sale")
	for range 1 + b.dice.IntN(7) {
		g := goods[b.dice.IntN(len(goods))]
		qty := int64(1 + b.dice.IntN(3))
		price := g.from + b.dice.Int64N(g.to-g.from)
		name := g.names[b.dice.IntN(len(g.names))]
		t.Lines = append(t.Lines, line{Kind: "item", Code: fmt.Sprintf("%s-%03d", g.category[:2], len(name)*7), Category: g.category,
			Description: name, Quantity: json.Number(fmt.Sprint(qty)), cents: qty * price})
	}
	if b.dice.IntN(5) == 0 {
		t.Lines = append(t.Lines, line{Kind: "discount", Code: "SPRING10", Reason: "promotion", cents: -(sum(t.Lines) + 5) / 10})
	}
	b.tax(t)
	if b.dice.IntN(25) == 0 {
		t.Lines = append(t.Lines, line{Kind: "shipping", Description: "Ship to home", cents: 795})
	}
	if b.dice.IntN(12) == 0 {
		t.Lines = append(t.Lines, line{Kind: "fee", Code: "BAG", Description: "Bag fee", cents: 10})
	}
	return t
}

// tax is worked out per jurisdiction on the ticket's taxable sum, half up, as most tills do. A till that says what is taxed sells food that only the
// first jurisdiction taxes.
func (b *builder) tax(t *ticket) {
	if b.TellsTaxes {
		b.mark(t)
	}
	goods := t.Lines
	for _, j := range b.Taxes {
		base := int64(0)
		for _, l := range goods {
			if !b.TellsTaxes || slices.Contains(l.Taxes, j.Name) {
				base += l.cents
			}
		}
		c := base * j.Rate
		c = sign(c) * ((abs(c) + 50_000) / 100_000)
		if c != 0 {
			t.Lines = append(t.Lines, line{Kind: "tax", Code: j.Name, Description: j.Name, cents: c})
		}
	}
}

// mark says of each line which jurisdictions tax it; a discount is on what all of the ticket's goods have in common.
func (b *builder) mark(t *ticket) {
	food := slices.ContainsFunc(t.Lines, func(l line) bool { return l.Category == "Food" })
	for i, l := range t.Lines {
		t.Lines[i].Taxes = nil
		for n, j := range b.Taxes {
			if n == 0 || l.Kind == "item" && l.Category != "Food" || l.Kind == "discount" && !food {
				t.Lines[i].Taxes = append(t.Lines[i].Taxes, j.Name)
			}
		}
	}
}

// giveBack returns the first line of an earlier ticket; now and then something is bought on the same ticket.
func (b *builder) giveBack(at time.Time, of *ticket) *ticket {
	l := of.Lines[0]
	if of.Kind != "sale" || l.Kind != "item" {
		return b.sale(at)
	}
	t := b.fresh(at, "return")
	t.Parent = of.ID
	l.cents, l.Quantity, l.Reason = -l.cents, "-"+l.Quantity, "did not fit"
	t.Lines = append(t.Lines, l)
	if b.dice.IntN(3) == 0 {
		t.Kind = "exchange"
		t.Lines = append(t.Lines, line{Kind: "item", Code: "AP-119", Category: "Apparel", Description: "Wool socks", Quantity: "1", cents: 1450})
	}
	b.tax(t)
	return t
}

func (b *builder) giftCard(at time.Time) *ticket {
	t := b.fresh(at, "sale")
	t.Lines = append(t.Lines, line{Kind: "gift_card", Code: fmt.Sprintf("GC%07d", b.dice.IntN(1e7)), Description: "Gift card", Quantity: "1",
		cents: int64(1+b.dice.IntN(8)) * 2500})
	return t
}

func (t *ticket) round() {
	if sum(t.Lines) == 0 { // a till does not print a ticket over nothing
		t.Lines = append(t.Lines, line{Kind: "fee", Code: "BAG", Description: "Bag fee", cents: 10})
	}
}

func (b *builder) pay(t *ticket) {
	due := sum(t.Lines)
	add := func(kind string, cents int64) {
		p := tender{Type: kind, cents: cents}
		switch kind {
		case "visa", "mastercard", "amex", "debit":
			p.Brand, p.Last4 = kind, fmt.Sprintf("%04d", b.dice.IntN(10000))
			p.Ref, p.Auth = fmt.Sprintf("%d", 200000000+b.dice.IntN(1e8)), fmt.Sprintf("%06d", b.dice.IntN(1e6))
		case "gift_card":
			p.Ref = fmt.Sprintf("GC%07d", b.dice.IntN(1e7))
		}
		t.Tenders = append(t.Tenders, p)
	}
	card := cards[b.dice.IntN(len(cards))]
	switch roll := b.dice.IntN(100); {
	case due < 0 && roll < 50:
		add("cash", due)
	case due < 0:
		add(card, due)
	case roll < 35: // cash: a note and the change, as two rows
		note := (due + 1999) / 2000 * 2000
		add("cash", note)
		if note > due {
			add("cash", due-note)
		}
	case roll < 45 && due > 3000: // split
		part := 1000 + b.dice.Int64N(due-2000)
		add("cash", part)
		add(card, due-part)
	case roll < 50 && due > 2500:
		add("gift_card", 2500)
		add(card, due-2500)
	case roll < 55:
		add("ewallet", due)
	default:
		add(card, due)
	}
}

// card is the tender to which a tip may be added later.
func (t *ticket) card() *tender {
	for i, p := range t.Tenders {
		if p.Brand != "" && p.cents > 0 {
			return &t.Tenders[i]
		}
	}
	return nil
}

func sum(lines []line) (c int64) {
	for _, l := range lines {
		c += l.cents
	}
	return c
}

func abs(n int64) int64 { return n * sign(n) }

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}
