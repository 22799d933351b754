//go:build linux

package rollout_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	repo "github.com/tillpost/tillpost/hub/release"
)

// patched proves that every PC made its newest program out of the one before, with few bytes.
func (w *world) patched(t *testing.T) {
	t.Helper()
	for _, p := range w.pcs {
		fs := p.fetches(t)
		if n := len(fs); n == 0 || !fs[n-1].Patched || fs[n-1].Bytes*20 > fs[n-1].Size {
			t.Errorf("%s fetched %+v", p.name, fs)
		}
	}
}

// fetched is what a PC's log says of a download.
type fetched struct {
	Msg, Version string
	Bytes, Size  int64
	Patched      bool
}

func (p *pc) fetches(t *testing.T) (out []fetched) {
	t.Helper()
	b, err := os.ReadFile(p.w.at(p.dir + "/log"))
	must(t, err)
	for l := range bytes.Lines(b) {
		var f fetched
		if json.Unmarshal(l, &f) == nil && f.Msg == "a release was fetched" {
			out = append(out, f)
		}
	}
	return out
}

// stick carries a release to a store whose line is cut.
func (w *world) stick(t *testing.T, p *pc, l *line, version string) {
	t.Helper()
	l.cut()
	w.hub("release", "bundle", "--version", version, "--out", w.at("tillpost.bundle"))
	if out, code := p.run("update", "--bundle", w.at("tillpost.bundle"), "--wait", "50s"); code != 0 || strings.TrimPrefix(p.status().Version, "v") != version {
		t.Errorf("by a stick: %d %s", code, out)
	}
	l.mend()
}

// expired lets the releases' signatures run out: a new version is refused with the reason, and the stores sell on.
func (w *world) expired(t *testing.T) {
	t.Helper()
	past := func() time.Time { return time.Now().Add(-400 * 24 * time.Hour) }
	stick := repo.At(w.at("stick"), past)
	must(t, stick.Renew("targets"))
	w.sign("rita")
	online, err := repo.OpenOnline(w.at("hubdata/release-keys"))
	must(t, err)
	_, err = repo.At(w.at("hubdata/releases"), past).Publish(stick, online)
	must(t, err)
	_, err = online.Refresh(repo.At(w.at("hubdata/releases"), time.Now)) // the hub's own signatures are as fresh as ever
	must(t, err)
	w.hub("rollout", "start", "v1.5.0", "--rings", w.at("without.json"))
	test := w.pcs[0]
	w.until("the PC to say why it is not updated", time.Minute, func() bool {
		return strings.Contains(test.status().Update.Why, "has run out: targets")
	})
	if st := test.status(); st.Version != "v1.4.0" || !st.Connected {
		t.Errorf("%+v", st)
	}
	w.until("the hub to know why", time.Minute, func() bool {
		d := w.device(test)
		return d.Told == "1.5.0" && d.Step == "" && strings.Contains(d.Why, "run out")
	})
	// It is signed again, and the update that waited goes on by itself.
	w.hub("release", "renew", "targets", "--dir", w.at("stick"))
	w.sign("rita")
	w.hub("release", "publish", "--from", w.at("stick"))
	w.until("the update that waited", 2*time.Minute, func() bool { return w.device(test).Step == "kept" && test.status().Version == "v1.5.0" })
}
