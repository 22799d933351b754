package devices

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	agent "github.com/tillpost/tillpost/agent/app"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/gpapi"
	"github.com/tillpost/tillpost/test/fake/odoo"
	"github.com/tillpost/tillpost/test/fake/portico"
)

func (r *rig) payments() map[string]view.PaymentView {
	r.t.Helper()
	vs, err := r.hub.Store.PaymentViews(r.t.Context(), view.PaymentFilter{Location: "S-17"})
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[string]view.PaymentView{}
	for _, v := range vs {
		out[v.Last4] = v
	}
	return out
}

// TestAGatewayKeyIsRevoked: the refusal is a case that names no key; with a new key in the file all goes on where it ended.
func TestAGatewayKeyIsRevoked(t *testing.T) {
	t.Parallel()
	r := newRig(t, odoo.Options{Neutral: true})
	g := portico.New(portico.Options{Keys: []string{"skapi_cert_FIRST", "skapi_cert_SECOND"}})
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	file := write(t, filepath.Join(r.dir, "portico.key"), "skapi_cert_FIRST\n")
	r.config.Source.Portico = []agent.PorticoConfig{{Name: "main", Location: "S-17", URL: srv.URL, KeyFile: file, Tills: map[string]retail.TillCode{"6378375": "T1"}, Poll: config.Duration(100 * time.Millisecond)}}
	tipped := g.Pay(portico.Payment{Brand: "Visa", Last4: "1111", Cents: 2000, At: time.Now().Add(-time.Hour)})
	voided := g.Pay(portico.Payment{Brand: "MC", Last4: "2222", Cents: 3000, At: time.Now().Add(-time.Hour)})
	r.start()
	r.until("two payments", func() bool { return len(r.payments()) == 2 })
	sealed := func() bool { b, err := os.ReadFile(file); return err == nil && strings.HasPrefix(string(b), "sealed:") }
	if !sealed() {
		t.Error("the key stands in plain text")
	}
	g.Edit(tipped, 2300, 300)
	g.Void(voided)
	r.until("tip and void", func() bool {
		p := r.payments()
		return p["1111"].Amount.Minor == 2300 && p["1111"].Tip.Minor == 300 && p["1111"].Till == "T1" && !p["2222"].State.Moves()
	})
	g.Revoke("skapi_cert_FIRST")
	g.Pay(portico.Payment{Brand: "Visa", Last4: "3333", Cents: 4000})
	r.until("the refusal as a case", func() bool { return r.open(cases.ConnectionRefused) != nil })
	c := r.open(cases.ConnectionRefused)
	if c.Location != "S-17" || !strings.Contains(c.Detail+c.Do, "portico/main") || strings.Contains(c.Detail+c.Do, "FIRST") {
		t.Errorf("%+v", c)
	}
	if s := r.agent.Connections()[0]; s.Mode != mode.Test || strings.Contains(s.Reason, "FIRST") {
		t.Errorf("%+v", s)
	}
	write(t, file, "skapi_cert_SECOND\n")
	r.until("the payment that waited", func() bool { return r.payments()["3333"].Amount.Minor == 4000 })
	r.until("the case closed by itself", func() bool { return r.open(cases.ConnectionRefused) == nil })
	if !sealed() {
		t.Error("the new key stands in plain text")
	}
	g.Close("6378375", 1)
	r.until("the batch, to the cent", func() bool {
		bs, err := r.hub.Store.BatchViews(t.Context(), view.PaymentFilter{})
		return err == nil && len(bs) == 1 && bs[0].State == retail.BatchClosed && bs[0].Payments == 2 && bs[0].Sum.Minor == 6300 && bs[0].Difference.IsZero() && bs[0].ByBrand != nil
	})
	for _, a := range g.Asked() {
		if !strings.HasPrefix(a, "Report") && a != "FindTransactions" && a != "TestCredentials" {
			t.Errorf("the gateway was asked for %s", a)
		}
	}
	if n := r.tickets(); n != 0 {
		t.Errorf("payments made %d tickets", n)
	}
}

// TestSettlementArrives: deposits with their payments, disputes and bills stand at the hub.
func TestSettlementArrives(t *testing.T) {
	t.Parallel()
	r := newRig(t, odoo.Options{Neutral: true})
	api := &gpapi.Server{AppID: "app", Key: "fake-key", Account: "settlement_reporting", Now: time.Now, Life: time.Hour}
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	day := time.Now().UTC().Format(time.DateOnly)
	api.Put("/settlement/deposits", map[string]any{"id": "DEP_1", "time_created": day, "status": "FUNDED", "funding_type": "CREDIT", "amount": "6300", "currency": "USD", "system": map[string]any{"mid": "101"}})
	api.Put("/settlement/transactions", map[string]any{"id": "TRN_1", "time_created": day, "deposit_id": "DEP_1", "type": "SALE", "amount": "6300", "currency": "USD", "system": map[string]any{"mid": "101"}})
	api.Put("/settlement/reports/monthly-fees", map[string]any{"time_created": day, "status": "ESTIMATED", "amount": "123", "currency": "USD", "system": map[string]any{"mid": "101"}})
	r.config.Source.GPAPI = []agent.GPAPIConfig{{Name: "bank", URL: srv.URL + "/ucp", AppID: "app", KeyFile: write(t, filepath.Join(r.dir, "gpapi.key"), "fake-key\n"), Account: "settlement_reporting",
		Locations: map[string]retail.LocationCode{"101": "S-17"}}}
	r.start()
	r.until("deposit, payment and bill", func() bool {
		vs, err := r.hub.Store.SettlementViews(t.Context(), view.SettlementFilter{})
		ds, err2 := r.hub.Store.SettlementViews(t.Context(), view.SettlementFilter{Kind: "deposit", Location: "S-17"})
		return err == nil && err2 == nil && len(vs) == 3 && len(ds) == 1 && ds[0].Payments == 1 && ds[0].Sum.Minor == 6300
	})
}
