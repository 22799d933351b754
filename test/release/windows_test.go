//go:build linux

package release_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	msiEnd = "-windows-amd64.msi"
	exeEnd = "tillpost-installer-" + version + "-windows-amd64.exe"
)

// TestTheMSI reads the MSI's tables. UpgradeCode is written here a second time on purpose: one that changes is a second program on every PC.
func TestTheMSI(t *testing.T) {
	tool(t, "msiinfo", "msitools")
	msi := file(t, msiEnd)
	table := func(name string) string { return strings.ReplaceAll(said(t, "msiinfo", "export", msi, name), "\r", "") }
	props := table("Property")
	has(t, "Property", props, "UpgradeCode\t{9E2C9B0A-5D0B-4C5E-8A0B-4F2B7C1D6E31}", "ProductVersion\t1.2.3", "ProductName\tTillpost agent", "Manufacturer\tTillpost", "ALLUSERS\t1", "MsiHiddenProperties\tCODE")
	secure := regexp.MustCompile(`(?m)^SecureCustomProperties\t(.*)$`).FindStringSubmatch(props)
	for _, p := range []string{"HUB", "CODE", "LOCATION", "PROXY", "ACCEPT"} {
		if secure == nil || !strings.Contains(";"+secure[1]+";", ";"+p+";") {
			t.Errorf("%s does not reach the part that runs as the system: %v", p, secure)
		}
	}
	has(t, "File", table("File"), "agent.exe", "installer.exe", "packaged", "THIRD-PARTY.txt")
	actions := table("CustomAction")
	has(t, "CustomAction", actions, "Settle\t11282\tinstaller.exe\t--settle --hub \"[HUB]\" --code \"[CODE]\" --location \"[LOCATION]\" --proxy \"[PROXY]\"", "Gone\t3154\tinstaller.exe\tuninstall --accept", "Halt\t3154\tagent.exe\tservice stop", "Unaccepted\t19\t", "Halved\t19\t")
	at := sequence(t, table("InstallExecuteSequence"))
	for _, c := range [][2]string{{"InstallFiles", "Settle"}, {"Settle", "InstallFinalize"}, {"InstallInitialize", "RemoveExistingProducts"}, {"InstallInitialize", "Halt"}, {"Halt", "Gone"}, {"Gone", "RemoveFiles"}, {"FindRelatedProducts", "InstallInitialize"}, {"Unaccepted", "InstallInitialize"}, {"Halved", "InstallInitialize"}} {
		if at[c[0]] == 0 || at[c[1]] == 0 || at[c[0]] >= at[c[1]] {
			t.Errorf("%s (%d) does not come before %s (%d)", c[0], at[c[0]], c[1], at[c[1]])
		}
	}
	has(t, "Upgrade", table("Upgrade"), "{9E2C9B0A-5D0B-4C5E-8A0B-4F2B7C1D6E31}", "1.2.3")
	has(t, "the summary", said(t, "msiinfo", "suminfo", msi), "x64;1033", "Tillpost")
}

func sequence(t *testing.T, table string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for line := range strings.Lines(table) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if n := len(f); n >= 2 {
			v := 0
			for _, c := range f[n-1] {
				if c < '0' || c > '9' {
					v = 0
					break
				}
				v = v*10 + int(c-'0')
			}
			out[f[0]] = v
		}
	}
	return out
}

// TestWindowsKnowsWhoMadeIt verifies Authenticode, and that a changed byte is noticed.
func TestWindowsKnowsWhoMadeIt(t *testing.T) {
	tool(t, "osslsigncode", "osslsigncode")
	k, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	said(t, "unzip", "-q", file(t, "tillpost-"+version+"-windows-amd64.zip"), "-d", dir)
	for _, f := range []string{file(t, exeEnd), file(t, msiEnd), filepath.Join(dir, "tillpost-"+version+"-windows-amd64", "agent.exe"), filepath.Join(dir, "tillpost-"+version+"-windows-amd64", "hub.exe")} {
		has(t, filepath.Base(f), said(t, "osslsigncode", "verify", "-CAfile", k.cert, "-in", f), "Succeeded")
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		body[len(body)/2] ^= 1
		bad := filepath.Join(dir, "changed"+filepath.Ext(f))
		if err := os.WriteFile(bad, body, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("osslsigncode", "verify", "-CAfile", k.cert, "-in", bad).CombinedOutput(); err == nil {
			t.Errorf("%s: a changed byte passes\n%s", filepath.Base(f), out)
		}
	}
}
