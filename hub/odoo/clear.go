package odoo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// BankLine is a movement at the bank that a verified voucher explains: in Odoo its other side leaves the bank's suspense account, and is
// matched with the voucher's entries.
type BankLine struct {
	Key     string // names it for good
	Journal string // code of the bank journal
	Make    bool   // make the statement line when nobody has brought it
	Booked  retail.BusinessDate
	Amount  money.Amount
	Text    string
	ID      int64   // Odoo's, 0 = not known
	Account string  // account code on which the voucher expects the money
	Moves   []int64 // the voucher's entries
	Home    int64   // Odoo's id of the company in which they stand
}

// Cleared is what became of one.
type Cleared struct {
	Key  string
	ID   int64
	Done bool
	Why  string // why not yet, or what was found instead
}

// BankLines is where they come from. Each method is one transaction.
type BankLines interface {
	// ToClear returns lines whose vouchers are verified and that are not cleared yet, the oldest first.
	ToClear(ctx context.Context, most int) ([]BankLine, error)
	// PutCleared stores what became of them.
	PutCleared(ctx context.Context, out []Cleared) error
}

// clearChunk is how many bank lines are read at once.
const clearChunk = 50

// Clear brings bank lines on in Odoo; n is how many were cleared. Every step may be repeated: a line is loaded under its external id, an
// account is written to what it is, and what is matched already is seen before it is matched.
func (w *Writer) Clear(ctx context.Context, from BankLines) (n int, err error) {
	lines, err := from.ToClear(ctx, clearChunk)
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	defer func() { w.Met(err) }()
	out := make([]Cleared, len(lines))
	for i, l := range lines {
		out[i] = Cleared{Key: l.Key, ID: l.ID}
		var ch *chart
		if ch, err = w.charts.get(ctx, books{id: l.Home}, false); err == nil {
			err = w.clear(ctx, ch, l, &out[i])
		}
		if err != nil && (KindOf(err) == Refused || KindOf(err) == Broken) {
			out[i].Why, err = err.Error(), nil // this line alone
		}
		if err != nil {
			out = out[:i]
			break
		}
		if out[i].Done {
			n++
		}
	}
	if perr := from.PutCleared(ctx, out); perr != nil {
		return n, outboxError{perr}
	}
	return n, err
}

func (w *Writer) clear(ctx context.Context, ch *chart, l BankLine, out *Cleared) (err error) {
	j, ok := ch.journals[l.Journal]
	if !ok || j.kind != "bank" {
		out.Why = fmt.Sprintf("Odoo has no bank journal with the code %q", l.Journal)
		return nil
	}
	account, ok := ch.accounts[l.Account]
	switch {
	case !ok || account.dead:
		out.Why = fmt.Sprintf("Odoo has no account %q in use", l.Account)
		return nil
	case !account.open:
		out.Why = fmt.Sprintf("items of account %s cannot be reconciled: allow it there, or run `hub odoo setup`", l.Account)
		return nil
	}
	if out.ID == 0 {
		if out.ID, out.Why, err = w.statementLine(ctx, ch, j, l); err != nil || out.Why != "" {
			return err
		}
	}
	if out.ID == 0 {
		out.Why = "its line is not in Odoo's bank journal yet"
		return nil
	}
	return w.match(ctx, ch, j, account, l, out)
}

// statementLine finds the line that the bank's feed or a person brought: of the same day and amount, not explained yet, and the only one;
// else makes it, where the settings say so and its day is open: Odoo would date it today without a word. 0 = there is none; why says what
// keeps it from being made.
func (w *Writer) statementLine(ctx context.Context, ch *chart, j journal, l BankLine) (found int64, why string, err error) {
	got, err := w.client.search(ctx, "account.bank.statement.line", []any{[]any{"journal_id", "=", j.id}, []any{"is_reconciled", "=", false}},
		[]string{"date", "amount", "payment_ref"}, ch.in())
	if err != nil {
		return 0, "", err
	}
	var same []int64
	for _, m := range got {
		a, merr := Minor(m["amount"], ch.currency)
		if merr == nil && a == l.Amount && near(retail.BusinessDate(text(m["date"])), l.Booked) && (text(m["payment_ref"]) == label(l.Text) || !l.Make) {
			same = append(same, id(m["id"]))
		}
	}
	if len(same) == 1 {
		return same[0], "", nil
	}
	if !l.Make || len(same) > 1 {
		return 0, "", nil
	}
	locks, err := ch.locks(ctx, w.client)
	if err != nil {
		return 0, "", err
	}
	if until, by := locks.Closed(l.Booked, lockdate.Entry{Journal: j.kind}); until != "" {
		return 0, fmt.Sprintf("its line of %s is not made: the books are closed up to %s (%s), and Odoo would date it today. Open the period, and it is made", l.Booked, until, by), nil
	}
	in := ch.in()
	in["mode"], in["noupdate"] = "update", true
	made, err := w.client.Call(ctx, "account.bank.statement.line", "load", []any{[]string{"id", "journal_id/.id", "date", "payment_ref", "amount"},
		[]any{[]any{ExternalID(w.Hub, "line/"+l.Key), fmt.Sprint(j.id), string(l.Booked), label(l.Text), l.Amount.Decimal()}}}, map[string]any{"context": in})
	if err != nil {
		return 0, "", err
	}
	m, _ := made.(map[string]any)
	if list := ids(m["ids"]); len(list) == 1 {
		return list[0], "", nil
	}
	return 0, "", &Error{Kind: Refused, Text: oneLine(messages(m["messages"]))}
}

// near allows a feed to tell the value date for the booking date.
func near(a, b retail.BusinessDate) bool { d := a.DaysSince(b); return d >= -1 && d <= 1 }

// match puts the line's other side on the voucher's account and reconciles both.
func (w *Writer) match(ctx context.Context, ch *chart, j journal, a account, l BankLine, out *Cleared) error {
	got, err := w.client.read(ctx, "account.bank.statement.line", []int64{out.ID}, []string{"move_id"}, ch.in())
	if err != nil {
		return err
	}
	if len(got) == 0 {
		out.ID, out.Why = 0, "its line was deleted in Odoo's bank journal"
		return nil
	}
	move := id(got[0]["move_id"])
	items, err := w.client.search(ctx, "account.move.line", []any{[]any{"move_id", "in", append([]int64{move}, l.Moves...)}},
		[]string{"move_id", "account_id", "reconciled", "balance"}, ch.in())
	if err != nil {
		return err
	}
	var both []int64
	for _, m := range items {
		at, own := id(m["account_id"]), id(m["move_id"]) == move
		switch {
		case own && at == j.suspense:
			if _, err := w.client.Call(ctx, "account.bank.statement.line", "write", []any{[]int64{out.ID},
				map[string]any{"line_ids": []any{[]any{1, id(m["id"]), map[string]any{"account_id": a.id}}}}}, map[string]any{"context": ch.in()}); err != nil {
				return err
			}
		case own && at == j.own:
			continue
		case own && at != a.id:
			out.Done, out.Why = true, "a person explained the line otherwise in Odoo; its voucher's money stands open on its account"
			return nil
		case at != a.id:
			continue
		case yes(m["reconciled"]) && !own:
			continue
		}
		if yes(m["reconciled"]) {
			out.Done = true
			return nil
		}
		both = append(both, id(m["id"]))
	}
	if len(both) < 2 {
		out.Why = "its voucher's entry has no open item on account " + l.Account
		return nil
	}
	err = w.reconcile(ctx, ch, both)
	out.Done = err == nil
	return err
}

// reconcile matches items; Odoo commits it and then cannot say None, which the client takes for what it is.
func (w *Writer) reconcile(ctx context.Context, ch *chart, items []int64) error {
	slices.Sort(items)
	_, err := w.client.Call(ctx, "account.move.line", "reconcile", []any{items}, map[string]any{"context": ch.in()})
	if err != nil && strings.Contains(err.Error(), "already reconciled") {
		return nil // by an earlier try, or by a person
	}
	return err
}

// MatchClearing reconciles what stands open on a company's clearing accounts, location by location: takings with what paid them out, the oldest first as
// Odoo does it. Only this hub's own entries are touched; n is how many groups were matched.
func (w *Writer) MatchClearing(ctx context.Context, company int64, accounts []string) (n int, err error) {
	defer func() { w.Met(err) }()
	ch, err := w.charts.get(ctx, books{id: company}, false)
	if err != nil {
		return 0, err
	}
	var which []int64
	for _, code := range accounts {
		if a, ok := ch.accounts[code]; ok && a.open && !a.dead {
			which = append(which, a.id)
		}
	}
	if len(which) == 0 {
		return 0, nil
	}
	items, err := w.client.search(ctx, "account.move.line", []any{[]any{"account_id", "in", which}, []any{"parent_state", "=", "posted"}, []any{"reconciled", "=", false},
		[]any{"ref", "=like", refStart(w.Hub) + "%"}}, []string{"account_id", "ref", "amount_residual"}, ch.in())
	if err != nil {
		return 0, err
	}
	for _, g := range clearingGroups(items, ch.currency) {
		if err := w.reconcile(ctx, ch, g); err != nil {
			if KindOf(err) == Refused || KindOf(err) == Broken {
				w.Log.WarnContext(ctx, "Odoo refuses to match items of a clearing account; they stay open there", "err", err)
				continue
			}
			return n, err
		}
		n++
	}
	return n, nil
}

// clearingGroups are items of one account and location that have both sides.
func clearingGroups(items []map[string]any, c money.Currency) (out [][]int64) {
	type group struct {
		ids      []int64
		pos, neg bool
	}
	by := map[string]*group{}
	var order []string
	for _, m := range items {
		left, err := Minor(m["amount_residual"], c)
		if err != nil || left.IsZero() {
			continue
		}
		at := text(m["ref"]) // the location, and not what stands beside: a rule may change that from a day on
		if f := refForm.FindStringSubmatch(at); f != nil {
			at = f[1]
		}
		k := fmt.Sprint(id(m["account_id"]), " ", at)
		g := by[k]
		if g == nil {
			g = &group{}
			by[k] = g
			order = append(order, k)
		}
		g.ids = append(g.ids, id(m["id"]))
		g.pos, g.neg = g.pos || left.Minor > 0, g.neg || left.Minor < 0
	}
	for _, k := range order {
		if g := by[k]; g.pos && g.neg {
			out = append(out, g.ids)
		}
	}
	return out
}

// ClearEvery is how often what is open on clearing accounts is matched: it makes Odoo's lists short, and changes no sum.
const ClearEvery = time.Hour
