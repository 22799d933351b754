package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/health"
)

const (
	watchEvery = 10 * time.Second
	trimEvery  = time.Hour
)

// trouble keeps a source's conditions. Each source has its own, so that one that works again does not hide another.
func (a *App) trouble(of source.Source) func(capture.Stage, error) {
	name := of.Name()
	down, closed := *sourceDown, *sourceShut
	down.Code += ":" + name
	closed.Code += ":" + name
	return func(at capture.Stage, err error) {
		if at == capture.Reading || err == nil {
			a.said.note(name, err)
		}
		switch {
		case err == nil:
			a.Health.Clear(&down)
			a.Health.Clear(&closed)
			a.Health.Clear(diskFull)
		case at == capture.Storing:
			a.Health.Set(diskFull, err.Error(), time.Now())
		default:
			is, not, detail := &down, &closed, name+": "+err.Error()
			if do := shut(of, err); do != "" {
				is, not, detail = &closed, &down, detail+". To let it in: "+do
			}
			a.Health.Clear(not)
			a.Health.Set(is, detail, time.Now())
		}
	}
}

// watch keeps the conditions, tells the hub when they change, and trims what the hub has proven long ago.
func (a *App) watch(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	told, trimmed, memory := "", time.Time{}, spare{}
	for {
		now := time.Now()
		a.look(now)
		told = a.tell(ctx, now, told)
		a.tellConnections(ctx, now)
		if _, err := a.Buffer.Hub(ctx); err == nil {
			a.vital.moved(time.Now())
		}
		if now.Sub(trimmed) > trimEvery {
			trimmed = now
			if n, err := a.Buffer.Trim(ctx, buffer.KeepAcked); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "cannot trim the buffer", "err", err)
			} else if n > 0 {
				a.log.InfoContext(ctx, "old confirmed records removed", "rows", n)
			}
		}
		memory.look(now)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look sets what the line and the streams say.
func (a *App) look(now time.Time) {
	if off, known := a.loop.Clock(); known {
		if f := doctor.Clock("clock", "head office's", off); f.State == doctor.Bad {
			a.Health.Set(clockWrong, f.Found, now)
		} else {
			a.Health.Clear(clockWrong)
		}
	}
	a.lookConnections(now)
	a.lookRetail(now)
	a.lookCrash(now)
	a.lookDesired(now)
	free, err := doctor.FreeDisk(a.Config.DataDir)
	a.lookDisk(free, err == nil, now)
	line := a.uplink.State()
	if line.Connected {
		a.Health.Clear(noLine)
		a.Health.Clear(notLetIn)
	} else {
		a.lookRefused(line, now)
		detail := "not connected yet"
		if line.Err != nil {
			detail = line.Err.Error()
		}
		a.Health.Set(noLine, detail, now)
	}
	streams, _ := a.loop.Status()
	why := ""
	for _, s := range envelope.Streams {
		if st := streams[s]; st.Phase == forward.Standing || st.Foreign != "" {
			why = st.Why
			if why == "" {
				why = "hub " + string(st.Foreign) + " answers, and it is not this PC's hub"
			}
		}
	}
	if why == "" {
		a.Health.Clear(notTaken)
	} else {
		a.Health.Set(notTaken, why, now)
	}
}

// tell appends the list to the state stream when it is another than before; it returns what was told.
func (a *App) tell(ctx context.Context, now time.Time, told string) string {
	list := a.Health.Report(now)
	if list == nil {
		list = []health.Status{}
	}
	body, err := json.Marshal(list)
	if err != nil || string(body) == told {
		return told
	}
	d := source.Draft{Stream: envelope.State, Kind: decode.Health, ContentType: "application/json", At: now, Body: body}
	if err := a.Buffer.Append(ctx, "health", "", []source.Draft{d}); err != nil {
		return told // the disk is full: that itself is on the list, and told when there is room
	}
	return string(body)
}
