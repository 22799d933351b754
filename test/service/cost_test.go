//go:build linux

package service_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
	"github.com/tillpost/tillpost/test/rig"
)

// What the agent may cost a store's PC after a day's tickets. `make bench` measures it as it is released; this notices what grows beside it.
const (
	daysTickets = 2000
	mostMemory  = 30 << 20
)

// TestADaysTicketsLeaveTheTillItsMemory: half a minute after a rush of a day's tickets the agent holds no more than it may.
func TestADaysTicketsLeaveTheTillItsMemory(t *testing.T) {
	if os.Getenv("TILLPOST_RELEASE") != "all" {
		t.Skip("sells a day's tickets and waits until the agent rests: with TILLPOST_RELEASE=all only")
	}
	page, door := port.Free(t), port.Free(t)
	r := rig.New(t, location)
	settings := r.Agent("pc", fmt.Sprintf("[status]\nlisten=%q\n[source.localapi]\nlisten=%q\ntoken_file=%q\n", page, door, r.Write("till.token", "till\n")))
	r.Start("agent", r.At("agent"), "run", "--config", settings)
	until(t, "an open door", func() bool { return sell(t.Context(), door, "first") == http.StatusCreated })
	for i := range daysTickets {
		if code := sell(t.Context(), door, fmt.Sprintf("t%d", i)); code != http.StatusCreated {
			t.Fatalf("ticket %d: %d", i, code)
		}
	}
	r.Until(2*time.Minute, "the day's confirmation", func() bool {
		return figure(t, page, `tillpost_agent_confirmed_total{stream="sales"}`) > daysTickets
	})
	begun, held := time.Now(), 0
	for held = figure(t, page, "process_resident_memory_bytes"); held > mostMemory && time.Since(begun) < time.Minute; <-time.After(time.Second) {
		held = figure(t, page, "process_resident_memory_bytes")
	}
	t.Logf("%.1f MB are resident %s after the last ticket was confirmed", float64(held)/(1<<20), time.Since(begun).Round(time.Second))
	if held > mostMemory || held < 1<<20 {
		t.Errorf("%d bytes are resident, %d is the most", held, mostMemory)
	}
}
