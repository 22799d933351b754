package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
	"github.com/tillpost/tillpost/test/port"
)

const (
	daysTickets = 2000             // a busy store's day
	rest        = 60 * time.Second // how long an idle agent is looked at, for each figure
	afterRush   = 30 * time.Second // the agent gives back what it took for many tickets within so long
	ticks       = 100              // of the processor's clock in a second, as Linux tells it to programs: USER_HZ, the same on all its systems
)

// storePC is what the agent costs a store's PC: built as it is released, a day's tickets over its door, then left alone with a folder to watch.
// "First ack" is when the hub has durably committed a ticket that waited from before the start; its answer is on the way then.
func storePC(ctx context.Context, dir string, _ options) (r result, err error) {
	pc, err := newPC(ctx, dir)
	if err != nil {
		return r, err
	}
	defer pc.hub.Stop()
	size, err := os.Stat(pc.program)
	if err != nil {
		return r, err
	}
	begun := time.Now()
	if err := pc.start(ctx); err != nil {
		return r, err
	}
	defer pc.kill()
	if err := until(ctx, 30*time.Second, func() bool { return pc.hub.Intake.Count.Envelopes.Load() > 0 }); err != nil {
		return r, pc.because(err)
	}
	firstAck := time.Since(begun)
	memory, service, err := pc.day(ctx)
	if err != nil {
		return r, pc.because(err)
	}
	busy, err := pc.processor(ctx)
	if err != nil {
		return r, pc.because(err)
	}
	syncs, err := pc.syncs(ctx)
	if err != nil {
		return r, pc.because(err)
	}
	sold := 1 + daysTickets
	if p, err := exec.LookPath("strace"); err == nil && p != "" {
		sold++
	}
	if err := until(ctx, 10*time.Second, func() bool { return int(pc.hub.Intake.Count.Envelopes.Load()) >= sold }); err != nil {
		return r, pc.because(err)
	}
	if err := pc.stop(); err != nil {
		return r, pc.because(err)
	}
	r.figures = []figure{
		{"built agent, the program", float64(size.Size()) / megabyte, " MB", 0, atMost(30)},
		{"built agent, start to first ack", firstAck.Seconds(), " s", 0, atMost(3)},
		{fmt.Sprintf("built agent, after a day's %s tickets", number(daysTickets)), float64(memory) / megabyte, " MB resident", 0, atMost(30)},
		{"agent and launcher together, what is shared counted once", float64(service) / megabyte, " MB resident", 0, atMost(36)},
		{"agent and launcher, idle, of one core", busy * 100, " %", 0, atMost(0.5)},
		syncs,
	}
	r.lost, r.doubled, err = compare(ctx, pc.hub.Store, sold)
	return r, err
}

// pc is a store's PC with its agent, and the hub that it sends to.
type pc struct {
	program, settings, door string
	hub                     *line.Hub
	cmd                     *exec.Cmd // the launcher
	agent                   int       // the process that it started
	told                    strings.Builder
}

// newPC builds the agent as a release does, and leaves one ticket in its buffer.
func newPC(ctx context.Context, dir string) (*pc, error) {
	p := &pc{program: filepath.Join(dir, "agent"), settings: filepath.Join(dir, "agent.toml")}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "netgo,osusergo,sqlite_omit_load_extension", "-ldflags", `-s -w -linkmode external -extldflags "-static"`,
		"-o", p.program, "github.com/tillpost/tillpost/agent")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the agent: %w\n%s", err, out)
	}
	one, err := line.OpenAgent(ctx, dir, "pc")
	if err != nil {
		return nil, err
	}
	if err := one.Put(ctx, 0, 1, 1); err != nil {
		return nil, err
	}
	one.Stop()
	if p.door, err = port.Addr(); err != nil {
		return nil, err
	}
	for _, d := range []string{"hub", "drop"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	if p.hub, err = line.StartHub(ctx, line.HubOptions{Dir: filepath.Join(dir, "hub"), Devices: []retail.DeviceID{"pc"}}); err != nil {
		return nil, err
	}
	token := filepath.Join(dir, "token")
	text := fmt.Sprintf("device = \"pc\"\ndata_dir = %q\n[hub]\nurl = %q\n[source.localapi]\nlisten = %q\ntoken_file = %q\n"+
		"[[source.filedrop]]\nname = \"exports\"\ndir = %q\npattern = \"*.csv\"\nprofile = \"heartland-retail-sales-history\"\nlocation = \"S1\"\n",
		filepath.Join(dir, "pc"), p.hub.URL(), p.door, token, filepath.Join(dir, "drop"))
	return p, errors.Join(os.WriteFile(p.settings, []byte(text), 0o600), os.WriteFile(token, []byte("bench\n"), 0o600))
}

// start runs it as its service does: the launcher, which starts the agent.
func (p *pc) start(ctx context.Context) error {
	p.cmd = exec.CommandContext(ctx, p.program, "run", "--service", "--config", p.settings)
	p.cmd.Stderr = &p.told
	if err := p.cmd.Start(); err != nil {
		return err
	}
	return until(ctx, 20*time.Second, func() bool {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
		for _, l := range lists {
			text, _ := os.ReadFile(l)
			for _, f := range strings.Fields(string(text)) { // the launcher also has it looked at what it starts
				if args, _ := os.ReadFile("/proc/" + f + "/cmdline"); strings.Contains(string(args), "--launched") {
					p.agent, _ = strconv.Atoi(f)
				}
			}
		}
		return p.agent > 0
	})
}

func (p *pc) pids() []int { return []int{p.cmd.Process.Pid, p.agent} }

// day hands a day's tickets in, one after the other as a till does, and says what is resident when the hub has confirmed them and the agent
// rests: of the agent, and of the whole service.
func (p *pc) day(ctx context.Context) (agent, service int64, err error) {
	if err := p.sell(drafts(1, daysTickets)); err != nil {
		return 0, 0, err
	}
	if err := until(ctx, time.Minute, func() bool { return p.hub.Intake.Count.Envelopes.Load() > daysTickets }); err != nil {
		return 0, 0, err
	}
	if err := pause(ctx, afterRush); err != nil {
		return 0, 0, err
	}
	if agent, err = status(p.agent, "VmRSS"); err != nil {
		return 0, 0, err
	}
	service, err = all(p.pids(), func(pid int) (int64, error) { // a page that both show is counted once, by parts
		return sizeIn(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss")
	})
	return agent, service, err
}

// sell hands tickets in on two tills.
func (p *pc) sell(ds []source.Draft) error {
	ts, err := dialTills(p.door, 2)
	if err != nil {
		return err
	}
	defer ts.close()
	return ts.push(ds)
}

// processor is the share of one core that the service takes while nothing is sold.
func (p *pc) processor(ctx context.Context) (float64, error) {
	before, err := all(p.pids(), worked)
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, rest); err != nil {
		return 0, err
	}
	after, err := all(p.pids(), worked)
	return (after - before).Seconds() / rest.Seconds(), err
}

// all is the sum over processes.
func all[T ~int64](pids []int, of func(pid int) (T, error)) (sum T, err error) {
	for _, pid := range pids {
		n, err := of(pid)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// worked is the processor time that a process took, its own and the system's for it.
func worked(pid int) (time.Duration, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(line), ") ") // a program's name may hold spaces
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, fault.Msg(fault.NotFound, "bench", "the system does not tell a process's time")
	}
	user, err := strconv.ParseInt(f[11], 10, 64)
	system, serr := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err, serr)
}

// syncs counts what strace sees of fsync, fdatasync and sync_file_range. Without strace it is the calls that write, of which a disk's sync
// needs at least one: they bound it from above.
func (p *pc) syncs(ctx context.Context) (figure, error) {
	f := figure{name: "agent and launcher, idle, fsyncs", unit: " /s", want: atMost(1)}
	tracer, err := exec.LookPath("strace")
	if err != nil {
		f.name = "agent and launcher, idle, writes (no strace: fsyncs ≤)"
		before, err := all(p.pids(), writes)
		if err != nil {
			return f, err
		}
		if err := pause(ctx, rest); err != nil {
			return f, err
		}
		after, err := all(p.pids(), writes)
		f.value = float64(after-before) / rest.Seconds()
		return f, err
	}
	seen := filepath.Join(filepath.Dir(p.settings), "syncs")
	var said strings.Builder
	cmd := exec.CommandContext(ctx, tracer, "-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range", "-o", seen, "-p", strconv.Itoa(p.cmd.Process.Pid), "-p", strconv.Itoa(p.agent))
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return f, err
	}
	err = pause(ctx, rest)
	idle := countSyncs(seen)
	if err == nil { // a ticket must show, or it saw nothing because it cannot see
		err = p.sell(drafts(1+daysTickets, 1))
	}
	if err == nil {
		err = pause(ctx, time.Second)
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	if err == nil && countSyncs(seen) == idle {
		err = fault.Msg(fault.Unavailable, "bench", "strace did not see the syncs of a ticket: "+said.String())
	}
	f.value = float64(idle) / rest.Seconds()
	return f, err
}

// countSyncs counts the calls in what strace wrote; one that another thread interrupted is told twice.
func countSyncs(file string) (n int) {
	text, _ := os.ReadFile(file) // none yet: none was seen
	for l := range strings.Lines(string(text)) {
		if strings.Contains(l, "sync") && !strings.Contains(l, "resumed>") {
			n++
		}
	}
	return n
}

// writes counts the calls by which a process wrote, to files and to others.
func writes(pid int) (n int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	for l := range strings.Lines(string(text)) {
		if v, is := strings.CutPrefix(l, "syscw: "); is {
			return strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		}
	}
	return 0, errors.Join(err, fault.Msg(fault.NotFound, "bench", "the system does not tell what a process writes"))
}

func (p *pc) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	return p.cmd.Wait()
}

// kill ends it when something else went wrong; after stop it does nothing.
func (p *pc) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// because adds the agent's own words to what went wrong.
func (p *pc) because(err error) error {
	p.kill()
	return fmt.Errorf("%w\n%s", err, p.told.String())
}
