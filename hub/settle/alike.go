package settle

import (
	"strings"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Item is a movement as one side tells it: head office's list, or the bank's.
type Item struct {
	Key    string
	Day    retail.BusinessDate
	Amount money.Amount
	Text   string
}

// How two tellings of one movement may differ, and what each difference speaks against their being one, in points.
const (
	earliest  = -1   // days: the other side may tell it a day before
	latest    = 14   // or two weeks later
	mostApart = 1200 // basis points between the amounts
	sameCents = 40   // equal to the cent
	perDay    = 2    // each day beyond the first
	perText   = 4    // each letter in which the texts begin alike, and each word that stands in both
	clearly   = 12   // by how much a pair must beat every other pair of either side
)

// Alike pairs movements that two sides tell with other dates, cut texts and, by fees or exchange, other amounts. A pair stands only when it
// is clearly the best for both of its sides; all others stay open. It returns told → booked.
func Alike(told, booked []Item) map[string]string {
	type block struct {
		day    retail.BusinessDate
		letter byte
	}
	blocks := map[block][]int{}
	texts := make([]text, len(booked))
	for i, b := range booked {
		if texts[i] = textOf(b.Text); texts[i].all != "" {
			blocks[block{b.Day, texts[i].all[0]}] = append(blocks[block{b.Day, texts[i].all[0]}], i)
		}
	}
	mine, theirs := make([]rank, len(told)), make([]rank, len(booked))
	for i, x := range told {
		own := textOf(x.Text)
		for n := earliest; n <= latest && own.all != ""; n++ {
			for _, j := range blocks[block{x.Day.AddDays(n), own.all[0]}] {
				if points, ok := likeness(x, booked[j], own, texts[j], n); ok {
					mine[i].see(j, points)
					theirs[j].see(i, points)
				}
			}
		}
	}
	out := map[string]string{}
	for i := range told {
		if j := mine[i].who; mine[i].clear() && theirs[j].clear() && theirs[j].who == i {
			out[told[i].Key] = booked[j].Key
		}
	}
	return out
}

// rank keeps the best and the second best.
type rank struct {
	who          int
	best, second int
	seen         bool
}

func (r *rank) see(who, points int) {
	switch {
	case !r.seen:
		r.who, r.best, r.second, r.seen = who, points, points-1000, true
	case points > r.best:
		r.who, r.best, r.second = who, points, r.best
	case points > r.second:
		r.second = points
	}
}

func (r rank) clear() bool { return r.seen && r.best-r.second >= clearly }

// text is a text with its words.
type text struct {
	all   string
	words []string
}

func textOf(s string) text {
	s = strings.ToUpper(strings.Join(strings.Fields(s), " "))
	return text{s, strings.Fields(s)}
}

// likeness weighs two tellings; ok is false when they cannot be one.
func likeness(x, y Item, a, b text, days int) (points int, ok bool) {
	high, low := max(x.Amount.Minor, y.Amount.Minor), min(x.Amount.Minor, y.Amount.Minor)
	if x.Amount.Currency != y.Amount.Currency || low <= 0 || high > maxMinor || (high-low)*10_000/high > mostApart {
		return 0, false
	}
	if high == low {
		points = sameCents
	}
	points -= int((high - low) * 1000 / high)
	points -= perDay * max(days-1, 1-days, 0)
	for i := 0; i < min(len(a.all), len(b.all)) && a.all[i] == b.all[i]; i++ {
		points += perText
	}
	for _, w := range a.words[1:] {
		for _, v := range b.words[1:] {
			if w == v {
				points += perText * len(w) // a long common word, a reference, says more than a short one
				break
			}
		}
	}
	return points, true
}
