//go:build !update_double

package app

import (
	"errors"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/update"
)

// A PC that comes in by password knows no place of releases: it says so once and does not try for days.
func TestReleasesOfAPCThatWasNeverEnrolled(t *testing.T) {
	_, err := releasesOf(Config{DataDir: t.TempDir()}, time.Now).Find(t.Context(), "1.4.0", "1.5.0")
	var f update.Failure
	if !errors.As(err, &f) || f.Cause != update.NoRelease || !f.Final {
		t.Errorf("%v", err)
	}
}
