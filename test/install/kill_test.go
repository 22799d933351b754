//go:build unix

package install_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tillpost/tillpost/shared/lock"
)

func lockHeld(t *testing.T, dir string, do func()) {
	l, err := lock.Take(dir, "installer")
	must(t, err)
	do()
	must(t, l.Release())
}

// story is something that a PC goes through; the power is cut at each boundary of its last command.
type story struct {
	name   string
	before func(*box)
	args   []string
	again  []string // what is run after the power is back: what a person would, or IT's script
	typed  string
	well   func(*box) error
}

var stories = []story{
	{name: "install", args: silent, again: silent, before: func(b *box) { b.export("srv/till/sales/monday.csv") }, well: func(b *box) error {
		if b.running() != "v1.0.0" || strings.Count(b.read("etc/tillpost/agent.toml"), "[[source.filedrop]]") != 1 || !strings.Contains(b.read("hub.json"), `"Key":"`) {
			return fmt.Errorf("%q runs with\n%s\nhub %s", b.running(), b.read("etc/tillpost/agent.toml"), b.read("hub.json"))
		}
		return nil
	}},
	{name: "upgrade", args: []string{"--accept"}, again: []string{"--accept"}, before: func(b *box) {
		b.good(silent...)
		b.write("offline", "")
		b.write("var/lib/tillpost-agent/buffer.db", "t1\nt2\n")
		b.download("v1.1.0")
	}, well: func(b *box) error {
		if b.running() != "v1.1.0" || b.read("var/lib/tillpost-agent/buffer.db") != "t1\nt2\n" {
			return fmt.Errorf("%q runs, the buffer holds %q", b.running(), b.read("var/lib/tillpost-agent/buffer.db"))
		}
		return nil
	}},
	{name: "uninstall", args: []string{"uninstall", "--accept"}, again: []string{"uninstall", "--accept"}, before: func(b *box) {
		b.good(silent...)
		b.write("offline", "")
		b.write("var/lib/tillpost-agent/buffer.db", "t1\nt2\n")
	}, well: func(b *box) error {
		if b.running() != "" || b.exists("opt/tillpost/agent") || b.read("var/lib/tillpost-agent/buffer.db") != "t1\nt2\n" {
			return fmt.Errorf("%q runs, the buffer holds %q", b.running(), b.read("var/lib/tillpost-agent/buffer.db"))
		}
		return nil
	}},
	{name: "leave", args: []string{"leave", "--accept", "--send-for", "1s"}, again: []string{"leave", "--accept", "--send-for", "1s"}, before: func(b *box) {
		b.good(silent...)
		b.write("offline", "")
		b.write("var/lib/tillpost-agent/buffer.db", "t1\nt2\n")
	}, well: func(b *box) error {
		b.boot()
		if b.running() != "" || b.read("etc/tillpost/tickets-that-wait.ndjson") != "t1\nt2" {
			return fmt.Errorf("%q runs, the file holds %q", b.running(), b.read("etc/tillpost/tickets-that-wait.ndjson"))
		}
		return nil
	}},
	{name: "re-enrol", args: []string{"re-enrol", "--hub", "h", "--code", "DDDD-EEEE-FFFF", "--accept"}, again: []string{"re-enrol", "--hub", "h", "--code", "DDDD-EEEE-FFFF", "--accept"},
		before: func(b *box) { b.good(silent...) }, well: func(b *box) error {
			if b.running() != "v1.0.0" {
				return fmt.Errorf("%q runs", b.running())
			}
			return nil
		}},
}

// TestThePowerIsCutAtEveryStep kills the installer before and after each step and in the middle of each file that it replaces. The PC then
// starts: a store that was selling goes on selling, without the installer. And the installer, run again, ends where it would have.
func TestThePowerIsCutAtEveryStep(t *testing.T) {
	var kills atomic.Int64
	t.Cleanup(func() { t.Logf("killed %d times", kills.Load()) })
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			whole := newBox(t, "v1.0.0")
			s.before(whole)
			log := whole.path("hits")
			if out, code := whole.run([]string{"TILLPOST_FAILPOINT_LOG=" + log}, s.typed, s.args...); code != 0 {
				t.Fatalf("uncut: %d\n%s", code, out)
			}
			if err := s.well(whole); err != nil {
				t.Fatalf("uncut: %v", err)
			}
			count := map[string]int{}
			var points []string
			for h := range strings.FieldsSeq(whole.read("hits")) {
				count[h]++
				points = append(points, fmt.Sprintf("%s:%d", h, count[h]))
			}
			if len(points) < 12 {
				t.Fatalf("only %d boundaries: %v", len(points), points)
			}
			for _, p := range points {
				b := newBox(t, "v1.0.0")
				s.before(b)
				sold := b.running()
				out, code := b.run([]string{"TILLPOST_FAILPOINT=" + p}, s.typed, s.args...)
				if code != -1 {
					t.Fatalf("%s: was not killed (%d)\n%s", p, code, out)
				}
				kills.Add(1)
				b.boot()
				if sells := b.running(); sold != "" && sells == "" && (s.name == "upgrade" || s.name == "re-enrol") {
					t.Errorf("%s: the store's service is gone until somebody comes", p)
				}
				out, code = b.run(nil, "", s.again...)
				if code != 0 {
					t.Errorf("%s: run again it ends with %d\n%s", p, code, out)
				}
				if err := s.well(b); err != nil {
					t.Errorf("%s: %v\n%s", p, err, out)
				}
				if left := leftovers(b.root); len(left) > 0 && code == 0 {
					t.Errorf("%s: left behind: %v", p, left)
				}
				os.RemoveAll(b.root) // dozens of copies of two programs
			}
		})
	}
}

func leftovers(root string) (out []string) {
	for _, d := range []string{"opt/tillpost", "etc/tillpost", "var/lib/tillpost-agent"} {
		es, _ := os.ReadDir(root + "/" + d)
		for _, e := range es {
			if strings.HasSuffix(e.Name(), ".new") || e.Name() == "code.once" {
				out = append(out, d+"/"+e.Name())
			}
		}
	}
	slices.Sort(out)
	return out
}
