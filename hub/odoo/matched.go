package odoo

import (
	"context"

	"github.com/tillpost/tillpost/hub/rollup"
)

// Matched tells which lines of a posted document are matched with others in Odoo, whole or in part: what a person must not lose by a
// counter-entry. move and parts are its records in Odoo; what a receipt is owed is none of its lines. company is Odoo's id of the one in which the entry stands, 0 = the connection's own.
func Matched(ctx context.Context, c *Client, d rollup.Document, company, move int64, parts map[string]int64) (out []rollup.Line, err error) {
	in := map[string]any{}
	if company != 0 {
		in["allowed_company_ids"] = []int64{company}
	}
	moves, payments := []int64{move}, []int64{}
	for name, n := range parts {
		if isPayment(name) {
			payments = append(payments, n)
		} else {
			moves = append(moves, n)
		}
	}
	items, err := c.search(ctx, "account.move.line", []any{"|", []any{"move_id", "in", moves}, []any{"payment_id", "in", payments}}, []string{"name", "balance", "matching_number"}, in)
	if err != nil {
		return nil, err
	}
	left := append([]rollup.Line{}, d.Lines...)
	for _, m := range items {
		if text(m["matching_number"]) == "" {
			continue
		}
		for i, l := range left {
			sum, merr := Minor(m["balance"], d.Currency)
			if l.Account == rollup.OnCustomer {
				continue
			}
			if merr == nil && sum == l.Amount && (text(m["name"]) == label(l.Label) || text(m["name"]) == label(string(l.Measure))) {
				out, left = append(out, l), append(left[:i], left[i+1:]...)
				break
			}
		}
	}
	return out, nil
}
