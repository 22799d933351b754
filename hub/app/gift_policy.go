package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// giftPolicyCommand shows and sets what becomes of unredeemed gift cards.
func (c *cli) giftPolicyCommand() *cobra.Command {
	show := c.on("policy", "what becomes of gift cards that are not redeemed, by company or location and day", 0, func(ctx context.Context, s *desk, _ []string) error {
		ps, err := s.GiftPolicies(ctx)
		if err != nil {
			return err
		}
		return c.tell(ps, func(w io.Writer) { printPolicies(w, ps) })
	})
	p, rate := ledger.GiftPolicy{Tender: "gift_card"}, "0"
	set := c.on("set", "make a policy hold from a day on; the hub books every month by it", 0, func(ctx context.Context, s *desk, _ []string) error {
		var err error
		if p.Rate, err = decimal.NewFromString(rate); err != nil {
			return fault.Msg(fault.Invalid, "gift card policy", fmt.Sprintf("%q is no rate: say percent, like 2.5. Nothing was changed", rate))
		}
		if err := s.SetGiftPolicy(ctx, p, s.cfg.Odoo.Company, s.who, c.reason); err != nil {
			return err
		}
		return c.done(fmt.Sprintf("From %s on: %s. Each month is booked on its last day, three days after it is over; `hub giftcard close` does it now.", p.Since, policyWords(p)))
	})
	set.Example = "  hub giftcard policy set --at S-17 --from 2027-01-01 --rate 2.5 --reason \"breakage study 2026\"\n" +
		"  hub giftcard policy set --location S-NY --from 2027-01-01 --dormancy 60 --reason \"abandoned property law\""
	set.Flags().StringVar(&p.Company, "company", "", "Odoo company whose locations' cards are looked at as one; empty: the settings' own")
	set.Flags().StringVar((*string)(&p.Location), "location", "", "one location, whose cards are looked at by themselves")
	set.Flags().StringVar((*string)(&p.At), "at", "", "the location whose documents a company's are")
	set.Flags().Var((*date)(&p.Since), "from", "first day on which it holds; a month goes by the policy of its last day")
	set.Flags().StringVar(&rate, "rate", rate, "breakage: percent of what is sold that is never redeemed; only where the law does not give it to the state")
	set.Flags().IntVar(&p.Dormancy, "dormancy", 0, "escheat: months after its sale that an unredeemed card is the state's")
	set.Flags().StringVar(&p.Tender, "tender", p.Tender, "the tills' tender for gift cards")
	show.AddCommand(set)
	return show
}

// giftCloseCommand does now what the hub does by itself every month.
func (c *cli) giftCloseCommand() *cobra.Command {
	return c.on("close", "book what the policies say of every month that is over; what is booked stays", 0, func(ctx context.Context, s *desk, _ []string) error {
		made, err := s.CloseGiftCards(ctx, s.cfg.Odoo.Company)
		if err != nil {
			return err
		}
		s.Done()
		if made == 0 {
			return c.done("Nothing was to do: every month that is over is booked, or there is no policy for it (`hub giftcard policy`).")
		}
		return c.done(fmt.Sprintf("%d months' gift cards go to the books.", made))
	})
}

func policyWords(p ledger.GiftPolicy) string {
	what := "nothing becomes of unredeemed gift cards"
	switch {
	case p.Rate.IsPositive():
		what = fmt.Sprintf("%s percent of gift cards sold are never redeemed: the month's share is breakage", p.Rate)
	case p.Dormancy > 0:
		what = fmt.Sprintf("gift cards that nobody redeemed within %d months are the state's", p.Dormancy)
	}
	return p.GiftPool.String() + ": " + what
}

func printPolicies(w io.Writer, ps []ledger.GiftPolicy) {
	if len(ps) == 0 {
		fmt.Fprintln(w, "There is none: gift cards stay owed to customers for ever, but for what is booked by hand.")
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FROM\tWHAT\tTENDER\tDOCUMENTS OF\t")
	for _, p := range ps {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", p.Since, policyWords(p), p.Tender, cmp.Or(p.At, p.Location, retail.LocationCode("-")))
	}
	t.Flush() //nolint:errcheck // w tells
}

// settingGifts is the day on which gift cards were last looked at.
const settingGifts = "gift cards closed"

// closeGifts books every month's breakage and escheat, looking once a day at night; what failed is tried again in an hour.
func (a *App) closeGifts(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.closeGiftsOn(ctx, time.Now()); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "cannot book what becomes of gift cards; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
	return nil
}

func (a *App) closeGiftsOn(ctx context.Context, now time.Time) error {
	today := now.Format(time.DateOnly)
	done, err := a.Store.Setting(ctx, settingGifts)
	if err != nil || done == today || now.Hour() < nightHour {
		return err
	}
	made, err := a.Store.CloseGiftCards(ctx, a.Config.Odoo.Company)
	if err != nil {
		return err
	}
	if made > 0 {
		a.log.InfoContext(ctx, "gift cards of the months that are over go to the books", "vouchers", made)
		ring(a.news)
	}
	return a.Store.InTx(ctx, func(tx *store.Tx) error { return tx.SetSetting(ctx, settingGifts, today) })
}
