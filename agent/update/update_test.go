package update

import (
	"fmt"
	"testing"
	"time"
)

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"v1.2.0", "v1.1.9", true}, {"1.10.0", "v1.9.0", true}, {"v1.2.0", "v1.2.0", false}, {"v1.2.0", "v1.2.0-rc.1", true}, {"v1.2.0-rc.1", "v1.2.0", false},
		{"v1.2.0-rc.10", "v1.2.0-rc.9", true}, {"v1.2.0-rc.1.1", "v1.2.0-rc.1", true}, {"v1.2.0-rc", "v1.2.0-1", true}, {"dev", "v1.0.0", false}, {"v2.0.0", "dev", false},
		{"v1.2.0+5", "v1.2.0", false}, {"v1.2", "v1.1.0", false}, {"v1.2.-1", "v1.1.0", false},
	} {
		if got := Newer(c.a, c.b); got != c.want {
			t.Errorf("%s newer than %s: %v", c.a, c.b, got)
		}
	}
}

func TestWhenAVersionMayBeChanged(t *testing.T) {
	at := func(clock string) time.Time {
		m, err := time.Parse("2006-01-02 15:04", "2026-11-26 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	night := Want{Version: "v2.0.0", From: 22 * 60, Until: 5 * 60}
	for _, c := range []struct {
		name   string
		w      Want
		local  time.Time
		quiet  time.Duration
		waited time.Duration
		want   bool
	}{
		{"in the window, past midnight", night, at("03:00"), time.Hour, 0, true},
		{"in the store's window, whatever the PC's zone is", Want{From: 60, Until: 300, Zone: "America/Chicago"}, at("09:00"), time.Hour, 0, true}, // 3 there
		{"outside of the store's window", Want{From: 60, Until: 300, Zone: "America/Chicago"}, at("03:00"), time.Hour, 0, false},
		{"a zone that this PC does not know", Want{From: 60, Until: 300, Zone: "Mars/Base"}, at("03:00"), time.Hour, 0, true},
		{"before it", night, at("21:59"), time.Hour, 0, false},
		{"at its end", night, at("05:00"), time.Hour, 0, false},
		{"a sale just now", night, at("23:00"), 4 * time.Minute, 0, false},
		{"another quiet", Want{Quiet: 30 * time.Minute}, at("12:00"), 20 * time.Minute, 0, false},
		{"no window", Want{}, at("12:00"), 5 * time.Minute, 0, true},
		{"waited longest: any hour, and a shorter quiet", night, at("12:00"), time.Minute, MaxWaitUsual, true},
		{"waited longest, and a sale is under way", night, at("12:00"), 59 * time.Second, 9 * MaxWaitUsual, false},
		{"a person waits", Want{Now: true, From: 1, Until: 2}, at("12:00"), time.Minute, 0, true},
		{"a person waits, and a sale is under way", Want{Now: true}, at("12:00"), 10 * time.Second, 0, false},
		{"a clock set back a year changes nothing of the wait", night, at("03:00").AddDate(-1, 0, 0), time.Hour, time.Minute, true},
	} {
		if got := c.w.allows(Moment{Local: c.local, Quiet: c.quiet}, c.waited); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestJitterIsThePCsOwn(t *testing.T) {
	w := Want{Version: "v2.0.0", Jitter: time.Hour}
	seen := map[time.Duration]bool{}
	for i := range 500 {
		d := w.delay(fmt.Sprint("pc-", i))
		if d < 0 || d >= time.Hour || d != w.delay(fmt.Sprint("pc-", i)) {
			t.Fatalf("pc %d waits %s", i, d)
		}
		seen[d.Truncate(time.Minute)] = true
	}
	if len(seen) < 50 {
		t.Errorf("500 PCs begin in %d different minutes of an hour", len(seen))
	}
}

var (
	old  = Release{Version: "v1.0.0", SHA256: "aa"}
	next = Release{Version: "v2.0.0", SHA256: "bb"}
)

func quietly(w Watch) Here {
	return Here{Device: "pc", Running: old, Version: old.Version, Watch: w, Moment: Moment{Quiet: time.Hour}, Elapsed: time.Minute}
}

func TestAPlanFromWishToHandOver(t *testing.T) {
	w := Want{Version: next.Version, Order: "7"}
	p, do := Plan{}.Tick(w, quietly(Watch{}))
	if do != Find {
		t.Fatalf("%s %+v", do, p)
	}
	if p, do = p.Found(next); do != Fetch {
		t.Fatal(do)
	}
	if p, do = p.Fetched(); do != Check {
		t.Fatal(do)
	}
	p, _ = p.Checked()
	busy := quietly(Watch{})
	busy.Moment.Quiet = time.Second
	if p, do = p.Tick(w, busy); do != Nothing || p.Phase != Staged {
		t.Fatalf("during a sale: %s %+v", do, p)
	}
	if p, do = p.Tick(w, quietly(Watch{})); do != HandOver || p.Seq != 1 || p.From != old || p.To != next {
		t.Fatalf("%s %+v", do, p)
	}
	// It came back: the same order is not tried again, another is.
	back := Watch{Handled: 1, Last: &Outcome{Seq: 1, Order: "7", Wish: next.Version, Version: next.Version, Result: RolledBack}}
	if p, do = p.Tick(w, quietly(back)); do != Tidy || p.Phase != Idle {
		t.Fatalf("%s %+v", do, p)
	}
	if p, do = p.Tick(w, quietly(back)); do != Nothing {
		t.Fatalf("the same again: %s %+v", do, p)
	}
	w.Order = "8"
	if p, do = p.Tick(w, quietly(back)); do != Find {
		t.Fatalf("another order: %s %+v", do, p)
	}
	if _, do = p.Tick(Want{}, quietly(back)); do != Tidy {
		t.Errorf("the wish was taken back: %s", do)
	}
}

func TestAPlanRestsBetweenTries(t *testing.T) {
	w, h := Want{Version: next.Version}, quietly(Watch{})
	p, do := Plan{}.Tick(w, h)
	total := time.Duration(0)
	for tries := 1; ; tries++ {
		if do != Find {
			t.Fatalf("try %d: %s", tries, do)
		}
		if p, _ = p.Failed(Failure{Cause: NoDownload, Detail: "no line"}, h); p.Phase == Idle {
			break
		}
		for do = Nothing; do == Nothing; p, do = p.Tick(w, h) {
			total += h.Elapsed
		}
	}
	if p.Last == nil || p.Last.Result != Failed || total < 3*24*time.Hour {
		t.Errorf("after %s: %+v", total, p.Last)
	}
	if p, _ := (Plan{Phase: Fetching, Want: w}).Failed(Failure{Cause: Wrong, Final: true}, h); p.Last == nil || p.Last.Cause != Wrong {
		t.Errorf("final: %+v", p)
	}
}

func onProbation() (Watch, Disk) {
	d := Disk{Installed: "v0.9.0", Current: next, Whole: func(Release) bool { return true }}
	return Watch{Phase: Probation, Base: "v0.9.0", Handled: 1, From: old, FromV: old.Version, To: next, Up: true, Before: Proof{Connected: true, Down: []string{"was down"}}}, d
}

// soak runs a version for so long, asks when asked, and says what came of it.
func soak(w Watch, d Disk, p Proof, a Answer, mem uint64) Watch {
	for up := time.Duration(0); up < time.Hour; up += time.Second {
		var o Order
		s := Sign{Elapsed: time.Second, Up: up, Ready: true, Memory: mem, Proof: p}
		if w, o = w.Look(s); o.Act == Ask {
			w, o = w.Asked(a, s)
		}
		if o.Act == Kill {
			if w, o = w.Ended(End{Detail: "killed"}, d); w.Phase == Returning {
				return w
			}
		}
	}
	return w
}

func TestProbation(t *testing.T) {
	good := Proof{Database: true, Connected: true}
	for _, c := range []struct {
		name  string
		p     Proof
		a     Answer
		mem   uint64
		cause Cause // empty: it is taken
	}{
		{"good", good, Answer{Line: true}, 20 << 20, ""},
		{"offline is not unhealthy", Proof{Database: true}, Answer{}, 0, ""},
		{"what was down before", Proof{Database: true, Connected: true, Down: []string{"was down"}}, Answer{Line: true}, 0, ""},
		{"the version before cannot be asked for ever", good, Answer{Failed: true}, 0, ""},
		{"a source that it cannot read", Proof{Database: true, Connected: true, Down: []string{"folder till"}}, Answer{Line: true}, 0, Sources},
		{"no database", Proof{Connected: true}, Answer{Line: true}, 0, Schema},
		{"the version before cannot open the buffer", good, Answer{Buffer: "no", Line: true}, 0, Schema},
		{"only the version before reaches head office", Proof{Database: true}, Answer{Line: true}, 0, Line},
		{"connected, and nothing is confirmed", Proof{Database: true, Connected: true, Waiting: true}, Answer{Line: true}, 0, Line},
		{"too much memory", good, Answer{Line: true}, 600 << 20, Memory},
	} {
		w, d := onProbation()
		w = soak(w, d, c.p, c.a, c.mem)
		if c.cause == "" && (w.Phase != Trial || w.Last == nil || w.Last.Result != Committed) || c.cause != "" && (w.Phase != Returning || w.Cause != c.cause || w.Last != nil) {
			t.Errorf("%s: %+v", c.name, w)
		}
	}
}

func TestEndsAreCounted(t *testing.T) {
	w, d := onProbation()
	for range endsSoak - 1 {
		if w, _ = w.Ended(End{}, d); w.Phase != Probation {
			t.Fatalf("%+v", w)
		}
	}
	if stopped, o := w.Ended(End{Asked: true}, d); stopped.Ends != w.Ends || o.Act != GiveUp || stopped.Up {
		t.Errorf("a stop of the service counts: %+v", stopped)
	}
	if w, _ = w.Ended(End{}, d); w.Phase != Returning || w.Cause != Crash {
		t.Errorf("%+v", w)
	}
	w, d = onProbation()
	w.Ends = endsSoak - 1
	if w, o := w.Begin(d); w.Phase != Returning || o.Act != Point || o.Target != old {
		t.Errorf("what took everything down with it: %+v %+v", w, o)
	}
	w, d = onProbation()
	w.Phase, w.Ends = Trial, endsTrial-1
	if w, _ = w.Begin(d); w.Phase != Trial {
		t.Errorf("power that goes each evening is no fault of a version: %+v", w)
	}
	if w, _ = w.Ended(End{}, d); w.Phase != Returning {
		t.Errorf("it ends again and again in its trial: %+v", w)
	}
}

func TestTheFinalWordComesOnlyInTheEnd(t *testing.T) {
	w, d := onProbation()
	w = w.back(Crash, "it ended")
	if w.Last != nil {
		t.Error("it is told before the version before runs")
	}
	d.Current = old
	w, o := w.Resume(d)
	if o.Act != Run || o.Target != old {
		t.Fatalf("%+v", o)
	}
	if w, _ = w.Look(Sign{}); w.Last != nil {
		t.Error("it is told before the version before works")
	}
	if w, _ = w.Look(Sign{Ready: true}); w.Last == nil || w.Last.Result != RolledBack || w.Phase != Idle {
		t.Errorf("%+v", w)
	}
}

func TestCalledBack(t *testing.T) {
	kept := Release{Version: "v0.9.0", SHA256: "cc"}
	h := quietly(Watch{Phase: Trial, From: kept, To: old, Kept: &kept, KeptV: kept.Version, Handled: 4})
	for _, version := range []string{"", kept.Version} {
		p, do := Plan{}.Tick(Want{Back: true, Version: version, Order: "9"}, h)
		if do != HandOver || p.To != kept || p.Seq != 5 {
			t.Errorf("to %q: %s %+v", version, do, p)
		}
	}
	if p, do := (Plan{}).Tick(Want{Back: true, Version: "v0.8.0"}, h); do != Find {
		t.Errorf("to one that is not on the disk: %s %+v", do, p)
	}
	h.Moment.Quiet = 0
	if p, do := (Plan{}).Tick(Want{Back: true}, h); do != Nothing || p.Phase != Staged {
		t.Errorf("during a sale: %s %+v", do, p)
	}
	if _, do := (Plan{}).Tick(Want{Back: true}, quietly(Watch{})); do != Nothing {
		t.Errorf("with nothing on the disk: %s", do)
	}
}
