package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/app"
)

func TestTheSampleLacksOnlyItsSecrets(t *testing.T) {
	_, err := app.LoadConfig("../../configs/agent.toml")
	if err == nil {
		return // a machine on which Tillpost is installed
	}
	for _, line := range strings.Split(err.Error(), "\n")[1:] {
		if !strings.Contains(line, "password_file") && !strings.Contains(line, "token_file") {
			t.Errorf("the sample: %s", line)
		}
	}
}

// What the sample shows as comments is as good as the rest of it.
func TestTheSamplesCommentsAreGoodSettings(t *testing.T) {
	b, err := os.ReadFile("../../configs/agent.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^# (\[|[a-z_]+ = )`).ReplaceAllString(string(b), "$1")
	file := filepath.Join(t.TempDir(), "agent.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := app.LoadConfig(file)
	if len(c.Source.Terminal) != 1 || len(c.Source.PosSQL) != 1 || c.Source.PosSQL[0].Address != `POS-SERVER\pcamerica` {
		t.Errorf("%+v", c.Source)
	}
	if err == nil {
		return // a machine on which Tillpost is installed
	}
	for _, line := range strings.Split(err.Error(), "\n")[1:] {
		if !strings.Contains(line, "password_file") && !strings.Contains(line, "token_file") && !strings.Contains(line, "ca_file") && !strings.Contains(line, "proxy_login_file") && !strings.Contains(line, "guard.key_file") && !strings.Contains(line, "recovery_key") {
			t.Errorf("the sample: %s", line)
		}
	}
}

func TestDevicesSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.toml")
	text := "device = 'pc'\n[hub]\nurl = 'mqtt://127.0.0.1:1'\n" +
		"[[source.terminal]]\nname = 'a'\nzone = 'Mars'\nwindows = ['noon']\nmode = 'maybe'\n[[source.terminal]]\nname = 'b'\naddress = '127.0.0.1'\nlocation = 'S'\ntill = 'P'\nzone = 'UTC'\n" +
		"[[source.possql]]\nname = 'x'\n[[source.possql]]\nname = 'y'\nprofile = 'pcamerica'\naddress = 'POS'\nuser = 'u'\nzone = 'Mars'\nmode = 'production'\n[[source.possql]]\nname = 'x'\nmode = 'real'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := app.LoadConfig(file)
	if err == nil {
		t.Fatal("the file passed")
	}
	for _, want := range []string{"terminal 1: it needs address", "terminal 1: it needs location", "zone Mars", "like 22:30-06:00, not noon", `terminal 1: mode "maybe"`, "possql 2: user u needs a password_file",
		`the time zone "Mars"`, "possql 3: it needs profile", `possql 3: mode "real"`, `the name "x" is used twice`, "terminal/b is of a test system and possql/y of a real one"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in:\n%v", want, err)
		}
	}
}

func TestEveryFaultIsToldAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.toml")
	text := "device = 'My PC'\ndata_dir = 'here'\nlog_level = 'loud'\ncolour = 'red'\n[hub]\nurl = 'mqtt://hub.example.com:1883'\n[source.localapi]\nlisten = '0.0.0.0:80'\n[[source.filedrop]]\ndir = 'x'\npattern = '['\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := app.LoadConfig(file)
	if err == nil {
		t.Fatal("the file passed")
	}
	for _, want := range []string{"device", "data_dir", "log_level", "colour", "unencrypted", "password_file", "source.localapi.listen", "token_file", "needs a name", "whole path", "profile", "pattern"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in:\n%v", want, err)
		}
	}
}

func TestCommandsWithoutAService(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	dir := t.TempDir()
	file := filepath.Join(dir, "agent.toml")
	if err := os.WriteFile(file, []byte("device = 'pc'\ndata_dir = '"+filepath.Join(dir, "data")+"'\n[hub]\nurl = 'mqtt://127.0.0.1:1'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	csv := filepath.Join(dir, "s.csv")
	if err := os.WriteFile(csv, []byte("Invoice ID,Branch,Product line,Quantity,Tax 5%,Date,Time,Payment,cogs\n1,A,Toys,1,0.10,1/5/2026,13:08,Cash,2.00\n2,A,Toys,1,x,1/5/2026,13:09,Cash,2.00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, 0, ""},
		{[]string{"check-config"}, 0, "are good"},
		{[]string{"config", "print"}, 0, "device = 'pc'"},
		{[]string{"status"}, 1, "is not running"},
		{[]string{"import", csv, "--profile", "supermarket"}, 0, "2 rows = 1 in 1 tickets + 1 that become cases"},
		{[]string{"import", file, "--profile", "supermarket"}, 1, "nothing of it could be read: it lacks the columns"},
		{[]string{"import", csv, "--profile", "nothing"}, 1, "no such profile"},
		{[]string{"buffer", "verify"}, 0, "4 records, every one whole"},
		{[]string{"status"}, 1, "Waiting to be sent             4, the oldest from"},
		{[]string{"status", "--lang", "es"}, 1, "Reinicie este equipo"},
		{[]string{"status"}, 1, "Restart this PC"},
		{[]string{"buffer", "export", filepath.Join(dir, "out.ndjson")}, 0, "Written to"},
		{[]string{"buffer", "export", filepath.Join(dir, "out.ndjson")}, 1, "exists"},
		{[]string{"buffer", "export", filepath.Join(dir, "dead.ndjson"), "--recover", csv}, 1, "belong together"},
		{[]string{"buffer", "export", filepath.Join(dir, "dead.ndjson"), "--recover", csv, "--disk", dir}, 1, "is not the recovery.key"},
		{[]string{"buffer", "replay", filepath.Join(dir, "out.ndjson")}, 0, "4 records were taken in"},
		{[]string{"buffer", "replay", csv}, 1, "line 1"},
		{[]string{"buffer", "replay"}, 0, "8 records go to head office again"},
	} {
		var out, errs bytes.Buffer
		if code := app.Main(append(c.args, "--config", file), &out, &errs); code != c.code || !strings.Contains(out.String()+errs.String(), c.says) {
			t.Errorf("%v: got %d\n%s%s", c.args, code, &out, &errs)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "out.ndjson"))
	if err != nil || bytes.Count(b, []byte("\n")) != 4 {
		t.Errorf("exported %d lines: %v", bytes.Count(b, []byte("\n")), err)
	}
	// A PC that was given up is not told to restart.
	if err := os.WriteFile(filepath.Join(dir, "left"), []byte("This PC was given up on 2026-12-01.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for lang, says := range map[string]string{"en": "installer re-enrol", "es": "se dio de baja"} {
		var out, errs bytes.Buffer
		if code := app.Main([]string{"status", "--lang", lang, "--config", file}, &out, &errs); code != 1 || !strings.Contains(out.String(), says) || strings.Contains(out.String(), "Restart this PC") {
			t.Errorf("given up: got %d\n%s%s", code, &out, &errs)
		}
	}
}
