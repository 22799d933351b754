package lock_test

import (
	"path/filepath"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
)

func TestOneAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if lock.Held(dir, "hub") {
		t.Error("held before anybody took it")
	}
	l, err := lock.Take(dir, "hub")
	if err != nil {
		t.Fatal(err)
	}
	if !lock.Held(dir, "hub") || lock.Held(dir, "agent") {
		t.Error("what is held is not told")
	}
	if _, err := lock.Take(dir, "hub"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second one came in: %v", err)
	}
	if err := l.Release(); err != nil || lock.Held(dir, "hub") {
		t.Errorf("it does not end: %v", err)
	}
	if l, err = lock.Take(dir, "hub"); err != nil {
		t.Fatal(err)
	}
	l.Release()
}
