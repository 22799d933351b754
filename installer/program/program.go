// Package program is the agent as the installer uses it: by its commands, as a person would. Every command has a time within which it must
// end, and what it says in an error is shown as it is.
package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/fault"
)

const (
	quick    = 20 * time.Second // what only looks
	slow     = 2 * time.Minute  // what waits for head office, or for a service to end
	carrying = 30 * time.Minute // a buffer of a million tickets on an old disk
)

// Agent is the program on the PC.
type Agent struct {
	Path     string
	Settings string // agent.toml
}

// Version tells the version of the program; empty when it does not start.
func (a Agent) Version(ctx context.Context) string {
	var v struct{ Version string }
	if err := a.answer(ctx, quick, &v, "version"); err != nil {
		return ""
	}
	return v.Version
}

// Status is what the installer reads of `agent status`.
type Status struct {
	Device    string `json:"device"`
	Version   string `json:"version"`
	Running   bool   `json:"running"`
	Connected bool   `json:"connected"`
	Waiting   int    `json:"waiting"`
	Unknown   bool   `json:"waiting_unknown"` // what waits cannot be counted
	Page      string `json:"page"`            // where a browser of this PC sees how it stands
	Streams   map[string]struct {
		Last uint64 `json:"last"`
	} `json:"streams"`
	Update *struct {
		Installed string `json:"installed"` // version of the program that the service started; it may itself run a newer one
	} `json:"update"`
	Health []struct {
		Title    string `json:"title"`
		Detail   string `json:"detail"`
		Do       string `json:"do"`
		Severity string `json:"severity"`
	} `json:"health"`
}

// Well says that it runs and nobody need do anything: what is of low severity is told beside, and can wait.
func (s Status) Well() bool {
	for _, h := range s.Health {
		if h.Severity != "low" {
			return false
		}
	}
	return s.Running
}

// Of reports that the service that runs was started from the program of this version: by an update of its own it may run a newer one.
func (s Status) Of(version string) bool {
	return s.Version == version || s.Update != nil && s.Update.Installed == version
}

// Status asks how the store stands. A status that needs attention is no error here.
func (a Agent) Status(ctx context.Context) (s Status, err error) {
	return s, a.answer(ctx, quick, &s, "status")
}

// Words is what `agent status` tells a store manager.
func (a Agent) Words(ctx context.Context) string {
	out, _ := a.run(ctx, quick, "status")
	return strings.TrimSpace(out)
}

// CheckSettings lists what is wrong with agent.toml; code invalid.
func (a Agent) CheckSettings(ctx context.Context) error {
	_, err := a.run(ctx, quick, "check-config")
	return err
}

// Doctor tries everything that the settings name.
func (a Agent) Doctor(ctx context.Context) (r doctor.Report, err error) {
	return r, a.answer(ctx, slow, &r, "doctor")
}

// Export writes every record that is held to a new file.
func (a Agent) Export(ctx context.Context, file string) error {
	_, err := a.run(ctx, carrying, "buffer", "export", file)
	return err
}

// TakeIn takes an export in; the hub knows what it has.
func (a Agent) TakeIn(ctx context.Context, file string) error {
	_, err := a.run(ctx, carrying, "buffer", "replay", file)
	return err
}

// answer runs a command that reports in JSON. Such a command may end with an error and still answer: then the answer counts.
func (a Agent) answer(ctx context.Context, within time.Duration, into any, args ...string) error {
	out, err := a.run(ctx, within, append(args, "--json")...)
	if jerr := json.Unmarshal([]byte(out), into); jerr != nil {
		if err != nil {
			return err
		}
		return fault.Msg(fault.Internal, "agent "+strings.Join(args, " "), "its answer cannot be read: "+jerr.Error())
	}
	return nil
}

// run runs a command. The error carries what the command said; code internal, or unavailable when it took too long.
func (a Agent) run(ctx context.Context, within time.Duration, args ...string) (string, error) {
	return a.feed(ctx, within, nil, args...)
}

func (a Agent) feed(ctx context.Context, within time.Duration, in io.Reader, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	cmd := exec.CommandContext(ctx, a.Path, append(args, "--config", a.Settings)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Stdin = &out, &said, in
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	if err == nil {
		return out.String(), nil
	}
	op := "agent " + args[0]
	if ctx.Err() != nil {
		return out.String(), fault.Msg(fault.Unavailable, op, fmt.Sprintf("it did not end within %s", within))
	}
	words := strings.TrimSpace(said.String())
	if words == "" {
		words = strings.TrimSpace(out.String())
	}
	words = strings.TrimPrefix(words, "agent: ")
	var exit *exec.ExitError
	if words == "" || !errors.As(err, &exit) {
		words = err.Error()
	}
	return out.String(), fault.Msg(fault.Internal, op, words)
}
