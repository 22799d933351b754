//go:build linux

package update_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/test/fault"
)

var (
	second = program{"v1.1.0", []byte(strings.Repeat("the second program. ", 9)), true}
	third  = program{"v1.2.0", []byte(strings.Repeat("the third program, which is good. ", 9)), true}
	broken = program{"v1.3.0", []byte(strings.Repeat("a program that ends at once. ", 9)), false}
)

// ends is what has to be true of a PC when an update has had the time it needs.
type ends struct {
	want   update.Want
	runs   string
	result update.Result
}

// Virtual times: an update with its probation, and what a PC needs after a cut.
const (
	whole = 13 * time.Minute
	rest  = 27 * time.Minute
)

// updated makes PCs that already run a version of their own, each on a disk where all of that is durable.
func updated(t *testing.T) func() *fault.Disk {
	var d *fault.Disk
	synctest.Test(t, func(t *testing.T) {
		d = fault.NewDisk()
		s := newSim(d, update.Want{Version: second.version, Order: "1"}, second)
		if err := s.run(t.Context(), whole); err != nil {
			t.Fatal(err)
		}
		if s.store.Current() != second.release() || s.store.Watch().Last == nil {
			t.Fatalf("it did not update: %v, ran %v", s.store.Current(), s.ran)
		}
	})
	return func() *fault.Disk { return d.After(fault.Kept) }
}

func (e ends) check(t *testing.T, s *sim, what string) {
	t.Helper()
	last := s.store.Watch().Last
	if len(s.ran) == 0 || s.ran[len(s.ran)-1] != e.runs || last == nil || last.Result != e.result || last.Order != e.want.Order {
		t.Errorf("%s: it ran %v, the last word is %+v", what, s.ran, last)
	}
	for _, v := range s.ran {
		if v == s.launcher {
			t.Errorf("%s: the package's own program had to run: %v", what, s.ran)
		}
	}
}

// TestPowerCuts cuts the power at every file operation of an update, and of one that is taken back, with everything that a cut can leave: what
// is started then is always one whole program, the old one or the new, and the update comes to the end that it would have come to.
func TestPowerCuts(t *testing.T) {
	for _, e := range []ends{
		{update.Want{Version: third.version, Order: "2"}, third.version, update.Committed},
		{update.Want{Version: broken.version, Order: "3"}, second.version, update.RolledBack},
		{update.Want{Version: "v1.0.0", Back: true, Order: "4"}, "v1.0.0", update.Committed},
	} {
		t.Run(fmt.Sprint(e.want.Version, " ", e.result), func(t *testing.T) {
			n, before := 0, updated(t)
			synctest.Test(t, func(t *testing.T) {
				d := before()
				s := newSim(d, e.want, second, third, broken)
				if err := s.run(t.Context(), whole); err != nil {
					t.Fatal(err)
				}
				if !e.want.Back {
					e.check(t, s, "without a cut")
				}
				n = d.N
				t.Logf("%d operations", n)
			})
			cuts := 0
			for at := 1; at <= n+1; at++ {
				for m := range fault.Modes {
					synctest.Test(t, func(t *testing.T) { cutOnce(t, before(), e, at, m) })
					cuts++
				}
			}
			t.Logf("%d cuts", cuts)
		})
	}
}

func cutOnce(t *testing.T, d *fault.Disk, e ends, at int, m fault.Mode) {
	d.CutAt = at
	s := newSim(d, e.want, second, third, broken)
	_ = s.run(t.Context(), whole) // the power is gone, or it was done before
	synctest.Wait()
	again := newSim(d.After(m), e.want, second, third, broken)
	if err := again.run(t.Context(), rest); err != nil {
		t.Errorf("cut at %d, %v: %v", at, m, err)
	}
	what := fmt.Sprintf("cut at %d (%s), what was left: %d", at, d.Trace[len(d.Trace)-1], m)
	if e.want.Back {
		if last := again.store.Watch().Last; last == nil || last.Result != e.result || again.ran[len(again.ran)-1] != e.runs {
			t.Errorf("%s: it ran %v, the last word is %+v", what, again.ran, last)
		}
		return
	}
	e.check(t, again, what)
}

// TestFullDiskAtEveryOperation: from any operation on nothing can be written any more. The old version runs on, or the new one does.
func TestFullDiskAtEveryOperation(t *testing.T) {
	before := updated(t)
	for at := 1; at <= 60; at++ {
		synctest.Test(t, func(t *testing.T) {
			d := before()
			d.FullAt = at
			s := newSim(d, update.Want{Version: third.version, Order: "2"}, second, third, broken)
			if err := s.run(t.Context(), whole); err != nil {
				t.Errorf("full from %d on: the launcher ends: %v", at, err)
			}
			if last := s.ran[len(s.ran)-1]; last != second.version && last != third.version {
				t.Errorf("full from %d on: it ran %v", at, s.ran)
			}
			d = d.After(fault.Kept)
			again := newSim(d, update.Want{Version: third.version, Order: "2"}, second, third, broken)
			_ = again.run(t.Context(), 8*time.Hour)
			if again.ran[len(again.ran)-1] != third.version {
				t.Errorf("full from %d on, then room: it ran %v", at, again.ran)
			}
		})
	}
}

// TestTwoCuts cuts the power again while the PC takes the update up.
func TestTwoCuts(t *testing.T) {
	e := ends{update.Want{Version: third.version, Order: "2"}, third.version, update.Committed}
	before := updated(t)
	for at := 1; at <= 40; at += 3 {
		for second := 1; second <= 12; second++ {
			for _, m := range []fault.Mode{fault.Lost, fault.Torn} {
				synctest.Test(t, func(t *testing.T) { cutTwice(t, before(), e, at, second, m) })
			}
		}
	}
}

func cutTwice(t *testing.T, d *fault.Disk, e ends, at, then int, m fault.Mode) {
	for _, n := range []int{at, then} {
		d.CutAt = n
		s := newSim(d, e.want, second, third, broken)
		_ = s.run(t.Context(), whole)
		synctest.Wait()
		d = d.After(m)
	}
	s := newSim(d, e.want, second, third, broken)
	if err := s.run(t.Context(), rest); err != nil {
		t.Errorf("cuts at %d and %d: %v", at, then, err)
	}
	e.check(t, s, fmt.Sprintf("cuts at %d and %d, mode %d", at, then, m))
}
