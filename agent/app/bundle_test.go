package app_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/app"
)

// TestASupportBundleHoldsNoSecretAndNoCustomer plants them wherever they could come from, and looks for each in the whole file.
func TestASupportBundleHoldsNoSecretAndNoCustomer(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, text string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	drop := at("drop")
	put("drop/Wanda Winterbottom.csv", "No\nx\n")
	settings := put("agent.toml", fmt.Sprintf("device='pc'\ndata_dir=%q\n[hub]\nurl='mqtt://127.0.0.1:1'\npassword_file=%q\n[source.localapi]\nlisten='127.0.0.1:8750'\ntoken_file=%q\n[guard]\nkey_file=%q\n"+
		"[[source.filedrop]]\nname='drop'\ndir=%q\nprofile='supermarket'\n[[source.portico]]\nname='gw'\nkey_file=%q\nlocation='S-1'\n",
		at("data"), put("hub.password", "hub-s3cret-words\n"), put("till.token", "till-t0ken \"quoted\"\n"), put("guard.key", "guard-k3y\n"), drop, put("skapi", "skapi_prod_abcdefg\n")))
	line := func(kv ...string) string {
		m := map[string]string{"time": "2026-11-26T10:00:00Z", "level": "WARN", "msg": "cannot read"}
		for i := 0; i+1 < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(b) + "\n"
	}
	put("data/log/agent.log", line("err", `login with hub-s3cret-words refused`)+
		line("err", `till says till-t0ken "quoted"`)+
		line("err", "open "+drop+"/Wanda Winterbottom.csv: permission denied")+
		line("file", "/srv/Wanda.csv")+
		line("err", `row 3: value "Wanda Winterbottom" is no amount`)+
		line("err", "send to wanda@example.com or (555) 867-5309 failed")+
		line("err", "open /home/wandaw/x and C:\\Users\\wandaw\\y")+
		line("err", `cannot open C:\Users\Store Fitzgerald\Desktop\z: access denied`)+
		line("err", "amqp://user:pa55word@host/x")+
		line("err", "card 4111 1111 1111 1111")+
		line("ticket", "T-1 Wanda")+"Wanda shouts without JSON\n"+
		line("err", "the one that helps"))
	put("data/crash/crash-20261126T100000.txt", "v1 go1.26\npanic: runtime error: index out of range\n")
	csv := put("old.csv", "Invoice ID,Branch,Product line,Quantity,Tax 5%,Date,Time,Payment,cogs\n1,A,Wanda Winterbottom special,1,0.10,1/5/2026,13:08,Cash,2.00\n")
	var out, errs bytes.Buffer
	if code := app.Main([]string{"import", csv, "--profile", "supermarket", "--config", settings}, &out, &errs); code != 0 {
		t.Fatalf("import: %s%s", &out, &errs)
	}
	zipped := at("bundle.zip")
	if code := app.Main([]string{"support-bundle", zipped, "--config", settings}, &out, &errs); code != 0 {
		t.Fatalf("%s%s", &out, &errs)
	}
	files := unzip(t, zipped)
	for _, want := range []string{"about.txt", "settings.toml", "status.json", "doctor.json", "files.txt", "log/agent.log", "crash/crash-20261126T100000.txt"} {
		if files[want] == "" {
			t.Errorf("no %s in it", want)
		}
	}
	for name, body := range files {
		for _, planted := range []string{"hub-s3cret", "till-t0ken", "guard-k3y", "skapi_prod", "Wanda", "wanda", "Fitzgerald", "867-5309", "pa55word", "4111 1111 1111", "41111111"} {
			if strings.Contains(body, planted) {
				t.Errorf("%q is in %s:\n%s", planted, name, body)
			}
		}
	}
	if !strings.Contains(files["log/agent.log"], "the one that helps") || !strings.Contains(files["settings.toml"], "hub.password") {
		t.Errorf("what helps is not there:\n%s\n%s", files["log/agent.log"], files["settings.toml"])
	}
	if code := app.Main([]string{"support-bundle", zipped, "--config", settings}, &out, &errs); code != 1 {
		t.Error("it writes over a file")
	}
}

// A PC whose settings are broken is one that needs help.
func TestASupportBundleOfBrokenSettings(t *testing.T) {
	dir := t.TempDir()
	settings, zipped := filepath.Join(dir, "agent.toml"), filepath.Join(dir, "b.zip")
	if err := os.WriteFile(settings, fmt.Appendf(nil, "device='P C'\ndata_dir=%q\n", filepath.Join(dir, "data")), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := app.Main([]string{"support-bundle", zipped, "--config", settings}, &out, &out); code != 0 {
		t.Fatal(out.String())
	}
	if files := unzip(t, zipped); !strings.Contains(files["settings-faults.txt"], "cannot be a device's name") {
		t.Errorf("%v", files)
	}
}

func unzip(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		out[f.Name] = string(b)
	}
	return out
}
