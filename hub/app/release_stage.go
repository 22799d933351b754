package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

func (r *releaser) addCommand() *cobra.Command {
	like, back, requires := release.Custom{Channel: release.Stable}, 3, ""
	cmd := r.at("add DIR", "stage the agents of a folder that make package filled, with patches from the versions before", 1, func(_ context.Context, p *repo.Repo, args []string) error {
		if requires != "" {
			v, err := release.ParseVersion(requires)
			if err != nil {
				return fault.New(fault.Invalid, "--requires", err)
			}
			like.Requires = v
		}
		ps, err := repo.ReadDist(args[0], like)
		if err != nil {
			return err
		}
		made, err := p.Add(ps, back)
		if err != nil {
			return err
		}
		return r.tell(made, func(w io.Writer) {
			for _, x := range ps {
				fmt.Fprintf(w, "%s, %d bytes\n", release.NameOf(x.Custom), len(x.Body))
			}
			for _, m := range made {
				fmt.Fprintf(w, "%s, %d bytes: %d %% of the program\n", m.Name, m.Size, 100*m.Size/m.Whole)
			}
			fmt.Fprintln(w, "Staged, to be signed.")
		})
	})
	cmd.Flags().StringVar(&like.Channel, "channel", release.Stable, "who sees it: stable is everybody")
	cmd.Flags().StringVar(&requires, "requires", "", "the lowest version from which one may step to it")
	cmd.Flags().IntVar(&like.Schema.Min, "schema-min", 0, "the oldest buffer schema that it opens")
	cmd.Flags().IntVar(&like.Schema.Max, "schema-max", 0, "the newest one")
	cmd.Flags().IntVar(&back, "patches", back, "from how many versions before it patches are made")
	return cmd
}

func (r *releaser) withdrawCommand() *cobra.Command {
	return r.at("withdraw VERSION", "stage releases without a version: PCs that run it go on, nobody is brought to it", 1, func(_ context.Context, p *repo.Repo, args []string) error {
		v, err := release.ParseVersion(args[0])
		if err != nil {
			return fault.New(fault.Invalid, "version", err)
		}
		names, err := p.Withdraw(v)
		return r.said(err, fmt.Sprintf("Staged without %s (%d files), to be signed.", v, len(names)))
	})
}

func (r *releaser) backCommand() *cobra.Command {
	from := ""
	cmd := r.at("back VERSION", "stage leave to step back to an older version", 1, func(_ context.Context, p *repo.Repo, args []string) error {
		v, err := release.ParseVersion(args[0])
		if err != nil {
			return fault.New(fault.Invalid, "version", err)
		}
		f, err := release.ParseVersion(from)
		if err != nil {
			return fault.New(fault.Invalid, "--from", err)
		}
		_, err = p.GoBack(v, f)
		return r.said(err, fmt.Sprintf("Staged: from every version up to %s one may go back to %s. To be signed.", f, v))
	})
	cmd.Flags().StringVar(&from, "from", "", "the newest version that may go back")
	return cmd
}

func (r *releaser) renewCommand() *cobra.Command {
	return r.at("renew root|targets", "stage it as it is, to be signed for the next years", 1, func(_ context.Context, p *repo.Repo, args []string) error {
		return r.said(p.Renew(args[0]), "Staged, to be signed.")
	})
}

func (r *releaser) signCommand() *cobra.Command {
	file := ""
	cmd := r.at("sign", "sign what is staged with one key", 0, func(_ context.Context, p *repo.Repo, _ []string) error {
		b, err := os.ReadFile(file)
		if err != nil {
			return fault.New(fault.Invalid, "--key", err)
		}
		o, err := p.List()
		if err != nil {
			return err
		}
		if !r.json {
			printWaiting(r.out, o.Waiting)
		}
		k, err := repo.OpenKey(b, func() ([]byte, error) { return r.secret(false) })
		if err != nil {
			return err
		}
		signed, err := p.Sign(k)
		return r.said(err, "Signed: "+strings.Join(signed, ", ")+".")
	})
	cmd.Flags().StringVar(&file, "key", "", "the key's file")
	return cmd
}
