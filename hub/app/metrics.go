package app

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/doctor"
	onlyhere "github.com/tillpost/tillpost/shared/loopback"
	"github.com/tillpost/tillpost/shared/prom"
	"github.com/tillpost/tillpost/shared/version"
)

// serveMetrics serves figures and health on this machine.
func (a *App) serveMetrics(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", a.showMetrics)
	mux.HandleFunc("GET /healthz", a.showHealth)
	return onlyhere.Serve(ctx, a.Config.Metrics.Listen, mux, func(err error) {
		if err == nil {
			return
		}
		a.log.WarnContext(ctx, "the figures for Prometheus have no port; everything else works", "listen", a.Config.Metrics.Listen, "err", err)
	})
}

// withHealth lets a load balancer ask the pages' address whether the hub moves; it is told nothing else.
func (a *App) withHealth(pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if a.vital.alive() != nil {
			http.Error(w, "stuck", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n")) // who asked went away
	})
	return mux
}

// showMetrics answers a scrape. No figure is of one ticket, one customer or one amount.
func (a *App) showMetrics(w http.ResponseWriter, r *http.Request) {
	f, err := a.Store.Figures(r.Context())
	if err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	p, now := prom.Page{W: w, Program: "hub"}, time.Now()
	p.Gauge("info", 1, "version", version.String())
	byName(f.Days, func(state string, n uint64) { p.Gauge("days", n, "state", state) })
	byName(f.Documents, func(state string, n uint64) { p.Gauge("documents", n, "state", state) })
	p.Gauge("backlog_documents", f.Documents["posting"]+f.Documents["posted"]+f.Documents["waiting"])
	p.Gauge("oldest_seconds", ageOf(f.Oldest, now))
	p.Gauge("cases_open", f.Cases)
	p.Gauge("devices", f.Devices)
	p.Gauge("devices_online", f.Online)
	for _, l := range a.lanes {
		s := l.writer.Status()
		s.Name = l.connection()
		for _, state := range []breaker.State{breaker.Closed, breaker.Open, breaker.HalfOpen, breaker.Refused} {
			p.Is("lane", s.State == state, "name", s.Name, "state", string(state))
		}
		p.Stage(s.Name, &l.writer.Count)
	}
	for _, c := range a.connections(r.Context()) {
		if c.Device == "" && !c.Ends.IsZero() {
			p.Gauge("lane_key_days_left", left(c.Ends, now), "name", c.Name)
		}
	}
	own := a.keeper.State()
	for _, k := range own.Certificates {
		p.Gauge("certificate_days_left", left(k.Ends, now), "of", k.Name)
	}
	for _, n := range own.Needs(now) {
		p.Gauge("needs", uint64(n.Level), "what", n.Key)
	}
	if ends, err := a.Config.releases().Ends(); err == nil {
		for _, e := range ends {
			p.Gauge("release_days_left", left(e.Ends, now), "role", e.Role)
		}
	}
	c := &a.Intake.Count
	for result, n := range map[string]int64{"in": c.Offered.Load(), "out": c.Envelopes.Load(), "refused": c.Refused.Load(), "retried": c.Resends.Load(), "duplicate": c.Duplicates.Load(), "damaged": c.Damaged.Load(),
		"fork": c.Forks.Load(), "dropped": c.Dropped.Load()} {
		p.Counter("stage_total", uint64(max(0, n)), "stage", "ingest", "result", result)
	}
	p.Counter("batches_total", uint64(max(0, c.Batches.Load())))
	if free, err := doctor.FreeDisk(a.Config.DataDir); err == nil {
		p.Gauge("disk_free_bytes", free)
	}
	p.Process()
}

// connections are those of the hub and of the stores, as they were told last.
func (a *App) connections(ctx context.Context) []view.ConnectionView {
	cs, err := a.Store.Connections(ctx)
	if err != nil {
		return nil // the scrape shows the rest
	}
	return cs
}

func byName(m map[string]uint64, see func(string, uint64)) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		see(name, m[name])
	}
}

// left is in whole days, 0 when it is over.
func left(ends, now time.Time) uint64 { return uint64(max(0, ends.Sub(now)/(24*time.Hour))) }

// ageOf is in whole seconds, 0 when there is nothing to be old.
func ageOf(since, now time.Time) uint64 {
	if since.IsZero() || now.Before(since) {
		return 0
	}
	return uint64(now.Sub(since) / time.Second)
}

// Health is what /healthz tells on this machine. An Odoo that is away does not make the hub unwell: it waits for it.
type Health struct {
	Alive bool     `json:"alive"`
	Down  []string `json:"down"`
	Cases uint64   `json:"cases_open"`
}

func (a *App) showHealth(w http.ResponseWriter, r *http.Request) {
	f, err := a.Store.Figures(r.Context())
	h := Health{Alive: err == nil && a.vital.alive() == nil, Down: []string{}, Cases: f.Cases}
	for _, l := range a.lanes {
		if l.writer.Status().State != breaker.Closed {
			h.Down = append(h.Down, l.connection())
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if !h.Alive {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // who asked went away
}
