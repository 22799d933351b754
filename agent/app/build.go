package app

import (
	"context"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/localapi"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/guard"
	"time"
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
