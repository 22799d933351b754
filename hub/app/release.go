package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/config"
)

// ReleaseConfig is where the signed releases lie.
type ReleaseConfig struct {
	Dir  string `toml:"dir" comment:"the repository of signed releases; empty: releases in data_dir"`
	Keys string `toml:"keys" comment:"the hub's own two keys for it; empty: release-keys in data_dir"`
}

// validateRelease looks at the folders as they are when the hub starts: no key lies where everybody reads.
func (c Config) validateRelease(f *config.Faults) {
	for name, dir := range map[string]string{"dir": c.Release.Dir, "keys": c.Release.Keys} {
		if dir != "" && !filepath.IsAbs(dir) {
			f.Add("release.%s: %q must be a whole path", name, dir)
			return
		}
	}
	if !filepath.IsAbs(c.DataDir) {
		return // told already
	}
	if err := c.releases().Apart(c.releaseKeys()); err != nil {
		f.Add("release.dir, release.keys: %v", err)
	}
}

func (c Config) releases() *repo.Repo {
	dir := c.Release.Dir
	if dir == "" {
		dir = filepath.Join(c.DataDir, "releases")
	}
	return repo.At(dir, time.Now)
}

func (c Config) releaseKeys() string {
	if c.Release.Keys != "" {
		return c.Release.Keys
	}
	return filepath.Join(c.DataDir, "release-keys")
}

// releaser is one invocation of hub release. With --dir it needs no settings: people who hold keys work on machines that are no hub.
type releaser struct {
	*cli
	dir, keys, passphrase string
}

func (c *cli) releaseCommand() *cobra.Command {
	r := &releaser{cli: c}
	g := group("release", "sign, publish and look after the agents' releases (see CEREMONY.md)", r.keyCommand(), r.idCommand(), r.onlineCommand(), r.initCommand(), r.addCommand(), r.withdrawCommand(),
		r.backCommand(), r.renewCommand(), r.rotateCommand(), r.signCommand(), r.publishCommand(), r.verifyCommand(), r.listCommand(), r.historyCommand(), r.bundleCommand(),
		r.at("drop", "take back what is staged", 0, func(_ context.Context, p *repo.Repo, _ []string) error {
			return r.said(p.Drop(), "Nothing is staged any more.")
		}))
	g.PersistentFlags().StringVar(&r.dir, "dir", "", "the repository's folder; empty: the hub's own")
	g.PersistentFlags().StringVar(&r.keys, "keys", "", "the folder of the hub's own keys; empty: the hub's own")
	g.PersistentFlags().StringVar(&r.passphrase, "passphrase-file", "", "the file with the key's passphrase; empty: it is asked for")
	return g
}

// at is a command on a repository.
func (r *releaser) at(use, short string, n int, run func(context.Context, *repo.Repo, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(n), RunE: func(cmd *cobra.Command, args []string) error {
		p, err := r.repo()
		if err != nil {
			return err
		}
		return run(cmd.Context(), p, args)
	}}
}

func (r *releaser) repo() (*repo.Repo, error) {
	if r.dir != "" {
		return repo.At(r.dir, time.Now), nil
	}
	c, err := LoadConfig(r.file)
	return c.releases(), err
}

// online is the folder of the hub's own keys, apart from the repository.
func (r *releaser) online() (dir string, err error) {
	if dir = r.keys; dir == "" {
		c, err := LoadConfig(r.file)
		if err != nil {
			return "", err
		}
		dir = c.releaseKeys()
	}
	p, err := r.repo()
	if err != nil {
		if r.keys != "" {
			return dir, nil // a machine without settings is no hub: there is nothing to be apart from
		}
		return "", err
	}
	return dir, p.Apart(dir)
}

func (r *releaser) said(err error, words string) error {
	if err != nil {
		return err
	}
	return r.done(words)
}

// audit writes who did what and why, together with the act. A repository that is no hub's (--dir elsewhere) has no such book.
func (r *releaser) audit(ctx context.Context, what, after string, act func() error) error {
	c, err := LoadConfig(r.file)
	if r.dir != "" && (err != nil || !sameFolder(r.dir, c.releases().Dir())) {
		return act()
	}
	if err != nil {
		return err
	}
	s, _, err := OpenStore(ctx, c)
	if err != nil {
		return err
	}
	err = s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.PutStep(ctx, store.Step{Subject: "releases", Who: whoami(), What: what, Reason: r.reason, After: after}); err != nil {
			return err
		}
		return act()
	})
	return errors.Join(err, s.Close())
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}
