package app

import (
	"cmp"
	"context"
	"time"

	"github.com/tillpost/tillpost/agent/desired"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/carry"
	"github.com/tillpost/tillpost/shared/decode"
	wire "github.com/tillpost/tillpost/shared/desired"
)

// wish hands the release that the hub wants to whoever carries it out, and tells the hub how far that is. What the hub wants is kept: a PC
// that starts without a line goes on with it.
func (d *desirer) wish(ctx context.Context, a *App, f desired.Folder) {
	if a.updates == nil { // no launcher started this process: nothing here changes its program
		return
	}
	if !d.wished {
		d.release, d.wished = f.Release(), true
	}
	if d.word != nil && !sameRelease(d.word.Release, d.release) {
		if err := f.PutRelease(d.word.Release); err != nil {
			a.log.WarnContext(ctx, "cannot keep which release the hub wants; it is taken up when there is room", "err", err)
			return
		}
		d.release = d.word.Release
	}
	a.updates.Want(wantOf(d.release, a.hubTime()))
	r, ok := releaseReport(d.release, a.updates.Status())
	if !ok {
		return
	}
	is := source.Cursor(r.Order + " " + string(r.Step))
	if told, err := a.Buffer.Cursor(ctx, releaseName); err == nil && told != is {
		r.At = time.Now()
		_ = a.append(ctx, releaseName, is, decode.Release, r) // a full disk: it is told later
	}
}

// releaseName is the name under which the buffer remembers what the hub was told of a release.
const releaseName = "release"

func sameRelease(a, b *wire.Release) bool { return a == b || a != nil && b != nil && *a == *b }

// wantOf is the hub's wish as update understands it. What is called back waits for no night; never for a sale to be cut, either.
func wantOf(r *wire.Release, now time.Time) update.Want {
	if r == nil || now.Before(r.NotBefore) {
		return update.Want{}
	}
	w := update.Want{Version: r.Version, Order: r.Order, From: r.From, Until: r.Until, Zone: r.Zone, Back: r.Back, Jitter: update.JitterUsual}
	if r.Back {
		w.Jitter = 0
	}
	return w
}

// releaseReport is what the hub is told; false = there is nothing to tell yet.
func releaseReport(r *wire.Release, s carry.Status) (out wire.ReleaseReport, ok bool) {
	if r == nil {
		return out, false
	}
	out = wire.ReleaseReport{Order: r.Order, Version: s.Version}
	switch o := s.Of(r.Order); {
	case o != nil:
		out.Step = map[update.Result]wire.ReleaseStep{update.Committed: wire.Kept, update.RolledBack: wire.WentBack, update.Failed: wire.NotTakenUp}[o.Result]
		out.Why = string(o.Cause)
		if o.Detail != "" {
			out.Why = cmp.Or(out.Why+": ", "") + o.Detail
		}
	case s.Phase == update.Idle && update.Same(s.Version, r.Version):
		out.Step = wire.Kept // it runs it already
	case s.Phase == update.Waiting && s.Why != "":
		out.Step, out.Why = wire.Rests, s.Why
	case s.Phase != update.Idle && s.Phase != update.Waiting:
		out.Step = wire.Begun
	default:
		return out, false
	}
	return out, true
}
