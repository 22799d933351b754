package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

func (c *cli) locationCommand() *cobra.Command {
	add, set := view.LocationForm{Cutoff: "04:00", Currency: "USD"}, view.LocationForm{}
	put := func(ctx context.Context, s *desk, f view.LocationForm) error {
		if err := s.PutLocation(ctx, f, s.who); err != nil {
			return err
		}
		return c.done("Location " + string(f.Code) + " is confirmed, and the tills it is known to have with it. What waited for this goes on.")
	}
	adding := c.on("add CODE", "confirm a location", 1, func(ctx context.Context, s *desk, args []string) error {
		add.Code = retail.LocationCode(args[0])
		ls, err := s.LocationViews(ctx, view.LocationFilter{})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(ls, func(l view.LocationView) bool { return l.Code == add.Code && l.Confirmed }) {
			return fault.Msg(fault.Conflict, "add location", args[0]+" is confirmed already, and what is not named here would be forgotten of it. Nothing was changed; to change something: hub location set "+args[0])
		}
		return put(ctx, s, add)
	})
	adding.Example = "  hub location add S-17 --name Springfield --zone America/Chicago --open-days \"mon tue wed thu fri sat\""
	var setting *cobra.Command
	setting = c.on("set CODE", "change what is said of a location; what is not named stays", 1, func(ctx context.Context, s *desk, args []string) error {
		f, err := s.LocationForm(ctx, retail.LocationCode(args[0]))
		if err != nil {
			return err
		}
		return put(ctx, s, changed(f, set, setting.Flags()))
	})
	setting.Example = "  hub location set S-17 --cutoff 05:00 --from 2026-12-01"
	for cmd, f := range map[*cobra.Command]*view.LocationForm{adding: &add, setting: &set} {
		cmd.Flags().StringVar(&f.Name, "name", "", "what people call it")
		cmd.Flags().StringVar(&f.Zone, "zone", "", "time zone, such as America/New_York")
		cmd.Flags().StringVar(&f.Cutoff, "cutoff", f.Cutoff, "when its business day begins")
		cmd.Flags().StringVar((*string)(&f.Currency), "currency", string(f.Currency), "what it sells in")
		cmd.Flags().StringVar(&f.Company, "company", "", "Odoo company")
		cmd.Flags().StringVar(&f.OpenDays, "open-days", "", "such as \"mon tue wed\": a day of which nothing comes is then noticed")
		cmd.Flags().StringVar((*string)(&f.Review), "review", "", "who lets its days go: auto or person; empty: as the settings' posting.auto_approve")
		cmd.Flags().Var((*date)(&f.Shadow), "shadow-until", "first day that is posted; the days before run in shadow")
		cmd.Flags().StringVar(&f.OldWay, "old-journal", "", "code of the Odoo journal that the old way writes to")
		cmd.Flags().Var((*date)(&f.Costs), "cogs-from", "first day whose cost of goods is posted, as far as the tills know it; never with an Odoo that values stock itself")
		cmd.Flags().StringVar((*string)(&f.Period), "closed-period", "", "what becomes of a day whose period is closed in Odoo: hold, next or ask; empty: as the settings' posting.closed_period")
		cmd.Flags().StringVar((*string)(&f.Posting), "posting", "", "as what its days go to Odoo: entry, receipt, invoice or ticket; days that have a document keep theirs")
		cmd.Flags().Var((*date)(&f.PostingFrom), "posting-from", "first day that goes so")
		cmd.Flags().Var((*date)(&f.From), "from", "first day on which zone and cutoff hold; tickets in documents never move")
	}
	till := c.on("till LOCATION TILL", "confirm that a till belongs to a location", 2, func(ctx context.Context, s *desk, args []string) error {
		if err := s.ConfirmTill(ctx, retail.LocationCode(args[0]), retail.TillCode(args[1]), s.who); err != nil {
			return err
		}
		return c.done("Till " + args[1] + " of " + args[0] + " is confirmed.")
	})
	return group("location", "the registry of stores", adding, setting, c.on("list", "list locations", 0, c.locations), till)
}

// changed puts what the flags name in the place of what holds.
func changed(f, set view.LocationForm, flags *pflag.FlagSet) view.LocationForm {
	for name, copyTo := range map[string]func(){
		"name": func() { f.Name = set.Name }, "zone": func() { f.Zone = set.Zone }, "cutoff": func() { f.Cutoff = set.Cutoff },
		"review": func() { f.Review = set.Review }, "shadow-until": func() { f.Shadow = set.Shadow }, "old-journal": func() { f.OldWay = set.OldWay }, "closed-period": func() { f.Period = set.Period },
		"cogs-from": func() { f.Costs = set.Costs }, "posting": func() { f.Posting = set.Posting },
		"currency": func() { f.Currency = set.Currency }, "company": func() { f.Company = set.Company }, "open-days": func() { f.OpenDays = set.OpenDays },
	} {
		if flags.Changed(name) {
			copyTo()
		}
	}
	f.From, f.PostingFrom = set.From, set.PostingFrom
	return f
}

func (c *cli) locations(ctx context.Context, s *desk, _ []string) error {
	ls, err := s.LocationViews(ctx, view.LocationFilter{})
	if err != nil {
		return err
	}
	return c.tell(ls, func(w io.Writer) {
		for _, l := range ls {
			printLocation(w, l)
		}
		if len(ls) == 0 {
			fmt.Fprintln(w, "No location is known yet: add one, or wait for a store's first word.")
		}
	})
}

func printLocation(w io.Writer, l view.LocationView) {
	sure := "confirmed"
	if !l.Confirmed {
		sure = "NOT CONFIRMED"
	}
	fmt.Fprintf(w, "%s  %s  %s, day begins %s, %s, company %q, open %q, %s, last seen %s\n", l.Code, l.Name, l.Zone, l.Cutoff, l.Currency, l.Company, l.OpenDays, sure, when(l.Seen))
	if l.Review != "" || l.Shadow != "" || l.Period != "" {
		fmt.Fprintf(w, "    review %s, posted from %s on, closed periods: %s\n", cmp.Or(string(l.Review), "as for all"), cmp.Or(string(l.Shadow), "the beginning"), cmp.Or(string(l.Period), "as for all"))
	}
	for _, r := range l.Postings {
		fmt.Fprintf(w, "    from %s: its days go to Odoo as %s\n", cmp.Or(r.Since, "the beginning"), r.Mode)
	}
	for _, r := range l.Coming {
		if len(l.Coming) == 1 {
			break
		}
		fmt.Fprintf(w, "    from %s: %s, day begins %s\n", r.From, r.Zone, r.Cutoff)
	}
	for _, t := range l.Tills {
		fmt.Fprintf(w, "    %s %s  %s %s %s  last ticket %s, seen %s, clock %+d s\n", t.Kind, t.Code, t.Model, t.Software, t.Status, t.Number, when(t.Seen), t.Clock.Round(time.Second)/time.Second)
	}
	for _, d := range l.Devices {
		fmt.Fprint(w, "    device ")
		printDevice(w, d)
	}
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339)
}
