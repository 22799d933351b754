package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

func latencyAlone(ctx context.Context, dir string, o options) (result, error) {
	return latency(ctx, dir, nil, "≤ 1.9", "≤ 6")
}

func latencyLedger(ctx context.Context, dir string, o options) (result, error) {
	return latency(ctx, dir, mean, "≤ 3", "≤ 12")
}

const (
	paced = 1000 // tickets
	every = 20 * time.Millisecond
)

// latency hands 50 tickets a second in and notes when the hub's commit of each is durable.
func latency(ctx context.Context, dir string, m func(*envelope.Envelope) ingest.Meaning, p50, p99 string) (r result, err error) {
	raw, err := rawSQLite(ctx, dir, 500, 1)
	if err != nil {
		return r, err
	}
	os.Remove(filepath.Join(dir, "raw.db"))
	var mu sync.Mutex
	done := map[string]time.Time{}
	var st *stamps
	ho := line.HubOptions{Dir: filepath.Join(dir, "hub"), Devices: []retail.DeviceID{"d1"}, Mean: m, Inbox: func(s *store.Store) ingest.Inbox {
		st = &stamps{Inbox: s, each: func(key string, at time.Time) {
			mu.Lock()
			done[key] = at
			mu.Unlock()
		}}
		return st
	}}
	if err := os.MkdirAll(ho.Dir, 0o700); err != nil {
		return r, err
	}
	h, err := line.StartHub(ctx, ho)
	if err != nil {
		return r, err
	}
	defer h.Stop()
	a, err := line.OpenAgent(ctx, dir, "d1")
	if err != nil {
		return r, err
	}
	defer a.Stop()
	wire, err := newMeter(h.URL()[len("mqtt://"):])
	if err != nil {
		return r, err
	}
	defer wire.close()
	if err := a.Start(ctx, wire.url(), ""); err != nil {
		return r, err
	}
	if err := until(ctx, time.Minute, func() bool { s, _ := a.Loop.Status(); return s[envelope.Sales].Phase == "streaming" }); err != nil {
		return r, err
	}
	before := wire.up.Load()
	handed, accepted := make([]time.Time, paced), make([]float64, 0, paced)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := range paced {
		<-tick.C
		handed[i] = time.Now()
		if err := a.Buffer.Append(ctx, "bench", "", []source.Draft{line.Draft(i)}); err != nil {
			return r, err
		}
		accepted = append(accepted, time.Since(handed[i]).Seconds()*1000)
	}
	if err := until(ctx, time.Minute, func() bool { return a.Buffer.State(envelope.Sales).Waiting() == 0 }); err != nil {
		return r, err
	}
	var ms []float64
	for i := range paced {
		ms = append(ms, done[line.Key(i)].Sub(handed[i]).Seconds()*1000)
	}
	r.figures = []figure{
		{"hand-in → hub commit p50", at(ms, 50), " ms", p50},
		{"hand-in → hub commit p99", at(ms, 99), " ms", p99},
		{"hand-in → durable at the agent p50", at(accepted, 50), " ms", ""},
		{"raw SQLite single commit", 1000 / raw, " ms", ""},
		{"up, with acks", float64(wire.up.Load()-before) / paced, " B/ticket", "≤ 900"},
	}
	r.lost, r.doubled, err = compare(ctx, h, paced)
	return r, err
}

func at(v []float64, percent int) float64 {
	slices.Sort(v)
	return v[min(len(v)-1, len(v)*percent/100)]
}
