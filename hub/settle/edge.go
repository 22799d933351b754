package settle

import (
	"slices"

	"github.com/tillpost/tillpost/shared/retail"
)

// question is one call's work: every way in which a deposit could pay batches is an edge; solve chooses among them.
type question struct {
	batches  []Batch
	deposits []Deposit
	days     days
	edges    []edge          // of this round
	taken    []edge          // of all rounds: they stand
	used     map[[2]int]bool // items of taken
	open     map[[2]int]bool // items of an explanation that is not the only one
	fees     map[payer]usual
	last     bool // round
}

// payer is one merchant's money of one payer.
type payer struct {
	merchant string
	funds    Funds
}

// edge is one way to explain some deposits by some batches.
type edge struct {
	deposits, batches []int
	cost              int // of believing it, beside the plainest
}

// days counts banking days from the first date of the question.
type days map[retail.BusinessDate]int

func newDays(bs []Batch, ds []Deposit, banking Calendar) days {
	var first, last retail.BusinessDate
	see := func(d retail.BusinessDate) {
		if first == "" || d < first {
			first = d
		}
		last = max(last, d)
	}
	for _, b := range bs {
		see(b.Closed)
	}
	for _, d := range ds {
		see(d.Booked)
	}
	out, n := days{}, 0
	for d := first; d != "" && d <= last; d = d.AddDays(1) {
		if banking(d) {
			n++
		}
		out[d] = n // a Sunday counts as the Friday before it: money handed in then goes with Monday's
	}
	return out
}

// lag is the banking days from closing to booking.
func (q *question) lag(b Batch, d Deposit) int { return q.days[d.Booked] - q.days[b.Closed] }

// of adds the edges of one merchant's money of one payer.
func (q *question) of(t Terms, f Funds) {
	var ds, bs []int
	for i, d := range q.deposits {
		if !q.used[deposit(i)] && (d.Merchant == t.Merchant || d.Merchant == "" && d.Account == t.Account) && (d.Funds == f || d.Funds == "") {
			ds = append(ds, i)
		}
	}
	for i, b := range q.batches {
		if !q.used[batch(i)] && !b.Amount.IsZero() && b.Merchant == t.Merchant && b.Funds == f {
			bs = append(bs, i)
		}
	}
	if !q.last {
		q.fees[payer{t.Merchant, f}] = q.usualFee(ds, bs, t)
	}
	u := q.fees[payer{t.Merchant, f}]
	if q.last && !u.known {
		u = usual{t.MostFee / 2, t.MostFee / 2, true}
	}
	for _, d := range ds {
		near := q.near(d, bs)
		q.edges = append(q.edges, q.exact(d, near, t)...)
		q.edges = append(q.edges, q.split(d, ds, near, t, u)...)
		q.edges = append(q.edges, q.net(d, near, t, u)...)
	}
}

// near are the batches that d could pay by their dates, the latest ones when there are too many. The first of several may be older than
// one alone: the last of them says when the money was due.
func (q *question) near(d int, bs []int) (out []int) {
	for _, b := range bs {
		if n := q.lag(q.batches[b], q.deposits[d]); n >= 0 && n < maxLag+maxBatches && q.batches[b].Closed <= q.deposits[d].Booked {
			out = append(out, b)
		}
	}
	return out[max(0, len(out)-reach):]
}

// exact are one batch, or up to maxBatches, that come to the deposit's amount to the cent.
func (q *question) exact(d int, near []int, t Terms) (out []edge) {
	want := q.deposits[d].Amount.Minor
	q.sums(near, func(set []int, sum int64) {
		if sum == want && q.due(d, set) {
			out = append(out, q.edge([]int{d}, set, t))
		}
	})
	return out
}

// due reports whether the last of a set was handed in late enough.
func (q *question) due(d int, set []int) bool {
	return q.lag(q.batches[set[len(set)-1]], q.deposits[d]) <= maxLag
}

// sums calls f with each set of at most maxBatches batches and its sum.
func (q *question) sums(near []int, f func(set []int, sum int64)) {
	var set []int
	var walk func(from int, sum int64)
	walk = func(from int, sum int64) {
		if len(set) > 0 {
			f(set, sum)
		}
		if len(set) == maxBatches {
			return
		}
		for i := from; i < len(near); i++ {
			set = append(set, near[i])
			walk(i+1, sum+q.batches[near[i]].Amount.Minor)
			set = set[:len(set)-1]
		}
	}
	walk(0, 0)
}

// splitApart is how many banking days two parts of a batch may lie apart.
const splitApart = 2

// split are two deposits that come to one batch, or to one less a fee. Each pair is found once, from its earlier deposit.
func (q *question) split(d int, ds, near []int, t Terms, u usual) (out []edge) {
	for _, e := range ds {
		if e <= d || q.deposits[d].Amount.Minor <= 0 || q.deposits[e].Amount.Minor <= 0 || q.days[q.deposits[e].Booked]-q.days[q.deposits[d].Booked] > splitApart {
			continue
		}
		got := q.deposits[d].Amount.Minor + q.deposits[e].Amount.Minor
		for _, b := range near {
			gross := q.batches[b].Amount.Minor
			if q.lag(q.batches[b], q.deposits[e]) > maxLag || gross != got && !u.believes(feePoints(gross, got)) {
				continue
			}
			out = append(out, q.edge([]int{d, e}, []int{b}, t))
		}
	}
	return out
}

// net are batches that come to a little more than the deposit: a fee was kept back. Several batches in one net deposit are believed only
// when they follow one another: with a fee between them, some batches always come to anything.
func (q *question) net(d int, near []int, t Terms, u usual) (out []edge) {
	got := q.deposits[d].Amount.Minor
	for from := range near {
		gross := int64(0)
		for to := from; to < min(from+maxBatches, len(near)); to++ {
			gross += q.batches[near[to]].Amount.Minor
			if points := feePoints(gross, got); points <= t.MostFee && u.believes(points) && q.due(d, near[from:to+1]) {
				out = append(out, q.edge([]int{d}, near[from:to+1], t))
			}
		}
	}
	return out
}

// feePoints is what was kept back, in basis points of the gross; 0 when nothing was.
func feePoints(gross, net int64) int64 {
	if gross <= 0 || net <= 0 || net >= gross {
		return 0
	}
	return (gross - net) * 10_000 / gross
}

// usual is a merchant's usual fee in basis points of the gross, and how far a day's may lie from it.
type usual struct {
	points, spread int64
	known          bool
}

// A day's fee differs with its mix of cards. How much is learned as well: so many times the median distance from the median, within bounds
// in basis points.
const (
	widths      = 4
	leastSpread = 15
	mostSpread  = 60
)

func (u usual) believes(points int64) bool {
	return u.known && points > 0 && points >= u.points-u.spread && points <= u.points+u.spread
}

// enough pairs make a usual fee.
const enough = 5

// usualFee is the median fee over the pairs of one batch and one deposit that lie as far apart as is the rule. Where fees are kept back each
// day most of them are true pairs, and a median does not care about the others.
func (q *question) usualFee(ds, bs []int, t Terms) usual {
	var all []int64
	for _, d := range ds {
		for _, b := range q.near(d, bs) {
			if n := feePoints(q.batches[b].Amount.Minor, q.deposits[d].Amount.Minor); n > 0 && n <= t.MostFee && q.lag(q.batches[b], q.deposits[d]) == t.Lag {
				all = append(all, n)
			}
		}
	}
	if !t.Net || len(all) < enough {
		return usual{}
	}
	middle := median(all)
	for i := range all {
		all[i] = max(all[i]-middle, middle-all[i])
	}
	return usual{middle, min(max(widths*median(all), leastSpread), mostSpread), true}
}

func median(n []int64) int64 {
	slices.Sort(n)
	return n[len(n)/2]
}

// What an explanation costs beside the plainest one, in units of gain. Sums and splits gain by each part they explain and are found by
// chance the more easily the more parts they have: where a fee may lie between, a further part gains next to nothing.
const (
	lateCost = 4 // later than is the rule; a day late is as likely as five
	soonCost = 8 // earlier than is the rule
	partCost = 2 // each batch or deposit beyond the first, to the cent
	netCost  = 9 // the same, with a fee between
	skipCost = 2 // each batch that lies between and is not in it
	oddCost  = 5 // a fee where none is usual, or none where one is
)

func (q *question) edge(ds, bs []int, t Terms) edge {
	e := edge{deposits: slices.Clone(ds), batches: slices.Clone(bs)}
	net := q.gross(bs) != q.paid(ds)
	e.cost = skipCost * q.skipped(bs)
	switch lag := q.lag(q.batches[bs[len(bs)-1]], q.deposits[ds[0]]); {
	case lag > t.Lag:
		e.cost += lateCost
	case lag < t.Lag:
		e.cost += soonCost
	}
	part := partCost
	if net || t.Net {
		part = netCost
	}
	e.cost += part * (len(ds) + len(bs) - 2)
	if net != t.Net {
		e.cost += oddCost
	}
	return e
}

func (q *question) gross(bs []int) (sum int64) {
	for _, b := range bs {
		sum += q.batches[b].Amount.Minor
	}
	return sum
}

func (q *question) paid(ds []int) (sum int64) {
	for _, d := range ds {
		sum += q.deposits[d].Amount.Minor
	}
	return sum
}

// skipped counts the batches of the same money that lie between those of bs.
func (q *question) skipped(bs []int) (n int) {
	first, last := bs[0], bs[len(bs)-1]
	for i := first; i <= last; i++ {
		if b := q.batches[i]; b.Merchant == q.batches[first].Merchant && b.Funds == q.batches[first].Funds && !slices.Contains(bs, i) {
			n++
		}
	}
	return n
}
