package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

func drainAlone(ctx context.Context, dir string, o options) (result, error) {
	return drain(ctx, dir, o, nil, timesRaw(0.6))
}

func drainLedger(ctx context.Context, dir string, o options) (result, error) {
	return drain(ctx, dir, o, mean, want{})
}

// mean decodes and posts as the hub does.
func mean(e *envelope.Envelope) ingest.Meaning {
	t, err := retail.DecodeTicket(e.Body)
	if err != nil {
		return ingest.Meaning{Refused: err}
	}
	entry, _, err := ledger.Post(t, t.Day, e.At)
	if err != nil {
		return ingest.Meaning{Record: t, Refused: err}
	}
	v, err := ledger.VersionOf(t, t.Day)
	return ingest.Meaning{Record: t, Entry: &entry, Version: v, Refused: err}
}

// stamps notes when each commit became durable.
type stamps struct {
	ingest.Inbox
	mu          sync.Mutex
	first, last time.Time
	n, inFirst  int
	busy        time.Duration
	each        func(key string, at time.Time)
}

func (s *stamps) Commit(ctx context.Context, as []ingest.Advance) error {
	begun := time.Now()
	if err := s.Inbox.Commit(ctx, as); err != nil {
		return err
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy += now.Sub(begun)
	if s.n == 0 {
		s.first = now
	}
	s.last = now
	for _, a := range as {
		s.n += len(a.Envs)
		if s.each != nil {
			for _, e := range a.Envs {
				s.each(e.Env.Key, now)
			}
		}
	}
	if s.inFirst == 0 {
		s.inFirst = s.n
	}
	return nil
}

func (s *stamps) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// filled opens an agent that has captured the tickets to drain, and takes the first half of the limit.
func filled(ctx context.Context, dir string, n int) (*line.Agent, *rawSQLite, error) {
	a, err := line.OpenAgent(ctx, dir, "d1")
	if err != nil {
		return nil, nil, err
	}
	if err := a.Put(ctx, 0, n, 500); err != nil {
		return nil, nil, err
	}
	raw, err := openRaw(dir)
	if err != nil {
		return nil, nil, err
	}
	return a, raw, raw.commit(tickets(0, min(n/5, 20_000)), 200)
}

// drain begins with an agent that knocks before the hub is there, as after an outage.
func drain(ctx context.Context, dir string, o options, m func(*envelope.Envelope) ingest.Meaning, wanted want) (r result, err error) {
	a, raw, err := filled(ctx, dir, o.tickets)
	if err != nil {
		return r, err
	}
	defer raw.close()
	var st *stamps
	ho := line.HubOptions{Dir: filepath.Join(dir, "hub"), Devices: []retail.DeviceID{"d1"}, Mean: m,
		Inbox: func(s *store.Store) ingest.Inbox { st = &stamps{Inbox: s}; return st }}
	if err := os.MkdirAll(ho.Dir, 0o700); err != nil {
		return r, err
	}
	wire, err := newMeter(nowhere)
	if err != nil {
		return r, err
	}
	defer wire.close()
	if err := a.Start(ctx, wire.url(), ""); err != nil {
		return r, err
	}
	defer a.Stop()
	h, err := line.StartHub(ctx, ho)
	if err != nil {
		return r, err
	}
	defer h.Stop()
	if err := o.profile.begin(); err != nil {
		return r, err
	}
	back, cpu := time.Now(), cpuTime()
	wire.lead(h.URL()[len("mqtt://"):])
	var acked time.Time
	err = until(ctx, 3*time.Minute, func() bool {
		if acked.IsZero() && a.Buffer.State(envelope.Sales).Acked > 0 {
			acked = time.Now()
		}
		return a.Buffer.State(envelope.Sales).Waiting() == 0
	})
	cpu = cpuTime() - cpu
	o.profile.end()
	if err != nil {
		return r, fmt.Errorf("%w: %d of %d are at the hub", err, st.count(), o.tickets)
	}
	if err := raw.commit(tickets(0, raw.n), 200); err != nil {
		return r, err
	}
	bare, err := rawBroker(ctx, dir)
	if err != nil {
		return r, err
	}
	n, rate := float64(o.tickets), float64(st.n-st.inFirst)/st.last.Sub(st.first).Seconds()
	r.figures = []figure{
		{"drain until committed", rate, " tickets/s", raw.rate(), wanted},
		{"drain beside the bare broker", rate, " tickets/s", bare, want{}},
		{"hub back → first ack", acked.Sub(back).Seconds(), " s", 0, atMost(1)},
		{"up, acks and all overhead", float64(wire.up.Load()) / n, " B/ticket", 0, atMost(390)},
		{"down", float64(wire.down.Load()) / n, " B/ticket", 0, want{}},
		{processor, cpu.Seconds() * 1e6 / n, " µs/ticket", 0, want{}},
		{"committer busy", 100 * st.busy.Seconds() / st.last.Sub(st.first).Seconds(), " %", 0, want{}},
		{"tickets in a commit", n / float64(h.Intake.Count.Commits.Load()), "", 0, want{}},
		{"batches sent more than once", float64(h.Intake.Count.Duplicates.Load() + h.Intake.Count.Resends.Load() + h.Intake.Count.Dropped.Load()), "", 0, want{}},
	}
	r.lost, r.doubled, err = compare(ctx, h.Store, o.tickets)
	return r, err
}

// compare counts what the hub's database holds against what was handed in.
func compare(ctx context.Context, s *store.Store, n int) (lost, doubled int, err error) {
	seen := make(map[string]int, n)
	err = s.Envelopes(ctx, store.EnvelopeFilter{}, func(e store.EnvelopeRow) error {
		seen[e.Key]++
		return nil
	})
	lost, doubled = count(seen, n)
	return lost, doubled, err
}

// cpuTime is what this process has used of all processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func until(ctx context.Context, longest time.Duration, ok func() bool) error {
	end := time.Now().Add(longest)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if time.Now().After(end) {
			return fmt.Errorf("not done after %s", longest)
		}
	}
	return nil
}
