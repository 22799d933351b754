package app

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/agent/source/filedrop"
)

// importCommand takes a file in, inside the running service or, when none runs, by itself.
func (c *cli) importCommand() *cobra.Command {
	var o ImportOptions
	cmd := &cobra.Command{Use: "import FILE", Short: "take a file in and tell what became of every row", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) (err error) {
		ctx := cmd.Context()
		if o.Path, err = filepath.Abs(args[0]); err != nil {
			return err
		}
		var rep filedrop.Report
		if err := c.buffer(ctx, "import", &rep, func(a *App) error {
			takeRoom()
			rep, err = importFile(ctx, a.Config, a.Buffer, o)
			return err
		}, o); err != nil {
			return err
		}
		if err := c.tell(nil, rep, importText(rep)); err != nil || rep.Refused == "" {
			return err
		}
		return errQuiet // nothing of it was taken in: a script must notice
	}}
	cmd.Flags().StringVar(&o.Profile, "profile", "", "how the file is to be read")
	cmd.Flags().StringVar((*string)(&o.Location), "location", "", "for a file that names none")
	cmd.Flags().BoolVar(&o.Today, "today", false, "send it with today's sales, not behind them")
	return cmd
}

func importText(r filedrop.Report) string {
	var b strings.Builder
	if r.Refused != "" {
		fmt.Fprintf(&b, "%s: nothing of it could be read: %s.\nHead office has a case for it. Correct the file or the profile and take it in again.\n", r.File, r.Refused)
		return b.String()
	}
	fmt.Fprintf(&b, "%s: %d rows = %d in %d tickets", r.File, r.Rows, r.Lines, r.Tickets)
	if r.Controls > 0 {
		fmt.Fprintf(&b, " and %d control totals", r.Controls)
	}
	fmt.Fprintf(&b, " + %d that become cases.\nSource total %s, booked %s, rounding %s.\n", r.Cases, r.Source, r.Booked, r.Rounded)
	for _, x := range r.Bad {
		fmt.Fprintf(&b, "  row %d: %s\n", x.Row, x.Why)
	}
	if n := r.Cases - len(r.Bad); n > 0 {
		fmt.Fprintf(&b, "  and %d more\n", n)
	}
	if r.Cases > 0 {
		b.WriteString("Those rows are not in the books yet: correct them and take the file in again, what is booked already stays as it is; or let head office decide their cases.\n")
	}
	b.WriteString("Everything is safe on this PC and goes to head office by itself.\n")
	return b.String()
}

// takeRoom lets a process that only takes a file in use more memory than a service may: it is over soon, and sweeping a small heap again and
// again takes a fifth of its time (measured).
func takeRoom() {
	debug.SetMemoryLimit(importMemory)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

const importMemory = 64 << 20
