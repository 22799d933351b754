package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/desired"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// wishes wires the pages to the store as the hub does.
type wishes struct{ *store.Store }

func (w wishes) Device(ctx context.Context, d retail.DeviceID) (view.DeviceView, error) {
	all, err := w.DeviceViews(ctx, "")
	for _, v := range all {
		if v.ID == d {
			return v, err
		}
	}
	return view.DeviceView{}, fault.Msg(fault.NotFound, "device", "none")
}

func (w wishes) Settings(ctx context.Context, d retail.DeviceID) ([]desired.Layer, error) {
	return w.Layers(ctx, desired.Key{Scope: desired.Device, Name: string(d)})
}

func (w wishes) SetSettings(ctx context.Context, d retail.DeviceID, text, who, reason string) error {
	return w.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.SetLayer(ctx, desired.Key{Scope: desired.Device, Name: string(d)}, text, who, reason)
		return err
	})
}

func (w wishes) Command(ctx context.Context, d retail.DeviceID, c wire.Command, within time.Duration, who, reason string) error {
	return w.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Command(ctx, d, c, within, who, reason)
		return err
	})
}

func (w wishes) Bundle(ctx context.Context, d retail.DeviceID, command string) ([]byte, error) {
	return w.BundleOf(ctx, d, command)
}

func (w wishes) Steps(ctx context.Context, d retail.DeviceID) ([]view.StepView, error) {
	return w.DeviceSteps(ctx, d)
}

// A PC's page shows what it shall be and lets IT change that with a reason; a store's user sees no PC of another store, and nobody else changes it.
func TestADevicesPage(t *testing.T) {
	w := newSite(t)
	err := w.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddDevice(t.Context(), "pc-1", "x", "test"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), "pc-1", "S1", time.Now(), "test")
	})
	if err != nil {
		t.Fatal(err)
	}
	w.signIn(t, "store", "correct horse 9") // S2's
	if code, _ := w.get(t, "/device?id=pc-1"); code != http.StatusNotFound {
		t.Errorf("another store's user gets %d", code)
	}
	w.signIn(t, "eve", "correct horse 9")
	if code, body := w.get(t, "/device?id=pc-1"); code != http.StatusOK || strings.Contains(body, "<textarea") {
		t.Errorf("an auditor gets %d, with a form: %v", code, strings.Contains(body, "<textarea"))
	}
	w.signIn(t, "ida", "correct horse 9")
	if code, body := w.get(t, "/device?id=pc-1"); code != http.StatusOK || !strings.Contains(body, "<textarea") {
		t.Fatalf("IT gets %d: %s", code, body)
	}
	form := url.Values{"csrf": {w.csrf(t)}, "id": {"pc-1"}, "settings": {"log_level = \"debug\"\r\n"}}
	if code, _ := w.post(t, "/device/settings", form); code != http.StatusBadRequest {
		t.Errorf("without a reason: %d", code)
	}
	form.Set("reason", "a till that <b>stutters")
	if code, body := w.post(t, "/device/settings", form); code != http.StatusOK || !strings.Contains(body, "a till that &lt;b&gt;stutters") || !strings.Contains(body, "log_level = &#34;debug&#34;") {
		t.Errorf("with one: %d %s", code, body)
	}
	form.Set("settings", "[hub]\nurl = \"mqtt://elsewhere\"\n")
	if code, body := w.post(t, "/device/settings", form); code != http.StatusBadRequest {
		t.Errorf("where the hub is can be set: %d %s", code, body)
	}
	ask := url.Values{"csrf": {w.csrf(t)}, "id": {"pc-1"}, "what": {"log-level"}, "level": {"debug"}, "reason": {"to see it stutter"}}
	if code, body := w.post(t, "/device/ask", ask); code != http.StatusConflict || !strings.Contains(body, "certificate") {
		t.Errorf("a PC that cannot tell its hub's word from another's was asked: %d %s", code, body)
	}
}
