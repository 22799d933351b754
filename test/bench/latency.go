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
	paced   = 1000 // tickets whose way is timed
	metered = 250  // tickets more whose bytes are counted, through a line of their own: a counter between the two would cost time
	every   = 20 * time.Millisecond
)

// handIn hands tickets from…from+n−1 in, one every 20 ms, and waits until the hub has confirmed them.
func handIn(ctx context.Context, a *line.Agent, from, n int, each func(i int, at time.Time, took time.Duration)) error {
	if err := until(ctx, time.Minute, func() bool { s, _ := a.Loop.Status(); return s[envelope.Sales].Phase == "streaming" }); err != nil {
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := from; i < from+n; i++ {
		<-tick.C
		begun := time.Now()
		if err := a.Buffer.Append(ctx, "bench", "", []source.Draft{line.Draft(i)}); err != nil {
			return err
		}
		each(i, begun, time.Since(begun))
	}
	return until(ctx, time.Minute, func() bool { return a.Buffer.State(envelope.Sales).Waiting() == 0 })
}

// upBytes counts what goes up for each ticket at the same pace, receipts and all.
func upBytes(ctx context.Context, a **line.Agent, h *line.Hub, dir string) (float64, error) {
	wire, err := newMeter(h.URL()[len("mqtt://"):])
	if err != nil {
		return 0, err
	}
	defer wire.close()
	(*a).Stop()
	if *a, err = line.OpenAgent(ctx, dir, (*a).Device); err != nil {
		return 0, err
	}
	if err := (*a).Start(ctx, wire.url(), ""); err != nil {
		return 0, err
	}
	err = handIn(ctx, *a, paced, metered, func(int, time.Time, time.Duration) {})
	return float64(wire.up.Load()) / metered, err // connecting and greeting are in it
}

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
	defer func() { a.Stop() }()
	if err := a.Start(ctx, h.URL(), ""); err != nil {
		return r, err
	}
	handed, accepted := make([]time.Time, paced+metered), make([]float64, 0, paced)
	if err := handIn(ctx, a, 0, paced, func(i int, at time.Time, took time.Duration) {
		handed[i] = at
		accepted = append(accepted, took.Seconds()*1000)
	}); err != nil {
		return r, err
	}
	var ms []float64
	for i := range paced {
		ms = append(ms, done[line.Key(i)].Sub(handed[i]).Seconds()*1000)
	}
	up, err := upBytes(ctx, &a, h, dir)
	if err != nil {
		return r, err
	}
	r.figures = []figure{
		{"hand-in → hub commit p50", at(ms, 50), " ms", p50},
		{"hand-in → hub commit p99", at(ms, 99), " ms", p99},
		{"hand-in → durable at the agent p50", at(accepted, 50), " ms", ""},
		{"raw SQLite single commit", 1000 / raw, " ms", ""},
		{"up, with acks", up, " B/ticket", "≤ 900"},
	}
	r.lost, r.doubled, err = compare(ctx, h.Store, paced+metered)
	return r, err
}

func at(v []float64, percent int) float64 {
	slices.Sort(v)
	return v[min(len(v)-1, len(v)*percent/100)]
}
