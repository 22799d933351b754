package app

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// lateMost is how long after its ticket a payment is waited for before the ticket is listed as one without: a terminal that stored it
// offline sends it within the day.
const lateMost = 36 * time.Hour

// paymentList is what `hub payments` tells.
type paymentList struct {
	Payments []view.PaymentView `json:"payments"`
	Lone     []view.LoneTender  `json:"tenders_without_payment"`
}

func (c *cli) paymentCommands() []*cobra.Command {
	var f view.PaymentFilter
	list := c.on("payments", "list card payments with their tickets, and card tenders without a payment", 0, func(ctx context.Context, s *desk, _ []string) error {
		var l paymentList
		var err error
		if l.Payments, err = s.PaymentViews(ctx, f); err != nil {
			return err
		}
		if l.Lone, err = s.LoneTenders(ctx, f, lateMost); err != nil {
			return err
		}
		return c.tell(l, func(w io.Writer) { printPayments(w, l) })
	})
	bounds(list, &f.Location, &f.From, &f.To, &f.Limit)
	list.Flags().BoolVar(&f.Unmatched, "unmatched", false, "only those that belong to no ticket")

	var b view.PaymentFilter
	batches := c.on("batches", "list settlement batches, each beside what its payments come to", 0, func(ctx context.Context, s *desk, _ []string) error {
		vs, err := s.BatchViews(ctx, b)
		if err != nil {
			return err
		}
		return c.tell(vs, func(w io.Writer) { printBatches(w, vs) })
	})
	batches.Flags().StringVar((*string)(&b.Location), "location", "", "only this one")
	batches.Flags().IntVar(&b.Limit, "limit", 200, "at most so many, 0 = all")

	d := view.SettlementFilter{Kind: "deposit"}
	deposits := c.on("deposits", "list what reached the bank, with the payments in it; or disputes and fees", 0, func(ctx context.Context, s *desk, _ []string) error {
		vs, err := s.SettlementViews(ctx, d)
		if err != nil {
			return err
		}
		return c.tell(vs, func(w io.Writer) { printSettlement(w, vs) })
	})
	bounds(deposits, &d.Location, &d.From, &d.To, &d.Limit)
	deposits.Flags().StringVar(&d.Kind, "kind", d.Kind, "deposit, settled, dispute or fees")
	return []*cobra.Command{list, batches, deposits}
}

func bounds(cmd *cobra.Command, l *retail.LocationCode, from, to *retail.BusinessDate, limit *int) {
	cmd.Flags().StringVar((*string)(l), "location", "", "only this one")
	cmd.Flags().Var((*date)(from), "from", "first day, by UTC")
	cmd.Flags().Var((*date)(to), "to", "last day, by UTC")
	cmd.Flags().IntVar(limit, "limit", 200, "at most so many, 0 = all")
}

func printPayments(w io.Writer, l paymentList) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tLOCATION\tTILL\tPAYMENT\tSTATE\tCARD\tAMOUNT\tTICKET\tHOW SURE\tDIFFERENCE\t")
	for _, p := range l.Payments {
		ticket, diff := "none", ""
		if p.Ticket != 0 {
			ticket, diff = p.Number, p.Difference.String()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s %s\t%s\t%s\t%s\t%s\t%s\n", p.At.Format(time.DateTime), p.Location, p.Till, p.Gateway, p.State, p.Brand, p.Last4, p.Amount, ticket, p.Confidence, diff, p.Why)
	}
	t.Flush()
	if len(l.Lone) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%d card tenders have no payment at the gateway:\n", len(l.Lone))
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range l.Lone {
		fmt.Fprintf(t, "%s\t%s\t%s\tticket %s\t%s %s\t%s\t\n", x.At.Format(time.DateTime), x.Location, x.Till, x.Number, x.Type, x.Last4, x.Amount)
	}
	t.Flush()
}

func printBatches(w io.Writer, vs []view.BatchView) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "OPENED\tLOCATION\tBATCH\tDEVICE\tSTATE\tCLOSED\tCOUNT\tTOTAL\tPAYMENTS HERE\tSUM\tDIFFERENCE\t")
	for _, b := range vs {
		closed, diff := "–", "–"
		if !b.Closed.IsZero() {
			closed, diff = b.Closed.Format(time.DateTime), b.Difference.String()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\t\n", b.Opened.Format(time.DateTime), b.Location, b.ID, b.Device, b.State, closed, b.Count, b.Total, b.Payments, b.Sum, diff)
	}
	t.Flush()
}

func printSettlement(w io.Writer, vs []view.SettlementView) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range vs {
		switch x := v.Record.(type) {
		case retail.BankDeposit:
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\tsales %s\trefunds %s\tchargebacks %s\tfees %s\t%d payments %s\t\n", x.Day, x.Merchant, x.Key.ID, x.Status, x.Amount, x.Sales.Amount, x.Refunds.Amount,
				x.Chargebacks.Amount, x.Fees, v.Payments, v.Sum)
		case retail.SettledPayment:
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s %s\tdeposit %s\t\n", x.At.Format(time.DateTime), x.Merchant, x.Key.ID, x.Status, x.Amount, x.Brand, x.Last4, x.Deposit)
		case retail.Dispute:
			fmt.Fprintf(t, "%s\t%s\t%s\t%s %s %s\t%s\tanswer by %s\t%s\t\n", x.At.Format(time.DateOnly), x.Merchant, x.Key.ID, x.Stage, x.Status, x.Result, x.Amount, x.RespondBy.Format(time.DateOnly), x.Reason)
		case retail.MonthlyFees:
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", x.Day, x.Merchant, x.Status, x.Amount)
		}
	}
	t.Flush()
	if len(vs) == 0 {
		fmt.Fprintln(w, "Nothing is known. A source [[source.gpapi]] reads deposits, where the processor allows it.")
	}
}

const (
	matchEvery = 2 * time.Second // nobody waits for a match
	matchDays  = 20              // in one transaction: what the intake waits for it stays short
)

// match finds the tickets of card payments as both come in.
func (a *App) match(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := a.Store.MatchPayments(ctx, matchDays)
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "cannot match payments with tickets; it is tried again", "err", err)
		}
		if n == matchDays {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(matchEvery):
		}
	}
	return nil
}
