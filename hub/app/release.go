package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
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
