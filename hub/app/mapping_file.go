package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

func (c *cli) mappingFileCommands() []*cobra.Command {
	export := c.on("export", "write the rules as CSV", 0, func(ctx context.Context, s *desk, _ []string) error {
		set, err := s.Mapping(ctx)
		if err != nil {
			return err
		}
		return set.Write(c.out)
	})
	var dry bool
	imp := c.on("import FILE", "take rules from a CSV file; what it does not name stays as it is", 1, func(ctx context.Context, s *desk, args []string) error {
		f, err := os.Open(args[0])
		if err != nil {
			return fault.New(fault.Invalid, "read mapping", err)
		}
		defer f.Close()
		rules, err := mapping.Read(f)
		if err != nil {
			return err
		}
		effects, err := s.Clerk.TryRules(ctx, rules)
		if err != nil {
			return err
		}
		if !dry {
			if err := s.Clerk.TakeRules(ctx, rules, s.who, c.reason); err != nil {
				return err
			}
		}
		return c.tell(map[string]any{"rules": len(rules), "kept": !dry, "moves": effects}, func(w io.Writer) { printEffects(w, len(rules), dry, effects) })
	})
	imp.Flags().BoolVar(&dry, "dry-run", false, "only tell what would move on store-days")
	return []*cobra.Command{export, imp}
}

func printEffects(w io.Writer, rules int, dry bool, effects []view.MappingEffect) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range effects {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t→ %s\n", e.Day, e.Location, e.Measure, e.Amount, e.From, e.To)
	}
	t.Flush()
	word := "are in force; these lines move by themselves"
	if dry {
		word = "would hold, and these lines would move"
	}
	fmt.Fprintf(w, "%d rules %s: %d.\n", rules, word, len(effects))
}
