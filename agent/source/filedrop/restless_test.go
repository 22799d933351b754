package filedrop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
)

// TestAFileThatIsNeverStillIsTold: its sales wait, and nobody would know.
func TestAFileThatIsNeverStillIsTold(t *testing.T) {
	p, _ := profile.Shipped("supermarket")
	f := New("t", Folder{Profile: p, Dir: t.TempDir(), Settle: time.Hour})
	grow := func(n int) error {
		if err := os.WriteFile(filepath.Join(f.Dir, "a.csv"), []byte(strings.Repeat("x", n)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := f.Read(t.Context(), "", 10)
		return err
	}
	for n := range 3 {
		if err := grow(n + 1); err != nil {
			t.Fatalf("told at once: %v", err)
		}
	}
	at := f.seen["a.csv"]
	at.moving = at.moving.Add(-2 * f.Settle)
	f.seen["a.csv"] = at
	if err := grow(9); !fault.Is(err, fault.Unavailable) || !strings.Contains(fmt.Sprint(err), "its sales wait here") {
		t.Errorf("after %s: %v", tellAfter, err)
	}
	f.Settle = 0 // it stands still
	if _, _, err := f.Read(t.Context(), "", 10); err != nil || !f.seen["a.csv"].moving.IsZero() {
		t.Errorf("still: %v", err)
	}
}
