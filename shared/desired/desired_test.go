package desired_test

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

var update = flag.Bool("update", false, "write the golden files anew")

func newAuthority(t testing.TB) *authority.Authority {
	t.Helper()
	a, err := authority.New("hub-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func message() desired.Message {
	text := "log_level = 'debug'\n"
	return desired.Message{Hub: "hub-1", Device: "pc-1", Version: 1_764_000_000_000, Made: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), Settings: text, Hash: desired.HashOf(text),
		Release:  &desired.Release{Version: "1.7.0", Order: "1764000000000-1", NotBefore: time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC), From: 120, Until: 300, Zone: "America/Chicago"},
		Commands: []desired.Command{{ID: "ABCDEFGH", Kind: desired.LogLevel, Level: "debug", For: time.Hour, Expires: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}}}
}

func TestOnlyTheHubsOwnWordForThisPCIsRead(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	m := message()
	sealed, err := desired.Encode(m, a.SignDesired)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := desired.Open(sealed, a.PEM(), "hub-1", "pc-1"); err != nil || got.Settings != m.Settings || got.Release.Version != "1.7.0" || got.Commands[0] != m.Commands[0] {
		t.Errorf("got %+v %v", got, err)
	}
	forged, err := desired.Encode(m, other.SignDesired)
	if err != nil {
		t.Fatal(err)
	}
	var s desired.Sealed
	if err := json.Unmarshal(sealed, &s); err != nil {
		t.Fatal(err)
	}
	s.Body = []byte(strings.Replace(string(s.Body), "debug", "error", 1))
	changed, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	bad := m
	bad.Hash = "0"
	wrongHash, err := desired.Encode(bad, a.SignDesired)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		payload []byte
		hub     envelope.HubID
		pc      retail.DeviceID
		want    string
	}{
		"made by another authority": {forged, "hub-1", "pc-1", "not signed"},
		"changed on the way":        {changed, "hub-1", "pc-1", "not signed"},
		"another PC's":              {sealed, "hub-1", "pc-2", "another PC's"},
		"another hub's":             {sealed, "hub-2", "pc-1", "another hub's"},
		"a wrong hash":              {wrongHash, "hub-1", "pc-1", "hash is wrong"},
		"cut off":                   {sealed[:len(sealed)-5], "hub-1", "pc-1", "cannot be read"},
		"too large":                 {make([]byte, desired.MaxPayload+1), "hub-1", "pc-1", "too large"},
		"empty":                     {nil, "hub-1", "pc-1", "cannot be read"},
	} {
		_, err := desired.Open(x.payload, a.PEM(), x.hub, x.pc)
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.Settings = strings.Repeat("#", desired.MaxSettings+1)
	if _, err := desired.Encode(m, a.SignDesired); err == nil {
		t.Error("a message that is too large was written")
	}
}

// TestTheWordsFormStays: agents of older releases read what a newer hub says.
func TestTheWordsFormStays(t *testing.T) {
	got, err := json.MarshalIndent(message(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/message.json"
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != string(got)+"\n" {
		t.Errorf("the form changed (%v):\n%s", err, got)
	}
}

// TestWhatTheHubMayNotSet is the allow-list seen from the other side.
func TestWhatTheHubMayNotSet(t *testing.T) {
	for _, text := range []string{
		"device = 'x'", "data_dir = '/x'", "log_level = 'loud'", "[hub]\nurl = 'mqtts://evil:1'", "[guard]\nkey_file = '/x'", "[status]\nlisten = '0.0.0.0:1'", "[profiles]\ndir = '/x'\n", "[profiles]\n\"../x\" = ''",
		"[source.localapi]\nlisten = '127.0.0.1:1'", "[[source.portico]]\nname = 'p'\nkey_file = '/etc/shadow'", "[[source.portico]]\nname = 'p'\nurl = 'https://evil'", "[[source.gpapi]]\nname = 'g'\nurl = 'https://evil'",
		"[[source.retail]]\ntenant = 'a'\nurl = 'https://evil'", "[[source.possql]]\nname = 's'\naddress = 'evil'", "[[source.possql]]\nname = 's'\npassword_file = '/x'", "[[source.filedrop]]\ndir = '/x'",
		"[[source.filedrop]]\nname = 'a'\nsettle = 5", "[[source.filedrop]]\nname = 'a'\n[[source.filedrop]]\nname = 'a'", "[[source.mystery]]\nname = 'a'", "nonsense", strings.Repeat("#", desired.MaxSettings+1),
	} {
		if _, err := desired.Parse(text); err == nil {
			t.Errorf("%.60q may be set", text)
		}
	}
}

func TestTheNarrowerLayerCounts(t *testing.T) {
	wide, err := desired.Parse("log_level = 'warn'\n[[source.filedrop]]\nname = 'a'\ndir = '/a'\nprofile = 'p'\n[[source.filedrop]]\nname = 'b'\ndir = '/b'\n")
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := desired.Parse("log_level = 'debug'\nwithout = ['b']\n[[source.filedrop]]\nname = 'a'\ndir = '/c'\n[[source.terminal]]\nname = 't'\nwindows = ['22:00-05:00']\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := desired.Merge(wide, narrow).TOML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := desired.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	if again.Level != "debug" || len(again.Sources["filedrop"]) != 1 || again.Sources["filedrop"]["a"]["dir"] != "/c" || again.Sources["filedrop"]["a"]["profile"] != "p" || again.Sources["terminal"]["t"] == nil {
		t.Errorf("got %s", got)
	}
	for range 20 {
		if same, _ := desired.Merge(wide, narrow).TOML(); same != got {
			t.Fatalf("the same settings are two texts:\n%s\n%s", got, same)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("log_level = 'debug'\n[[source.filedrop]]\nname = 'a'\ndir = '/a'\n[profiles]\nx = ''")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := desired.Parse(text)
		if err != nil {
			return
		}
		one, err := s.TOML()
		if err != nil {
			return // too large once written out
		}
		again, err := desired.Parse(one)
		if err != nil {
			t.Fatalf("%q is written as %q, which is refused: %v", text, one, err)
		}
		if two, _ := again.TOML(); two != one || !slices.Equal(again.Without, s.Without) {
			t.Fatalf("%q is not the same twice: %q %q", text, one, two)
		}
	})
}

func FuzzOpen(f *testing.F) {
	a := newAuthority(f)
	sealed, err := desired.Encode(message(), a.SignDesired)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte(`{"body":"e30=","signature":""}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if m, err := desired.Open(payload, a.PEM(), "hub-1", "pc-1"); err == nil && (m.Settings != message().Settings || m.Version != message().Version) {
			t.Fatalf("%q is believed: %+v", payload, m)
		}
	})
}
