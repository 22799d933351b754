package launch

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

func alone() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW}
}

func bound() func() { return func() {} }

// cage is a job: Windows ends everything in it when the launcher ends, however that was.
type cage struct{ job windows.Handle }

func encage(p *os.Process) (*cage, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, err
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	var h windows.Handle
	if err == nil {
		h, err = windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid))
	}
	if err == nil {
		err = windows.AssignProcessToJobObject(job, h)
		windows.CloseHandle(h)
	}
	if err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	return &cage{job}, nil
}

func (c *cage) open() { windows.CloseHandle(c.job) }

// counters are PROCESS_MEMORY_COUNTERS.
type counters struct {
	size, faults                                                                    uint32
	peak, working, peakPaged, paged, peakNonPaged, nonPaged, pageFile, peakPageFile uintptr
}

var memoryInfo = windows.NewLazySystemDLL("kernel32.dll").NewProc("K32GetProcessMemoryInfo")

// memory is what the process has in the PC's memory, in bytes.
func (*cage) memory(pid int) uint64 {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, uint32(pid))
	if err != nil {
		return 0
	}
	defer windows.CloseHandle(h)
	c := counters{}
	c.size = uint32(unsafe.Sizeof(c))
	if memoryInfo.Find() != nil {
		return 0
	}
	if ok, _, _ := memoryInfo.Call(uintptr(h), uintptr(unsafe.Pointer(&c)), uintptr(c.size)); ok == 0 {
		return 0
	}
	return uint64(c.working)
}
