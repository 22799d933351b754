package gpapi

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/gpapi"
)

// world is the API, a source that reads it, and what the hub would know.
type world struct {
	t        *testing.T
	api      *fake.Server
	src      *Source
	o        Options
	cursor   source.Cursor
	clock    time.Time
	key      guard.Secret
	deposits map[string]retail.BankDeposit
	settled  map[string]retail.SettledPayment
	disputes map[string]retail.Dispute
	fees     map[string]retail.MonthlyFees
	drafts   int
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, clock: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), key: "fake-key", deposits: map[string]retail.BankDeposit{}, settled: map[string]retail.SettledPayment{},
		disputes: map[string]retail.Dispute{}, fees: map[string]retail.MonthlyFees{}}
	now := func() time.Time { return w.clock }
	w.api = &fake.Server{AppID: "app", Key: "fake-key", Account: "settlement_reporting", Now: now, Life: time.Hour}
	srv := httptest.NewServer(w.api)
	t.Cleanup(srv.Close)
	w.o = Options{Name: "gpapi", URL: srv.URL + "/ucp", Mode: mode.Test, Account: "settlement_reporting", Locations: map[string]retail.LocationCode{"101": "S-17"}, Now: now,
		Credentials: func() (string, guard.Secret, error) { return "app", w.key, nil }}
	w.src = New(w.o)
	return w
}

func (w *world) read() error {
	w.t.Helper()
	for range 2000 {
		ds, next, err := w.src.Read(w.t.Context(), w.cursor, 7)
		if err != nil {
			return err
		}
		if len(ds) == 0 && next == w.cursor {
			return nil
		}
		w.cursor = next
		for _, d := range ds {
			w.drafts++
			rec, err := decode.Decoder{}.Decode(d.Kind, d.ContentType, d.Body)
			if err != nil {
				w.t.Fatalf("%v\n%s", err, d.Body)
			}
			switch x := rec.(type) {
			case retail.BankDeposit:
				w.deposits[x.Key.ID] = x
			case retail.SettledPayment:
				w.settled[x.Key.ID] = x
			case retail.Dispute:
				w.disputes[x.Key.ID] = x
			case retail.MonthlyFees:
				w.fees[x.Key.ID] = x
			}
		}
	}
	w.t.Fatal("it never comes to rest")
	return nil
}

func (w *world) deposit(n int, status, day string) {
	w.api.Put("/settlement/deposits", map[string]any{"id": fmt.Sprintf("DEP_%d", n), "time_created": day, "status": status, "funding_type": "CREDIT", "amount": fmt.Sprint(1000 * n),
		"currency": "USD", "system": map[string]any{"mid": "101"}, "sales": map[string]any{"count": 3, "amount": fmt.Sprint(1000 * n)}})
	for i := range 3 {
		w.api.Put("/settlement/transactions", map[string]any{"id": fmt.Sprintf("TRN_%d_%d", n, i), "time_created": day, "deposit_id": fmt.Sprintf("DEP_%d", n), "status": status, "type": "SALE",
			"amount": "500", "currency": "USD", "system": map[string]any{"mid": "101"}, "payment_method": map[string]any{"card": map[string]any{"brand": "VISA", "masked_number_last4": "1111"}}})
	}
}

func TestSettlement(t *testing.T) {
	w := newWorld(t)
	for n := range 700 { // two pages
		w.deposit(n+1, "FUNDED", w.clock.AddDate(0, 0, -n%40).Format(time.DateOnly))
	}
	w.api.Put("/disputes", map[string]any{"id": "DIS_1", "status": "WITH_MERCHANT", "stage": "CHARGEBACK", "stage_time_created": "2026-11-12T18:50:39.721Z", "amount": "1200", "currency": "USD", "system": map[string]any{"mid": "101"}})
	w.api.Put("/settlement/reports/monthly-fees", map[string]any{"time_created": "2026-10-31", "status": "FINALIZED", "amount": "45123", "currency": "USD", "system": map[string]any{"mid": "101"}})
	if err := w.read(); err != nil {
		t.Fatal(err)
	}
	if len(w.deposits) != 700 || len(w.settled) != 2100 || len(w.disputes) != 1 || len(w.fees) != 1 {
		t.Fatalf("%d deposits, %d payments, %d disputes, %d bills", len(w.deposits), len(w.settled), len(w.disputes), len(w.fees))
	}
	if d := w.deposits["DEP_7"]; d.Location != "S-17" || d.Amount.Minor != 7000 || d.Sales.Count != 3 {
		t.Errorf("got %+v", d)
	}
	before := w.drafts
	w.clock = w.clock.Add(2 * time.Hour)
	w.src = New(w.o)
	if err := w.read(); err != nil || w.drafts != before {
		t.Fatalf("%v; %d records told again", err, w.drafts-before)
	}
	w.deposit(7, "RELEASED", w.clock.Format(time.DateOnly))
	w.clock = w.clock.Add(2 * time.Hour)
	if err := w.read(); err != nil || w.deposits["DEP_7"].Status != "RELEASED" || w.drafts != before+4 {
		t.Fatalf("%v; %+v; %d records", err, w.deposits["DEP_7"], w.drafts-before)
	}
	for _, a := range w.api.Asked() {
		if !strings.HasPrefix(a, "GET ") && a != "POST /ucp/accesstoken" {
			t.Errorf("it asked %s", a)
		}
	}
}

func TestTrouble(t *testing.T) {
	w := newWorld(t)
	w.deposit(1, "FUNDED", "2026-11-20")
	w.api.Away(2)
	for range 2 {
		if err := w.read(); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("got %v", err)
		}
	}
	if err := w.read(); err != nil || len(w.deposits) != 1 {
		t.Fatalf("%v, %d deposits", err, len(w.deposits))
	}
	w.api.Forget() // the API forgets our token before its time
	w.deposit(2, "FUNDED", "2026-11-21")
	w.clock = w.clock.Add(30 * time.Minute)
	w.src.due = time.Time{}
	if err := w.read(); err != nil || len(w.deposits) != 2 {
		t.Fatalf("%v, %d deposits", err, len(w.deposits))
	}
	w.key = "another"
	w.src = New(w.o)
	if err := w.read(); !breaker.IsRefusal(err) || strings.Contains(err.Error(), "another") {
		t.Fatalf("got %v", err)
	}
	asked := len(w.api.Asked())
	if err := w.read(); !breaker.IsRefusal(err) || len(w.api.Asked()) != asked {
		t.Fatalf("a refused key is used again: %v", err)
	}
	w.key = "fake-key"
	w.src.br.Retry() // as the agent does when the key's file changes
	if err := w.read(); err != nil {
		t.Fatalf("a mended key is not used: %v", err)
	}
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		url  string
		mode mode.Mode
		base string
	}{
		{"", mode.Production, "https://apis.globalpay.com/ucp"}, {"https://apis.sandbox.globalpay.com/ucp/", mode.Test, "https://apis.sandbox.globalpay.com/ucp"},
		{"http://127.0.0.1:80/ucp", mode.Test, "http://127.0.0.1:80/ucp"}, {"https://apis.globalpay.com.example.com/ucp", "", ""}, {"http://apis.globalpay.com/ucp", "", ""},
	} {
		m, base, err := Place(c.url)
		if m != c.mode || base != c.base || (err == nil) != (base != "") {
			t.Errorf("%q: got %s %s %v", c.url, m, base, err)
		}
	}
}
