package line_test

import (
	"context"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

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

// TestTenThousandTickets: every ticket is at the hub once, whatever breaks in the middle: the hub stops and comes back, the broker with it,
// the agent is restarted, and the till goes on selling all the while.
func TestTenThousandTickets(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 tickets over real sockets")
	}
	const n = 10_000
	ctx, dir, agents := t.Context(), t.TempDir(), t.TempDir()
	o := line.HubOptions{Dir: dir, Devices: []retail.DeviceID{"d1"}, Mean: mean}
	h := hub(t, o)
	o.Listen = h.URL()[len("mqtt://"):] // the same address after each restart
	a := agent(t, agents, h.URL())
	sold := make(chan error, 1)
	selling := func(from, to int) {
		go func() { sold <- a.Put(ctx, from, to, 10) }()
	}
	selling(0, n/2)
	until(t, "a first thousand", func() bool { return count(t, h) >= 1000 })
	h.Stop() // in the middle of a batch
	h = hub(t, o)
	until(t, "three thousand", func() bool { return count(t, h) >= 3000 })
	if err := h.Broker.Drop("d1"); err != nil { // the line breaks
		t.Fatal(err)
	}
	if err := <-sold; err != nil {
		t.Fatal(err)
	}
	a.Stop()
	a = agent(t, agents, h.URL())
	selling(n/2, n)
	until(t, "six thousand", func() bool { return count(t, h) >= 6000 })
	if err := h.Broker.Drop("$hub"); err != nil { // the hub's own line breaks, the broker stays
		t.Fatal(err)
	}
	until(t, "seven thousand", func() bool { return count(t, h) >= 7000 })
	h.Stop()
	h = hub(t, o)
	if err := <-sold; err != nil {
		t.Fatal(err)
	}
	until(t, "the end", func() bool { return a.Buffer.State(envelope.Sales).Waiting() == 0 })
	got, tickets := count(t, h), 0
	seen := map[string]int{}
	err := h.Store.Envelopes(ctx, store.EnvelopeFilter{Device: "d1"}, func(e store.EnvelopeRow) error {
		seen[e.Key]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if seen[line.Key(i)] != 1 {
			t.Errorf("ticket %s is there %d times", line.Key(i), seen[line.Key(i)])
		}
		tickets++
	}
	if got != n || len(seen) != n {
		t.Errorf("%d envelopes, %d tickets, want %d", got, len(seen), n)
	}
	if r, err := h.Store.VerifyChain(ctx); err != nil || r.Envelopes != n || len(r.Bad) != 0 {
		t.Errorf("chain: %+v %v", r, err)
	}
	a.Stop()
	h.Stop()
	t.Logf("%d handed in, %d at the hub, lost %d, doubled %d", n, got, n-len(seen), got-len(seen))
}

func hub(t *testing.T, o line.HubOptions) *line.Hub {
	t.Helper()
	h, err := line.StartHub(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func agent(t *testing.T, dir, url string) *line.Agent {
	t.Helper()
	a, err := line.OpenAgent(t.Context(), dir, "d1")
	if err == nil {
		err = a.Start(t.Context(), url, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func count(t *testing.T, h *line.Hub) int {
	t.Helper()
	n, err := h.Store.CountEnvelopes(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("%s did not come in a minute", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
