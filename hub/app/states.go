package app

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/rollup"
)

// statesCommand shows and sets what statuses mean in Odoo.
func (c *cli) statesCommand() *cobra.Command {
	show := c.on("states", "what statuses of tickets and payments mean in Odoo, for locations that post ticket by ticket", 0, c.states)
	var m rollup.Meaning
	set := c.on("set STATUS", "make a status mean something else; documents of the difference follow", 1, func(ctx context.Context, s *desk, args []string) error {
		table, err := s.Meanings(ctx)
		if err != nil {
			return err
		}
		to := rollup.Meaning{Status: rollup.Status(args[0])}
		for _, have := range table {
			if have.Status == to.Status {
				to = have
			}
		}
		if m.Move != "" {
			to.Move = m.Move
		}
		if m.Payment != "" {
			to.Payment = m.Payment
		}
		if err := s.SetMeaning(ctx, to, s.who, c.reason); err != nil {
			return err
		}
		return c.done(fmt.Sprintf("%s means now: document %s, payment %s. Days that are posted ticket by ticket are brought in line by documents of the difference.", to.Status, to.Move, to.Payment))
	})
	set.Flags().StringVar((*string)(&m.Move), "document", "", "posted, held (none until another status) or counter (none, and a posted one is taken back)")
	set.Flags().StringVar((*string)(&m.Payment), "payment", "", "paid (booked and matched) or open (not booked; the document stays unpaid)")
	set.Example = "  hub odoo states set Approved --payment open --reason \"only settled money is money\""
	show.AddCommand(set)
	return show
}

func (c *cli) states(ctx context.Context, s *desk, _ []string) error {
	table, err := s.Meanings(ctx)
	if err != nil {
		return err
	}
	return c.tell(table, func(w io.Writer) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "STATUS\tDOCUMENT\tPAYMENT\t")
		for _, m := range table {
			own := ""
			if m.Own {
				own = "changed"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", m.Status, m.Move, m.Payment, own)
		}
		t.Flush() //nolint:errcheck // w tells
	})
}
