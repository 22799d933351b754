package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tillpost/tillpost/hub/password"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

func (c *cli) userCommand() *cobra.Command {
	role, at := string(view.Admin), []string{}
	add := c.on("add NAME", "make a user who may sign in to the pages; the password is asked for, or read from standard input", 1, func(ctx context.Context, s *desk, args []string) error {
		hash, err := readPassword(os.Stdin, c.err, args[0])
		if err != nil {
			return err
		}
		u := view.User{Name: args[0], Role: view.Role(role), Hash: hash, Locations: locationCodes(at)}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.AddUser(ctx, u, s.who) }); err != nil {
			return err
		}
		return c.done("User " + args[0] + " may sign in as " + role + ".")
	})
	add.Flags().StringVar(&role, "role", role, "admin, it, finance, store or auditor")
	add.Flags().StringSliceVar(&at, "location", nil, "the locations a store user sees")
	add.Example = "  hub user add anna                                  (the first one: an admin)\n  hub user add springfield --role store --location S-17"
	list := c.on("list", "list users", 0, c.users)
	return group("user", "people who may sign in", add, c.userSetCommand(), list)
}

func locationCodes(list []string) (out []retail.LocationCode) {
	for _, l := range list {
		out = append(out, retail.LocationCode(l))
	}
	return out
}

func (c *cli) userSetCommand() *cobra.Command {
	var role string
	var at []string
	var disable, enable, renew bool
	set := c.on("set NAME", "change a user's role, locations, or whether they may sign in; without a flag, their password. Sessions end", 1, func(ctx context.Context, s *desk, args []string) error {
		u, err := s.User(ctx, args[0])
		if err != nil {
			return err
		}
		hash := ""
		if renew || role == "" && at == nil && !disable && !enable {
			if hash, err = readPassword(os.Stdin, c.err, args[0]); err != nil {
				return err
			}
		}
		if role != "" {
			u.Role = view.Role(role)
		}
		if at != nil {
			u.Locations = locationCodes(at)
		}
		if disable && enable {
			return fault.Msg(fault.Invalid, "set user", "--disable and --enable contradict each other; nothing was changed")
		}
		u.Disabled = (u.Disabled || disable) && !enable
		if err := s.InTx(ctx, func(tx *store.Tx) error {
			if hash != "" {
				if err := tx.SetPassword(ctx, u.Name, hash, s.who); err != nil {
					return err
				}
			}
			return tx.SetUser(ctx, u, s.who)
		}); err != nil {
			return err
		}
		return c.done("User " + args[0] + " is changed; whoever is signed in under this name must sign in again.")
	})
	set.Flags().StringVar(&role, "role", "", "admin, it, finance, store or auditor")
	set.Flags().StringSliceVar(&at, "location", nil, "the locations a store user sees")
	set.Flags().BoolVar(&disable, "disable", false, "they may not sign in any more")
	set.Flags().BoolVar(&enable, "enable", false, "they may again")
	set.Flags().BoolVar(&renew, "password", false, "a new password as well")
	return set
}

func (c *cli) users(ctx context.Context, s *desk, _ []string) error {
	us, err := s.Users(ctx)
	if err != nil {
		return err
	}
	for i := range us {
		us[i].Hash = ""
	}
	return c.tell(us, func(w io.Writer) {
		for _, u := range us {
			off := ""
			if u.Disabled {
				off = "  disabled"
			}
			fmt.Fprintf(w, "%s  %s  %v  last in %s%s\n", u.Name, u.Role, u.Locations, when(u.SignedIn), off)
		}
		if len(us) == 0 {
			fmt.Fprintln(w, "Nobody may sign in yet: hub user add NAME makes the first admin.")
		}
	})
}

// readPassword takes one line: a password never stands in a command line, where every user of the machine could read it. At a terminal it is
// not shown and asked for twice.
func readPassword(in *os.File, ask io.Writer, name string) (hash string, err error) {
	line := ""
	if term.IsTerminal(int(in.Fd())) {
		line, err = typed(in, ask)
	} else if line, err = bufio.NewReader(in).ReadString('\n'); errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if err := password.Check(name, line); err != nil {
		return "", err
	}
	return password.Hash(line), nil
}

func typed(in *os.File, ask io.Writer) (string, error) {
	var lines [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		fmt.Fprint(ask, prompt)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(ask)
		if err != nil {
			return "", fault.New(fault.Invalid, "read password", err)
		}
		lines[i] = string(b)
	}
	if lines[0] != lines[1] {
		return "", fault.Msg(fault.Invalid, "read password", "it was not typed the same twice; nothing was changed")
	}
	return lines[0], nil
}
