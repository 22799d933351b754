package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	hub "github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/bank"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/fake/till"
)

// month is three stores' last whole month, from sale to bank, with what really goes wrong in one. MONTH=1 runs it; MODES=entry,receipt,ticket says as what each
// store's days go to Odoo, without it all as one entry; KEEP=1 leaves the pages there to be looked at.
type month struct {
	first  time.Time
	truths []till.Truth
	bank   *bankSide
}

// ownJournals are those in which a hub's documents stand: entries, receipts and invoices, their payments.
var ownJournals = []string{"TPOS", "TPOSR", "TPOSP"}

// mode is as what a store's days go to Odoo.
func (m *month) mode(i int) rollup.Mode {
	said := strings.Split(os.Getenv("MODES"), ",")
	if m == nil || i >= len(said) {
		return ""
	}
	return rollup.Mode(said[i])
}

// soldDay is a day of a store's tills.
type soldDay struct {
	events []till.Event
	truth  till.Truth
}

// charge lets a store's tills sell the month and its cards go through the gateway, each day's batches closed in the night after it: the gateway
// has a past before anybody reads it. Every seventh night a batch is told before all of its payments are.
func (m *month) charge(s *shop) error {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return err
	}
	s.days = map[string]soldDay{}
	for day := m.first; day.Month() == m.first.Month(); day = day.AddDate(0, 0, 1) {
		events, truth := s.till.Day(day, 25)
		s.days[truth.Day] = soldDay{events, truth}
		s.gateway.night.Store(time.Date(day.Year(), day.Month(), day.Day()+1, 2, 30, 0, 0, zone).Unix())
		if err := s.charge(events, map[bool]int{true: 1}[day.Day()%7 == 3]); err != nil {
			return err
		}
	}
	s.gateway.night.Store(0)
	return nil
}

// settings are the accounts and merchant ids of the stores: one is billed at the end of the month, one each day, one has Amex pay by itself.
func (m *month) settings(shops []*shop) (bs []hub.BankConfig, ms []hub.MerchantConfig) {
	for i, s := range shops {
		b := hub.BankConfig{Name: strings.ToLower(strings.TrimPrefix(s.Code, "S-")), Number: accountNumber(i), Journal: "BNK1", Make: true}
		if i == 2 {
			b.CSV = bank.Columns{Date: "Date", Layout: "01/02/2006", Amount: "Amount", Text: "Description", ID: "Reference"}
		}
		bs = append(bs, b)
		ms = append(ms, hub.MerchantConfig{ID: merchantID(i), Location: retail.LocationCode(s.Code), Bank: b.Name, Sites: []string{fmt.Sprint(91 + i)}, Net: i == 1, OwnAmex: i == 2, BackFee: "15.00 USD"})
	}
	return bs, ms
}

func accountNumber(i int) string { return fmt.Sprintf("00041%d", i+1) }

func merchantID(i int) string { return fmt.Sprintf("65000010%07d", 20_019*(i+1)) }

func bankNames(bs []hub.BankConfig) (out []string) {
	for _, b := range bs {
		out = append(out, b.Name)
	}
	return out
}

// wholeMonth sells, charges, posts, settles and proves a month.
func (d *demo) wholeMonth(ctx context.Context) error {
	begun := time.Now()
	now := begun.UTC()
	d.month.first = time.Date(now.Year(), now.Month()-1, 1, 12, 0, 0, 0, time.UTC)
	for _, build := range []func(context.Context) error{d.books, func(ctx context.Context) error { return d.agents(ctx, d.month.first) }, d.sellMonth, d.centre} {
		if err := build(ctx); err != nil {
			return err
		}
	}
	for day := d.month.first; day.Month() == d.month.first.Month(); day = day.AddDate(0, 0, 1) {
		if err := d.wait(ctx, "the store-days of "+day.Format(time.DateOnly), func() (bool, error) { return d.verified(ctx, day) }); err != nil {
			return err
		}
	}
	fmt.Fprintf(d.out, "Every store-day of %s is posted and verified, %.0f s after the beginning.\n", d.month.first.Format("January 2006"), time.Since(begun).Seconds())
	if err := d.payments(ctx); err != nil {
		return err
	}
	if err := d.settleMonth(ctx); err != nil {
		return err
	}
	if err := d.proveMonth(ctx); err != nil || os.Getenv("KEEP") == "" {
		return err
	}
	fmt.Fprintf(d.out, "The month stays at %s until this is ended with Ctrl-C; its files lie in %s.\n", d.hub.WebURL, d.dir)
	<-ctx.Done()
	return nil
}

func (d *demo) sellMonth(ctx context.Context) error {
	for day := d.month.first; day.Month() == d.month.first.Month(); day = day.AddDate(0, 0, 1) {
		if err := d.sell(ctx, day); err != nil {
			return err
		}
	}
	n := 0
	for _, t := range d.month.truths {
		n += t.Tickets
	}
	fmt.Fprintf(d.out, "%d tickets of %d store-days were sold; they wait in the agents.\n", n, len(d.month.truths))
	return nil
}

// wait looks until done, or says what it waited for.
func (d *demo) wait(ctx context.Context, what string, done func() (bool, error)) error {
	for begun := time.Now(); ; {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		if time.Since(begun) > monthWithin {
			return fmt.Errorf("%s: not there after %s; the log is %s/demo.log", what, monthWithin, d.dir)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-d.failed:
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (d *demo) verified(ctx context.Context, day time.Time) (bool, error) {
	date := retail.BusinessDate(day.Format(time.DateOnly))
	vs, err := d.hub.Store.DayViews(ctx, view.DayFilter{From: date, To: date})
	n := 0
	for _, v := range vs {
		if v.State == roll.Verified {
			n++
		}
	}
	return n == len(d.shops), err
}

// settleMonth lets the bank write its statements, takes them in, and waits until all of it stands in Odoo.
func (d *demo) settleMonth(ctx context.Context) error {
	d.month.bank = newBankSide(d.month.first)
	for i, s := range d.shops {
		d.month.bank.store(i, s, d.month.truths)
	}
	for _, f := range d.month.bank.files() {
		read, err := bank.Read(f.body, bank.Options{Currency: "USD", CSV: f.columns})
		if err != nil || len(read.Bad) > 0 {
			return fmt.Errorf("%s: %w %v", f.name, err, read.Bad)
		}
		fresh, _, err := d.hub.Store.PutBankFile(ctx, f.name, read, "demo")
		if err != nil {
			return err
		}
		again, _, err := d.hub.Store.PutBankFile(ctx, f.name, read, "demo")
		if err != nil || again != 0 {
			return fmt.Errorf("%s: %d lines are new when it is read again: %w", f.name, again, err)
		}
		fmt.Fprintf(d.out, "%s (%s): %d lines.\n", f.name, read.Format, fresh)
	}
	if _, err := hub.Settle(ctx, d.hub.Store, d.hub.Config); err != nil {
		return err
	}
	return d.wait(ctx, "the settlement in Odoo", func() (bool, error) {
		vs, err := d.hub.Store.Vouchers(ctx, view.VoucherFilter{})
		for _, v := range vs {
			if v.State != roll.Verified {
				return false, err
			}
		}
		ls, lerr := d.hub.Store.BankLines(ctx, view.BankFilter{})
		for _, l := range ls {
			if l.Voucher != "" && !l.Cleared {
				return false, errors.Join(err, lerr)
			}
		}
		return len(vs) > 0, errors.Join(err, lerr)
	})
}

// proveMonth compares what the bank paid with what the books say of it, and tells what a person has left to do.
func (d *demo) proveMonth(ctx context.Context) error {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(d.dir, "hub", "hub.db")+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	items, err := books.Read(ctx, d.odoo, ownJournals...)
	if err != nil {
		return err
	}
	lines, err := books.Read(ctx, d.odoo, "BNK1")
	if err != nil {
		return err
	}
	id, err := d.hub.Store.HubID(ctx)
	if err != nil {
		return err
	}
	// What a receipt is owed, and its payments pay, is no measure of the ledger's.
	items = slices.DeleteFunc(items, func(i books.Item) bool { return i.Owed && i.Open == 0 || !strings.Contains(i.Ref, string(id)[:8]) })
	wrong := []error{d.trialBalance(ctx, db, items), d.taxesAgree(ctx, d.month.truths, string(id)[:8]), d.bankSays(ctx), d.clearingIsZero(ctx, items, lines)}
	return errors.Join(append(wrong, d.touchless(ctx))...)
}
