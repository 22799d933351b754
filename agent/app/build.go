package app

import (
	"context"
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
	return buffer.Open(ctx, buffer.Options{Dir: c.DataDir, Device: c.Device, Appended: appended, Clean: clean})
}

// clean takes card data out of a draft before anything of it touches the disk.
func clean(d source.Draft) source.Draft {
	d.Body = guard.Bytes(d.Body)
	d.Key = guard.Text(d.Key)
	return d
}

// openSources builds what the settings name.
func (a *App) openSources() error {
	for _, d := range a.Config.Source.FileDrop {
		p, err := findProfile(a.Config.Profiles.Dir, d.Profile)
		if err != nil {
			return err
		}
		if p.Format == "sql" {
			return fault.Msg(fault.Invalid, "source.filedrop "+d.Name, "profile "+d.Profile+" reads a till's database, not files")
		}
		f := filedrop.New(d.Name, filedrop.Folder{Profile: p, Dir: d.Dir, Pattern: d.Pattern, Location: d.Location, Stream: streamOf(d.History), Settle: time.Duration(d.Settle), Log: a.log})
		a.sources = append(a.sources, f)
		a.watches = append(a.watches, f.Watch)
	}
	if err := a.openDevices(); err != nil {
		return err
	}
	if err := a.openGateways(); err != nil {
		return err
	}
	if l := a.Config.Source.LocalAPI; l.Listen != "" {
		token, err := config.Secret(l.TokenFile)
		if err != nil {
			return err
		}
		api := &localapi.API{Token: token, Locations: l.Locations, Sink: a.Buffer, Now: time.Now, Status: func(ctx context.Context) any { return a.Status(ctx) }}
		a.door = api.Handler()
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

// findProfile reads a profile: an own one of the folder first, else a shipped one. Code invalid.
func findProfile(dir, name string) (*profile.Profile, error) {
	if dir != "" {
		body, err := os.ReadFile(filepath.Join(dir, name+".toml"))
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
	p, err := findProfile(c.Profiles.Dir, o.Profile)
	if err != nil {
		return filedrop.Report{}, err
	}
	if p.Format == "sql" {
		return filedrop.Report{}, fault.Msg(fault.Invalid, "import", "profile "+o.Profile+" reads a till's database, not files")
	}
	behind := capture.NewBehind(b)
	rep, err := filedrop.Import{Path: o.Path, Profile: p, Location: o.Location, Stream: streamOf(!o.Today)}.Run(ctx, behind)
	return rep, errors.Join(err, behind.Wait())
}
