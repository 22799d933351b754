package odoo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// asPayment is no move type: the record is an account.payment, whose entry Odoo makes when it is posted. partPayment begins the parts that are payments.
const (
	asPayment   = "payment"
	partPayment = "payment"
)

// isPayment tells by a part's name whether its id is a payment's.
func isPayment(part string) bool { return strings.HasPrefix(part, partPayment) }

// method is a payment method of a journal, one way, with the account on which it books.
type method struct {
	id, journal, account int64
	name                 string
	in                   bool // money comes in
}

// readMethods finds the payment methods, with the accounts of those that say where they book. A user who may not see them posts no payments.
func (ch *chart) readMethods(ctx context.Context, c *Client) error {
	got, err := c.search(ctx, "account.payment.method.line", []any{[]any{"journal_id.company_id", "=", ch.company}},
		[]string{"name", "journal_id", "payment_type", "payment_account_id"}, ch.in())
	if KindOf(err) == Rights {
		return nil
	}
	for _, m := range got {
		ch.methods = append(ch.methods, method{id(m["id"]), id(m["journal_id"]), id(m["payment_account_id"]), text(m["name"]), text(m["payment_type"]) == "inbound"})
	}
	return err
}

// payment makes a tender's record a payment in a journal, by the method that books on the tender's account. The error is a *lack.
func (ch *chart) payment(hub envelope.HubID, d rollup.Document, e entry, line int, code, name string) (entry, error) {
	j, ok := ch.journals[code]
	if !ok {
		return e, &lack{fmt.Sprintf("Odoo has no journal with the code %q, for payments of %s: run `hub odoo setup`", code, d.Lines[line].Measure)}
	}
	i := slices.IndexFunc(ch.methods, func(m method) bool {
		return m.journal == j.id && m.account == e.items[0].account && m.in == (e.items[0].minor > 0) && (name == "" || m.name == name)
	})
	if i < 0 {
		return e, &lack{fmt.Sprintf("journal %s has no payment method%s that books on account %s, on which %s stands: run `hub odoo setup`, or set that account there under its %s payments", code,
			strings.TrimSuffix(" "+strconv.Quote(name), ` ""`), d.Lines[line].Account, d.Lines[line].Measure, map[bool]string{true: "incoming", false: "outgoing"}[e.items[0].minor > 0])}
	}
	e.as, e.part, e.method, e.journal, e.mark = asPayment, fmt.Sprintf("%s%d", partPayment, line+1), ch.methods[i].id, j.id, ""
	if d.Settles { // no receipt beside it says whose it is
		d.Note = strings.TrimSpace(d.Note + " " + slipRef(d))
	}
	e.external, e.ref = ExternalID(hub, d.ID()+"/"+e.part), partRef(hub, d, e.part)
	return e, nil
}

// model is where a record stands.
func (e entry) model() string {
	if e.as == asPayment {
		return "account.payment"
	}
	return "account.move"
}

// memo is the field of a payment that becomes its entry's reference.
func (ch *chart) memo() string {
	if ch.version.Major < 18 {
		return "ref"
	}
	return "memo"
}

// way is which way a payment's money goes, in Odoo's word.
func (e entry) way() string {
	if e.items[0].minor < 0 {
		return "outbound"
	}
	return "inbound"
}

// paymentPayload makes the arguments of one load for several payments.
func (ch *chart) paymentPayload(entries []entry) []any {
	var table []any
	for _, e := range entries {
		n := func(id int64) string { return strconv.FormatInt(id, 10) }
		table = append(table, []any{e.external, e.way(), "customer", n(e.partner), money.Of(abs(e.items[0].minor), e.currency).Decimal(), string(e.date), n(e.journal), n(e.method), e.ref})
	}
	return []any{[]string{"id", "payment_type", "partner_type", "partner_id/.id", "amount", "date", "journal_id/.id", "payment_method_line_id/.id", ch.memo()}, table}
}

// partPayments parts records of the two models.
func partPayments(jobs []job) (moves, payments []job) {
	for _, j := range jobs {
		if j.entry.as == asPayment {
			payments = append(payments, j)
		} else {
			moves = append(moves, j)
		}
	}
	return moves, payments
}

// inBooks is the id of the entry in which a record stands in the books.
func (j job) inBooks() int64 {
	if j.entry.as == asPayment && j.seen != nil {
		return j.seen.move
	}
	return j.Move
}

// readPayments reads payments by id. A draft has no entry before it is posted, or one that Odoo still changes: it is compared by what it was given.
func (ch *chart) readPayments(ctx context.Context, c *Client, jobs []job) (out map[int64]*found, err error) {
	if out = map[int64]*found{}; len(jobs) == 0 {
		return out, nil
	}
	of := map[int64]entry{}
	var which []int64
	for _, j := range jobs {
		of[j.Move], which = j.entry, append(which, j.Move)
	}
	got, err := c.search(ctx, "account.payment", []any{[]any{"id", "in", which}},
		[]string{"state", "name", "move_id", "date", "amount", "payment_type", "partner_id", "journal_id", "payment_method_line_id", ch.memo()}, ch.in())
	if err != nil {
		return nil, err
	}
	var moves []int64
	for _, m := range got {
		if move := id(m["move_id"]); move != 0 && text(m["state"]) != "draft" {
			moves = append(moves, move)
		}
	}
	booked, err := ch.readBack(ctx, c, moves)
	for _, m := range got {
		n := id(m["id"])
		if f := booked[id(m["move_id"])]; f != nil {
			out[n] = f
			continue
		}
		out[n] = ch.drafted(of[n], m)
	}
	return out, err
}

// drafted is a payment that is not in the books: the items that it will have, if it is what was sent.
func (ch *chart) drafted(e entry, m map[string]any) *found {
	f := &found{move: id(m["move_id"]), state: text(m["state"]), name: text(m["name"]), date: retail.BusinessDate(text(m["date"])), ref: text(m[ch.memo()]), items: e.items}
	sum, err := Minor(m["amount"], ch.currency)
	if err != nil {
		f.bad = err.Error()
	}
	if text(m["payment_type"]) != e.way() || sum.Minor != abs(e.items[0].minor) || id(m["partner_id"]) != e.partner || id(m["journal_id"]) != e.journal || id(m["payment_method_line_id"]) != e.method {
		f.items = []item{{label: fmt.Sprintf("payment %s %s of partner id %d by method id %d in journal id %d", text(m["payment_type"]), sum.Decimal(), id(m["partner_id"]), id(m["payment_method_line_id"]), id(m["journal_id"])), minor: sum.Minor}}
	}
	return f
}

// seeNamed is see, and gives the items of posted payments their labels and analytic accounts: a payment takes none, and Odoo lets them be written at any
// time, since no amount is touched.
func (w *Writer) seeNamed(ctx context.Context, ch *chart, jobs []job) error {
	if err := w.see(ctx, ch, jobs); err != nil {
		return err
	}
	type mark struct{ label, analytic string }
	of, order := map[mark][]int64{}, []mark{}
	in := ch.in()
	in["tracking_disable"] = true
	for _, j := range jobs {
		if j.entry.as != asPayment || j.seen == nil || j.seen.state != "posted" || j.entry.amountsDiffer(j.seen) || len(j.entry.differences(j.seen)) == 0 {
			continue
		}
		if note := j.entry.note(); j.entry.first && note != "" { // there is no receipt that says it
			said := map[string]any{"narration": note}
			if j.entry.mark != "" {
				said[ExternalField] = j.entry.mark
			}
			if err := w.tell(ctx, "account.move", []int64{j.seen.move}, said, in); err != nil {
				return err
			}
		}
		m := mark{j.entry.items[0].label, j.entry.items[0].analytic}
		if of[m] == nil {
			order = append(order, m)
		}
		of[m] = append(of[m], j.seen.move)
	}
	if len(order) == 0 {
		return nil
	}
	for _, m := range order {
		items, err := w.client.search(ctx, "account.move.line", []any{[]any{"move_id", "in", of[m]}}, []string{"move_id"}, ch.in())
		if err != nil {
			return err
		}
		which := make([]int64, len(items))
		for i, r := range items {
			which[i] = id(r["id"])
		}
		if err := w.tell(ctx, "account.move.line", which, map[string]any{"name": m.label, "analytic_distribution": map[string]any{m.analytic: 100}}, in); err != nil {
			return err
		}
	}
	return w.see(ctx, ch, jobs)
}

// tell writes what moves no money on what is posted. A refusal is no error: what differs will be a case.
func (w *Writer) tell(ctx context.Context, model string, which []int64, values, in map[string]any) error {
	_, err := w.client.Call(ctx, model, "write", []any{which, values}, map[string]any{"context": in})
	if KindOf(err) == Refused || KindOf(err) == Broken {
		w.Log.WarnContext(ctx, "Odoo refuses labels, analytic accounts or notes on payments; what differs will be a case", "err", err)
		return nil
	}
	return err
}
