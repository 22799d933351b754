package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// result of one run. lost and doubled are of all tickets of the run.
type result struct {
	figures       []figure
	lost, doubled int
	took          time.Duration
}

// figure is one thing that was measured. limit is what the raw thing reached around it in the same run, 0 = there is none.
type figure struct {
	name  string
	value float64
	unit  string
	limit float64
	want  want
}

// want is what the figure, or its ratio to the limit, should reach.
type want struct {
	sign  string // "≥", "≤", "" = nothing is wanted, it explains another
	bound float64
	ratio bool
}

func atLeast(v float64) want  { return want{"≥", v, false} }
func atMost(v float64) want   { return want{"≤", v, false} }
func timesRaw(v float64) want { return want{"≥", v, true} }
func mostRaw(v float64) want  { return want{"≤", v, true} }

func (w want) text(unit string) string {
	switch {
	case w.sign == "":
		return ""
	case w.ratio:
		return fmt.Sprintf("%s %.2f × raw", w.sign, w.bound)
	}
	return w.sign + " " + number(w.bound) + unit
}

// verdict compares the median.
func (w want) verdict(value, ratio float64) string {
	if w.ratio {
		value = ratio
	}
	switch {
	case w.sign == "":
		return ""
	case w.sign == "≥" && value >= w.bound, w.sign == "≤" && value <= w.bound:
		return "reached"
	}
	return "MISSED"
}

func (r result) String() string {
	var parts []string
	for _, f := range r.figures {
		s := f.name + " " + number(f.value) + f.unit
		if f.limit > 0 {
			s += fmt.Sprintf(" (%.2f × %s)", f.value/f.limit, number(f.limit))
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ") + fmt.Sprintf(", lost %d, doubled %d", r.lost, r.doubled)
}

func number(v float64) string {
	switch {
	case v >= 10_000:
		n := fmt.Sprintf("%.0f", v)
		for i := len(n) - 3; i > 0; i -= 3 {
			n = n[:i] + "," + n[i:]
		}
		return n
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// spread is a median with its range.
type spread struct{ low, median, high float64 }

func spreadOf(v []float64) spread {
	slices.Sort(v)
	return spread{v[0], v[len(v)/2], v[len(v)-1]}
}

func (s spread) text(unit string) string {
	return fmt.Sprintf("%s%s (%s–%s)", number(s.median), unit, number(s.low), number(s.high))
}

// processor is the figure of what a drain takes of both cores.
const processor = "processor time, both ends and the broker"

// report prints every figure's median with its range, and its ratio's: what is wanted, what was reached, what was lost.
func report(w io.Writer, results map[string][]result) {
	const row = "%-46s %-15s %-32s %-10s %-20s %5s %8s  %s\n"
	fmt.Fprintf(w, "\nMedians of alternating runs (lowest–highest); a ratio is to the raw limit measured around the same run.\n\n")
	fmt.Fprintf(w, row, "figure", "wanted", "reached", "raw limit", "ratio", "lost", "doubled", "")
	for _, m := range measures {
		rs := results[m.name]
		if len(rs) == 0 {
			continue
		}
		lost, doubled := 0, 0
		for _, r := range rs {
			lost, doubled = lost+r.lost, doubled+r.doubled
		}
		fmt.Fprintf(w, "%s: %s (%d runs)\n", m.name, m.says, len(rs))
		for i, f := range rs[0].figures {
			var values, ratios, limits []float64
			for _, r := range rs {
				g := r.figures[i]
				values = append(values, g.value)
				if g.limit > 0 {
					ratios, limits = append(ratios, g.value/g.limit), append(limits, g.limit)
				}
			}
			v, limit, ratio := spreadOf(values), "", ""
			var q spread
			if len(ratios) > 0 {
				q = spreadOf(ratios)
				limit, ratio = number(spreadOf(limits).median), q.text(" ×")
			}
			fmt.Fprintf(w, row, "  "+f.name, f.want.text(f.unit), v.text(f.unit), limit, ratio, fmt.Sprint(lost), fmt.Sprint(doubled), f.want.verdict(v.median, q.median))
		}
	}
	shares(w, results)
}

// shares tells what posting costs: what ledger and store-days add to the processor time of a drain.
func shares(w io.Writer, results map[string][]result) {
	var cost []float64
	for _, name := range []string{"drain", "drain-ledger", "drain-books"} {
		var all []float64
		for _, r := range results[name] {
			for _, f := range r.figures {
				if f.name == processor {
					all = append(all, f.value)
				}
			}
		}
		if len(all) == 0 {
			return
		}
		cost = append(cost, spreadOf(all).median)
	}
	fmt.Fprintf(w, "\nOf the processor time of a ticket in a drain, %.0f µs: hub commit alone %.0f, ledger %.0f, store-day documents %.0f.\n", cost[2], cost[0], cost[1]-cost[0], cost[2]-cost[1])
}
