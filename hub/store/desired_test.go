package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/hub/desired"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/decode"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// certify enrols a device in a moment.
func (g *rig) certify(d retail.DeviceID) authority.Certificate {
	g.t.Helper()
	ca, err := g.Authority(g.t.Context())
	g.ok(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	g.ok(err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	g.ok(err)
	req, err := authority.ReadRequest(der)
	g.ok(err)
	cert, err := ca.Issue(req, d, g.clock, 90*24*time.Hour)
	g.ok(err)
	g.ok(g.Admit(g.t.Context(), cert)) // as after a restore: it is taken over
	return cert
}

func (g *rig) wants(k desired.Key, text string) error {
	return g.InTx(g.t.Context(), func(tx *store.Tx) error {
		_, err := tx.SetLayer(g.t.Context(), k, text, "it", "test")
		return err
	})
}

// word is what the device is told now.
func (g *rig) word(d retail.DeviceID) (m wire.Message) {
	g.t.Helper()
	ca, err := g.Authority(g.t.Context())
	g.ok(err)
	hub, err := g.HubID(g.t.Context())
	g.ok(err)
	sealed, err := g.Word(g.t.Context(), d, hub, ca.SignDesired)
	g.ok(err)
	if sealed == nil {
		return m
	}
	m, err = wire.Open(sealed, ca.PEM(), hub, d)
	g.ok(err)
	return m
}

// say is what the device says on its state stream.
func (g *rig) told(kind envelope.Kind, v any) {
	g.t.Helper()
	body, err := json.Marshal(v)
	g.ok(err)
	e := envelope.Envelope{Device: "d1", Kind: kind, Stream: envelope.State, ContentType: "application/json", At: g.clock, Body: body}
	g.ok(g.InTx(g.t.Context(), func(tx *store.Tx) error { return tx.PutRecord(g.t.Context(), 1, &e, g.Mean(&e)) }))
}

func TestLayersMakeAWord(t *testing.T) {
	g := newRig(t, t.TempDir())
	own := desired.Key{Scope: desired.Device, Name: "d1"}
	if m := g.word("d1"); m.Version != 0 {
		t.Errorf("something is said before anything was set: %+v", m)
	}
	g.ok(g.wants(desired.Key{Scope: desired.Fleet}, "log_level = 'warn'\n"))
	first := g.word("d1")
	if first.Settings != "log_level = 'warn'\n" || first.Version != g.clock.UnixMilli() {
		t.Errorf("got %+v", first)
	}
	if again := g.word("d1"); again.Version != first.Version {
		t.Error("the same is said anew")
	}
	g.ok(g.wants(own, "log_level = 'debug'\n"))
	if m := g.word("d1"); m.Settings != "log_level = 'debug'\n" || m.Version <= first.Version {
		t.Errorf("the device's own layer does not count: %+v", m)
	}
	for text, code := range map[string]fault.Code{"log_level = 'debug'\n": fault.Conflict, "data_dir = '/x'\n": fault.Invalid} {
		if err := g.wants(own, text); !fault.Is(err, code) {
			t.Errorf("%q: %v, want %s", text, err, code)
		}
	}
	if err := g.wants(desired.Key{Scope: desired.Device, Name: "nobody"}, ""); !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	steps, err := g.DeviceSteps(t.Context(), "d1")
	g.ok(err)
	if last := steps[len(steps)-1]; last.After != "log_level = 'debug'\n" || last.Who != "it" || !strings.Contains(last.What, "version 1") {
		t.Errorf("the audit trail says %+v", last)
	}
}

func TestWhatAPCSaysOfItsSettings(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.wants(desired.Key{Scope: desired.Device, Name: "d1"}, "log_level = 'debug'\n"))
	m := g.word("d1")
	standing := func() desired.Standing {
		v, err := g.Desired(t.Context(), "d1")
		g.ok(err)
		return v.Standing
	}
	if s := standing(); s != desired.Waiting {
		t.Errorf("got %s", s)
	}
	g.told(decode.Desired, wire.Report{Version: m.Version, Hash: m.Hash, State: wire.RolledBack, Reason: "a source", Seen: m.Version})
	if s := standing(); s != desired.RolledBk {
		t.Errorf("got %s", s)
	}
	g.told(decode.Desired, wire.Report{Version: m.Version - 1, Hash: "x", State: wire.Applied}) // sent again, late
	if s := standing(); s != desired.RolledBk {
		t.Errorf("an older report counts: %s", s)
	}
	// A hub that was put back knows only an older version: what it says is made anew, above what the PC has seen.
	g.told(decode.Desired, wire.Report{Version: m.Version, Hash: m.Hash, State: wire.Applied, Seen: m.Version + 1_000_000})
	if again := g.word("d1"); again.Version <= m.Version+1_000_000 || again.Hash != m.Hash {
		t.Errorf("got version %d", again.Version)
	}
}

func TestACommandEndsOnce(t *testing.T) {
	g := newRig(t, t.TempDir())
	ask := func(k wire.Kind, within time.Duration) (c wire.Command, err error) {
		err = g.InTx(t.Context(), func(tx *store.Tx) error {
			c, err = tx.Command(t.Context(), "d1", wire.Command{Kind: k}, within, "it", "test")
			return err
		})
		return c, err
	}
	if _, err := ask(wire.Restart, time.Hour); !fault.Is(err, fault.Conflict) {
		t.Errorf("a PC without a certificate is asked: %v", err)
	}
	cert := g.certify("d1")
	for k, within := range map[wire.Kind]time.Duration{"format": time.Hour, wire.Restart: time.Second} {
		if _, err := ask(k, within); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s within %v: %v", k, within, err)
		}
	}
	c, err := ask(wire.Bundle, time.Hour)
	g.ok(err)
	if m := g.word("d1"); len(m.Commands) != 1 || m.Commands[0].ID != c.ID || !m.Commands[0].Expires.Equal(c.Expires) {
		t.Errorf("it is told %+v", m.Commands)
	}
	if err := g.PutBundle(t.Context(), cert, "another", []byte("zip")); !fault.Is(err, fault.NotFound) {
		t.Errorf("a bundle that nobody asked for: %v", err)
	}
	g.ok(g.PutBundle(t.Context(), cert, c.ID, []byte("zip")))
	g.told(decode.Command, wire.Result{ID: c.ID, Kind: c.Kind, Outcome: wire.Done, Detail: "first"})
	g.told(decode.Command, wire.Result{ID: c.ID, Kind: c.Kind, Outcome: wire.Failed, Detail: "second"})
	all, err := g.Commands(t.Context(), "d1")
	g.ok(err)
	if len(all) != 1 || all[0].Outcome != wire.Done || all[0].Detail != "first" || all[0].Bundle != 3 || all[0].State(g.clock) != "done" {
		t.Errorf("got %+v", all)
	}
	if b, err := g.BundleOf(t.Context(), "d1", c.ID); err != nil || string(b) != "zip" {
		t.Errorf("got %q %v", b, err)
	}
	if m := g.word("d1"); len(m.Commands) != 0 {
		t.Errorf("an ended one is told again: %+v", m.Commands)
	}
	for how, want := range map[wire.Outcome]wire.Outcome{wire.Unknown: wire.Unknown, "postponed": wire.Failed} { // of a PC that is older, and of one that is newer
		c, err := ask(wire.Doctor, time.Hour)
		g.ok(err)
		g.told(decode.Command, wire.Result{ID: c.ID, Kind: c.Kind, Outcome: how, Detail: "why"})
		all, err := g.Commands(t.Context(), "d1")
		g.ok(err)
		if all[0].ID != c.ID || all[0].Outcome != want || !strings.Contains(all[0].Detail, "why") || len(g.word("d1").Commands) != 0 {
			t.Errorf("%s: %+v", how, all[0])
		}
	}
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error { return tx.Revoke(t.Context(), "d1", "it", "stolen") }))
	if err := g.PutBundle(t.Context(), cert, c.ID, []byte("zip")); !fault.Is(err, fault.Conflict) {
		t.Errorf("a revoked PC's bundle: %v", err)
	}
}
