package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

func (r *releaser) publishCommand() *cobra.Command {
	from, adopt := "", false
	cmd := r.at("publish", "put what is staged and signed into force, on the hub", 0, func(ctx context.Context, p *repo.Repo, _ []string) error {
		keys, err := r.online()
		if err != nil {
			return err
		}
		o, err := repo.OpenOnline(keys)
		if err != nil {
			return err
		}
		src := p
		if from != "" {
			src = repo.At(from, time.Now)
		}
		if adopt {
			if err := r.adopt(ctx, p, o); err != nil {
				return err
			}
		}
		got, err := p.Publish(src, o)
		if err != nil && !(adopt && fault.Is(err, fault.NotFound)) {
			return err
		}
		words := "In force:"
		if got.Root > 0 {
			words += fmt.Sprintf(" root %d", got.Root)
		}
		if got.Targets > 0 {
			words += fmt.Sprintf(" targets %d", got.Targets)
		}
		if got == (repo.Published{}) {
			words = "Nothing was staged; the repository is this hub's own again"
		}
		return r.said(r.audit(ctx, "publish", words, func() error { return nil }), words+".")
	})
	cmd.Flags().StringVar(&from, "from", "", "the folder that was signed, such as a stick; it is brought up to date. Empty: the repository itself")
	cmd.Flags().BoolVar(&adopt, "adopt", false, "take what stands there for this hub's own, after another writer was found and stopped")
	return cmd
}

// adopt takes another writer's timestamp for this hub's own: the one act that can hide that somebody else publishes, so that nobody does it
// without saying why.
func (r *releaser) adopt(ctx context.Context, p *repo.Repo, o *repo.Online) error {
	if strings.TrimSpace(r.reason) == "" {
		return fault.Msg(fault.Invalid, "publish", "--adopt takes for this hub's own what another has written: say with --reason why, such as which hub or backup it was and that it is stopped; it goes to the audit trail. Nothing was changed")
	}
	return r.audit(ctx, "adopt", "what stands in the repository is this hub's own", func() error { return o.Adopt(p) })
}

func (r *releaser) verifyCommand() *cobra.Command {
	root := ""
	cmd := r.at("verify", "read the repository as a store's PC does, and every file in it", 0, func(ctx context.Context, p *repo.Repo, _ []string) error {
		var pinned []byte
		if root != "" {
			var err error
			if pinned, err = os.ReadFile(root); err != nil {
				return fault.New(fault.Invalid, "--root", err)
			}
		}
		v, err := p.Verify(ctx, pinned)
		if err != nil {
			return err
		}
		return r.tell(v, func(w io.Writer) {
			fmt.Fprintf(w, "Root %d, targets %d: %d programs, every file is what was signed.\n", v.Root, v.Version, len(v.Targets))
		})
	})
	cmd.Flags().StringVar(&root, "root", "", "the root that PCs were given; empty: the first one here")
	return cmd
}

func (r *releaser) bundleCommand() *cobra.Command {
	out, versions := "", []string{}
	cmd := r.at("bundle", "write releases into one file for PCs without a line (agent update --bundle)", 0, func(ctx context.Context, p *repo.Repo, _ []string) error {
		var vs []release.Version
		for _, s := range versions {
			v, err := release.ParseVersion(s)
			if err != nil {
				return fault.New(fault.Invalid, "--version", err)
			}
			vs = append(vs, v)
		}
		n, err := p.Bundle(ctx, out, vs...)
		return r.said(err, fmt.Sprintf("%d files are in %s. It is good for as long as the timestamp in it, a week at most.", n, out))
	})
	cmd.Flags().StringVar(&out, "out", "tillpost.bundle", "the file")
	cmd.Flags().StringSliceVar(&versions, "version", nil, "the versions in it")
	return cmd
}
