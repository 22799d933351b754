package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A command that is called wrongly says what is wrong and how it is called; an empty list would look as if there were nothing.
func TestWrongWordsAreAnsweredAndNothingIsDone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.toml")
	if err := os.WriteFile(file, []byte("data_dir = '"+filepath.Join(filepath.Dir(file), "data")+"'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	call := func(args ...string) (int, string) {
		var out, words bytes.Buffer
		code := Main(append(args, "--config", file), &out, &words)
		return code, out.String() + words.String()
	}
	for what, want := range map[string]string{
		"days --from yesterday":              `a day is written like 2026-11-20; nothing was done`,
		"days --to 2026-13-01":               `a day is written like`,
		"days --state done":                  `a day is one of open, complete`,
		"days --location S-9":                `there is no location S-9`,
		"day S1 20.11.2026":                  `"20.11.2026" is no day: write it like 2026-11-20`,
		"day S1":                             `a store-day is a location and a date`,
		"case x":                             `it is: hub case ID show|retry|map`,
		"case x map 101405":                  `3 words were given; it is: hub case ID show`,
		"mapping set tender:cash":            `it is: hub mapping set`,
		"location add":                       `it is: hub location add CODE. Nothing was done; hub location add --help tells more`,
		"restore":                            `it is: hub restore FILE`,
		"check-config x":                     `it is: hub check-config`,
		"vouchers --from x":                  `a day is written like`,
		"case x retry --date 1":              `a day is written like`,
		"location set S-9 --posting-from 1x": `a day is written like`,
	} {
		if code, said := call(strings.Fields(what)...); code != 1 || !strings.Contains(said, want) {
			t.Errorf("hub %s ended with %d: %s", what, code, said)
		}
	}
	for _, what := range []string{"days --state verified --from 2026-11-20", "days --from=", "locations"} {
		if code, said := call(strings.Fields(what)...); code != 0 {
			t.Errorf("hub %s ended with %d: %s", what, code, said)
		}
	}
}

// A location that is confirmed keeps what is said of it when somebody adds it once more.
func TestALocationIsAddedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.toml")
	if err := os.WriteFile(file, []byte("data_dir = '"+filepath.Join(filepath.Dir(file), "data")+"'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said string
	for i, want := range []int{0, 1} {
		var out, words bytes.Buffer
		if code := Main([]string{"location", "add", "S1", "--zone", "UTC", "--name", []string{"First Street", ""}[i], "--config", file}, &out, &words); code != want {
			t.Fatalf("%d: %s%s", code, out.String(), words.String())
		}
		said = words.String()
	}
	if !strings.Contains(said, "hub location set S1") || !strings.Contains(said, "Nothing was changed") {
		t.Errorf("it says %s", said)
	}
}
