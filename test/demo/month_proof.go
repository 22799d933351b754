package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/demo/books"
)

// trialBalance holds Odoo's sums per location and measure against the ledger's: every ticket's entry and every voucher's postings.
func (d *demo) trialBalance(ctx context.Context, db *sql.DB, items []books.Item) error {
	want, got := map[string]int64{}, map[string]int64{}
	for _, s := range d.shops {
		for _, t := range d.month.truths {
			if t.Location != s.Code {
				continue
			}
			sums, err := books.Ledger(ctx, db, s.Code, t.Day)
			if err != nil {
				return err
			}
			for k, v := range sums {
				want[s.Code+" "+k] += v
			}
		}
	}
	rows, err := db.QueryContext(ctx, `SELECT location, body FROM voucher`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var location, body string
		if err := rows.Scan(&location, &body); err != nil {
			return err
		}
		if err := postings(location, body, want); err != nil {
			return err
		}
	}
	byLabel := books.Sums{}
	for _, i := range items {
		if i.State != "posted" {
			return fmt.Errorf("entry %s is %s", i.Entry, i.State)
		}
		one := books.Sums{}
		one.Add(i.Label, i.Cents)
		for k, v := range one {
			got[i.Location+" "+k] += v
		}
		byLabel[i.Label] += i.Cents
	}
	var wrong []error
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if want[k] != got[k] {
			wrong = append(wrong, fmt.Errorf("trial balance: %s is %s in the ledger and %s in Odoo", k, books.Text(want[k]), books.Text(got[k])))
		}
		delete(got, k)
	}
	for k, v := range got {
		if v != 0 {
			wrong = append(wrong, fmt.Errorf("trial balance: %s is %s in Odoo and unknown to the ledger", k, books.Text(v)))
		}
	}
	if len(wrong) == 0 && rows.Err() == nil {
		fmt.Fprintf(d.out, "Trial balance: %d sums per location agree between ledger and Odoo.\n", len(want))
	}
	return errors.Join(append(wrong, rows.Err())...)
}

// postings adds a voucher's to sums, read from its text.
func postings(location, body string, sums map[string]int64) error {
	var v struct {
		Postings []struct {
			Debit, Credit string
			Amount        string
		}
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return err
	}
	for _, p := range v.Postings {
		cents, err := amountOf(strings.Fields(p.Amount)[0])
		if err != nil {
			return err
		}
		for i, account := range []string{p.Debit, p.Credit} {
			if account != "control" {
				one := books.Sums{}
				one.Add(account, cents*int64(1-2*i))
				for k, n := range one {
					sums[location+" "+k] += n
				}
			}
		}
	}
	return nil
}

// clearingIsZero holds every clearing, transit and suspense account in Odoo against what is named as open.
func (d *demo) clearingIsZero(ctx context.Context, items, lines []books.Item) error {
	open, err := d.hub.Store.Clearings(ctx, retail.BusinessDate(time.Now().Format(time.DateOnly)), reconcile.Banking)
	if err != nil {
		return err
	}
	want := map[string]int64{}
	for _, c := range open {
		want[string(c.Location)+" "+string(c.Measure)] = c.Open.Minor
	}
	got, transit, suspense := map[string]int64{}, map[string]int64{}, int64(0)
	ours := map[string]bool{} // accounts of money that is on its way to the bank
	owed := owedAccounts(items)
	for _, i := range items {
		switch {
		case owed[i.Account]: // what a gift card paid takes from what is owed: nobody pays it out
		case strings.HasPrefix(i.Label, "tender:"):
			got[i.Location+" "+i.Label] += i.Cents
		case strings.HasPrefix(i.Label, "bank:"):
			ours[i.Account] = true
			transit[i.Account] += i.Cents
		}
		if i.Account == "101980" {
			suspense += i.Cents
		}
	}
	for _, i := range lines {
		if ours[i.Account] {
			transit[i.Account] += i.Cents
		}
	}
	var wrong []error
	for k, n := range got {
		if n != want[k] {
			wrong = append(wrong, fmt.Errorf("clearing: %s is %s in Odoo, %s are named as open", k, books.Text(n), books.Text(want[k])))
		}
	}
	for account, n := range transit {
		if n != 0 {
			wrong = append(wrong, fmt.Errorf("account %s of money on its way to the bank is %s", account, books.Text(n)))
		}
	}
	if suspense != 0 {
		wrong = append(wrong, fmt.Errorf("suspense is %s", books.Text(suspense)))
	}
	cards := map[string]int64{}
	for _, c := range open {
		switch _, code := c.Measure.Split(); code {
		case "ewallet": // what another processor pays, which is not of this month
		default:
			cards[string(c.Location)] += c.Open.Minor
		}
	}
	for _, s := range d.shops {
		b := d.month.bank
		lost, left, extra := b.lost[s.Code], b.open[s.Code], b.extra[s.Code]
		if cards[s.Code] != lost+left-extra {
			wrong = append(wrong, fmt.Errorf("clearing: %s of cards and cash stay open at %s; the bank never paid %s, %s are a question, and cards were charged %s beyond the tills' tickets",
				books.Text(cards[s.Code]), s.Code, books.Text(lost), books.Text(left), books.Text(extra)))
		}
	}
	if len(wrong) == 0 {
		fmt.Fprintf(d.out, "Clearing, transit and suspense accounts are zero but for what is named:\n")
		for _, c := range open {
			fmt.Fprintf(d.out, "  %s %s: %s open, the oldest of %s\n", c.Location, c.Measure, c.Open, c.Oldest)
		}
	}
	return errors.Join(wrong...)
}

// owedAccounts are those on which stands what customers hold: gift cards that were sold, deposits, house accounts.
func owedAccounts(items []books.Item) map[string]bool {
	out := map[string]bool{}
	for _, i := range items {
		switch role, _, _ := strings.Cut(i.Label, ":"); role {
		case "giftcard", "deposit", "house":
			out[i.Account] = true
		}
	}
	return out
}

// bankSays holds each bank line's voucher against the truth that the bank knows of it.
func (d *demo) bankSays(ctx context.Context) error {
	ls, err := d.hub.Store.BankLines(ctx, view.BankFilter{})
	if err != nil {
		return err
	}
	vs, err := d.hub.Store.Vouchers(ctx, view.VoucherFilter{})
	if err != nil {
		return err
	}
	by := map[string]view.VoucherView{}
	for _, v := range vs {
		by[v.Series] = v
	}
	var wrong []error
	for _, l := range ls {
		if words := d.month.bank.judge(l, by[l.Voucher]); words != "" {
			wrong = append(wrong, errors.New(words))
		}
	}
	if len(wrong) == 0 {
		fmt.Fprintf(d.out, "Every one of %d bank lines stands where the bank knows it belongs; 0 wrong.\n", len(ls))
	}
	return errors.Join(wrong...)
}

// touchless tells how much of the month went by itself.
func (d *demo) touchless(ctx context.Context) error {
	days := len(d.month.truths)
	lines, matched := d.month.bank.takings(), 0
	ls, err := d.hub.Store.BankLines(ctx, view.BankFilter{})
	if err != nil {
		return err
	}
	for _, l := range ls {
		if l.Voucher != "" && l.Cleared {
			matched++
		}
	}
	open, err := d.hub.Store.CaseViews(ctx, view.CaseFilter{})
	if err != nil {
		return err
	}
	for _, c := range open {
		fmt.Fprintf(d.out, "  for a person: %s %s %s: %s\n", c.Location, c.Day, c.Title, c.Detail)
	}
	rate := (days + matched) * 1000 / (days + lines)
	per := len(open) * 1000 / days
	fmt.Fprintf(d.out, "Touchless: %d of %d store-days posted, %d of %d bank lines of takings matched and reconciled: %d.%d %%. Left for a person: %d decisions, %d.%d per 100 store-days.\n",
		days, days, matched, lines, rate/10, rate%10, len(open), per/10, per%10)
	if rate < 950 || per > 50 {
		return fmt.Errorf("wanted at least 95 %% touchless and at most 5 decisions per 100 store-days")
	}
	return nil
}
