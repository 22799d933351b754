package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/agent/app"
	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/test/line"
	"github.com/tillpost/tillpost/test/port"
)

const (
	rounds      = 10 // turns that the work and its limit take
	single      = 200
	outstanding = 20
	crowd       = 1000 // tickets of a round when many are outstanding
)

// capturing hands tickets to the whole agent, in process and over its door, while the hub is away.
func capturing(ctx context.Context, dir string, o options) (r result, err error) {
	a, door, stop, err := startAgent(ctx, dir, "mqtt://"+nowhere)
	if err != nil {
		return r, err
	}
	defer stop()
	raw, err := openRaw(dir)
	if err != nil {
		return r, err
	}
	defer raw.close()
	tills, err := dialTills(door, outstanding)
	if err != nil {
		return r, err
	}
	defer tills.close()
	ways := []struct {
		figure
		n    int
		hand func(ds []source.Draft) error
		took time.Duration
		cpu  time.Duration
	}{
		{figure: figure{name: "capture in process, one at a time", want: timesRaw(0.9)}, n: single, hand: func(ds []source.Draft) error { return appendEach(ctx, a.Buffer, ds) }},
		{figure: figure{name: "capture over loopback HTTP, one at a time", want: timesRaw(0.65)}, n: single, hand: func(ds []source.Draft) error { return tills[:1].push(ds) }},
		{figure: figure{name: "capture over loopback HTTP, 20 outstanding", want: timesRaw(2.6)}, n: crowd, hand: func(ds []source.Draft) error { return tills.push(ds) }},
	}
	if err := o.profile.begin(); err != nil {
		return r, err
	}
	next := 0
	for i := range rounds * len(ways) {
		w := &ways[i%len(ways)]
		if err := raw.commit(tickets(next, single), 1); err != nil {
			return r, err
		}
		ds := drafts(next, w.n)
		begun, before := time.Now(), cpuTime()
		if err := w.hand(ds); err != nil {
			return r, err
		}
		w.took, w.cpu = w.took+time.Since(begun), w.cpu+cpuTime()-before
		next += w.n
	}
	o.profile.end()
	for _, w := range ways {
		w.value, w.unit, w.limit = float64(rounds*w.n)/w.took.Seconds(), " tickets/s", raw.rate()
		r.figures = append(r.figures, w.figure, figure{"processor time of it", w.cpu.Seconds() * 1e6 / float64(rounds*w.n), " µs", 0, want{}})
	}
	r.lost, r.doubled, err = held(ctx, a.Buffer, next)
	return r, err
}

// startAgent runs the whole agent with its door for tills open.
func startAgent(ctx context.Context, dir, hub string) (a *app.App, door string, stop func(), err error) {
	if door, err = port.Addr(); err != nil {
		return nil, "", nil, err
	}
	c := app.Default()
	c.Device, c.DataDir, c.Hub.URL, c.Hub.RetryLongest = "d1", filepath.Join(dir, "agent"), hub, config.Duration(time.Second)
	c.Source.LocalAPI = app.LocalAPIConfig{Listen: door, TokenFile: filepath.Join(dir, "token")}
	if err := os.WriteFile(c.Source.LocalAPI.TokenFile, []byte("bench\n"), 0o600); err != nil {
		return nil, "", nil, err
	}
	if a, err = app.New(ctx, c, slog.New(slog.DiscardHandler)); err != nil {
		return nil, "", nil, err
	}
	run, quit := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(run) }()
	stop = func() { quit(); <-done; _ = a.Close() }
	if err = until(ctx, 10*time.Second, func() bool {
		c, err := net.Dial("tcp", door)
		if err == nil {
			c.Close()
		}
		return err == nil
	}); err != nil {
		stop()
	}
	return a, door, stop, err
}

func drafts(from, n int) []source.Draft {
	out := make([]source.Draft, n)
	for i := range out {
		out[i] = line.Draft(from + i)
	}
	return out
}

// appendEach hands tickets in one after the other.
func appendEach(ctx context.Context, b *buffer.Buffer, ds []source.Draft) error {
	for i := range ds {
		if err := b.Append(ctx, "bench", "", ds[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// held counts what a buffer holds against what was handed in.
func held(ctx context.Context, b *buffer.Buffer, n int) (lost, doubled int, err error) {
	seen := make(map[string]int, n)
	for at := uint64(0); at < b.State(envelope.Sales).Last; {
		page, err := b.Peek(ctx, envelope.Sales, at, 1000, 8<<20)
		if err != nil {
			return 0, 0, err
		}
		for _, e := range page {
			seen[e.Key]++
		}
		at = page[len(page)-1].Pos.Seq
	}
	lost, doubled = count(seen, n)
	return lost, doubled, nil
}

// count compares keys that were seen with the n that were handed in.
func count(seen map[string]int, n int) (lost, doubled int) {
	for i := range n {
		switch k := seen[line.Key(i)]; {
		case k == 0:
			lost++
		case k > 1:
			doubled += k - 1
		}
	}
	return lost, doubled
}
