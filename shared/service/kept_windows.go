package service

import (
	"errors"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// configure writes everything that Windows keeps of the service.
func configure(s *mgr.Service, k Kept) error {
	err := windows.ChangeServiceConfig(s.Handle, windows.SERVICE_WIN32_OWN_PROCESS, windows.SERVICE_AUTO_START, windows.SERVICE_ERROR_NORMAL,
		windows.StringToUTF16Ptr(k.Command), nil, nil, nil, windows.StringToUTF16Ptr(k.Account), nil, windows.StringToUTF16Ptr(k.Display))
	if err != nil {
		return err
	}
	description := windows.SERVICE_DESCRIPTION{Description: windows.StringToUTF16Ptr(k.Description)}
	failure := k.failureActions()
	flag := windows.SERVICE_FAILURE_ACTIONS_FLAG{FailureActionsOnNonCrashFailures: 1}
	delayed := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
	sid := uint32(windows.SERVICE_SID_TYPE_UNRESTRICTED)
	before := uint32(k.Preshutdown.Milliseconds())
	for _, set := range []struct {
		level uint32
		value unsafe.Pointer
	}{
		{windows.SERVICE_CONFIG_DESCRIPTION, unsafe.Pointer(&description)}, {windows.SERVICE_CONFIG_FAILURE_ACTIONS, unsafe.Pointer(&failure)},
		{windows.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, unsafe.Pointer(&flag)}, {windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, unsafe.Pointer(&delayed)},
		{windows.SERVICE_CONFIG_SERVICE_SID_INFO, unsafe.Pointer(&sid)}, {windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, unsafe.Pointer(&before)},
	} {
		if err := windows.ChangeServiceConfig2(s.Handle, set.level, (*byte)(set.value)); err != nil && !unknownHere(err) {
			return err
		}
	}
	return nil
}

// failureActions is Recovery as Windows takes it.
func (k Kept) failureActions() windows.SERVICE_FAILURE_ACTIONS {
	f := windows.SERVICE_FAILURE_ACTIONS{ResetPeriod: uint32(k.ResetAfter / time.Second)}
	var actions []windows.SC_ACTION
	for _, after := range k.Recovery {
		actions = append(actions, windows.SC_ACTION{Type: windows.SC_ACTION_RESTART, Delay: uint32(after.Milliseconds())})
	}
	if len(actions) > 0 {
		f.ActionsCount, f.Actions = uint32(len(actions)), &actions[0]
	}
	return f
}

// unknownHere says that this Windows, or what stands in for one, has no such setting.
func unknownHere(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_LEVEL) || errors.Is(err, windows.ERROR_CALL_NOT_IMPLEMENTED)
}

// readBack reads what Windows keeps. without names what it was asked and does not know.
func readBack(s *mgr.Service) (k Kept, without map[string]bool, err error) {
	without = map[string]bool{}
	c, err := query(func(b *byte, n uint32, need *uint32) error {
		return windows.QueryServiceConfig(s.Handle, (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(b)), n, need)
	})
	if err != nil {
		return k, nil, err
	}
	q := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&c[0]))
	k.Command, k.Account, k.Display = windows.UTF16PtrToString(q.BinaryPathName), windows.UTF16PtrToString(q.ServiceStartName), windows.UTF16PtrToString(q.DisplayName)
	k.Automatic = q.StartType == windows.SERVICE_AUTO_START
	for _, get := range []struct {
		level uint32
		names []string
		take  func(unsafe.Pointer)
	}{
		{windows.SERVICE_CONFIG_DESCRIPTION, []string{"description"}, func(p unsafe.Pointer) {
			k.Description = windows.UTF16PtrToString((*windows.SERVICE_DESCRIPTION)(p).Description)
		}},
		{windows.SERVICE_CONFIG_FAILURE_ACTIONS, []string{"recovery", "reset_after"}, func(p unsafe.Pointer) { k.takeRecovery((*windows.SERVICE_FAILURE_ACTIONS)(p)) }},
		{windows.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, []string{"not_crash"}, func(p unsafe.Pointer) { k.NotCrash = *(*uint32)(p) != 0 }},
		{windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, []string{"delayed"}, func(p unsafe.Pointer) { k.Delayed = *(*uint32)(p) != 0 }},
		{windows.SERVICE_CONFIG_SERVICE_SID_INFO, []string{"own_sid"}, func(p unsafe.Pointer) { k.Unrestrict = *(*uint32)(p) == windows.SERVICE_SID_TYPE_UNRESTRICTED }},
		{windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, []string{"preshutdown"}, func(p unsafe.Pointer) { k.Preshutdown = time.Duration(*(*uint32)(p)) * time.Millisecond }},
	} {
		b, err := query(func(b *byte, n uint32, need *uint32) error {
			return windows.QueryServiceConfig2(s.Handle, get.level, b, n, need)
		})
		if err != nil && !unknownHere(err) {
			return k, nil, err
		}
		if err != nil {
			for _, n := range get.names {
				without[n] = true
			}
			continue
		}
		get.take(unsafe.Pointer(&b[0]))
	}
	return k, without, nil
}

// query asks with a growing buffer.
func query(ask func(b *byte, n uint32, need *uint32) error) ([]byte, error) {
	n := uint32(1024)
	for {
		b := make([]byte, n)
		var need uint32
		err := ask(&b[0], n, &need)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, syscall.ERROR_INSUFFICIENT_BUFFER) || need <= n || need > 1<<20 {
			return nil, err
		}
		n = need
	}
}

// takeRecovery reads the restarts; another action than a restart counts as none.
func (k *Kept) takeRecovery(f *windows.SERVICE_FAILURE_ACTIONS) {
	k.ResetAfter = time.Duration(f.ResetPeriod) * time.Second
	if f.ActionsCount == 0 || f.Actions == nil {
		return
	}
	for _, a := range unsafe.Slice(f.Actions, f.ActionsCount) {
		if a.Type == windows.SC_ACTION_RESTART {
			k.Recovery = append(k.Recovery, time.Duration(a.Delay)*time.Millisecond)
		}
	}
}
