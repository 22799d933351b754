package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

func (c *cli) mappingCommand() *cobra.Command {
	return group("mapping", "which account each of the tills' codes is, and what stands beside it", append(c.mappingFileCommands(), c.mappingSet(), c.mappingList(), c.mappingHistory())...)
}

func (c *cli) mappingSet() *cobra.Command {
	var r mapping.Rule
	var dry bool
	set := c.on("set ROLE CODE", "say which account a till's code is, or what stands beside a location's, station's, employee's or category's lines; what stood in suspense moves by itself", 2,
		func(ctx context.Context, s *desk, args []string) error {
			r.Role, r.Code = ledger.Role(args[0]), args[1]
			if dry {
				effects, err := s.Clerk.TryRules(ctx, []mapping.Rule{r})
				if err != nil {
					return err
				}
				return c.tell(map[string]any{"rules": 1, "kept": false, "moves": effects}, func(w io.Writer) { printEffects(w, 1, true, effects) })
			}
			if err := s.Clerk.SetRule(ctx, r, s.who, c.reason); err != nil {
				return err
			}
			return c.done(fmt.Sprintf("%s %q is %s.", r.Role, r.Code, r.Target))
		})
	set.Aliases = []string{"add"}
	set.Example = "  hub mapping set tender Ewallet --account 101405\n  hub mapping set sales \"*\" --account 400000 --from 2027-01-01\n  hub mapping set tax \"NY State\" --tax \"NY State 4%\"\n" +
		"  hub mapping set category Toys --analytic Departments/Toys\n  hub mapping set station KIOSK --analytic Channels/Kiosk --from 2027-01-01 --dry-run\n  hub mapping set location S-17 --journal TP17 --warehouse WH17"
	set.Flags().StringVar(&r.Target.Account, "account", "", "account code in Odoo")
	set.Flags().StringVar(&r.Target.Tax, "tax", "", "tax name in Odoo, for tax and taxrefund")
	set.Flags().StringVar(&r.Target.Label, "label", "", "what the line is called")
	set.Flags().StringVar(&r.Target.Journal, "journal", "", "journal code in Odoo: of a tender's payments, or of a location's entries")
	set.Flags().StringVar(&r.Target.Method, "method", "", "of a tender: the payment method in that journal")
	set.Flags().StringVar(&r.Target.Analytic, "analytic", "", "analytic accounts beside the line, one of each plan: code, name or Plan/name, parted by ; (- ends what stood there)")
	set.Flags().StringVar(&r.Target.Company, "company", "", "of a location: the Odoo company")
	set.Flags().StringVar(&r.Target.Warehouse, "warehouse", "", "of a location: the warehouse's code")
	set.Flags().StringVar((*string)(&r.Location), "location", "", "only at this one")
	set.Flags().Var((*date)(&r.From), "from", "from this day on")
	set.Flags().BoolVar(&dry, "dry-run", false, "only tell what would move on store-days")
	return set
}

func (c *cli) mappingList() *cobra.Command {
	var on string
	list := c.on("list", "list the rules in force", 0, func(ctx context.Context, s *desk, _ []string) error {
		m, err := s.Mapping(ctx)
		if err != nil {
			return err
		}
		if day := retail.BusinessDate(on); day != "" {
			if !day.Valid() {
				return fault.Msg(fault.Invalid, "list mapping", fmt.Sprintf("--on %q is not a date like 2026-12-01", on))
			}
			m = m.On(day)
		}
		return c.tell(m, func(w io.Writer) {
			t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "ROLE\tCODE\tACCOUNT\tTAX\tLOCATION\tFROM\tBESIDE")
			for _, r := range m.Rules {
				beside := r.Target
				beside.Account, beside.Tax = "", ""
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Role, r.Code, r.Target.Account, r.Target.Tax, r.Location, r.From, beside)
			}
			t.Flush()
		})
	})
	list.Flags().StringVar(&on, "on", "", "as they count on this day")
	return list
}

func (c *cli) mappingHistory() *cobra.Command {
	f := view.MappingFilter{Limit: 200}
	history := c.on("history", "list who changed which rule, when, and from what to what; the newest first", 0, func(ctx context.Context, s *desk, _ []string) error {
		all, err := s.MappingHistory(ctx, f)
		if err != nil {
			return err
		}
		return c.tell(all, func(w io.Writer) {
			t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			for _, h := range all {
				was := h.Before.String()
				if h.New {
					was = "new"
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t→ %s\t%s\n", h.At.Local().Format("2006-01-02 15:04"), h.Who, ruleText(mapping.Rule{Role: h.Role, Code: h.Code, Location: h.Location, From: h.From}), was, h.After, h.Reason)
			}
			t.Flush()
		})
	})
	history.Flags().StringVar((*string)(&f.Role), "role", "", "only of this role")
	history.Flags().StringVar(&f.Code, "code", "", "only of this code")
	history.Flags().IntVar(&f.Limit, "limit", f.Limit, "at most so many, 0 = all")
	return history
}

func (c *cli) profileCommand() *cobra.Command {
	set := c.on("set NAME FILE", "use the hub's own version of a profile; refused records that it explains are booked", 2, func(ctx context.Context, s *desk, args []string) error {
		body, err := os.ReadFile(args[1])
		if err != nil {
			return fault.New(fault.Invalid, "set profile", err)
		}
		p, err := profile.Parse(body)
		if err != nil {
			return err
		}
		if p.Name != args[0] {
			return fault.Msg(fault.Invalid, "set profile", fmt.Sprintf("the file is the profile %q, not %q; nothing was changed", p.Name, args[0]))
		}
		if err := s.SetProfile(ctx, args[0], body, s.who, c.reason); err != nil {
			return err
		}
		return c.reprocess(ctx, s, nil)
	})
	list := c.on("list", "list the profiles that are known, and whose version is in force", 0, func(ctx context.Context, s *desk, _ []string) error {
		known, err := s.Profiles(ctx, profile.Names())
		if err != nil {
			return err
		}
		return c.tell(known, func(w io.Writer) {
			for _, p := range known {
				versions := ""
				if p.Versions > 1 {
					versions = fmt.Sprintf(" (agents sent %d versions of it; rows are read by the one that they were made with)", p.Versions)
				}
				fmt.Fprintf(w, "%-28s %s%s\n", p.Name, p.Whose, versions)
			}
		})
	})
	return group("profile", "how files are read", set, list)
}
