package lock_test

import (
	"path/filepath"
	"testing"
	"time"

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

// TestAwait: who comes after a killed one waits for its end, and never for ever.
func TestAwait(t *testing.T) {
	dir := t.TempDir()
	l, err := lock.Take(dir, "agent")
	if err != nil {
		t.Fatal(err)
	}
	lock.Await(t.Context(), dir, "agent", time.Millisecond) // it goes on although the place is taken
	go func() {
		time.Sleep(50 * time.Millisecond)
		l.Release()
	}()
	lock.Await(t.Context(), dir, "agent", time.Minute)
	if l, err = lock.Take(dir, "agent"); err != nil {
		t.Fatal(err)
	}
	l.Release()
}
