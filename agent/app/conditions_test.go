package app

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/words"
	"github.com/tillpost/tillpost/shared/crash"
	"github.com/tillpost/tillpost/shared/health"
)

// Everything that can be wrong has its words in every language, and one thing to do.
func TestConditionsHaveTheirWords(t *testing.T) {
	for _, c := range []*health.Condition{noLine, notTaken, notLetIn, notRenewed, sourceDown, sourceShut, pageShut, connectionRefused, connectionDown, terminalDown, clockWrong, damaged, diskFull, diskLow, crashed, retailHidden, retailClock, retailNewer, retailPart} {
		for _, l := range words.Langs {
			for _, part := range []string{"title", "meaning", "do"} {
				if _, found := l.Find("condition." + c.Code + "." + part); !found {
					t.Errorf("%s has no %s in %s", c.Code, part, l)
				}
			}
		}
		if strings.HasPrefix(c.Title+c.Meaning+c.Do, "condition.") {
			t.Errorf("%+v", c)
		}
	}
}

// A disk that fills is told before it is full, and not beside "full".
func TestADiskThatFills(t *testing.T) {
	a, now := &App{}, time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	codes := func() (out []string) {
		for _, s := range a.Health.Report(now) {
			out = append(out, s.Code)
		}
		return out
	}
	a.lookDisk(800<<20, true, now)
	if got := strings.Join(codes(), " "); got != "disk_low" {
		t.Errorf("800 MB: %q", got)
	}
	a.Health.Set(diskFull, "", now)
	if got := strings.Join(codes(), " "); got != "disk_full" {
		t.Errorf("full: %q", got)
	}
	a.Health.Clear(diskFull)
	a.lookDisk(0, false, now) // it could not be asked: what was known holds
	if got := strings.Join(codes(), " "); got != "disk_low" {
		t.Errorf("not known: %q", got)
	}
	a.lookDisk(50<<30, true, now)
	if got := codes(); len(got) != 0 {
		t.Errorf("50 GB: %v", got)
	}
}

// A crash is told for a day, and asks nothing of a store manager.
func TestACrashIsToldForADay(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	a := &App{Crash: &crash.Report{At: now, What: "panic in agent/x.y", File: "/x"}}
	a.lookCrash(now.Add(time.Hour))
	st := Status{Running: true, Health: a.Health.Report(now.Add(time.Hour))}
	if len(st.Health) != 1 || !st.Good() || !st.Health[0].Since.Equal(now) {
		t.Errorf("after an hour: %+v", st.Health)
	}
	if a.lookCrash(now.Add(25 * time.Hour)); len(a.Health.Report(now)) != 0 {
		t.Error("after a day it is still told")
	}
}

func TestAMoveIsFelt(t *testing.T) {
	var v vital
	if v.alive() == nil {
		t.Error("what never moved is alive")
	}
	if v.moved(time.Now()); v.alive() != nil {
		t.Error("what moved just now is not alive")
	}
	if v.moved(time.Now().Add(-2 * stale)); v.alive() == nil {
		t.Error("what has not moved for two minutes is alive")
	}
}
