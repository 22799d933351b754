package books

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Sums are cents by measure, in the till's words and signs: "item", "tax:NY State", "tender:cash", "paid_out", …
type Sums map[string]int64

// words take a measure of ledger and journal items to the till's word for it; sign is −1 where a sale is a credit.
var words = map[string]struct {
	name string
	sign int64
}{"sales": {"item", -1}, "returns": {"item", -1}, "discount": {"discount", -1}, "shipping": {"shipping", -1}, "fee": {"fee", -1}, "giftcard": {"gift_card", -1}, "tip": {"tip", -1},
	"deposit": {"deposit", -1}, "house": {"account", -1}, "rounding": {"rounding", -1}, "paidin": {"paid_in", -1}, "paidout": {"paid_out", 1}}

// add puts an amount, debit positive, under the till's word for its measure: "tender:cash" or "sales:Books".
func (s Sums) Add(account string, cents int64) {
	role, code, _ := strings.Cut(account, ":")
	w, known := words[role]
	switch {
	case role == "tender":
		s[account] += cents
	case role == "tax" || role == "taxrefund":
		s["tax:"+code] -= cents
	case role == "overshort" && code == "over":
		s["over"] -= cents
	case role == "overshort":
		s["short"] += cents
	case known:
		s[w.name] += w.sign * cents
	default:
		s[account] += cents
	}
}

// Ledger adds up the postings of every ticket's and drawer event's version in force, from the hub's own database file.
func Ledger(ctx context.Context, db *sql.DB, location, day string) (Sums, error) {
	rows, err := db.QueryContext(ctx, `SELECT e.postings FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = ? AND t.day = ?`, location, day)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := Sums{}
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		var ps [][3]any // debit, credit, minor units
		dec := json.NewDecoder(strings.NewReader(body))
		dec.UseNumber()
		if err := dec.Decode(&ps); err != nil {
			return nil, err
		}
		for _, p := range ps {
			minor, _ := p[2].(json.Number)
			n, err := minor.Int64()
			if err != nil {
				return nil, fmt.Errorf("a posting's amount is %v: %w", p[2], err)
			}
			for i, sign := range []int64{1, -1} {
				account, _ := p[i].(string)
				// What goods had cost goes to Odoo only where a location asks for it, and never into the day's own document.
				if role, _, _ := strings.Cut(account, ":"); role != "control" && role != "cogs" && role != "inventory" {
					out.Add(account, sign*n)
				}
			}
		}
	}
	return out, rows.Err()
}

// Day adds up the journal items of a store-day that are posted on their day; others are an error, and are left out. hub is what the
// references of the hub's own entries contain, "" for whatever hub. A document that stands in the books twice is an error too.
func Day(items []Item, hub, location, day string) (out Sums, entries []string, err error) {
	out = Sums{}
	move := map[string]int{} // of each document
	for _, i := range items {
		if i.Location != location || i.Day != day || i.Series != "" && !strings.HasPrefix(i.Series, "ticket-") || !strings.Contains(i.Ref, hub) {
			continue
		}
		if i.State != "posted" || i.Date != day {
			err = fmt.Errorf("%s: entry %s of %s is %s on %s", location, i.Entry, day, i.State, i.Date)
			continue
		}
		document := location + "/" + day + "/" + i.Series + "/" + i.Number + "+" + i.Part
		if m, known := move[document]; known && m != i.Move {
			err = fmt.Errorf("%s: document %s stands in Odoo twice, as %d and %d", location, document, m, i.Move)
		}
		move[document] = i.Move
		if !i.Owed { // what a receipt is owed, and its payments pay, is no measure of the day
			out.Add(i.Label, i.Cents)
		}
		if !slices.Contains(entries, i.Entry) {
			entries = append(entries, i.Entry)
		}
	}
	if len(entries) == 0 && err == nil {
		err = fmt.Errorf("%s: Odoo has no posted entry of %s", location, day)
	}
	return out, entries, err
}
