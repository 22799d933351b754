package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// Tenders are what setup makes clearing accounts for besides those that tills have used: what most of them know.
var Tenders = []string{"cash", "visa", "mastercard", "amex", "discover", "debit", "check", "gift_card", "ewallet", "credit_card", "on_account"}

func (c *cli) odooCommand() *cobra.Command {
	o, profiles := odoo.SetupOptions{}, []string{}
	setup := c.on("setup", "find or make what the books need: journal, accounts, taxes, an analytic account per location; safe to run again", 0,
		func(ctx context.Context, s *desk, _ []string) error {
			if err := expect(ctx, s.Store, profiles, &o); err != nil {
				return err
			}
			rep, err := Setup(ctx, s.Store, s.cfg.Odoo, o, s.who)
			if terr := c.tell(rep, func(w io.Writer) { printSetup(w, rep) }); terr != nil {
				return terr
			}
			return err
		})
	setup.Flags().StringSliceVar(&o.Tenders, "tender", nil, "further tender types that get a clearing account")
	setup.Flags().StringSliceVar(&o.Taxes, "tax", nil, "further tax jurisdictions as the tills name them")
	setup.Flags().StringSliceVar(&profiles, "profile", nil, "make ready for files of this profile: its tenders and taxes")
	setup.Flags().BoolVar(&o.DryRun, "dry-run", false, "only tell what would be made")
	return group("odoo", "the books", setup, c.on("check", "see whether store-days can be posted", 0, c.check))
}

// expect adds the codes that files of some profiles will name.
func expect(ctx context.Context, s *store.Store, names []string, o *odoo.SetupOptions) error {
	known := profiles{read: s.Profile, have: map[string]known{}}
	for _, name := range names {
		p, err := known.get(name)
		if err != nil {
			return err
		}
		tenders, taxes := p.Codes()
		o.Tenders, o.Taxes = union(o.Tenders, tenders), union(o.Taxes, taxes)
	}
	return nil
}

// Setup runs odoo.Setup with what the hub knows and stores its rules.
func Setup(ctx context.Context, s *store.Store, cfg OdooConfig, o odoo.SetupOptions, who string) (rep odoo.SetupReport, err error) {
	client, err := OpenOdoo(cfg)
	if err != nil {
		return rep, err
	}
	if err := complete(ctx, s, &o); err != nil {
		return rep, err
	}
	rep, err = odoo.Setup(ctx, client, o)
	if err != nil || o.DryRun {
		return rep, err
	}
	return rep, errors.Join(s.SetRules(ctx, rep.Rules, who, "odoo setup"), s.SetBooks(ctx, rep.Books, who))
}

// complete adds what the hub has seen: locations, tenders, jurisdictions, rules.
func complete(ctx context.Context, s *store.Store, o *odoo.SetupOptions) error {
	ls, err := s.LocationViews(ctx, view.LocationFilter{})
	if err != nil {
		return err
	}
	o.Locations = map[retail.LocationCode]string{}
	for _, l := range ls {
		if l.Confirmed {
			o.Locations[l.Code] = l.Name
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
	o.Have, err = s.Mapping(ctx)
	return err
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
	if rep.Books.Journal != "" {
		fmt.Fprintf(w, "Journal %s, suspense account %s, %d new rules.\n", rep.Books.Journal, rep.Books.Suspense, len(rep.Rules))
	}
}

func (c *cli) check(ctx context.Context, s *desk, _ []string) error {
	client, err := OpenOdoo(s.cfg.Odoo)
	if err != nil {
		return err
	}
	o := odoo.SetupOptions{}
	if err := complete(ctx, s.Store, &o); err != nil {
		return err
	}
	currencies, err := s.Currencies(ctx)
	if err != nil {
		return err
	}
	journal := s.cfg.Posting.Journal
	if journal == "" {
		b, err := s.Books(ctx)
		if err != nil {
			return err
		}
		journal = b.Journal
	}
	rep, err := odoo.Check(ctx, client, o, journal, currencies)
	if err != nil {
		return err
	}
	err = c.tell(rep, func(w io.Writer) {
		fmt.Fprintf(w, "Odoo %s, company %s, %s, answers in %s\n", rep.Version, rep.Company, rep.Currency, rep.Answer.Round(1e6))
		if rep.Locked != "" {
			fmt.Fprintf(w, "  the books are closed up to %s\n", rep.Locked)
		}
		for _, list := range [][]string{rep.Missing, rep.Lacks, rep.Wrong} {
			for _, m := range list {
				fmt.Fprintf(w, "  missing: %s\n", m)
			}
		}
		if rep.Good() {
			fmt.Fprintln(w, "Store-days can be posted.")
		}
	})
	if err == nil && !rep.Good() {
		return errQuiet
	}
	return err
}
