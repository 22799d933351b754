package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/agent/identity"
	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
)

// enrolled is what enrol and renew tell.
type enrolled struct {
	Device    string    `json:"device"`
	Hub       string    `json:"hub"`
	Locations string    `json:"locations"`
	Broker    string    `json:"broker"`
	Ends      time.Time `json:"ends"`
	Config    string    `json:"config"`
	Again     bool      `json:"again,omitempty"` // this code had done it already; nothing was changed
}

// enrolCommand gives this PC its certificate. Its contract: exit code 0 and the files are written, in data_dir and the settings; exit code 1
// and a text that says what happened and what to do. It may be called again with the same code, whatever became of the call before.
func (c *cli) enrolCommand() *cobra.Command {
	var o identity.Options
	var dataDir, codeFile string
	cmd := &cobra.Command{Use: "enrol --hub ADDRESS --code CODE", Short: "make this PC known to head office with a one-time code (hub device code)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if codeFile != "" {
				if o.Code, err = codeFrom(codeFile, cmd.InOrStdin()); err != nil {
					return err
				}
			}
			return c.enrol(cmd.Context(), o, dataDir)
		}}
	cmd.Flags().StringVar(&o.Hub, "hub", "", "the hub's address, such as hub.example.com or hub.example.com:8790")
	cmd.Flags().StringVar(&o.Code, "code", "", "the code")
	cmd.Flags().StringVar(&codeFile, "code-file", "", "a file with the code, or - for the standard input: other users of this PC see a command's words")
	cmd.Flags().StringVar(&o.Proxy, "proxy", "", "the store's web proxy on the way to head office, http://host:port; it is remembered. Empty: what the system names (HTTPS_PROXY), or none")
	cmd.Flags().StringVar(&dataDir, "data-dir", "", "for new settings: where the buffer is to stand")
	_ = cmd.MarkFlagRequired("hub")
	cmd.MarkFlagsOneRequired("code", "code-file")
	cmd.MarkFlagsMutuallyExclusive("code", "code-file")
	cmd.Example = "  agent enrol --hub hub.example.com --code 7KQ2-M4XB-9TRD-W0HE"
	return cmd
}

// codeFrom reads a code from where other users of this PC do not see it.
func codeFrom(file string, in io.Reader) (string, error) {
	if file != "-" {
		return config.Secret(file)
	}
	line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return line, fault.New(fault.Invalid, "read the code", err)
}

func (c *cli) enrol(ctx context.Context, o identity.Options, dataDir string) error {
	cfg, have, err := c.draft(dataDir)
	if err != nil {
		return err
	}
	o.Have, o.HaveHub = cfg.Device, cfg.Hub.ID
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return fault.New(fault.Invalid, "make "+cfg.DataDir+": start this command as the service's account or as an administrator; the code is still good", err)
	}
	id, again, err := identityOf(cfg).Enrol(ctx, o)
	if err != nil {
		return err
	}
	if !have {
		if err := writeDraft(c.file, cfg); err != nil {
			return fault.New(fault.Internal, "this PC is enrolled, but "+c.file+" could not be written: start this command again as an administrator, with the same code", err)
		}
	}
	out, err := enrolledOf(id, c.file)
	if err != nil {
		return err
	}
	out.Again = again
	words := fmt.Sprintf("This PC is %s at %s, for %s. Its certificate holds until %s and is renewed by itself.\n", out.Device, out.Hub, out.Locations, out.Ends.Local().Format(time.DateOnly))
	if again {
		words = "This code has enrolled this PC already; nothing was changed. If head office does not let it in, ask for a new code.\n" + words
	}
	if _, err := LoadConfig(c.file); err != nil {
		fmt.Fprintf(c.err, "agent: the settings cannot be used yet: %v\n", err)
	} else {
		c.tellRunning(ctx, cfg)
	}
	return c.tell(nil, out, words)
}

// tellRunning has a service that runs come in with its new certificate at once: one that the hub had refused would ask in some minutes only.
func (c *cli) tellRunning(ctx context.Context, was Config) {
	var done bool
	running, err := ask(ctx, was.DataDir, "enrolled", &done, true)
	switch {
	case running && !was.Enrolled:
		fmt.Fprintln(c.err, "agent: the service runs with its old password; start it anew")
	case running && err != nil: // an older version that does not know the question
		fmt.Fprintln(c.err, "agent: the service takes its new certificate within some minutes; to have it at once, start it anew")
	}
}

func enrolledOf(id identity.Identity, file string) (enrolled, error) {
	_, ends, err := id.Ends()
	return enrolled{Device: string(id.Device), Hub: string(id.Hub), Locations: id.Locations, Broker: id.Broker, Ends: ends, Config: file}, err
}

// draft reads the settings as far as an enrolment needs them; have is false when there are none yet.
func (c *cli) draft(dataDir string) (cfg Config, have bool, err error) {
	cfg = Default()
	data, err := os.ReadFile(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		if dataDir != "" {
			cfg.DataDir = dataDir
		}
		if !filepath.IsAbs(cfg.DataDir) {
			return cfg, false, fault.Msg(fault.Invalid, "enrol", "--data-dir must be a whole path: a service starts in another folder")
		}
		return cfg, false, nil
	}
	if err != nil {
		return cfg, false, fault.New(fault.Invalid, "read settings", err)
	}
	var f config.Faults
	config.Decode(bytes.TrimPrefix(data, []byte("\ufeff")), &cfg, &f)
	if !filepath.IsAbs(cfg.DataDir) {
		f.Add("data_dir: %q must be a whole path: a service starts in another folder", cfg.DataDir)
	}
	if dataDir != "" && filepath.Clean(dataDir) != filepath.Clean(cfg.DataDir) {
		f.Add("data_dir: the file says %q, --data-dir says %q", cfg.DataDir, dataDir)
	}
	if _, err := identityOf(cfg).Read(); err == nil {
		cfg.Enrolled = true
	}
	return cfg, true, f.Err(c.file)
}

// writeDraft makes settings for an enrolled PC: it knows who it is and where its hub is.
func writeDraft(file string, cfg Config) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("# Tillpost agent. `agent check-config` tells everything that is wrong with this file. Who this PC is and where its hub is\n"+
		"# stands in data_dir, written by `agent enrol`.\n\ndata_dir = %q\n\n# Where tickets come from: see the sample agent.toml.\n", cfg.DataDir)
	if err := keystore.Replace(file, []byte(text)); err != nil {
		return err
	}
	return os.Chmod(file, 0o644) // no secret stands in it, and the service's account must read it
}

func (c *cli) renew(ctx context.Context, _ []string) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	id, err := identityOf(cfg).Renew(ctx)
	if err != nil {
		return err
	}
	out, err := enrolledOf(id, c.file)
	if err != nil {
		return err
	}
	return c.tell(nil, out, "The new certificate holds until "+out.Ends.Local().Format(time.DateOnly)+". A service that runs uses it with its next connection.\n")
}

// secretsCommand changes the key under which this PC's secrets are sealed.
func (c *cli) secretsCommand() *cobra.Command {
	group := &cobra.Command{Use: "secrets", Short: "the keys and passwords on this PC"}
	group.AddCommand(c.command("rotate", "seal every secret of this PC anew, under a new key", func(ctx context.Context, _ []string) error {
		cfg, err := LoadConfig(c.file)
		if err != nil {
			return err
		}
		keys := keystore.Store{Dir: cfg.DataDir}
		if err := keys.Rotate(cfg.Source.sealed(), func(reseal func(string) (string, error)) error { return identityOf(cfg).Reseal(ctx, reseal) }); err != nil {
			return err
		}
		return c.tell(nil, map[string]bool{"rotated": true}, "Every secret that the settings name is sealed under a new key; the old one is gone.\n")
	}))
	return group
}

// sealed lists the files that the service seals in their place.
func (s SourceConfig) sealed() (out []string) {
	var add func(string)
	add = func(file string) {
		if path, err := config.SecretPath(file); file != "" && err == nil && path == file {
			out = append(out, file)
		}
	}
	for _, p := range s.Portico {
		for _, file := range p.secrets() {
			add(file)
		}
	}
	for _, g := range s.GPAPI {
		add(g.KeyFile)
	}
	return out
}
