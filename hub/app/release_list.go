package app

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	repo "github.com/tillpost/tillpost/hub/release"
)

func (r *releaser) listCommand() *cobra.Command {
	return r.at("list", "what is released, file by file, what waits for signatures, who signs, and when it runs out", 0, func(_ context.Context, p *repo.Repo, _ []string) error {
		o, err := p.List()
		if err != nil {
			return err
		}
		return r.tell(o, func(w io.Writer) { printReleases(w, o, time.Now()) })
	})
}

// historyCommand reads the audit trail; it is the hub's, not a folder's.
func (r *releaser) historyCommand() *cobra.Command {
	return r.cli.on("history", "who put which releases into force on this hub, and why", 0, func(ctx context.Context, s *desk, _ []string) error {
		steps, err := s.ReleaseSteps(ctx)
		if err != nil {
			return err
		}
		return r.tell(steps, func(w io.Writer) {
			for _, x := range steps {
				fmt.Fprintf(w, "%s %s: %s. %s", x.At.Local().Format(time.DateTime), x.Who, x.What, x.After)
				if x.Reason != "" {
					fmt.Fprintf(w, " (%s)", x.Reason)
				}
				fmt.Fprintln(w)
			}
		})
	})
}

func printReleases(w io.Writer, o repo.Overview, now time.Time) {
	for _, x := range o.Releases {
		fmt.Fprintf(w, "%s %s/%s, %s", x.Version, x.OS, x.Arch, x.Channel)
		if x.Requires != "" {
			fmt.Fprintf(w, ", from %s on", x.Requires)
		}
		if x.BackFrom != "" {
			fmt.Fprintf(w, ", to go back to from %s", x.BackFrom)
		}
		if !x.Since.IsZero() {
			fmt.Fprintf(w, ", here since %s", x.Since.Local().Format(time.DateTime))
		}
		fmt.Fprintln(w)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.TabIndent)
		for _, f := range append([]repo.File{x.File}, x.Patches...) {
			missing := ""
			if f.Missing {
				missing = "\tNOT HERE"
			}
			fmt.Fprintf(t, "  %s\t%d bytes\tsha256 %s%s\n", f.Name, f.Bytes, f.Sum, missing)
		}
		t.Flush()
	}
	for _, n := range o.Unread {
		fmt.Fprintf(w, "%s: no program of this version reads what is said of it\n", n)
	}
	if len(o.Releases) == 0 {
		fmt.Fprintln(w, "No release is in force.")
	}
	for _, x := range o.Roles {
		fmt.Fprintf(w, "%s: %d of %d keys sign\n", x.Name, x.Need, len(x.Keys))
		for _, k := range x.Keys {
			fmt.Fprintf(w, "  %s\n", k)
		}
	}
	for _, e := range o.Ends {
		soon := ""
		if e.Soon(now) {
			soon = ": " + e.Say(now)
		}
		fmt.Fprintf(w, "%s %d holds until %s%s\n", e.Role, e.Version, e.Ends.Local().Format(time.DateTime), soon)
	}
	printWaiting(w, o.Waiting)
}

// printWaiting shows what a signature agrees to.
func printWaiting(w io.Writer, list []repo.Waiting) {
	for _, x := range list {
		fmt.Fprintf(w, "staged: %s %d, until %s, signed by %d keys\n", x.Role, x.Version, x.Ends.Local().Format(time.DateOnly), len(x.Signed))
		for _, c := range x.Changes {
			fmt.Fprintf(w, "  %s\n", c)
		}
	}
}
