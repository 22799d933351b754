package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/view"
)

func (c *cli) caseCommands() []*cobra.Command {
	all := false
	list := c.on("cases", "list what somebody must decide", 0, func(ctx context.Context, s *desk, _ []string) error {
		cs, err := s.CaseViews(ctx, view.CaseFilter{All: all})
		if err != nil {
			return err
		}
		return c.tell(cs, func(w io.Writer) {
			for _, k := range cs {
				fmt.Fprintf(w, "%s  %s\n    %s. %s\n    %s\n    %s\n", k.ID, k.Amount, k.Title, k.Means, k.Detail, doOf(k))
			}
			if len(cs) == 0 {
				fmt.Fprintln(w, "Nothing to decide.")
			}
		})
	})
	list.Flags().BoolVar(&all, "all", false, "closed and accepted ones too")
	one := &cobra.Command{Use: "case ID show|retry|map|accept|edit|confirm|approve|release|take-over", Short: "look at a case, or decide it", Args: cobra.ExactArgs(2),
		Long: "Look at a case, or decide it. Every decision is kept with who took it, why, and what stood there before and after.\n\n" +
			"  show      what happened, what it means for the money, what to do, and the steps so far\n" +
			"  retry     do again what failed: read a record again, send a document again under its same external id\n" +
			"  map       say which account (--account) or tax (--tax) a code is; what stood in suspense moves by itself\n" +
			"  accept    live with it, with --reason\n" +
			"  edit      mend a record that was refused or kept aside: --file holds its new text, which is checked and booked; what came stays beside it\n" +
			"  confirm   confirm an unknown till, or an unknown location as its store describes it\n" +
			"  approve   post a store-day as it is, with --reason\n" +
			"  release   let a stopped stream go on; let a store-day stand beside another hub's entry, with --reason\n" +
			"  take-over let this hub post where two run on one Odoo database, with --reason",
		Example: "  hub case unknown_code:tender:Ewallet map --account 101405\n  hub case \"gap:S-17 2026-11-23\" accept --reason \"training receipts\"\n  hub case \"locked_period:S-17/2026-11-23/1\" retry --date 2026-12-01"}
	var a view.Act
	var file string
	one.Flags().Var((*date)(&a.Date), "date", "for retry of a document: the accounting date it goes to")
	one.Flags().StringVar(&a.Account, "account", "", "for map: the account code in Odoo")
	one.Flags().StringVar(&a.Tax, "tax", "", "for map: the tax's name in Odoo")
	one.Flags().StringVar(&file, "file", "", "for edit: a file with the record's new text")
	one.RunE = func(cmd *cobra.Command, args []string) error {
		return c.on("", "", 2, func(ctx context.Context, s *desk, args []string) error { return c.oneCase(ctx, s, args, a, file) }).RunE(cmd, args)
	}
	return []*cobra.Command{list, one, c.on("reprocess", "read refused records again, after something was mended", 0, c.reprocess)}
}

func (c *cli) oneCase(ctx context.Context, s *desk, args []string, a view.Act, file string) error {
	if args[1] == "show" {
		v, err := s.CaseView(ctx, args[0])
		if err != nil {
			return err
		}
		return c.tell(v, func(w io.Writer) { printCase(w, v) })
	}
	a.What, a.Who, a.Reason = args[1], s.who, c.reason
	if a.What == "edit" {
		b, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("edit needs --file with the record's new text: %w", err)
		}
		a.Body = string(b)
	}
	if err := s.Act(ctx, args[0], a); err != nil {
		return err
	}
	return c.done("case " + args[0] + ": " + a.What)
}

// doOf is the recommended action, with the command that confirms what the case proposes.
func doOf(v view.CaseView) string {
	if v.Proposed == "" || v.State != cases.Open {
		return v.Do
	}
	return fmt.Sprintf("%s To confirm: hub case %q retry --date %s", v.Do, v.ID, v.Proposed)
}

func printCase(w io.Writer, v view.CaseView) {
	fmt.Fprintf(w, "%s (%s)\n%s. %s\n%s\n%s\n", v.ID, v.State, v.Title, v.Means, v.Detail, doOf(v))
	for _, st := range v.Steps {
		fmt.Fprintf(w, "  %s  %s %s %s %s → %s\n", st.At.Format(time.RFC3339), st.Who, st.What, st.Reason, st.Before, st.After)
	}
	if v.Raw != nil {
		fmt.Fprintf(w, "\nRaw record %d from %s, position %s\n%s\n", v.Raw.Envelope, v.Raw.Device, v.Raw.Position, v.Raw.Body)
	}
}

func (c *cli) reprocess(ctx context.Context, s *desk, _ []string) error {
	booked, left, err := s.Reprocess(ctx, "", s.Mean, s.who)
	if err != nil {
		return err
	}
	return c.tell(map[string]int{"booked": booked, "still_refused": left}, func(w io.Writer) {
		fmt.Fprintf(w, "%d records are booked now, %d are still refused.\n", booked, left)
	})
}
