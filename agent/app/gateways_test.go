package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/app"
)

func TestThePaymentSampleLacksOnlyItsSecrets(t *testing.T) {
	_, err := app.LoadConfig("../../configs/agent-payments.toml")
	if err == nil {
		return // a machine on which Tillpost is installed
	}
	for _, line := range strings.Split(err.Error(), "\n")[1:] {
		if !strings.Contains(line, "password_file") && !strings.Contains(line, "token_file") && !strings.Contains(line, "read secret") {
			t.Errorf("the sample: %s", line)
		}
	}
}

const gatewayHead = "device = 'pc'\ndata_dir = '/tmp/x'\n[hub]\nurl = 'mqtt://127.0.0.1:1'\n"

// config writes settings beside two keys, and runs a command on them.
func gateways(t *testing.T, text string, args ...string) (int, string) {
	t.Helper()
	dir := t.TempDir()
	for name, key := range map[string]string{"test": "skapi_cert_TOPSECRET", "real": "skapi_prod_TOPSECRET", "pass": "TOPSECRET"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "agent.toml")
	if err := os.WriteFile(file, []byte(gatewayHead+strings.ReplaceAll(text, "DIR", filepath.ToSlash(dir))), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := app.Main(append(args, "--config", file), &out, &errs)
	return code, out.String() + errs.String()
}

func TestGatewaySettings(t *testing.T) {
	const one = "[[source.portico]]\nname='a'\nlocation='S'\n"
	for name, c := range map[string]struct{ text, says string }{
		"good":                  {one + "key_file='DIR/test'", "are good"},
		"good, five":            {one + "url='https://cert.api2.heartlandportico.com'\nlicense_id='1'\nsite_id='2'\ndevice_id='3'\nuser_name='u'\npassword_file='DIR/pass'", "are good"},
		"good, settlement":      {"[[source.gpapi]]\nname='g'\napp_id='x'\naccount='s'\nkey_file='DIR/pass'", "are good"},
		"no key":                {one, "there are none"},
		"both kinds":            {one + "key_file='DIR/test'\nuser_name='u'", "two ways in"},
		"half of the five":      {one + "site_id='2'", "needed together"},
		"no such file":          {one + "key_file='DIR/none'", "read secret"},
		"a password as key":     {one + "key_file='DIR/pass'", "begins with skapi_"},
		"another host":          {one + "key_file='DIR/test'\nurl='https://example.com'", "sent nowhere else"},
		"key of the other one":  {one + "key_file='DIR/real'\nurl='https://cert.api2.heartlandportico.com'", "the key is of the production gateway"},
		"test beside real":      {one + "key_file='DIR/real'\n" + strings.Replace(one, "'a'", "'b'", 1) + "key_file='DIR/test'", "of a test system"},
		"payments and deposits": {one + "key_file='DIR/test'\n[[source.gpapi]]\nname='g'\napp_id='x'\naccount='s'\nkey_file='DIR/pass'", "of a test system"},
		"twice":                 {one + "key_file='DIR/test'\n" + one + "key_file='DIR/test'", "used twice"},
		"no place":              {"[[source.portico]]\nkey_file='DIR/test'\ncurrency='dollars'\ndeveloper_id='1'\nversion_nbr='1'", "version_nbr has four"},
		"settlement of nothing": {"[[source.gpapi]]\nurl='ftp://x'", "source.gpapi 1: it needs account"},
	} {
		code, out := gateways(t, c.text, "check-config")
		if (code == 0) != (c.says == "are good") || !strings.Contains(out, c.says) {
			t.Errorf("%s: got %d\n%s", name, code, out)
		}
		if strings.Contains(out, "TOPSECRET") {
			t.Errorf("%s: a key is printed:\n%s", name, out)
		}
	}
	if _, out := gateways(t, one+"key_file='DIR/test'", "config", "print"); strings.Contains(out, "TOPSECRET") || !strings.Contains(out, "key_file") {
		t.Errorf("config print: %s", out)
	}
}
