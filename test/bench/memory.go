package main

import (
	"bufio"
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

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

const (
	megabyte = 1 << 20
	calm     = 5 * time.Second // an agent is idle when it has been connected for so long without work
)

// memory is what the system says of the built agent, as it is shipped: at rest, and the highest it ever was when it has drained its buffer.
func memory(ctx context.Context, dir string, o options) (r result, err error) {
	program := filepath.Join(dir, "agent")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "github.com/tillpost/tillpost/agent")
	if out, err := build.CombinedOutput(); err != nil {
		return r, fmt.Errorf("build the agent: %w\n%s", err, out)
	}
	full, err := line.OpenAgent(ctx, dir, "full")
	if err != nil {
		return r, err
	}
	if err := full.Put(ctx, 0, o.tickets, 500); err != nil {
		return r, err
	}
	full.Stop()
	hub := filepath.Join(dir, "hub")
	if err := os.MkdirAll(hub, 0o700); err != nil {
		return r, err
	}
	h, err := line.StartHub(ctx, line.HubOptions{Dir: hub, Devices: []retail.DeviceID{"empty", "full"}})
	if err != nil {
		return r, err
	}
	defer h.Stop()
	idle, err := resident(ctx, program, dir, "empty", h.URL(), "VmRSS", func() error {
		if err := until(ctx, 20*time.Second, func() bool { return h.Broker.Connections() > 1 }); err != nil {
			return err
		}
		return pause(ctx, calm)
	})
	if err != nil {
		return r, err
	}
	drained := 0
	peak, err := resident(ctx, program, dir, "full", h.URL(), "VmHWM", func() error {
		return until(ctx, 3*time.Minute, func() bool {
			drained = int(h.Intake.Count.Envelopes.Load())
			return drained >= o.tickets
		})
	})
	if err != nil {
		return r, fmt.Errorf("%w: %d of %d are at the hub", err, drained, o.tickets)
	}
	r.figures = []figure{
		{"built agent, idle", float64(idle) / megabyte, " MB resident", 0, atMost(25)},
		{fmt.Sprintf("built agent, draining %s, peak", number(float64(o.tickets))), float64(peak) / megabyte, " MB resident", 0, atMost(48)},
	}
	r.lost, r.doubled, err = compare(ctx, h.Store, o.tickets)
	return r, err
}

// resident runs the built agent until work returns, and reads how much memory the system counts as its own. It ends it as an operator would.
func resident(ctx context.Context, program, dir string, d retail.DeviceID, hub, what string, work func() error) (size int64, err error) {
	settings := filepath.Join(dir, string(d)+".toml")
	token := filepath.Join(dir, "token")
	text := fmt.Sprintf("device = %q\ndata_dir = %q\n[hub]\nurl = %q\n[source.localapi]\nlisten = \"127.0.0.1:0\"\ntoken_file = %q\n", d, filepath.Join(dir, string(d)), hub, token)
	if err := errors.Join(os.WriteFile(settings, []byte(text), 0o600), os.WriteFile(token, []byte("bench\n"), 0o600)); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, program, "run", "--config", settings)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var told strings.Builder
	cmd.Stderr = &told
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err = work()
	if err == nil {
		size, err = status(cmd.Process.Pid, what)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if werr := cmd.Wait(); werr != nil && err == nil {
		err = fmt.Errorf("the agent ended with %w\n%s", werr, told.String())
	}
	return size, err
}

// status reads a size from /proc: VmRSS is what is resident now, VmHWM the most it ever was.
func status(pid int, what string) (int64, error) {
	return sizeIn(fmt.Sprintf("/proc/%d/status", pid), what)
}

// sizeIn reads a line "what: 123 kB".
func sizeIn(file, what string) (int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) == 3 && fields[0] == what+":" {
			kb, err := strconv.ParseInt(fields[1], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fault.Msg(fault.NotFound, "bench", "the system does not tell "+what)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
