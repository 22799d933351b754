package odoo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tillpost/tillpost/hub/plan"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// customer is a partner on whose account a receipt stands until it is paid.
type customer struct{ id, receivable int64 }

// WalkInRef is the reference by which the walk-in customer of a location is known in Odoo. Setup makes one; head office may give the reference
// to another customer instead.
func WalkInRef(l retail.LocationCode) string { return plan.WalkIn(l) }

// customerKey is the name under which a document's own customer is kept, "" = it names none. The vendor's id is unique within the customer's account
// at the vendor and its system, which stand in the ticket's key.
func customerKey(d rollup.Document) string {
	if d.Slip == nil || d.Slip.Customer == "" {
		return ""
	}
	tenant, rest, _ := strings.Cut(d.Slip.Key, "|")
	system, _, _ := strings.Cut(rest, "|")
	return "customer/" + tenant + "|" + system + "|" + d.Slip.Customer
}

// customerOf is whom a document's receipt is for.
func (ch *chart) customerOf(d rollup.Document) (customer, error) {
	ref := WalkInRef(d.Key.Location)
	if n := customerKey(d); n != "" {
		if c, ok := ch.named.Load(n); ok {
			ref = n
			if c := c.(customer); c.receivable != 0 {
				return c, nil
			}
			return customer{}, &lack{fmt.Sprintf("the customer %s has no receivable account in Odoo: give it one there", d.Slip.Customer)}
		}
	}
	c, ok := ch.customers[ref]
	switch {
	case !ok:
		return c, &lack{fmt.Sprintf("Odoo has no walk-in customer with the reference %q: run `hub odoo setup`", ref)}
	case c.receivable == 0:
		return c, &lack{fmt.Sprintf("the customer with the reference %q has no receivable account in Odoo: give it one there", ref)}
	}
	return c, nil
}

// recall is the chart with the partners that posted documents have, by what stands in Odoo: who only looks makes none.
func (ch *chart) recall(ctx context.Context, c *Client, ts []Task) (*chart, error) {
	of := map[int64]string{} // moves → customers' keys
	var moves, partners []int64
	for _, t := range ts {
		n := customerKey(t.Document)
		if _, known := ch.named.Load(n); n != "" && !known && t.Move != 0 {
			of[t.Move], moves = n, append(moves, t.Move)
		}
	}
	if len(moves) == 0 {
		return ch, nil
	}
	got, err := c.search(ctx, "account.move", []any{[]any{"id", "in", moves}}, []string{"partner_id"}, ch.in())
	if err != nil {
		return ch, err
	}
	for _, m := range got {
		if p := id(m["partner_id"]); p != 0 && !slices.Contains(partners, p) {
			partners = append(partners, p)
		}
	}
	accounts, err := c.receivables(ctx, ch, partners)
	if err != nil {
		return ch, err
	}
	own := *ch
	own.named = &sync.Map{}
	ch.named.Range(func(k, v any) bool { own.named.Store(k, v); return true })
	for _, m := range got {
		p := id(m["partner_id"])
		own.named.Store(of[id(m["id"])], customer{p, accounts[p]})
	}
	return &own, nil
}

// receivables are the accounts on which partners owe.
func (c *Client) receivables(ctx context.Context, ch *chart, partners []int64) (map[int64]int64, error) {
	got, err := c.read(ctx, "res.partner", partners, []string{"property_account_receivable_id"}, ch.in())
	out := map[int64]int64{}
	for _, m := range got {
		out[id(m["id"])] = id(m["property_account_receivable_id"])
	}
	return out, err
}

// meet finds or makes the partners whom documents name, in one call, under external ids of their own: tills tell only the vendor's id of them. A
// person may give them name and address in Odoo; nothing of it is changed again.
func (ch *chart) meet(ctx context.Context, c *Client, hub envelope.HubID, ts []Task) error {
	var keys []string
	var rows []any
	for _, t := range ts {
		n := customerKey(t.Document)
		if n == "" {
			continue
		}
		if _, known := ch.named.LoadOrStore(n, customer{}); known {
			continue
		}
		id := label(t.Document.Slip.Customer)
		row := []any{ExternalID(hub, n), "Customer " + id, id, fmt.Sprint(ch.company)}
		if ch.marks["res.partner"] {
			row = append(row, id)
		}
		keys, rows = append(keys, n), append(rows, row)
	}
	if len(keys) == 0 {
		return nil
	}
	ok := false
	defer func() {
		for _, k := range keys {
			if !ok {
				ch.named.Delete(k)
			}
		}
	}()
	head := []string{"id", "name", "ref", "company_id/.id"}
	if ch.marks["res.partner"] {
		head = append(head, ExternalField)
	}
	in := ch.in()
	in["mode"], in["noupdate"], in["tracking_disable"] = "update", true, true
	got, err := c.Call(ctx, "res.partner", "load", []any{head, rows}, map[string]any{"context": in})
	if err != nil {
		return err
	}
	m, _ := got.(map[string]any)
	made := ids(m["ids"])
	if len(made) != len(keys) {
		words := messages(m["messages"])
		if transient(words) {
			return &Error{Kind: Busy, Text: words}
		}
		return &Error{Kind: Refused, Text: oneLine(words)}
	}
	accounts, err := c.receivables(ctx, ch, made)
	if err != nil {
		return err
	}
	for i, k := range keys {
		ch.named.Store(k, customer{made[i], accounts[made[i]]})
	}
	ok = true
	return nil
}
