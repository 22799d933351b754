// Package till is a point of sale that behaves like one: a seeded stream of sales, returns, exchanges, splits, tips, gift cards, voids
// after the fact, tickets told twice or late, drawer events and facts about its terminals, and beside it the truth of what the books
// must say, added up here without any code of the product.
package till

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Store describes one location.
type Store struct {
	Code       string
	Name       string
	Zone       string // IANA name
	Cutoff     int    // hour of the wall clock at which a business day begins
	Tills      int
	Taxes      []Tax
	TellsTaxes bool // its tills say of each line which jurisdictions tax it
	TellsDay   bool // its tills send their own business day; else the hub works it out
	Tips       bool
}

// Tax is one jurisdiction's rate in thousandths of a percent: 4 % is 4000.
type Tax struct {
	Name string
	Rate int64
}

// Three are the demo's stores: one per time zone, with the number of jurisdictions that such a place really has.
var Three = []Store{
	{Code: "S-NY", Name: "New York, Broadway", Zone: "America/New_York", Cutoff: 4, Tills: 2, TellsDay: true, TellsTaxes: true,
		Taxes: []Tax{{"NY State", 4000}, {"NY City", 4500}, {"NY MCTD", 375}}},
	{Code: "S-CHI", Name: "Chicago, State St.", Zone: "America/Chicago", Cutoff: 4, Tills: 3, Tips: true, TellsTaxes: true,
		Taxes: []Tax{{"IL State", 6250}, {"Chicago", 1250}, {"Cook County", 1750}, {"RTA", 1000}}},
	{Code: "S-LA", Name: "Los Angeles, Melrose", Zone: "America/Los_Angeles", Cutoff: 3, Tills: 2,
		Taxes: []Tax{{"CA State", 6000}, {"LA County", 3500}}},
}

// Event is one thing that a till tells the agent.
type Event struct {
	At   time.Time
	Path string // of the agent's local API: "/v1/tickets", "/v1/drawer", …
	ID   string // the ticket's or event's id, for the log
	Body []byte // JSON
	Late bool   // told after the day was closed
}

// Truth is what the books must say of one location and business day. Measures are in cents: "item", "discount", "gift_card", "tip", …
// by line kind, "tax:NAME", "tender:NAME" (cash with what the drawer took in and out), "paid_in", "paid_out", "over", "short".
type Truth struct {
	Location string           `json:"location"`
	Day      string           `json:"day"`
	Tickets  int              `json:"tickets"` // tickets that count: voids are not
	Measures map[string]int64 `json:"measures"`
	Taxed    map[string]Taxed `json:"taxed,omitempty"` // by jurisdiction
}

// Taxed is a jurisdiction's tax in cents and what it is the tax of, sold and taken back apart. All are zero or more, but for goods that came back on a
// ticket that sold more: they lower the base of what is sold. A till that does not say what is taxed has no base.
type Taxed struct {
	Sold     int64 `json:"sold"`
	SoldBase int64 `json:"sold_base"`
	Back     int64 `json:"back"`
	BackBase int64 `json:"back_base"`
}

// Till makes a store's days. Not safe for concurrent use.
type Till struct {
	Store
	zone *time.Location
	dice *rand.Rand
	seq  []int64         // per till
	skew []time.Duration // of each till's clock, which is never right
	n    int
}

// New seeds a store. It panics when the zone is unknown: a test's own mistake.
func New(s Store, seed uint64) *Till {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		panic("BUG: till zone: " + err.Error())
	}
	t := &Till{Store: s, zone: zone, dice: rand.New(rand.NewPCG(seed, uint64(len(s.Code)))), seq: make([]int64, s.Tills), skew: make([]time.Duration, s.Tills)}
	for i := range t.skew {
		t.skew[i] = time.Duration(t.dice.IntN(181)-90) * time.Second
	}
	return t
}

// Day makes all events of a business day in the order in which they are told, and their truth. tickets is how many sales there are about.
func (s *Till) Day(day time.Time, tickets int) ([]Event, Truth) {
	b := &builder{Till: s, day: day.Format("2006-01-02"), truth: Truth{Location: s.Code, Day: day.Format("2006-01-02"), Measures: map[string]int64{}, Taxed: map[string]Taxed{}}}
	open := time.Date(day.Year(), day.Month(), day.Day(), 9, 0, 0, 0, s.zone)
	b.facts(open)
	for till := range s.Tills {
		b.drawer(open, till, "drawer_open", 20000, 0, "")
	}
	step := 15 * time.Hour / time.Duration(max(tickets, 1)) // 09:00 to midnight; the last ones slip past it, before the cutoff
	for i := range tickets {
		at := open.Add(time.Duration(i)*step + time.Duration(s.dice.IntN(int(step/time.Second)+1))*time.Second)
		if i == tickets-1 {
			at = time.Date(day.Year(), day.Month(), day.Day()+1, 0, 40, 0, 0, s.zone)
		}
		b.one(at)
	}
	b.cashMoves(open)
	b.counts(open.Add(16 * time.Hour))
	b.events = append(b.events, b.late...)
	b.readTo(time.Date(day.Year(), day.Month(), day.Day()+1, s.Cutoff, 0, 0, 0, s.zone))
	return b.events, b.truth
}

// builder collects one day.
type builder struct {
	*Till
	day    string
	events []Event
	late   []Event
	truth  Truth
	past   []*ticket // sales of today that may be returned, voided or tipped later
}

func (b *builder) one(at time.Time) {
	var t *ticket
	switch roll := b.dice.IntN(100); {
	case roll < 6 && len(b.past) > 0:
		t = b.giveBack(at, b.past[b.dice.IntN(len(b.past))])
	case roll < 9:
		t = b.giftCard(at)
	default:
		t = b.sale(at)
	}
	t.round()
	b.pay(t)
	b.count(t, 1)
	b.tell(t, b.dice.IntN(40) == 0)
	b.past = append(b.past, t)
	switch roll := b.dice.IntN(100); {
	case roll < 3: // the till tells it twice
		b.tell(t, false)
	case roll < 6: // voided after the fact
		b.count(t, -1)
		t.Kind, t.Revision = "void", t.Revision+1
		b.tell(t, false)
		b.past = b.past[:len(b.past)-1]
	case roll < 12 && b.Tips && t.card() != nil: // the tip is entered after the slip is signed
		b.count(t, -1)
		tip := int64(100 + b.dice.IntN(900))
		t.Lines = append(t.Lines, line{Kind: "tip", cents: tip})
		t.card().cents += tip
		t.Revision++
		b.count(t, 1)
		b.tell(t, false)
	}
}

// count adds a ticket to the truth, or takes it out again.
func (b *builder) count(t *ticket, sign int64) {
	b.truth.Tickets += int(sign)
	for _, l := range t.Lines {
		name := l.Kind
		if l.Kind == "tax" {
			name = "tax:" + l.Code
		}
		b.truth.Measures[name] += sign * l.cents
	}
	for _, p := range t.Tenders {
		b.truth.Measures["tender:"+p.Type] += sign * p.cents
	}
	for _, j := range b.Taxes {
		b.countTax(j.Name, t, sign)
	}
}

// countTax adds a jurisdiction's part of a ticket. Its base stands where its tax stands; where no cent of tax came out of it, each line where it is.
func (b *builder) countTax(name string, t *ticket, sign int64) {
	tax := int64(0)
	for _, l := range t.Lines {
		if l.Kind == "tax" && l.Code == name {
			tax += l.cents
		}
	}
	x := b.truth.Taxed[name]
	if tax > 0 {
		x.Sold += sign * tax
	} else {
		x.Back -= sign * tax
	}
	for _, l := range t.Lines {
		back := tax < 0 || tax == 0 && (l.Kind == "item" && l.cents < 0 || l.Kind == "discount" && l.cents > 0)
		switch {
		case !slices.Contains(l.Taxes, name):
		case back:
			x.BackBase -= sign * l.cents
		default:
			x.SoldBase += sign * l.cents
		}
	}
	b.truth.Taxed[name] = x
}

func (b *builder) tell(t *ticket, late bool) {
	for i := range t.Lines {
		t.Lines[i].Amount = text(t.Lines[i].cents)
	}
	for i := range t.Tenders {
		t.Tenders[i].Amount = text(t.Tenders[i].cents)
	}
	e := Event{At: t.at, Path: "/v1/tickets", ID: t.ID, Body: must(json.Marshal(t)), Late: late}
	if late {
		b.late = append(b.late, e)
		return
	}
	b.events = append(b.events, e)
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}

// text writes cents as decimal text.
func text(cents int64) json.Number {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return json.Number(fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100))
}
