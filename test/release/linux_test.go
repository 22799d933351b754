//go:build linux

package release_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestTheDeb(t *testing.T) {
	tool(t, "dpkg-deb", "dpkg")
	for _, arch := range []string{runtime.GOARCH, "arm64"} {
		t.Run(arch, func(t *testing.T) {
			deb := file(t, fmt.Sprintf("tillpost-agent-%s-linux-%s.deb", version, arch))
			has(t, "the control file", said(t, "dpkg-deb", "-f", deb), "Package: tillpost-agent", "Version: 1.2.3", "Architecture: "+arch, "Maintainer: Tillpost")
			list := said(t, "dpkg-deb", "-c", deb)
			has(t, "the list", list, "./opt/tillpost/agent", "./opt/tillpost/installer", "./opt/tillpost/packaged", "./usr/bin/tillpost-agent -> /opt/tillpost/agent", "./usr/bin/tillpost-installer -> /opt/tillpost/installer")
			times := map[string]bool{}
			for line := range strings.Lines(list) {
				f := strings.Fields(line)
				if len(f) < 6 || f[1] != "root/root" && f[1] != "0/0" || strings.Contains(f[0][1:], "s") || f[0][0] == '-' && f[0][8] == 'w' {
					t.Errorf("owner or mode: %s", line)
				}
				if times[f[3]+f[4]] = true; len(times) > 1 {
					t.Errorf("another time than the release's: %s", line)
				}
			}
			dir := t.TempDir()
			said(t, "dpkg-deb", "-e", deb, dir)
			for _, script := range []string{"postinst", "prerm", "postrm"} {
				said(t, "sh", "-n", filepath.Join(dir, script))
			}
			hub := file(t, fmt.Sprintf("tillpost-hub-%s-linux-%s.deb", version, arch))
			dir = t.TempDir()
			said(t, "dpkg-deb", "-e", hub, dir)
			if b, err := os.ReadFile(filepath.Join(dir, "conffiles")); err != nil || strings.TrimSpace(string(b)) != "/etc/tillpost/hub.toml" {
				t.Errorf("settings that an upgrade must keep: %q %v", b, err)
			}
		})
	}
}

func TestTheRPM(t *testing.T) {
	tool(t, "rpm", "rpm")
	rpm := file(t, fmt.Sprintf("tillpost-agent-%s-linux-%s.rpm", version, runtime.GOARCH))
	has(t, "the header", said(t, "rpm", "-qp", "--qf", "%{NAME} %{VERSION} %{ARCH} %{LICENSE} %{BUILDHOST}", rpm), "tillpost-agent 1.2.3", "Apache-2.0", " tillpost")
	has(t, "the list", said(t, "rpm", "-qpl", rpm), "/opt/tillpost/agent", "/opt/tillpost/installer", "/usr/bin/tillpost-installer")
	has(t, "the scripts", said(t, "rpm", "-qp", "--scripts", rpm), "/opt/tillpost/installer --settle", "service uninstall")
	hub := file(t, fmt.Sprintf("tillpost-hub-%s-linux-%s.rpm", version, runtime.GOARCH))
	has(t, "the hub's settings", said(t, "rpm", "-qpc", hub), "/etc/tillpost/hub.toml")
}
