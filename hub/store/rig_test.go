package store_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// rig is a hub's database with its roller and a clerk, on a clock of its own. Its envelopes are committed as the intake does.
type rig struct {
	store.Clerk
	roller roll.Roller
	t      *testing.T
	clock  time.Time
	line   line
	from   ingest.Head
}

func newRig(t *testing.T, dir string) *rig {
	t.Helper()
	s := openIn(t, dir)
	g := &rig{t: t, clock: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), line: line{device: "d1", epoch: envelope.NewEpoch()}}
	s.Now = func() time.Time { return g.clock }
	read := meaning.Reader{Calendar: func(l retail.LocationCode) retail.Calendar {
		c, err := s.Calendar(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}}
	g.Clerk = store.Clerk{Store: s, Mean: read.Mean, Done: func() {}}
	g.roller = roll.Roller{Store: s, Log: slog.New(slog.DiscardHandler), Options: roll.Options{AutoApprove: true, Books: rollup.Books{Journal: "TPOS", Suspense: "999"},
		Rules: audit.Rules{Gaps: audit.Advisory, Control: audit.Advisory, Grace: time.Hour, ControlWait: 24 * time.Hour}}}
	g.ok(s.SetRules(t.Context(), []mapping.Rule{{Role: ledger.Sales, Code: "*", Target: mapping.Target{Account: "400"}}, {Role: ledger.Tender, Code: "cash", Target: mapping.Target{Account: "101"}}}, "test", ""))
	g.ok(s.InTx(t.Context(), func(tx *store.Tx) error { return tx.AddDevice(t.Context(), "d1", "x", "test") }))
	g.assign(store.AllLocations)
	return g
}

func (g *rig) ok(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// assign lets the device speak for a location.
func (g *rig) assign(l retail.LocationCode) {
	g.t.Helper()
	g.ok(g.Store.InTx(g.t.Context(), func(tx *store.Tx) error { return tx.Assign(g.t.Context(), "d1", l, time.Unix(0, 0), "anna") }))
}

// unassign takes a location from the device that it never should have had.
func (g *rig) unassign(l retail.LocationCode) {
	g.t.Helper()
	g.ok(g.Store.InTx(g.t.Context(), func(tx *store.Tx) error { return tx.Unassign(g.t.Context(), "d1", l, time.Unix(1, 0), "anna") }))
}

// place confirms location S1 in UTC, its days from midnight.
func (g *rig) place() {
	g.t.Helper()
	g.ok(g.PutLocation(g.t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD"}, "anna"))
}

// tell commits records one by one and rolls up.
func (g *rig) tell(kind envelope.Kind, key, body string) {
	g.t.Helper()
	g.commit(g.line.seal(kind, key, body))
	g.roll()
}

// commit commits one record, as the intake does.
func (g *rig) commit(e envelope.Envelope) {
	g.t.Helper()
	e.Part, e.Parts = 1, 1
	m := g.Mean(&e)
	sender, err := g.Store.Sender(g.t.Context(), "d1")
	g.ok(err)
	if err := sender.Refuses(&e, m); err != nil {
		m = ingest.Meaning{Record: m.Record, Key: m.Key, Refused: err}
	}
	adv := ingest.Advance{From: g.from, Envs: []ingest.Accepted{{Env: &e, Meaning: m}}}
	g.ok(g.Store.Commit(g.t.Context(), []ingest.Advance{adv}))
	h, err := g.Store.Head(g.t.Context(), "d1", envelope.Sales, g.line.epoch)
	g.ok(err)
	g.from = h
}

// sell tells a cash sale of till T1 at a time.
func (g *rig) sell(id, at string, more ...string) {
	g.t.Helper()
	b := fmt.Sprintf(`{"id":%q,"number":%q,"location":"S1","till":"T1","at":%q,"currency":"USD","kind":"sale","lines":[{"kind":"item","category":"Toys","amount":"10.00"}],"tenders":[{"type":"cash","amount":"10.00"}]}`, id, id, at)
	for i := 0; i+1 < len(more); i += 2 {
		b = strings.Replace(b, more[i], more[i+1], 1)
	}
	g.tell("ticket.v1", id, b)
}

func (g *rig) roll() {
	g.t.Helper()
	for range 1000 {
		worked, _, err := g.roller.Step(g.t.Context())
		g.ok(err)
		if !worked {
			return
		}
	}
	g.t.Fatal("the roller finds no end")
}

// later lets time pass.
func (g *rig) later(d time.Duration) {
	g.t.Helper()
	g.clock = g.clock.Add(d)
	g.roll()
}

// book says that Odoo has every document that is due.
func (g *rig) book() {
	g.t.Helper()
	box := store.Outbox{Store: g.Store}
	tasks, err := box.Claim(g.t.Context(), 100)
	g.ok(err)
	for _, t := range tasks {
		g.ok(box.Loaded(g.t.Context(), []odoo.Task{{Document: t.Document, Move: 7, Date: t.Date}}))
		g.settle(odoo.Outcome{Document: t.Document.ID(), Verdict: odoo.Done, Posted: true, Entry: "TPOS/1 (id 7)", Read: &odoo.Reading{Name: "TPOS/1", Date: t.Date}})
	}
	g.roll()
}

func (g *rig) settle(o odoo.Outcome) {
	g.t.Helper()
	g.ok(store.Outbox{Store: g.Store}.Settle(g.t.Context(), []odoo.Outcome{o}))
	g.roll()
}

func (g *rig) day(d retail.BusinessDate) view.DayDetail {
	g.t.Helper()
	v, err := g.Store.DayDetail(g.t.Context(), rollup.DayKey{Location: "S1", Day: d})
	g.ok(err)
	return v
}

// state is a case's, "" when it was never opened.
func (g *rig) state(cause cases.Cause, subject string) cases.State {
	g.t.Helper()
	list, err := g.Store.Cases(g.t.Context(), true)
	g.ok(err)
	for _, c := range list {
		if c.ID == cases.ID(cause, subject) {
			return c.State
		}
	}
	return ""
}

// opened lists the causes of open cases.
func (g *rig) opened() (out []cases.Cause) {
	g.t.Helper()
	list, err := g.Store.Cases(g.t.Context(), false)
	g.ok(err)
	for _, c := range list {
		out = append(out, c.Cause)
	}
	return out
}

// lastStep is the newest step of a subject.
func (g *rig) lastStep(subject string) store.Step {
	g.t.Helper()
	var s store.Step
	g.ok(g.Store.InTx(g.t.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(g.t.Context(), `SELECT subject, who, what, reason, before, after FROM step WHERE subject = ? ORDER BY id DESC LIMIT 1`, subject).
			Scan(&s.Subject, &s.Who, &s.What, &s.Reason, &s.Before, &s.After)
	}))
	return s
}
