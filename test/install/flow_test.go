//go:build unix

package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/profile"
)

var silent = []string{"--hub", "hub.example.com", "--code", "AAAA-BBBB-CCCC", "--location", "S-17", "--accept"}

// export puts a till's export where one lies.
func (b *box) export(name string) {
	p, _ := profile.Shipped("heartland-retail-sales-history")
	b.write(name, strings.Join(p.Columns(), ",")+"\n")
}

func says(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("it does not say %q:\n%s", w, out)
		}
	}
}

func TestAManagerInstallsItWithThreeAnswers(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.export("srv/till/sales/monday.csv")
	out, code := b.run(nil, "hub.example.com\nAAAA-BBBB-CCCC\n\n")
	if code != 0 || b.running() != "v1.0.0" {
		t.Fatalf("ended with %d, %q runs\n%s", code, b.running(), out)
	}
	says(t, out, "/srv/till/sales  (1 files", "head office knows this PC as store-17, for S-17", "Everything is fine.", "http://127.0.0.1:8751  in a browser on this PC")
	conf := b.read("etc/tillpost/agent.toml")
	says(t, conf, `data_dir = "`, "[[source.filedrop]]", `profile = "heartland-retail-sales-history"`, `location = "S-17"`)
	if st, err := os.Stat(b.path("var/lib/tillpost-agent")); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the data folder: %v %v", st.Mode(), err)
	}
	if _, err := os.Stat(b.path("opt/tillpost/installer")); err != nil {
		t.Error("the installer is not kept for an uninstall:", err)
	}
}

func TestAManagerGoesBackAndEnds(t *testing.T) {
	b := newBox(t, "v1.0.0")
	out, code := b.run(nil, "hub.exmple.com\nback\nhub.example.com\nno\nAAAA-BBBB-CCCC\nback\n\nquit\n")
	if code != 1 || b.running() != "" || b.exists("opt/tillpost/agent") || b.exists("etc/tillpost/agent.toml") {
		t.Fatalf("ended with %d\n%s", code, out)
	}
	says(t, out, "[hub.exmple.com]", "That is no code", "Code for this PC [AAAA-BBBB-CCCC]", "nothing was changed")
}

func TestNothingWasFoundAndNothingIsPretended(t *testing.T) {
	b := newBox(t, "v1.0.0")
	out, code := b.run(nil, "hub.example.com\nAAAA-BBBB-CCCC\n1\n\n")
	if code != 0 || b.running() != "v1.0.0" {
		t.Fatalf("ended with %d\n%s", code, out)
	}
	says(t, out, "No such folder was found", "How shall tickets come in [3]")
	if conf := b.read("etc/tillpost/agent.toml"); strings.Contains(conf, "filedrop") {
		t.Errorf("what is read:\n%s", conf)
	}
}

func TestSourcesAreChosenOneByOne(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.export("srv/till/sales/monday.csv")
	b.export("home/anna/Downloads/old.csv")
	out, code := b.run(nil, "hub.example.com\nAAAA-BBBB-CCCC\n2\ny\nn\nback\nn\n\nn\n")
	if code != 0 {
		t.Fatalf("ended with %d\n%s", code, out)
	}
	conf := b.read("etc/tillpost/agent.toml")
	if n := strings.Count(conf, "[[source.filedrop]]"); n != 1 {
		t.Errorf("%d folders are read\n%s\n%s", n, conf, out)
	}
}

func TestSilentlyAndAgain(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.export("srv/till/sales/monday.csv")
	b.export("home/anna/Downloads/old.csv")
	b.good(silent...)
	first := b.read("etc/tillpost/agent.toml")
	if strings.Contains(first, "Downloads") || !strings.Contains(first, "srv/till/sales") {
		t.Errorf("what is read unasked:\n%s", first)
	}
	for range 2 {
		says(t, b.good(silent...), "Everything is fine.")
	}
	if b.read("etc/tillpost/agent.toml") != first {
		t.Error("a second run changed the settings")
	}
	says(t, b.read("hub.json"), `"Times":1`)
	says(t, b.good("repair", "--accept"), "Stopping the service", "Everything is fine.")
}

func TestASilentRunThatCannotBeDoneSaysWhatToDo(t *testing.T) {
	b := newBox(t, "v1.0.0")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--accept"}, "--hub and --code"},
		{[]string{"--accept", "--hub", "hub.example.com"}, "--hub and --code"},
		{[]string{"--accept", "--hub", "away.example.com", "--code", "AAAA-BBBB-CCCC"}, "the code is still good"},
		{[]string{"--accept", "--hub", "hub.example.com", "--code", "NNNN-NNNN-NNNN"}, "does not know this code"},
		{[]string{"--accept", "--hub", "hub.example.com", "--code", "AAAA-BBBB-CCCC", "--folder", "/srv=nonsense"}, "these are shipped"},
		{[]string{"upgrade", "--accept"}, "--hub and --code"},
		{[]string{"dance"}, "no such action"},
		{[]string{"uninstall", "--accept", "--hubb"}, "unknown flag"},
	} {
		out, code := b.run(nil, "", c.args...)
		if code != 1 || !strings.Contains(out, c.says) || b.running() != "" {
			t.Errorf("%v: ended with %d\n%s", c.args, code, out)
		}
	}
	// None of them left anything that keeps a right one from working.
	b.good(silent...)
}

func TestTheWrongStoreIsRefusedAndTheRightOneGoesOn(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.export("srv/till/sales/monday.csv")
	out, code := b.run(nil, "", "--hub", "h", "--code", "AAAA-BBBB-CCCC", "--location", "S-99", "--accept")
	if code != 1 || b.running() != "" {
		t.Fatalf("ended with %d\n%s", code, out)
	}
	says(t, out, "the code was made for S-17", "booked for another store")
	if out, code := b.run(nil, "", "--location", "S-99", "--accept"); code != 1 || !strings.Contains(out, "the code was made for S-17") {
		t.Errorf("the wrong store once more: %d\n%s", code, out)
	}
	b.good("--location", "S-17", "--accept") // the code was redeemed: it is not asked for again
	says(t, b.read("etc/tillpost/agent.toml"), "[[source.filedrop]]", `location = "S-17"`)
}

// TestSettingsThatWereDeletedComeBack: who the PC is stands with its data, so neither a code nor the store's is asked for.
func TestSettingsThatWereDeletedComeBack(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.export("srv/till/sales/monday.csv")
	b.good(silent...)
	was := b.read("etc/tillpost/agent.toml")
	for _, args := range [][]string{{"--accept"}, {"repair", "--accept"}} {
		must(t, os.Remove(b.path("etc/tillpost/agent.toml")))
		says(t, b.good(args...), "Everything is fine.")
		if is := b.read("etc/tillpost/agent.toml"); !strings.Contains(is, was[strings.Index(was, "[[source"):]) || !strings.Contains(is, "data_dir = ") {
			t.Errorf("%v: the settings are\n%s\nwant\n%s", args, is, was)
		}
	}
	must(t, os.Remove(b.path("etc/tillpost/agent.toml")))
	out, code := b.run(nil, "1\n")
	if is := b.read("etc/tillpost/agent.toml"); code != 0 || !strings.Contains(is, was[strings.Index(was, "[[source"):]) || strings.Contains(out, "Code for this PC") {
		t.Errorf("a person: %d\n%s\n%s", code, out, is)
	}
	says(t, b.read("hub.json"), `"Times":1`)
}

func TestUpgradeKeepsEverythingAndComesBackWhenItFails(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.good(silent...)
	conf := b.read("etc/tillpost/agent.toml")
	b.download("v1.1.0")
	says(t, b.good("--accept"), "Everything is fine. Tillpost v1.1.0")
	if b.running() != "v1.1.0" || b.read("etc/tillpost/agent.toml") != conf {
		t.Fatalf("%q runs", b.running())
	}
	b.download("v1.0.0")
	if out, code := b.run(nil, "", "--accept"); code != 0 || b.running() != "v1.1.0" {
		t.Errorf("an older installer: %d, %s runs\n%s", code, b.running(), out)
	}
	if out, code := b.run(nil, "", "upgrade", "--accept"); code != 1 || !strings.Contains(out, "--downgrade") {
		t.Errorf("an older one by accident: %d\n%s", code, out)
	}
	b.good("upgrade", "--downgrade", "--accept")
	if b.running() != "v1.0.0" {
		t.Errorf("an older one on purpose: %s runs", b.running())
	}
}

func TestAnUpgradeThatDoesNotComeUpGoesBack(t *testing.T) {
	for _, version := range []string{"v9-mute", "broken-v2"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, "v1.0.0")
			b.good(silent...)
			b.write("var/lib/tillpost-agent/buffer.db", "t1\nt2\n")
			b.write("offline", "")
			b.download("v1.0.1") // whose agent is replaced by one that does not work
			must(t, os.Remove(filepath.Join(filepath.Dir(b.installer), "agent")))
			must(t, os.Link(build(t, "test/fake/agent", version, "failpoint"), filepath.Join(filepath.Dir(b.installer), "agent")))
			out, code := b.run(nil, "", "--accept", "--up-within", "3s")
			if code != 1 || b.running() != "v1.0.0" {
				t.Fatalf("ended with %d, %q runs\n%s", code, b.running(), out)
			}
			if version == "broken-v2" {
				says(t, out, "broken-v2 did not come up, so v1.0.0 runs again; nothing was lost")
			}
			if got := b.read("var/lib/tillpost-agent/buffer.db"); got != "t1\nt2\n" {
				t.Errorf("the buffer holds %q", got)
			}
		})
	}
}

func TestUninstallKeepsWhatWasNotSent(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.good(silent...)
	b.write("offline", "")
	b.write("var/lib/tillpost-agent/buffer.db", "t1\nt2\n")
	says(t, b.good("uninstall", "--accept"), "Tickets that head office has not got are kept in")
	if b.exists("opt/tillpost/agent") || b.read("system.json") != `{"Registered":false,"Running":""}` {
		t.Error("program or service is still there")
	}
	// The next installation needs no code, asks nothing and sends them.
	must(t, os.Remove(b.path("offline")))
	if out, code := b.run(nil, ""); code != 0 || strings.Contains(out, "What shall be done") {
		t.Fatalf("ended with %d\n%s", code, out)
	}
	says(t, b.read("hub.json"), `"taken":["t1","t2"]`, `"Times":1`)
	says(t, b.good("uninstall", "--accept"), "nothing of it is left")
	for _, name := range []string{"opt/tillpost", "etc/tillpost", "var/lib/tillpost-agent"} {
		if b.exists(name) {
			t.Errorf("%s is still there", name)
		}
	}
	// And from there a PC is as new.
	b.good("--hub", "h", "--code", "DDDD-EEEE-FFFF", "--accept")
}

func TestUninstallDeletesWhatWasNotSentWhenTold(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.good(silent...)
	b.write("offline", "")
	b.write("var/lib/tillpost-agent/buffer.db", "t1\n")
	b.good("uninstall", "--accept", "--delete-data")
	if b.exists("var/lib/tillpost-agent") || b.exists("etc/tillpost") {
		t.Error("data is still there")
	}
}

func TestADamagedBufferIsNeverTakenForEmpty(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.good(silent...)
	b.write("var/lib/tillpost-agent/buffer.db", "")
	b.write("var/lib/tillpost-agent/damaged-20261201T080000/buffer.db", "unreadable")
	says(t, b.good("uninstall", "--accept"), "are kept in")
	if !b.exists("var/lib/tillpost-agent/damaged-20261201T080000/buffer.db") {
		t.Error("it was deleted")
	}
}

func TestANewCode(t *testing.T) {
	b := newBox(t, "v1.0.0")
	b.good(silent...)
	b.good("re-enrol", "--hub", "h", "--code", "DDDD-EEEE-FFFF", "--accept")
	b.good("re-enrol", "--hub", "h", "--code", "DDDD-EEEE-FFFF", "--accept") // the same code again changes nothing
	if b.running() != "v1.0.0" || !strings.Contains(b.read("hub.json"), `"DDDD-EEEE-FFFF":{"Device":"store-17","Locations":"S-17","Key":"`) {
		t.Errorf("%q runs; hub: %s", b.running(), b.read("hub.json"))
	}
	out, code := b.run(nil, "2\nhub.example.com\nAAAA-BBBB-CCCC\n")
	if code != 1 || !strings.Contains(out, "used by another PC") {
		t.Errorf("a used code: %d\n%s", code, out)
	}
	b.boot()
	if b.running() != "v1.0.0" {
		t.Errorf("after a refused code and a restart %q runs", b.running())
	}
}

func TestANewPCTakesTheOldOnesPlace(t *testing.T) {
	old, fresh := newBox(t, "v1.0.0"), newBox(t, "v1.0.0")
	old.good(silent...)
	old.write("offline", "")
	old.write("var/lib/tillpost-agent/buffer.db", "t1\nt2\n")
	out := old.good("leave", "--accept", "--send-for", "1s")
	file := old.path("etc/tillpost/tickets-that-wait.ndjson")
	says(t, out, file, "--take-in")
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("the file: %v", err)
	}
	old.boot()
	if old.running() != "" {
		t.Error("the PC that was given up starts again")
	}
	if out, code := old.run(nil, "", "--accept"); code != 1 || !strings.Contains(out, "given up") {
		t.Errorf("repairing a PC that was given up: %d\n%s", code, out)
	}
	fresh.good("--hub", "h", "--code", "DDDD-EEEE-FFFF", "--accept", "--take-in", file)
	says(t, fresh.read("hub.json"), `"taken":["t1","t2"]`)
	old.good("re-enrol", "--hub", "h", "--code", "DDDD-EEEE-FFFF", "--accept")
	if old.running() == "" {
		t.Error("a new code does not bring the PC back")
	}
}

func TestAPackagesProgramIsNotTouched(t *testing.T) {
	b := newBox(t, "v1.1.0")
	must(t, os.MkdirAll(b.path("opt/tillpost"), 0o755))
	must(t, os.Link(build(t, "test/fake/agent", "v1.0.0", "failpoint"), b.path("opt/tillpost/agent")))
	b.write("opt/tillpost/packaged", "deb")
	says(t, b.good("--settle"), "The program is in place.")
	if b.running() != "" || b.exists("var/lib/tillpost-agent/identity.json") {
		t.Error("without a code something was begun")
	}
	b.good(silent...)
	if b.running() != "v1.0.0" {
		t.Errorf("%q runs", b.running())
	}
	must(t, os.Remove(b.path("opt/tillpost/agent")))
	must(t, os.Link(build(t, "test/fake/agent", "v1.2.0", "failpoint"), b.path("opt/tillpost/agent")))
	b.good("--settle")
	if b.running() != "v1.2.0" {
		t.Errorf("after the package's upgrade %q runs", b.running())
	}
	b.good("uninstall", "--accept")
	if !b.exists("opt/tillpost/agent") || b.exists("etc/tillpost/agent.toml") {
		t.Error("the package's program, or not our settings, went")
	}
}

func TestTwoInstallersDoNotMeet(t *testing.T) {
	b := newBox(t, "v1.0.0")
	lockHeld(t, b.path("etc/tillpost"), func() {
		if out, code := b.run(nil, "", silent...); code != 1 || !strings.Contains(out, "another installer is at work") {
			t.Errorf("ended with %d\n%s", code, out)
		}
	})
	b.good(silent...)
}
