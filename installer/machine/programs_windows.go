package machine

import (
	"errors"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/tillpost/tillpost/shared/fault"
)

// listed is Windows' list of programs (Apps & features).
const listed = `SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Tillpost agent`

// Announce puts the program into Windows' list of programs, from where it can be uninstalled.
func Announce(l Layout, version string) error {
	if l.Account == "" {
		return nil
	}
	const op = "list the program"
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, listed, registry.SET_VALUE)
	if err != nil {
		return fault.New(fault.Internal, op, err)
	}
	defer k.Close()
	installer := `"` + filepath.Join(l.Program, "installer.exe") + `"`
	var errs []error
	for name, value := range map[string]string{
		"DisplayName": "Tillpost agent", "DisplayVersion": version, "Publisher": "Tillpost", "InstallLocation": l.Program,
		"UninstallString": installer + " uninstall", "QuietUninstallString": installer + " uninstall --accept",
	} {
		errs = append(errs, k.SetStringValue(name, value))
	}
	return fault.New(fault.Internal, op, errors.Join(append(errs, k.SetDWordValue("NoModify", 1))...))
}

// Withdraw takes the program out of the list.
func Withdraw(l Layout) error {
	if l.Account == "" {
		return nil
	}
	err := registry.DeleteKey(registry.LOCAL_MACHINE, listed)
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	return fault.New(fault.Internal, "take the program out of the list", err)
}

// DeleteRunning has Windows delete a program that runs at the next start of the PC.
func DeleteRunning(path string) error {
	for _, p := range []string{path, filepath.Dir(path)} {
		from, err := windows.UTF16PtrFromString(p)
		if err == nil {
			err = windows.MoveFileEx(from, nil, windows.MOVEFILE_DELAY_UNTIL_REBOOT)
		}
		if err != nil {
			return fault.New(fault.Internal, "delete "+p, err)
		}
	}
	return nil
}

// OwnWindow reports whether the console closes with this process: a double click made it.
func OwnWindow() bool {
	proc := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetConsoleProcessList")
	var ids [2]uint32
	n, _, _ := proc.Call(uintptr(unsafe.Pointer(&ids[0])), uintptr(len(ids)))
	return n == 1
}
