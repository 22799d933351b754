package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/tillpost/tillpost/shared/fault"
)

// loadSecret reads the hub's 32-byte secret, or makes it on the first start, readable by the hub's account alone.
func loadSecret(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		b = make([]byte, 32)
		_, _ = rand.Read(b)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, fault.New(fault.Internal, "make the hub's secret", err)
		}
		_, werr := f.Write(b)
		return b, fault.New(fault.Internal, "make the hub's secret", errors.Join(werr, f.Sync(), f.Close()))
	}
	if err == nil && len(b) != 32 {
		err = fmt.Errorf("%s has %d bytes, want 32: put it back from the backup, else sealed records stay unreadable", path, len(b))
	}
	return b, fault.New(fault.Internal, "read the hub's secret", err)
}
