//go:build !windows

package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/app"
)

// TestAFilesNameGivesTheScreenNoOrders: whoever may put a file into a watched folder chooses its name, and an administrator's doctor tells of it.
func TestAFilesNameGivesTheScreenNoOrders(t *testing.T) {
	dir := t.TempDir()
	settings := filepath.Join(dir, "agent.toml")
	text := "device='pc'\ndata_dir='" + dir + "/data'\n[hub]\nurl='mqtt://127.0.0.1:1'\n[[source.filedrop]]\nname='drop'\ndir='" + dir + "'\nprofile='supermarket'\npattern='*.csv'\n"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "x\x1b]0;owned\x07\x9b2J\rAll good.\ngood   hub: fine.csv")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	app.Main([]string{"doctor", "--config", settings}, &out, &out)
	said := out.String()
	if !strings.Contains(said, "owned") || strings.ContainsAny(said, "\x1b\x07\r") || strings.Contains(said, "\x9b") || strings.Contains(said, "\ngood   hub") {
		t.Errorf("it says\n%q", said)
	}
}
