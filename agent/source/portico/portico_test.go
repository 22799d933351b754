package portico

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/portico"
)

func TestADayWithEverything(t *testing.T) {
	w := newWorld(t, fake.Options{})
	w.clock = w.clock.Add(-40 * 24 * time.Hour) // a past before Tillpost came
	for i := range int64(30) {
		w.pay(fmt.Sprint(1+i%2), 1000+i)
		if i%10 == 9 {
			w.g.Close("1", 0)
			w.g.Close("2", 0)
		}
		w.clock = w.clock.Add(31 * time.Hour)
	}
	w.clock = w.clock.Add(-5 * time.Hour)
	if err := w.read(); err != nil {
		t.Fatal(err)
	}
	w.compare()
	if w.streams[envelope.History] < 25 {
		t.Errorf("%d records went with history", w.streams[envelope.History])
	}

	tip, void, edit, auth := w.pay("1", 2000), w.pay("2", 3000), w.pay("1", 4000), w.g.Pay(fake.Payment{Device: "2", Brand: "MC", Last4: "2222", Cents: 5000, AuthOnly: true, At: w.clock})
	w.g.Pay(fake.Payment{Device: "1", Brand: "Visa", Last4: "1111", Cents: 150, Refund: true, At: w.clock})
	w.g.Pay(fake.Payment{Device: "1", Brand: "Visa", Last4: "1111", Cents: 1008, Decline: true, At: w.clock})
	w.later(20 * time.Minute)
	w.compare()
	w.later(3 * time.Hour)
	w.g.Edit(tip, 2300, 300)
	w.g.Void(void)
	w.g.Edit(edit, 4100, 0)
	w.g.Capture(auth, 4900)
	w.later(20 * time.Minute)
	w.compare()
	if p := w.payments[fmt.Sprint(tip)]; p.Tip != money.Of(300, "USD") || p.Amount != money.Of(2300, "USD") || p.Till != "T1" {
		t.Errorf("the tip: got %+v", p)
	}
	w.g.Close("1", 2) // the batch is closed before its payments are
	w.g.Close("2", 0)
	w.later(2 * time.Hour)
	w.compare()
	if n := len(w.src.p.Seen); n > 10 {
		t.Errorf("%d payments are remembered although all are final", n)
	}
	before := w.drafts
	w.restart()
	w.later(20 * time.Minute)
	w.compare()
	if n := w.drafts - before; n > 8 { // marks, and nothing that was told before
		t.Errorf("%d records after a restart without news", n)
	}
	if len(w.marks) == 0 || w.marks[0].Of != retail.OfPayments {
		t.Errorf("marks: %+v", w.marks)
	}
	if s := strings.Join(w.g.Asked(), " "); strings.Contains(s, "Credit") || strings.Contains(s, "BatchClose") {
		t.Errorf("it asked for %s", s)
	}
}

// TestAWeekAway catches up by itself, in days, without a payment lost.
func TestAWeekAway(t *testing.T) {
	w := newWorld(t, fake.Options{MaxRows: 40})
	w.pay("1", 100)
	if err := w.read(); err != nil {
		t.Fatal(err)
	}
	for i := range int64(200) { // busier than one search may be: code 20
		w.clock = w.clock.Add(50 * time.Minute)
		w.pay("1", 2000+i)
		if i%30 == 29 {
			w.g.Close("1", 0)
		}
	}
	w.later(time.Hour)
	w.compare()
}

// TestTheGatewayForgets: what is older than its memory is gone, and that is said.
func TestTheGatewayForgets(t *testing.T) {
	w := newWorld(t, fake.Options{})
	w.pay("1", 100)
	if err := w.read(); err != nil {
		t.Fatal(err)
	}
	w.clock = w.clock.Add(100 * 24 * time.Hour)
	w.pay("1", 200)
	w.later(time.Hour)
	if len(w.payments) != 2 || !strings.Contains(w.log.String(), "remembers 90 days") {
		t.Errorf("%d payments; log %s", len(w.payments), w.log.String())
	}
}

// TestClockOff: a PC nine minutes fast or slow, or a day off, asks for the gateway's minutes all the same.
func TestClockOff(t *testing.T) {
	for _, off := range []time.Duration{9 * time.Minute, -9 * time.Minute, 26 * time.Hour, -26 * time.Hour} {
		w := newWorld(t, fake.Options{})
		w.off = off
		if err := w.read(); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			w.pay("1", 100)
			w.later(10 * time.Minute)
		}
		w.off = 0 // somebody sets the clock and starts the PC anew
		w.restart()
		id := w.pay("1", 700)
		w.later(10 * time.Minute)
		w.g.Edit(id, 800, 100)
		w.later(20 * time.Minute)
		w.compare()
	}
}

func TestTrouble(t *testing.T) {
	for name, spoil := range map[string]func(*fake.Trouble){
		"away":        func(x *fake.Trouble) { x.Spoil("", 3, fake.Away) },
		"sign-in":     func(x *fake.Trouble) { x.Spoil("", 3, fake.SignIn) },
		"bomb":        func(x *fake.Trouble) { x.Spoil("", 2, fake.Bomb) },
		"cut off":     func(x *fake.Trouble) { x.Spoil("FindTransactions", 2, fake.CutOff) },
		"endless":     func(x *fake.Trouble) { x.Spoil("FindTransactions", 1, fake.Endless) },
		"timed out":   func(x *fake.Trouble) { x.Code("", 3, 30) },
		"closing":     func(x *fake.Trouble) { x.Code("ReportBatchDetail", 2, 15) },
		"archive":     func(x *fake.Trouble) { x.Code("ReportBatchHistory", 2, 21) },
		"too large":   func(x *fake.Trouble) { x.Code("FindTransactions", 4, 20); x.Code("ReportActivity", 2, 20) },
		"nonsense":    func(x *fake.Trouble) { x.Code("ReportOpenAuths", 1, 77) },
		"bad request": func(x *fake.Trouble) { x.Code("ReportBatchHistory", 1, 7) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fake.Options{})
			w.lax = true
			w.pay("1", 1000)
			spoil(&w.g.Trouble)
			for range 20 { // every error is told, and none lasts
				if err := w.read(); err != nil && breaker.IsRefusal(err) {
					t.Fatal(err)
				}
				w.clock = w.clock.Add(time.Minute)
			}
			w.g.Close("1", 0)
			w.later(time.Hour)
			w.compare()
		})
	}
}

// TestARevokedKey: a refused key is used no second time; a new one goes on where the old one ended.
func TestARevokedKey(t *testing.T) {
	w := newWorld(t, fake.Options{Keys: []string{"skapi_cert_NEXT"}})
	w.pay("1", 1000)
	if err := w.read(); err != nil {
		t.Fatal(err)
	}
	w.g.Revoke(key)
	w.clock = w.clock.Add(10 * time.Minute)
	err := w.read()
	if !breaker.IsRefusal(err) || w.src.br.Status().State != breaker.Refused {
		t.Fatalf("got %v, %+v", err, w.src.br.Status())
	}
	asked := len(w.g.Asked())
	for range 5 {
		w.clock = w.clock.Add(time.Hour)
		if err := w.read(); !breaker.IsRefusal(err) {
			t.Fatalf("got %v", err)
		}
	}
	if n := len(w.g.Asked()); n != asked {
		t.Errorf("it asked %d times with a refused key", n-asked)
	}
	w.pay("2", 2000)
	w.cred.APIKey = "skapi_cert_NEXT"
	w.src.br.Retry() // as the agent does when the key's file changes
	w.later(time.Hour)
	w.compare()
}

// TestAnotherSite: payments of one store are never told as another's.
func TestAnotherSite(t *testing.T) {
	w := newWorld(t, fake.Options{})
	w.pay("1", 1000)
	if err := w.read(); err != nil {
		t.Fatal(err)
	}
	other := fake.New(fake.Options{Site: "999", Keys: []string{key}, Now: func() time.Time { return w.clock }})
	other.Pay(fake.Payment{Cents: 77, Last4: "1111"})
	srv := httptest.NewServer(other)
	t.Cleanup(srv.Close)
	w.o.URL = srv.URL
	w.restart()
	if err := w.read(); !breaker.IsRefusal(err) || !strings.Contains(err.Error(), "999") {
		t.Fatalf("got %v", err)
	}
	if len(w.payments) != 1 {
		t.Errorf("%d payments", len(w.payments))
	}
}

func TestTheOlderCredentials(t *testing.T) {
	w := newWorld(t, fake.Options{User: "777700000001", Password: "pass"})
	w.cred = Credentials{License: "137846", Site: "137907", Device: "1", User: "777700000001", Password: "pass"}
	w.pay("1", 1000)
	w.pay("2", 1100)
	w.later(30 * time.Minute)
	w.compare()
	w.cred.Password = "wrong"
	if _, err := w.src.ask(t.Context(), activity(reading{w.clock.Add(-time.Hour), w.clock})); !breaker.IsRefusal(err) {
		t.Errorf("a wrong password: got %v", err)
	}
}

// TestAKeyOfOneTerminal: it may not read another terminal's batch, and finds the same payments by search.
func TestAKeyOfOneTerminal(t *testing.T) {
	w := newWorld(t, fake.Options{OwnBatchOnly: true, Device: "1"})
	w.pay("1", 1000)
	w.pay("2", 1100)
	w.later(30 * time.Minute)
	w.g.Close("1", 0)
	w.g.Close("2", 0)
	w.later(2 * time.Hour)
	for _, p := range w.payments {
		if p.State != retail.PaymentClosed {
			t.Errorf("got %+v", p)
		}
	}
	if w.src.br.Status().State != breaker.Closed {
		t.Errorf("the connection: %+v", w.src.br.Status())
	}
}

// TestABatchThatCannotBeRead keeps no other from its turn.
func TestABatchThatCannotBeRead(t *testing.T) {
	w := newWorld(t, fake.Options{})
	w.lax = true
	w.pay("1", 1000)
	w.pay("2", 1100)
	w.later(30 * time.Minute)
	w.g.Trouble.Code("ReportBatchDetail", 1, 34) // nonsense for a report, and so by search
	w.g.Trouble.Code("ReportBatchDetail", 2, 30)
	w.g.Trouble.Code("ReportBatchSummary", 1, 34)
	w.g.Close("1", 0)
	w.g.Close("2", 0)
	w.later(3 * time.Hour)
	for _, p := range w.payments {
		if p.State != retail.PaymentClosed {
			t.Errorf("got %+v", p)
		}
	}
}

func TestHostManagedBatches(t *testing.T) {
	w := newWorld(t, fake.Options{HostManaged: true})
	w.o.NoBatches = true
	w.restart()
	w.pay("1", 1000)
	w.later(30 * time.Minute)
	w.g.Close("1", 0)
	w.later(2 * time.Hour)
	w.compare()
	if slices.Contains(w.g.Asked(), "ReportBatchHistory") {
		t.Error("it asked for batches")
	}
}

// TestNothingIsLostByACrash reads with crashes: a cursor that was handed over is stored or not, and the source begins anew.
func TestNothingIsLostByACrash(t *testing.T) {
	w := newWorld(t, fake.Options{})
	for i := range int64(40) {
		w.pay("1", 3000+i)
		w.clock = w.clock.Add(3 * time.Minute)
	}
	for i := range 60 {
		ds, next, err := w.src.Read(t.Context(), w.cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			w.restart() // the drafts are gone with the process
			continue
		}
		w.cursor = next
		for _, d := range ds {
			w.take(d)
		}
	}
	w.later(20 * time.Minute)
	w.compare()
}

func TestStopping(t *testing.T) {
	w := newWorld(t, fake.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, next, err := w.src.Read(ctx, "", 10); err == nil || next != "" {
		t.Errorf("got %v, %q", err, next)
	}
	if w.src.br.Status().State != breaker.Closed {
		t.Errorf("a stop counts as the gateway's failure: %+v", w.src.br.Status())
	}
}

func TestASpoiltCursor(t *testing.T) {
	w := newWorld(t, fake.Options{})
	if _, _, err := w.src.Read(t.Context(), "{", 10); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	w := newWorld(t, fake.Options{})
	if err := w.src.Check(t.Context()); err != nil {
		t.Error(err)
	}
	w.cred.APIKey = "skapi_cert_wrong"
	if err := w.src.Check(t.Context()); !breaker.IsRefusal(err) {
		t.Errorf("got %v", err)
	}
	if got := slices.Sorted(maps.Keys(w.payments)); len(got) != 0 {
		t.Errorf("a check told %v", got)
	}
}
