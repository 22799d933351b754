package app

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/shared/fault"
)

// connectionCommand looks at connections, and lets a refused one be asked again.
func (c *cli) connectionCommand() *cobra.Command {
	group := &cobra.Command{Use: "connection", Short: "the lines to tills, terminals and services"}
	retry := &cobra.Command{Use: "retry NAME", Short: "ask a connection again that was refused, after its key or right was mended", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.retry(cmd.Context(), args[0]) }}
	group.AddCommand(retry, c.command("list", "how every connection stands", c.listConnections))
	return group
}

func (c *cli) retry(ctx context.Context, name string) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	var done string
	running, err := ask(ctx, cfg.DataDir, "retry", &done, name)
	if !running {
		return fault.Msg(fault.NotFound, "retry", "the agent is not running: it asks every connection when it starts")
	}
	if err != nil {
		return err
	}
	return c.tell(nil, map[string]string{"connection": done}, "It is asked again now: agent connection list tells how it went.\n")
}

func (c *cli) listConnections(ctx context.Context, _ []string) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	var st Status
	if _, err := ask(ctx, cfg.DataDir, "status", &st); err != nil {
		return err
	}
	if c.json {
		return c.tell(nil, st.Connections, "")
	}
	for _, s := range st.Connections {
		writeConnection(c.out, s)
	}
	return nil
}
