package store_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// tell commits what a device tells of itself.
func tell(t *testing.T, s *store.Store, kind envelope.Kind, v any, rec retail.Record) {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	l := line{device: "d1", epoch: envelope.NewEpoch()}
	e := l.seal(kind, "x", string(body))
	if err := s.Commit(t.Context(), []ingest.Advance{{Envs: []ingest.Accepted{{Env: &e, Meaning: ingest.Meaning{Record: rec}}}}}); err != nil {
		t.Fatal(err)
	}
}

// find is the case of a cause, whatever its state.
func find(t *testing.T, s *store.Store, c cases.Cause) cases.Case {
	t.Helper()
	all, err := s.Cases(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.Cause == c {
			return k
		}
	}
	return cases.Case{}
}

func TestConnectionsOfADevice(t *testing.T) {
	s := open(t)
	start(t, s)
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	refused := breaker.Status{Name: "portico/main", State: breaker.Refused, Reason: "the key is not valid", Since: at, Mode: mode.Production}
	resting := breaker.Status{Name: "terminal/front", State: breaker.Open, Reason: "no route", Since: at, Next: at.Add(time.Minute)}
	tell(t, s, decode.Connections, []breaker.Status{refused, resting}, nil)
	if c := find(t, s, cases.ConnectionRefused); c.State != cases.Open || c.Subject != "d1/portico/main" || !strings.Contains(c.Detail, "the key is not valid") {
		t.Errorf("%+v", c)
	}
	cs, err := s.Connections(t.Context())
	if err != nil || len(cs) != 2 || cs[0].Status != refused || cs[1].Status != resting || cs[0].Device != "d1" {
		t.Errorf("%+v %v", cs, err)
	}
	// It works again; the other one is taken out of the settings; a third is refused and then removed.
	refused.State, refused.Reason = breaker.Closed, ""
	third := breaker.Status{Name: "retail/main", State: breaker.Refused, Reason: "revoked", Since: at}
	tell(t, s, decode.Connections, []breaker.Status{refused, third}, nil)
	if c := find(t, s, cases.ConnectionRefused); c.Subject == "d1/portico/main" && c.State != cases.Closed {
		t.Errorf("%+v", c)
	}
	tell(t, s, decode.Connections, []breaker.Status{refused}, nil)
	open, err := s.Cases(t.Context(), false)
	if err != nil || len(open) != 0 {
		t.Errorf("open: %+v %v", open, err)
	}
	if cs, err = s.Connections(t.Context()); err != nil || len(cs) != 1 {
		t.Errorf("%+v %v", cs, err)
	}
	// What cannot be read says nothing.
	tell(t, s, decode.Connections, "nonsense", nil)
	if cs, err = s.Connections(t.Context()); err != nil || len(cs) != 1 {
		t.Errorf("%+v %v", cs, err)
	}
	if err := s.SetConnection(t.Context(), breaker.Status{Name: "odoo", State: breaker.Refused, Reason: strings.Repeat("x", 5000)}); err != nil {
		t.Fatal(err)
	}
	if c := find(t, s, cases.ConnectionRefused); len(c.Detail) > 600 && c.Subject == "hub/odoo" {
		t.Errorf("%d characters of reason", len(c.Detail))
	}
}

func TestOfflinePaymentsCase(t *testing.T) {
	s := open(t)
	start(t, s)
	usd := func(n int64) money.Amount { return money.Of(n, "USD") }
	x := retail.Terminal{Location: "S1", Till: "P1", Kind: "card", Status: "ok", At: now, Offline: &retail.Held{Count: 2, AtRisk: usd(3251), Oldest: now.Add(-time.Hour),
		Payments: []retail.Payment{{Amount: usd(1201), Brand: "visa", Last4: "1111", State: retail.PaymentDeclined}, {Amount: usd(2050), Brand: "mastercard", Last4: "2222", Ticket: "T-9"}}}}
	tell(t, s, decode.Terminal, x, x)
	c := find(t, s, cases.OfflinePayments)
	if c.State != cases.Open || c.Amount != usd(3251) || !strings.Contains(c.Detail, "12.01 USD visa …1111 DECLINED by the bank") || !strings.Contains(c.Detail, "ticket T-9") || c.Location != "S1" {
		t.Errorf("%+v", c)
	}
	// Accepted as it was, it opens again when it is more than that.
	if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.AcceptCase(t.Context(), c.ID, "ann", "we know") }); err != nil {
		t.Fatal(err)
	}
	tell(t, s, decode.Terminal, x, x)
	if c = find(t, s, cases.OfflinePayments); c.State != cases.Accepted {
		t.Errorf("%+v", c)
	}
	x.Offline.Count, x.Offline.AtRisk = 3, usd(9999)
	tell(t, s, decode.Terminal, x, x)
	if c = find(t, s, cases.OfflinePayments); c.State != cases.Open || c.Amount != usd(9999) {
		t.Errorf("%+v", c)
	}
	// A terminal that cannot be asked has said nothing.
	silent := x
	silent.Offline, silent.Status = nil, "offline"
	tell(t, s, decode.Terminal, silent, silent)
	if c = find(t, s, cases.OfflinePayments); c.State != cases.Open {
		t.Errorf("%+v", c)
	}
	x.Offline = &retail.Held{AtRisk: usd(0)}
	tell(t, s, decode.Terminal, x, x)
	if c = find(t, s, cases.OfflinePayments); c.State != cases.Closed {
		t.Errorf("%+v", c)
	}
}

// Records of the other mode are kept aside under one case, count as not taken, and are booked once when they fit.
func TestMixedRecordsAreKeptAside(t *testing.T) {
	s := open(t)
	start(t, s)
	books := mode.Production
	judged := func(e *envelope.Envelope) ingest.Meaning {
		if err := mode.Check(mode.Marked(e.ContentType), books); err != nil {
			return ingest.Meaning{Refused: fault.New(fault.Invalid, "book record", err)}
		}
		return mean(e)
	}
	l := line{device: "d1", epoch: envelope.NewEpoch()}
	var batch []ingest.Accepted
	for i, id := range []string{"1", "2", "3"} {
		e := l.seal(decode.Ticket, id, body(id, 1, "sale", "5.00"))
		if i < 2 {
			e.ContentType = mode.Mark(e.ContentType, mode.Test)
			e = e.Seal(e.Prev)
		}
		batch = append(batch, ingest.Accepted{Env: &e, Meaning: judged(&e)})
	}
	if err := s.Commit(t.Context(), []ingest.Advance{{Envs: batch}}); err != nil {
		t.Fatal(err)
	}
	c := find(t, s, cases.ModeMix)
	if c.State != cases.Open || c.Seen != 2 || c.Subject != "device d1" {
		t.Errorf("%+v", c)
	}
	if holds, err := s.HoldsMarked(t.Context(), mode.Test); err != nil || holds {
		t.Errorf("test records were taken: %v", err)
	}
	clerk := store.Clerk{Store: s, Mean: judged, Done: func() {}}
	if err := clerk.Act(t.Context(), c.ID, view.Act{What: "retry", Who: "ann"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("nothing was mended, and retry says %v", err)
	}
	books = mode.Test
	if err := clerk.Act(t.Context(), c.ID, view.Act{What: "retry", Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	if booked, left, err := s.ReadMixed(t.Context(), judged, "hub"); booked+left != 0 || err != nil {
		t.Errorf("read again: %d %d %v", booked, left, err)
	}
	for _, number := range []string{"1", "2", "3"} {
		if ts, err := s.FindTickets(t.Context(), view.TicketFilter{Find: number, Limit: 10}); err != nil || len(ts) != 1 {
			t.Errorf("ticket %s: %+v %v", number, ts, err)
		}
	}
	if c = find(t, s, cases.ModeMix); c.State != cases.Closed {
		t.Errorf("%+v", c)
	}
	if holds, err := s.HoldsMarked(t.Context(), mode.Test); err != nil || !holds {
		t.Errorf("test records are in, and the ledger does not know: %v", err)
	}
	if errors.Is(mode.Check(mode.Unknown, mode.Production), mode.ErrMixed) {
		t.Error("what nothing is known of is refused")
	}
}

func TestAKeyThatEndsSoonIsACaseUntilItIsRenewed(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		detail string
		state  cases.State
	}{{"the key ends on 2026-12-05", cases.Open}, {"the key ends on 2026-12-04", cases.Open}, {"", cases.Closed}} {
		if err := s.KeyCase(t.Context(), "odoo", c.detail); err != nil {
			t.Fatal(err)
		}
		if k := find(t, s, cases.KeyEnds); k.State != c.state || k.Subject != "hub/odoo" || c.detail != "" && k.Detail != c.detail || k.Do == "" {
			t.Errorf("%q: the case is %+v", c.detail, k)
		}
	}
	g := breaker.Status{Name: "odoo west", State: breaker.Refused, Reason: "no", Since: time.Now()}
	for _, err := range []error{s.SetConnection(t.Context(), g), s.KeyCase(t.Context(), "odoo west", "soon"), s.OnlyConnections(t.Context(), []string{"odoo"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if cs, err := s.Connections(t.Context()); err != nil || len(cs) != 0 {
		t.Errorf("a connection that the settings do not name any more stays: %v %v", cs, err)
	}
	if open, err := s.Cases(t.Context(), false); err != nil || len(open) != 0 {
		t.Errorf("its cases stay: %v %v", open, err)
	}
}
