package app

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/prom"
)

// day is what is left of a certificate or a key, in figures.
const day = 24 * time.Hour

// serveMetrics answers a scrape. No figure is of one ticket, one customer or one amount.
func (a *App) serveMetrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s, now := a.Status(r.Context()), time.Now()
	p := prom.Page{W: w, Program: "agent"}
	p.Gauge("info", 1, "version", s.Version, "device", string(s.Device))
	p.Is("connected", s.Connected)
	for _, name := range envelope.Streams {
		st := s.Streams[name]
		p.Gauge("backlog_records", st.Waiting(), "stream", string(name))
		p.Counter("taken_total", st.Last, "stream", string(name))
		p.Counter("confirmed_total", st.Acked, "stream", string(name))
	}
	p.Gauge("oldest_seconds", seconds(now.Sub(s.Oldest), s.Oldest.IsZero()))
	if !s.Heard.IsZero() {
		p.Gauge("heard_seconds", seconds(now.Sub(s.Heard), false))
	}
	if s.Clock != nil {
		p.Gauge("clock_off_seconds", seconds(s.Clock.Abs(), false))
	}
	for _, c := range s.Connections {
		p.Gauge("connection", 1, "name", c.Name, "state", string(c.State))
	}
	for _, h := range s.Health {
		p.Gauge("condition", 1, "code", h.Code, "severity", h.Severity)
	}
	p.Gauge("disk_free_bytes", s.DiskFree)
	if s.Certificate != nil {
		p.Gauge("certificate_days_left", uint64(max(0, s.Certificate.Ends.Sub(now)/day)))
	}
	p.Stage("capture", &a.captured)
	p.Stage("buffer", &a.Buffer.Count.Stage)
	p.Stage("forward", &a.loop.Count)
	p.Stage("uplink", &a.uplink.Count)
	p.Counter("commits_total", a.Buffer.Count.Commits.Load())
	p.Process()
}

// seconds is a length of time in whole seconds, 0 when there is nothing to be old.
func seconds(d time.Duration, none bool) uint64 {
	if none || d < 0 {
		return 0
	}
	return uint64(d / time.Second)
}

// Health is what /healthz tells: whether the agent moves, and what a person should know. A store without a line is well.
type Health struct {
	Alive      bool     `json:"alive"`
	Good       bool     `json:"good"`
	Conditions []string `json:"conditions"`
}

// serveHealth answers 200 while the agent moves, else 503.
func (a *App) serveHealth(w http.ResponseWriter, _ *http.Request) {
	h := Health{Alive: a.vital.alive() == nil, Conditions: []string{}}
	for _, c := range a.Health.Report(time.Now()) {
		h.Conditions = append(h.Conditions, c.Code)
	}
	h.Good = h.Alive && len(h.Conditions) == 0
	w.Header().Set("Content-Type", "application/json")
	if !h.Alive {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // who asked went away
}

// verifyEvery is how often the whole buffer is proven while the agent runs: a disk that gives back other bytes than it was given is told
// before the day that needs them.
const verifyEvery = 24 * time.Hour

// proveBuffer proves the buffer once a day, some minutes after the start.
func (a *App) proveBuffer(ctx context.Context) error {
	for wait := 10 * time.Minute; ; wait = verifyEvery {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		n, err := a.Buffer.Verify(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			a.Health.Set(damaged, err.Error(), time.Now())
			a.log.ErrorContext(ctx, "the buffer is damaged", "whole", n, "err", err)
		default:
			a.log.InfoContext(ctx, "every record that is held is whole", "records", n)
		}
	}
}

// lookDisk tells when the disk is nearly full, before it is.
func (a *App) lookDisk(free uint64, known bool, now time.Time) {
	switch {
	case !known:
	case tightDisk(free):
		a.Health.Set(diskLow, sizeWords(free)+" free", now)
	default:
		a.Health.Clear(diskLow)
	}
}
