package odoo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// found is what Odoo says an entry is.
type found struct {
	move  int64
	state string // "draft", "posted", "cancel"
	name  string // the number Odoo gave: "TPOS/2026/11/0001"
	date  retail.BusinessDate
	ref   string
	items []item
	bad   string // an amount that is none, "" = all are
}

// readBack reads entries with their items by id, in one call: an item carries its entry's state, number, date and reference. An id that is
// not in the result does not exist in Odoo any more.
func (ch *chart) readBack(ctx context.Context, c *Client, moves []int64) (map[int64]*found, error) {
	out := map[int64]*found{}
	for part := range slices.Chunk(moves, lookMost) {
		got, err := c.search(ctx, "account.move.line", []any{[]any{"move_id", "in", part}}, append([]string{"move_id", "parent_state", "move_name", "date", "ref",
			"account_id", "name", "balance", "analytic_distribution", "tax_repartition_line_id", "tax_ids", "tax_tag_ids", "tax_base_amount"}, ch.inverts()...), ch.in())
		if err != nil {
			return nil, err
		}
		for _, m := range got {
			ch.collect(out, m)
		}
	}
	return out, ch.readBare(ctx, c, moves, out)
}

func (ch *chart) collect(out map[int64]*found, m map[string]any) {
	n := id(m["move_id"])
	f := out[n]
	if f == nil {
		f = &found{move: n, state: text(m["parent_state"]), name: text(m["move_name"]), date: retail.BusinessDate(text(m["date"])), ref: text(m["ref"])}
		out[n] = f
	}
	sum, err := Minor(m["balance"], ch.currency)
	if err != nil {
		f.bad = err.Error() // that entry differs; the others of the call are read
	}
	i := item{account: id(m["account_id"]), label: text(m["name"]), minor: sum.Minor, analytic: distribution(m["analytic_distribution"]), repartition: id(m["tax_repartition_line_id"])}
	if i.levied, err = ch.leviedFrom(m); err != nil {
		f.bad = err.Error()
	}
	f.items = append(f.items, i)
}

// readBare tells an entry whose items were all removed from one that is gone.
func (ch *chart) readBare(ctx context.Context, c *Client, moves []int64, out map[int64]*found) error {
	var missing []int64
	for _, n := range moves {
		if out[n] == nil {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	got, err := c.search(ctx, "account.move", []any{[]any{"id", "in", missing}}, []string{"state", "name", "date", "ref"}, ch.in())
	for _, m := range got {
		n := id(m["id"])
		out[n] = &found{move: n, state: text(m["state"]), name: text(m["name"]), date: retail.BusinessDate(text(m["date"])), ref: text(m["ref"])}
	}
	return err
}

// distribution writes {"7": 100.0} as "7", {"9,7": 100.0} as "7,9", and anything else in full.
func distribution(v any) string {
	m, _ := v.(map[string]any)
	var parts []string
	for k, share := range m {
		k = inOrder(k)
		f, _ := share.(float64)
		if n, ok := share.(int64); ok {
			f = float64(n)
		}
		if math.Abs(f-100) > 1e-9 {
			k += "=" + strconv.FormatFloat(f, 'f', -1, 64)
		}
		parts = append(parts, k)
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

// differences compares what was to be with what is, item by item; at most a handful are worded.
func (e entry) differences(f *found) (out []string) {
	left := map[item]int{}
	for _, i := range e.items {
		left[e.alike(e.said(i))]++
	}
	extra := map[item]int{}
	for _, i := range f.items {
		i = e.alike(e.said(i))
		if left[i] > 0 {
			left[i]--
		} else {
			extra[i]++
		}
	}
	say := func(sign string, items map[item]int) {
		for i, n := range items {
			if n > 0 {
				out = append(out, fmt.Sprintf("%s %s %s on account id %d, analytic %q, tax line %d%s", sign, i.label, money.Of(i.minor, e.currency), i.account, i.analytic, i.repartition, i.levied))
			}
		}
	}
	say("sent, not in Odoo:", left)
	say("in Odoo, not sent:", extra)
	if f.bad != "" {
		out = append(out, f.bad)
	}
	slices.Sort(out)
	return out
}

// amountsDiffer is the coarser question asked of entries that were verified before: accountants may relabel a line, not change its money.
func (e entry) amountsDiffer(f *found) bool {
	if f.bad != "" {
		return true
	}
	sums := map[int64]int64{}
	for _, i := range e.items {
		sums[i.account] += i.minor
	}
	for _, i := range f.items {
		sums[i.account] -= i.minor
	}
	for _, n := range sums {
		if n != 0 {
			return true
		}
	}
	return false
}
