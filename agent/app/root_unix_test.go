//go:build !windows

package app_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tillpost/tillpost/agent/app"
	"github.com/tillpost/tillpost/shared/enrol"
)

// TestWhatRootsCommandMakesIsTheServices: while the service stands still an administrator takes a file in, looks and proves; the service must be able to
// go on with all of it. A link that the service's account has put there gives it nothing of anybody else's.
func TestWhatRootsCommandMakesIsTheServices(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root's commands make files of another account: not run")
	}
	const service = 65534
	dir := t.TempDir()
	data, csv, settings, shadow := filepath.Join(dir, "data"), filepath.Join(dir, "old.csv"), filepath.Join(dir, "agent.toml"), filepath.Join(dir, "shadow")
	for path, text := range map[string]string{csv: "Invoice ID,Branch,Product line,Quantity,Tax 5%,Date,Time,Payment,cogs\n1,A,Food,1,0.10,1/5/2026,13:08,Cash,2.00\n",
		settings: "device='pc'\ndata_dir='" + data + "'\n[hub]\nurl='mqtt://127.0.0.1:1'\n", shadow: "root's"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"identity.lock", "log"} {
		if err := os.Symlink(shadow, filepath.Join(data, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(data, service, service); err != nil {
		t.Fatal(err)
	}
	owner := func(path string) uint32 {
		t.Helper()
		st, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return st.Sys().(*syscall.Stat_t).Uid
	}
	for _, args := range [][]string{{"import", csv, "--profile", "supermarket"}, {"status"}, {"buffer", "verify"}, {"enrol", "--hub", "127.0.0.1:1", "--code", enrol.NewCode().ForPerson()}} {
		var out bytes.Buffer
		app.Main(append(args, "--config", settings), &out, &out) // some fail: nobody is at the hub
		made := 0
		err := filepath.WalkDir(data, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && owner(path) != service {
				t.Errorf("after %v %s is root's", args, path)
			}
			made++
			return err
		})
		if err != nil || made < 5 {
			t.Errorf("after %v: %d files, %v\n%s", args, made, err, &out)
		}
		if owner(shadow) != 0 {
			t.Fatalf("after %v the service owns what its link leads to", args)
		}
	}
}
