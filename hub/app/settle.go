package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/bank"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	settleEvery = 5 * time.Minute // bank files come once a day, batches a few times
	ageEvery    = time.Hour       // all takings that nobody paid out are added up
	oldClearing = 5               // banking days (finance.md A21)
)

// settle brings the settlement on while the hub runs.
func (a *App) settle(ctx context.Context) error {
	var aged time.Time
	for ctx.Err() == nil && len(a.Config.Banks) > 0 {
		made, err := a.Store.Reconcile(ctx, a.Config.settlement(time.Now()), reconcile.Decide)
		if err == nil && (made > 0 || time.Since(aged) > ageEvery) {
			aged, err = time.Now(), age(ctx, a.Store, a.Config)
		}
		if err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "cannot match the bank's lines; it is tried again", "err", err)
		} else if made > 0 {
			a.log.InfoContext(ctx, "bank lines matched", "vouchers", made)
			ring(a.news)
		}
		select {
		case <-ctx.Done():
		case <-time.After(settleEvery):
		}
	}
	return nil
}

// Settle matches what is open, and ages what stays open; made is how many vouchers that made.
func Settle(ctx context.Context, s *store.Store, c Config) (made int, err error) {
	if made, err = s.Reconcile(ctx, c.settlement(time.Now()), reconcile.Decide); err != nil {
		return made, err
	}
	return made, age(ctx, s, c)
}

// age keeps the cases about takings that stand on clearing accounts for too long.
func age(ctx context.Context, s *store.Store, c Config) error {
	f := c.settlement(time.Now())
	open, err := s.Clearings(ctx, f.Today, f.Banking)
	if err != nil {
		return err
	}
	return s.AgeClearings(ctx, open, func(v view.Clearing) bool { return v.Days > oldClearing && v.PaidOut })
}

func (c *cli) settleCommands() []*cobra.Command {
	var currency string
	imp := c.on("import FILE", "take in a statement file of a bank: BAI2, OFX, CAMT.053 or CSV; a file may be read again", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.importBank(ctx, s, args[0], money.Currency(currency))
	})
	imp.Flags().StringVar(&currency, "currency", "USD", "where the file names none")
	var f view.BankFilter
	lines := c.on("lines", "list bank lines with the voucher each stands in", 0, func(ctx context.Context, s *desk, _ []string) error {
		ls, err := s.BankLines(ctx, f)
		if err != nil {
			return err
		}
		return c.tell(ls, func(w io.Writer) { printBank(w, ls) })
	})
	lines.Flags().BoolVar(&f.Open, "open", false, "only those that stand in no voucher")
	lines.Flags().Var((*date)(&f.From), "from", "first day")
	lines.Flags().Var((*date)(&f.To), "to", "last day")
	lines.Flags().IntVar(&f.Limit, "limit", 200, "at most so many")
	var vf view.VoucherFilter
	vouchers := c.on("vouchers", "list what happened to takings after the tills: deposits, fees, disputes, cash bags", 0, func(ctx context.Context, s *desk, _ []string) error {
		vs, err := s.Vouchers(ctx, vf)
		if err != nil {
			return err
		}
		return c.tell(vs, func(w io.Writer) { printVouchers(w, vs) })
	})
	vouchers.Flags().StringVar((*string)(&vf.Location), "location", "", "only of this one")
	vouchers.Flags().Var((*date)(&vf.From), "from", "first day")
	vouchers.Flags().Var((*date)(&vf.To), "to", "last day")
	vouchers.Flags().StringVar(&vf.Series, "series", "", "only this one")
	clearing := c.on("clearing", "age what stands on clearing accounts: taken at the tills, not yet paid out", 0, func(ctx context.Context, s *desk, _ []string) error {
		cs, err := s.Clearings(ctx, retail.BusinessDate(time.Now().Format(time.DateOnly)), reconcile.Banking)
		if err != nil {
			return err
		}
		return c.tell(cs, func(w io.Writer) { printClearing(w, cs) })
	})
	return []*cobra.Command{group("bank", "the bank's side: statement files and their lines", imp, lines), vouchers, clearing}
}

// maxBankFile bounds what is read into memory; the parser's own limit is the same.
const maxBankFile = bank.MaxFile

func (c *cli) importBank(ctx context.Context, s *desk, path string, currency money.Currency) error {
	info, err := os.Stat(path)
	if err != nil {
		return fault.New(fault.Invalid, "read bank file", err)
	}
	if info.Size() > maxBankFile {
		return fault.Msg(fault.Invalid, "read bank file", fmt.Sprintf("%s is over %d MB: export a shorter period; nothing was taken in", path, maxBankFile>>20))
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return fault.New(fault.Invalid, "read bank file", err)
	}
	o := bank.Options{Currency: currency}
	for _, b := range s.cfg.Banks {
		if b.CSV.Date != "" {
			o.CSV = b.CSV
			if o.CSV.Account == "" && o.CSV.Fixed == "" {
				o.CSV.Fixed = b.Number
			}
			break
		}
	}
	read, err := bank.Read(body, o)
	if err != nil {
		return err
	}
	name := filepath.Base(path)
	fresh, known, err := s.PutBankFile(ctx, name, read, s.who)
	if err != nil {
		return err
	}
	made, err := Settle(ctx, s.Store, s.cfg)
	if err != nil {
		return err
	}
	out := map[string]any{"file": name, "format": read.Format, "new": fresh, "known": known, "bad": read.Bad, "vouchers": made}
	return c.tell(out, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s): %d lines are new, %d were known; %d vouchers were made.\n", name, read.Format, fresh, known, made)
		for _, b := range read.Bad {
			fmt.Fprintf(w, "  %s: %s\n", b.Where, b.Why)
		}
	})
}

func printBank(w io.Writer, ls []view.BankLine) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BOOKED\tACCOUNT\tAMOUNT\tTEXT\tVOUCHER")
	for _, l := range ls {
		where := l.Voucher
		if where == "" {
			where = "open: " + l.Why
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.60s\t%s\n", l.Booked, l.Account, l.Amount, l.Text, where)
	}
	t.Flush()
}

func printVouchers(w io.Writer, vs []view.VoucherView) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DAY\tLOCATION\tVOUCHER\tWHAT\tSTATE\tODOO")
	for _, v := range vs {
		fmt.Fprintf(t, "%s\t%s\t%s\t%.70s\t%s %s\t%s\n", v.Day, v.Location, v.Series, v.Text, v.State, v.Why, v.Entry)
	}
	t.Flush()
}

func printClearing(w io.Writer, cs []view.Clearing) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "LOCATION\tACCOUNT\tOPEN\tOLDEST\tBANKING DAYS")
	for _, c := range cs {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\n", c.Location, c.Measure, c.Open, c.Oldest, c.Days)
	}
	t.Flush()
}

// clear brings what is settled on in an Odoo database: bank lines to their vouchers, and now and then what is open on clearing accounts. last
// is when that was done.
func (a *App) clear(ctx context.Context, l *lane, last *time.Time) {
	from := store.Clearing{Store: a.Store, Name: l.name, Banks: a.Config.bankBooks()}
	n, err := l.writer.Clear(ctx, from)
	if err == nil && (n > 0 || time.Since(*last) > odoo.ClearEvery) {
		*last = time.Now()
		err = a.matchClearing(ctx, l, from)
	}
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "cannot reconcile in Odoo; it is tried again", "err", err)
	}
}

func (a *App) matchClearing(ctx context.Context, l *lane, from store.Clearing) error {
	accounts, err := a.Store.ClearingAccounts(ctx)
	if err != nil {
		return err
	}
	homes, err := from.Homes(ctx)
	for _, home := range homes {
		if err == nil {
			_, err = l.writer.MatchClearing(ctx, home, accounts)
		}
	}
	return err
}
