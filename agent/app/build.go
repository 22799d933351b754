package app

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/agent/source/localapi"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// openBuffer opens the buffer with the card-data guard in front of it.
func openBuffer(ctx context.Context, c Config, appended func(envelope.Stream)) (*buffer.Buffer, error) {
	secret, err := cardSecret(c)
	if err != nil {
		return nil, err
	}
	recovery, err := c.Hub.recovery()
	if err != nil {
		return nil, err
	}
	return buffer.Open(ctx, buffer.Options{Dir: c.DataDir, Device: c.Device, Appended: appended, Recovery: recovery, Clean: func(d source.Draft) source.Draft { return clean(secret, d) }})
}

// clean takes card data out of a draft before anything of it touches the disk.
func clean(secret []byte, d source.Draft) source.Draft {
	if d.ContentType == "application/json" {
		d.Body = guard.JSON(secret, d.Body)
	} else {
		d.Body = guard.Bytes(d.Body)
	}
	d.Key, d.Location = guard.Key(secret, d.Key), retail.LocationCode(guard.Text(string(d.Location)))
	return d
}

// cardSecret is the secret of the tokens that stand for ticket numbers which look like card numbers: the company's own, or one of this PC.
func cardSecret(c Config) ([]byte, error) {
	if f := c.Guard.KeyFile; f != "" {
		text, err := config.Secret(f)
		return []byte(text), err
	}
	path := filepath.Join(c.DataDir, "guard.key")
	have, err := os.ReadFile(path)
	if err == nil && len(have) > 0 {
		return have, nil
	}
	secret := []byte(rand.Text())
	if err := os.WriteFile(path, secret, 0o600); err != nil {
		return nil, fault.New(fault.Internal, "write guard.key", err)
	}
	return secret, nil
}

// spill is where the index of a large file stands while it is read; what a killed agent left there is of no use.
func spill(c Config) string { return filepath.Join(c.DataDir, "spill") }

// openSources builds what the settings name. It changes nothing on the disk but for what secretOf does.
func (a *App) openSources(secretOf func(Config) ([]byte, error)) error {
	secret, err := secretOf(a.Config)
	if err != nil {
		return err
	}
	for _, d := range a.Config.Source.FileDrop {
		p, err := a.Config.Profiles.find(d.Profile)
		if err != nil {
			return err
		}
		if p.Format == "sql" {
			return fault.Msg(fault.Invalid, "source.filedrop "+d.Name, "profile "+d.Profile+" reads a till's database, not files")
		}
		f := filedrop.New(d.Name, filedrop.Folder{Profile: p, Dir: d.Dir, Pattern: d.Pattern, Location: d.Location, Stream: streamOf(d.History), Settle: time.Duration(d.Settle), Spill: spill(a.Config),
			Card: filedrop.Card{Secret: secret}, Log: a.log})
		a.sources = append(a.sources, f)
		a.watches = append(a.watches, f.Watch)
	}
	if err := a.openDevices(); err != nil {
		return err
	}
	if err := a.openGateways(); err != nil {
		return err
	}
	a.openRetail()
	if l := a.Config.Source.LocalAPI; l.Listen != "" {
		token, err := config.Secret(l.TokenFile)
		if err != nil {
			return err
		}
		api := &localapi.API{Token: token, Locations: l.Locations, Sink: a.Buffer, Now: time.Now, Status: func(ctx context.Context) any { return a.Status(ctx) }}
		a.door = api
	}
	return nil
}

// streamOf keeps old data behind today's sales.
func streamOf(history bool) envelope.Stream {
	if history {
		return envelope.History
	}
	return envelope.Sales
}

// find reads a profile: one that the hub gave first, then an own one of the folder, else a shipped one. Code invalid.
func (c ProfilesConfig) find(name string) (*profile.Profile, error) {
	if body, ok := c.Given[name]; ok {
		return profile.Parse([]byte(body))
	}
	if c.Dir != "" {
		body, err := os.ReadFile(filepath.Join(c.Dir, name+".toml"))
		if err == nil {
			return profile.Parse(body)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.Invalid, "read profile", err)
		}
	}
	if p, ok := profile.Shipped(name); ok {
		return p, nil
	}
	if name == "" {
		return nil, fault.Msg(fault.Invalid, "profile", "no profile is named, which says how a file is to be read; these are shipped: "+strings.Join(profile.Names(), ", "))
	}
	return nil, fault.Msg(fault.Invalid, "profile "+name, "there is no such profile; these are shipped: "+strings.Join(profile.Names(), ", "))
}

// ImportOptions say which file to take in.
type ImportOptions struct {
	Path     string              `json:"path"`
	Profile  string              `json:"profile"`
	Location retail.LocationCode `json:"location"`
	Today    bool                `json:"today"` // goes with today's sales, not behind them
}

// importFile takes a file in.
func importFile(ctx context.Context, c Config, b *buffer.Buffer, o ImportOptions) (filedrop.Report, error) {
	p, err := c.Profiles.find(o.Profile)
	if err != nil {
		return filedrop.Report{}, err
	}
	if p.Format == "sql" {
		return filedrop.Report{}, fault.Msg(fault.Invalid, "import", "profile "+o.Profile+" reads a till's database, not files")
	}
	secret, err := cardSecret(c)
	if err != nil {
		return filedrop.Report{}, err
	}
	behind := capture.NewBehind(b)
	rep, err := filedrop.Import{Path: o.Path, Profile: p, Location: o.Location, Stream: streamOf(!o.Today), Spill: spill(c), Card: filedrop.Card{Secret: secret}}.Run(ctx, behind)
	return rep, errors.Join(err, behind.Wait())
}
