// Package match finds which ticket a card payment belongs to: by the ids that till and gateway share where there are any, else by amount,
// time, last four digits and terminal. How sure it is stays with the result: nothing is posted on a match, and people see both. It is pure.
package match

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Confidence is how sure a match is.
type Confidence string

const (
	Certain Confidence = "certain" // one id on both sides
	Strong  Confidence = "strong"  // it could hardly be another
	Likely  Confidence = "likely"
	Weak    Confidence = "weak" // it fits, and so might another
)

// Tender is a card tender of a ticket.
type Tender struct {
	ID     int64 // ours
	Number string
	Key    string // the vendor's id of the ticket
	Till   retail.TillCode
	At     time.Time
	Void   bool // of a ticket that was cancelled
	retail.Tender
}

// Payment is a payment at the gateway.
type Payment struct {
	ID int64 // ours
	retail.Payment
}

// Pair is a payment with its tender.
type Pair struct {
	Payment, Tender int64
	Confidence      Confidence
	Why             string       // in words: what they share
	Difference      money.Amount // payment minus tender
}

// How far apart a ticket and its payment may be. A till prints the ticket after the card was approved, or before, when the terminal had to
// store the payment and the gateway saw it hours later.
const (
	before = 15 * time.Minute
	after  = 36 * time.Hour
	near   = 2 * time.Minute
	close  = 15 * time.Minute
)

// edge is a payment and a tender that could belong together.
type edge struct {
	p, t   int // indexes
	score  int
	apart  time.Duration
	why    string
	differ money.Amount
	byID   bool
}

// Match pairs payments with tenders of one location. Each is used once. The same input in any order gives the same pairs.
func Match(ps []Payment, ts []Tender) []Pair {
	ps, ts = slices.Clone(ps), slices.Clone(ts)
	slices.SortFunc(ps, func(a, b Payment) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(ts, func(a, b Tender) int { return cmp.Compare(a.ID, b.ID) })
	var edges []edge
	known := listed(ts)
	for i := range ps {
		for _, j := range known.fits(&ps[i]) {
			if e, ok := compare(&ps[i], &ts[j]); ok {
				e.p, e.t = i, j
				edges = append(edges, e)
			}
		}
	}
	slices.SortStableFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.apart, b.apart), cmp.Compare(a.p, b.p), cmp.Compare(a.t, b.t))
	})
	var out []Pair
	tookP, tookT := make([]bool, len(ps)), make([]bool, len(ts))
	for n, e := range edges {
		if tookP[e.p] || tookT[e.t] {
			continue
		}
		tookP[e.p], tookT[e.t] = true, true
		c, why := e.confidence(), e.why
		if alike := rivals(edges[n+1:], e, tookP, tookT); alike > 0 {
			c, why = c.less(), fmt.Sprintf("%s; %d more would fit as well", why, alike)
		}
		out = append(out, Pair{Payment: ps[e.p].ID, Tender: ts[e.t].ID, Confidence: c, Why: why, Difference: e.differ})
	}
	slices.SortFunc(out, func(a, b Pair) int { return cmp.Compare(a.Payment, b.Payment) })
	return out
}

// list finds tenders by what a payment must share with one: a day of a thousand of each is not compared pair by pair.
type list struct {
	byRef    map[string][]int
	byAmount map[int64][]int
}

func listed(ts []Tender) list {
	l := list{map[string][]int{}, map[int64][]int{}}
	for i, t := range ts {
		if t.Ref != "" {
			l.byRef[t.Ref] = append(l.byRef[t.Ref], i)
		}
		l.byAmount[t.Amount.Minor] = append(l.byAmount[t.Amount.Minor], i)
	}
	return l
}

func (l list) fits(p *Payment) []int {
	out := slices.Clone(l.byAmount[p.Amount.Minor])
	if !p.Tip.IsZero() {
		out = append(out, l.byAmount[p.Amount.Minor-p.Tip.Minor]...)
	}
	for _, id := range []string{p.Key.ID, p.Client, p.Reference} {
		if id != "" {
			out = append(out, l.byRef[id]...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rivals counts what fits as well as e and is free: edges stand in the order of their score.
func rivals(rest []edge, e edge, tookP, tookT []bool) (n int) {
	for _, r := range rest {
		if r.score < e.score || r.byID != e.byID {
			break
		}
		if r.p == e.p && !tookT[r.t] || r.t == e.t && !tookP[r.p] {
			n++
		}
	}
	return n
}

const (
	idScore     = 100
	ticketScore = 50
)

func (e edge) confidence() Confidence {
	switch {
	case e.byID:
		return Certain
	case e.score >= 6:
		return Strong
	case e.score >= 4:
		return Likely
	}
	return Weak
}

func (c Confidence) less() Confidence {
	switch c {
	case Certain:
		return Strong
	case Strong:
		return Likely
	}
	return Weak
}

// compare weighs a payment and a tender.
func compare(p *Payment, t *Tender) (e edge, ok bool) {
	d, err := p.Amount.Sub(t.Amount)
	if err != nil {
		return e, false
	}
	e.differ, e.apart = d, p.At.Sub(t.At).Abs()
	if name := sharedID(p, t); name != "" {
		e.byID, e.why, e.score = true, name, idScore
		if d.IsZero() {
			e.score++
		}
		return e, true
	}
	if !p.State.Moves() || t.Void || !t.At.IsZero() && p.At.IsZero() || !sameBrand(p.Brand, t.Brand, t.Type) || p.Last4 != "" && t.Last4 != "" && p.Last4 != t.Last4 {
		return e, false
	}
	return e, e.weigh(p, t)
}

// weigh scores what speaks for a pair without a common id.
func (e *edge) weigh(p *Payment, t *Tender) bool {
	var why []string
	say := func(points int, what string) { e.score += points; why = append(why, what) }
	if p.Ticket != "" && (p.Ticket == t.Number || p.Ticket == t.Key) {
		say(ticketScore, "the gateway names the ticket")
	}
	switch {
	case e.differ.IsZero():
		say(1, "amount")
	case !p.Tip.IsZero() && e.differ == p.Tip:
		say(0, "amount without the tip, which is not on the ticket")
	default:
		return false
	}
	if p.Last4 != "" && p.Last4 == t.Last4 {
		say(2, "last four digits")
	}
	if p.Auth != "" && p.Auth == t.Auth {
		say(2, "authorization code")
	}
	if p.Till != "" && t.Till != "" {
		if p.Till == t.Till {
			say(1, "till")
		} else {
			e.score--
		}
	}
	switch late := p.At.Sub(t.At); {
	case e.apart <= near:
		say(2, apart(e.apart))
	case e.apart <= close:
		say(1, apart(e.apart))
	case late > 0 && late <= after && e.score >= 3: // stored by the terminal, sent later
		say(0, apart(e.apart))
	case late < 0 && -late <= before:
		say(0, apart(e.apart))
	default:
		return false
	}
	e.why = strings.Join(why, ", ")
	return e.score >= 2
}

func apart(d time.Duration) string { return d.Round(time.Second).String() + " apart" }

// sharedID names the id that both sides carry.
func sharedID(p *Payment, t *Tender) string {
	switch t.Ref {
	case "":
		return ""
	case p.Key.ID:
		return "the gateway's number"
	case p.Client:
		return "the till's number of the payment"
	case p.Reference:
		return "the processor's reference"
	}
	return ""
}

// brands are the spellings of tills and gateways.
var brands = map[string]string{"visa": "visa", "mc": "mastercard", "mastercard": "mastercard", "master card": "mastercard", "amex": "amex", "american express": "amex",
	"disc": "discover", "discover": "discover", "jcb": "jcb", "diners": "diners"}

// sameBrand is false only when both sides name a brand and not the same one.
func sameBrand(gateway string, till ...string) bool {
	g := brands[strings.ToLower(gateway)]
	for _, s := range till {
		if b := brands[strings.ToLower(s)]; b != "" && g != "" {
			return b == g
		}
	}
	return true
}

// cards are words by which tills call a card tender that carries nothing else of a card.
var cards = []string{"visa", "mastercard", "master card", "amex", "american express", "discover", "jcb", "diners", "debit", "credit", "card"}

// IsCard reports whether a tender was paid by a card that a gateway would know. A gift card is the till's own.
func IsCard(t retail.Tender) bool {
	word := strings.ToLower(t.Type)
	if strings.Contains(word, "gift") {
		return false
	}
	return t.Last4 != "" || t.Auth != "" || t.Brand != "" || slices.ContainsFunc(cards, func(c string) bool { return strings.Contains(word, c) })
}
