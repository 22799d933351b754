package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// pcs makes one code and remembers who was revoked.
type pcs struct {
	revoked  []retail.DeviceID
	needs    []upkeep.Need
	restored time.Time
}

func (p *pcs) MakeCode(_ context.Context, _ retail.LocationCode, d retail.DeviceID, replace bool, _ string) (view.CodeMade, error) {
	if d == "" {
		d = "pc-new"
	}
	return view.CodeMade{Device: d, Code: "AAAA-BBBB-CCCC-DDDD", Expires: time.Now().Add(time.Hour), Port: "8790", Replaces: replace}, nil
}

func (p *pcs) Revoke(_ context.Context, d retail.DeviceID, _, _ string) error {
	p.revoked = append(p.revoked, d)
	return nil
}

// TestCodesAndRevocationOnThePages: IT makes codes and takes rights away, with a reason and at the device's own location; finance does neither.
func TestCodesAndRevocationOnThePages(t *testing.T) {
	w := newSite(t)
	if err := w.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddDevice(t.Context(), "pc-s1", "", "test"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), "pc-s1", "S1", time.Unix(0, 0), "test")
	}); err != nil {
		t.Fatal(err)
	}
	post := func(path string, form url.Values) (int, string) {
		t.Helper()
		_, page := w.get(t, "/location?code=S1")
		m := hidden.FindStringSubmatch(page)
		if m == nil { // a role without forms
			m = []string{"", "", "none"}
		}
		form.Set("csrf", m[2])
		return w.post(t, path, form)
	}
	w.signIn(t, "ann", "correct horse 9")
	if code, page := post("/device/code", url.Values{"location": {"S1"}}); code == http.StatusOK || strings.Contains(page, "AAAA-BBBB") {
		t.Errorf("finance made a code: %d", code)
	}
	w.signIn(t, "ida", "correct horse 9")
	_, page := w.get(t, "/location?code=S1")
	for _, want := range []string{"not enrolled", "Make a code for a PC", "Revoke pc-s1"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if code, page := post("/device/code", url.Values{"location": {"S1"}, "device": {"pc-s1"}, "replace": {"yes"}}); code != http.StatusOK || !strings.Contains(page, "AAAA-BBBB-CCCC-DDDD") || !strings.Contains(page, "pc-s1 now ends") {
		t.Errorf("got %d: %s", code, page)
	}
	for _, form := range []url.Values{{"location": {"S1"}, "device": {"pc-s1"}}, {"location": {"S1"}, "device": {"pc-s2"}, "reason": {"x"}}, {"location": {"S9"}, "device": {"pc-s1"}, "reason": {"x"}}} {
		if _, page := post("/device/revoke", form); len(w.pcs.revoked) != 0 {
			t.Errorf("%v revoked %v: %s", form, w.pcs.revoked, page)
		}
	}
	if post("/device/revoke", url.Values{"location": {"S1"}, "device": {"pc-s1"}, "reason": {"stolen"}}); len(w.pcs.revoked) != 1 {
		t.Errorf("revoked %v", w.pcs.revoked)
	}
}
