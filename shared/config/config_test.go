package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
)

type sample struct {
	Name string          `toml:"name"`
	Wait config.Duration `toml:"wait"`
	Sub  struct {
		Port int `toml:"port"`
	} `toml:"sub"`
}

func TestDecodeTellsEveryUnknownKey(t *testing.T) {
	var v sample
	var f config.Faults
	config.Decode([]byte("nmae = 'x'\nwait = '3s'\n[sub]\nprot = 3\n"), &v, &f)
	err := f.Err("agent.toml")
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v, want code invalid", err)
	}
	for _, want := range []string{"line 1", "nmae", "line 4", "sub.prot"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %q", want, err)
		}
	}
}

func TestDurationReadsAndPrints(t *testing.T) {
	var v sample
	var f config.Faults
	config.Decode([]byte("wait = '1h30m'"), &v, &f)
	if len(f) > 0 || time.Duration(v.Wait) != 90*time.Minute {
		t.Fatalf("got %v %v", time.Duration(v.Wait), f)
	}
	out, err := config.Print(v)
	if err != nil || !strings.Contains(string(out), "1h30m0s") {
		t.Fatalf("got %s %v", out, err)
	}
	config.Decode([]byte("wait = '-3s'"), &v, &f)
	if len(f) != 1 {
		t.Fatalf("a negative wait passed: %v", f)
	}
}

func TestSecretIsTheFirstLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p")
	if err := os.WriteFile(file, []byte(" s3cret \r\nnote\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := config.Secret(file); err != nil || got != "s3cret" {
		t.Fatalf("got %q %v", got, err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Secret(file); !fault.Is(err, fault.Invalid) {
		t.Fatalf("an empty secret gave %v", err)
	}
}
