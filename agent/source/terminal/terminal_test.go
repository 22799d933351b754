package terminal_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/terminal"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/heartland/upa"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/terminal"
)

// rig is a terminal, its source and a clock that the test turns.
type rig struct {
	t      *testing.T
	fake   *fake.Terminal
	src    *terminal.Terminal
	now    time.Time
	cursor source.Cursor
}

func newRig(t *testing.T, change func(*terminal.Options)) *rig {
	t.Helper()
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, now: time.Date(2026, 11, 25, 2, 0, 0, 0, chicago)}
	if r.fake, err = fake.Start(t.Context(), chicago, func() time.Time { return r.now }); err != nil {
		t.Fatal(err)
	}
	quiet, err := terminal.ParseWindows(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := terminal.Options{Address: r.fake.Address(), Place: upa.Place{Location: "S-17", Till: "PINPAD-1", Currency: "USD", Zone: chicago}, Windows: quiet, Mode: mode.Test, Pause: time.Nanosecond,
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return r.now }}
	if change != nil {
		change(&o)
	}
	r.src = terminal.New("front", o)
	return r
}

// read looks once and stores what came.
func (r *rig) read() []source.Draft {
	r.t.Helper()
	for r.fake.Talking() { // it has not noticed yet that we hung up
		runtime.Gosched()
	}
	var all []source.Draft
	for range 100 {
		ds, next, err := r.src.Read(r.t.Context(), r.cursor, 3)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(ds) > 3 {
			r.t.Fatalf("%d drafts at once", len(ds))
		}
		all = append(all, ds...)
		if len(ds) == 0 && next == r.cursor {
			return all
		}
		r.cursor = next
	}
	r.t.Fatal("reading does not end")
	return nil
}

// later turns the clock on and looks.
func (r *rig) later(d time.Duration) []source.Draft {
	r.t.Helper()
	r.now = r.now.Add(d)
	return r.read()
}

func state(t *testing.T, ds []source.Draft) retail.Terminal {
	t.Helper()
	var out []retail.Terminal
	for _, d := range ds {
		rec, err := decode.Decoder{}.Decode(d.Kind, d.ContentType, d.Body)
		if err != nil {
			t.Fatal(err)
		}
		if x, ok := rec.(retail.Terminal); ok {
			out = append(out, x)
		}
	}
	if len(out) != 1 {
		t.Fatalf("%d states in %d drafts", len(out), len(ds))
	}
	return out[0]
}

func TestHeldOfflineUntilSent(t *testing.T) {
	r := newRig(t, nil)
	x := state(t, r.read())
	if x.Serial != "1850012345" || x.Software != "UPA 01.08.00 on 5.1.2" || x.Status != "ok" || x.Offline == nil || x.Offline.Count != 0 {
		t.Errorf("%+v %+v", x, x.Offline)
	}
	if ds := r.later(16 * time.Minute); len(ds) != 0 {
		t.Errorf("nothing changed and %d drafts came", len(ds))
	}
	r.fake.BankLine(false)
	r.fake.Take(1201, "Visa")
	r.fake.Take(2050, "MC")
	x = state(t, r.later(16*time.Minute))
	if x.Offline.Count != 2 || x.Offline.AtRisk.Minor != 3251 || x.Offline.Payments[0].Last4 != "1111" || x.Offline.Oldest.IsZero() {
		t.Errorf("%+v", x.Offline)
	}
	r.fake.BankLine(true)
	r.fake.SendHeld(1) // one of them is declined: its money stays at stake
	x = state(t, r.later(16*time.Minute))
	if x.Offline.Count != 1 || x.Offline.AtRisk.Minor != 1201 || x.Offline.Payments[0].State != retail.PaymentDeclined {
		t.Errorf("%+v", x.Offline)
	}
	r.fake.ForgetSAF()
	if x = state(t, r.later(16*time.Minute)); x.Offline.Count != 0 {
		t.Errorf("%+v", x.Offline)
	}
	for _, c := range r.fake.Asked() {
		if c != "GetAppInfo" && c != "GetSAFReport" {
			t.Errorf("the terminal was asked for %s", c)
		}
	}
	if r.fake.Met() != 0 {
		t.Errorf("%d conversations at once", r.fake.Met())
	}
	if ds := r.later(24 * time.Hour); len(ds) != 1 {
		t.Errorf("after a day it is told again: %d drafts", len(ds))
	}
}

func TestOnlyInsideItsWindows(t *testing.T) {
	r := newRig(t, nil)
	r.now = time.Date(2026, 11, 25, 12, 0, 0, 0, r.now.Location())
	if ds := r.read(); len(ds) != 0 || len(r.fake.Asked()) != 0 {
		t.Fatalf("asked at noon: %v", r.fake.Asked())
	}
	if ds := r.later(11 * time.Hour); len(ds) != 1 { // 23:00
		t.Errorf("not asked at night")
	}
	for list, want := range map[string]bool{"06:00-07:00": false, "always": true, "23:59-00:01": false, "12:00-12:30": true} {
		ws, err := terminal.ParseWindows([]string{list})
		if err != nil {
			t.Fatal(err)
		}
		if got := ws.Open(time.Date(2026, 11, 25, 12, 0, 0, 0, r.now.Location()), r.now.Location()); got != want {
			t.Errorf("%s at noon: %v", list, got)
		}
	}
	for _, bad := range []string{"x", "12:00", "12:00-12:00", "25:00-01:00"} {
		if _, err := terminal.ParseWindows([]string{bad}); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// Whatever a terminal does, it is told as its state, the connection says why, and what it held before is not forgotten.
func TestTrouble(t *testing.T) {
	for trouble, want := range map[fake.Trouble]string{fake.Garbage: upa.StatusGarbage, fake.Half: upa.StatusGarbage, fake.Endless: upa.StatusGarbage,
		fake.Impostor: upa.StatusGarbage, fake.Deaf: upa.StatusOffline, fake.Exhausted: upa.StatusOffline} {
		t.Run(string(trouble), func(t *testing.T) {
			r := newRig(t, nil)
			r.fake.BankLine(false)
			r.fake.Take(500, "Visa")
			r.read()
			r.fake.Misbehave(trouble)
			x := state(t, r.later(16*time.Minute))
			if x.Status != want || x.Serial == "" || x.Offline == nil || x.Offline.Count != 1 {
				t.Errorf("%+v %+v", x, x.Offline)
			}
			r.later(16 * time.Minute)
			if s := r.src.Breakers()[0].Status(); s.State != breaker.Open || s.Reason == "" || s.Next.IsZero() || s.Mode != mode.Test {
				t.Errorf("%+v", s)
			}
		})
	}
	for _, trouble := range []fake.Trouble{fake.NoReady, fake.Piecemeal} { // odd, and understood
		r := newRig(t, nil)
		r.fake.Misbehave(trouble)
		if x := state(t, r.read()); x.Status != upa.StatusOK {
			t.Errorf("%s: %+v", trouble, x)
		}
	}
}

func TestGivesWayToATill(t *testing.T) {
	r := newRig(t, nil)
	r.fake.Misbehave(fake.InUse)
	if ds := r.read(); len(ds) != 0 {
		t.Errorf("busy is told: %d drafts", len(ds))
	}
	if s := r.src.Breakers()[0].Status(); s.State != breaker.Closed {
		t.Errorf("busy counts as a failure: %+v", s)
	}
	r.fake.Misbehave(fake.None)
	if ds := r.read(); len(ds) != 0 {
		t.Error("it is asked again at once")
	}
	if ds := r.later(16 * time.Minute); len(ds) != 1 {
		t.Error("it is not asked again")
	}
}

func TestRefusedReportIsNoEmptyReport(t *testing.T) {
	r := newRig(t, nil)
	r.fake.Misbehave(fake.Refusing)
	r.read()
	r.fake.Misbehave(fake.None)
	r.fake.BankLine(false)
	r.fake.Take(700, "Visa")
	r.later(16 * time.Minute)
	r.fake.Misbehave(fake.Refusing)
	for _, d := range r.later(16 * time.Minute) {
		var x retail.Terminal
		if json.Unmarshal(d.Body, &x) == nil && x.Offline != nil && x.Offline.Count == 0 {
			t.Error("a refused report is told as none held")
		}
	}
}

func TestBatchesComeInPieces(t *testing.T) {
	r := newRig(t, func(o *terminal.Options) { o.Batches = true })
	for n := range 7 {
		r.fake.Take(int64(100*(n+1)), "Visa")
	}
	r.fake.Take(-300, "Visa")
	r.fake.EndOfDay()
	// The disk is full in the middle: what was given and not stored is given again.
	first, _, err := r.src.Read(context.Background(), "", 3)
	if err != nil || len(first) != 3 {
		t.Fatalf("%d drafts, %v", len(first), err)
	}
	ds := r.read()
	var total int64
	var batches []retail.Batch
	seen := map[string]int{}
	for _, d := range ds {
		rec, err := decode.Decoder{}.Decode(d.Kind, d.ContentType, d.Body)
		if err != nil {
			t.Fatal(err)
		}
		switch x := rec.(type) {
		case retail.Payment:
			seen[x.Key.ID]++
			total += x.Amount.Minor
		case retail.Batch:
			batches = append(batches, x)
		}
	}
	if len(seen) != 8 || total != 2500 || len(batches) != 2 || batches[0].Total.Minor != 2500 || batches[0].Closed.IsZero() || batches[0].Count != 8 {
		t.Errorf("%d payments of %d cents, batches %+v", len(seen), total, batches)
	}
	if ds := r.later(16 * time.Minute); len(ds) != 0 {
		t.Errorf("nothing changed and %d drafts came", len(ds))
	}
	r.fake.Take(999, "Visa")
	if ds := r.later(16 * time.Minute); len(ds) != 2 { // the open batch and its payment; the closed one is not read again
		t.Errorf("%d drafts", len(ds))
	}
	if slices.Contains(r.fake.Asked(), "EODProcessing") {
		t.Error("the source closed a batch")
	}
}

func TestReportInParts(t *testing.T) {
	r := newRig(t, nil)
	r.fake.BankLine(false)
	r.fake.Take(100, "Visa")
	r.fake.Take(200, "Visa")
	r.fake.SendHeld(1)
	r.fake.BankLine(false)
	r.fake.Take(400, "Visa")
	r.fake.Misbehave(fake.InParts)
	if x := state(t, r.read()); x.Offline.Count != 2 || x.Offline.AtRisk.Minor != 500 {
		t.Errorf("%+v", x.Offline)
	}
}
