package app

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

func (c *cli) booksCommand() *cobra.Command {
	var from, to string
	verify := c.on("verify", "read back from Odoo what was posted, and put ledger, documents and Odoo beside each other; fails when a cent differs", 0,
		func(ctx context.Context, s *desk, _ []string) error { return c.verifyBooks(ctx, s, from, to) })
	verify.Flags().StringVar(&from, "from", "", "first day; empty: 62 days back")
	verify.Flags().StringVar(&to, "to", "", "last day; empty: today")
	return group("books", "what stands in the books", verify)
}

func (c *cli) verifyBooks(ctx context.Context, s *desk, from, to string) error {
	today := retail.DateOf(s.Now())
	first, last := retail.BusinessDate(from), retail.BusinessDate(to)
	if first == "" {
		first = today.AddDays(-62)
	}
	if last == "" {
		last = today
	}
	read, begun := 0, time.Now()
	var taxes []odoo.TaxProof
	if s.cfg.Odoo.URL != "" {
		hub, err := s.HubID(ctx)
		if err != nil {
			return err
		}
		a := &App{Config: s.cfg, Store: s.Store, log: Logger(c.err, "error")}
		places, err := placesOf(ctx, s.Store)
		if err != nil {
			return err
		}
		for _, b := range s.cfg.Odoo.all() {
			l, err := a.newLane(hub, b.name, b.cfg)
			if err != nil {
				return err
			}
			n, err := l.writer.Look(ctx, time.Now().Add(-lookFar))
			if read += n; err != nil {
				return err
			}
			ts, err := a.taxProof(ctx, l, first, last, a.companiesOf(l, places))
			if err != nil {
				return err
			}
			taxes = append(taxes, ts...)
		}
	}
	ps, err := s.Proof(ctx, first, last)
	if err != nil {
		return err
	}
	good := true
	for _, p := range ps {
		good = good && p.Difference.IsZero() && p.Unsettled == 0 && p.Sent == p.Odoo
	}
	for _, p := range taxes {
		good = good && p.Good()
	}
	err = c.tell(map[string]any{"from": first, "to": last, "read": read, "good": good, "locations": ps, "taxes": taxes}, func(w io.Writer) {
		printProof(w, ps)
		printTaxes(w, taxes)
		fmt.Fprintf(w, "%d entries were read back in %s.\n", read, time.Since(begun).Round(100*time.Millisecond))
		if good {
			fmt.Fprintln(w, "Every document stands in Odoo as it was sent.")
		}
	})
	if err == nil && !good {
		return errQuiet
	}
	return err
}

func printProof(w io.Writer, ps []view.BooksProof) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "LOCATION\tDOCUMENTS\tUNSETTLED\tSENT\tODOO\tDIFFERENCE\tNOT IN A DOCUMENT YET\t")
	for _, p := range ps {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t\n", p.Location, p.Documents, p.Unsettled, p.Sent, p.Odoo, p.Difference, p.Pending)
	}
	t.Flush()
}
