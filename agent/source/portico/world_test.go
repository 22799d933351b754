package portico

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/portico"
)

const key = "skapi_cert_FAKE_ONLY"

// world is a gateway, a source that reads it, and what the hub would know by now.
type world struct {
	t        *testing.T
	g        *fake.Gateway
	o        Options
	src      *Source
	cursor   source.Cursor
	clock    time.Time
	off      time.Duration // the PC's clock minus the gateway's
	cred     Credentials
	log      strings.Builder
	payments map[string]retail.Payment
	batches  map[string]retail.Batch
	marks    []retail.ReadTo
	streams  map[envelope.Stream]int
	drafts   int
	lax      bool // errors that pass by themselves are no failure
}

func newWorld(t *testing.T, o fake.Options) *world {
	w := &world{t: t, clock: time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC), cred: Credentials{APIKey: key}, payments: map[string]retail.Payment{},
		batches: map[string]retail.Batch{}, streams: map[envelope.Stream]int{}}
	o.Keys, o.Now = append(o.Keys, key), func() time.Time { return w.clock }
	w.g = fake.New(o)
	srv := httptest.NewServer(w.g)
	t.Cleanup(srv.Close)
	w.o = Options{Name: "portico", Location: "S-17", Currency: "USD", Tills: map[string]retail.TillCode{"1": "T1", "2": "T2"}, URL: srv.URL, Pause: time.Nanosecond,
		Credentials: func() (Credentials, error) { return w.cred, nil }, Now: func() time.Time { return w.clock.Add(w.off) },
		Log: slog.New(slog.NewTextHandler(&w.log, nil))}
	w.src = New(w.o)
	return w
}

// restart begins anew from the cursor alone.
func (w *world) restart() { w.src = New(w.o) }

// read polls until nothing is due, and returns the last error.
func (w *world) read() (err error) {
	w.t.Helper()
	for range 3000 {
		ds, next, rerr := w.src.Read(w.t.Context(), w.cursor, 7)
		if rerr != nil {
			return rerr
		}
		if len(ds) == 0 && next == w.cursor {
			return nil
		}
		if len(ds) > 7 {
			w.t.Fatalf("%d drafts, at most 7 were asked for", len(ds))
		}
		w.cursor = next
		for _, d := range ds {
			w.take(d)
		}
	}
	w.t.Fatal("it never comes to rest")
	return nil
}

// take is the hub: versions in their order.
func (w *world) take(d source.Draft) {
	w.t.Helper()
	w.drafts++
	w.streams[d.Stream]++
	rec, err := decode.Decoder{}.Decode(d.Kind, d.ContentType, d.Body)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, d.Body)
	}
	switch x := rec.(type) {
	case retail.Payment:
		if old := w.payments[x.Key.ID]; x.Revision > old.Revision {
			w.payments[x.Key.ID] = old.With(x)
		} else {
			w.payments[x.Key.ID] = x.With(old)
		}
	case retail.Batch:
		if old, ok := w.batches[x.Key.ID]; !ok || x.Revision > old.Revision {
			w.batches[x.Key.ID] = old.With(x)
		}
	case retail.ReadTo:
		w.marks = append(w.marks, x)
	}
}

// later lets time pass minute by minute, reading as it goes.
func (w *world) later(d time.Duration) {
	w.t.Helper()
	for end := w.clock.Add(d); w.clock.Before(end); {
		w.clock = w.clock.Add(min(10*time.Minute, end.Sub(w.clock)))
		if err := w.read(); err != nil && (!w.lax || breaker.IsRefusal(err)) {
			w.t.Fatal(err)
		}
	}
}

var states = map[string]retail.PaymentState{"A": retail.PaymentOpen, "C": retail.PaymentClosed, "V": retail.PaymentVoided, "R": retail.PaymentReversed}

// compare holds what the hub knows against the gateway's own record.
func (w *world) compare() {
	w.t.Helper()
	want := w.g.Payments()
	if w.t.Failed() {
		return
	}
	if len(want) != len(w.payments) {
		w.t.Errorf("%d payments, the gateway has %d", len(w.payments), len(want))
	}
	for _, t := range want {
		p, ok := w.payments[fmt.Sprint(t.ID)]
		state := states[t.Status]
		if t.Issuer == "51" {
			state = retail.PaymentDeclined
		}
		amount := t.Settle
		if state != retail.PaymentOpen && state != retail.PaymentClosed || amount == 0 {
			if amount = t.Auth; amount == 0 {
				amount = t.Amt
			}
		}
		if t.Service == "CreditReturn" {
			amount = -amount
		}
		if !ok || p.State != state || p.Amount.Minor != amount || p.Last4 == "" || p.Client != t.Client || p.Ticket != t.Invoice || !p.At.Equal(t.At.Truncate(time.Millisecond)) || p.Device != t.Device {
			w.t.Errorf("payment %d: got %+v, the gateway says %+v", t.ID, p, t)
		}
		if state == retail.PaymentClosed && !w.o.NoBatches && p.Batch != fmt.Sprint(t.Batch) {
			w.t.Errorf("payment %d is in batch %q, the gateway says %d", t.ID, p.Batch, t.Batch)
		}
	}
	if w.o.NoBatches {
		return
	}
	for _, b := range w.g.Batches() {
		h, ok := w.batches[fmt.Sprint(b.ID)]
		total, n := money.Of(0, "USD"), 0
		for _, p := range w.payments {
			if p.Batch == fmt.Sprint(b.ID) && p.State == retail.PaymentClosed {
				total, _ = total.Add(p.Amount)
				n++
			}
		}
		if !ok || !b.Closed.IsZero() && (h.State != retail.BatchClosed || h.Total != total || h.Count != n || h.ByBrand == nil) {
			w.t.Errorf("batch %d: got %+v, its payments come to %d, %s", b.ID, h, n, total)
		}
	}
}

func (w *world) pay(device string, cents int64) int64 {
	return w.g.Pay(fake.Payment{Device: device, Client: fmt.Sprint(cents, "7"), Invoice: fmt.Sprint("TK-", cents), Brand: "Visa", Last4: "1111", Cents: cents, At: w.clock})
}
