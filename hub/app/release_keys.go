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

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/fault"
)

// secret reads a passphrase; a new one is asked for twice. It never stands in a command line.
func (r *releaser) secret(again bool) ([]byte, error) {
	if r.passphrase != "" {
		b, err := os.ReadFile(r.passphrase)
		return []byte(strings.TrimRight(string(b), "\r\n")), fault.New(fault.Invalid, "read passphrase", err)
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		if again {
			s, err := typed(os.Stdin, r.err)
			return []byte(s), err
		}
		fmt.Fprint(r.err, "Passphrase: ")
		b, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(r.err)
		return b, fault.New(fault.Invalid, "read passphrase", err)
	}
	s, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return []byte(strings.TrimRight(s, "\r\n")), fault.New(fault.Invalid, "read passphrase", err)
}

func (r *releaser) keyCommand() *cobra.Command {
	return &cobra.Command{Use: "key FILE", Short: "make an offline key, sealed under a passphrase; FILE.pub is its public half", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		pass, err := r.secret(true)
		if err != nil {
			return err
		}
		k, err := repo.NewKey()
		if err != nil {
			return err
		}
		sealed, err := k.Seal(pass)
		if err != nil {
			return err
		}
		text, err := k.Public().Text()
		if err != nil {
			return err
		}
		if err := repo.WriteNew(args[0], sealed, 0o600); err != nil {
			return err
		}
		if err := repo.WriteNew(args[0]+".pub", text, 0o644); err != nil {
			return err
		}
		return r.done("Key " + k.Public().ID() + " stands in " + args[0] + ". Keep it and its passphrase apart; hand out " + args[0] + ".pub.")
	}}
}

func (r *releaser) idCommand() *cobra.Command {
	return &cobra.Command{Use: "id FILE", Short: "tell a key's id; either half will do", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		ks, err := publicsOf(args)
		if err != nil {
			return err
		}
		return r.done(ks[0].ID())
	}}
}

func (r *releaser) onlineCommand() *cobra.Command {
	return &cobra.Command{Use: "online-keys", Short: "make the hub's own two keys, which never leave it", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		dir, err := r.online()
		if err != nil {
			return err
		}
		if _, _, err := repo.MakeOnline(dir); err != nil {
			return err
		}
		return r.done("The hub's own keys stand in " + dir + ". Take snapshot.key.pub and timestamp.key.pub to where the root is signed, and nothing else.")
	}}
}

func publicsOf(files []string) (out []repo.Public, err error) {
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fault.New(fault.Invalid, "read public key", err)
		}
		p, err := repo.ParsePublic(b)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (r *releaser) initCommand() *cobra.Command {
	var root, targets []string
	var snapshot, timestamp string
	f := repo.Founding{}
	cmd := r.at("init", "stage the first root and empty targets, to be signed", 0, func(_ context.Context, p *repo.Repo, _ []string) (err error) {
		if f.Root, err = publicsOf(root); err != nil {
			return err
		}
		if f.Targets, err = publicsOf(targets); err != nil {
			return err
		}
		online, err := publicsOf([]string{snapshot, timestamp})
		if err != nil {
			return err
		}
		f.Snapshot, f.Timestamp = online[0], online[1]
		return r.said(p.Init(f), fmt.Sprintf("Staged. Now %d root keys and %d targets keys sign it (hub release sign), then the hub publishes it.", f.RootNeeds, f.TargetsNeed))
	})
	cmd.Flags().StringSliceVar(&root, "root", nil, "public halves of the root's keys")
	cmd.Flags().IntVar(&f.RootNeeds, "root-needs", 2, "how many of them sign a root")
	cmd.Flags().StringSliceVar(&targets, "targets", nil, "public halves of the keys that sign releases")
	cmd.Flags().IntVar(&f.TargetsNeed, "targets-need", 1, "how many of them sign a release")
	cmd.Flags().StringVar(&snapshot, "snapshot", "", "public half of the hub's snapshot key")
	cmd.Flags().StringVar(&timestamp, "timestamp", "", "public half of the hub's timestamp key")
	return cmd
}

func (r *releaser) rotateCommand() *cobra.Command {
	var add, remove []string
	need := 0
	cmd := r.at("rotate-keys ROLE", "stage a root with other keys for root, targets, snapshot or timestamp", 1, func(_ context.Context, p *repo.Repo, args []string) error {
		ks, err := publicsOf(add)
		if err != nil {
			return err
		}
		return r.said(p.Rotate(args[0], ks, remove, need), "Staged, to be signed by enough of the root's keys that are in force, and by enough of the new ones.")
	})
	cmd.Flags().StringSliceVar(&add, "add", nil, "public halves of keys that come")
	cmd.Flags().StringSliceVar(&remove, "remove", nil, "ids of keys that go, or the beginning of one")
	cmd.Flags().IntVar(&need, "need", 0, "how many sign; 0: as before")
	return cmd
}
