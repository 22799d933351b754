package desired_test

import (
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
		"no version":               {say(func(m *desired.Message) { m.Version = 0 }), "version or hash is wrong"},
		"a version below none":     {say(func(m *desired.Message) { m.Version = -1 }), "version or hash is wrong"},
		"other settings":           {say(func(m *desired.Message) { m.Settings = "log_level = 'warn'\n" }), "version or hash is wrong"},
		"a command of no kind":     {say(func(m *desired.Message) { m.Commands[0].Kind = "format-disk" }), "no command"},
		"a command without an end": {say(func(m *desired.Message) { m.Commands[0].Expires = time.Time{} }), "no time limit"},
		"a second word behind it":  {append(good[:len(good):len(good)], " {}"...), "cannot be read"},
		"a word beside it":         {append([]byte(`{"also":1,`), good[1:]...), "cannot be read"},
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
