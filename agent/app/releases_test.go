//go:build !update_double

package app

import (
	"errors"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/desired"
	"github.com/tillpost/tillpost/agent/update"
	wire "github.com/tillpost/tillpost/shared/desired"
)

// A PC that comes in by password knows no place of releases: it says so once and does not try for days.
func TestReleasesOfAPCThatWasNeverEnrolled(t *testing.T) {
	_, err := releasesOf(Config{DataDir: t.TempDir()}, time.Now).Find(t.Context(), "1.4.0", "1.5.0")
	var f update.Failure
	if !errors.As(err, &f) || f.Cause != update.NoRelease || !f.Final {
		t.Errorf("%v", err)
	}
}

// TestTheChannelIsTheLastWishs: a PC sees candidates as long as head office says so.
func TestTheChannelIsTheLastWishs(t *testing.T) {
	c := Config{DataDir: t.TempDir()}
	f := desired.In(c.DataDir)
	for _, x := range []struct {
		wish *wire.Release
		want string
	}{{&wire.Release{Version: "1.1.0-rc.1", Channel: "beta"}, "beta"}, {&wire.Release{Version: "1.1.0"}, ""}, {&wire.Release{Version: "1.1.0", Channel: "../x"}, ""}, {nil, ""}} {
		if err := f.PutRelease(x.wish); err != nil {
			t.Fatal(err)
		}
		if got := channel(c); got != x.want {
			t.Errorf("%+v: channel %q, want %q", x.wish, got, x.want)
		}
	}
}
