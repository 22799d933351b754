//go:build linux

package update_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestUpdates: one launcher takes a version, another without being started anew, gives back one that ends at once, goes back by hand, and keeps
// every ticket.
func TestUpdates(t *testing.T) {
	p := newPC(t)
	p.start()
	launcher := p.cmd.Process.Pid
	p.sell("on-1.0")
	for _, v := range []string{"v1.1.0", "v1.2.0"} {
		p.publish(v, "")
		if o := p.update("--to", v); o.Result != "committed" || o.Version != v {
			t.Fatalf("%+v", o)
		}
		if st := p.status(); st.Version != v || st.Update.Installed != "v1.0.0" {
			t.Fatalf("it runs %+v", st)
		}
		p.sell("on-" + v)
	}
	p.publish("v1.3.0", "release_crash")
	if o := p.update("--to", "v1.3.0"); o.Result != "rolled_back" || o.Cause != "crash" || !strings.Contains(o.Detail, "planted") {
		t.Errorf("%+v", o)
	}
	p.sell("after-the-crash")
	if st := p.status(); st.Version != "v1.2.0" {
		t.Errorf("it runs %+v", st)
	}
	if err := p.cmd.Process.Signal(syscall.Signal(0)); err != nil || p.cmd.Process.Pid != launcher {
		t.Errorf("the launcher was started anew: %v", err)
	}
	p.holds("on-1.0", "on-v1.1.0", "on-v1.2.0", "after-the-crash")
	if out, _ := p.run("doctor"); !strings.Contains(out, "v1.3.0") {
		t.Errorf("the doctor does not tell it:\n%s", out)
	}
	if out, _ := p.run("status", "--lang", "es"); !strings.Contains(out, "La versión v1.3.0 no iba bien") {
		t.Errorf("the status does not tell it:\n%s", out)
	}
}

// TestBack goes back by hand to the version that ran before, and a second time is refused: nothing older lies there.
func TestBack(t *testing.T) {
	p := newPC(t)
	p.start()
	p.publish("v1.1.0", "")
	if o := p.update("--to", "v1.1.0"); o.Result != "committed" {
		t.Fatalf("%+v", o)
	}
	p.sell("new")
	if o := p.update("--back"); o.Result != "committed" || p.status().Version != "v1.0.0" {
		t.Errorf("%+v, it runs %+v", o, p.status())
	}
	p.holds("new")
}

// TestStoppedInProbation: a stop, a kill and a start in between are no fault of the new version.
func TestStoppedInProbation(t *testing.T) {
	p := newPC(t)
	p.start()
	p.publish("v1.1.0", "")
	if out, code := p.run("update", "--to", "v1.1.0"); code != 0 {
		t.Fatal(out)
	}
	p.until("probation", func() bool { st := p.status(); return st.Version == "v1.1.0" && st.Update.Phase == "probation" })
	p.sell("before")
	p.stop()
	p.start()
	p.until("probation again", func() bool { return p.status().Update.Phase == "probation" })
	p.kill()
	p.start()
	p.until("the final word", func() bool { return p.status().Update.Last != nil })
	if st := p.status(); st.Update.Last.Result != "committed" || st.Version != "v1.1.0" {
		t.Errorf("%+v %+v", st, st.Update.Last)
	}
	p.holds("before")
}

// TestAPackageComesMeanwhile: a newer package runs at its next start, an older one does not take a newer version away.
func TestAPackageComesMeanwhile(t *testing.T) {
	p := newPC(t)
	p.start()
	p.publish("v1.2.0", "")
	if o := p.update("--to", "v1.2.0"); o.Result != "committed" {
		t.Fatalf("%+v", o)
	}
	for _, c := range []struct{ installs, runs string }{{"v1.1.0", "v1.2.0"}, {"v1.3.0", "v1.3.0"}} {
		p.stop()
		p.install(build(t, c.installs, ""))
		p.start()
		if st := p.status(); st.Version != c.runs || st.Update.Installed != c.installs {
			t.Errorf("with %s installed it runs %+v", c.installs, st)
		}
	}
}

// TestBadReleases: every planted release ends with the old version running, by itself, and no ticket lost.
func TestBadReleases(t *testing.T) {
	all(t)
	causes := map[string][]string{
		"release_crash": {"rolled_back crash"}, "release_hang": {"rolled_back hang"}, "release_eats": {"rolled_back memory"},
		"release_schema": {"failed schema"}, "release_offline": {"rolled_back crash"}, "release_later": {"committed "}, "release_windows_only": {"committed "},
	}
	for _, bad := range planted {
		t.Run(bad, func(t *testing.T) {
			p := newPC(t)
			p.start()
			p.sell("before")
			p.publish("v1.1.0", bad)
			o := p.update("--to", "v1.1.0")
			if !slices.Contains(causes[bad], o.Result+" "+o.Cause) {
				t.Errorf("%+v", o)
			}
			if bad == "release_later" {
				p.until("it to be taken back after its hour", func() bool {
					st := p.status()
					return st.Version == "v1.0.0" && st.Update.Last != nil && st.Update.Last.Result == "rolled_back"
				})
			}
			if st := p.status(); bad != "release_windows_only" && st.Version != "v1.0.0" {
				t.Errorf("it runs %+v", st)
			}
			p.sell("after")
			p.holds("before", "after")
		})
	}
}

// TestFullDisk: an update finds no room, says so, and the store trades on.
func TestFullDisk(t *testing.T) {
	p := newPC(t)
	if out, err := exec.Command("unshare", "-Urm", "true").CombinedOutput(); err != nil {
		t.Skipf("no small disk can be made here without rights (unshare -Urm): %v %s", err, out)
	}
	real := p.exe
	p.exe = filepath.Join(p.dir, "boxed")
	script := "#!/bin/sh\nexec nsenter --preserve-credentials -U -m -t $(cat " + p.dir + "/ns) " + real + " \"$@\"\n"
	if err := os.WriteFile(p.exe, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	ns := exec.Command("unshare", "-Urm", "sh", "-c", "mount -t tmpfs -o size=120m tmpfs "+p.data+" && mkdir "+p.data+"/releases && echo $$ > "+p.dir+"/ns && exec sleep 600")
	if err := ns.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Process.Kill(); _ = ns.Wait() })
	p.until("the small disk", func() bool { _, err := os.Stat(filepath.Join(p.dir, "ns")); return err == nil })
	p.start()
	p.sell("before")
	file := build(t, "v1.1.0", "")
	if out, err := exec.Command("nsenter", "--preserve-credentials", "-U", "-m", "-t", read(t, p.dir+"/ns"), "cp", file, p.data+"/releases/v1.1.0").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if o := p.update("--to", "v1.1.0"); o.Result != "failed" || o.Cause != "no_room" {
		t.Errorf("%+v", o)
	}
	p.sell("after")
	if st := p.status(); st.Version != "v1.0.0" {
		t.Errorf("it runs %+v", st)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
