package web_test

import (
	"context"
	"errors"
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

// wishes are the store's, as the hub's app gives them.
type wishes struct{ *store.Store }

func (w wishes) Device(ctx context.Context, d retail.DeviceID) (view.DeviceView, error) {
	all, err := w.DeviceViews(ctx, "")
	for _, v := range all {
		if v.ID == d {
			return v, nil
		}
	}
	return view.DeviceView{}, errors.Join(err, fault.Msg(fault.NotFound, "device", "none"))
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

// TestAPCsPage: IT sets settings with a reason, finance and another store's people do not; the page shows what was set as text.
func TestAPCsPage(t *testing.T) {
	w := newSite(t)
	if err := w.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddDevice(t.Context(), "pc-s1", "", "test"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), "pc-s1", "S1", time.Unix(0, 0), "test")
	}); err != nil {
		t.Fatal(err)
	}
	set := func(settings, reason string) (int, string) {
		t.Helper()
		_, page := w.get(t, "/device?id=pc-s1")
		m := hidden.FindStringSubmatch(page)
		if m == nil {
			m = []string{"", "", "none"}
		}
		return w.post(t, "/device/settings", url.Values{"csrf": {m[2]}, "id": {"pc-s1"}, "settings": {settings}, "reason": {reason}})
	}
	versions := func() int {
		t.Helper()
		all, err := w.Layers(t.Context(), desired.Key{Scope: desired.Device, Name: "pc-s1"})
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	w.signIn(t, "store", "correct horse 9") // of S2
	if code, _ := w.get(t, "/device?id=pc-s1"); code != http.StatusNotFound {
		t.Errorf("another store sees it: %d", code)
	}
	w.signIn(t, "ann", "correct horse 9")
	if set("log_level = 'debug'", "x"); versions() != 0 {
		t.Error("finance set it")
	}
	w.signIn(t, "ida", "correct horse 9")
	for _, x := range [][2]string{{"log_level = 'debug'", ""}, {"data_dir = '/x'", "x"}} {
		if set(x[0], x[1]); versions() != 0 {
			t.Errorf("%v was set", x)
		}
	}
	if code, page := set("[[source.filedrop]]\nname = '<script>'\ndir = '/x'\n", "a folder"); code != http.StatusOK || versions() != 1 || strings.Contains(page, "<script>") || !strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("got %d, %d versions: %s", code, versions(), page)
	}
}

// TestAPCsPagesLeadToEachOther: from wherever a PC is named to its page, from there to its releases and its locations, and back. Who sees no fleet is
// not sent there.
func TestAPCsPagesLeadToEachOther(t *testing.T) {
	w := newSite(t)
	for _, d := range []retail.DeviceID{"pc-s1", "pc-s2"} {
		if err := w.InTx(t.Context(), func(tx *store.Tx) error {
			return errors.Join(tx.AddDevice(t.Context(), d, "", "test"), tx.Assign(t.Context(), d, retail.LocationCode(strings.ToUpper(string(d[3:]))), time.Unix(0, 0), "test"))
		}); err != nil {
			t.Fatal(err)
		}
	}
	leads := func(from, to string, want bool) {
		t.Helper()
		code, page := w.get(t, from)
		if code != http.StatusOK || strings.Contains(page, `href="`+to+`"`) != want {
			t.Errorf("%s (%d) to %s: %v, want %v", from, code, to, !want, want)
		}
		if !want {
			return
		}
		if code, _ := w.get(t, to); code != http.StatusOK {
			t.Errorf("%s leads to %s, which answers %d", from, to, code)
		}
	}
	w.signIn(t, "ida", "correct horse 9")
	for _, from := range []string{"/locations", "/location?code=S1", "/fleet/device?id=pc-s1"} {
		leads(from, "/device?id=pc-s1", true)
	}
	leads("/device?id=pc-s1", "/fleet/device?id=pc-s1", true)
	leads("/device?id=pc-s1", "/location?code=S1", true)
	leads("/fleet/device?id=pc-s1", "/location?code=S1", true)
	w.signIn(t, "store", "correct horse 9") // of S2
	leads("/device?id=pc-s2", "/fleet/device?id=pc-s2", false)
}
