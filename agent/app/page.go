package app

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/tillpost/tillpost/agent/statuspage"
	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/shared/config"
	onlyhere "github.com/tillpost/tillpost/shared/loopback"
	"github.com/tillpost/tillpost/shared/mode"
)

// StatusConfig is the page for the store manager.
type StatusConfig struct {
	Listen   string `toml:"listen" comment:"of the page for the store manager; this PC only; empty: none"`
	Language string `toml:"language" comment:"en or es, of agent status; empty: the system's. The page speaks the browser's"`
}

// defaultStatus is where the page is found where the settings say nothing.
const defaultStatus = "127.0.0.1:8751"

func (s StatusConfig) validate(f *config.Faults) {
	if s.Listen != "" {
		if a, err := netip.ParseAddrPort(s.Listen); err != nil || !a.Addr().IsLoopback() {
			f.Add("status.listen: %q must be an address of this PC such as %s", s.Listen, defaultStatus)
		}
	}
	if s.Language != "" && s.Language != "en" && s.Language != "es" {
		f.Add("status.language: %q is not en or es", s.Language)
	}
}

// Facts are the status as a store manager is told it.
func (s Status) Facts() statuspage.Facts {
	f := statuspage.Facts{Device: string(s.Device), Version: s.Version, Running: s.Running, GivenUp: s.GivenUp, Connected: s.Connected, Heard: s.Heard, Waiting: s.Waiting, Oldest: s.Oldest,
		LastTicket: s.LastTicket, DiskFree: s.DiskFree, Problems: s.Health}
	if s.Certificate != nil {
		f.CertificateEnds = s.Certificate.Ends
	}
	if u := s.Update; u != nil && (u.Last != nil || u.Phase != update.Idle) {
		f.Update = updateSentence(*u)
	}
	if s.Desired != nil {
		f.Settings, f.SettingsAt = string(s.Desired.State), s.Desired.At
	}
	for _, c := range s.Connections {
		f.Sources = append(f.Sources, statuspage.Source{Name: c.Name, State: string(c.State), Since: c.Since, Next: c.Next, Reason: c.Reason, Test: c.Mode == mode.Test})
	}
	return f
}

// servePage serves the page for the store manager.
func (a *App) servePage(ctx context.Context) error {
	return onlyhere.Serve(ctx, a.Config.Status.Listen, a.pages(), func(err error) {
		if a.page.Store(err == nil); err == nil {
			a.Health.Clear(pageShut)
			return
		}
		a.Health.Set(pageShut, err.Error(), time.Now())
		a.log.WarnContext(ctx, "the status page has no port; everything else works", "listen", a.Config.Status.Listen, "err", err)
	})
}

// pages is what the agent shows on this PC.
func (a *App) pages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", statuspage.Handler(func(ctx context.Context) statuspage.Facts { return a.Status(ctx).Facts() }))
	mux.HandleFunc("GET /metrics", a.serveMetrics)
	mux.HandleFunc("GET /healthz", a.serveHealth)
	return mux
}
