package service

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"

	"github.com/tillpost/tillpost/shared/fault"
)

// giveRights gives the service's account its data folder and its secrets, and lets it read its settings. Administrators and the system keep
// theirs; nobody else has any.
func (s Spec) giveRights() error {
	if err := os.MkdirAll(s.State, 0o700); err != nil {
		return asAdministrator(err)
	}
	var all error
	for path, right := range s.rights() {
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := setRights(path, s.sddl(right)); err != nil && !unknownHere(err) {
			all = errors.Join(all, fault.New(fault.Internal, "give the service its rights to "+path, err))
		}
	}
	return all
}

// rights lists who may what.
func (s Spec) rights() map[string]string {
	out := map[string]string{s.State: rightModify}
	for _, f := range s.Reads {
		out[f] = rightRead
	}
	for _, f := range s.Owns {
		out[f] = rightModify
	}
	return out
}

func setRights(path, sddl string) error {
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
}

// HandOver does nothing here: a new file has the rights of its folder.
func HandOver(string) error { return nil }
