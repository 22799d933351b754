package settle

import (
	"slices"

	"github.com/tillpost/tillpost/shared/money"
)

const (
	gain   = 10      // for each deposit and each batch that is explained
	margin = 3       // by how much an explanation must beat every other one to be the only good one
	most   = 300_000 // steps of one search; what needs more is left open
)

// solve asks twice. What the first round leaves over is little, so the second may believe any fee that the terms allow: where fees are
// billed at the month's end and a processor keeps one back all the same, nothing tells its rate.
func (q *question) solve(terms []Terms) {
	q.used, q.fees = map[[2]int]bool{}, map[payer]usual{}
	for _, q.last = range []bool{false, true} {
		q.edges, q.open = nil, map[[2]int]bool{}
		for _, t := range terms {
			q.of(t, Cards)
			q.of(t, Amex)
		}
		q.choose()
	}
}

// choose answers a round. Deposits and batches that share no edge have nothing to do with each other, so each connected part is answered
// alone. An edge stands when the best explanation without it is worse by more than margin: then it is in every good one.
func (q *question) choose() {
	for _, part := range q.parts() {
		best, chosen, done := q.search(part, -1)
		if !done {
			q.doubt(part)
			continue
		}
		for _, e := range chosen {
			without, _, done := q.search(part, e)
			if !done || best-without <= margin {
				q.doubt([]int{e})
				continue
			}
			q.taken = append(q.taken, q.edges[e])
			for _, item := range q.edges[e].items() {
				q.used[item] = true
			}
		}
	}
}

func (q *question) doubt(edges []int) {
	for _, e := range edges {
		for _, item := range q.edges[e].items() {
			q.open[item] = true
		}
	}
}

// parts groups edges that are connected by a deposit or a batch.
func (q *question) parts() (out [][]int) {
	group := make([]int, len(q.edges))
	byItem := map[[2]int][]int{}
	for i, e := range q.edges {
		group[i] = -1
		for _, item := range e.items() {
			byItem[item] = append(byItem[item], i)
		}
	}
	for i := range q.edges {
		if group[i] >= 0 {
			continue
		}
		part, todo := []int{}, []int{i}
		group[i] = len(out)
		for len(todo) > 0 {
			e := todo[0]
			todo, part = todo[1:], append(part, e)
			for _, item := range q.edges[e].items() {
				for _, next := range byItem[item] {
					if group[next] < 0 {
						group[next] = len(out)
						todo = append(todo, next)
					}
				}
			}
		}
		slices.Sort(part)
		out = append(out, part)
	}
	return out
}

func deposit(i int) [2]int { return [2]int{0, i} }
func batch(i int) [2]int   { return [2]int{1, i} }

// items names what an edge uses up.
func (e edge) items() (out [][2]int) {
	for _, d := range e.deposits {
		out = append(out, deposit(d))
	}
	for _, b := range e.batches {
		out = append(out, batch(b))
	}
	return out
}

// worth is what an explanation gains by an edge.
func (e edge) worth() int { return gain*(len(e.deposits)+len(e.batches)) - e.cost }

// search finds the best explanation of a part that does not use edge without (−1 = any), by branch and bound over its deposits: each is
// explained by one of its edges or by none. done is false when it took too long.
func (q *question) search(part []int, without int) (best int, chosen []int, done bool) {
	byDeposit, order := map[int][]int{}, []int{}
	for _, i := range part {
		d := q.edges[i].deposits[0]
		if byDeposit[d] == nil {
			order = append(order, d)
		}
		byDeposit[d] = append(byDeposit[d], i)
	}
	slices.Sort(order)
	bound := make([]int, len(order)+1) // what the deposits from here on can gain at most
	for i := len(order) - 1; i >= 0; i-- {
		top := 0
		for _, e := range byDeposit[order[i]] {
			top = max(top, q.edges[e].worth())
		}
		bound[i] = bound[i+1] + top
	}
	used, picked, steps := map[[2]int]bool{}, []int{}, 0
	var walk func(at, score int)
	walk = func(at, score int) {
		if steps++; steps > most || score+bound[at] <= best {
			return
		}
		if at == len(order) {
			best, chosen = score, slices.Clone(picked)
			return
		}
		for _, e := range byDeposit[order[at]] {
			items := q.edges[e].items()
			if e == without || slices.ContainsFunc(items, func(i [2]int) bool { return used[i] }) {
				continue
			}
			for _, i := range items {
				used[i] = true
			}
			picked = append(picked, e)
			walk(at+1, score+q.edges[e].worth())
			picked = picked[:len(picked)-1]
			for _, i := range items {
				delete(used, i)
			}
		}
		walk(at+1, score)
	}
	walk(0, 0)
	return best, chosen, steps <= most
}

// result words what stands and what is open. Nothing needs to be paid of a batch that comes to nothing.
func (q *question) result() (r Result) {
	for _, e := range q.taken {
		r.Matches = append(r.Matches, q.match(e))
	}
	for i, d := range q.deposits {
		if !q.used[deposit(i)] && !d.Amount.IsZero() {
			r.Open = append(r.Open, Open{Deposit: d.Key, Amount: d.Amount, Day: d.Booked, Why: q.why(deposit(i), WhyNoBatch)})
		}
	}
	for i, b := range q.batches {
		if !q.used[batch(i)] && !b.Amount.IsZero() {
			r.Open = append(r.Open, Open{Batch: b.ID, Amount: b.Amount, Day: b.Closed, Why: q.why(batch(i), WhyNoDeposit)})
		}
	}
	return r
}

func (q *question) why(item [2]int, otherwise string) string {
	if q.open[item] {
		return WhyAmbiguous
	}
	return otherwise
}

func (q *question) match(e edge) Match {
	c := q.deposits[e.deposits[0]].Amount.Currency
	m := Match{Gross: money.Of(0, c), Net: money.Of(0, c)}
	for _, d := range e.deposits {
		m.Deposits = append(m.Deposits, q.deposits[d].Key)
		m.Net.Minor += q.deposits[d].Amount.Minor
	}
	for _, b := range e.batches {
		m.Batches = append(m.Batches, q.batches[b].ID)
		m.Gross.Minor += q.batches[b].Amount.Minor
	}
	m.Fee = money.Of(m.Gross.Minor-m.Net.Minor, c)
	switch m.How = Single; {
	case len(m.Deposits) > 1:
		m.How = Split
	case len(m.Batches) > 1:
		m.How = Sum
	}
	return m
}
