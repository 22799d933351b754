package capture_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/source"
)

// slow takes a batch when it is let, and fails at the one it is told.
type slow struct {
	let  chan struct{}
	fail string
	took []string
}

func (s *slow) Append(_ context.Context, name string, _ source.Cursor, ds []source.Draft) error {
	<-s.let
	if ds[0].Key == s.fail {
		return errors.New("disk full")
	}
	s.took = append(s.took, name+" "+ds[0].Key)
	return nil
}

func put(t *testing.T, b *capture.Behind, key string) error {
	t.Helper()
	return b.Append(t.Context(), "file", "", []source.Draft{{Key: key}})
}

func TestBehindKeepsTheOrderAndWaits(t *testing.T) {
	s := &slow{let: make(chan struct{}, 3)}
	b := capture.NewBehind(s)
	if err := b.Wait(); err != nil {
		t.Errorf("nothing was handed in: %v", err)
	}
	if err := put(t, b, "1"); err != nil { // it returns although nobody has let the batch through
		t.Fatal(err)
	}
	for range 3 {
		s.let <- struct{}{}
	}
	if err := errors.Join(put(t, b, "2"), put(t, b, "3"), b.Wait(), b.Wait()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"file 1", "file 2", "file 3"}; !slices.Equal(s.took, want) {
		t.Errorf("got %v, want %v", s.took, want)
	}
}

func TestBehindHandsNothingOnAfterAnError(t *testing.T) {
	s := &slow{let: make(chan struct{}), fail: "2"}
	close(s.let)
	b := capture.NewBehind(s)
	if err := errors.Join(put(t, b, "1"), put(t, b, "2")); err != nil {
		t.Fatal(err)
	}
	if put(t, b, "3") == nil || put(t, b, "4") == nil || b.Wait() == nil {
		t.Error("the error of batch 2 is forgotten")
	}
	if want := []string{"file 1"}; !slices.Equal(s.took, want) {
		t.Errorf("got %v, want %v", s.took, want)
	}
}
