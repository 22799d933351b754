package odoo

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
)

func TestLane(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	l := newLane(now)
	if until, _ := l.rests(now); !until.IsZero() || l.chunk() != maxChunk {
		t.Fatalf("a new lane rests until %s with chunks of %d", until, l.chunk())
	}
	begun := now
	var rest time.Duration
	for n := range 8 {
		again := l.failedBy(&Error{Kind: Away, Text: "no route"}, now)
		if rest = again.Sub(now); rest < waitFirst/2 || rest > waitLongest {
			t.Fatalf("rest %d is %s", n, rest)
		}
		if until, why := l.rests(again.Add(-time.Millisecond)); until != again || why == "" {
			t.Fatalf("it is open too early: %s %q", until, why)
		}
		if until, _ := l.rests(again); !until.IsZero() {
			t.Fatal("it never tries again")
		}
		now = again
		l.probe(now)
		if l.status.State != breaker.HalfOpen || !l.status.Since.Equal(begun) {
			t.Fatalf("while it tries: %+v", l.status)
		}
	}
	if rest < waitLongest/2 || l.chunk() != 1 {
		t.Errorf("after 8 failures it rests %s and sends %d at once", rest, l.chunk())
	}
	l.took(now)
	if l.status.State != breaker.Closed || l.status.Reason != "" || !l.status.Next.IsZero() || !l.status.Since.Equal(now) || l.chunk() != 2 {
		t.Errorf("after an answer: %+v, chunk %d", l.status, l.chunk())
	}
	for range 6 {
		l.took(now)
	}
	if l.chunk() != maxChunk {
		t.Errorf("the chunk stays at %d", l.chunk())
	}
}

func TestLaneKnowsARefusalFromAbsenceAndLeavesABusyOdooOpen(t *testing.T) {
	now := time.Now()
	for kind, want := range map[Kind]breaker.State{Away: breaker.Open, Denied: breaker.Refused, Rights: breaker.Refused, Busy: breaker.Closed} {
		l := newLane(now)
		again := l.failedBy(&Error{Kind: kind, Text: "x"}, now)
		if l.status.State != want || !again.After(now) {
			t.Errorf("%s: %+v, again %s", kind, l.status, again)
		}
		if kind != Away && l.chunk() != maxChunk {
			t.Errorf("%s makes the chain shorter", kind)
		}
	}
}
