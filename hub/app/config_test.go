package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/app"
)

func TestTheSampleIsGood(t *testing.T) {
	if _, err := app.LoadConfig("../../configs/hub.toml"); err != nil {
		t.Error(err)
	}
}

func TestEveryFaultIsToldAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.toml")
	text := "data_dir = 'here'\nlog_lvl = 'x'\n[web]\nlisten = '0.0.0.0:80'\n[broker]\nlisten = '0.0.0.0:1883'\nopen = true\n[odoo]\nurl = 'https://x'\ntransport = 'soap'\nkey_expires = 'soon'\n[posting]\nsuspense_cap = 'much'\nticket_gaps = 'maybe'\n[[location]]\ncode = 'A'\nzone = 'Mars/Base'\ncutoff = '4'\ncurrency = 'x'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := app.LoadConfig(file)
	if err == nil {
		t.Fatal("the file passed")
	}
	for _, want := range []string{"data_dir", "log_lvl", "web.listen", "broker.listen", "broker.open", "odoo.database", "odoo.key_file", "odoo.transport", "odoo.key_expires", "suspense_cap", "ticket_gaps", "Mars/Base", "cutoff", "currency"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not told in:\n%v", want, err)
		}
	}
}
