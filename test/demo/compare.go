package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	_ "github.com/mattn/go-sqlite3" // the ledger is read from its file, past the product's own code

	"github.com/tillpost/tillpost/test/demo/books"
)

// sums are cents by measure, in the till's words and signs.
type sums map[string]int64

// words take a measure of ledger and journal items to the till's word for it; sign is −1 where a sale is a credit.
var words = map[string]struct {
	name string
	sign int64
}{"sales": {"item", -1}, "returns": {"item", -1}, "discount": {"discount", -1}, "shipping": {"shipping", -1}, "fee": {"fee", -1}, "giftcard": {"gift_card", -1}, "tip": {"tip", -1},
	"deposit": {"deposit", -1}, "house": {"account", -1}, "rounding": {"rounding", -1}, "paidin": {"paid_in", -1}, "paidout": {"paid_out", 1}}

// measure reads "tender:cash" or "sales:Books".
func measure(account string, cents int64) (string, int64) {
	role, code, _ := strings.Cut(account, ":")
	switch role {
	case "tender":
		return "tender:" + code, cents
	case "tax", "taxrefund":
		return "tax:" + code, -cents
	case "overshort":
		if code == "over" {
			return "over", -cents
		}
		return "short", cents
	}
	w, ok := words[role]
	if !ok {
		return account, cents
	}
	return w.name, w.sign * cents
}

// compare puts three sums side by side, which share no code: the tills' truth, the ledger, and what Odoo's journal items say.
func (d *demo) compare(ctx context.Context, day string) error {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(d.dir, "hub", "hub.db")+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	items, err := books.Read(ctx, d.odoo, "TPOS")
	if err != nil {
		return err
	}
	id, err := d.hub.Store.HubID(ctx)
	if err != nil {
		return err
	}
	var wrong []error
	for _, s := range d.shops {
		ledger, err := ledgerOf(ctx, db, s.Code, day)
		if err != nil {
			return err
		}
		odoo, entries, err := odooOf(items, string(id)[:8], s.Code, day)
		if err != nil {
			wrong = append(wrong, err)
		}
		fmt.Fprintf(d.out, "\n%s, %s: %d tickets; in Odoo: %s\n", s.Name, day, s.truth.Tickets, strings.Join(entries, ", "))
		if err := d.table(s.truth.Measures, ledger, odoo); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", s.Code, err))
		}
		wrong = append(wrong, tickets(ctx, db, s, day)...)
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	fmt.Fprintf(d.out, "\nTills, ledger and Odoo agree: every difference is 0.00.\n")
	return nil
}

// table prints one store and fails when a row differs.
func (d *demo) table(truth, ledger, odoo sums) error {
	names := map[string]bool{}
	for _, m := range []sums{truth, ledger, odoo} {
		for k, v := range m {
			if v != 0 {
				names[k] = true
			}
		}
	}
	t := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\ttills\tledger\tOdoo\tdifference\t")
	row := func(name string, a, b, c int64) (diff int64) {
		diff = max(abs(a-b), abs(a-c), abs(b-c))
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", name, text(a), text(b), text(c), text(diff))
		return diff
	}
	var total int64
	total += row("gross", gross(truth), gross(ledger), gross(odoo))
	total += row("tax", taxes(truth), taxes(ledger), taxes(odoo))
	for _, n := range slices.Sorted(maps.Keys(names)) {
		total += row(n, truth[n], ledger[n], odoo[n])
	}
	t.Flush()
	if total != 0 {
		return fmt.Errorf("tills, ledger and Odoo differ")
	}
	return nil
}

func gross(m sums) (n int64) {
	for k, v := range m {
		switch k {
		case "item", "discount", "shipping", "fee", "gift_card", "tip", "deposit", "account", "rounding":
			n += v
		}
	}
	return n
}

func taxes(m sums) (n int64) {
	for k, v := range m {
		if strings.HasPrefix(k, "tax:") {
			n += v
		}
	}
	return n
}

// ledgerOf adds up the postings of every ticket's version in force.
func ledgerOf(ctx context.Context, db *sql.DB, location, day string) (sums, error) {
	rows, err := db.QueryContext(ctx, `SELECT e.postings FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = ? AND t.day = ?`, location, day)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := sums{}
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		var ps [][3]any
		dec := json.NewDecoder(strings.NewReader(body))
		dec.UseNumber()
		if err := dec.Decode(&ps); err != nil {
			return nil, err
		}
		for _, p := range ps {
			n, err := p[2].(json.Number).Int64()
			if err != nil {
				return nil, err
			}
			for i, sign := range []int64{1, -1} {
				if account, _ := p[i].(string); account != "control" {
					name, cents := measure(account, sign*n)
					out[name] += cents
				}
			}
		}
	}
	return out, rows.Err()
}

// odooOf adds up journal items that are posted on their day; others are an error, and are left out.
func odooOf(items []books.Item, hub, location, day string) (out sums, entries []string, err error) {
	out = sums{}
	for _, i := range items {
		if i.Location != location || i.Day != day || !strings.Contains(i.Ref, hub) {
			continue
		}
		if i.State != "posted" || i.Date != day {
			err = fmt.Errorf("%s: entry %s of %s is %s on %s", location, i.Entry, day, i.State, i.Date)
			continue
		}
		name, cents := measure(i.Label, i.Cents)
		out[name] += cents
		if !slices.Contains(entries, i.Entry) {
			entries = append(entries, i.Entry)
		}
	}
	if len(entries) == 0 && err == nil {
		err = fmt.Errorf("%s: Odoo has no posted entry of %s", location, day)
	}
	return out, entries, err
}

// tickets compares ticket by ticket what the till told with what the ledger holds, and names each one that differs, with its cents.
func tickets(ctx context.Context, db *sql.DB, s *shop, day string) (wrong []error) {
	want := map[string]int64{}
	for _, e := range s.told {
		if e.Path != "/v1/tickets" {
			continue
		}
		id, cents, err := told(e.Body)
		if err != nil {
			return []error{err}
		}
		want[id] = cents // the last word counts
	}
	rows, err := db.QueryContext(ctx, `SELECT t.key, t.day, e.gross + e.tax FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = ? AND t.kind = 'ticket' ORDER BY t.key`, s.Code)
	if err != nil {
		return []error{err}
	}
	defer rows.Close()
	for rows.Next() {
		var key, at string
		var cents int64
		if err := rows.Scan(&key, &at, &cents); err != nil {
			return []error{err}
		}
		id := key[strings.LastIndex(key, "|")+1:]
		w, known := want[id]
		delete(want, id)
		switch {
		case !known:
			wrong = append(wrong, fmt.Errorf("%s: ticket %s with %s is in the ledger, and no till sold it", s.Code, id, text(cents)))
		case at != day:
			wrong = append(wrong, fmt.Errorf("%s: ticket %s with %s is booked on %s instead of %s", s.Code, id, text(cents), at, day))
		case w != cents:
			wrong = append(wrong, fmt.Errorf("%s: ticket %s is %s at the till and %s in the ledger", s.Code, id, text(w), text(cents)))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		wrong = append(wrong, fmt.Errorf("%s: ticket %s with %s was sold and is not in the ledger", s.Code, id, text(want[id])))
	}
	return append(wrong, dropNil(rows.Err())...)
}

func dropNil(err error) []error {
	if err == nil {
		return nil
	}
	return []error{err}
}

// told is a ticket's id and total as the till wrote it; a void is nothing.
func told(body []byte) (id string, cents int64, err error) {
	var t struct {
		ID    string `json:"id"`
		Kind  string `json:"kind"`
		Lines []struct {
			Amount json.Number `json:"amount"`
		} `json:"lines"`
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&t); err != nil {
		return "", 0, err
	}
	if t.Kind == "void" {
		return t.ID, 0, nil
	}
	sum := new(big.Rat)
	for _, l := range t.Lines {
		a, ok := new(big.Rat).SetString(string(l.Amount))
		if !ok {
			return "", 0, fmt.Errorf("ticket %s: amount %q", t.ID, l.Amount)
		}
		sum.Add(sum, a)
	}
	sum.Mul(sum, big.NewRat(100, 1))
	if !sum.IsInt() {
		return "", 0, fmt.Errorf("ticket %s: parts of a cent", t.ID)
	}
	return t.ID, sum.Num().Int64(), nil
}

func text(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

func abs(n int64) int64 { return max(n, -n) }
