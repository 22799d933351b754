package machine

import (
	"context"
	"crypto/sha1" //nolint:gosec // Windows names a service's account by it; nothing is protected with it
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"golang.org/x/sys/windows"

	"github.com/tillpost/tillpost/shared/fault"
)

// AccountName is the service's own account: Windows makes it with the service, and it has no password.
const AccountName = `NT SERVICE\tillpost-agent`

func standard() Layout {
	programs := folder(windows.FOLDERID_ProgramFiles, "ProgramFiles", `C:\Program Files`)
	data := folder(windows.FOLDERID_ProgramData, "ProgramData", `C:\ProgramData`)
	p, d := filepath.Join(programs, "Tillpost"), filepath.Join(data, "Tillpost")
	return Layout{
		Program: p, Agent: filepath.Join(p, "agent.exe"), Settings: filepath.Join(d, "agent.toml"), Data: filepath.Join(d, "agent"),
		Journal: filepath.Join(d, "install.journal"), Packaged: filepath.Join(p, "packaged"), Left: filepath.Join(d, "left"), Account: AccountName,
	}
}

// folder asks Windows; the environment of a service of IT may lack the variables.
func folder(id *windows.KNOWNFOLDERID, env, otherwise string) string {
	if p, err := windows.KnownFolderPath(id, 0); err == nil && p != "" {
		return p
	}
	if p := os.Getenv(env); p != "" {
		return p
	}
	return otherwise
}

// Elevated reports whether this process may change the system.
func Elevated() bool { return windows.GetCurrentProcessToken().IsElevated() }

// Elevate says how a person gets there.
const Elevate = "Right-click it and choose \"Run as administrator\"."

// RunElevated has Windows ask the person (UAC) and starts this program anew with the rights, in a window of its own.
func RunElevated(args []string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	verb, err1 := windows.UTF16PtrFromString("runas")
	file, err2 := windows.UTF16PtrFromString(exe)
	line, err3 := windows.UTF16PtrFromString(windows.ComposeCommandLine(args))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	return windows.ShellExecute(0, verb, file, line, nil, windows.SW_SHOWNORMAL)
}

// DropAccount has nothing to do: the account goes with the service.
func DropAccount(context.Context, string) error { return nil }

// MakeFolders makes the folders of programs, settings and data, closed from the first moment on.
func (l Layout) MakeFolders() error {
	if err := errors.Join(os.MkdirAll(l.Program, 0o755), os.MkdirAll(l.Data, 0o700)); err != nil {
		return fault.New(fault.Internal, "make the folders", err)
	}
	return l.close()
}

// close takes inherited rights away from settings and data (below ProgramData every user may read) and gives them to the system, to
// administrators and to the service's account: to read in the settings, to change in the data.
func (l Layout) close() error {
	for _, f := range l.closed() {
		sd, err := windows.SecurityDescriptorFromString(f.sddl)
		if err != nil {
			return fault.New(fault.Internal, "word the rights of "+f.path, err)
		}
		dacl, _, err := sd.DACL()
		if err != nil {
			return fault.New(fault.Internal, "word the rights of "+f.path, err)
		}
		if err := windows.SetNamedSecurityInfo(f.path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil); err != nil {
			return fault.New(fault.Internal, "close "+f.path, err)
		}
	}
	return nil
}

type closing struct{ path, sddl string }

func (l Layout) closed() []closing {
	sid := "" // the installer's own user, when there is no account: in a folder for tests
	if name, ok := strings.CutPrefix(l.Account, `NT SERVICE\`); ok {
		sid = ServiceSID(name)
	}
	return []closing{{l.SettingsDir(), Rights(sid, "0x1200a9")}, {l.Data, Rights(sid, "0x1301bf")}}
}

// Rights words a folder's rights: system and administrators all, sid what mask says, nobody else anything, and nothing from above.
func Rights(sid, mask string) string {
	s := "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
	if sid != "" {
		s += "(A;OICI;" + mask + ";;;" + sid + ")"
	}
	return s
}

// ServiceSID is the id of NT SERVICE\name, as Windows makes it: it can be given rights before the service exists.
func ServiceSID(name string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(strings.ToUpper(name))) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	sum := sha1.Sum(b) //nolint:gosec // as above
	out := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		out += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return out
}

// syncDir has no meaning on Windows: MoveFileEx writes through.
func syncDir(string) error { return nil }
