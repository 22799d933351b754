package app

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Tenders are what setup makes clearing accounts for besides those that tills have used: what most of them know.
var Tenders = []string{"cash", "visa", "mastercard", "amex", "discover", "debit", "check", "gift_card", "ewallet", "credit_card", "on_account"}

func (c *cli) odooCommand() *cobra.Command {
	o, profiles, how := odoo.SetupOptions{}, []string{}, planOptions{}
	setup := c.on("setup", "find or make what the books need: journal, accounts, taxes, an analytic account per location; safe to run again", 0,
		func(ctx context.Context, s *desk, _ []string) error {
			if err := expect(ctx, s.Store, profiles, &o); err != nil {
				return err
			}
			o.Banks = s.cfg.bankNames()
			if how.show || how.apply != "" || how.from != "" {
				return c.plan(ctx, s, o, how)
			}
			reps, err := Setup(ctx, s.Store, s.cfg.Odoo, o, s.who)
			if terr := c.tell(oneOrAll(reps), func(w io.Writer) {
				for _, rep := range reps {
					printSetup(w, rep)
				}
			}); terr != nil {
				return terr
			}
			return err
		})
	setup.Flags().StringSliceVar(&o.Tenders, "tender", nil, "further tender types that get a clearing account")
	setup.Flags().StringSliceVar(&o.Taxes, "tax", nil, "further tax jurisdictions as the tills name them")
	setup.Flags().StringVar(&o.Journal, "journal", "", "code of an existing general journal to use instead of a new one")
	setup.Flags().StringToStringVar(&o.Accounts, "account", nil, "existing account to use instead of a new one, like tender:cash=101000, sales:*=400000 or suspense=101402")
	setup.Flags().StringToStringVar(&o.TaxNames, "tax-as", nil, "existing Odoo tax to use for a jurisdiction, like \"NY State\"=\"NY State 4%\"")
	setup.Flags().StringSliceVar(&profiles, "profile", nil, "make ready for files of this profile: its tenders and taxes")
	setup.Flags().BoolVar(&how.show, "plan", false, "propose a whole mapping set from Odoo's own chart, beside the rules in force; writes nothing")
	setup.Flags().StringVar(&how.apply, "apply", "", "write the plan that was shown, by its hash; alone: the one of this moment, which is shown too")
	setup.Flags().Lookup("apply").NoOptDefVal = applyNow
	setup.Flags().StringVar((*string)(&how.from), "from", "", "of a plan: changed rules, and those of places, hold from this day on")
	setup.Example = "  hub odoo setup --plan\n  hub odoo setup --apply=1f0c9a7be245\n  hub odoo setup --plan --account tender:cash=101000 --from 2027-01-01"
	setup.Flags().BoolVar(&o.Fields, "fields", false, "also make the field x_external_id on entries, partners and orders, which then carries the vendor's own ids; takes an Odoo administrator's login once")
	setup.Flags().BoolVar(&o.DryRun, "dry-run", false, "only tell what would be made")
	return group("odoo", "the books", setup, c.on("check", "see whether store-days can be posted", 0, c.check), c.claimCommand(), c.statesCommand())
}

// expect adds the codes that files of some profiles will name.
func expect(ctx context.Context, s *store.Store, names []string, o *odoo.SetupOptions) error {
	known := profiles{read: s.Profile, have: map[profileText]known{}}
	for _, name := range names {
		p, err := known.get(name, "")
		if err != nil {
			return err
		}
		tenders, taxes := p.Codes()
		o.Tenders, o.Taxes = union(o.Tenders, tenders), union(o.Taxes, taxes)
	}
	return nil
}

// Setup runs odoo.Setup with what the hub knows and stores its rules: company by company, the settings' own first. Rules name codes and hold for
// all, so the later companies get the accounts of the first.
func Setup(ctx context.Context, s *store.Store, cfg OdooConfig, o odoo.SetupOptions, who string) (reps []odoo.SetupReport, err error) {
	ls, err := placesOf(ctx, s)
	if err != nil {
		return nil, err
	}
	for i, b := range booksOf(cfg, ls) {
		client, err := OpenOdoo(b.cfg)
		if err != nil {
			return reps, err
		}
		own := o
		if err := complete(ctx, s, &own); err != nil {
			return reps, err
		}
		receipts := len(own.Receipts) > 0 // somewhere: every company gets the same codes
		b.only(own.Locations)
		own.Receipts = slices.DeleteFunc(own.Receipts, func(l retail.LocationCode) bool { _, here := own.Locations[l]; return !here })
		if i > 0 {
			own.Books = reps[0].Books
		}
		if receipts {
			own.Books.Sales = odoo.SalesJournal
		}
		rep, err := odoo.Setup(ctx, client, own)
		reps = append(reps, rep)
		if err != nil {
			return reps, err
		}
		if o.DryRun {
			continue
		}
		if err := s.SetRules(ctx, rep.Rules, who, "odoo setup"); err != nil {
			return reps, err
		}
		if i == 0 {
			err = s.SetBooks(ctx, rep.Books, who)
		} else if rep.Books != reps[0].Books {
			err = fault.Msg(fault.Invalid, "odoo setup", fmt.Sprintf("company %s has the journal %s and the suspense account %s, %s has %s and %s; documents name them by code, so make those codes free there and run it again",
				rep.Company, rep.Books.Journal, rep.Books.Suspense, reps[0].Company, reps[0].Books.Journal, reps[0].Books.Suspense))
		}
		if err != nil {
			return reps, err
		}
	}
	return reps, nil
}

// oneOrAll tells one report as itself and several as a list.
func oneOrAll[T any](all []T) any {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// complete adds what the hub has seen, locations, tenders, jurisdictions and other codes, and what it has: rules and books.
func complete(ctx context.Context, s *store.Store, o *odoo.SetupOptions) error {
	ls, err := s.LocationViews(ctx, view.LocationFilter{})
	if err != nil {
		return err
	}
	o.Locations, o.Receipts = map[retail.LocationCode]string{}, nil
	for _, l := range ls {
		if !l.Confirmed {
			continue
		}
		o.Locations[l.Code] = l.Name
		if slices.ContainsFunc(l.Postings, func(r rollup.ModeRule) bool { return r.Mode != rollup.ByEntry }) {
			o.Receipts = append(o.Receipts, l.Code)
		}
	}
	taxes, err := s.Codes(ctx, "tax")
	if err != nil {
		return err
	}
	tenders, err := s.Codes(ctx, "tender")
	if err != nil {
		return err
	}
	o.Tenders, o.Taxes = union(Tenders, tenders, o.Tenders), union(taxes, o.Taxes)
	o.Codes = map[ledger.Role][]string{}
	for _, r := range said {
		if o.Codes[r], err = s.Codes(ctx, string(r)); err != nil {
			return err
		}
	}
	tills, err := s.Stations(ctx)
	if err != nil {
		return err
	}
	o.Stations = nil
	for _, t := range tills {
		o.Stations = append(o.Stations, string(t))
	}
	if o.Books, err = s.Books(ctx); err != nil {
		return err
	}
	o.Have, err = s.Mapping(ctx)
	return err
}

// said are the roles whose codes tills say, besides tenders and taxes.
var said = []ledger.Role{ledger.Sales, ledger.Returns, ledger.TaxRefund, ledger.Discount, ledger.Fee, ledger.PaidIn, ledger.PaidOut, ledger.COGS, ledger.Inventory, ledger.DueTo, ledger.DueFrom}

// wants is what the books must have for the hub's documents.
type wants struct {
	setup     odoo.SetupOptions
	journal   string
	locations []odoo.Location
}

// wantsOf asks the store; journal is the one that the settings name, "" = the one that setup made. Without a store only the settings count.
func wantsOf(ctx context.Context, s *store.Store, journal string) (w wants, err error) {
	w.journal = journal
	if s == nil {
		return w, nil
	}
	if err := complete(ctx, s, &w.setup); err != nil {
		return w, err
	}
	if w.locations, err = placesOf(ctx, s); err != nil {
		return w, err
	}
	if w.journal == "" {
		b, err := s.Books(ctx)
		if err != nil {
			return w, err
		}
		w.journal = b.Journal
	}
	return w, nil
}

func union(lists ...[]string) (out []string) {
	seen := map[string]bool{}
	for _, l := range lists {
		for _, v := range l {
			if !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

func printSetup(w io.Writer, rep odoo.SetupReport) {
	fmt.Fprintf(w, "Odoo %s, company %s\n", rep.Version, rep.Company)
	for _, m := range rep.Missing {
		fmt.Fprintf(w, "  missing right: %s\n", m)
	}
	for _, st := range rep.Steps {
		fmt.Fprintf(w, "  %-40s %s\n", st.What, st.Done)
	}
	for _, n := range rep.Notes {
		fmt.Fprintf(w, "  note: %s\n", n)
	}
	if rep.Books.Journal != "" {
		fmt.Fprintf(w, "Journal %s, suspense account %s, %d new rules.\n", rep.Books.Journal, rep.Books.Suspense, len(rep.Rules))
	}
}

func (c *cli) check(ctx context.Context, s *desk, _ []string) error {
	want, err := wantsOf(ctx, s.Store, s.cfg.Posting.Journal)
	if err != nil {
		return err
	}
	var reps []checked
	good := true
	for _, b := range booksOf(s.cfg.Odoo, want.locations) {
		rep, err := want.check(ctx, b)
		if err != nil {
			return err
		}
		reps, good = append(reps, checked{rep, b.name, b.cfg}), good && rep.Good()
	}
	err = c.tell(oneOrAll(reps), func(w io.Writer) {
		for _, rep := range reps {
			printCheck(w, rep.CheckReport, rep.of)
		}
	})
	if err == nil && !good {
		return errQuiet
	}
	return err
}

// checked is what was found of one company's books.
type checked struct {
	odoo.CheckReport
	Database string     `json:"database,omitempty"` // as the settings call it, "" = the first
	of       OdooConfig // whose key it is
}

func printCheck(w io.Writer, rep odoo.CheckReport, o OdooConfig) {
	fmt.Fprintf(w, "Odoo %s answers in %s", rep.Version, rep.Answer.Round(1e6))
	if rep.Currency != "" { // it cannot be read without the rights
		fmt.Fprintf(w, "; company %s keeps its books in %s", rep.Company, rep.Currency)
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "  %s\n", rep.Key)
	if rep.Key.Soon(time.Now()) {
		fmt.Fprintf(w, "  soon: make a new API key for user %s in Odoo and put it into %s; it is read without a restart\n", o.User, o.KeyFile)
	}
	if rep.SaleLock != "" {
		fmt.Fprintf(w, "  sales journals are closed up to %s\n", rep.SaleLock)
	}
	if rep.TaxLock != "" {
		fmt.Fprintf(w, "  entries with taxes are closed up to %s\n", rep.TaxLock)
	}
	if rep.Locked != "" {
		fmt.Fprintf(w, "  the books are closed up to %s\n", rep.Locked)
	}
	for _, part := range []struct {
		name string
		list []string
	}{{"right", rep.Missing}, {"not in Odoo", rep.Lacks}, {"wrong", rep.Wrong}} {
		for _, m := range part.list {
			fmt.Fprintf(w, "  %s: %s\n", part.name, m)
		}
	}
	if rep.Good() {
		fmt.Fprintln(w, "Store-days can be posted.")
	}
}
