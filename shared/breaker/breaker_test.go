package breaker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

var errAway = fault.Msg(fault.Unavailable, "test", "no answer")

func fails(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func TestItOpensRestsProbesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New("retail", Options{After: 3, Rest: time.Minute})
		for n := range 3 {
			if s := b.Status(); s.State != Closed {
				t.Fatalf("after %d failures it is %s", n, s.State)
			}
			if err := b.Do(t.Context(), fails(errAway)); !errors.Is(err, errAway) {
				t.Fatalf("got %v", err)
			}
		}
		s := b.Status()
		if s.State != Open || s.Reason == "" || !s.Next.Equal(time.Now().Add(time.Minute)) {
			t.Fatalf("got %+v", s)
		}
		asked := false
		err := b.Do(t.Context(), func(context.Context) error { asked = true; return nil })
		if asked || !fault.Retryable(err) {
			t.Fatalf("an open one was asked: %v %v", asked, err)
		}
		time.Sleep(time.Minute + time.Second)
		if err := b.Do(t.Context(), fails(errAway)); !errors.Is(err, errAway) || b.Status().State != Open {
			t.Fatalf("a failed probe: %v, %+v", err, b.Status())
		}
		time.Sleep(time.Minute + time.Second)
		if err := b.Do(t.Context(), fails(nil)); err != nil || b.Status().State != Closed || b.Status().Reason != "" {
			t.Fatalf("a good probe: %v, %+v", err, b.Status())
		}
	})
}

func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New("x", Options{After: 1, Rest: time.Second})
		_ = b.Do(t.Context(), fails(errAway))
		time.Sleep(2 * time.Second)
		go func() {
			_ = b.Do(t.Context(), func(context.Context) error { time.Sleep(time.Minute); return nil })
		}()
		synctest.Wait()
		if err := b.Do(t.Context(), fails(nil)); !fault.Retryable(err) {
			t.Errorf("a second probe went: %v", err)
		}
		time.Sleep(2 * time.Minute)
	})
}

func TestARefusalStandsUntilSomebodyActs(t *testing.T) {
	b := New("portico", Options{})
	wrong := Refuse(fault.Msg(fault.Invalid, "test", "the key is not known"))
	if err := b.Do(t.Context(), fails(wrong)); !IsRefusal(err) {
		t.Fatalf("got %v", err)
	}
	if s := b.Status(); s.State != Refused || !s.Next.IsZero() {
		t.Fatalf("got %+v", s)
	}
	if err := b.Do(t.Context(), func(context.Context) error { t.Error("asked again"); return nil }); !IsRefusal(err) {
		t.Fatalf("got %v", err)
	}
	b.Retry()
	if err := b.Do(t.Context(), fails(nil)); err != nil || b.Status().State != Closed {
		t.Fatalf("got %v, %+v", err, b.Status())
	}
}

func TestAnAnswerIsNoFailure(t *testing.T) {
	b := New("x", Options{After: 1})
	_ = b.Do(t.Context(), fails(fault.Msg(fault.Invalid, "test", "unknown filter")))
	if s := b.Status(); s.State != Closed {
		t.Errorf("got %+v", s)
	}
}
