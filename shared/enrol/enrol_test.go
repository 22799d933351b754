package enrol

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
)

// TestATypingErrorIsFound before anything is sent: every single wrong sign, and nearly all of two that changed places.
func TestATypingErrorIsFound(t *testing.T) {
	swapped, missed := 0, 0
	for range 50 {
		c := NewCode()
		if got, err := ParseCode(string(c)); err != nil || got != c {
			t.Fatalf("%s: %v", string(c), err)
		}
		for i := range c {
			for _, r := range letters {
				if byte(r) == c[i] {
					continue
				}
				wrong := string(c[:i]) + string(r) + string(c[i+1:])
				if _, err := ParseCode(wrong); !fault.Is(err, fault.Invalid) {
					t.Fatalf("%s passes for %s", wrong, string(c))
				} else if strings.Contains(err.Error(), wrong[4:]) {
					t.Fatalf("the complaint tells what was typed: %v", err)
				}
			}
			if i > 0 && c[i] != c[i-1] {
				swapped++
				if _, err := ParseCode(string(c[:i-1]) + string(c[i]) + string(c[i-1]) + string(c[i+1:])); err == nil {
					missed++
				}
			}
		}
	}
	if missed*20 > swapped {
		t.Errorf("%d of %d swaps are not found", missed, swapped)
	}
}

// TestHowPeopleWriteACode in capitals or not, in groups, with the letters that look like digits.
func TestHowPeopleWriteACode(t *testing.T) {
	c := NewCode()
	for !strings.ContainsAny(string(c), "0") || !strings.ContainsAny(string(c), "1") {
		c = NewCode()
	}
	for _, s := range []string{c.ForPerson(), strings.ToLower(c.ForPerson()), " " + strings.ReplaceAll(c.ForPerson(), "-", " ") + "\r\n", strings.ReplaceAll(string(c), "0", "o"),
		strings.ReplaceAll(string(c), "1", "l"), strings.ReplaceAll(string(c), "1", "I"), strings.ReplaceAll(c.ForPerson(), "-", "–")} {
		if got, err := ParseCode(s); err != nil || got != c {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "AAAA", c.ForPerson() + "A", strings.Repeat("!", 16), strings.Repeat("Ü", 8)} {
		if _, err := ParseCode(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestNoTwoCodesAreAlike and no sign is rarer than the others.
func TestNoTwoCodesAreAlike(t *testing.T) {
	const n = 4000
	seen, count := map[Code]bool{}, map[byte]int{}
	for range n {
		c := NewCode()
		if seen[c] {
			t.Fatal("a code came twice")
		}
		seen[c] = true
		for i := range codeLength - 1 {
			count[c[i]]++
		}
	}
	for _, r := range letters {
		if got, want := count[byte(r)], n*(codeLength-1)/32; got < want*8/10 || got > want*12/10 {
			t.Errorf("%c came %d times, want about %d", r, got, want)
		}
	}
}

// TestAProofFitsOneSideOneConnectionAndOneText.
func TestAProofFitsOneSideOneConnectionAndOneText(t *testing.T) {
	key, other := []byte("key"), []byte("another")
	a := AgentProof(key, []byte("channel"), []byte("ask"))
	for name, b := range map[string][]byte{"the hub's": HubProof(key, []byte("channel"), []byte("ask")), "another code's": AgentProof(other, []byte("channel"), []byte("ask")),
		"another connection's": AgentProof(key, []byte("chapnel"), []byte("ask")), "another text's": AgentProof(key, []byte("channel"), []byte("ask2"))} {
		if bytes.Equal(a, b) {
			t.Errorf("%s proof is the same", name)
		}
	}
	if c := NewCode(); bytes.Equal(c.Key(), NewCode().Key()) || len(c.Key()) != keyBytes {
		t.Error("keys of codes")
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{"hub.example.com": "https://hub.example.com:8790", "hub.example.com:9": "https://hub.example.com:9", " https://10.0.0.1/ ": "https://10.0.0.1:8790",
		"https://[::1]:9": "https://[::1]:9", "http://hub.example.com": "", "mqtts://hub": "", "https://a:b@hub": "", "https://hub/path": "", "": "", "https://hub?x=1": ""} {
		u, err := HubURL(in)
		if (err == nil) != (want != "") || err == nil && u.String() != want {
			t.Errorf("%q: %v, %v; want %q", in, u, err, want)
		}
	}
	hub, err := HubURL("hub.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{"mqtts://:8883": "mqtts://hub.example.com:8883", "mqtts://b:1": "mqtts://b:1", "mqtt://b:1": "", "mqtts://b": "", "": ""} {
		got, err := Grant{Broker: in}.BrokerURL(hub)
		if (err == nil) != (want != "") || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add(NewCode().ForPerson())
	f.Add("o0-Il1")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := ParseCode(s); err == nil {
			if again, err := ParseCode(c.ForPerson()); err != nil || again != c || !ValidID(c.ID()) {
				t.Errorf("%q: %v", s, err)
			}
		}
	})
}
