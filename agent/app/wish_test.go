package app

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/carry"
	wire "github.com/tillpost/tillpost/shared/desired"
)

func TestWhatTheHubIsToldOfARelease(t *testing.T) {
	r := &wire.Release{Version: "1.5.0", Order: "b"}
	ended := func(order string, res update.Result) *update.Outcome {
		return &update.Outcome{Order: order, Result: res, Cause: update.Crash, Detail: "it ended"}
	}
	for name, c := range map[string]struct {
		s    carry.Status
		want wire.ReleaseStep // "" = nothing
	}{
		"it has not begun":                     {carry.Status{Version: "v1.4.0", Phase: update.Waiting}, ""},
		"an older wish ended":                  {carry.Status{Version: "v1.4.0", Last: ended("a", update.RolledBack)}, ""},
		"it is tried again later":              {carry.Status{Version: "v1.4.0", Phase: update.Waiting, Why: "the metadata has run out"}, wire.Rests},
		"it comes":                             {carry.Status{Version: "v1.4.0", Phase: update.Fetching}, wire.Begun},
		"it is watched":                        {carry.Status{Version: "v1.5.0", Phase: update.Probation}, wire.Begun},
		"it is kept":                           {carry.Status{Version: "v1.5.0", Phase: update.Trial, Last: ended("b", update.Committed)}, wire.Kept},
		"it went back":                         {carry.Status{Version: "v1.4.0", Last: ended("b", update.RolledBack)}, wire.WentBack},
		"it was not taken":                     {carry.Status{Version: "v1.4.0", Last: ended("b", update.Failed)}, wire.NotTakenUp},
		"a package has brought it, long since": {carry.Status{Version: "v1.5.0"}, wire.Kept},
	} {
		got, ok := releaseReport(r, c.s)
		if ok != (c.want != "") || got.Step != c.want || ok && got.Order != "b" {
			t.Errorf("%s: got %+v %v, want %q", name, got, ok, c.want)
		}
	}
	if _, ok := releaseReport(nil, carry.Status{}); ok {
		t.Error("nothing is wanted, and something is told")
	}
}

func TestWantOf(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	if w := wantOf(&wire.Release{Version: "1.5.0", Order: "a", NotBefore: now.Add(time.Minute)}, now); w != (update.Want{}) {
		t.Errorf("it begins before its time: %+v", w)
	}
	if w := wantOf(&wire.Release{Version: "1.5.0", Order: "a", From: 60, Until: 300}, now); w.Version != "1.5.0" || w.Jitter == 0 || w.From != 60 {
		t.Errorf("%+v", w)
	}
	if w := wantOf(&wire.Release{Version: "1.4.0", Order: "a", Back: true}, now); !w.Back || w.Jitter != 0 {
		t.Errorf("%+v", w)
	}
}
