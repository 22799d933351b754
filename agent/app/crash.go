package app

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/shared/doctor"
)

// crashDir is where reports of crashes stand.
func crashDir(dir string) string { return filepath.Join(dir, "crash") }

// crashTold is how long a crash stands on the list.
const crashTold = 24 * time.Hour

// lookCrash keeps the condition about the last run's crash for a day; head office is told it with the others.
func (a *App) lookCrash(now time.Time) {
	if a.Crash == nil {
		return
	}
	if now.Sub(a.Crash.At) > crashTold {
		a.Health.Clear(crashed)
		return
	}
	a.Health.Set(crashed, fmt.Sprintf("%s; the report is %s", a.Crash.What, a.Crash.File), a.Crash.At)
}

func tightDisk(free uint64) bool { return doctor.Tight(free) }

func sizeWords(n uint64) string { return fmt.Sprintf("%d MB", n>>20) }
