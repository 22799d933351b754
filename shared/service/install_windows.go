package service

import (
	"context"
	"errors"
	"slices"
	"time"

	kardianos "github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/tillpost/tillpost/shared/fault"
)

func (s Spec) manager() (manager, error) {
	s, err := s.complete()
	return scm{s}, err
}

// scm is Windows' service manager.
type scm struct{ Spec }

// open runs do on the service; found is false when there is none.
func (m scm) open(access uint32, do func(*mgr.Service) error) (found bool, err error) {
	h, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return false, asAdministrator(err)
	}
	defer windows.CloseServiceHandle(h)
	sh, err := windows.OpenService(h, windows.StringToUTF16Ptr(m.Name), access)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return false, nil
	}
	if err != nil {
		return false, asAdministrator(err)
	}
	s := &mgr.Service{Name: m.Name, Handle: sh}
	defer s.Close()
	return true, do(s)
}

func (m scm) install(ctx context.Context) (did []string, err error) {
	st, err := m.status(ctx)
	if err != nil {
		return nil, err
	}
	if !st.Installed {
		if err := m.create(); err != nil {
			return nil, err
		}
		did = append(did, "made the service "+m.Name)
	}
	if !st.Installed || len(st.Differs) > 0 {
		if _, err := m.open(windows.SERVICE_ALL_ACCESS, func(s *mgr.Service) error { return configure(s, m.Wanted()) }); err != nil {
			return did, err
		}
		did = append(did, "wrote its settings")
	}
	if err := eventlog.InstallAsEventCreate(m.Name, eventlog.Error|eventlog.Warning|eventlog.Info); err == nil {
		did = append(did, "it writes to the event log")
	}
	return did, m.giveRights()
}

// create makes the service plainly; configure sets the rest, so that one which was broken off half-way is mended in the same way.
func (m scm) create() error {
	k, err := kardianos.New(nothing{}, &kardianos.Config{Name: m.Name, DisplayName: m.Display, Description: m.Description, Executable: m.Exe, Arguments: m.Args, UserName: m.Account()})
	if err == nil {
		err = k.Install()
	}
	return asAdministrator(err)
}

type nothing struct{}

func (nothing) Start(kardianos.Service) error { return nil }
func (nothing) Stop(kardianos.Service) error  { return nil }

// gone is waited for: a service that somebody still looks at is only marked for deletion.
func (m scm) gone(ctx context.Context) error {
	for {
		found, err := m.open(windows.SERVICE_QUERY_STATUS, func(*mgr.Service) error { return nil })
		if err != nil || !found {
			return nil //nolint:nilerr // marked for deletion is refused to be opened
		}
		select {
		case <-ctx.Done():
			return fault.Msg(fault.Unavailable, "remove "+m.Name, "Windows has marked it for deletion; close the Services window and Task Manager, and it is gone")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (m scm) uninstall(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	if err := m.stop(ctx); err != nil {
		return nil, err
	}
	found, err := m.open(windows.SERVICE_ALL_ACCESS, func(s *mgr.Service) error { return s.Delete() })
	if errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE) {
		err = nil
	}
	_ = eventlog.Remove(m.Name) // it may not be there
	if err != nil || !found {
		return nil, asAdministrator(err)
	}
	return []string{"removed the service " + m.Name}, m.gone(ctx)
}

func (m scm) start(ctx context.Context) error {
	found, err := m.open(windows.SERVICE_START|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		st, err := s.Query()
		if err != nil {
			return err
		}
		if st.State == svc.Stopped {
			if err := s.Start(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
				return err
			}
		}
		return m.await(ctx, s, svc.Running)
	})
	if err == nil && !found {
		err = fault.Msg(fault.NotFound, "start "+m.Name, "it is not installed: service install")
	}
	return asAdministrator(err)
}

func (m scm) stop(ctx context.Context) error {
	_, err := m.open(windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		_, err := s.Control(svc.Stop)
		if err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) && !errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
			return err
		}
		return m.await(ctx, s, svc.Stopped)
	})
	return asAdministrator(err)
}

// await waits for a state; a service that stopped while it should start has failed.
func (m scm) await(ctx context.Context, s *mgr.Service, want svc.State) error {
	for {
		st, err := s.Query()
		switch {
		case err != nil || st.State == want:
			return err
		case want == svc.Running && st.State == svc.Stopped:
			return fault.Msg(fault.Unavailable, "start "+m.Name, "it stopped again at once; the event log (Windows Logs, Application) says why")
		}
		select {
		case <-ctx.Done():
			return fault.New(fault.Unavailable, "wait for "+m.Name, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (m scm) status(context.Context) (Status, error) {
	st := Status{Name: m.Name, Manager: "windows-service"}
	found, err := m.open(windows.SERVICE_QUERY_CONFIG|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		q, err := s.Query()
		if err != nil {
			return err
		}
		st.State = map[svc.State]string{svc.Stopped: "stopped", svc.StartPending: "starting", svc.StopPending: "stopping", svc.Running: "running"}[q.State]
		st.Running = q.State == svc.Running
		kept, without, err := readBack(s)
		if err != nil {
			return err
		}
		st.Kept, st.Enabled, st.Differs = &kept, kept.Automatic, kept.differs(m.Wanted(), without)
		for name := range without {
			st.Without = append(st.Without, name)
		}
		slices.Sort(st.Without)
		return nil
	})
	st.Installed = found
	return st, err
}

// asAdministrator says what to do about an error that is about rights.
func asAdministrator(err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return fault.New(fault.Invalid, "open the command prompt with \"Run as administrator\" and do this again", err)
	}
	return err
}
