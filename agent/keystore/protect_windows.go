package keystore

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Protect binds a key to this machine (DPAPI): the service account may change, the disk in another PC does not open it.
func Protect(key []byte) ([]byte, error) {
	return dpapi(key, func(in, out *windows.DataBlob) error {
		return windows.CryptProtectData(in, nil, nil, 0, nil, windows.CRYPTPROTECT_LOCAL_MACHINE|windows.CRYPTPROTECT_UI_FORBIDDEN, out)
	})
}

// Unprotect gives back what Protect was given.
func Unprotect(kept []byte) ([]byte, error) {
	return dpapi(kept, func(in, out *windows.DataBlob) error {
		return windows.CryptUnprotectData(in, nil, nil, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, out)
	})
}

func dpapi(b []byte, f func(in, out *windows.DataBlob) error) ([]byte, error) {
	in := windows.DataBlob{Size: uint32(len(b)), Data: unsafe.SliceData(b)}
	var out windows.DataBlob
	if err := f(&in, &out); err != nil {
		return nil, err
	}
	defer windows.LocalFree(windows.Handle(unsafe.Pointer(out.Data))) //nolint:errcheck // nothing to do about it
	return append([]byte(nil), unsafe.Slice(out.Data, out.Size)...), nil
}

// HandOver does nothing here: a new file has the rights of its folder.
func HandOver(string) error { return nil }

// syncFolder: NTFS logs a rename itself.
func syncFolder(string) error { return nil }
