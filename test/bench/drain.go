package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

func drainAlone(ctx context.Context, dir string, o options) (result, error) {
	return drain(ctx, dir, o, nil, "≥ 0.60")
}

func drainLedger(ctx context.Context, dir string, o options) (result, error) {
	return drain(ctx, dir, o, mean, "")
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

func drain(ctx context.Context, dir string, o options, m func(*envelope.Envelope) ingest.Meaning, wanted string) (r result, err error) {
	a, err := line.OpenAgent(ctx, dir, "d1")
	if err != nil {
		return r, err
	}
	if err := a.Put(ctx, 0, o.tickets, 500); err != nil {
		return r, err
	}
	raw, err := rawSQLite(ctx, dir, min(o.tickets, 40_000), 200)
	if err != nil {
		return r, err
	}
	os.Remove(filepath.Join(dir, "raw.db"))
	var st *stamps
	ho := line.HubOptions{Dir: filepath.Join(dir, "hub"), Devices: []retail.DeviceID{"d1"}, Mean: m,
		Inbox: func(s *store.Store) ingest.Inbox { st = &stamps{Inbox: s}; return st }}
	if err := os.MkdirAll(ho.Dir, 0o700); err != nil {
		return r, err
	}
	// The agent knocks before the hub is there, as after an outage.
	reserved, err := newMeter("127.0.0.1:1")
	if err != nil {
		return r, err
	}
	defer reserved.close()
	if err := a.Start(ctx, reserved.url(), ""); err != nil {
		return r, err
	}
	defer a.Stop()
	h, err := line.StartHub(ctx, ho)
	if err != nil {
		return r, err
	}
	defer h.Stop()
	back := time.Now()
	reserved.to = h.URL()[len("mqtt://"):]
	var acked time.Time
	err = until(ctx, 3*time.Minute, func() bool {
		if acked.IsZero() && a.Buffer.State(envelope.Sales).Acked > 0 {
			acked = time.Now()
		}
		return a.Buffer.State(envelope.Sales).Waiting() == 0
	})
	if err != nil {
		return r, fmt.Errorf("%w: %d of %d are at the hub", err, st.count(), o.tickets)
	}
	rate := float64(st.n-st.inFirst) / st.last.Sub(st.first).Seconds()
	r.figures = []figure{
		{"drain", rate, " tickets/s", ""},
		{"raw SQLite, 200 a commit", raw, " tickets/s", ""},
		{"drain ÷ raw", rate / raw, "", wanted},
		{"up, with all overhead", float64(reserved.up.Load()) / float64(o.tickets), " B/ticket", "≤ 390"},
		{"down", float64(reserved.down.Load()) / float64(o.tickets), " B/ticket", ""},
		{"hub back → first ack", acked.Sub(back).Seconds(), " s", "≤ 1"},
		{"committer busy", 100 * st.busy.Seconds() / st.last.Sub(st.first).Seconds(), " %", ""},
		{"commits", float64(h.Intake.Count.Commits.Load()), "", ""},
		{"sent more than once", float64(h.Intake.Count.Duplicates.Load() + h.Intake.Count.Resends.Load() + h.Intake.Count.Dropped.Load()), " batches", ""},
	}
	r.lost, r.doubled, err = compare(ctx, h.Store, o.tickets)
	return r, err
}

// compare counts what the hub's database holds against what was handed in.
func compare(ctx context.Context, s *store.Store, tickets int) (lost, doubled int, err error) {
	seen := make(map[string]int, tickets)
	err = s.Envelopes(ctx, store.EnvelopeFilter{}, func(e store.EnvelopeRow) error {
		seen[e.Key]++
		return nil
	})
	for i := range tickets {
		switch n := seen[line.Key(i)]; {
		case n == 0:
			lost++
		case n > 1:
			doubled += n - 1
		}
	}
	return lost, doubled, err
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
