package app

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/desired"
	"github.com/tillpost/tillpost/agent/forward"
	wire "github.com/tillpost/tillpost/shared/desired"
)

// TestALaterHubsCommandIsRefusedAlone: the others are carried out, and the hub is told why not this one.
func TestALaterHubsCommandIsRefusedAlone(t *testing.T) {
	a := &App{log: slog.New(slog.DiscardHandler), loop: &forward.Loop{}}
	f, in := desired.In(t.TempDir()), time.Now().Add(time.Hour)
	d := newDesirer("")
	d.word = &wire.Message{Commands: []wire.Command{{ID: "FORMAT-1", Kind: "format-disk", Expires: in}, {ID: "LEVEL-01", Kind: wire.LogLevel, Level: "debug", For: time.Hour, Expires: in}}}
	var wg sync.WaitGroup
	for range 2 {
		d.obey(t.Context(), a, f, &wg)
	}
	wg.Wait()
	l := f.Ledger()
	if all := l.Untold(); len(all) != 2 || all[0].ID != "FORMAT-1" || all[0].Outcome != wire.Unknown || !strings.Contains(all[0].Detail, `knows no command "format-disk"`) || all[1].Outcome != wire.Done {
		t.Errorf("told: %+v", all)
	}
	if got := l.Level(time.Now()); got != "debug" {
		t.Errorf("it logs at %q", got)
	}
}
