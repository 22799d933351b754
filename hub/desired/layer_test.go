package desired

import (
	"strings"
	"testing"
	"time"

	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/fault"
)

func TestCompose(t *testing.T) {
	s, err := Compose([]Layer{
		{Key: Key{Device, "pc-1"}, Text: "log_level = \"debug\"\n"},
		{Key: Key{Fleet, ""}, Text: "log_level = \"warn\"\n[[source.filedrop]]\nname = \"a\"\ndir = \"/a\"\n"},
		{Key: Key{Location, "S1"}, Text: "[[source.filedrop]]\nname = \"a\"\ndir = \"/s1\"\n"},
	})
	if err != nil || s.Level != "debug" || s.Sources["filedrop"]["a"]["dir"] != "/s1" {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := Compose([]Layer{{Key: Key{Location, "S1"}, Text: "device = \"x\"\n"}}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "location S1") {
		t.Errorf("a bad layer is not named: %v", err)
	}
}

// A word is made anew only when it says something else, and its version only grows: also for a PC that knows more than a hub that was put back.
func TestNext(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	s, err := wire.Parse("log_level = \"debug\"\n")
	if err != nil {
		t.Fatal(err)
	}
	m, word, changed, err := Next(Told{}, "hub", "pc-1", s, nil, nil, now)
	if err != nil || !changed || m.Version != now.UnixMilli() {
		t.Fatalf("%+v %v %v", m, changed, err)
	}
	told := Told{Version: m.Version, Hash: m.Hash, Word: word, Seen: m.Version}
	if _, _, changed, _ := Next(told, "hub", "pc-1", s, nil, nil, now.Add(time.Hour)); changed {
		t.Error("the same word is said anew")
	}
	for name, again := range map[string]func() (wire.Message, string, bool, error){
		"a release": func() (wire.Message, string, bool, error) {
			return Next(told, "hub", "pc-1", s, &wire.Release{Version: "1.5.0", Order: "a"}, nil, now)
		},
		"a command": func() (wire.Message, string, bool, error) {
			return Next(told, "hub", "pc-1", s, nil, []wire.Command{{ID: "x"}}, now)
		},
		"a hub that was put back": func() (wire.Message, string, bool, error) {
			behind := told
			behind.Seen += 1000
			return Next(behind, "hub", "pc-1", s, nil, nil, now)
		},
	} {
		if got, _, changed, err := again(); err != nil || !changed || got.Version <= told.Version {
			t.Errorf("%s: version %d after %d, changed %v, %v", name, got.Version, told.Version, changed, err)
		}
	}
	behind := told
	behind.Seen += 1000
	if got, _, _, _ := Next(behind, "hub", "pc-1", s, nil, nil, now); got.Version <= behind.Seen {
		t.Errorf("the PC would take %d for old: it has seen %d", got.Version, behind.Seen)
	}
}

func TestDiff(t *testing.T) {
	if got := Diff("a\nb\nc\n", "a\nc\nd\n"); got != "  a\n- b\n  c\n+ d\n" {
		t.Errorf("%q", got)
	}
	if got := Diff("a\n", "a\n"); got != "" {
		t.Errorf("%q", got)
	}
}
