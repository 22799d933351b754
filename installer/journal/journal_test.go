package journal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func clock() func() time.Time {
	at := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	return func() time.Time { at = at.Add(time.Second); return at }
}

func TestARunThatWasCutOffIsKnown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "install.journal")
	if p, err := Read(path); err != nil || p.Cut {
		t.Fatalf("no journal: %+v %v", p, err)
	}
	now := clock()
	j, err := Open(path, "install", "v1", now)
	if err != nil {
		t.Fatal(err)
	}
	is := func(when string, cut bool, step string, done ...string) {
		t.Helper()
		p, err := Read(path)
		if err != nil || p.Cut != cut || p.Step != step || !slices.Equal(p.Done, done) || p.Action != "install" {
			t.Errorf("%s: got %+v %v, want cut %v at %q after %v", when, p, err, cut, step, done)
		}
	}
	is("opened", true, "")
	must(t, j.Begin("folders"))
	is("begun", true, "folders")
	must(t, j.Done("folders"))
	must(t, j.Begin("program"))
	is("second step", true, "program", "folders")

	// Half a line, as a power cut leaves it, hides neither what was before nor what comes after.
	f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	f.WriteString(`{"at":"2026-12-01T08`)
	f.Close()
	is("torn", true, "program", "folders")
	must(t, j.Finish("program", errors.New("disk full")))
	is("failed", false, "program", "folders")

	j, err = Open(path, "install", "v1", now)
	must(t, err)
	is("a new run", true, "")
	must(t, j.Finish("", nil))
	is("finished", false, "")
}

func TestAnOldJournalIsShortenedAndStillTellsTheLastRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "install.journal")
	if err := os.WriteFile(path, []byte(strings.Repeat("{\"run\":\"old\",\"state\":\"done\"}\n", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := Open(path, "upgrade", "v2", clock())
	must(t, err)
	must(t, j.Begin("stop"))
	st, _ := os.Stat(path)
	if p, err := Read(path); err != nil || !p.Cut || p.Action != "upgrade" || p.Step != "stop" || st.Size() > keep {
		t.Errorf("got %+v %v, %d bytes", p, err, st.Size())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
