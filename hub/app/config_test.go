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

func TestSeveralDatabasesClaimNoLocationTwice(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(also string) error {
		file := filepath.Join(dir, "hub.toml")
		one := "url = 'https://books.example.com'\nuser = 'tillpost'\nkey_file = '" + filepath.ToSlash(key) + "'\n"
		text := "data_dir = '" + filepath.ToSlash(dir) + "'\n[odoo]\ndatabase = 'books'\n" + one + strings.ReplaceAll(also, "ONE", one)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := app.LoadConfig(file)
		return err
	}
	if err := load("[odoo.also.west]\ndatabase = 'west'\nONE\nlocations = ['S-9']\n[odoo.also.east]\ndatabase = 'east'\nONE\ncompanies = ['East LLC']\n"); err != nil {
		t.Error(err)
	}
	for also, want := range map[string]string{
		"[odoo.also.west]\ndatabase = 'west'\nONE":                         "neither locations nor companies",
		"[odoo.also.West]\ndatabase = 'west'\nONE\nlocations = ['S-9']":    "the name may have",
		"[odoo.also.west]\ndatabase = 'books'\nONE\nlocations = ['S-9']":   "the same database",
		"[odoo.also.west]\ndatabase = 'west'\nlocations = ['S-9']":         "odoo.also.west.url",
		"[odoo.also.west]\ndatabase = 'west'\nONE\nlocations = ['A', 'A']": `"A" goes to`,
		"[odoo.also.west]\ndatabase = 'west'\nONE\ncompanies = ['']":       "is empty",
		"locations = ['S-9']": "takes what no other claims",
		"[odoo.also.west]\ndatabase = 'w'\nONE\nmode='x'\nlocations = ['S-9']": "odoo.also.west.mode",
	} {
		if err := load(also); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v, want %q", also, err, want)
		}
	}
}
