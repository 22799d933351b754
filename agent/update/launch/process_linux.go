package launch

import "syscall"

// deadly: whoever kills the launcher kills what it started; two agents on one buffer are refused anyway.
func deadly(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	a.Pdeathsig = syscall.SIGKILL
	return a
}
