package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	_ "github.com/mattn/go-sqlite3" // the ledger is read from its file, past the product's own code

	"github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/fake/till"
)

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
	var truths []till.Truth
	for _, s := range d.shops {
		truth, err := readTruth(d.dir, s.Code)
		if err != nil {
			return err
		}
		truths = append(truths, truth)
		ledger, err := books.Ledger(ctx, db, s.Code, day)
		if err != nil {
			return err
		}
		odoo, entries, err := books.Day(items, string(id)[:8], s.Code, day)
		if err != nil {
			wrong = append(wrong, err)
		}
		fmt.Fprintf(d.out, "\n%s, %s: %d tickets; in Odoo: %s\n", s.Name, day, truth.Tickets, strings.Join(entries, ", "))
		if err := d.table(truth.Measures, ledger, odoo); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", s.Code, err))
		}
		wrong = append(wrong, s.tickets(ctx, db, day)...)
	}
	if d.account == nil {
		wrong = append(wrong, d.taxesAgree(ctx, truths, string(id)[:8]))
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nTills, ledger and Odoo agree: every difference is 0.00.\n")
	return nil
}

// table prints one store and fails when a row differs.
func (d *demo) table(truth, ledger, odoo books.Sums) error {
	names := map[string]bool{}
	for _, m := range []books.Sums{truth, ledger, odoo} {
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
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", name, books.Text(a), books.Text(b), books.Text(c), books.Text(diff))
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

func gross(m books.Sums) (n int64) {
	for k, v := range m {
		switch k {
		case "item", "discount", "shipping", "fee", "gift_card", "tip", "deposit", "account", "rounding":
			n += v
		}
	}
	return n
}

func taxes(m books.Sums) (n int64) {
	for k, v := range m {
		if strings.HasPrefix(k, "tax:") {
			n += v
		}
	}
	return n
}

// tickets compares ticket by ticket what the till told with what the ledger holds, and names each one that differs, with its cents.
func (s *shop) tickets(ctx context.Context, db *sql.DB, day string) (wrong []error) {
	told := s.words
	if told == nil {
		told = books.Told{}
		for _, e := range s.told {
			if e.Path != "/v1/tickets" {
				continue
			}
			if err := told.Hear(e.Body); err != nil {
				return []error{err}
			}
		}
	}
	have, err := books.Tickets(ctx, db, s.Code)
	if err != nil {
		return []error{err}
	}
	for _, d := range books.Differences(s.Code, day, told, have) {
		wrong = append(wrong, errors.New(d.String()))
	}
	return wrong
}

func abs(n int64) int64 { return max(n, -n) }
