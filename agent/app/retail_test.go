package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/app"
)

func TestWhatIsWrongWithAnAccount(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	head := "device = 'pc'\ndata_dir = '" + dir + "'\n[hub]\nurl = 'mqtt://127.0.0.1:1'\n"
	account := func(text string) string { return "[[source.retail]]\ntoken_file = '" + token + "'\n" + text }
	for _, c := range []struct {
		name, text string
		says       []string // nothing = it is good
	}{
		{"a real one", account("tenant = 'acme'\nsince = '2026-12-01'\n"), nil},
		{"one of the vendor's token", account("tenant = 'acme'\nurl = 'oauth'\n"), nil},
		{"a simulator", account("tenant = 'acme'\nurl = 'http://127.0.0.1:9000/api'\n"), nil},
		{"everything", "[[source.retail]]\ntenant = 'acme.retail.heartland.us'\nurl = 'http://example.com'\ncurrency = 'x'\nzone = 'Mars'\nsince = 'soon'\nmode = 'loud'\n",
			[]string{"subdomain", "not of the form https", "token_file", "ISO code", "time zone", "not a date", "not test or production"}},
		{"real by its word, a trial by its name", account("tenant = 'acme-test'\nmode = 'production'\n"), []string{"the address says the other"}},
		{"a trial beside a real one", account("tenant = 'acme'\n") + account("tenant = 'acme-sandbox'\n"), []string{"retail/acme-sandbox is of a test system and retail/acme of a real one"}},
		{"twice the same", account("tenant = 'acme'\n") + account("tenant = 'acme'\n"), []string{"used twice"}},
	} {
		file := filepath.Join(dir, "agent.toml")
		if err := os.WriteFile(file, []byte(head+c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := app.LoadConfig(file)
		if len(c.says) == 0 && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, want := range c.says {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not told in %v", c.name, want, err)
			}
		}
	}
}
