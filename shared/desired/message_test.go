package desired

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// signer is an authority: its certificate, and what it signs.
func signer(t testing.TB) (pemText string, sign func([]byte) ([]byte, error)) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), func(body []byte) ([]byte, error) {
		d := Digest(body)
		return ecdsa.SignASN1(rand.Reader, key, d[:])
	}
}

var hub = envelope.HubID("hub-1")

func word() Message {
	s := "log_level = \"debug\"\n"
	return Message{Hub: hub, Device: "pc-1", Version: 7, Made: time.Unix(1_800_000_000, 0).UTC(), Settings: s, Hash: HashOf(s),
		Release:  &Release{Version: "1.5.0", Order: "a", From: 60, Until: 300},
		Commands: []Command{{ID: "cmd-0001", Kind: Doctor, Expires: time.Unix(1_800_003_600, 0).UTC()}}}
}

func TestAWordComesThroughAsItWasSaid(t *testing.T) {
	ca, sign := signer(t)
	sealed, err := Encode(word(), sign)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Open(sealed, ca, hub, "pc-1")
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(word())
	if err != nil || string(a) != string(b) {
		t.Errorf("got %s, %v", a, err)
	}
}

// Who owns the broker can say anything on the topic; a PC obeys its own hub alone.
func TestAForeignWordIsRefused(t *testing.T) {
	ca, sign := signer(t)
	_, other := signer(t)
	say := func(change func(*Message), by func([]byte) ([]byte, error)) []byte {
		m := word()
		change(&m)
		b, err := Encode(m, by)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := say(func(*Message) {}, sign)
	var s Sealed
	if err := json.Unmarshal(good, &s); err != nil {
		t.Fatal(err)
	}
	s.Body = []byte(strings.Replace(string(s.Body), "debug", "error", 1))
	changed, _ := json.Marshal(s)
	for want, b := range map[string][]byte{
		"not signed by this PC's hub":  say(func(*Message) {}, other),
		"another hub's":                say(func(m *Message) { m.Hub = "hub-2" }, sign),
		"another PC's":                 say(func(m *Message) { m.Device = "pc-2" }, sign),
		"version or hash is wrong":     say(func(m *Message) { m.Version = 0 }, sign),
		"its version or hash is wrong": say(func(m *Message) { m.Settings = "log_level = \"warn\"\n" }, sign),
		"cannot be read":               append(good[:len(good):len(good)], " {}"...),
		"is not signed by":             changed,
		"too large":                    make([]byte, MaxPayload+1),
		"no command":                   say(func(m *Message) { m.Commands[0].Kind = "format-disk" }, sign),
		"no time limit":                say(func(m *Message) { m.Commands[0].Expires = time.Time{} }, sign),
	} {
		if _, err := Open(b, ca, hub, "pc-1"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	// What the authority signs elsewhere, a certificate request say, is no word.
	if d := Digest([]byte("x")); d == [32]byte{} {
		t.Error("no digest")
	}
}

func TestTooMuchIsNotSaid(t *testing.T) {
	_, sign := signer(t)
	m := word()
	m.Settings = strings.Repeat("#", MaxSettings+1)
	if _, err := Encode(m, sign); !fault.Is(err, fault.Invalid) {
		t.Errorf("settings beyond the limit: %v", err)
	}
	m = word()
	m.Commands = make([]Command, MaxCommands+1)
	if _, err := Encode(m, sign); !fault.Is(err, fault.Invalid) {
		t.Errorf("commands beyond the limit: %v", err)
	}
}

func TestWhatTheHubMaySet(t *testing.T) {
	good := "log_level = \"debug\"\nwithout = [\"old\"]\n\n[[source.filedrop]]\nname = \"exports\"\ndir = \"C:\\\\exports\"\nsettle = \"15s\"\n"
	s, err := Parse(good)
	if err != nil || s.Level != "debug" || s.Sources["filedrop"]["exports"]["dir"] != `C:\exports` {
		t.Fatalf("%+v %v", s, err)
	}
	once, err := s.TOML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(once)
	if twice, _ := again.TOML(); err != nil || twice != once {
		t.Errorf("it is not the same text twice: %v\n%s\n%s", err, once, twice)
	}
	for want, text := range map[string]string{
		"hub: the hub does not set this":            "[hub]\nurl = \"mqtt://elsewhere\"\n",
		"device: the hub does not set this":         "device = \"pc-2\"\n",
		"data_dir: the hub does not set this":       "data_dir = \"/tmp\"\n",
		"no file with a secret is set from the hub": "[[source.portico]]\nname = \"a\"\nkey_file = \"/etc/shadow\"\n",
		"or the hub does not set it":                "[[source.retail]]\ntenant = \"a\"\nurl = \"https://elsewhere\"\n",
		"is not a length of time":                   "[[source.filedrop]]\nname = \"a\"\nsettle = \"soon\"\n",
		"it needs a name":                           "[[source.filedrop]]\ndir = \"/x\"\n",
		"is there twice":                            "[[source.filedrop]]\nname = \"a\"\n[[source.filedrop]]\nname = \"a\"\n",
		"cannot name a profile":                     "[profiles]\n\"../x\" = \"\"\n",
		"is not debug, info, warn or error":         "log_level = \"loud\"\n",
		"line 2":                                    "log_level = \"info\"\nwhat\n",
	} {
		if _, err := Parse(text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestNarrowerSettingsCountFirst(t *testing.T) {
	parse := func(s string) Settings {
		x, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	wide := parse("log_level = \"info\"\n[[source.filedrop]]\nname = \"a\"\ndir = \"/a\"\npattern = \"*.csv\"\n[[source.filedrop]]\nname = \"b\"\ndir = \"/b\"\n")
	got := Merge(wide, parse("without = [\"b\"]\n[[source.filedrop]]\nname = \"a\"\ndir = \"/c\"\n"))
	if f := got.Sources["filedrop"]; got.Level != "info" || len(f) != 1 || f["a"]["dir"] != "/c" || f["a"]["pattern"] != "*.csv" {
		t.Errorf("%+v", got)
	}
	if wide.Sources["filedrop"]["a"]["dir"] != "/a" {
		t.Error("the wider settings were changed")
	}
}

func FuzzOpen(f *testing.F) {
	ca, sign := signer(f)
	good, err := Encode(word(), sign)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"body":"e30=","signature":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Open(b, ca, hub, "pc-1")
		if err == nil && (m.Device != "pc-1" || m.Hub != hub || m.Version <= 0 || m.Hash != HashOf(m.Settings)) {
			t.Errorf("%+v was taken", m)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("log_level = \"debug\"\n[[source.filedrop]]\nname = \"a\"\ndir = \"/x\"\nhistory = true\n")
	f.Add("[profiles]\na = '''\nname = \"a\"\n'''\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		once, err := s.TOML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("its own text is refused: %v\n%s", err, once)
		}
		if twice, err := again.TOML(); err != nil || twice != once {
			t.Errorf("not the same text twice: %v\n%s\n%s", err, once, twice)
		}
	})
}
