package app

import (
	"context"
	"time"

	"github.com/tillpost/tillpost/hub/desired"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	wordsEvery = 500 * time.Millisecond // a command is on its way within a second
	wordsAll   = 10 * time.Minute       // and everything is looked at without a reason
)

// sayDesired makes each PC's word anew when settings, commands or its locations changed, whoever changed them, and has the line say it.
func (a *App) sayDesired(ctx context.Context) error {
	if a.enrol == nil { // PCs that come in by password cannot tell their hub's word from another's
		return nil
	}
	ca, err := a.Store.Authority(ctx)
	if err != nil {
		return err
	}
	hub, err := a.Store.HubID(ctx)
	if err != nil {
		return err
	}
	last, looked := "", time.Now()
	said := map[retail.DeviceID]string{} // of which basis each word was made
	tick := time.NewTicker(wordsEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		is, err := a.Store.DesiredChange(ctx)
		if err == nil && (is != last || now.Sub(looked) > wordsAll) {
			if is == last { // everything anew
				clear(said)
				looked = now
			}
			var pcs []store.DesiredPC
			if pcs, err = a.Store.DesiredPCs(ctx); err == nil {
				last = is
			} else {
				last = ""
			}
			for _, d := range pcs {
				if said[d.Device] == d.Basis {
					continue
				}
				sealed, werr := a.Store.Word(ctx, d.Device, hub, ca.SignDesired)
				if werr != nil {
					err, last = werr, "" // again
					continue
				}
				if said[d.Device] = d.Basis; sealed != nil {
					a.Link.Desire(d.Device, sealed)
				}
			}
		}
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "cannot tell stores' PCs what they shall be; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Device reads one PC. Code not_found.
func (d devices) Device(ctx context.Context, pc retail.DeviceID) (view.DeviceView, error) {
	return deviceView(ctx, d.Store, pc)
}

func deviceView(ctx context.Context, s *store.Store, pc retail.DeviceID) (view.DeviceView, error) {
	all, err := s.DeviceViews(ctx, "")
	if err != nil {
		return view.DeviceView{}, err
	}
	for _, v := range all {
		if v.ID == pc {
			return v, nil
		}
	}
	return view.DeviceView{}, fault.Msg(fault.NotFound, "device", "there is no device "+string(pc))
}

// Desired reads how a PC stands to what is wanted of it.
func (d devices) Desired(ctx context.Context, pc retail.DeviceID) (view.DesiredView, error) {
	return d.Store.Desired(ctx, pc)
}

// Settings lists the versions of a PC's own settings.
func (d devices) Settings(ctx context.Context, pc retail.DeviceID) ([]desired.Layer, error) {
	return d.Store.Layers(ctx, desired.Key{Scope: desired.Device, Name: string(pc)})
}

// SetSettings gives a PC its next own settings.
func (d devices) SetSettings(ctx context.Context, pc retail.DeviceID, text, who, reason string) error {
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.SetLayer(ctx, desired.Key{Scope: desired.Device, Name: string(pc)}, text, who, reason)
		return err
	})
}

// Command asks a PC for something once.
func (d devices) Command(ctx context.Context, pc retail.DeviceID, c wire.Command, within time.Duration, who, reason string) error {
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Command(ctx, pc, c, within, who, reason)
		return err
	})
}

// Bundle reads a support bundle that came.
func (d devices) Bundle(ctx context.Context, pc retail.DeviceID, command string) ([]byte, error) {
	return d.Store.BundleOf(ctx, pc, command)
}

// Steps is a PC's audit trail.
func (d devices) Steps(ctx context.Context, pc retail.DeviceID) ([]view.StepView, error) {
	return d.Store.DeviceSteps(ctx, pc)
}
