//go:build linux

package rollout_test

import (
	"os"
	"strings"
	"testing"
	"time"

	repo "github.com/tillpost/tillpost/hub/release"
)

// patched proves that every PC made the program out of the one it had.
func (w *world) patched(t *testing.T) {
	t.Helper()
}

// expired lets the releases' signatures run out: a new version is refused with the reason, and the stores sell on.
func (w *world) expired(t *testing.T) {
	t.Helper()
	w.publish("v1.5.0", "")
	past := func() time.Time { return time.Now().Add(-400 * 24 * time.Hour) }
	stick := repo.At(w.at("stick"), past)
	must(t, stick.Renew("targets"))
	w.sign("rita")
	online, err := repo.OpenOnline(w.at("hubdata/release-keys"))
	must(t, err)
	_, err = repo.At(w.at("hubdata/releases"), time.Now).Publish(stick, online)
	must(t, err)
	w.hub("rollout", "start", "v1.5.0", "--rings", w.at("rings.json"))
	test := w.pcs[0]
	w.until("the PC to say why it is not updated", time.Minute, func() bool {
		return strings.Contains(test.status().Update.Why, "run out")
	})
	if st := test.status(); st.Version != "v1.4.0" || !st.Connected {
		t.Errorf("%+v", st)
	}
	if got, err := os.ReadDir(w.at("hubdata/releases")); err != nil || len(got) == 0 {
		t.Error(err)
	}
}
