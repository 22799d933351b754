package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	"INSERT INTO `Property` (`Property`, `Value`) VALUES ('MsiHiddenProperties', 'CODE')",
	fmt.Sprintf("INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Settle', %d, 'installer.exe', '--settle --hub \"[HUB]\" --code \"[CODE]\" --location \"[LOCATION]\"')", actionSettle),
	fmt.Sprintf("INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Halt', %d, 'agent.exe', 'service stop')", actionGone),
	fmt.Sprintf("INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Gone', %d, 'installer.exe', 'uninstall --accept')", actionGone),
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Settle', 'NOT REMOVE=\"ALL\" AND (ACCEPT=\"1\" OR HUB=\"\")', 5990)",
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Halt', 'REMOVE=\"ALL\" AND UPGRADINGPRODUCTCODE', 1901)",
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Gone', 'REMOVE=\"ALL\" AND NOT UPGRADINGPRODUCTCODE', 1902)",
	// HUB and CODE without ACCEPT=1 are a mistake in somebody's script: said before anything is done.
	"INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Unaccepted', 19, '', 'HUB is given and ACCEPT=1 is not: add ACCEPT=1 to accept the licence (Apache-2.0).')",
	"INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('Unaccepted', 'NOT REMOVE=\"ALL\" AND HUB AND NOT ACCEPT=\"1\"', 1001)",
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
	vars := map[string]string{"ProductCode": guid("product " + r.version), "PackageCode": guid(fmt.Sprint("package ", r.version, r.epoch.Unix())), "Version": number(r.version), "Shown": r.version, "Dir": dir}
	args := []string{"-a", "x64", "-o", out}
	for name, value := range vars {
		args = append(args, "-D", name+"="+value)
	}
	if err := r.do(ctx, nil, "wixl", append(args, "packaging/msi/agent.wxs")...); err != nil {
		return err
	}
	if err := r.do(ctx, nil, "msibuild", append([]string{out}, queries(secured(ctx, out))...)...); err != nil {
		return err
	}
	return r.authenticode(ctx, t, out)
}

func queries(sql []string) (args []string) {
	for _, q := range append(sql, sqlOfMSI...) {
		args = append(args, "-q", q)
	}
	return args
}

// secured lets the properties through to the part of the installation that runs as the system, beside those that wixl has named.
func secured(ctx context.Context, msi string) []string {
	const ours = "HUB;CODE;LOCATION;ACCEPT"
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
