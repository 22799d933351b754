package desired_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/fault"
)

// TestAWordThatSaysWhatCannotBeIsRefused although the hub signed it: a faulty hub is no better than a false one.
func TestAWordThatSaysWhatCannotBeIsRefused(t *testing.T) {
	a := newAuthority(t)
	say := func(change func(*desired.Message)) []byte {
		t.Helper()
		m := message()
		m.Commands = append([]desired.Command(nil), m.Commands...)
		change(&m)
		b, err := desired.Encode(m, a.SignDesired)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := say(func(*desired.Message) {})
	for name, x := range map[string]struct {
		payload []byte
		want    string
	}{
		"no version":              {say(func(m *desired.Message) { m.Version = 0 }), "version or hash is wrong"},
		"a version below none":    {say(func(m *desired.Message) { m.Version = -1 }), "version or hash is wrong"},
		"other settings":          {say(func(m *desired.Message) { m.Settings = "log_level = 'warn'\n" }), "version or hash is wrong"},
		"a second word behind it": {append(good[:len(good):len(good)], " {}"...), "cannot be read"},
		"another body beside it":  {append(good[:len(good)-1:len(good)-1], `,"body":"e30="}`...), "not signed"},
	} {
		if _, err := desired.Open(x.payload, a.PEM(), "hub-1", "pc-1"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: want %q, got %v", name, x.want, err)
		}
	}
	m := message()
	m.Commands = make([]desired.Command, desired.MaxCommands+1)
	if _, err := desired.Encode(m, a.SignDesired); !fault.Is(err, fault.Invalid) {
		t.Errorf("commands beyond the limit were said: %v", err)
	}
}

// TestALaterHubsWordIsTakenAsFarAsItIsKnown: a PC is updated after its hub, and until then it obeys what it knows.
func TestALaterHubsWordIsTakenAsFarAsItIsKnown(t *testing.T) {
	a := newAuthority(t)
	m := message()
	m.Settings = "log_level = 'warn'\n[tomorrow]\nx = 1\n[[source.hologram]]\nname = 'h'\n[[source.filedrop]]\nname = 'f'\ndir = '/f'\n"
	m.Hash = desired.HashOf(m.Settings)
	in := m.Commands[0].Expires
	m.Commands = append(m.Commands, desired.Command{ID: "UNKNOWN-KIND", Kind: "format-disk", Expires: in}, desired.Command{ID: "UNKNOWN-LEVEL", Kind: desired.LogLevel, Level: "trace", For: time.Hour, Expires: in},
		desired.Command{ID: "NO-LIMIT", Kind: desired.Restart}, desired.Command{ID: "short", Kind: desired.Restart, Expires: in}, desired.Command{ID: "RESTART-1", Kind: desired.Restart, Expires: in})
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	body = append([]byte(`{"tomorrow":{"a":[1,2]},`), body[1:]...)
	body = []byte(strings.Replace(string(body), `"release":{`, `"release":{"tomorrow":true,`, 1))
	body = []byte(strings.Replace(string(body), `"commands":[{`, `"commands":[{"tomorrow":"x",`, 1))
	sig, err := a.SignDesired(body)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := json.Marshal(struct {
		desired.Sealed
		Another string `json:"another_signature"`
	}{desired.Sealed{Body: body, Signature: sig}, "x"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := desired.Open(sealed, a.PEM(), "hub-1", "pc-1")
	if err != nil || got.Settings != m.Settings || *got.Release != *m.Release {
		t.Fatalf("got %+v %v", got, err)
	}
	var can []string
	for _, c := range got.Commands {
		if c.Check() == nil {
			can = append(can, c.ID)
		}
	}
	if len(got.Commands) != 5 || !slices.Equal(can, []string{"ABCDEFGH", "RESTART-1"}) {
		t.Errorf("of %+v it carries out %v", got.Commands, can)
	}
	s, notes, err := desired.ParseKnown(got.Settings)
	if err != nil || s.Level != "warn" || s.Sources["filedrop"]["f"]["dir"] != "/f" || len(s.Sources) != 1 {
		t.Errorf("got %+v %v", s, err)
	}
	if all := strings.Join(notes, "; "); len(notes) != 2 || !strings.Contains(all, "source.hologram: this version does not know it") || !strings.Contains(all, "tomorrow: this version") {
		t.Errorf("notes %q", notes)
	}
	if _, err := desired.Parse(got.Settings); !fault.Is(err, fault.Invalid) {
		t.Errorf("a hub says what it does not know: %v", err)
	}
	if _, _, err := desired.ParseKnown("[[source.filedrop]]\nname = 'f'\ndir = '/f'\nreads = 'backwards'\n"); !fault.Is(err, fault.Invalid) {
		t.Errorf("half of a source's settings are taken: %v", err)
	}
	m.Commands = nil
	for i := range desired.MaxCommands + 5 {
		m.Commands = append(m.Commands, desired.Command{ID: fmt.Sprintf("COMMAND-%02d", i), Kind: desired.Doctor, Expires: in})
	}
	if body, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if sig, err = a.SignDesired(body); err != nil {
		t.Fatal(err)
	}
	if sealed, err = json.Marshal(desired.Sealed{Body: body, Signature: sig}); err != nil {
		t.Fatal(err)
	}
	if got, err = desired.Open(sealed, a.PEM(), "hub-1", "pc-1"); err != nil || len(got.Commands) != desired.MaxCommands || got.Commands[0].ID != "COMMAND-00" {
		t.Errorf("got %d commands, %v", len(got.Commands), err)
	}
}

// TestARefusalSaysWhy: whoever sets it sees which word of it is wrong.
func TestARefusalSaysWhy(t *testing.T) {
	for want, text := range map[string]string{
		"hub: the hub does not set this":            "[hub]\nurl = 'mqtt://elsewhere'\n",
		"device: the hub does not set this":         "device = 'pc-2'\n",
		"data_dir: the hub does not set this":       "data_dir = '/tmp'\n",
		"no file with a secret is set from the hub": "[[source.portico]]\nname = 'a'\nkey_file = '/etc/shadow'\n",
		"or the hub does not set it":                "[[source.retail]]\ntenant = 'a'\nurl = 'https://elsewhere'\n",
		"is not a length of time":                   "[[source.filedrop]]\nname = 'a'\nsettle = 'soon'\n",
		"it needs a name":                           "[[source.filedrop]]\ndir = '/x'\n",
		"is there twice":                            "[[source.filedrop]]\nname = 'a'\n[[source.filedrop]]\nname = 'a'\n",
		"cannot name a profile":                     "[profiles]\n\"../x\" = ''\n",
		"is not debug, info, warn or error":         "log_level = 'loud'\n",
		"line 2":                                    "log_level = 'info'\nwhat\n",
	} {
		if _, err := desired.Parse(text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestTheWiderLayerIsLeftAsItWas: many PCs' words are laid over one text of the fleet.
func TestTheWiderLayerIsLeftAsItWas(t *testing.T) {
	wide, err := desired.Parse("[[source.filedrop]]\nname = 'a'\ndir = '/a'\npattern = '*.csv'\n")
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := desired.Parse("[[source.filedrop]]\nname = 'a'\ndir = '/c'\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := desired.Merge(wide, narrow); got.Sources["filedrop"]["a"]["dir"] != "/c" || got.Sources["filedrop"]["a"]["pattern"] != "*.csv" {
		t.Errorf("%+v", got)
	}
	if wide.Sources["filedrop"]["a"]["dir"] != "/a" {
		t.Error("the fleet's settings were changed by one PC's")
	}
}
