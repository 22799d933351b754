//go:build linux

package rollout_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	repo "github.com/tillpost/tillpost/hub/release"
)

const (
	perPC    = 48 << 20 // memory of an agent with its launcher, and what the system keeps of both
	spare    = 2 << 30  // for the hub, the tests and everybody else
	diskOfPC = 64 << 20 // a program, the download beside it, and what it writes
)

// TestAFleet updates N agents, each a launcher and a program of its own, through one hub, and says what it cost (make bench-fleet).
func TestAFleet(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("TILLPOST_FLEET"))
	if err != nil || n < 2 {
		t.Skip("runs hundreds of agents: make bench-fleet, or TILLPOST_FLEET=300")
	}
	n = fits(t, n)
	w := newWorld(t, n, "20")
	door := newLine(t, w.enrol)
	hubAt := w.enrol
	w.enrol = door.addr // what PCs fetch goes through here
	began := time.Now()
	for i := range n {
		w.newPC(fmt.Sprintf("S%03d", i+1), "").pause = 40 * time.Second
	}
	t.Logf("%.0f s: %d PCs are enrolled at %s", time.Since(began).Seconds(), n, hubAt)
	began = time.Now()
	nobody := w.memory(w.cmd.Process.Pid, "VmRSS")
	for i, p := range w.pcs {
		p.start()
		time.Sleep(50 * time.Millisecond) // stores do not switch on in one moment
		if up := i + 1; up == 40 || up == 80 || up == 160 || up == n {
			w.until(fmt.Sprintf("%d PCs to come up", up), 10*time.Minute, func() bool { return w.run("v1.0.0") == up })
			time.Sleep(20 * time.Second)
			now := w.memory(w.cmd.Process.Pid, "VmRSS")
			t.Logf("%d PCs are up: the hub has %d MB resident, %d KB for each", up, now>>20, (now-nobody)>>10/int64(up))
		}
	}
	for i, p := range w.pcs {
		time.AfterFunc(time.Duration(i)*p.pause/time.Duration(n), p.sell)
	}
	t.Logf("%.0f s: all are up", time.Since(began).Seconds())

	w.publish("v1.1.0", "release_later") // one with other code in it; its hour does not come
	w.write("rings.json", `[{"name":"all","percent":100}]`)
	up, down := door.up.Load(), door.down.Load()
	cpu, began := w.cpu(), time.Now()
	w.hub("rollout", "start", "1.1.0", "--rings", w.at("rings.json"), "--in-flight", strconv.Itoa(n))
	took := map[int]time.Duration{}
	w.until("all PCs to run it", time.Hour, func() bool {
		time.Sleep(2 * time.Second)
		v := w.fleet()
		if s := v.Rollouts[0].State; s != "running" && s != "done" {
			t.Fatalf("the rollout is %s: %s", s, v.Rollouts[0].Why)
		}
		kept := 0
		for _, d := range v.Devices {
			if d.Told == "1.1.0" && d.Step == "kept" {
				kept++
			}
		}
		for _, p := range []int{10, 50, 90, 100} {
			if _, ok := took[p]; !ok && kept*100 >= n*p {
				took[p] = time.Since(began)
				t.Logf("%4.0f s: %d %% keep it", took[p].Seconds(), p)
			}
		}
		return kept == n
	})
	wall, used := time.Since(began), w.cpu()-cpu
	up, down = door.up.Load()-up, door.down.Load()-down
	peak, now := w.memory(w.cmd.Process.Pid, "VmHWM"), w.memory(w.cmd.Process.Pid, "VmRSS")
	w.tells(t, n, down, up)
	t.Logf("time: %s until the last keeps it, of which its own part of the first two hours of a night (here %s) and ten minutes of probation (here 30s)", wall.Round(time.Second), (2 * time.Hour / 20).Round(time.Second))
	t.Logf("hub: %.1f s of processor in %.0f s (%.1f %% of one), %d MB resident, %d MB at most", used.Seconds(), wall.Seconds(), 100*used.Seconds()/wall.Seconds(), now>>20, peak>>20)
	t.Logf("an agent: %d MB resident, its launcher %d MB", w.median("agent")>>20, w.median("launcher")>>20)
	w.counts(t)
}

// tells says what went over the line.
func (w *world) tells(t *testing.T, n int, down, up int64) {
	var of repo.Overview
	must(t, json.Unmarshal([]byte(w.hub("release", "list", "--json")), &of))
	whole, packed := int64(0), int64(0)
	for _, r := range of.Releases {
		for _, p := range r.Patches {
			if r.Version == "1.1.0" && p.From == "" {
				whole, packed = r.Bytes, p.Bytes
			}
		}
	}
	if packed == 0 {
		t.Fatalf("the release is not listed: %+v", of.Releases)
	}
	patched, bytes := 0, int64(0)
	for _, p := range w.pcs {
		for _, f := range p.fetches(t) {
			if f.Version == "1.1.0" {
				bytes += f.Bytes
				if f.Patched {
					patched++
				}
			}
		}
	}
	t.Logf("bytes a PC: %d KB of patch, %d KB with all metadata, TLS and answers down, %d KB up; whole it is %d KB, compressed %d KB: %.1f %% of that. %d of %d were patched",
		bytes/int64(n)>>10, down/int64(n)>>10, up/int64(n)>>10, whole>>10, packed>>10, 100*float64(down)/float64(n)/float64(packed), patched, n)
	if patched != n {
		t.Errorf("%d of %d PCs took the whole program", n-patched, n)
	}
}

// fits lowers n to what this machine has memory and disk for, and says so.
func fits(t *testing.T, n int) int {
	free := read(t, "/proc/meminfo", "MemAvailable") - spare
	disk := diskFree(t) - 4<<30
	most := min(free/perPC, disk/diskOfPC)
	if int64(n) > most {
		t.Logf("%d agents need %d MB of memory and %d MB of disk; this machine has %d and %d to give: %d agents", n, n*perPC>>20, n*diskOfPC>>20, free>>20, disk>>20, most)
		n = int(most)
	}
	t.Logf("%d agents on %d processors", n, runtime.NumCPU())
	return n
}

// read reads a size in kB of a file of /proc, in bytes.
func read(t *testing.T, file, name string) int64 {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 1 && f[0] == name+":" {
			v, err := strconv.ParseInt(f[1], 10, 64)
			must(t, err)
			return v << 10
		}
	}
	return 0
}

func (w *world) memory(pid int, name string) int64 {
	return read(w.t, fmt.Sprintf("/proc/%d/status", pid), name)
}

// cpu is the processor time that the hub has used.
func (w *world) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	must(w.t, err)
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 on every Linux
}

// median is what the middle one of the agents, or of their launchers, has in memory.
func (w *world) median(which string) int64 {
	var out []int64
	for _, p := range w.pcs {
		pid := p.cmd.Process.Pid
		if which == "agent" {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
			tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
			for _, x := range tasks { // the thread that started it is any
				if c, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, x.Name())); err == nil {
					b = append(b, c...)
				}
			}
			f := strings.Fields(string(b))
			if len(f) == 0 {
				continue
			}
			pid, _ = strconv.Atoi(f[0])
		}
		out = append(out, w.memory(pid, "VmRSS"))
	}
	if len(out) == 0 {
		return 0
	}
	slices.Sort(out)
	return out[len(out)/2]
}
