package service

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// Status is how the system sees the service.
type Status struct {
	Name      string   `json:"name"`
	Manager   string   `json:"manager"` // windows-service, linux-systemd, …
	Installed bool     `json:"installed"`
	Enabled   bool     `json:"enabled"` // it starts with the system
	Running   bool     `json:"running"`
	State     string   `json:"state,omitempty"`   // the manager's own word
	Differs   []string `json:"differs,omitempty"` // what is not as `service install` makes it
	Without   []string `json:"without,omitempty"` // what this system was asked and does not know
	Kept      *Kept    `json:"kept,omitempty"`    // Windows only
}

// Good reports that nothing is left to do.
func (s Status) Good() bool { return s.Installed && s.Enabled && s.Running && len(s.Differs) == 0 }

// manager is the system's. Every method may be called again whatever was done before, and takes up what was broken off.
type manager interface {
	// install makes the service or mends it, and tells what it did: nothing when all was as it should be.
	install(ctx context.Context) (did []string, err error)
	uninstall(ctx context.Context) (did []string, err error)
	start(ctx context.Context) error
	stop(ctx context.Context) error
	status(ctx context.Context) (Status, error)
}

// waitFor is how long a start or a stop is waited for, beyond what the service itself may take.
const waitFor = stopWithin + 20*time.Second

// Install makes s or mends it. Code invalid: a person must do something else first.
func Install(ctx context.Context, s Spec) ([]string, error) {
	m, err := s.manager()
	if err != nil {
		return nil, err
	}
	did, err := m.install(ctx)
	if err != nil {
		return did, err
	}
	st, err := m.status(ctx)
	if err == nil && len(st.Differs) > 0 {
		err = fault.Msg(fault.Internal, "install "+s.Name, "the system keeps something else than was written: "+st.Differs[0])
	}
	return did, err
}

// Uninstall stops and removes s. Its data stays.
func Uninstall(ctx context.Context, s Spec) ([]string, error) {
	m, err := s.manager()
	if err != nil {
		return nil, err
	}
	return m.uninstall(ctx)
}

// Start starts s and waits until it says that it does its work. One that runs stays as it is.
func Start(ctx context.Context, s Spec) error { return s.within(ctx, manager.start) }

// Stop stops s and waits until it has. One that does not run stays as it is.
func Stop(ctx context.Context, s Spec) error { return s.within(ctx, manager.stop) }

func (s Spec) within(ctx context.Context, do func(manager, context.Context) error) error {
	m, err := s.manager()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	return do(m, ctx)
}

// Ask tells how the system sees s.
func Ask(ctx context.Context, s Spec) (Status, error) {
	m, err := s.manager()
	if err != nil {
		return Status{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	return m.status(ctx)
}

// complete fills in what is this program's and this system's.
func (s Spec) complete() (Spec, error) {
	if s.Exe == "" {
		exe, err := os.Executable()
		if err == nil {
			exe, err = filepath.EvalSymlinks(exe)
		}
		if err != nil {
			return s, fault.New(fault.Internal, "find this program", err)
		}
		s.Exe = exe
	}
	return s, nil
}
