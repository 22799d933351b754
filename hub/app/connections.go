package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/breaker"
)

// connectionsCommand lists how every connection stands.
func (c *cli) connectionsCommand() *cobra.Command {
	return c.on("connections", "how the line to Odoo and the stores' own connections stand", 0, func(ctx context.Context, s *desk, _ []string) error {
		cs, err := s.Connections(ctx)
		if err != nil {
			return err
		}
		return c.tell(cs, func(w io.Writer) {
			for _, v := range cs {
				printConnection(w, v)
			}
			if len(cs) == 0 {
				fmt.Fprintln(w, "No connection has been told yet.")
			}
		})
	})
}

// down lists the connections that do not work, or will not because their key ends.
func down(ctx context.Context, s *desk) (out []view.ConnectionView, err error) {
	cs, err := s.Connections(ctx)
	for _, v := range cs {
		if v.State != breaker.Closed || !v.Ends.IsZero() && v.Ends.Sub(s.Now()) < odoo.KeyWarn {
			out = append(out, v)
		}
	}
	return out, err
}

func printConnection(w io.Writer, v view.ConnectionView) {
	who := "hub"
	if v.Device != "" {
		who = string(v.Device)
	}
	words := map[breaker.State]string{breaker.Closed: "works", breaker.Open: "rests", breaker.HalfOpen: "is being tried", breaker.Refused: "refuses"}[v.State]
	fmt.Fprintf(w, "%s %s %s since %s, %s", who, v.Name, words, v.Since.Format(time.DateTime), v.Mode)
	if !v.Next.IsZero() {
		fmt.Fprintf(w, ", next try %s", v.Next.Format(time.DateTime))
	}
	if !v.Ends.IsZero() {
		fmt.Fprintf(w, ", its key ends on %s", v.Ends.UTC().Format(time.DateOnly))
	}
	if v.State != breaker.Closed {
		fmt.Fprintf(w, ": %s", v.Reason)
	}
	fmt.Fprintln(w)
}
