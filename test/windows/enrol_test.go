//go:build unix

package windows_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/test/port"
)

// TestEnrol is a PC on which somebody types a code: it gets its certificate, its key is protected by Windows, its tickets reach a hub that
// asks for certificates, and it is cut off when its right ends.
func TestEnrol(t *testing.T) {
	p := newPC(t)
	p.write(t, `tillpost\agent.toml`, fmt.Sprintf("data_dir='C:\\tillpost\\data'\r\n[hub]\r\nretry_longest='300ms'\r\n[source.localapi]\r\nlisten=%q\r\ntoken_file='C:\\tillpost\\token'\r\n", p.door))
	c := app.Default()
	c.DataDir, c.Web.Listen, c.Broker.Listen, c.Enrol.Listen = t.TempDir(), "127.0.0.1:0", p.brokerAddr, port.Free(t)
	hub, err := app.New(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- hub.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	var code enrol.Code
	tx := func(f func(*store.Tx) error) {
		t.Helper()
		if err := hub.Store.InTx(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	tx(func(tx *store.Tx) (err error) {
		if err := tx.AddDevice(t.Context(), "pc-s1", "", "test"); err != nil {
			return err
		}
		code, err = tx.MakeCode(t.Context(), "pc-s1", tx.Now.AddDate(0, 0, 1), false, "test", "")
		return err
	})

	if out, code := p.run("check-config", "--config", `C:\tillpost\agent.toml`); code != 1 || !strings.Contains(out, "agent enrol --hub") {
		t.Errorf("before it is enrolled: %d %s", code, out)
	}
	for _, again := range []bool{false, true} { // a code that is typed twice
		out, rc := p.run("enrol", "--hub", c.Enrol.Listen, "--code", strings.ToLower(code.ForPerson()), "--config", `C:\tillpost\agent.toml`)
		if rc != 0 || strings.Contains(out, "already") != again {
			t.Fatalf("enrol: %d %s", rc, out)
		}
	}
	b, err := os.ReadFile(p.path(`tillpost\data\identity.json`))
	if err != nil || !strings.Contains(string(b), `"sealed:`) {
		t.Errorf("the identity: %v %s", err, b)
	}
	if key, err := os.ReadFile(p.path(`tillpost\data\secret.key`)); err != nil || len(key) <= 32 {
		t.Errorf("the key that seals it is not protected: %d bytes, %v", len(key), err)
	}

	kill := p.serve()
	defer kill()
	p.sell("one")
	var st struct {
		Connected   bool
		Waiting     int
		Certificate struct {
			DaysLeft int `json:"days_left"`
		}
	}
	p.until("its ticket to be confirmed", func() bool { p.answer(&st, "status"); return st.Connected && st.Waiting == 0 })
	if st.Certificate.DaysLeft != 89 {
		t.Errorf("%d days left", st.Certificate.DaysLeft)
	}
	if out, rc := p.run("renew", "--config", `C:\tillpost\agent.toml`); rc != 0 { // beside the service
		t.Errorf("renew: %d %s", rc, out)
	}
	if out, rc := p.run("secrets", "rotate", "--config", `C:\tillpost\agent.toml`); rc != 0 {
		t.Errorf("rotate: %d %s", rc, out)
	}
	p.sell("two")
	p.until("its second ticket to be confirmed", func() bool { p.answer(&st, "status"); return st.Connected && st.Waiting == 0 })
	tx(func(tx *store.Tx) error { return tx.Revoke(t.Context(), "pc-s1", "test", "stolen") })
	p.sell("three")
	p.until("its line to be cut", func() bool { p.answer(&st, "status"); return !st.Connected && st.Waiting > 0 })
}
