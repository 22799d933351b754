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
	return latency(ctx, dir, o, nil, 1.9, 6)
}

func latencyLedger(ctx context.Context, dir string, o options) (result, error) {
	return latency(ctx, dir, o, mean, 3, 12)
}

// metered tickets more go through a line of their own, where their bytes are counted: a counter between the two would cost time.
const metered = 250

// handIn hands tickets from…from+n−1 in, one every pace, and waits until the hub has confirmed them.
func handIn(ctx context.Context, a *line.Agent, pace time.Duration, from, n int, each func(i int, at time.Time, took time.Duration)) error {
	if err := until(ctx, time.Minute, func() bool { s, _ := a.Loop.Status(); return s[envelope.Sales].Phase == "streaming" }); err != nil {
		return err
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := from; i < from+n; i++ {
		d := []source.Draft{line.Draft(i)}
		<-tick.C
		begun := time.Now()
		if err := a.Buffer.Append(ctx, "bench", "", d); err != nil {
			return err
		}
		each(i, begun, time.Since(begun))
	}
	return until(ctx, time.Minute, func() bool { return a.Buffer.State(envelope.Sales).Waiting() == 0 })
}

// upBytes counts what goes up for each ticket at the same pace, receipts and all.
func upBytes(ctx context.Context, a **line.Agent, h *line.Hub, dir string, o options) (float64, error) {
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
	err = handIn(ctx, *a, o.pace, o.paced, metered, func(int, time.Time, time.Duration) {})
	return float64(wire.up.Load()) / metered, err // connecting and greeting are in it
}

// latency hands 50 tickets a second in and notes when the hub's commit of each is durable.
func latency(ctx context.Context, dir string, o options, m func(*envelope.Envelope) ingest.Meaning, p50, p99 float64) (r result, err error) {
	raw, err := openRaw(dir)
	if err != nil {
		return r, err
	}
	defer raw.close()
	var f floor
	if err := f.measure(raw, o.pace); err != nil {
		return r, err
	}
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
	handed, accepted := make([]time.Time, o.paced+metered), make([]float64, 0, o.paced)
	if err := handIn(ctx, a, o.pace, 0, o.paced, func(i int, at time.Time, took time.Duration) {
		handed[i] = at
		accepted = append(accepted, took.Seconds()*1000)
	}); err != nil {
		return r, err
	}
	var ms []float64
	for i := range o.paced {
		ms = append(ms, done[line.Key(i)].Sub(handed[i]).Seconds()*1000)
	}
	up, err := upBytes(ctx, &a, h, dir, o)
	if err != nil {
		return r, err
	}
	if err := f.measure(raw, o.pace); err != nil {
		return r, err
	}
	r.figures = []figure{
		{"hand-in → hub commit, p50", at(ms, 50), " ms", at(f.both, 50), atMost(p50)},
		{"hand-in → hub commit, p99", at(ms, 99), " ms", at(f.both, 99), atMost(p99)},
		{"hand-in → durable at the agent, p50", at(accepted, 50), " ms", at(f.first, 50), want{}},
		{"up at 50 tickets/s, acks and all overhead", up, " B/ticket", 0, atMost(900)},
	}
	r.lost, r.doubled, err = compare(ctx, h.Store, o.paced+metered)
	return r, err
}

// floor is what a ticket's way cannot be faster than: a raw commit for the agent's and one right after it for the hub's, in milliseconds, at the
// tickets' own pace. A disk and a processor that rest between two tickets take longer than in a loop: twice as long, measured.
type floor struct{ first, both []float64 }

func (f *floor) measure(raw *rawSQLite, pace time.Duration) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for _, t := range tickets(0, single) {
		body := [][]byte{t}
		<-tick.C
		begun := time.Now()
		if err := raw.commit(body, 1); err != nil {
			return err
		}
		first := time.Since(begun)
		if err := raw.commit(body, 1); err != nil {
			return err
		}
		f.first, f.both = append(f.first, first.Seconds()*1000), append(f.both, time.Since(begun).Seconds()*1000)
	}
	return nil
}

func at(v []float64, percent int) float64 {
	slices.Sort(v)
	return v[min(len(v)-1, len(v)*percent/100)]
}
