package app

import (
	"context"
	"crypto/ecdh"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/shared/fault"
)

// bufferCommands are what can be done with the records that wait on this PC.
func (c *cli) bufferCommands() []*cobra.Command {
	var key, disk string
	export := &cobra.Command{Use: "export FILE", Short: "write every record that is held as NDJSON; with --recover, those of a dead PC's disk", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		if key != "" || disk != "" {
			return c.recover(cmd.Context(), args[0], key, disk)
		}
		return c.export(cmd.Context(), args[0])
	}}
	export.Flags().StringVar(&key, "recover", "", "the hub's recovery.key: reads the disk of a PC that is dead; needs --disk")
	export.Flags().StringVar(&disk, "disk", "", "the dead PC's data folder, as it is or as a copy; nothing in it is changed")
	replay := &cobra.Command{Use: "replay [FILE]", Short: "send every record that is held again, or take an export in; the hub knows what it has", Args: cobra.MaximumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.replay(cmd.Context(), args)
	}}
	return []*cobra.Command{c.command("verify", "prove that every record that is held is whole", c.verify), export, replay}
}

func (c *cli) verify(ctx context.Context, _ []string) error {
	var v verified
	err := c.buffer(ctx, "verify", &v, func(a *App) (err error) {
		v.Rows, err = a.Buffer.Verify(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return c.tell(nil, v, fmt.Sprintf("%d records, every one whole.\n", v.Rows))
}

// output makes a new file for an export; it never writes over one.
func output(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return f, fault.New(fault.Invalid, "export", err)
}

func (c *cli) export(ctx context.Context, path string) error {
	f, err := output(path)
	if err != nil {
		return err
	}
	err = c.buffer(ctx, "export", f, func(a *App) error { return a.Buffer.Export(ctx, f) })
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return c.tell(nil, map[string]string{"file": path}, "Written to "+path+". It holds what the tills sold in plain text: keep it safe, and delete it when it is not needed.\n")
}

// recover reads the disk of a PC that is dead. It needs no settings and no running service.
func (c *cli) recover(ctx context.Context, path, key, disk string) error {
	if key == "" || disk == "" {
		return fault.Msg(fault.Invalid, "export", "--recover and --disk belong together: the hub's recovery.key, and the dead PC's data folder")
	}
	hub, err := recoveryKey(key)
	if err != nil {
		return err
	}
	f, err := output(path)
	if err != nil {
		return err
	}
	n, err := buffer.Recover(ctx, disk, hub, f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(path)
		return err
	}
	return c.tell(nil, map[string]any{"file": path, "records": n}, fmt.Sprintf("%d records were read and written to %s. On the PC that takes the dead one's place: agent buffer replay %s\n", n, path, path))
}

// recoveryKey reads the hub's private recovery key as hub recovery-key wrote it.
func recoveryKey(path string) (*ecdh.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read the recovery key", err)
	}
	if block, _ := pem.Decode(text); block != nil {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if x, ok := key.(*ecdh.PrivateKey); ok {
				return x, nil
			}
		}
	}
	return nil, fault.Msg(fault.Invalid, "read the recovery key", path+" is not the recovery.key of a hub")
}

// replayed is what buffer replay tells.
type replayed struct {
	Records int    `json:"records"`
	File    string `json:"file,omitempty"`
}

func (c *cli) replay(ctx context.Context, args []string) (err error) {
	r := replayed{}
	if len(args) > 0 {
		if r.File, err = filepath.Abs(args[0]); err != nil {
			return err
		}
	}
	if err := c.buffer(ctx, "replay", &r, func(a *App) (err error) {
		r.Records, err = a.replay(ctx, r.File)
		return err
	}, r); err != nil {
		return err
	}
	if r.File != "" {
		return c.tell(nil, r, fmt.Sprintf("%d records were taken in and go to head office, which knows what it has.\n", r.Records))
	}
	return c.tell(nil, r, fmt.Sprintf("%d records go to head office again, which knows what it has.\n", r.Records))
}

// replay takes an export in, or sends everything again.
func (a *App) replay(ctx context.Context, file string) (int, error) {
	if file == "" {
		return a.Buffer.Resend(ctx, "a person asked for it")
	}
	f, err := os.Open(file)
	if err != nil {
		return 0, fault.New(fault.Invalid, "replay", err)
	}
	defer f.Close()
	return a.Buffer.Replay(ctx, f)
}
