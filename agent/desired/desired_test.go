package desired

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	wire "github.com/tillpost/tillpost/shared/desired"
)

func word(v int64, text string) wire.Message {
	return wire.Message{Hub: "hub", Device: "pc", Version: v, Settings: text, Hash: wire.HashOf(text)}
}

func TestWhichWordCounts(t *testing.T) {
	holds := wire.HashOf("a")
	for name, x := range map[string]struct {
		m    Marker
		v    int64
		hash string
		want Verdict
	}{
		"the first":                              {Marker{}, 5, "b", New},
		"the first says what holds":              {Marker{}, 5, holds, Same},
		"an older one that somebody kept":        {Marker{Seen: 9, Step: Applied, Hash: holds}, 8, "b", Older},
		"an older one during a trial":            {Marker{Seen: 9, Step: Trying, Hash: "b"}, 8, holds, Older},
		"the same again":                         {Marker{Seen: 9, Step: Applied, Hash: holds}, 9, holds, Known},
		"the same, whose trial goes on":          {Marker{Seen: 9, Step: Trying, Hash: "b"}, 9, "b", Same},
		"the same, which was never written":      {Marker{Seen: 8, Step: Applied, Hash: holds}, 9, "b", New},
		"a command beside what was refused":      {Marker{Seen: 9, Step: Refused, Hash: "b"}, 10, "b", Same},
		"a command beside what was given back":   {Marker{Seen: 9, Step: RolledBack, Hash: "b"}, 10, "b", Same},
		"back to what holds, after a refusal":    {Marker{Seen: 9, Step: Refused, Hash: "b"}, 10, holds, Same},
		"others, while a trial goes on":          {Marker{Seen: 9, Step: Trying, Hash: "b"}, 10, "c", New},
		"back to what holds, while a trial runs": {Marker{Seen: 9, Step: Trying, Hash: "b"}, 10, holds, New},
	} {
		if got := Hear(x.m, x.v, x.hash, holds); got != x.want {
			t.Errorf("%s: got %d, want %d", name, got, x.want)
		}
	}
}

func TestWhenATrialEnds(t *testing.T) {
	m := Marker{Step: Trying, Line: true, Ailing: []string{"old"}}
	for name, x := range map[string]struct {
		f    Facts
		want Do
	}{
		"all well, too early":              {Facts{Ran: 9 * time.Second, Well: 9 * time.Second, Line: true}, Nothing},
		"all well":                         {Facts{Ran: 11 * time.Second, Well: 11 * time.Second, Line: true}, Keep},
		"what did not work before":         {Facts{Ran: 40 * time.Second, Well: 11 * time.Second, Line: true, Failing: map[string]string{"old": "x"}}, Keep},
		"a source fails, not for long":     {Facts{Ran: 20 * time.Second, Line: true, Failing: map[string]string{"new": "x"}}, Nothing},
		"a source fails":                   {Facts{Ran: 31 * time.Second, Line: true, Failing: map[string]string{"new": "x"}}, Give},
		"the line is away, not for long":   {Facts{Ran: 60 * time.Second, Well: 0}, Nothing},
		"the line is away":                 {Facts{Ran: 91 * time.Second}, Give},
		"the line is away, and was before": {Facts{Ran: 11 * time.Second, Well: 11 * time.Second}, Nothing},
	} {
		if got, _ := Watch(m, x.f); got != x.want {
			t.Errorf("%s: got %d, want %d", name, got, x.want)
		}
	}
	if got, _ := Watch(Marker{Step: Trying}, Facts{Ran: 11 * time.Second, Well: 11 * time.Second}); got != Keep {
		t.Error("a store that is offline cannot take settings over")
	}
	if Well(m, Facts{Line: true, Waiting: []string{"new"}}) || !Well(m, Facts{Line: true, Waiting: []string{"new"}, Ran: Patience}) {
		t.Error("a source that had no turn yet is not waited for, or without end")
	}
}

// cut is a power cut.
type cut struct{}

// upTo lets n boundaries pass and cuts the power at the next; met tells that there was one.
func upTo(n int, do func()) (met bool) {
	old := hit
	defer func() {
		hit = old
		if r := recover(); r != nil {
			if _, ok := r.(cut); !ok {
				panic(r)
			}
			met = true
		}
	}()
	hit = func(string) {
		if n--; n < 0 {
			panic(cut{})
		}
	}
	do()
	return false
}

// TestAPowerCutAtEachStep goes through every boundary of a trial that is kept, one that is given back, one that is refused, and one that takes
// another's place. Afterwards there is always just one whole text to run with, the old or the new, and the hub's word ends where it should.
func TestAPowerCutAtEachStep(t *testing.T) {
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	// live is a process: it opens, and brings what is on trial to its end.
	live := func(f Folder, keep bool) {
		m, err := f.Open(now)
		ok(err)
		if _, trial := f.InForce(); trial && m.Step == Trying {
			if keep {
				_, err = f.Commit(m, now)
			} else {
				_, err = f.Give(m, "bad", now)
			}
			ok(err)
		}
	}
	// hear is the hub's word, which is heard again after each start.
	hear := func(f Folder, w wire.Message, good bool) {
		switch m := f.Marker(); Hear(m, w.Version, w.Hash, f.Holds()) {
		case New:
			if good {
				ok(f.Try(m, w))
			} else {
				ok(f.Refuse(m, w, "cannot be used", now))
			}
		case Same:
			ok(f.Note(m, w, w.Hash == f.Holds() && m.Step != Trying, now))
		}
	}
	for _, x := range []struct {
		name       string
		good, keep bool
		step       Step
		holds      string
	}{{"kept", true, true, Applied, "new"}, {"given back", true, false, RolledBack, "old"}, {"refused", false, true, Refused, "old"}} {
		cuts := 0
		for n := 0; ; n++ {
			f := Folder{filepath.Join(t.TempDir(), "desired")}
			hear(f, word(1, "old"), true)
			live(f, true)
			w := word(2, "new")
			met := upTo(n, func() { hear(f, w, x.good); live(f, x.keep) })
			if in, _ := f.InForce(); in.Settings != "old" && in.Settings != "new" {
				t.Fatalf("%s, cut %d: it would run with %q", x.name, n, in.Settings)
			}
			for range 3 { // starts, with the hub's word after each
				live(f, x.keep)
				hear(f, w, x.good)
			}
			live(f, x.keep)
			in, trial := f.InForce()
			if m := f.Marker(); m.Step != x.step || in.Settings != x.holds || trial || m.Seen != 2 || m.Hash != w.Hash {
				t.Errorf("%s, cut %d: %+v, it runs with %q", x.name, n, m, in.Settings)
			}
			if files, _ := filepath.Glob(filepath.Join(f.Dir, "*")); slices.ContainsFunc(files, func(s string) bool { return strings.HasSuffix(s, trialFile) }) {
				t.Errorf("%s, cut %d: a trial is left", x.name, n)
			}
			if !met {
				break
			}
			cuts++
		}
		t.Logf("%s: %d boundaries", x.name, cuts)
		if cuts == 0 {
			t.Errorf("%s: no boundary was met", x.name)
		}
	}
}

func TestSettingsThatEndTheAgentAreGivenBack(t *testing.T) {
	f := Folder{filepath.Join(t.TempDir(), "desired")}
	if err := f.Try(Marker{}, word(1, "deadly")); err != nil {
		t.Fatal(err)
	}
	for i := range MostStarts {
		if _, err := f.Open(time.Now()); err != nil {
			t.Fatal(err)
		}
		if in, trial := f.InForce(); !trial || in.Settings != "deadly" {
			t.Fatalf("start %d runs with %q", i+1, in.Settings)
		}
	}
	m, err := f.Open(time.Now())
	if _, trial := f.InForce(); err != nil || trial || m.Step != RolledBack || !strings.Contains(m.Reason, "3 times") {
		t.Errorf("got %+v %v", m, err)
	}
	if got := Hear(f.Marker(), 1, wire.HashOf("deadly"), f.Holds()); got != Known {
		t.Errorf("they would be tried again: %d", got)
	}
}

func TestASpoiledFileIsAsNone(t *testing.T) {
	f := Folder{t.TempDir()}
	for _, name := range []string{markerFile, trialFile, currentFile, commandsFile} {
		if err := os.WriteFile(filepath.Join(f.Dir, name), []byte("{half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := f.Open(time.Now())
	if in, trial := f.InForce(); err != nil || m.Step != None || in.Hash != "" || trial || len(f.Ledger().Entries) != 0 {
		t.Errorf("got %+v %v", m, err)
	}
}

func TestOverlay(t *testing.T) {
	own := []byte("device = 'pc'\nlog_level = 'info'\n[[source.filedrop]]\nname = 'a'\ndir = '/a'\nprofile = 'p'\n[[source.portico]]\nname = 'g'\nkey_file = '/key'\nlocation = 'S1'\n")
	s, err := wire.Parse("log_level = 'debug'\n[[source.filedrop]]\nname = 'a'\npattern = '*.csv'\n[[source.filedrop]]\nname = 'b'\ndir = '/b'\n[[source.portico]]\nname = 'g'\nlocation = 'S2'\n")
	if err != nil {
		t.Fatal(err)
	}
	out, err := Overlay(own, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"device = 'pc'", "log_level = 'debug'", "dir = '/a'", "pattern = '*.csv'", "dir = '/b'", "key_file = '/key'", "location = 'S2'"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	s, _ = wire.Parse("[[source.portico]]\nname = 'other'\nlocation = 'S2'\n")
	if _, err := Overlay(own, s); err == nil {
		t.Error("a gateway without a key was added")
	}
}

func TestTheAgentsOwnFoldersAreNoTills(t *testing.T) {
	own := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(own, link); err != nil {
		link = own
	}
	for dir, want := range map[string]bool{own: true, filepath.Join(own, "desired"): true, filepath.Dir(own): true, link: true, filepath.Join(own, "..", filepath.Base(own)): true, t.TempDir(): false} {
		if got := Forbidden(dir, own); got != want {
			t.Errorf("%s: got %v", dir, got)
		}
	}
}

func TestACommandIsDoneOnceAndInTime(t *testing.T) {
	now := time.Now()
	c := func(id string, in time.Duration) wire.Command {
		return wire.Command{ID: id, Kind: wire.Doctor, Expires: now.Add(in)}
	}
	l := Ledger{Entries: map[string]Entry{"known": {Kind: wire.Doctor}}}
	begin, late := l.Due([]wire.Command{c("known", time.Hour), c("new", time.Hour), c("late", -time.Second), c("now", 0)}, now)
	if len(begin) != 1 || begin[0].ID != "new" || len(late) != 2 {
		t.Errorf("got %v, %v", begin, late)
	}
	end := &wire.Result{ID: "x"}
	l = Ledger{Entries: map[string]Entry{"told": {End: end, Told: true}, "untold": {End: end}, "named": {End: end, Told: true}, "runs": {}}}
	if got := l.Forget([]wire.Command{c("named", 0)}, now); len(got.Entries) != 3 || got.Entries["told"].End != nil {
		t.Errorf("got %v", got.Entries)
	}
	if got := l.CutOff(); !slices.Equal(got, []string{"runs"}) {
		t.Errorf("cut off: %v", got)
	}
	l = Ledger{Entries: map[string]Entry{"level": {Level: "debug", Begun: now, Until: now.Add(time.Hour)}}}
	for at, want := range map[time.Duration]string{0: "debug", 59 * time.Minute: "debug", time.Hour: "", -365 * 24 * time.Hour: ""} {
		if got := l.Level(now.Add(at)); got != want {
			t.Errorf("after %v it logs at %q", at, got)
		}
	}
}
