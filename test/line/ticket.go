package line

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

var base = time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)

var categories = []string{"Grocery", "Dairy", "Bakery", "Household", "Toys", "Apparel", "Garden", "Electronics"}

var adjectives = []string{"Organic", "Classic", "Large", "Small", "Fresh", "Frozen", "Blue", "Red", "Family", "Premium", "Light", "Double"}

var nouns = []string{"Milk", "Bread", "Towel", "Lamp", "Puzzle", "Shirt", "Planter", "Cable"}

// Ticket is the n-th of a fixed row of tickets: twelve lines of a catalogue of 3,000 articles, two taxes, two payments, a unique id, about
// 1.9 KB, balanced to the cent.
func Ticket(n int) []byte {
	dice := rand.New(rand.NewPCG(uint64(n), 7))
	var b strings.Builder
	at := base.Add(time.Duration(n) * time.Second)
	fmt.Fprintf(&b, `{"id":%q,"number":"%d","sequence":%d,"location":"S1","till":"T%d","cashier":"c%02d","business_day":"2026-11-20","at":%q,"kind":"sale","currency":"USD","lines":[`,
		Key(n), 100000+n, n/4+1, 1+n%4, dice.IntN(30), at.Format(time.RFC3339))
	sum := 0
	for range 12 {
		article, quantity := dice.IntN(3000), 1+dice.IntN(3)
		amount := quantity * (99 + article*7%4900)
		sum += amount
		fmt.Fprintf(&b, `{"kind":"item","code":"A%05d","category":%q,"description":"%s %s","quantity":"%d","amount":"%s"},`, 10000+article*13%90000,
			categories[article%8], adjectives[article%12], nouns[article/12%8], quantity, cents(amount))
	}
	for _, tax := range []struct {
		name string
		rate int
	}{{"NY State", 400}, {"NY City", 450}} {
		amount := sum * tax.rate / 10000
		fmt.Fprintf(&b, `{"kind":"tax","code":%q,"description":"%s %d.%02d%%","amount":"%s"},`, tax.name, tax.name, tax.rate/100, tax.rate%100, cents(amount))
	}
	sum += sum*400/10000 + sum*450/10000
	card := sum / 2
	s := strings.TrimSuffix(b.String(), ",")
	return fmt.Appendf(nil, `%s],"tenders":[{"type":"card","brand":"visa","amount":"%s","ref":"%012d","last4":"%04d","auth":"%06d"},{"type":"cash","amount":"%s"}]}`,
		s, cents(card), dice.Int64N(1e12), dice.IntN(10000), dice.IntN(1e6), cents(sum-card))
}

func cents(n int) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }
