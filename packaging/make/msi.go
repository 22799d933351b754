package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Types of custom actions: a program of the installed files (18), deferred (1024), as the system (2048), its words kept out of the log (8192),
// and, for what must not hold an uninstall up, without regard to its exit code (64).
const (
	actionSettle = 18 + 1024 + 2048 + 8192
	actionGone   = 18 + 1024 + 2048 + 64
)

// sqlOfMSI adds what wixl has no words for. The service is stopped by the installer, not by a ServiceControl row: that would fail where no
// service is yet. The old version goes before the new one comes (RemoveExistingProducts right after InstallInitialize), and its own uninstall
// action is left out then: UPGRADINGPRODUCTCODE is set.
var sqlOfMSI = []string{
	"UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'",
	"DELETE FROM `Upgrade` WHERE `ActionProperty` = 'WIX_UPGRADE_DETECTED'", // it comes again below
	"INSERT INTO `Property` (`Property`, `Value`) VALUES ('MsiHiddenProperties', 'CODE')",
	fmt.Sprintf("INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Settle', %d, 'installer.exe', '--settle --hub \"[HUB]\" --code \"[CODE]\" --location \"[LOCATION]\" --proxy \"[PROXY]\"')", actionSettle),
	fmt.Sprintf("INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Halt', %d, 'agent.exe', 'service stop')", actionGone),
	fmt.Sprintf("INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Gone', %d, 'installer.exe', 'uninstall --accept')", actionGone),
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Settle', 'NOT REMOVE=\"ALL\" AND (ACCEPT=\"1\" OR HUB=\"\")', 5990)",
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Halt', 'REMOVE=\"ALL\" AND UPGRADINGPRODUCTCODE', 1901)",
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Gone', 'REMOVE=\"ALL\" AND NOT UPGRADINGPRODUCTCODE', 1902)",
	// HUB and CODE without ACCEPT=1 are a mistake in somebody's script: said before anything is done.
	"INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Unaccepted', 19, '', 'HUB is given and ACCEPT=1 is not: add ACCEPT=1 to accept the licence (Apache-2.0).')",
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Unaccepted', 'NOT REMOVE=\"ALL\" AND HUB AND NOT ACCEPT=\"1\"', 1001)",
	// So is one of the two alone: the program would lie there unknown to head office, and the script would report success.
	"INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Halved', 19, '', 'HUB and CODE belong together, and one of them is missing: nothing was installed. Give both, or none to lay the program down alone.')",
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Halved', 'NOT Installed AND NOT WIX_UPGRADE_DETECTED AND ((HUB AND NOT CODE) OR (CODE AND NOT HUB))', 1002)",
}

func (r *release) msi(ctx context.Context, t target, dir string) error {
	for _, tool := range []string{"wixl", "msibuild", "msiinfo"} {
		if _, err := exec.LookPath(tool); err != nil {
			r.skip("MSI", tool+" is not installed (apt-get install wixl msitools)")
			return nil
		}
	}
	packed := filepath.Join(dir, "packaged")
	if err := os.WriteFile(packed, []byte("msi\n"), 0o644); err != nil {
		return err
	}
	if err := r.dated(packed); err != nil {
		return err
	}
	out := filepath.Join(r.out, fmt.Sprintf("tillpost-agent-%s-windows-amd64.msi", r.version))
	vars := map[string]string{"ProductCode": guid("product " + r.version), "PackageCode": guid(fmt.Sprint("package ", r.version, r.epoch.Unix())), "Version": number(r.version), "Shown": r.version}
	if err := copyFile("packaging/msi/agent.wxs", filepath.Join(dir, "agent.wxs"), 0o644); err != nil { // wixl finds files beside it alone
		return err
	}
	args := []string{"-a", "x64", "-o", out}
	for name, value := range vars {
		args = append(args, "-D", name+"="+value)
	}
	if err := r.do(ctx, nil, "wixl", append(args, filepath.Join(dir, "agent.wxs"))...); err != nil {
		return err
	}
	if err := r.do(ctx, nil, "msibuild", append(append(append([]string{out, "-q"}, secured(ctx, out)...), sqlOfMSI...), upgrade(r.version))...); err != nil {
		return err
	}
	if err := r.fixed(ctx, out, vars["PackageCode"]); err != nil {
		return err
	}
	return r.authenticode(ctx, t, out)
}

// fixed gives the MSI's summary our id and the release's time: wixl makes an id by chance and takes the clock's time. Both stand in the file
// with a fixed length.
func (r *release) fixed(ctx context.Context, msi, id string) error {
	said, err := exec.CommandContext(ctx, "msiinfo", "suminfo", msi).Output()
	if err != nil {
		return err
	}
	have := revision.FindSubmatch(said)
	body, err := os.ReadFile(msi)
	if err != nil || have == nil || bytes.Count(body, have[1]) != 1 {
		return fmt.Errorf("the MSI's own id is not found once in it: %s %w", said, err)
	}
	at := bytes.Index(body, have[1])
	copy(body[at:], "{"+id+"}")
	const fileTime, unixEpoch = "\x40\x00\x00\x00", 116444736000000000 // VT_FILETIME; 100 ns since 1601
	n := 0
	for i := max(0, at-4096); i < min(len(body)-12, at+4096); i++ {
		if string(body[i:i+4]) != fileTime {
			continue
		}
		when := time.Unix(0, int64(binary.LittleEndian.Uint64(body[i+4:])-unixEpoch)*100)
		if d := time.Since(when).Abs(); d < 24*time.Hour {
			binary.LittleEndian.PutUint64(body[i+4:], uint64(r.epoch.UnixNano()/100)+unixEpoch)
			n++
		}
	}
	if n != 2 {
		return fmt.Errorf("%d times stand in the MSI's summary instead of 2", n)
	}
	return os.WriteFile(msi, body, 0o644)
}

var revision = regexp.MustCompile(`Revision number \(UUID\): (\{[0-9A-F-]{36}\})`)

// upgrade is the row by which Windows finds what is replaced: also the same number, as a release candidate and its release have one.
func upgrade(version string) string {
	return "INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMax`, `Attributes`, `ActionProperty`) VALUES ('{9E2C9B0A-5D0B-4C5E-8A0B-4F2B7C1D6E31}', '" + number(version) + "', 513, 'WIX_UPGRADE_DETECTED')"
}

// secured lets the properties through to the part of the installation that runs as the system, beside those that wixl has named.
func secured(ctx context.Context, msi string) []string {
	const ours = "HUB;CODE;LOCATION;PROXY;ACCEPT"
	b, err := exec.CommandContext(ctx, "msiinfo", "export", msi, "Property").Output()
	if err == nil {
		for line := range strings.Lines(string(b)) {
			if have, ok := strings.CutPrefix(strings.TrimSpace(line), "SecureCustomProperties\t"); ok {
				return []string{"UPDATE `Property` SET `Value` = '" + have + ";" + ours + "' WHERE `Property` = 'SecureCustomProperties'"}
			}
		}
	}
	return []string{"INSERT INTO `Property` (`Property`, `Value`) VALUES ('SecureCustomProperties', '" + ours + "')"}
}
