package service

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// TestWhatWindowsIsHanded reads the recovery actions as the documented bytes (winsvc.h), and back.
func TestWhatWindowsIsHanded(t *testing.T) {
	want := sample().Wanted()
	f := want.failureActions()
	b := unsafe.Slice((*byte)(unsafe.Pointer(&f)), unsafe.Sizeof(f))
	if len(b) != 40 || binary.LittleEndian.Uint32(b[0:]) != 24*60*60 || binary.LittleEndian.Uint32(b[24:]) != 3 {
		t.Errorf("%d bytes: %x", len(b), b)
	}
	actions := unsafe.Slice((*byte)(unsafe.Pointer(f.Actions)), 3*8)
	for i, ms := range []uint32{5_000, 30_000, 120_000} {
		if kind, delay := binary.LittleEndian.Uint32(actions[8*i:]), binary.LittleEndian.Uint32(actions[8*i+4:]); kind != 1 || delay != ms { // SC_ACTION_RESTART
			t.Errorf("action %d: %d after %d ms", i, kind, delay)
		}
	}
	var back Kept
	back.takeRecovery(&f)
	if !reflect.DeepEqual(back.Recovery, want.Recovery) || back.ResetAfter != 24*time.Hour {
		t.Errorf("read back: %+v", back)
	}
	var none Kept
	e := none.failureActions()
	none.takeRecovery(&e)
	if len(none.Recovery) != 0 {
		t.Errorf("nothing is read back as %v", none.Recovery)
	}
}

// The rights that are written are read back from the folder where this Windows keeps such; the words themselves are read by it in any case.
func TestRightsAreKept(t *testing.T) {
	s := sample()
	dir, err := os.MkdirTemp("", "rights-") // t.TempDir would insist on its removal, which Wine cannot do
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.State = filepath.Join(dir, "data")
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Owns = []string{secret}
	sd, err := windows.SecurityDescriptorFromString(s.sddl(rightModify))
	if err != nil {
		t.Fatal(err)
	}
	if got := sd.String(); !strings.Contains(got, s.SID()) || !strings.HasPrefix(got, "D:P") {
		t.Errorf("Windows reads the rights as %s", got)
	}
	if err := s.giveRights(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.State, secret} {
		kept, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			t.Fatal(err)
		}
		if got := kept.String(); !strings.Contains(got, s.SID()) {
			t.Logf("this Windows keeps no such rights: %s has %s", path, got)
		} else if strings.Contains(got, ";;;WD)") || strings.Contains(got, ";;;BU)") {
			t.Errorf("others have rights to %s: %s", path, got)
		}
	}
}
