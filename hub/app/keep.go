package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
)

func (c *cli) keepCommands() []*cobra.Command {
	return []*cobra.Command{c.on("backup FILE", "write a whole, consistent copy of the database while the hub works", 1, c.backup),
		c.restoreCommand(), c.eraseCommand(), c.on("verify", "recompute every checksum and chain of the record; fails when one is wrong", 0, c.verify)}
}

func (c *cli) backup(ctx context.Context, s *desk, args []string) error {
	info, err := s.Store.Backup(ctx, args[0])
	if err != nil {
		return err
	}
	return c.tell(info, func(w io.Writer) {
		fmt.Fprintf(w, "%d records, %d bytes, written to %s and read back whole. Keep hub.secret, hub.erased and hub.revoked of the data folder in another place: without the first no customer's record can be read and every store needs a new code.\n",
			info.Envelopes, info.Bytes, args[0])
	})
}

func (c *cli) verify(ctx context.Context, s *desk, _ []string) error {
	rep, err := s.VerifyChain(ctx)
	if err != nil {
		return err
	}
	err = c.tell(rep, func(w io.Writer) {
		fmt.Fprintf(w, "%d records in %d streams; %d of them erased on request.\n", rep.Envelopes, rep.Lanes, rep.Erased)
		for _, b := range rep.Bad {
			fmt.Fprintf(w, "  NOT WHOLE: device %s, stream %s, position %s: %s\n", b.Device, b.Stream, b.Pos, b.Why)
		}
		if len(rep.Bad) == 0 {
			fmt.Fprintln(w, "Every checksum and every chain is right.")
		} else {
			fmt.Fprintln(w, "The ledger and the documents are kept apart from these records. Put the last good backup back: the stores send again what is missing in it.")
		}
	})
	if err == nil && len(rep.Bad) > 0 {
		return errQuiet
	}
	return err
}

// restoreCommand puts a backup back while no hub runs.
func (c *cli) restoreCommand() *cobra.Command {
	return &cobra.Command{Use: "restore FILE", Short: "put a backup back; stores send again what is missing in it", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		cfg, err := LoadConfig(c.file)
		if err != nil {
			return err
		}
		l, err := lock.Take(cfg.DataDir, program)
		if err != nil {
			return fault.New(fault.CodeOf(err), "restore: stop the hub first; nothing was changed", err)
		}
		aside, err := store.Restore(cmd.Context(), args[0], cfg.DataDir)
		if err = errors.Join(err, l.Release()); err != nil {
			return fault.New(fault.CodeOf(err), "restore", err)
		}
		return c.done("The backup is in place; what was there stands in " + aside + ". Start the hub: the stores send again what is missing, and nothing is posted twice.")
	}}
}

// eraseCommand forgets a customer on request.
func (c *cli) eraseCommand() *cobra.Command {
	tenant, system := "", "tillpost"
	erase := c.on("erase CUSTOMER", "forget a customer for good: raw records that name them become unreadable, all figures stay", 1, func(ctx context.Context, s *desk, args []string) error {
		if c.reason == "" {
			return fault.Msg(fault.Invalid, "erase customer", "an erasure needs --reason: it cannot be undone, and the next auditor will ask for it. Nothing was changed")
		}
		n, err := s.Store.Erase(ctx, tenant, system, args[0], s.who, c.reason)
		if err != nil {
			return err
		}
		return c.done(fmt.Sprintf("%d raw records that named this customer can be read by nobody any more. Checksums, sums and documents are as before. Keep hub.erased with your backups: "+
			"a restored one forgets them again.", n))
	})
	erase.Flags().StringVar(&tenant, "tenant", "", "the account at the vendor, if tickets name one")
	erase.Flags().StringVar(&system, "system", system, "the vendor's system whose customer number it is, such as heartland-retail")
	erase.Example = "  hub erase 100234 --system heartland-retail --reason \"request of 3 December\""
	return erase
}
