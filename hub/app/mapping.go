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
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
)

func (c *cli) mappingCommand() *cobra.Command {
	var r mapping.Rule
	set := c.on("set ROLE CODE", "say which account a till's code is; what stood in suspense moves by itself", 2, func(ctx context.Context, s *desk, args []string) error {
		r.Role, r.Code = ledger.Role(args[0]), args[1]
		if err := s.Clerk.SetRule(ctx, r, s.who, c.reason); err != nil {
			return err
		}
		return c.done(fmt.Sprintf("%s %q is %s%s.", r.Role, r.Code, r.Target.Account, r.Target.Tax))
	})
	set.Aliases = []string{"add"}
	set.Example = "  hub mapping set tender Ewallet --account 101405\n  hub mapping set sales \"*\" --account 400000 --from 2027-01-01\n  hub mapping set tax \"NY State\" --tax \"NY State 4%\""
	set.Flags().StringVar(&r.Target.Account, "account", "", "account code in Odoo")
	set.Flags().StringVar(&r.Target.Tax, "tax", "", "tax name in Odoo, for tax and taxrefund")
	set.Flags().StringVar(&r.Target.Label, "label", "", "what the line is called")
	set.Flags().StringVar((*string)(&r.Location), "location", "", "only at this one")
	set.Flags().StringVar((*string)(&r.From), "from", "", "from this day on")
	list := c.on("list", "list the rules in force", 0, func(ctx context.Context, s *desk, _ []string) error {
		m, err := s.Mapping(ctx)
		if err != nil {
			return err
		}
		return c.tell(m, func(w io.Writer) {
			t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "ROLE\tCODE\tACCOUNT\tTAX\tLOCATION\tFROM")
			for _, r := range m.Rules {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Role, r.Code, r.Target.Account, r.Target.Tax, r.Location, r.From)
			}
			t.Flush()
		})
	})
	return group("mapping", "which account each of the tills' codes is", append(c.mappingFileCommands(), set, list)...)
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
				fmt.Fprintf(w, "%-28s %s\n", p.Name, p.Whose)
			}
		})
	})
	return group("profile", "how files are read", set, list)
}
