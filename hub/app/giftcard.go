package app

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// giftCardCommand books what becomes of gift cards that no till tells: breakage, escheat, and what companies owe each other for them.
func (c *cli) giftCardCommand() *cobra.Command {
	rate, tender := "", "gift_card"
	breakage := c.on("breakage LOCATION MONTH", "book the month's share of gift cards that will never be redeemed, in proportion to what was redeemed", 2,
		func(ctx context.Context, s *desk, args []string) error {
			day := retail.BusinessDate(args[1] + "-01")
			percent, err := decimal.NewFromString(rate)
			if !day.Valid() || err != nil {
				return fault.Msg(fault.Invalid, "gift card breakage", "name the month like 2026-11 and the rate like --rate 2.5")
			}
			if today := retail.DateOf(s.Now()); day[:7] >= today[:7] {
				return fault.Msg(fault.Invalid, "gift card breakage", fmt.Sprintf("%s is not over: its share is known when its last day is", args[1]))
			}
			l := retail.LocationCode(args[0])
			redeemed, err := s.Redeemed(ctx, l, tender, day)
			if err != nil {
				return err
			}
			v, err := ledger.Broken(l, day, redeemed, percent)
			if err != nil {
				return err
			}
			return c.bookByHand(ctx, s, v)
		})
	breakage.Flags().StringVar(&rate, "rate", "", "percent of what is sold that is never redeemed; only where the law does not give it to the state")
	breakage.Flags().StringVar(&tender, "tender", tender, "the tills' tender for gift cards")
	escheat := c.on("escheat LOCATION DATE AMOUNT", "move unredeemed gift cards that a state is owed to unclaimed property", 3, func(ctx context.Context, s *desk, args []string) error {
		l, day, amount, err := c.placed(ctx, s, args[0], args[1], args[2])
		if err != nil {
			return err
		}
		v, err := ledger.Escheated(l.Code, day, amount)
		if err != nil {
			return err
		}
		return c.bookByHand(ctx, s, v)
	})
	ref, taken := "", "gift_card"
	across := c.on("across SELLER TAKER DATE AMOUNT", "book a gift card that one company sold and another took, in both companies' books", 4, func(ctx context.Context, s *desk, args []string) error {
		sold, day, amount, err := c.placed(ctx, s, args[0], args[2], args[3])
		if err != nil {
			return err
		}
		took, _, _, err := c.placed(ctx, s, args[1], args[2], args[3])
		if err != nil {
			return err
		}
		if ref == "" {
			return fault.Msg(fault.Invalid, "gift card across companies", "name the redemption with --ref, as by its receipt's number: the same one is then never booked twice")
		}
		vs, err := ledger.Across(ledger.Holder{Location: sold.Code, Company: sold.Company}, ledger.Holder{Location: took.Code, Company: took.Company}, day, amount, taken, ref)
		if err != nil {
			return err
		}
		return c.bookByHand(ctx, s, vs...)
	})
	across.Flags().StringVar(&ref, "ref", "", "what names the redemption: its receipt's number")
	across.Flags().StringVar(&taken, "tender", taken, "the tills' tender for gift cards at the one that took it")
	return group("giftcard", "what becomes of gift cards beside the till", breakage, escheat, across, c.giftPolicyCommand(), c.giftCloseCommand())
}

// placed reads a location, a date and an amount in the location's currency; a location that names no company is of the settings' own.
func (c *cli) placed(ctx context.Context, s *desk, code, date, amount string) (l odoo.Location, day retail.BusinessDate, sum money.Amount, err error) {
	if day = retail.BusinessDate(date); !day.Valid() {
		return l, day, sum, fault.Msg(fault.Invalid, "gift card", fmt.Sprintf("%q is not a date like 2026-11-30", date))
	}
	ls, err := placesOf(ctx, s.Store)
	if err != nil {
		return l, day, sum, err
	}
	for _, l = range ls {
		if string(l.Code) != code {
			continue
		}
		if l.Company == "" {
			l.Company = s.cfg.Odoo.Company
		}
		if l.Company == "" {
			l.Company = "head office"
		}
		sum, err = money.Parse(amount, money.Currency(l.Currency))
		if err == nil && sum.Minor <= 0 {
			err = fault.Msg(fault.Invalid, "gift card", "the amount must be above zero")
		}
		return l, day, sum, err
	}
	return l, day, sum, fault.Msg(fault.NotFound, "gift card", fmt.Sprintf("there is no confirmed location %q", code))
}

func (c *cli) bookByHand(ctx context.Context, s *desk, vs ...ledger.Voucher) error {
	made, err := s.BookByHand(ctx, vs, s.who, c.reason)
	if err != nil {
		return err
	}
	s.Done()
	said := fmt.Sprintf("%s, %s: %d documents go to the books.", vs[0].Text, vs[0].Postings[0].Amount, made)
	if made == 0 {
		said = "It is booked already; nothing was done."
	}
	return c.done(said)
}
