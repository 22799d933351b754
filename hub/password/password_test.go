package password

import (
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	h := Hash("correct horse battery")
	if !strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("got %s, want the PHC form", h)
	}
	if h == Hash("correct horse battery") {
		t.Error("two hashes of one password are equal: the salt is not random")
	}
	f := func(hash, pw string, want bool) {
		t.Helper()
		if got := Matches(hash, pw); got != want {
			t.Errorf("Matches(%.30q, %.30q): got %v, want %v", hash, pw, got, want)
		}
	}
	f(h, "correct horse battery", true)
	f(h, "correct horse batterY", false)
	f(h, "", false)
	f("", "", false)
	f("", "anything", false)
	f(nobody, "", false)
	f("$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5", "x", false)
	f("$argon2id$v=19$m=19456,t=2,p=0$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5", "x", false)
	f("$2b$10$notargon", "x", false)
	f(h, strings.Repeat("x", MaxLength+1), false)
}

func TestCheck(t *testing.T) {
	f := func(name, pw string, good bool) {
		t.Helper()
		if err := Check(name, pw); (err == nil) != good {
			t.Errorf("Check(%q, %.20q): got %v", name, pw, err)
		}
	}
	f("ann", "short", false)
	f("ann", "elf gurke tor", true)
	f("ann", "éééééééééééé", true)
	f("administrator", "Administrator", false)
	f("ann", strings.Repeat("x", 257), false)
}
