package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/password"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

func (c *cli) registryCommands() []*cobra.Command {
	return []*cobra.Command{c.locationCommand(), c.on("locations", "list locations with their tills and devices", 0, c.locations), c.deviceCommand(), c.userCommand(), c.mappingCommand(),
		c.on("backup FILE", "write a whole, consistent copy of the database while the hub works", 1, c.backup), c.on("verify", "recompute every checksum and chain of the record", 0, c.verify)}
}

func group(use, short string, cmds ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short}
	g.AddCommand(cmds...)
	return g
}

func (c *cli) locationCommand() *cobra.Command {
	set := func(use, short string) *cobra.Command {
		f := view.LocationForm{Cutoff: "04:00", Currency: "USD"}
		cmd := c.on(use+" CODE", short, 1, func(ctx context.Context, s *desk, args []string) error {
			f.Code = retail.LocationCode(args[0])
			if err := s.Clerk.PutLocation(ctx, f, s.who); err != nil {
				return err
			}
			return c.done("location " + args[0] + " is confirmed")
		})
		cmd.Flags().StringVar(&f.Name, "name", "", "what people call it")
		cmd.Flags().StringVar(&f.Zone, "zone", "", "time zone, such as America/New_York")
		cmd.Flags().StringVar(&f.Cutoff, "cutoff", f.Cutoff, "when its business day begins")
		cmd.Flags().StringVar((*string)(&f.Currency), "currency", string(f.Currency), "what it sells in")
		cmd.Flags().StringVar(&f.Company, "company", "", "Odoo company")
		cmd.Flags().StringVar(&f.OpenDays, "open-days", "", "such as \"mon tue wed\"")
		cmd.Flags().StringVar((*string)(&f.From), "from", "", "first day on which zone and cutoff hold")
		return cmd
	}
	till := c.on("till LOCATION TILL", "confirm that a till belongs to a location", 2, func(ctx context.Context, s *desk, args []string) error {
		if err := s.Store.ConfirmTill(ctx, retail.LocationCode(args[0]), retail.TillCode(args[1]), s.who); err != nil {
			return err
		}
		return c.done("till " + args[1] + " of " + args[0] + " is confirmed")
	})
	return group("location", "the registry of stores", set("add", "confirm a location"), set("set", "change a location"), c.on("list", "list locations", 0, c.locations), till)
}

func (c *cli) locations(ctx context.Context, s *desk, _ []string) error {
	ls, err := s.LocationViews(ctx, nil)
	if err != nil {
		return err
	}
	return c.tell(ls, func(w io.Writer) {
		for _, l := range ls {
			sure := "confirmed"
			if !l.Confirmed {
				sure = "NOT CONFIRMED"
			}
			fmt.Fprintf(w, "%s  %s  %s, day begins %s, %s, company %q, open %q, %s, last seen %s\n", l.Code, l.Name, l.Zone, l.Cutoff, l.Currency, l.Company, l.OpenDays, sure, when(l.Seen))
			for _, t := range l.Tills {
				fmt.Fprintf(w, "    %s %s  %s %s %s  last ticket %s, seen %s, clock %+d s\n", t.Kind, t.Code, t.Model, t.Software, t.Status, t.Number, when(t.Seen), t.Clock.Round(time.Second)/time.Second)
			}
			for _, d := range l.Devices {
				fmt.Fprintf(w, "    device %s  %s  seen %s %s\n", d.ID, d.Version, when(d.Seen), d.Stopped)
			}
		}
	})
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339)
}

func (c *cli) deviceCommand() *cobra.Command {
	var at []string
	add := c.on("add DEVICE", "register an agent and print its password", 1, func(ctx context.Context, s *desk, args []string) error {
		secret, hash := broker.NewPassword()
		err := s.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.AddDevice(ctx, retail.DeviceID(args[0]), hash, s.who); err != nil {
				return err
			}
			return assign(ctx, tx, args[0], at, s.who)
		})
		if err != nil {
			return err
		}
		return c.tell(map[string]string{"device": args[0], "password": secret}, func(w io.Writer) {
			fmt.Fprintf(w, "%s\n", secret)
			fmt.Fprintln(c.err, "This is the device's password; it is shown once. Put it into the file that password_file names on that PC.")
		})
	})
	set := c.on("set DEVICE", "let a device speak for more locations", 1, func(ctx context.Context, s *desk, args []string) error {
		if err := s.InTx(ctx, func(tx *store.Tx) error { return assign(ctx, tx, args[0], at, s.who) }); err != nil {
			return err
		}
		return c.done("device " + args[0] + " speaks for " + strings.Join(at, ", "))
	})
	for _, cmd := range []*cobra.Command{add, set} {
		cmd.Flags().StringSliceVar(&at, "location", []string{store.AllLocations}, "locations it speaks for; * = all")
	}
	disable := c.on("disable DEVICE", "stop a device from sending; what it sent stays", 1, func(ctx context.Context, s *desk, args []string) error {
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.DisableDevice(ctx, retail.DeviceID(args[0]), s.who, c.reason) }); err != nil {
			return err
		}
		return c.done("device " + args[0] + " is disabled")
	})
	list := c.on("list", "list devices", 0, func(ctx context.Context, s *desk, _ []string) error {
		ds, err := s.DeviceViews(ctx, "")
		if err != nil {
			return err
		}
		return c.tell(ds, func(w io.Writer) {
			for _, d := range ds {
				fmt.Fprintf(w, "%s  %s  seen %s  %s\n", d.ID, d.Version, when(d.Seen), d.Stopped)
			}
		})
	})
	return group("device", "agents that may send", add, set, disable, list)
}

func assign(ctx context.Context, tx *store.Tx, device string, at []string, who string) error {
	for _, l := range at {
		if err := tx.Assign(ctx, retail.DeviceID(device), retail.LocationCode(l), time.Unix(0, 0), who); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) userCommand() *cobra.Command {
	role, at := string(view.Admin), []string{}
	add := c.on("add NAME", "make a user who may sign in to the pages; the password is read from standard input", 1, func(ctx context.Context, s *desk, args []string) error {
		hash, err := readPassword(os.Stdin, args[0])
		if err != nil {
			return err
		}
		u := view.User{Name: args[0], Role: view.Role(role), Hash: hash}
		for _, l := range at {
			u.Locations = append(u.Locations, retail.LocationCode(l))
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.AddUser(ctx, u, s.who) }); err != nil {
			return err
		}
		return c.done("user " + args[0] + " may sign in as " + role)
	})
	add.Flags().StringVar(&role, "role", role, "admin, it, finance, store or auditor")
	add.Flags().StringSliceVar(&at, "location", nil, "the locations a store user sees")
	set := c.on("set NAME", "give a user a new password, read from standard input", 1, func(ctx context.Context, s *desk, args []string) error {
		hash, err := readPassword(os.Stdin, args[0])
		if err != nil {
			return err
		}
		if err := s.ChangePassword(ctx, args[0], hash, s.who); err != nil {
			return err
		}
		return c.done("user " + args[0] + " has a new password")
	})
	list := c.on("list", "list users", 0, func(ctx context.Context, s *desk, _ []string) error {
		us, err := s.Users(ctx)
		if err != nil {
			return err
		}
		for i := range us {
			us[i].Hash = ""
		}
		return c.tell(us, func(w io.Writer) {
			for _, u := range us {
				fmt.Fprintf(w, "%s  %s  %v  last in %s\n", u.Name, u.Role, u.Locations, when(u.SignedIn))
			}
		})
	})
	return group("user", "people who may sign in", add, set, list)
}

// readPassword takes one line: a password never stands in a command line, where every user of the machine could read it.
func readPassword(r io.Reader, name string) (hash string, err error) {
	fmt.Fprint(os.Stderr, "Password: ")
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if err := password.Check(name, line); err != nil {
		return "", err
	}
	return password.Hash(line), nil
}

func (c *cli) mappingCommand() *cobra.Command {
	var r mapping.Rule
	set := c.on("set ROLE CODE", "say which account a till's code is; what stood in suspense moves by itself", 2, func(ctx context.Context, s *desk, args []string) error {
		r.Role, r.Code = ledger.Role(args[0]), args[1]
		if err := s.SetRules(ctx, []mapping.Rule{r}, s.who, c.reason); err != nil {
			return err
		}
		return c.done(fmt.Sprintf("%s %q is %s%s", r.Role, r.Code, r.Target.Account, r.Target.Tax))
	})
	set.Aliases = []string{"add"}
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
			for _, r := range m.Rules {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Role, r.Code, r.Target.Account, r.Target.Tax, r.Location, r.From)
			}
			t.Flush()
		})
	})
	return group("mapping", "which account each of the tills' codes is", set, list)
}

func (c *cli) backup(ctx context.Context, s *desk, args []string) error {
	info, err := s.Store.Backup(ctx, args[0])
	if err != nil {
		return err
	}
	return c.tell(info, func(w io.Writer) {
		fmt.Fprintf(w, "Written to %s. Keep hub.secret and hub.erased of the data folder with it, in another place: without the first no customer's record can be read.\n", args[0])
	})
}

func (c *cli) verify(ctx context.Context, s *desk, _ []string) error {
	rep, err := s.VerifyChain(ctx)
	if err != nil {
		return err
	}
	return c.tell(rep, func(w io.Writer) { fmt.Fprintf(w, "%+v\n", rep) })
}

// restoreCommand puts a backup back while no hub runs.
func (c *cli) restoreCommand() *cobra.Command {
	return &cobra.Command{Use: "restore FILE", Short: "put a backup back; stores send again what is missing in it", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		cfg, err := LoadConfig(c.file)
		if err != nil {
			return err
		}
		aside, err := store.Restore(cmd.Context(), args[0], cfg.DataDir)
		if err != nil {
			return fault.New(fault.CodeOf(err), "restore", err)
		}
		return c.done("The backup is in place; what was there stands in " + aside + ". Start the hub: the stores send again what is missing, and nothing is posted twice.")
	}}
}
